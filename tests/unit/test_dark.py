"""A line that falls silent is told from somebody who leaves: in the journal's events, and in the gaps."""

from __future__ import annotations

import pytest

from media.recordstore.dark import FOR_GOOD, dark_spans
from media.recordstore.gaps import track_gaps
from media.recordstore.index import EpochSpan, Event, Survey
from media.recordstore.tail import tail

S = 1_000_000_000
Told = tuple[float, str] | tuple[float, str, dict[str, object]]


def survey(*events: Told) -> Survey:
    """One epoch of 120 s; p came at 1 s."""
    made = Survey("r", 0)
    told: list[Told] = [(1, "joined"), (1, "connected"), *events]
    made.events = [Event(int(e[0] * S), 1, "p", e[1], e[2] if len(e) == 3 else {}) for e in told]
    made.epochs = [EpochSpan(1, 0, 120 * S, True)]
    return made


def gaps(
    made: Survey, begin: float, end: float | None = None, kind: str = "audio"
) -> list[tuple[float, float, object]]:
    """(from, to, cause) in seconds of a track's hole between `begin` and `end` (None: it never returned)."""
    present = [[1000, int(begin * 1000)], *([] if end is None else [[int(end * 1000), 119_000]])]
    found = track_gaps(made, "p", kind, present, [], 119_000)
    return [(int(str(gap["from"])) / 1000, int(str(gap["to"])) / 1000, gap["cause"]) for gap in found]


LEFT: dict[str, object] = {"cause": "left"}
OFF: dict[str, object] = {"mic": 0, "camera": 1}
ON: dict[str, object] = {"mic": 1, "camera": 1}
DARK: list[Told] = [(15, "disconnected"), (30, "failed"), (30.1, "lost"), (30.1, "dismissed", LEFT)]
BACK: list[Told] = [(70, "admitted"), (70, "media", ON), (70, "joined"), (70.3, "connected")]


def test_a_blackout_over_which_the_connection_lives_is_one_gap_of_the_network() -> None:
    assert gaps(survey((15, "disconnected"), (30, "connected")), 10, 31) == [(10, 31, "network_loss")]


def test_a_seat_that_was_given_up_for_a_dark_line_did_not_leave_and_its_return_ends_the_gap() -> None:
    assert gaps(survey(*DARK, *BACK), 10, 71) == [(10, 71, "network_loss")]
    assert gaps(survey(*DARK), 10) == [(10, 119, "network_loss")], "nobody ever came back"


def test_pictures_that_need_some_seconds_more_are_not_another_gap() -> None:
    assert gaps(survey(*DARK, *BACK), 9, 76, "camera") == [(9, 76, "network_loss")]


@pytest.mark.parametrize(
    "ways",
    [
        [(10.1, "left"), (10.1, "dismissed", LEFT)],
        [(10.1, "closed"), (10.2, "left"), (10.2, "dismissed", LEFT)],
        [(15, "disconnected"), (30, "failed"), (40, "left"), (40, "dismissed", LEFT)],
        [(10.1, "closed"), (40, "lost"), (40, "dismissed", LEFT)],
        [(10.1, "closed"), (15, "disconnected"), (40, "left"), (40, "dismissed", LEFT)],
    ],
    ids=[
        "leaves",
        "closes its page",
        "says goodbye and falls silent",
        "hangs up",
        "hangs up, and is given up",
    ],
)
def test_who_leaves_has_left_however_silent_their_line_is_then(ways: list[Told]) -> None:
    assert gaps(survey(*ways, *BACK), 10, 71) == [(10, 71, "left")]
    assert gaps(survey(*ways), 10) == [(10, 119, "left")]


def test_who_was_muted_when_the_line_went_was_muted_before_and_after_it() -> None:
    made = survey((10, "media", OFF), (40, "disconnected"), (52, "connected"), (90, "media", ON))
    assert gaps(made, 10, 90) == [
        (10, 40, "muted"),
        (40, 52, "network_loss"),
        (52, 90, "muted"),
    ]


def test_a_withdrawn_consent_outweighs_a_dark_line() -> None:
    withdrawn: Told = (12, "dismissed", {"cause": "withdrawn"})
    assert gaps(survey(withdrawn, (15, "disconnected"), (30, "connected")), 10, 71)[0][2] == "no_consent"


def test_a_withdrawal_of_which_media_heard_late_counts_from_where_the_page_stopped() -> None:
    """A worker that did not run for six seconds finds the line dark and the word to stop when it wakes."""
    withdrawn: Told = (16.4, "dismissed", {"cause": "withdrawn"})
    late = [(16.3, "disconnected"), withdrawn, (16.5, "connected"), (22, "admitted")]
    assert gaps(survey(*late), 10, 23) == [(10, 23, "no_consent")]


def test_dark_spans_begin_with_the_first_word_of_silence_and_end_with_the_line() -> None:
    events = survey(*DARK, *BACK, (80, "disconnected"), (81, "left"), (90, "disconnected")).events
    assert dark_spans(events, "p") == [(15 * S, int(70.3 * S))]
    assert dark_spans(survey((15, "disconnected")).events, "p") == [(15 * S, FOR_GOOD)]
    assert dark_spans(survey(*DARK).events, "q") == []


def test_whose_line_was_lost_is_not_in_the_room_when_a_crash_comes() -> None:
    made = survey(*DARK)
    made.epochs = [EpochSpan(1, 0, 120 * S, False)]
    assert tail(made) is None
