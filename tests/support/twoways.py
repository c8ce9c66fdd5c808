"""A publisher and two subscribers on real sockets round one hub and relay, to see what either path does.

No DTLS and no SDP: keys, addresses and deliveries are put where a handshake and an answer would put them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from pylibsrtp import Policy, Session

from media.aiortc_seam import Certificate, SrtpKeys
from media.bench.keys import new_pair, session
from media.ice.hub import IceHub, UdpPath, now_ns
from media.metrics import Counters
from media.ports import Delivery, PacketSink, Uplink
from media.relay import Relay
from media.transport import PeerTransport
from tests.support.native import drain

SUBSCRIBERS = ("s", "t")
SSRCS = {"audio": 10, "l": 20, "h": 30}
CERTIFICATE = Certificate()


class Line:
    """One peer: its socket and keys, and the worker's session with it (a SessionPort)."""

    def __init__(self, hub: IceHub, peer: str) -> None:
        self.peer, self.connection, self.state, self.round_trip_ns = peer, "c.1.1", "connecting", 0
        self.uplink: dict[str, Uplink] = {}
        self.deliveries: dict[tuple[str, str], Delivery] = {}
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.setblocking(False)
        self.server = ("127.0.0.1", hub.udp_port)
        self.hub = hub
        self.transport = PeerTransport(hub, CERTIFICATE, lambda state: None, self.connection)
        self.send, self.send_rtcp = self.transport.send, self.transport.send_rtcp
        there, back = (bytes.fromhex(key) for key in new_pair())
        self.out = session(there, Policy.SSRC_ANY_OUTBOUND)
        self.back = session(back, Policy.SSRC_ANY_INBOUND)
        receive = Policy(key=there, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=self._profile())
        receive.window_size = 1024
        self.keys = SrtpKeys(Session(receive), session(back, Policy.SSRC_ANY_OUTBOUND), "x")

    @staticmethod
    def _profile() -> int:
        return int(Policy.SRTP_PROFILE_AEAD_AES_256_GCM)

    def attach(self, sink: PacketSink) -> None:
        self.transport.attach(sink)
        path = UdpPath(self.hub, self.hub._sockets[0], self.sock.getsockname())
        self.hub.claim(path, self.transport, proven=True)
        self.transport._on_keys(self.keys)
        self.transport.on_selected(path)
        sink.on_negotiated()
        sink.on_state("connected")

    @property
    def forward(self) -> Any:
        return self.transport.forward

    def write(self, data: bytes) -> None:
        self.sock.sendto(data, self.server)

    def protected(self, packet: bytes) -> bytes:
        rtcp = 192 <= packet[1] <= 223
        return self.out.protect_rtcp(packet) if rtcp else self.out.protect(packet)

    def read(self) -> list[bytes]:
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                data = self.sock.recv(2048)
                rtcp = 192 <= data[1] <= 223
                found.append(self.back.unprotect_rtcp(data) if rtcp else self.back.unprotect(data))
        return found


def never(delay_s: float, call: Callable[[], None]) -> asyncio.TimerHandle:
    """No repair is asked for by the clock: how often that is would be the machine's mood."""
    return asyncio.get_running_loop().call_later(3600, call)


class Room:
    """Publisher `p` with sound and a camera in two layers; both subscribers are given both."""

    def __init__(self, hub: IceHub) -> None:
        self.hub, self.counters, self.recorded = hub, Counters(), defaultdict[str, list[bytes]](list)
        self.relay = Relay(now_ns, never, lambda *_: None, self.counters)
        self.relay.recorder = self
        self.publisher = Line(hub, "p")
        self.publisher.uplink = {
            "audio": Uplink("audio", "0", True, {SSRCS["audio"]: None}),
            "camera": Uplink("camera", "1", True, {}, ("l", "h")),
        }
        self.lines = [self.publisher, *(Line(hub, name) for name in SUBSCRIBERS)]
        for line in self.lines[1:]:
            line.deliveries = {
                ("p", "audio"): Delivery("p", "audio", "4", 100, None, True),
                ("p", "camera"): Delivery("p", "camera", "5", 200, 201, True),
            }
        for line in self.lines:
            line.attach(self.relay.attach(line))
        self.relay.set_recorded("p", True)

    def rtp(self, peer: str, kind: str, rid: str, packet: bytes, at_ns: int, key: bool | None = None) -> None:
        self.recorded[kind + rid].append(untimed(packet))

    def sender_report(self, *_: Any) -> None:
        """Not looked at here."""

    async def settle(self) -> None:
        """Until the hub has read everything."""
        for _ in range(6):
            await asyncio.sleep(0.002)

    async def close(self) -> None:
        self.relay.close()
        for line in self.lines:
            await line.transport.close()
            line.sock.close()


async def seen(way: str, datagrams: list[bytes | tuple[str, bytes]], timed: bool = True) -> dict[str, Any]:
    """What becomes of it: plain bytes are protected by the publisher; ("raw", b) goes out as it is; ("other",
    b) from a socket nobody knows; ("again", b) as ("raw", …) of the protected packet, twice."""
    hub = await IceHub.open("127.0.0.1", drain=drain(way))
    room = Room(hub)
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        for number, datagram in enumerate(datagrams):
            kind, data = datagram if isinstance(datagram, tuple) else ("plain", datagram)
            if kind == "other":
                stranger.sendto(data, room.publisher.server)
            elif kind == "raw":
                room.publisher.write(data)
            else:
                for wire in [room.publisher.protected(data)] * (2 if kind == "again" else 1):
                    room.publisher.write(wire)
            if number % 7 == 6:
                await room.settle()
        await room.settle()
        transport = room.publisher.transport
        refused = 0 if transport.srtp is None else transport.srtp.dropped_in
        return {
            "got": {line.peer: relative(line.read(), timed) for line in room.lines[1:]},
            "recorded": dict(room.recorded),
            "hub": {name: count for name, count in Counter(hub.counters).items() if count},
            "refused": refused + (transport.inbound.refused if transport.inbound else 0),
            "counters": room.counters.as_dict(),
        }
    finally:
        stranger.close()
        await room.close()
        await hub.close()


def untimed(packet: bytes) -> bytes:
    """Without the instant in its abs-send-time, which no two runs share."""
    if packet[0] & 0x10 and packet[12:14] == b"\xbe\xde" and packet[16] == 0x22:
        return packet[:17] + b"\0\0\0" + packet[20:]
    return packet


def relative(packets: list[bytes], timed: bool) -> dict[int, list[bytes]]:
    """RTP by SSRC, numbers and times relative to the first of each: where they begin is chance."""
    found: dict[int, list[bytes]] = defaultdict(list)
    starts: dict[int, tuple[int, int]] = {}
    for packet in packets:
        if 192 <= packet[1] <= 223:
            continue
        first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", packet)
        start = starts.setdefault(ssrc, (sequence, timestamp))
        sequence, timestamp = sequence - start[0] & 0xFFFF, (timestamp - start[1] & 0xFFFFFFFF) * timed
        head = struct.pack("!BBHII", first, second, sequence, timestamp, ssrc)
        found[ssrc].append(untimed(head + packet[12:]))
    return dict(found)
