"""The packet path: libsrtp through pylibsrtp's cffi binding, in buffers of our own.

Runs for every packet: no task, no queue, no log line. Must not raise and must not know SDP, ICE or a packet's
meaning beyond the RTP header. Replay protection of received packets stays on (window 1024).
RFC 3711, RFC 7714, RFC 3550 section 5.1.

GCM and repeats: a sequence number sent twice must carry the very same bytes, or the key stream is reused.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Protocol

from pylibsrtp._binding import ffi, lib

from media.aiortc_seam import SrtpKeys
from media.buffers import DATAGRAM_BYTES, INBOUND, INBOUND_VIEW
from media.ice.endpoint import Path

MAX_PACKET_BYTES = 1500
"""Plain RTP or RTCP; larger is dropped and counted."""
RTP_HEADER_BYTES = 12
RTCP_HEADER_BYTES = 8

MAX_SSRCS = 64
"""Streams one peer may have: libsrtp keeps a context for each for ever and searches them in a row."""

_REWRITE = struct.Struct("!BHII")
_SSRC = struct.Struct("!I")

# One inbound and one outbound buffer per process: the event loop is the only user, one packet at a time.
_in_c = ffi.from_buffer(INBOUND)
_out = bytearray(DATAGRAM_BYTES)
_out_view = memoryview(_out)
_out_c = ffi.from_buffer(_out)
_length = ffi.new("int *")

Out = Callable[[memoryview], bool]


class RtpSink(Protocol):
    def on_rtp(self, packet: bytes, at_ns: int) -> None: ...

    def on_rtcp(self, packet: bytes, at_ns: int) -> None: ...


def plausible_rtp(packet: bytes | bytearray | memoryview, size: int) -> bool:
    """Version 2, and CSRCs, extension and padding end inside the packet."""
    if size < RTP_HEADER_BYTES:
        return False
    first = packet[0]
    if first == 0x80:
        return True
    if first >> 6 != 2:
        return False
    at = RTP_HEADER_BYTES + 4 * (first & 15)
    if first & 0x10:
        if at + 4 > size:
            return False
        at += 4 + 4 * ((packet[at + 2] << 8) | packet[at + 3])
    if at > size:
        return False
    return not (first & 0x20) or 0 < packet[size - 1] <= size - at


class SrtpPath:
    """Both directions of one session, once its handshake is done."""

    __slots__ = (
        "_known",
        "_rx",
        "_rx_owner",
        "_tx",
        "_tx_owner",
        "bytes_in",
        "bytes_out",
        "dropped_in",
        "dropped_out",
        "out",
        "packets_in",
        "packets_out",
        "profile",
    )

    def __init__(self, keys: SrtpKeys, out: Out) -> None:
        self._rx_owner, self._tx_owner = keys.receive, keys.send  # keep libsrtp's memory alive
        self._rx: Any = keys.receive._srtp[0]
        self._tx: Any = keys.send._srtp[0]
        self.out = out
        """Sends a datagram to where media goes now; False when it could not."""
        self._known: set[tuple[int, ...]] = set()
        self.profile = keys.profile
        self.packets_in = self.packets_out = self.bytes_in = self.bytes_out = 0
        self.dropped_in = self.dropped_out = 0

    def lead(self, path: Path | None, out: Out) -> None:
        """From now on media goes there; without a path, to `out`."""
        self.out = out if path is None else path.send

    @property
    def forwarded(self) -> int:
        """Packets that were sent, whatever their kind."""
        return self.packets_out

    @property
    def unsent(self) -> int:
        """Packets that were not: too long, too short, not protected, not sent."""
        return self.dropped_out

    def receive(self, data: memoryview, sink: RtpSink, at_ns: int) -> bool:
        """Unprotect one datagram, mostly where the hub received it, and hand owned bytes to the sink.

        False when it was refused.
        """
        size = len(data)
        if not RTP_HEADER_BYTES <= size <= DATAGRAM_BYTES:
            self.dropped_in += 1
            return False
        if data.obj is not INBOUND:  # over TCP
            INBOUND_VIEW[:size] = data
        _length[0] = size
        if 192 <= INBOUND[1] <= 223:
            return self._receive_rtcp(sink, at_ns)
        ssrc = _SSRC.unpack_from(INBOUND, 8)
        if (ssrc not in self._known and len(self._known) >= MAX_SSRCS) or lib.srtp_unprotect(
            self._rx, _in_c, _length
        ):
            self.dropped_in += 1
            return False
        self._known.add(ssrc)
        size = _length[0]
        if not plausible_rtp(INBOUND, size):
            self.dropped_in += 1
            return False
        self.packets_in += 1
        self.bytes_in += size
        sink.on_rtp(INBOUND_VIEW[:size].tobytes(), at_ns)
        return True

    def _receive_rtcp(self, sink: RtpSink, at_ns: int) -> bool:
        ssrc = _SSRC.unpack_from(INBOUND, 4)
        if (ssrc not in self._known and len(self._known) >= MAX_SSRCS) or lib.srtp_unprotect_rtcp(
            self._rx, _in_c, _length
        ):
            self.dropped_in += 1
            return False
        self._known.add(ssrc)
        size = _length[0]
        if size < RTCP_HEADER_BYTES or INBOUND[0] >> 6 != 2:
            self.dropped_in += 1
            return False
        self.packets_in += 1
        sink.on_rtcp(INBOUND_VIEW[:size].tobytes(), at_ns)
        return True

    def forward(self, packet: bytes, pt: int, seq: int, timestamp: int, ssrc: int) -> None:
        """Send a copy with a new header; the marker bit stays. Values are taken modulo their field."""
        size = len(packet)
        if not RTP_HEADER_BYTES <= size <= MAX_PACKET_BYTES:
            self.dropped_out += 1
            return
        _out_view[:size] = packet
        _REWRITE.pack_into(
            _out,
            1,
            (packet[1] & 0x80) | (pt & 0x7F),
            seq & 0xFFFF,
            timestamp & 0xFFFFFFFF,
            ssrc & 0xFFFFFFFF,
        )
        _length[0] = size
        if lib.srtp_protect(self._tx, _out_c, _length):
            self.dropped_out += 1
            return
        size = _length[0]
        if self.out(_out_view[:size]):
            self.packets_out += 1
            self.bytes_out += size
        else:
            self.dropped_out += 1

    def send(self, packet: bytearray | memoryview, length: int) -> None:
        """Protect `packet[:length]` where it lies and send it."""
        if not RTP_HEADER_BYTES <= length <= MAX_PACKET_BYTES or len(packet) < length + 16:
            self.dropped_out += 1
            return
        _length[0] = length
        if lib.srtp_protect(self._tx, ffi.from_buffer(packet), _length):
            self.dropped_out += 1
            return
        size = _length[0]
        if self.out(memoryview(packet)[:size]):
            self.packets_out += 1
            self.bytes_out += size
        else:
            self.dropped_out += 1

    def send_rtcp(self, packet: bytes) -> None:
        """Protect and send one RTCP compound."""
        size = len(packet)
        if not RTCP_HEADER_BYTES <= size <= MAX_PACKET_BYTES:
            self.dropped_out += 1
            return
        _out_view[:size] = packet
        _length[0] = size
        if lib.srtp_protect_rtcp(self._tx, _out_c, _length) or not self.out(_out_view[: _length[0]]):
            self.dropped_out += 1
