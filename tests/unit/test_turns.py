"""Whose voice it is: a cough takes nothing, a breath loses nothing, a pause lets go."""

from __future__ import annotations

import struct
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from media.rtp.levels import level_of
from media.tracks import SourceStream
from media.turns import Turns
from tests.support.outbox import extensions
from tests.support.scene import scene

MS = 1_000_000
TICK_MS = 100


class Table:
    """People round a table, each with a stream of their own; time moves by ticks."""

    def __init__(self, *people: str) -> None:
        self.turns = Turns()
        self.streams = {name: SourceStream("audio", "", n) for n, name in enumerate(people, 1)}
        self.now_ms = 10_000
        self.changes: list[tuple[int, str | None]] = []
        self._sequence = 0

    def packet(self, level: int | None) -> bytes:
        head = b"" if level is None else extensions({1: bytes([0x80 | level])})
        self._sequence += 1
        first = 0x80 if level is None else 0x90
        return struct.pack("!BBHII", first, 111, self._sequence & 0xFFFF, 0, 1) + head + b"opus"

    def passes(self, ms: int, **levels: int | None) -> Table:
        """Everybody who is named speaks at this level (-dBov), the others are as quiet as their rooms."""
        for _ in range(ms // TICK_MS):
            for name, stream in self.streams.items():
                for _ in range(TICK_MS // 20):
                    number = stream.sequence.highest + 1
                    stream.take(number & 0xFFFF, 0, self.now_ms * MS)
                    stream.cache.put(stream.sequence.highest, self.packet(levels.get(name, 68)))
            self.now_ms += TICK_MS
            if self.turns.look(self.streams, self.now_ms * MS):
                self.changes.append((self.now_ms, self.turns.floor))
        return self


def test_who_speaks_takes_the_floor_within_half_a_second_and_the_next_after_them() -> None:
    table = Table("lp", "in", "kp").passes(1_000)
    began = table.now_ms
    table.passes(3_000, lp=30)
    assert [who for _, who in table.changes] == ["lp"]
    assert table.changes[0][0] - began <= 600
    began = table.now_ms
    table.passes(3_000, **{"in": 30})
    assert table.turns.floor == "in"
    assert table.changes[-1][0] - began <= 600
    table.passes(2_000, kp=40)
    assert table.turns.floor == "kp"


def test_a_cough_and_a_yes_take_nothing() -> None:
    table = Table("lp", "in").passes(1_000)
    table.passes(300, **{"in": 15}).passes(1_500)
    assert table.changes == []
    table.passes(2_000, lp=30)
    for _ in range(4):
        table.passes(300, lp=30, **{"in": 12}).passes(700, lp=30)
    assert [who for _, who in table.changes] == ["lp"]


def test_a_breath_loses_nothing_and_a_long_silence_lets_go() -> None:
    table = Table("lp", "in").passes(1_000).passes(2_000, lp=30)
    for _ in range(3):
        table.passes(700).passes(1_500, lp=30)
    assert [who for _, who in table.changes] == ["lp"]
    table.passes(3_000)
    assert table.turns.floor is None


def test_who_talks_over_somebody_has_it_when_that_one_stops() -> None:
    table = Table("lp", "in").passes(1_000).passes(2_000, lp=30)
    table.passes(3_000, lp=30, **{"in": 20})
    assert table.turns.floor == "lp"
    table.passes(500, **{"in": 20})
    assert table.turns.floor == "in"


def test_a_loud_room_is_no_voice_and_a_voice_in_it_is_one() -> None:
    table = Table("lp", "in")
    for _ in range(30):
        table.passes(1_000, lp=50)
    assert table.turns.floor is None
    table.passes(1_000, lp=30)
    assert table.turns.floor == "lp"


def test_silence_muted_microphones_and_packets_without_a_level_never_have_it() -> None:
    table = Table("lp", "in").passes(3_000, lp=127, **{"in": None})
    assert table.changes == []


def test_who_may_have_it_no_more_loses_it_at_once() -> None:
    table = Table("lp", "in").passes(1_000).passes(1_000, lp=30)
    del table.streams["lp"]
    table.passes(100)
    assert table.turns.floor is None


@given(st.binary(min_size=12, max_size=80))
def test_any_bytes_have_a_level_or_none(data: bytes) -> None:
    level = level_of(data)
    assert level is None or 0 <= level <= 127


async def test_a_room_tells_whose_voice_it_is_and_no_voice_that_is_not_for_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.plan("a", "b")
        stage.publish("a", "audio", "0", 10)
        sink = stage.sessions["a"].sink
        assert sink is not None
        now_ns, number = stage.clock.boottime_ns(), 0
        for muted in ((), ("a",)):
            await stage.plan("a", "b", muted=muted)
            for _tick in range(20):
                for _ in range(5):
                    number += 1
                    head = struct.pack("!BBHII", 0x90, 111, number, number * 960, 10)
                    sink.on_rtp(head + extensions({1: b"\x9e"}) + b"opus", now_ns)
                now_ns += TICK_MS * MS
                stage.room.tick(now_ns)
        turns = [event for event in stage.events if event["ev"] == "turn"]
        assert [event["peer"] for event in turns] == ["a", None]
        assert abs(turns[0]["at_ms"] - stage.clock.wall_ns() // MS) < 60_000
