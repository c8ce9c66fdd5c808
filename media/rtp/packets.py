"""RTP packets as bytes: fixed-offset reads, the header-extension walk (RFC 8285) and blanking what belongs
to one hop.

No packet objects on the hot path. Nothing here raises on any input of at least 12 bytes: what lies past
the end is
treated as absent.
"""

from __future__ import annotations

from struct import Struct

from media.codecs import (
    BLANKED_WHEN_FORWARDED,
    EXT_ABS_SEND_TIME,
    EXT_PLAYOUT_DELAY,
    EXT_TRANSPORT_CC,
    EXT_VIDEO_ORIENTATION,
)

HEADER_LENGTH = 12

_FIXED = Struct("!xBHII")
_TWO_SHORTS = Struct("!HH")
_ONE_BYTE_PROFILE = 0xBEDE
_TWO_BYTE_PROFILE = 0x1000
_WORD = Struct("!I")
_SEND_TIME_BYTES = 4
_SEND_TIME_HEAD = (EXT_ABS_SEND_TIME << 4 | 2) << 24
_ONLY_TRANSPORT_CC = bytes((0xBE, 0xDE, 0, 1, EXT_TRANSPORT_CC << 4 | 1))
"""The extension of nearly every video packet of a browser: transport-cc and a byte of padding."""
_LONGEST_DELAY = 0xFFF
_ZEROS = tuple(bytes(length) for length in range(32))


def read_header(packet: bytes) -> tuple[int, int, int, int]:
    """(marker bit and payload type, sequence, timestamp, ssrc); the first is `marker << 7 | pt` (RFC 3550
    5.1)."""
    fields: tuple[int, int, int, int] = _FIXED.unpack_from(packet)
    return fields


def send_time(at_ns: int) -> bytes:
    """An abs-send-time element for an instant in ns: its head and 24 bits of 6.18 fixed-point seconds."""
    return _WORD.pack(_SEND_TIME_HEAD | (at_ns << 18) // 1_000_000_000 & 0xFFFFFF)


def scan(packet: bytes, at_ns: int = 0) -> tuple[bytes, int, int]:
    """One walk over a packet before it is forwarded.

    Returns the packet with the hop's own extensions (MID, RID, transport-cc) zeroed, its transport-wide
    sequence
    number or -1, and the offset of its payload (which may equal the length). Zero bytes are padding
    elements in
    RFC 8285, so lengths stay as they were. From a malformed element on the rest of the extension is zeroed.

    With `at_ns` (CLOCK_BOOTTIME) the next hop's abs-send-time takes the place of what was zeroed, where there
    is room for it: a browser's transport-cc and its padding are just as long. For video only: an audio packet
    may be sent twice and must then be the same. Receivers estimate their downlink (REMB) from it.
    """
    first = packet[0]
    if at_ns and first == 0x90 and packet[12:17] == _ONLY_TRANSPORT_CC and packet[19:20] == b"\0":
        clean = b"".join((packet[:16], send_time(at_ns), packet[20:]))
        return clean, packet[17] << 8 | packet[18], 20
    at = HEADER_LENGTH + 4 * (first & 0x0F)
    if not first & 0x10:
        return packet, -1, at if at < len(packet) else len(packet)
    size = len(packet)
    if at + 4 > size:
        return packet, -1, size
    profile, words = _TWO_SHORTS.unpack_from(packet, at)
    at += 4
    end = at + 4 * words
    if end > size:
        return packet, -1, size
    if profile != _ONE_BYTE_PROFILE:
        return _scan_two_byte(packet, at, end) if profile & 0xFFF0 == _TWO_BYTE_PROFILE else (packet, -1, end)
    return _scan_one_byte(packet, at, end, at_ns)


def _scan_one_byte(packet: bytes, at: int, end: int, at_ns: int) -> tuple[bytes, int, int]:
    twcc = -1
    start = at
    kept: list[bytes] = []
    clean: bytearray | None = None
    while at < end:
        head = packet[at]
        if head == 0:
            at += 1
            continue
        after = at + 2 + (head & 0x0F)
        if after > end or head >= 0xF0:
            clean = clean or bytearray(packet)
            clean[at:end] = bytes(end - at)
            break
        element = head >> 4
        if element in BLANKED_WHEN_FORWARDED:
            if element == EXT_TRANSPORT_CC and after - at == 3:
                twcc = packet[at + 1] << 8 | packet[at + 2]
            clean = clean or bytearray(packet)
            clean[at:after] = _ZEROS[after - at]
        elif element != EXT_ABS_SEND_TIME or not at_ns:
            kept.append(packet[at:after])
        at = after
    if at_ns and sum(map(len, kept)) + _SEND_TIME_BYTES <= end - start:
        clean = clean or bytearray(packet)
        clean[start:end] = b"".join((send_time(at_ns), *kept)).ljust(end - start, b"\0")
    return (packet if clean is None else bytes(clean)), twcc, end


def _scan_two_byte(packet: bytes, at: int, end: int) -> tuple[bytes, int, int]:
    twcc = -1
    clean = bytearray(packet)
    while at < end:
        element = packet[at]
        if element == 0:
            at += 1
            continue
        after = at + 2 + packet[at + 1] if at + 1 < end else end + 1
        if after > end:
            clean[at:end] = bytes(end - at)
            break
        if element in BLANKED_WHEN_FORWARDED:
            if element == EXT_TRANSPORT_CC and after - at == 4:
                twcc = packet[at + 2] << 8 | packet[at + 3]
            clean[at:after] = bytes(after - at)
        at = after
    return bytes(clean), twcc, end


def find_extension(packet: bytes, wanted: int) -> bytes | None:
    """The data of one header extension element, or None. Not for each packet as it is forwarded."""
    first = packet[0]
    at = HEADER_LENGTH + 4 * (first & 0x0F)
    if not first & 0x10 or at + 4 > len(packet):
        return None
    profile, words = _TWO_SHORTS.unpack_from(packet, at)
    at += 4
    end = at + 4 * words
    if end > len(packet):
        return None
    one_byte = profile == _ONE_BYTE_PROFILE
    if not one_byte and profile & 0xFFF0 != _TWO_BYTE_PROFILE:
        return None
    while at < end:
        head = packet[at]
        if head == 0:
            at += 1
            continue
        if one_byte:
            element, data, length = head >> 4, at + 1, 1 + (head & 0x0F)
            if element == 15:
                return None
        else:
            if at + 1 >= end:
                return None
            element, data, length = head, at + 2, packet[at + 1]
        if data + length > end:
            return None
        if element == wanted:
            return packet[data : data + length]
        at = data + length
    return None


def rotation(packet: bytes) -> int:
    """Degrees by which the frame that ends with this packet must be turned clockwise to stand upright.

    Coordination of video orientation (3GPP TS 26.114 7.4.5): its two lowest bits; without the element it is
    0.
    """
    value = find_extension(packet, EXT_VIDEO_ORIENTATION) if packet[0] & 0x10 else None
    return 90 * (value[0] & 3) if value else 0


def find_text_extension(packet: bytes, wanted: int) -> str | None:
    """A MID or RID element as text, or None when absent, empty or not plain ASCII letters, digits, '-' and
    '_'."""
    value = find_extension(packet, wanted)
    if not value or len(value) > 32:
        return None
    text = value.rstrip(b"\0").decode("ascii", "replace")
    return text if text and all(c.isascii() and (c.isalnum() or c in "-_") for c in text) else None


def payload_end(packet: bytes, payload: int) -> int:
    """Where the payload ends: before the padding when the P bit is set (RFC 3550 5.1), never before
    `payload`."""
    size = len(packet)
    if not packet[0] & 0x20 or size <= payload:
        return size
    return max(size - packet[-1], payload)


def is_empty(packet: bytes) -> bool:
    """Whether it carries nothing, as padding does that probes a line."""
    payload = payload_offset(packet)
    return payload_end(packet, payload) <= payload


def payload_offset(packet: bytes) -> int:
    """Where the payload starts; the packet's length when the header does not fit."""
    at = HEADER_LENGTH + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        if at + 4 > len(packet):
            return len(packet)
        at += 4 + 4 * (packet[at + 2] << 8 | packet[at + 3])
    return min(at, len(packet))


def with_playout_delay(packet: bytes, least_ms: int) -> bytes:
    """The packet with a playout-delay element (two times of 12 bits in 10 ms) after its other extensions.

    One whose extension is of another form, or does not fit, stays as it is.
    """
    value = (EXT_PLAYOUT_DELAY << 4 | 2) << 24 | (least_ms // 10 & 0xFFF) << 12 | _LONGEST_DELAY
    at = HEADER_LENGTH + 4 * (packet[0] & 0x0F)
    if not packet[0] & 0x10:
        head = bytes((packet[0] | 0x10,)) + packet[1:at]
        return head + _TWO_SHORTS.pack(_ONE_BYTE_PROFILE, 1) + _WORD.pack(value) + packet[at:]
    end = payload_offset(packet)
    if packet[at : at + 2] != b"\xbe\xde" or end >= len(packet):
        return packet
    words = _TWO_SHORTS.pack(_ONE_BYTE_PROFILE, (end - at) // 4)
    return b"".join((packet[:at], words, packet[at + 4 : end], _WORD.pack(value), packet[end:]))


def put_send_time(packet: bytearray, at_ns: int) -> None:
    """Brings the abs-send-time that `scan` put first into a packet's extensions up to date; else nothing."""
    at = HEADER_LENGTH + 4 * (packet[0] & 0x0F)
    if (
        packet[0] & 0x10
        and len(packet) >= at + 8
        and packet[at : at + 2] == b"\xbe\xde"
        and packet[at + 2 : at + 4] != b"\0\0"
        and packet[at + 4] == _SEND_TIME_HEAD >> 24
    ):
        packet[at + 4 : at + 8] = send_time(at_ns)
