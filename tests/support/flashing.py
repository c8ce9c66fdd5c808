"""A synthetic person who flashes white and beeps at the same instants, and one who comes late."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import av
import numpy as np

from tests.support.recorded import FPS, HEIGHT, NS, WIDTH, Packet, Person, rtp

FIRST_S, EVERY_S, FOR_S = 0.5, 1.0, 0.2
BEEP_HZ = 1000


def instants(seconds: float) -> list[float]:
    """Seconds at which a flash and its beep begin."""
    return [float(at) for at in np.arange(FIRST_S, seconds - FOR_S, EVERY_S)]


@cache
def _pictures(seconds: float) -> tuple[bytes, ...]:
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    codec.time_base, codec.gop_size = Fraction(1, FPS), 40
    codec.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"}
    out: list[bytes] = []
    for n in range(int(seconds * FPS)):
        lit = any(at <= n / FPS < at + FOR_S for at in instants(seconds))
        picture = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        picture[:HEIGHT] = 235 if lit else 16
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = n, Fraction(1, FPS)
        out += [bytes(packet) for packet in codec.encode(frame)]
    return tuple(out)


@cache
def _sounds(seconds: float) -> tuple[bytes, ...]:
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format, codec.bit_rate = 48_000, "mono", "s16", 48_000
    at = np.arange(int(seconds * 48_000) // 960 * 960) / 48_000
    loud = np.zeros_like(at)
    for begin in instants(seconds):
        loud[(at >= begin) & (at < begin + FOR_S)] = 1
    sound = (np.sin(2 * np.pi * BEEP_HZ * at) * loud * 14_000).astype(np.int16)
    out: list[bytes] = []
    for i in range(0, len(sound), 960):
        frame = av.AudioFrame.from_ndarray(sound[None, i : i + 960], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, i
        out += [bytes(packet) for packet in codec.encode(frame)]
    return tuple(out)


class Flashing(Person):
    """Black and silent between flashes."""

    def video(self, begin_s: float, seconds: float, wall_ns: int, mtu: int = 1000) -> Iterator[Packet]:
        seq = self.seq
        for n, data in enumerate(_pictures(seconds)):
            captured = int((begin_s + n / FPS) * NS)
            stamp = self.video_rtp + round((begin_s + n / FPS) * 90_000)
            packet = rtp(96, seq, stamp, self.video_ssrc, b"\x90\x80" + bytes((n & 0x7F,)) + data, True)
            yield Packet(captured + self.delay_ns, "camera", packet)
            seq += 1
            if n % FPS == 5:
                at = captured + self.delay_ns
                yield self.report("camera", at, captured, self.video_ssrc, stamp, wall_ns)

    def audio(
        self, begin_s: float, seconds: float, wall_ns: int, first_report_s: float = 2.0
    ) -> Iterator[Packet]:
        for n, payload in enumerate(_sounds(seconds)):
            captured = int((begin_s + n * 0.02) * NS)
            at = captured + self.delay_ns + 20_000_000
            stamp = self.audio_rtp + round((begin_s + n * 0.02) * 48_000)
            yield Packet(at, "audio", rtp(111, self.seq + n, stamp, self.audio_ssrc, payload))
            if n % 50 == 0:
                yield self.report("audio", at, captured + 20_000_000, self.audio_ssrc, stamp + 960, wall_ns)


class Late(Person):
    """Comes after two seconds and leaves a second before the end."""

    def video(self, begin_s: float, seconds: float, wall_ns: int, mtu: int = 300) -> Iterator[Packet]:
        yield from super().video(begin_s + 2, seconds - 3, wall_ns, mtu)

    def audio(
        self, begin_s: float, seconds: float, wall_ns: int, first_report_s: float = 0.5
    ) -> Iterator[Packet]:
        yield from super().audio(begin_s + 2, seconds - 3, wall_ns, first_report_s)
