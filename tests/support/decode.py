"""Unseals and decodes everything a recording consists of: whose colours and tones are in it, seat by seat.

The positive control and the absence check are one and the same code. It depacketises by itself, from RFC 7741
and RFC 7587, so that an error of the product's own depacketiser is not confirmed by it.
"""

from __future__ import annotations

import io
import json
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np

from media.recordstore import layout
from media.recordstore.reader import SegmentReader, walk
from media.recordstore.sealed import SealedError, SealedReader, final_key
from server.runtime.keystore import KeyStore
from tests.support.analysis import colour_of, present_tones, tone_levels

RATE = 48_000
VP8, OPUS = 96, 111


@dataclass
class Content:
    """What was found in one place: colours by number of pictures, tones, and the raw amount."""

    colours: Counter[str] = field(default_factory=Counter)
    tones: set[str] = field(default_factory=set)
    packets: int = 0
    pictures: int = 0
    seconds: float = 0.0

    def add(self, other: Content) -> None:
        self.colours += other.colours
        self.tones |= other.tones
        self.packets += other.packets
        self.pictures += other.pictures
        self.seconds += other.seconds

    def names(self) -> set[str]:
        """Every voice that can be seen or heard here."""
        return set(self.colours) | self.tones


def look_at(frame: av.VideoFrame, content: Content) -> None:
    """Counts a picture's centre colour."""
    pixels = frame.to_ndarray(format="rgb24")
    height, width = pixels.shape[:2]
    middle = pixels[height // 2 - 16 : height // 2 + 16, width // 2 - 16 : width // 2 + 16]
    content.pictures += 1
    if (voice := colour_of(middle.reshape(-1, 3).mean(axis=0))) is not None:
        content.colours[voice.name] += 1


def listen_to(frames: Iterable[av.AudioFrame], content: Content) -> None:
    """Adds the tones of decoded sound."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    parts = [part.to_ndarray().reshape(-1) for frame in frames for part in resampler.resample(frame)]
    if parts:
        samples = np.concatenate(parts).astype(np.float64) / 32768
        content.seconds += len(samples) / RATE
        content.tones |= present_tones(tone_levels(samples, RATE))


# Segments


def segment_packets(path: Path, key: bytes) -> Iterator[tuple[str, bytes]]:
    """(kind, RTP packet) of every entry of a journal file, in file order; raises when the file is damaged."""
    kinds: dict[int, str] = {}
    with SegmentReader(path, key) as reader:
        for seal in reader.seals():
            for kind, _, start, end in walk(seal, reader.report):
                assert seal.plain is not None
                body = seal.plain[start:end]
                if kind == layout.TRACK:
                    track = layout.parse_track(body)
                    kinds[track.number] = track.kind
                elif kind == layout.RTP:
                    yield kinds.get(struct.unpack_from(">H", body)[0], "?"), body[2:]
        assert not reader.report.damaged, (path, reader.report.faults)


def decode_segment(path: Path, key: bytes) -> Content:
    """All streams of one journal file, decoded."""
    streams: dict[tuple[str, int], dict[int, bytes]] = defaultdict(dict)
    extended: dict[tuple[str, int], int] = {}
    content = Content()
    for kind, packet in segment_packets(path, key):
        content.packets += 1
        seq, ssrc = struct.unpack_from("!H", packet, 2)[0], struct.unpack_from("!I", packet, 8)[0]
        last = extended.get((kind, ssrc), seq)
        number = last + ((seq - last + 0x8000) & 0xFFFF) - 0x8000
        extended[kind, ssrc] = max(last, number)
        streams[kind, ssrc].setdefault(number, packet)
    for (kind, _), packets in streams.items():
        ordered = [packets[number] for number in sorted(packets)]
        if kind == "audio":
            listen_to(_opus(ordered), content)
        else:
            for frame in _vp8(ordered):
                look_at(frame, content)
    return content


def _payload(packet: bytes) -> bytes:
    at = 12 + 4 * (packet[0] & 15)
    if packet[0] & 0x10:
        at += 4 + 4 * struct.unpack_from("!H", packet, at + 2)[0]
    return packet[at : len(packet) - (packet[-1] if packet[0] & 0x20 else 0)]


def _opus(packets: list[bytes]) -> Iterator[av.AudioFrame]:
    decoder = av.CodecContext.create("libopus", "r")
    for packet in packets:
        if payload := _payload(packet):
            try:
                yield from decoder.decode(av.Packet(payload))  # type: ignore[misc]
            except av.error.InvalidDataError:
                continue


def _vp8(packets: list[bytes]) -> Iterator[av.VideoFrame]:
    decoder = av.CodecContext.create("vp8", "r")
    frames: dict[int, bytes] = {}
    for packet in packets:
        payload = _payload(packet)
        if payload:
            stamp = struct.unpack_from("!I", packet, 4)[0]
            frames[stamp] = frames.get(stamp, b"") + _vp8_body(payload)
    started = False
    for frame in frames.values():
        started = started or not frame[0] & 1  # nothing can be decoded before a key frame
        if not started:
            continue
        try:
            yield from decoder.decode(av.Packet(frame))  # type: ignore[misc]
        except av.error.InvalidDataError:
            continue


def _vp8_body(payload: bytes) -> bytes:
    """A VP8 payload without its descriptor (RFC 7741, 4.2)."""
    at = 1
    if payload[0] & 0x80:
        flags, at = payload[1], 2
        if flags & 0x80:
            at += 2 if payload[at] & 0x80 else 1
        at += bool(flags & 0x40) + bool(flags & 0x30)
    return payload[at:]


def recordings(data: Path) -> list[str]:
    """Ids of all recordings that have a journal or finished tracks."""
    found = {p.name for p in (data / "journal").glob("*") if p.is_dir()}
    return sorted(found | {p.name for p in (data / "objects" / "recordings").glob("*") if p.is_dir()})


def keys_of(data: Path, recording: str) -> dict[str, bytes]:
    return KeyStore.open(data, create=False).keys(recording)


def grants_of(data: Path, recording: str, seat: str) -> list[tuple[str, str | None]]:
    """Of each segment of a seat, in order: under which grant it was written, and why it ended."""
    key = keys_of(data, recording)[seat]
    found = []
    for epoch in layout.epochs_of(data / "journal", recording):
        for path in layout.segments_of(data / "journal", recording, epoch):
            if path.name.startswith(seat):
                with SegmentReader(path, key) as reader:
                    list(reader.seals())
                    assert reader.report.header is not None
                    found.append((reader.report.header.grant, reader.report.reason))
    return found


def decode_segments(data: Path, recording: str, destroyed: str = "") -> dict[str, Content]:
    """Contents by seat id over all epochs; every segment must open, but those of a seat `destroyed`."""
    keys = keys_of(data, recording)
    assert destroyed not in keys
    found: dict[str, Content] = defaultdict(Content)
    for epoch in layout.epochs_of(data / "journal", recording):
        for path in layout.segments_of(data / "journal", recording, epoch):
            named = layout.parse_segment_name(path.name)
            assert named is not None, path
            if named[0] == layout.ROOM:
                assert not list(segment_packets(path, keys[layout.ROOM])), "media in the room's file"
                continue
            if named[0] == destroyed:
                continue
            found[named[0]].add(decode_segment(path, keys[named[0]]))
    return dict(found)


# Finished tracks


def generation_folder(data: Path, recording: str) -> Path:
    """The newest generation's directory."""
    base = data / "objects" / "recordings" / recording
    found = sorted(base.glob("g*"), key=lambda path: int(path.name[1:]))
    assert found, f"no finished generation below {base}"
    return found[-1]


def unseal(path: Path, key: bytes, recording: str, generation: int) -> bytes:
    """The plaintext of a `.sealed` file; raises SealedError when the key is another's."""
    name = path.name.split(".")[0]
    secret, associated = final_key(key, recording, generation, name)
    with SealedReader(path, secret, associated) as reader:
        return b"".join(reader.chunks())


def decode_file(plain: bytes) -> Content:
    """Every stream of a finished file, decoded."""
    content = Content()
    with av.open(io.BytesIO(plain)) as box:
        for stream in box.streams.video:
            box.seek(0)
            for frame in box.decode(stream):
                look_at(frame, content)
        for sound in box.streams.audio:
            box.seek(0)
            listen_to(box.decode(sound), content)
    return content


def finished(data: Path, recording: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """(index, plaintext by file name without `.sealed`) of the newest generation, every file opened."""
    folder = generation_folder(data, recording)
    generation = int(folder.name[1:])
    keys = keys_of(data, recording)
    plain: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*.sealed")):
        plain[path.name.removesuffix(".sealed")] = _try_keys(path, keys, recording, generation)
    return json.loads(plain.pop("index.json")), plain


def _try_keys(path: Path, keys: dict[str, bytes], recording: str, generation: int) -> bytes:
    for key in keys.values():
        try:
            return unseal(path, key, recording, generation)
        except SealedError:
            continue
    raise AssertionError(f"{path.name} opens under no key of its recording")


def decode_finished(data: Path, recording: str) -> dict[str, Content]:
    """Contents by finished file name."""
    _, plain = finished(data, recording)
    return {name: decode_file(content) for name, content in plain.items()}
