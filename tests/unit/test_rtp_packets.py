"""RTP bytes: header extensions, numbers, key frames, retransmission payloads, the cache."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.rtp import rtx
from media.rtp.cache import PacketCache
from media.rtp.keyframes import vp8_frame_start, vp8_key_frame
from media.rtp.packets import (
    find_extension,
    find_text_extension,
    payload_end,
    payload_offset,
    put_send_time,
    read_header,
    scan,
)
from media.rtp.sequence import REJECTED, ReceptionStats, SequenceUnwrapper

HOSTILE = st.binary(min_size=12, max_size=200)


def packet(
    *elements: tuple[int, bytes], payload: bytes = b"payload", two_byte: bool = False, first: int = 0x80
) -> bytes:
    head = struct.pack("!BBHII", first | (0x10 if elements else 0), 0x80 | 96, 7, 8, 9)
    if not elements:
        return head + payload
    body = b""
    for element, data in elements:
        body += bytes([element, len(data)] if two_byte else [element << 4 | len(data) - 1]) + data
    body += bytes(-len(body) % 4)
    return head + struct.pack("!HH", 0x1000 if two_byte else 0xBEDE, len(body) // 4) + body + payload


@settings(deadline=None)
@given(HOSTILE)
def test_no_packet_makes_a_reader_raise(data: bytes) -> None:
    clean, transport, payload = scan(data)
    assert len(clean) == len(data)
    assert clean[:12] == data[:12]
    assert -1 <= transport < 0x10000
    assert 12 <= payload <= len(data)
    assert clean[payload:] == data[payload:]
    assert 12 <= payload_offset(data) <= len(data)
    assert payload <= payload_end(data, payload) <= len(data)
    find_extension(data, 4)
    find_text_extension(data, 4)
    vp8_key_frame(data, payload, len(data))
    original = rtx.original_sequence(data, payload)
    if original >= 0:
        assert len(rtx.unwrap(data, payload, 96, 1)) == len(data) - 2


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 14), st.binary(min_size=1, max_size=16)), min_size=1, max_size=6),
    st.booleans(),
)
def test_what_belongs_to_one_hop_is_zeroed_and_the_rest_stays(
    elements: list[tuple[int, bytes]], two_byte: bool
) -> None:
    data = packet(*elements, two_byte=two_byte)
    clean, _, payload = scan(data)
    assert clean[payload:] == b"payload"
    for element, value in elements:
        if element in (3, 4, 5, 6):
            assert find_extension(clean, element) is None
        else:
            first = next(data for name, data in elements if name == element)
            assert find_extension(clean, element) == first, value


def test_the_transport_wide_number_is_read_and_zeroed() -> None:
    clean, transport, _ = scan(packet((1, b"\x9f"), (3, b"\x12\x34"), (4, b"1")))
    assert transport == 0x1234
    assert find_extension(clean, 3) is None
    assert find_extension(clean, 1) == b"\x9f"


def test_a_blanked_packet_has_neither_mid_nor_rid() -> None:
    clean, _, _ = scan(packet((4, b"1"), (5, b"hi"), (6, b"lo")))
    assert all(find_extension(clean, element) is None for element in (4, 5, 6))


def test_an_element_past_the_end_takes_nothing_of_the_payload() -> None:
    body = bytes([4 << 4 | 15, 65, 66, 67])
    data = struct.pack("!BBHII", 0x90, 96, 1, 2, 3) + struct.pack("!HH", 0xBEDE, 1) + body + b"media"
    clean, _, payload = scan(data)
    assert clean[16:20] == bytes(4)
    assert clean[payload:] == b"media"


def seconds(element: bytes | None) -> float:
    assert element is not None
    return int.from_bytes(element, "big") / (1 << 18)


@pytest.mark.parametrize(
    "elements",
    [
        [(3, b"\x12\x34")],  # nearly every video packet of a browser
        [(3, b"\x12\x34"), (7, b"\x00")],
        [(7, b"\x00"), (3, b"\x12\x34"), (4, b"1")],
        [(2, b"\x01\x02\x03"), (3, b"\x12\x34")],
    ],
)
def test_the_time_of_sending_takes_the_place_of_what_was_zeroed(elements: list[tuple[int, bytes]]) -> None:
    data = packet(*elements)
    clean, transport, payload = scan(data, 70_250_000_000)
    assert transport == 0x1234
    assert len(clean) == len(data)
    assert clean[payload:] == b"payload"
    assert seconds(find_extension(clean, 2)) == pytest.approx(6.25, abs=1e-5)
    assert find_extension(clean, 7) == dict(elements).get(7)
    assert find_extension(clean, 3) is None
    again = bytearray(clean)
    put_send_time(again, 71_500_000_000)
    assert seconds(find_extension(bytes(again), 2)) == pytest.approx(7.5, abs=1e-5)
    assert again[20:] == clean[20:]


def test_without_room_or_extensions_no_time_of_sending_is_written() -> None:
    for data in (packet(), packet((7, b"\x00")), packet((3, b"\x12\x34"), two_byte=True)):
        clean, _, _ = scan(data, 70_250_000_000)
        assert find_extension(clean, 2) is None
        untouched = bytearray(clean)
        put_send_time(untouched, 71_500_000_000)
        assert untouched == clean


@settings(deadline=None)
@given(HOSTILE, st.integers(1, 1 << 60))
def test_no_packet_makes_the_writer_of_the_time_raise(data: bytes, at_ns: int) -> None:
    clean, transport, payload = scan(data, at_ns)
    plain = scan(data)
    assert (transport, payload) == plain[1:]
    assert len(clean) == len(data)
    assert clean[:12] == data[:12]
    assert clean[payload:] == data[payload:]
    buffer = bytearray(clean)
    put_send_time(buffer, at_ns + 1)
    assert len(buffer) == len(data)
    assert buffer[:12] == data[:12]
    assert buffer[payload:] == data[payload:]


def test_a_packet_without_extensions_is_not_copied() -> None:
    data = packet()
    assert scan(data)[0] is data


def test_header_fields_are_read_in_their_places() -> None:
    assert read_header(packet()) == (0x80 | 96, 7, 8, 9)


@settings(deadline=None)
@given(st.integers(0, 0xFFFF), st.lists(st.integers(1, 2000), max_size=200))
def test_numbers_grow_over_wraps(start: int, steps: list[int]) -> None:
    unwrapper = SequenceUnwrapper()
    number = unwrapper.take(start)
    for step in steps:
        after = unwrapper.take((number + step) & 0xFFFF)
        assert after == number + step
        number = after


@settings(deadline=None)
@given(st.lists(st.integers(0, 0xFFFF), max_size=300))
def test_the_highest_number_never_falls(sequences: list[int]) -> None:
    unwrapper = SequenceUnwrapper()
    highest = -1
    for sequence in sequences:
        number = unwrapper.take(sequence)
        assert number == REJECTED or number & 0xFFFF == sequence
        assert unwrapper.highest >= highest
        highest = unwrapper.highest


def test_a_late_packet_keeps_its_place() -> None:
    unwrapper = SequenceUnwrapper()
    first = unwrapper.take(65_535)
    assert unwrapper.take(3) == first + 4
    assert unwrapper.take(1) == first + 2
    assert unwrapper.take(65_534) == first - 1


def test_a_restarted_stream_is_believed_at_its_second_packet() -> None:
    unwrapper = SequenceUnwrapper()
    before = unwrapper.take(100)
    assert unwrapper.take(30_000) == REJECTED
    assert unwrapper.take(30_001) > before
    assert unwrapper.restarts == 1
    assert unwrapper.take(30_002) == unwrapper.highest


def test_loss_is_told_per_interval_in_256ths() -> None:
    stats = ReceptionStats(48_000)
    for sequence in range(75):
        stats.arrived(sequence * 960, sequence * 20_000_000)
    assert stats.interval(1000, 1099) == 64
    assert stats.lost == 25
    assert stats.interval(1000, 1099) == 0


def test_jitter_is_nil_for_a_steady_stream_and_grows_with_an_unsteady_one() -> None:
    steady, unsteady = ReceptionStats(48_000), ReceptionStats(48_000)
    for index in range(200):
        steady.arrived(index * 960, index * 20_000_000)
        unsteady.arrived(index * 960, index * 20_000_000 + index % 2 * 10_000_000)
    assert steady.jitter < 1
    assert 300 < unsteady.jitter < 600


def test_key_frames_are_told_by_the_descriptor_of_rfc_7741() -> None:
    def key(payload: bytes) -> bool:
        return vp8_key_frame(payload, 0, len(payload))

    assert key(b"\x10\x00")
    assert not key(b"\x10\x01")
    assert not key(b"\x00\x00")
    assert not key(b"\x11\x00")
    assert key(b"\x90\x80\x05\x00")
    assert key(b"\x90\x80\x85\x05\x00")
    assert key(b"\x90\xf0\x85\x05\x01\x20\x00")
    assert not key(b"\x90\xf0\x85\x05\x01\x20\x01")
    assert not key(b"\x90\xf0\x85")
    assert vp8_frame_start(b"\x10\x01", 0, 2)
    assert not vp8_frame_start(b"\x10", 1, 1)


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_no_descriptor_is_read_past_its_end(payload: bytes) -> None:
    for end in range(len(payload) + 1):
        vp8_key_frame(payload, 0, end)


@settings(deadline=None)
@given(st.binary(min_size=0, max_size=1200), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.booleans())
def test_what_is_wrapped_for_retransmission_unwraps_to_itself(
    payload: bytes, sequence: int, original: int, extended: bool
) -> None:
    data = packet((1, b"\x05"), payload=payload) if extended else packet(payload=payload)
    offset = payload_offset(data)
    buffer, length = rtx.wrap(data, offset, 97, 77, sequence, 8, original)
    assert len(buffer) - length == rtx.ROOM
    wrapped = bytes(buffer[:length])
    assert read_header(wrapped) == (0x80 | 97, sequence, 8, 77)
    assert payload_offset(wrapped) == offset
    assert rtx.original_sequence(wrapped, offset) == original
    again = rtx.unwrap(wrapped, offset, 96, 9)
    assert read_header(again) == (0x80 | 96, original, 8, 9)
    assert again[12:] == data[12:]


def test_a_padding_probe_carries_no_packet() -> None:
    probe = struct.pack("!BBHII", 0xA0, 97, 1, 2, 3) + bytes(9) + b"\x0a"
    assert rtx.original_sequence(probe, 12) == -1


@settings(deadline=None)
@given(st.integers(1, 32), st.lists(st.integers(0, 200), max_size=100))
def test_the_cache_gives_what_was_put_or_nothing(size: int, numbers: list[int]) -> None:
    cache = PacketCache(size)
    for number in numbers:
        cache.put(number, str(number).encode())
    for number in range(201):
        found = cache.get(number)
        assert found is None or found == str(number).encode()
    for index, number in enumerate(numbers):
        if not any(later % size == number % size for later in numbers[index + 1 :]):
            assert cache.get(number) is not None
    cache.clear()
    assert all(cache.get(number) is None for number in numbers)
