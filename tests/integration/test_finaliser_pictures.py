"""Pictures that change in the middle of a track: their size, and how the phone is held."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from media.codecs import EXT_VIDEO_ORIENTATION
from media.rtp.packets import rotation
from tests.support.recorded import FPS, NS, Packet, Person, mean_colour
from tests.support.studio import Studio, track

ANNA = Person("seat-synthetic-0001")


def encoded(width: int, height: int, luma: int, count: int) -> Iterator[bytes]:
    """VP8 frames of one grey, the first a key frame."""
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = width, height, "yuv420p", Fraction(1, FPS)
    codec.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"}
    picture = np.full((height * 3 // 2, width), 128, np.uint8)
    picture[:height] = luma
    for i in range(count):
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = i, Fraction(1, FPS)
        yield from (bytes(packet) for packet in codec.encode(frame))
    yield from (bytes(packet) for packet in codec.encode(None))


def packets(frames: list[tuple[bytes, int]]) -> list[Packet]:
    """One packet a frame; `turn` in quarters goes as a one-byte header extension, 0 without any."""
    made = []
    for i, (data, turn) in enumerate(frames):
        head = struct.pack(">BBHII", 0x90 if turn else 0x80, 0x80 | 96, i, i * 90_000 // FPS, 7)
        if turn:
            head += struct.pack(">HHBBH", 0xBEDE, 1, EXT_VIDEO_ORIENTATION << 4, turn, 0)
        made.append(Packet(NS + i * NS // FPS, "camera", head + b"\x10" + data))
    return made


def test_a_picture_whose_size_changes_plays_on_and_the_index_says_from_when(tmp_path: Path) -> None:
    shapes = [(160, 120, 60), (320, 240, 120), (120, 160, 180)]
    frames = [(data, 0) for shape in shapes for data in encoded(*shape, 2 * FPS)]
    studio = Studio(tmp_path)
    studio.session({ANNA.peer: packets(frames)})
    row = track(studio.finalise(), ANNA.peer, "camera")
    assert (row["frames"], row["dropped_frames"], row["gaps"]) == (6 * FPS, 0, [])
    assert [[w, h] for _, w, h in row["sizes"]] == [[w, h] for w, h, _ in shapes]
    assert all(abs(at - 1000 - 2000 * n) < 30 for n, (at, *_) in enumerate(row["sizes"]))
    seen = [(f.width, f.height, round(mean_colour(f)[0])) for f in studio.open(row).decode(video=0)]
    assert len(seen) == 6 * FPS
    for n, (width, height, luma) in enumerate(shapes):
        for w, h, found in seen[2 * FPS * n : 2 * FPS * (n + 1)]:
            assert (w, h) == (width, height)
            assert abs(found - luma) < 6


def test_how_a_phone_is_held_is_in_the_index(tmp_path: Path) -> None:
    pictures = list(encoded(160, 120, 90, 4 * FPS))
    turns = [0] * FPS + [1] * FPS + [3] * FPS + [0] * FPS
    studio = Studio(tmp_path)
    studio.session({ANNA.peer: packets(list(zip(pictures, turns, strict=True)))})
    row = track(studio.finalise(), ANNA.peer, "camera")
    assert [degrees for _, degrees in row["rotations"]] == [90, 270, 0]
    assert all(abs(at - 2000 - 1000 * n) < 30 for n, (at, _) in enumerate(row["rotations"]))


def test_nonsense_in_a_header_extension_turns_nothing() -> None:
    head = struct.pack(">BBHII", 0x90, 96, 1, 1, 7)
    assert rotation(head + struct.pack(">HHBBH", 0xBEDE, 1, EXT_VIDEO_ORIENTATION << 4, 0xFE, 0)) == 180
    for rest in (b"", b"\xbe\xde", b"\xbe\xde\x00\x09\x70", struct.pack(">HHBBH", 0xBEDE, 1, 0x75, 1, 0)):
        assert rotation(head + rest) == 0
    assert rotation(struct.pack(">BBHII", 0x80, 96, 1, 1, 7)) == 0
