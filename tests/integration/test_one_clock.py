"""One clock: three people whose clocks drift, over mutes, reloads and bad lines, measured from stamps in
payloads."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import pytest

from tests.support.drifting import Drifter, Visit, errors
from tests.support.recorded import NS
from tests.support.studio import Event, Studio, track

WITHIN_MS, BETWEEN_MS = 80.0, 150.0
LONG = pytest.mark.long
ANNA, BORIS, CHO = "seat-synthetic-0001", "seat-synthetic-0002", "seat-synthetic-0003"


def crowd(length_s: float) -> list[Drifter]:
    """Two that leave or reload and one that stays: drift of up to 100 ppm each way, lossy and lopsided
    lines."""
    part = length_s / 60
    return [
        Drifter(
            ANNA, [Visit(2.0, length_s)], 1, 100, -80, 0.02, bursts=[(n * 7 * part, n * 7 * part + 1.5) for
            n in (1, 3, 6)]
        ),
        Drifter(
            BORIS,
            [Visit(3 * part, 25 * part), Visit(25 * part + 2, length_s, 0x7FFF_FF00, 123, 9, 0x3000)],
            2, -100, 90, 0.045, 0.03, clock_off_s=-71.0, mutes=[(10 * part, 14 * part), (40 * part, 41 *
            part)],
        ),
        Drifter(
            CHO,
            [Visit(4.0, 20 * part), Visit(28 * part, length_s - 1, 5, 0xFFFF_FF00, 65_530, 0x5000)],
            3, 30, 100, 0.06, 0.02, queue_s=0.4, clock_off_s=3600.0,
        ),
    ]  # fmt: skip


def told(people: list[Drifter]) -> list[Event]:
    events: list[Event] = []
    for person in people:
        for visit in person.visits:
            events.append((visit.begin_s, person.peer, "joined", {}))
            events.append((visit.end_s, person.peer, "left", {}))
        for begin, end in person.mutes:
            events.append((begin, person.peer, "media", {"mic": 0, "camera": 0}))
            events.append((end, person.peer, "media", {"mic": 1, "camera": 1}))
    return events


def measured(studio: Studio, result: dict[str, Any], peer: str) -> dict[str, list[tuple[float, float]]]:
    """Errors of a person's two tracks against the truth."""
    found = {}
    for kind in ("audio", "camera"):
        row = track(result, peer, kind)
        found[kind] = errors(studio.open(row), row["offset_ms"])
        assert len(found[kind]) > 100, (peer, kind)
    return found


def around(found: list[tuple[float, float]], at_s: float, width_s: float) -> list[float]:
    return [ms for second, ms in found if abs(second - at_s) <= width_s]


def check(studio: Studio, people: list[Drifter], length_s: float) -> dict[str, Any]:
    result = studio.finalise()
    assert result["failed"] == []
    tracks = {person.peer: measured(studio, result, person.peer) for person in people}
    for peer, found in tracks.items():
        for row in (track(result, peer, kind) for kind in found):
            assert row["sync_error_ms"] <= WITHIN_MS, (row["id"], row["sync_error_ms"])
        # Everywhere, in windows of ten seconds, not only at start, middle and end.
        for at in range(5, int(length_s), 10):
            lips, voice = (around(found[kind], at, 5) for kind in ("camera", "audio"))
            if len(lips) > 10 and len(voice) > 10:
                apart = statistics.median(voice) - statistics.median(lips)
                assert abs(apart) <= WITHIN_MS, (peer, at, apart)
    for at in (0.12 * length_s, 0.5 * length_s, 0.97 * length_s):
        there = [
            statistics.median(near)
            for found in tracks.values()
            for kind in ("audio", "camera")
            if (near := around(found[kind], at, length_s / 40))
        ]
        assert len(there) == 2 * len(people), (at, len(there))
        assert max(there) - min(there) <= BETWEEN_MS, (at, there)
    return result


@pytest.mark.parametrize(
    "length_s",
    [pytest.param(300.0, id="five minutes"), pytest.param(3600.0, id="an hour", marks=pytest.mark.long)],
)
def test_three_people_stay_on_one_clock(tmp_path: Path, length_s: float) -> None:
    studio = Studio(tmp_path)
    people = crowd(length_s)
    studio.session({person.peer: person.packets() for person in people}, told(people))
    result = check(studio, people, length_s)
    for kind in ("audio", "camera"):
        causes = [gap["cause"] for gap in track(result, BORIS, kind)["gaps"]]
        assert causes.count("muted") == 2, causes
        assert "left" in [gap["cause"] for gap in track(result, CHO, kind)["gaps"]]


def pair(**other: Any) -> list[Drifter]:
    """A person who is plain and one who has something."""
    visit = Visit(1.0, 60.0, seq=100, audio_rtp=1000, video_rtp=2000)
    return [
        Drifter(ANNA, [visit], 1, queue_s=0.0),
        Drifter(BORIS, other.pop("visits", [visit]), 2, queue_s=0.0, **other),
    ]


def test_rtp_time_and_sequence_numbers_wrap_in_the_middle(tmp_path: Path) -> None:
    visit = Visit(1.0, 60.0, 2**32 - 30 * 48_000, 2**32 - 20 * 90_000, 2**16 - 400)
    studio, people = Studio(tmp_path), pair(visits=[visit])
    studio.session({p.peer: p.packets() for p in people})
    check(studio, people, 60.0)


@pytest.mark.parametrize("step_s", [3600.0, -0.3, *(pytest.param(s, marks=LONG) for s in (-3600.0, 0.7))])
def test_a_senders_clock_that_steps_moves_nothing(tmp_path: Path, step_s: float) -> None:
    studio, people = Studio(tmp_path), pair(steps=[(30.0, step_s)])
    studio.session({p.peer: p.packets() for p in people})
    check(studio, people, 60.0)


@pytest.mark.parametrize("step_s", [3600, pytest.param(-3600, marks=LONG)])
def test_a_wall_clock_of_ours_that_steps_moves_nothing(tmp_path: Path, step_s: int) -> None:
    studio, people = Studio(tmp_path), pair()
    started_ms = studio.wall_ns // 1_000_000

    def jump(now_ns: int) -> int:
        past = now_ns - studio.clock.start_ns
        return started_ms * 1_000_000 + past + (step_s * NS if past > 25 * NS else 0)

    studio.clock.wall = jump
    studio.session({p.peer: p.packets() for p in people})
    result = check(studio, people, 60.0)
    assert result["index"]["stored"][0][1] < 61_000


def test_a_suspended_server_is_a_gap_and_everything_after_it_is_in_its_place(tmp_path: Path) -> None:
    """While a machine sleeps its boottime goes on; nothing is received, and the pages go on sending."""
    studio, people = Studio(tmp_path), pair(bursts=[(12.0, 27.0)], loss=0)
    people[0].bursts, people[0].loss = [(12.0, 27.0)], 0.0
    studio.session({p.peer: p.packets() for p in people})
    result = check(studio, people, 60.0)
    for row in result["index"]["tracks"]:
        assert len(row["gaps"]) == 1, row["gaps"]
        gap = row["gaps"][0]
        assert 14_500 < gap["to"] - gap["from"] < 17_500, row["gaps"]


@pytest.mark.parametrize("first_s", [pytest.param(5.0, marks=LONG), 20.0])
def test_reports_that_come_late_are_true_from_the_start(tmp_path: Path, first_s: float) -> None:
    studio, people = Studio(tmp_path), pair(first_audio_report_s=first_s)
    studio.session({p.peer: p.packets() for p in people})
    check(studio, people, 60.0)


def test_a_report_before_the_first_packet_does_no_harm(tmp_path: Path) -> None:
    studio, people = Studio(tmp_path), pair()
    sent = {p.peer: p.packets() for p in people}
    first = next(packet for packet in sent[BORIS] if packet.ntp and packet.kind == "camera")
    early = type(first)(sent[BORIS][0].at_ns - NS // 10, "camera", b"", first.ntp, first.rtp, first.ssrc)
    studio.session({**sent, BORIS: [early, *sent[BORIS]]})
    check(studio, people, 60.0)


def test_a_first_report_that_is_wrong_is_left_out(tmp_path: Path) -> None:
    studio, people = Studio(tmp_path), pair(lies=2)
    studio.session({p.peer: p.packets() for p in people})
    check(studio, people, 60.0)


def test_an_error_of_the_clocks_is_told(tmp_path: Path) -> None:
    """The figure has to rise when there is something to tell: reports of sound that wander by 0.3 s."""
    import random

    chance = random.Random(3)
    studio, people = Studio(tmp_path), pair()
    packets = [
        type(p)(
            p.at_ns,
            p.kind,
            p.data,
            p.ntp,
            (p.rtp + round(chance.uniform(-0.3, 0.3) * 48_000)) & 0xFFFFFFFF,
            p.ssrc,
        )
        if p.ntp and p.kind == "audio"
        else p
        for p in people[1].packets()
    ]
    studio.session({ANNA: people[0].packets(), BORIS: packets})
    result = studio.finalise()
    assert track(result, BORIS, "audio")["sync_error_ms"] > WITHIN_MS
    assert track(result, ANNA, "audio")["sync_error_ms"] < WITHIN_MS
    assert result["out_of_sync"] == [f"{BORIS}-audio"]


def levels(studio: Studio, result: dict[str, Any], peer: str, begin_s: float, end_s: float) -> list[float]:
    """By how many ms a person's tracks are late between two seconds, each."""
    found = measured(studio, result, peer).values()
    return [statistics.median(ms for at, ms in one if begin_s < at < end_s) for one in found]


def test_half_the_round_trip_brings_near_and_far_to_the_time_they_spoke(tmp_path: Path) -> None:
    """20 ms and 150 ms one way: without the round trip all that Boris says would be 130 ms late."""
    visit = Visit(1.0, 60.0, seq=100, audio_rtp=1000, video_rtp=2000)
    near = Drifter(ANNA, [visit], 1, 40, -30, delay_s=0.02, queue_s=0.05)
    far = Drifter(BORIS, [visit], 2, -60, 80, delay_s=0.15, queue_s=0.3, clock_off_s=12.0)
    late: dict[bool, dict[str, list[float]]] = {}
    for known in (False, True):
        studio = Studio(tmp_path / str(known))
        events = told([near, far])
        if known:
            # As the worker writes it: at once what the first check took, later the least there was.
            events += [(1.5, ANNA, "round_trip", {"us": 95_000}), (6.5, ANNA, "round_trip", {"us": 41_000})]
            events += [
                (1.6, BORIS, "round_trip", {"us": 420_000}),
                (21.0, BORIS, "round_trip", {"us": 303_000}),
            ]
        studio.session({p.peer: p.packets() for p in (near, far)}, events)
        result = check(studio, [near, far], 60.0)
        late[known] = {peer: levels(studio, result, peer, 5, 59) for peer in (ANNA, BORIS)}
    assert min(late[False][BORIS]) - max(late[False][ANNA]) > 100, late
    everybody = late[True][ANNA] + late[True][BORIS]
    assert max(everybody) - min(everybody) < 40, late
    assert max(map(abs, everybody)) < 40, late


def test_a_line_that_changes_with_a_reload_counts_for_its_own_connection(tmp_path: Path) -> None:
    """From home, then from a phone far from everything: each connection goes by its own round trip."""
    plain = Drifter(ANNA, [Visit(1.0, 80.0, seq=100)], 1, delay_s=0.01, queue_s=0.0)
    home = Drifter(BORIS, [Visit(1.0, 38.0, 7000, 8000, 9)], 2, delay_s=0.02, queue_s=0.0)
    away = Drifter(BORIS, [Visit(41.0, 80.0, 1, 2, 3, 0x3000)], 3, delay_s=0.2, queue_s=0.0)
    studio = Studio(tmp_path)
    events = [
        *told([plain, home, away]),
        (1.5, ANNA, "round_trip", {"us": 20_000}),
        (1.5, BORIS, "round_trip", {"us": 40_000}),
        (41.5, BORIS, "round_trip", {"us": 400_000}),
    ]
    studio.session({ANNA: plain.packets(), BORIS: home.packets() + away.packets()}, events)
    result = studio.finalise()
    found = [
        *levels(studio, result, ANNA, 5, 79),
        *levels(studio, result, BORIS, 5, 37),
        *levels(studio, result, BORIS, 45, 79),
    ]
    assert max(map(abs, found)) < 40, found
