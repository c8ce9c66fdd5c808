"""Why something is missing: one cause each, by evidence."""

from __future__ import annotations

import pytest

from media.recordstore.gaps import muted_spans, recording_gaps, track_gaps, without
from media.recordstore.index import EpochSpan, Event, Hole, Survey

S = 1_000_000_000


def survey(
    *events: tuple[float, str, dict[str, object]], holes: tuple[Hole, ...] = (), ended: bool = True
) -> Survey:
    made = Survey("r", 0)
    made.events = [Event(int(at * S), 1, "p", name, fields) for at, name, fields in events]
    made.holes = list(holes)
    made.epochs = [EpochSpan(1, 0, 20 * S, ended), EpochSpan(2, 30 * S, 60 * S, True)]
    return made


def cause(
    made: Survey, begin: float, end: float, losses: tuple[float, ...] = (), kind: str = "audio"
) -> object:
    present = [[0, int(begin * 1000)], [int(end * 1000), int(end * 1000) + 100]]
    (gap,) = track_gaps(made, "p", kind, present, [int(at * S) for at in losses])
    return gap["cause"]


OFF: dict[str, object] = {"mic": 0, "camera": 1}
ON: dict[str, object] = {"mic": 1, "camera": 1}


@pytest.mark.parametrize(
    ("made", "losses", "expected"),
    [
        (survey(), (), "no_media"),
        (survey(), (6.0,), "network_loss"),
        (survey((5.2, "media", OFF), (8, "media", ON)), (), "muted"),
        (survey((1, "media", OFF), (2, "media", ON)), (), "no_media"),
        (survey((5.1, "muted", {"kind": "mic"}), (8, "unmuted", {"kind": "mic"})), (), "muted"),
        (survey((5.1, "muted", {"kind": "camera"}), (8, "unmuted", {"kind": "camera"})), (), "no_media"),
        (survey((5.1, "left", {}), (7.9, "joined", {})), (), "left"),
        (survey((5.1, "disconnected", {}), (7.9, "connected", {})), (), "network_loss"),
        (survey((7.8, "disconnected", {}), (7.9, "connected", {})), (), "network_loss"),
        (survey((5.1, "closed", {}), (7.9, "joined", {})), (), "left"),
        (survey((5.1, "closed", {}), (5.2, "lost", {}), (7.9, "joined", {})), (), "left"),
        (survey((5.1, "dismissed", {"cause": "withdrawn"}), (7.9, "admitted", {})), (), "no_consent"),
        (survey((5.1, "dismissed", {"cause": "left"}), (7.9, "admitted", {})), (), "left"),
        (survey((5.1, "dismissed", {"cause": "aside"}), (7.9, "admitted", {})), (), "aside"),
        (survey((1, "dismissed", {"cause": "aside"}), (2, "admitted", {})), (), "no_media"),
        (survey((5, "paused", {}), (8, "resumed", {})), (), "paused"),
        (survey((1, "stills", {"on": 1})), (6.0,), "network_loss"),  # a voice goes on in survival mode
        (survey((5.1, "media", OFF), holes=(Hole("p", 5 * S, 6 * S, "store_slow"),)), (), "store_slow"),
        (survey(holes=(Hole("", 5 * S, 6 * S, "damaged"),)), (), "damaged"),
        (survey(holes=(Hole("q", 5 * S, 6 * S, "damaged"),)), (), "no_media"),
    ],
)
def test_a_gap_has_the_cause_that_the_evidence_gives(
    made: Survey, losses: tuple[float, ...], expected: str
) -> None:
    assert cause(made, 5.0, 8.0, losses) == expected


def test_pictures_seconds_apart_over_the_thinnest_line_are_stills_until_it_is_good_again() -> None:
    thin = survey((1, "stills", {"on": 1}))
    assert cause(thin, 5.0, 8.0, (6.0,), "camera") == "stills"
    over = survey((1, "stills", {"on": 1}), (3, "stills", {"on": 0}))
    assert cause(over, 5.0, 8.0, (6.0,), "camera") == "network_loss"
    again = survey((1, "stills", {"on": 1}), (2, "left", {}), (3, "joined", {}))
    assert cause(again, 5.0, 8.0, (), "camera") == "no_media"


def test_a_worker_that_died_is_told_from_a_room_that_emptied() -> None:
    assert cause(survey(ended=False), 19.5, 31.0) == "worker_lost"
    assert cause(survey(), 19.5, 31.0) == "left"
    assert recording_gaps(survey(ended=False)) == [{"from": 20_000, "to": 30_000, "cause": "worker_lost"}]
    assert recording_gaps(survey()) == [{"from": 20_000, "to": 30_000, "cause": "empty"}]


def test_a_muted_microphone_that_sends_silence_is_not_present() -> None:
    made = survey((2, "media", OFF), (5, "media", ON), (7, "media", OFF))
    spans = muted_spans(made, "p", "audio", 9000)
    assert spans == [(2000, 5000), (7000, 9000)]
    assert muted_spans(made, "p", "camera", 9000) == []
    present = without([[0, 9000]], spans, 1000)
    assert present == [[0, 2000], [5000, 7000]]
    assert track_gaps(made, "p", "audio", present, []) == [{"from": 2000, "to": 5000, "cause": "muted"}]
    assert without([[0, 9000]], [(10, 20)], 1000) == [[0, 9000]]


def test_an_unbroken_track_has_no_gap() -> None:
    assert track_gaps(survey(), "p", "audio", [[0, 20_000]], []) == []
    assert track_gaps(survey(), "p", "audio", [], []) == []


def test_a_server_that_was_killed_leaves_no_empty_room_behind() -> None:
    """Its worker ends the files properly, with the people still in."""
    inside = survey((1, "joined", {}), (1.1, "connected", {}), (19.9, "dismissed", {"cause": "left"}))
    assert recording_gaps(inside) == [{"from": 20_000, "to": 30_000, "cause": "worker_lost"}]
    assert cause(inside, 19.5, 31.0) == "worker_lost"
    left = survey((1, "joined", {}), (15, "left", {}))
    assert recording_gaps(left) == [{"from": 20_000, "to": 30_000, "cause": "empty"}]


def test_a_silence_up_to_the_end_has_its_cause_too() -> None:
    off = survey((4, "media", {"mic": 1, "camera": 0}), (9.5, "left", {}))
    assert track_gaps(off, "p", "camera", [[0, 4000]], [], 10_000) == [
        {"from": 4000, "to": 10_000, "cause": "muted"}
    ]
    assert track_gaps(survey((4, "left", {})), "p", "audio", [[0, 4000]], [], 10_000) == [
        {"from": 4000, "to": 10_000, "cause": "left"}
    ]
    assert track_gaps(survey(), "p", "audio", [[0, 9000]], [], 10_000) == []


def test_a_mute_around_the_death_of_a_worker_is_named_before_and_after_it() -> None:
    made = survey(
        (1, "connected", {}), (10, "media", OFF), (33, "connected", {}), (33, "media", OFF), ended=False
    )
    gaps = track_gaps(made, "p", "audio", [[0, 10_000]], [], 60_000)
    assert gaps == [
        {"from": 10_000, "to": 20_000, "cause": "muted"},
        {"from": 20_000, "to": 33_000, "cause": "worker_lost"},
        {"from": 33_000, "to": 60_000, "cause": "muted"},
    ]
    at_once = track_gaps(made, "p", "camera", [[0, 20_000], [34_000, 60_000]], [], 60_000)
    assert at_once == [{"from": 20_000, "to": 34_000, "cause": "worker_lost"}]


def test_what_a_crash_took_before_a_track_had_begun_is_a_gap() -> None:
    made = survey((18.5, "admitted", {"grant": "g"}), ended=False)
    gaps = track_gaps(made, "p", "audio", [[31_000, 40_000]], [])
    assert (gaps[0]["from"], gaps[-1]["to"]) == (18_500, 31_000)
    assert {gap["cause"] for gap in gaps} == {"worker_lost"}
    assert track_gaps(made, "q", "audio", [[31_000, 40_000]], []) == []
    assert track_gaps(survey((18.5, "admitted", {})), "p", "audio", [[31_000, 40_000]], []) == []


def test_an_epoch_of_which_nothing_is_left_is_a_gap_of_everybody() -> None:
    made = survey()
    made.epochs = made.epochs[1:]
    assert recording_gaps(made) == [{"from": 0, "to": 30_000, "cause": "worker_lost"}]
