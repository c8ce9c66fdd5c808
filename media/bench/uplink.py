"""What a synthetic peer keeps of its own sending: numbering, a cache for NACKs, counters, its socket."""

from __future__ import annotations

import secrets
import socket
import struct
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

RECEIVE_BUFFER = 8 << 20
SO_RCVBUFFORCE = 33
UDP_SEGMENT = 103
"""linux/udp.h: one message that the kernel takes apart into datagrams of this size."""
HISTORY = 1024


@dataclass
class Outbound:
    """One uplink track: its numbering, counters and a cache for retransmissions."""

    kind: int
    mid: str
    ssrc: int
    rtx_ssrc: int | None
    rid: str = ""
    payload_type: int = 0
    rtx_type: int | None = None
    seq: int = field(default_factory=lambda: 1 + secrets.randbelow(1 << 14))
    rtx_seq: int = 1
    packets: int = 0
    octets: int = 0
    history: OrderedDict[int, tuple[int, bool, bytes]] = field(default_factory=OrderedDict)

    def remember(self, timestamp: int, marker: bool, payload: bytes) -> None:
        """Keeps what was just sent for a NACK and moves on to the next sequence number."""
        self.history[self.seq] = (timestamp, marker, payload)
        if len(self.history) > HISTORY:
            self.history.popitem(last=False)
        self.seq = self.seq + 1 & 0xFFFF
        self.packets += 1
        self.octets += len(payload)


@dataclass
class Counters:
    """The peer's own troubles, apart from the worker's: what it could not send, what it could not read."""

    sent: int = 0
    send_blocked: int = 0
    received: int = 0
    unprotect_failed: int = 0
    nacks: int = 0
    resent: int = 0
    keyframe_requests: int = 0
    twcc: int = 0
    reordered_offers: int = 0


def open_socket(host: str = "127.0.0.1") -> socket.socket:
    """A non-blocking UDP socket with a receive buffer that holds a second of a busy room."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind((host, 0))
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except OSError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    return sock


def send_run(sock: socket.socket, packets: Sequence[bytes | memoryview]) -> None:
    """All with one call of the kernel, where all but a shorter last are of one size. Raises OSError."""
    sizes = [len(packet) for packet in packets]
    if len(sizes) > 1 and len({*sizes[:-1]}) == 1 and sizes[-1] <= sizes[0]:
        sock.sendmsg(packets, [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("=H", sizes[0]))])
        return
    for packet in packets:
        sock.send(packet)


def media_time(rate: int) -> int:
    """An RTP timestamp for now, from one clock for both tracks, as sender reports need it."""
    return time.monotonic_ns() * rate // 1_000_000_000 & 0xFFFFFFFF


def socket_drops(ports: set[int]) -> int:
    """Datagrams the kernel dropped because our own sockets were full (/proc/net/udp, last column)."""
    drops = 0
    table = Path("/proc/net/udp")
    for line in table.read_text().splitlines()[1:] if table.exists() else []:
        parts = line.split()
        if int(parts[1].split(":")[1], 16) in ports:
            drops += int(parts[-1])
    return drops
