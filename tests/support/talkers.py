"""People without a picture who talk by a script, each packet telling how loud it is: for interpreted talk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from tests.support.recorded import Packet, Person, opus

TALK: dict[str, list[tuple[float, float]]] = {
    "referring_physician": [(20.0, 23.0)],
    "consulting_physician": [(2.0, 5.0), (30.0, 34.0)],
    "interpreter": [(5.6, 8.7), (23.6, 26.4), (34.7, 38.5), (45.0, 48.0)],
}
"""Seconds in which each talks: three renderings, and something at the end that renders nothing."""


@dataclass(frozen=True, slots=True)
class Talker(Person):
    """Nobody's picture, and a voice that is there by the script; each packet tells how loud it is."""

    LEVELS: ClassVar[bool] = True
    talks: Sequence[tuple[float, float]] = ()

    def video(self, begin_s: float, seconds: float, wall_ns: int, mtu: int = 300) -> Iterator[Packet]:
        return iter(())

    def audio(
        self, begin_s: float, seconds: float, wall_ns: int, first_report_s: float = 2.0
    ) -> Iterator[Packet]:
        tone = opus(self.tone_hz, 1.0)
        sounds = [packet for packet in Person.audio(self, begin_s, 1.0, wall_ns) if packet.data]
        for i in range(int(seconds * 50)):
            at = begin_s + i * 0.02
            talks = any(start <= at < stop for start, stop in self.talks)
            head = bytearray(sounds[0].data[:12])
            head[2:4] = ((self.seq + i) & 0xFFFF).to_bytes(2, "big")
            head[4:8] = ((self.audio_rtp + i * 960) & 0xFFFFFFFF).to_bytes(4, "big")
            level = b""
            if self.LEVELS:
                head[0] |= 0x10
                level = b"\xbe\xde\0\1\x10" + bytes((30 if talks else 75,)) + b"\0\0"
            payload = tone[i % len(tone)] if talks else b"\xf8\xff\xfe"
            arrived = sounds[0].at_ns + i * 20_000_000
            yield Packet(arrived, "audio", bytes(head) + level + payload)


@dataclass(frozen=True, slots=True)
class Unlevelled(Talker):
    """As recordings were before levels were read."""

    LEVELS: ClassVar[bool] = False
