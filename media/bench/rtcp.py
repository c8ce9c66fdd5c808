"""The RTCP a synthetic peer needs (RFC 3550, 4585, 5104, draft-alvestrand-rmcat-remb), and no more."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

NTP_EPOCH = 2_208_988_800
SR, RR, RTPFB, PSFB = 200, 201, 205, 206


def blocks(packet: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(packet type, count or format, body) of every block of a compound; stops at the first that lies."""
    at = 0
    while at + 4 <= len(packet):
        first, kind, words = struct.unpack_from("!BBH", packet, at)
        end = at + 4 + 4 * words
        if first >> 6 != 2 or end > len(packet):
            return
        yield kind, first & 0x1F, packet[at + 4 : end]
        at = end


def nacked(body: bytes) -> tuple[int, list[int]]:
    """(media SSRC, sequence numbers) of a generic NACK body (RFC 4585, 6.2.1)."""
    if len(body) < 8:
        return 0, []
    lost: list[int] = []
    for at in range(8, len(body) - 3, 4):
        pid, mask = struct.unpack_from("!HH", body, at)
        lost.append(pid)
        lost += [(pid + bit + 1) & 0xFFFF for bit in range(16) if mask >> bit & 1]
    return struct.unpack_from("!I", body, 4)[0], lost


def ntp_now() -> int:
    """The wall clock as a 64-bit NTP time."""
    now = time.time_ns()
    seconds, rest = divmod(now, 1_000_000_000)
    return (seconds + NTP_EPOCH) << 32 | (rest << 32) // 1_000_000_000


def sender_report(ssrc: int, ntp: int, rtp: int, packets: int, octets: int, cname: str) -> bytes:
    """SR without report blocks, plus the CNAME."""
    report = struct.pack(
        "!BBHIQIII", 0x80, SR, 6, ssrc, ntp, rtp & 0xFFFFFFFF, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF
    )
    item = b"\x01" + bytes([len(cname)]) + cname.encode()
    chunk = struct.pack("!I", ssrc) + item
    chunk += bytes(4 - len(chunk) % 4)
    return report + struct.pack("!BBH", 0x81, 202, len(chunk) // 4) + chunk


@dataclass
class Inbound:
    """What a receiver report says of one SSRC: highest extended sequence number and the last SR's age."""

    highest: int = -1
    last_sr: int = 0
    last_sr_at: float = 0.0

    def take(self, seq: int) -> None:
        if self.highest < 0:
            self.highest = seq
            return
        ahead = (seq - self.highest) & 0xFFFF
        if ahead < 0x8000:
            self.highest += ahead


def receiver_reports(own: int, inbound: dict[int, Inbound]) -> bytes:
    """RRs of at most 31 blocks each for all inbound SSRCs, all without loss; empty RR when there are none."""
    out = b""
    items = list(inbound.items())
    for start in range(0, max(1, len(items)), 31):
        part = items[start : start + 31]
        body = struct.pack("!I", own)
        for ssrc, state in part:
            since = int((time.monotonic() - state.last_sr_at) * 65536) if state.last_sr else 0
            body += struct.pack("!IIIIII", ssrc, 0, state.highest & 0xFFFFFFFF, 0, state.last_sr, since)
        out += struct.pack("!BBH", 0x80 | len(part), RR, len(body) // 4) + body
    return out


def remb(own: int, bitrate: int, ssrcs: list[int]) -> bytes:
    """Receiver estimated maximum bitrate for the given SSRCs, in bit/s."""
    exponent = max(0, bitrate.bit_length() - 18)
    mantissa = bitrate >> exponent
    body = struct.pack("!II4sI", own, 0, b"REMB", len(ssrcs) << 24 | exponent << 18 | mantissa)
    body += b"".join(struct.pack("!I", s) for s in ssrcs)
    return struct.pack("!BBH", 0x80 | 15, PSFB, len(body) // 4) + body


def picture_loss(own: int, media: int) -> bytes:
    """PLI (RFC 4585, 6.3.1)."""
    return struct.pack("!BBHII", 0x81, PSFB, 2, own, media)
