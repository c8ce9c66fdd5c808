"""Reads one journal segment by docs/recording.md alone: python unseal.py SEGMENT KEY-IN-HEX

Prints a line for each RTP packet: boottime in ns, track, size. It imports nothing of Hyeopjin, on purpose.
"""

from __future__ import annotations

import hashlib
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def packets(data: bytes, seat_key: bytes) -> Iterator[tuple[int, str, bytes]]:
    """(boottime in ns, kind, RTP packet) of a segment; raises ValueError or InvalidTag when it is damaged."""
    if data[:10] != b"\x89HYJ\r\n\x1a\n\0\1":
        raise ValueError("no segment of version 1")
    header = data[: int.from_bytes(data[10:12], "big")]
    epoch, salt, names, at = int.from_bytes(header[16:24], "big"), header[56:88], [], 88
    for _ in range(3):
        names.append(header[at + 1 : at + 1 + header[at]].decode())
        at += 1 + header[at]
    recording, seat, _grant = names
    info = f"{recording}|{epoch}|{seat}|journal1".encode()
    box = AESGCM(HKDF(SHA256(), 32, salt, info).derive(seat_key))
    previous, at = hashlib.sha256(header).digest(), len(header)
    while at < len(data):
        mark, kind, length, index, before = struct.unpack_from(">4sB3xIQ32s", data, at)
        sealed = data[at : at + 52 + length]
        if mark != b"SEAL" or before != previous:
            raise ValueError(f"the chain breaks at {at}")
        plain = box.decrypt(index.to_bytes(12, "big"), sealed[52:], header + sealed[:52])
        previous, at = hashlib.sha256(sealed).digest(), at + len(sealed)
        if kind == 1:
            yield from entries(plain)


def entries(plain: bytes) -> Iterator[tuple[int, str, bytes]]:
    """The RTP entries of a seal, with the kinds that its own TRACK entries name."""
    kinds: dict[int, str] = {}
    at = 0
    while at < len(plain):
        kind, length, boottime = struct.unpack_from(">BHQ", plain, at)
        body = plain[at + 11 : at + 11 + length]
        at += 11 + length
        number = int.from_bytes(body[:2], "big")
        if kind == 2:
            kinds[number] = body[11 : 11 + body[10]].decode()
        elif kind == 3:
            yield boottime, kinds[number], body[2:]


if __name__ == "__main__":
    for boottime_ns, track, packet in packets(Path(sys.argv[1]).read_bytes(), bytes.fromhex(sys.argv[2])):
        sys.stdout.write(f"{boottime_ns} {track} {len(packet)}\n")
