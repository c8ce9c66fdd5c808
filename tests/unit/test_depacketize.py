"""VP8 and Opus out of RTP: whole frames or none, and no exception for anything."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp.depacketize import (
    OPUS_SILENCE,
    Frame,
    Vp8Assembler,
    opus_duration_ms,
    payload_bounds,
    vp8_keyframe,
    vp8_size,
)
from tests.support.recorded import Person, opus, rtp, vp8

COLOUR = (100, 90, 200)


def packets(mtu: int = 200) -> list[bytes]:
    return [p.data for p in Person("p").video(0, 4, 0, mtu) if not p.ntp]


def assemble(items: list[tuple[int, bytes]]) -> tuple[list[Frame], Vp8Assembler]:
    assembler = Vp8Assembler()
    made = (assembler.feed(n, int.from_bytes(p[4:8], "big"), n, p) for n, p in items)
    return [frame for frame in made if frame], assembler


def test_frames_come_out_as_they_went_in() -> None:
    frames, assembler = assemble(list(enumerate(packets())))
    assert [f.data for f in frames] == [data for data, _ in vp8(COLOUR, 80)]
    assert [f.key for f in frames] == [key for _, key in vp8(COLOUR, 80)]
    assert frames[0].size == (160, 120)
    assert assembler.dropped == 0


def test_after_a_loss_nothing_until_the_next_key_frame() -> None:
    items = list(enumerate(packets(60)))
    lost = next(n for n, p in items if n > 10 and not vp8_keyframe(p))
    frames, assembler = assemble([item for item in items if item[0] != lost])
    whole = [data for data, _ in vp8(COLOUR, 80)]
    kept = [whole.index(f.data) if whole.count(f.data) == 1 else -1 for f in frames]
    after = [f for f in frames if f.lost_before]
    assert len(after) == 1
    assert after[0].key
    assert assembler.dropped >= 1
    assert len(kept) < 80


def test_it_begins_with_a_key_frame() -> None:
    items = list(enumerate(packets()))
    frames, assembler = assemble(items[1:])
    assert frames[0].key
    assert frames[0].data == vp8(COLOUR, 80)[40][0]
    assert assembler.dropped >= 1


def test_padding_probes_lose_nothing() -> None:
    items: list[tuple[int, bytes]] = []
    for packet in packets():
        items.append((len(items), packet))
        if packet[1] & 0x80:
            probe = bytearray(rtp(96, 0, int.from_bytes(packet[4:8], "big"), 1, bytes(9) + b"\x0a"))
            probe[0] |= 0x20
            items.append((len(items), bytes(probe)))
    frames, assembler = assemble(items)
    assert len(frames) == 80
    assert assembler.dropped == 0


@pytest.mark.parametrize(
    ("descriptor", "key"),
    [
        (b"\x10", True),
        (b"\x90\x80\x05", True),
        (b"\x90\x80\x85\x01", True),
        (b"\x90\xf0\x85\x01\x07\x20", True),
        (b"\x90\x20\x40", True),
        (b"\x00", False),
        (b"\x11", False),
        (b"\x90", False),
        (b"\x90\x80", False),
    ],
)
def test_every_form_of_the_descriptor_is_read(descriptor: bytes, key: bool) -> None:
    frame = vp8(COLOUR, 1)[0][0] if key else b""
    assert vp8_keyframe(rtp(96, 1, 1, 1, descriptor + frame)) is key


def test_sizes_are_read_from_key_frames_only() -> None:
    frames = vp8(COLOUR, 3)
    assert vp8_size(frames[0][0]) == (160, 120)
    assert vp8_size(frames[1][0]) is None


@pytest.mark.parametrize(
    ("payload", "ms"),
    [
        (OPUS_SILENCE, 20),
        (b"\xf8", 20),
        (b"\x00", 10),
        (b"\x18", 60),
        (b"\x60", 10),
        (b"\xe0", 2.5),
        (b"\xf9", 40),
        (b"\xfb\x03", 60),
        (b"\xfb\x3f", 0),
        (b"\xfb", 0),
        (b"", 0),
    ],
)
def test_opus_tells_its_length(payload: bytes, ms: float) -> None:
    assert opus_duration_ms(payload) == ms


def test_real_opus_is_twenty_milliseconds() -> None:
    assert {opus_duration_ms(p) for p in opus(440, 1.0)} == {20.0}


@given(st.binary(max_size=100))
def test_no_bytes_raise(data: bytes) -> None:
    payload_bounds(data)
    vp8_keyframe(data)
    vp8_size(data)
    opus_duration_ms(data)
    assembler = Vp8Assembler()
    for seq in range(3):
        assembler.feed(seq, 0, 0, data)


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_damaged_streams_give_frames_or_nothing(seed: int, count: int) -> None:
    chance = random.Random(seed)
    items = [(n, bytearray(p)) for n, p in enumerate(packets()[:120])]
    for _ in range(count):
        n = chance.randrange(len(items))
        data = items[n][1]
        if data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            if chance.random() < 0.2:
                del data[chance.randrange(len(data)) :]
    assembler = Vp8Assembler()
    for n, packet in items:
        if len(packet) >= 12:
            assembler.feed(n, int.from_bytes(packet[4:8], "big"), n, bytes(packet))
