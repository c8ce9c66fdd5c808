"""Writes one finished track: frames or packets in, one sealed seekable WebM out, nothing decoded.

Plain bytes never leave memory: the container's front, which is patched last, is held by the SealedWriter and
everything behind it is sealed as it comes. Must not decide on time; it is given session nanoseconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av

from .clock import MS, NS
from .codecs import OPUS_CLOCK_HZ, OPUS_PT
from .recordstore.disk import DISK, Disk
from .recordstore.gaps import HOLE_MS
from .recordstore.sealed import FIRST, OTHER, SealedReader, SealedWriter
from .rtp.depacketize import (
    OPUS_SILENCE,
    Frame,
    Vp8Assembler,
    opus_duration_ms,
    payload_bounds,
)
from .rtp.packets import rotation
from .rtp.red import unpack

CUE_BYTES = 40
"""More than one cue point takes."""
FRONT_BYTES = 4096
AUDIO_SLACK_MS = 15.0
"""Sound is put on an unbroken grid of frames; it is moved by one when it is off by more than this."""
SILENCE_MS = 20.0
CLUSTER_MS = 5000


@dataclass(slots=True)
class TrackFile:
    """What was written. Times in session ms; `key_frames` and spans are session ms too.

    `sizes`: [from ms, width, height], one for each change; `width` and `height` are the first.
    `rotations`: [from ms, degrees], by how much pictures must be turned clockwise to stand upright.
    """

    offset_ms: int = 0
    duration_ms: int = 0
    packets: int = 0
    frames: int = 0
    dropped_frames: int = 0
    recovered: int = 0
    width: int = 0
    height: int = 0
    sizes: list[list[int]] = field(default_factory=list)
    rotations: list[list[int]] = field(default_factory=list)
    key_frames: list[int] = field(default_factory=list)
    present: list[list[int]] = field(default_factory=list)
    plain_bytes: int = 0
    sha256: str = ""

    def turned(self, at_ms: int, degrees: int) -> None:
        """Pictures from `at_ms` on are to be turned so far; a track that was never turned has no row."""
        if degrees != (self.rotations[-1][1] if self.rotations else 0):
            self.rotations.append([at_ms, degrees])

    def seen(self, from_ms: int, to_ms: int, hole_ms: int) -> None:
        """Something was there from..to: widen the last span of presence or begin another."""
        if self.present and from_ms - self.present[-1][1] <= hole_ms:
            self.present[-1][1] = max(self.present[-1][1], to_ms)
        else:
            self.present.append([from_ms, to_ms])


class Timed(NamedTuple):
    """A packet on the session's clock. `source` changes when another stream or run begins."""

    at_ns: int
    source: int
    seq: int
    rtp: int
    arrived_ns: int
    packet: bytes


def write_video(
    path: Path,
    key: bytes,
    associated: bytes,
    kind: str,
    packets: Iterator[Timed],
    cues: int,
    disk: Disk = DISK,
) -> TrackFile:
    """VP8 into WebM. `cues`: at most how many key frames will come. No frame at all: nothing is written."""
    result = TrackFile()
    frames = _frames(packets, result)
    first = next(frames, None)
    if first is None:
        return result
    frame = first[1]
    result.width, result.height = frame.size or (0, 0)
    result.offset_ms = round(first[0] / MS)
    with _Mux(path, key, associated, cues, disk) as mux:
        stream = mux.container.add_mux_stream("vp8", width=result.width, height=result.height)
        _video_body(mux, stream, first, frames, result, HOLE_MS.get(kind, 1500))
        mux.finish(result)
    return result


def _video_body(
    mux: _Mux,
    stream: Any,
    first: tuple[int, Frame],
    frames: Iterator[tuple[int, Frame]],
    result: TrackFile,
    hole: int,
) -> None:
    """Each frame lasts until the next; so one is always held back."""
    held: tuple[int, Frame] | None = None
    usual = 33
    for at_ns, frame in _chain(first, frames):
        at = round(at_ns / MS)
        if held is None:
            held = (at, frame)
            continue
        at = max(at, held[0] + 1)
        lasted = at - held[0]
        usual = min(lasted, 100) if lasted < hole else usual
        _put_frame(mux, stream, held, lasted, min(lasted, usual if lasted > hole else lasted), result, hole)
        held = (at, frame)
    if held is not None:
        _put_frame(mux, stream, held, usual, usual, result, hole)
        result.duration_ms = held[0] + usual - result.offset_ms


def _put_frame(
    mux: _Mux, stream: Any, held: tuple[int, Frame], lasted: int, shown: int, result: TrackFile, hole: int
) -> None:
    at, frame = held
    mux.put(stream, frame.data, at - result.offset_ms, lasted, Fraction(1, 1000), frame.key)
    result.frames += 1
    if frame.key:
        result.key_frames.append(at)
        if frame.size and (not result.sizes or (*result.sizes[-1][1:],) != frame.size):
            result.sizes.append([at, *frame.size])
    result.seen(at, at + shown, hole)


def _chain(first: tuple[int, Frame], rest: Iterator[tuple[int, Frame]]) -> Iterator[tuple[int, Frame]]:
    yield first
    yield from rest


def _frames(packets: Iterator[Timed], result: TrackFile) -> Iterator[tuple[int, Frame]]:
    """Whole frames with their session times, never going back."""
    assembler = Vp8Assembler()
    source, last = -1, -(1 << 62)
    for item in packets:
        result.packets += 1
        if item.source != source:
            assembler.reset()
            source = item.source
        frame = assembler.feed(item.seq, item.rtp, item.arrived_ns, item.packet)
        if frame is not None and item.at_ns > last:
            last = item.at_ns
            result.turned(round(last / MS), rotation(item.packet))
            yield last, frame
    assembler.reset()
    result.dropped_frames = assembler.dropped


def write_audio(
    path: Path,
    key: bytes,
    associated: bytes,
    packets: Iterator[Timed],
    cues: int,
    disk: Disk = DISK,
    red: int = -1,
) -> TrackFile:
    """Opus into WebM on an unbroken grid: what is missing is silence, so that players that count samples
    hold time. `red`: the payload type of redundant packets.
    """
    result = TrackFile()
    items = _sounds(packets, result, red)
    first = next(items, None)
    if first is None:
        return result
    result.offset_ms = round(first[0] / MS)
    with _Mux(path, key, associated, cues, disk) as mux:
        stream = mux.container.add_stream("libopus", rate=48_000)
        stream.layout = "stereo"
        cursor = 0.0  # ms since the offset, always a sum of whole frames
        hole = HOLE_MS["audio"]
        held: tuple[int, bytes, float] | None = first
        while held is not None:
            at_ns, payload, length = held
            due = at_ns / MS - result.offset_ms
            while due - cursor > AUDIO_SLACK_MS:
                mux.put(stream, OPUS_SILENCE, round(cursor * 48), round(SILENCE_MS * 48), _AUDIO_TIME, True)
                cursor += SILENCE_MS
            if due - cursor >= -AUDIO_SLACK_MS:
                mux.put(stream, payload, round(cursor * 48), round(length * 48), _AUDIO_TIME, True)
                result.frames += 1
                result.seen(result.offset_ms + int(cursor), result.offset_ms + int(cursor + length), hole)
                cursor += length
            else:
                result.dropped_frames += 1
            held = next(items, None)
        result.duration_ms = int(cursor)
        mux.finish(result)
    return result


_AUDIO_TIME = Fraction(1, 48_000)


def _sounds(packets: Iterator[Timed], result: TrackFile, red: int) -> Iterator[tuple[int, bytes, float]]:
    """(session ns, Opus packet, its ms); what was lost is taken from the redundancy of what came after it."""
    previous: Timed | None = None
    for item in packets:
        result.packets += 1
        bounds = payload_bounds(item.packet)
        if bounds is None or bounds[0] == bounds[1]:
            continue
        payload = item.packet[bounds[0] : bounds[1]]
        found = [(0, payload)]
        if item.packet[1] & 0x7F == red:
            found = [(b.behind, b.data) for b in unpack(payload) or () if b.payload_type == OPUS_PT]
        lost, last = 0, item.rtp - 1
        if previous is not None and previous.source == item.source:
            lost, last = item.seq - previous.seq - 1, previous.rtp
        for behind, data in found:
            length = opus_duration_ms(data)
            if length <= 0 or (behind and not (lost > 0 and item.rtp - behind > last)):
                continue
            if behind:
                lost, last = lost - 1, item.rtp - behind
                result.recovered += 1
            yield item.at_ns - behind * NS // OPUS_CLOCK_HZ, data, length
        previous = item


class _Mux:
    """A WebM going into a SealedWriter: bit-exact, cues in the space reserved at the front."""

    def __init__(self, path: Path, key: bytes, associated: bytes, cues: int, disk: Disk) -> None:
        reserve = FRONT_BYTES + CUE_BYTES * cues
        front = reserve + FRONT_BYTES
        hold = 1 + (1 if front > FIRST else 0) + max(0, front - FIRST) // OTHER
        self._path, self._key, self._associated = path, key, associated
        self._writer = SealedWriter(path, key, associated, hold=hold, disk=disk)
        try:
            self.container: Any = av.open(
                self._writer,
                "w",
                format="webm",
                options={
                    "fflags": "+bitexact",
                    "reserve_index_space": str(reserve),
                    "cluster_time_limit": str(CLUSTER_MS),
                },
            )
        except BaseException:
            self._writer.__exit__(None, None, None)
            raise

    def __enter__(self) -> _Mux:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.container.close()
        finally:
            self._writer.__exit__(None, None, None)

    def put(self, stream: Any, data: bytes, pts: int, duration: int, time_base: Fraction, key: bool) -> None:
        """One packet, times in `time_base`."""
        packet = av.Packet(data)
        packet.stream = stream
        packet.time_base = time_base
        packet.pts = packet.dts = pts
        packet.duration = duration
        packet.is_keyframe = key
        self.container.mux(packet)

    def finish(self, result: TrackFile) -> None:
        """Patch and seal the front, publish the file, and read it back for its hash."""
        self.container.close()
        self._writer.commit()
        digest = hashlib.sha256()
        with SealedReader(self._path, self._key, self._associated) as reader:
            for chunk in reader.chunks():
                digest.update(chunk)
            result.plain_bytes = reader.size
        result.sha256 = digest.hexdigest()
