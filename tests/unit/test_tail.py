"""What a crash took to which nobody returned is a gap with its cause, as long as anybody can witness."""

from __future__ import annotations

from media.recordstore.books import Books, read_books
from media.recordstore.gaps import recording_gaps, track_gaps
from media.recordstore.index import EpochSpan, Event, Survey
from media.recordstore.tail import CRASH_NS, tail

S = 1_000_000_000
LOST = "worker_lost"


def survey(*events: tuple[float, str], ended: bool = False, peer: str = "p") -> Survey:
    """One epoch of 20 s; p came at 1 s."""
    made = Survey("r", 0)
    made.events = [Event(int(at * S), 1, peer, name, {}) for at, name in ((1, "joined"), *events)]
    made.epochs = [EpochSpan(1, 0, 20 * S, ended)]
    return made


def gap(begin: int, end: int, cause: str = LOST) -> dict[str, object]:
    return {"from": begin, "to": end, "cause": cause}


def test_a_crash_in_a_talk_is_a_gap_of_all_that_a_crash_can_take() -> None:
    made = survey()
    assert recording_gaps(made) == [gap(20_000, 20_000 + CRASH_NS // 1_000_000)]
    assert track_gaps(made, "p", "audio", [[1000, 19_200]], [], 19_200) == [gap(19_200, 23_000)]
    assert track_gaps(made, "q", "audio", [[1000, 12_000]], [], 19_200) == [gap(12_000, 19_200, "no_media")]


def test_it_lasts_as_long_as_somebody_is_known_to_have_been_there() -> None:
    made = survey()
    made.present_until = 95 * S
    assert recording_gaps(made) == [gap(20_000, 95_000)]
    made.present_until = 21 * S
    assert recording_gaps(made) == [gap(20_000, 23_000)], "they may have stayed a little longer"


def test_what_was_so_before_the_crash_keeps_its_own_cause() -> None:
    made = survey((5, "media"))
    made.events[-1].fields.update(mic=1, camera=0)  # type: ignore[attr-defined]
    assert track_gaps(made, "p", "camera", [[1000, 5000]], [], 19_000) == [
        gap(5000, 20_000, "muted"),
        gap(20_000, 23_000),
    ]


def test_an_empty_room_loses_nothing_in_a_crash() -> None:
    assert tail(survey((15, "left"))) is None
    came_too_late_for_the_journal = survey((15, "left"))
    came_too_late_for_the_journal.present_until = 20 * S + S // 2
    assert recording_gaps(came_too_late_for_the_journal) == [gap(20_000, 23_000)]


def test_a_proper_end_has_no_tail_and_neither_has_one_that_is_being_written() -> None:
    closed = survey(ended=True)
    closed.present_until = 21 * S  # the books hear of it a little later
    assert recording_gaps(closed) == []
    growing = survey()
    growing.growing = True
    assert recording_gaps(growing) == []
    abandoned = survey(ended=True)
    abandoned.present_until = 50 * S
    assert recording_gaps(abandoned) == [gap(20_000, 50_000)], "people stayed, and nothing recorded them"


def test_an_epoch_that_left_nothing_is_lost_from_when_it_was_begun() -> None:
    after_all_had_left = survey((19, "left"), ended=True)
    after_all_had_left.begun = {2: 60 * S}
    assert recording_gaps(after_all_had_left) == [gap(20_000, 60_000, "empty"), gap(60_000, 63_000)]
    after_all_had_left.present_until = 70 * S
    assert recording_gaps(after_all_had_left)[-1] == gap(60_000, 70_000)
    after_all_had_left.epochs.append(EpochSpan(3, 65 * S, 90 * S, True))
    assert recording_gaps(after_all_had_left) == [gap(20_000, 60_000, "empty"), gap(60_000, 65_000)]
    in_a_talk = survey()
    in_a_talk.begun = {2: 24 * S}
    assert recording_gaps(in_a_talk) == [gap(20_000, 27_000)]


def test_a_recording_of_which_nothing_is_left_is_one_gap() -> None:
    made = Survey("r", 0)
    assert recording_gaps(made) == []
    made.begun = {1: 2 * S, 2: 9 * S}
    assert recording_gaps(made) == [gap(2000, 12_000)]


def test_what_the_books_say_comes_back_from_a_job() -> None:
    books = Books({2: 5, 1: 3}, 77)
    assert read_books(books.told()) == books
    assert read_books({}) == Books()
