"""RTCP as bytes: a strict splitter of compounds and the parsers and builders the relay needs.

A packet whose length lies ends its compound; what came before it stands. Parsers return None (or nothing)
for what
they cannot read and never raise. References: RFC 3550 6, RFC 4585 6, RFC 5104 4.3.1,
draft-alvestrand-rmcat-remb.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from struct import Struct
from typing import NamedTuple

SR = 200
RR = 201
SDES = 202
BYE = 203
RTPFB = 205
PSFB = 206
NACK_FORMAT = 1
TWCC_FORMAT = 15
PLI_FORMAT = 1
FIR_FORMAT = 4
AFB_FORMAT = 15

_HEAD = Struct("!BBH")
_WORD = Struct("!I")
_TWO_WORDS = Struct("!II")
_SENDER = Struct("!IQIII")
_REPORT = Struct("!IIIIII")
_PAIR = Struct("!HH")
_MAX_NACKS = 512


class RtcpPacket(NamedTuple):
    """One packet of a compound: its type, the 5-bit format or count, and what follows the 4-byte head."""

    type: int
    format: int
    body: bytes


class SenderInfo(NamedTuple):
    """RFC 3550 6.4.1. `ntp` is the 64-bit NTP time."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packets: int
    octets: int


class ReportBlock(NamedTuple):
    """RFC 3550 6.4.1. `fraction` in 1/256, `lost` signed, `dlsr` in 1/65536 s."""

    ssrc: int
    fraction: int
    lost: int
    highest: int
    jitter: int
    lsr: int
    dlsr: int


class Remb(NamedTuple):
    bitrate: int
    """Bits per second."""
    ssrcs: tuple[int, ...]


def split(compound: bytes) -> Iterator[RtcpPacket]:
    """The packets of a compound, up to the first that is not what it says."""
    at = 0
    size = len(compound)
    while at + 4 <= size:
        first, kind, words = _HEAD.unpack_from(compound, at)
        end = at + 4 + 4 * words
        if first >> 6 != 2 or end > size:
            return
        body_end = end
        if first & 0x20:
            padding = compound[end - 1] if end > at + 4 else 0
            if padding == 0 or padding % 4 or padding > end - at - 4:
                return
            body_end -= padding
        yield RtcpPacket(kind, first & 0x1F, compound[at + 4 : body_end])
        at = end


def parse_sender_info(packet: RtcpPacket) -> SenderInfo | None:
    """The sender's part of an SR."""
    if packet.type != SR or len(packet.body) < _SENDER.size:
        return None
    return SenderInfo(*_SENDER.unpack_from(packet.body))


def parse_reports(packet: RtcpPacket) -> list[ReportBlock]:
    """The report blocks of an SR or RR; those that do not fit are left out."""
    start = {SR: 24, RR: 4}.get(packet.type)
    if start is None:
        return []
    reports = []
    for index in range(packet.format):
        at = start + 24 * index
        if at + 24 > len(packet.body):
            break
        ssrc, loss, highest, jitter, lsr, dlsr = _REPORT.unpack_from(packet.body, at)
        lost = loss & 0xFFFFFF
        lost -= (lost & 0x800000) << 1
        reports.append(ReportBlock(ssrc, loss >> 24, lost, highest, jitter, lsr, dlsr))
    return reports


def parse_media_ssrc(packet: RtcpPacket) -> int | None:
    """The media source of a feedback packet (RFC 4585 6.1)."""
    if packet.type not in (RTPFB, PSFB) or len(packet.body) < 8:
        return None
    ssrc: int = _WORD.unpack_from(packet.body, 4)[0]
    return ssrc


def parse_nack(packet: RtcpPacket) -> list[int]:
    """The sequence numbers of a generic NACK (RFC 4585 6.2.1), at most 512."""
    if packet.type != RTPFB or packet.format != NACK_FORMAT:
        return []
    numbers: list[int] = []
    for at in range(8, len(packet.body) - 3, 4):
        first, mask = _PAIR.unpack_from(packet.body, at)
        numbers.append(first)
        if mask:
            numbers += [(first + bit + 1) & 0xFFFF for bit in range(16) if mask >> bit & 1]
        if len(numbers) >= _MAX_NACKS:
            break
    return numbers[:_MAX_NACKS]


def parse_keyframe_requests(packet: RtcpPacket) -> list[int]:
    """The SSRCs that a PLI or FIR asks a key frame of."""
    if packet.type != PSFB:
        return []
    if packet.format == PLI_FORMAT:
        ssrc = parse_media_ssrc(packet)
        return [] if ssrc is None else [ssrc]
    if packet.format == FIR_FORMAT:
        return [_WORD.unpack_from(packet.body, at)[0] for at in range(8, len(packet.body) - 7, 8)]
    return []


def parse_remb(packet: RtcpPacket) -> Remb | None:
    """A receiver's estimate of its downlink (draft-alvestrand-rmcat-remb-03 2.2)."""
    body = packet.body
    if packet.type != PSFB or packet.format != AFB_FORMAT or len(body) < 16 or body[8:12] != b"REMB":
        return None
    count = body[12]
    if 16 + 4 * count > len(body):
        return None
    exponent = body[13] >> 2
    mantissa = (body[13] & 3) << 16 | body[14] << 8 | body[15]
    ssrcs = tuple(_WORD.unpack_from(body, 16 + 4 * index)[0] for index in range(count))
    return Remb(mantissa << exponent, ssrcs)


def parse_bye(packet: RtcpPacket) -> list[int]:
    """The SSRCs that a BYE ends."""
    if packet.type != BYE:
        return []
    return [
        _WORD.unpack_from(packet.body, 4 * index)[0]
        for index in range(packet.format)
        if 4 * index + 4 <= len(packet.body)
    ]


def build_sender_report(info: SenderInfo, reports: Sequence[ReportBlock] = ()) -> bytes:
    body = _SENDER.pack(
        info.ssrc,
        info.ntp & 0xFFFFFFFFFFFFFFFF,
        info.rtp_timestamp & 0xFFFFFFFF,
        info.packets & 0xFFFFFFFF,
        info.octets & 0xFFFFFFFF,
    )
    return _packet(SR, len(reports), body + b"".join(map(_block, reports)))


def build_receiver_report(sender_ssrc: int, reports: Sequence[ReportBlock]) -> bytes:
    """An RR with at most 31 blocks."""
    reports = reports[:31]
    return _packet(RR, len(reports), _WORD.pack(sender_ssrc) + b"".join(map(_block, reports)))


def build_nack(sender_ssrc: int, media_ssrc: int, numbers: Iterable[int]) -> bytes:
    """A generic NACK for sequence numbers, given as extended or 16-bit numbers in rising order."""
    pairs = bytearray()
    first: int | None = None
    mask = 0
    for number in numbers:
        ahead = -1 if first is None else (number - first - 1) & 0xFFFF
        if 0 <= ahead < 16:
            mask |= 1 << ahead
            continue
        if first is not None:
            pairs += _PAIR.pack(first & 0xFFFF, mask)
        first, mask = number, 0
    if first is not None:
        pairs += _PAIR.pack(first & 0xFFFF, mask)
    return _packet(RTPFB, NACK_FORMAT, _TWO_WORDS.pack(sender_ssrc, media_ssrc) + pairs)


def build_pli(sender_ssrc: int, media_ssrc: int) -> bytes:
    return _packet(PSFB, PLI_FORMAT, _TWO_WORDS.pack(sender_ssrc, media_ssrc))


def build_fir(sender_ssrc: int, media_ssrc: int, number: int) -> bytes:
    """A full intra request (RFC 5104 4.3.1); `number` must grow with each new request."""
    return _packet(
        PSFB, FIR_FORMAT, _TWO_WORDS.pack(sender_ssrc, 0) + _TWO_WORDS.pack(media_ssrc, (number & 0xFF) << 24)
    )


def build_remb(sender_ssrc: int, bitrate: int, ssrcs: Sequence[int]) -> bytes:
    exponent = max(0, bitrate.bit_length() - 18)
    mantissa = bitrate >> exponent
    head = bytes([len(ssrcs), exponent << 2 | mantissa >> 16, mantissa >> 8 & 0xFF, mantissa & 0xFF])
    body = _TWO_WORDS.pack(sender_ssrc, 0) + b"REMB" + head + b"".join(map(_WORD.pack, ssrcs))
    return _packet(PSFB, AFB_FORMAT, body)


def build_sdes(ssrc: int, cname: str) -> bytes:
    """A source description with a CNAME only (RFC 3550 6.5.1)."""
    name = cname.encode("ascii", "replace")[:255]
    chunk = _WORD.pack(ssrc) + bytes([1, len(name)]) + name + b"\0"
    return _packet(SDES, 1, chunk + bytes(-len(chunk) % 4))


def build_bye(ssrcs: Sequence[int]) -> bytes:
    return _packet(BYE, len(ssrcs), b"".join(map(_WORD.pack, ssrcs)))


def _block(report: ReportBlock) -> bytes:
    return _REPORT.pack(
        report.ssrc,
        (report.fraction & 0xFF) << 24 | report.lost & 0xFFFFFF,
        report.highest & 0xFFFFFFFF,
        min(report.jitter, 0xFFFFFFFF),
        report.lsr,
        max(0, min(report.dlsr, 0xFFFFFFFF)),
    )


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body
