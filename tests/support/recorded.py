"""Synthetic participants for the recorder: real VP8 and Opus in RTP, at known colours and tones.

Nothing here knows the recorder's inside; it makes packets and says what should come out.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import numpy as np

NS = 1_000_000_000
NTP_UNIX_S = 2_208_988_800
RECORDING = "rec_synthetic-0001"
FPS = 20
WIDTH, HEIGHT = 160, 120


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet (or, with `ntp`, a sender report) with its arrival in ns since the start."""

    at_ns: int
    kind: str
    data: bytes
    ntp: int = 0
    rtp: int = 0
    ssrc: int = 0
    rid: str = ""


class FakeClock:
    """A clock that a test sets; wall and boottime run together from given instants."""

    def __init__(self, boottime_ns: int = 5_000 * NS, wall_ns: int = 1_790_000_000 * NS) -> None:
        self.start_ns, self._wall_ns = boottime_ns, wall_ns
        self.now_ns = boottime_ns
        self.boot_id = b"synthetic boot 1"
        self.wall: Callable[[int], int] | None = None
        """Tells the wall's time from boottime when they do not run together."""

    def boottime_ns(self) -> int:
        return self.now_ns

    def wall_ns(self) -> int:
        if self.wall is not None:
            return self.wall(self.now_ns)
        return self._wall_ns + self.now_ns - self.start_ns


@cache
def vp8(colour: tuple[int, int, int], frames: int, key_every: int = 40) -> tuple[tuple[bytes, bool], ...]:
    """Frames of one colour (Y, U, V) as VP8."""
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    codec.time_base = Fraction(1, FPS)
    codec.gop_size = key_every
    codec.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"}
    picture = np.empty((HEIGHT * 3 // 2, WIDTH), np.uint8)
    picture[:HEIGHT] = colour[0]
    chroma = picture[HEIGHT:].reshape(2, -1)
    chroma[0], chroma[1] = colour[1], colour[2]
    out: list[tuple[bytes, bool]] = []
    for i in range(frames):
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = i, Fraction(1, FPS)
        frame.pict_type = (
            av.video.frame.PictureType.I if i % key_every == 0 else av.video.frame.PictureType.NONE
        )
        out += [(bytes(p), p.is_keyframe) for p in codec.encode(frame)]
    out += [(bytes(p), p.is_keyframe) for p in codec.encode(None)]
    return tuple(out)


@cache
def opus(tone_hz: int, seconds: float) -> tuple[bytes, ...]:
    """20 ms Opus packets of a sine."""
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48_000, "mono", "s16"
    codec.bit_rate = 32_000
    n = int(seconds * 48_000) // 960 * 960
    sound = (np.sin(2 * np.pi * tone_hz * np.arange(n) / 48_000) * 12_000).astype(np.int16)
    out: list[bytes] = []
    for i in range(0, n, 960):
        frame = av.AudioFrame.from_ndarray(sound[None, i : i + 960], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, i
        out += [bytes(p) for p in codec.encode(frame)]
    return tuple(out)


def rtp(pt: int, seq: int, timestamp: int, ssrc: int, payload: bytes, marker: bool = False) -> bytes:
    """An RTP packet without extensions."""
    second = pt | (0x80 if marker else 0)
    return struct.pack(">BBHII", 0x80, second, seq & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + payload


def ntp64(unix_ns: int) -> int:
    """Unix ns as 64-bit NTP."""
    seconds, rest = divmod(unix_ns, NS)
    return ((seconds + NTP_UNIX_S) << 32) | ((rest << 32) // NS)


@dataclass(frozen=True, slots=True)
class Person:
    """A synthetic participant. Its clock is off by `clock_off_ns`; packets take `delay_ns` to come."""

    peer: str
    colour: tuple[int, int, int] = (100, 90, 200)
    tone_hz: int = 440
    delay_ns: int = 40_000_000
    clock_off_ns: int = 77 * NS
    audio_ssrc: int = 0x1111
    video_ssrc: int = 0x2222
    audio_rtp: int = 0xFFFF_0000
    video_rtp: int = 0x1234_5678
    seq: int = 65_500
    reports: bool = True

    def video(self, begin_s: float, seconds: float, wall_ns: int, mtu: int = 300) -> Iterator[Packet]:
        """Camera packets and reports, captured from begin_s on; arrival in ns since the start."""
        seq = self.seq
        for i, (data, _) in enumerate(vp8(self.colour, int(seconds * FPS))):
            captured = int((begin_s + i / FPS) * NS)
            at = captured + self.delay_ns
            stamp = self.video_rtp + round((begin_s + i / FPS) * 90_000)
            parts = [data[n : n + mtu] for n in range(0, len(data), mtu)]
            for n, part in enumerate(parts):
                descriptor = b"\x90\x80" + bytes((i & 0x7F,)) if n == 0 else b"\x80\x80" + bytes((i & 0x7F,))
                packet = rtp(96, seq, stamp, self.video_ssrc, descriptor + part, n == len(parts) - 1)
                yield Packet(at + n * 100_000, "camera", packet)
                seq += 1
            if self.reports and i % FPS == 5:
                yield self.report("camera", at, captured, self.video_ssrc, stamp, wall_ns)

    def audio(
        self, begin_s: float, seconds: float, wall_ns: int, first_report_s: float = 2.0
    ) -> Iterator[Packet]:
        """Microphone packets and reports; the first report comes late, as Chromium's does."""
        for i, payload in enumerate(opus(self.tone_hz, seconds)):
            captured = int((begin_s + i * 0.02) * NS)
            at = captured + self.delay_ns + 20_000_000
            stamp = self.audio_rtp + round((begin_s + i * 0.02) * 48_000)
            yield Packet(at, "audio", rtp(111, self.seq + i, stamp, self.audio_ssrc, payload))
            if self.reports and i * 0.02 >= first_report_s and i % 150 == 0:
                yield self.report("audio", at, captured + 20_000_000, self.audio_ssrc, stamp + 960, wall_ns)

    def report(self, kind: str, at: int, sent_ns: int, ssrc: int, stamp: int, wall_ns: int) -> Packet:
        """A sender report that says: my clock read so when this RTP time was sampled."""
        ntp = ntp64(wall_ns + sent_ns + self.clock_off_ns)
        return Packet(at, kind, b"", ntp, stamp & 0xFFFFFFFF, ssrc)


def in_order(*sources: Iterator[Packet]) -> list[Packet]:
    """All packets by arrival."""
    return sorted((p for source in sources for p in source), key=lambda p: p.at_ns)


def key() -> bytes:
    """A seat key."""
    return os.urandom(32)


def mean_colour(frame: av.VideoFrame) -> tuple[float, float, float]:
    """Mean (Y, U, V) of a decoded frame."""
    picture = frame.to_ndarray(format="yuv420p")
    h = frame.height
    chroma = picture[h:].reshape(2, -1)
    return float(picture[:h].mean()), float(chroma[0].mean()), float(chroma[1].mean())


def loudest_hz(samples: np.ndarray, rate: int = 48_000) -> float:
    """The strongest frequency of mono samples."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / rate)[int(spectrum.argmax())])
