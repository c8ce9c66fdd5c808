"""A SessionPort that sends into lists instead of a socket: the other end of the relay for tests of
numbers."""

from __future__ import annotations

import struct
from collections.abc import Callable

from media.metrics import Counters
from media.ports import Delivery, PacketSink, Uplink
from media.relay import Relay
from media.rtp import rtcp

MS = 1_000_000
START_NS = 1_000_000 * MS


class Outbox:
    """Keeps every packet as it would go to the wire, header rewritten."""

    def __init__(self, peer: str, connection: str = "c.1.1") -> None:
        self.peer = peer
        self.connection = connection
        self.state = "connecting"
        self.uplink: dict[str, Uplink] = {}
        self.deliveries: dict[tuple[str, str], Delivery] = {}
        self.wanted: list[tuple[str, str]] = []
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []
        self.sink: PacketSink | None = None
        self.round_trip_ns = 0
        self.sparing = False
        self.probes: list[tuple[int, Callable[[int, int], None]]] = []

    def attach(self, sink: PacketSink) -> None:
        self.sink = sink

    def start(self) -> None:
        self.state = "connecting"

    async def set_subscriptions(self, wanted: list[tuple[str, str]]) -> None:
        self.wanted = wanted

    def spare(self, sparing: bool) -> None:
        self.sparing = sparing

    def probe(self, fill: int, heard: Callable[[int, int], None]) -> bool:
        self.probes.append((fill, heard))
        return True

    async def accept_answer(self, offer_id: str, sdp: str) -> None:
        """Nothing is negotiated here."""

    async def restart_ice(self) -> None:
        """Nothing is negotiated here."""

    async def close(self) -> None:
        self.state = "closed"

    def send(self, packet: bytearray | memoryview, length: int) -> None:
        assert len(packet) >= length + 64
        self.rtp.append(bytes(packet[:length]))

    def forward(self, packet: bytes, pt: int, seq: int, timestamp: int, ssrc: int) -> None:
        fields = (packet[1] & 0x80 | pt, seq & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
        self.rtp.append(struct.pack("!BBHII", packet[0], *fields) + packet[12:])

    def send_rtcp(self, packet: bytes) -> None:
        self.rtcp.append(packet)

    def connect(self) -> None:
        self.state = "connected"
        assert self.sink is not None
        self.sink.on_state("connected")


class Time:
    """A clock and a timer that move only when told to."""

    def __init__(self) -> None:
        self.now_ns = START_NS
        self._timers: list[tuple[int, Callable[[], None], list[bool]]] = []

    def now(self) -> int:
        return self.now_ns

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Handle:
        cancelled = [False]
        self._timers.append((self.now_ns + int(delay_s * 1e9), call, cancelled))
        return Handle(cancelled)

    def advance(self, ms: float) -> None:
        """Runs every timer that falls due on the way, in order."""
        end = self.now_ns + int(ms * MS)
        while True:
            self._timers = [timer for timer in self._timers if not timer[2][0]]
            due = [timer for timer in self._timers if timer[0] <= end]
            if not due:
                break
            timer = min(due, key=lambda item: item[0])
            self._timers.remove(timer)
            self.now_ns = max(self.now_ns, timer[0])
            timer[1]()
        self.now_ns = end


class Handle:
    def __init__(self, cancelled: list[bool]) -> None:
        self._cancelled = cancelled

    def cancel(self) -> None:
        self._cancelled[0] = True


class Stage:
    """A relay with a publisher `p` (audio ssrc 10, camera 20 with RTX 21) and subscribers, on a clock of
    its own. `layered`: its camera comes in layers, see `layer`."""

    def __init__(self, *subscribers: str, listed: bool = True, layered: bool = False) -> None:
        self.time = Time()
        self.states: list[tuple[str, str, str]] = []
        self.relay = Relay(
            self.time.now,
            self.time.call_later,
            lambda *state: self.states.append(state),
            Counters(),
        )
        self.publisher = self.join_publisher(listed=listed, layered=layered)
        self.subscribers = [self.join_subscriber(name) for name in subscribers]

    def join_publisher(
        self, *, listed: bool = True, audio: int = 10, camera: int = 20, layered: bool = False
    ) -> Outbox:
        out = Outbox("p")
        pictures = {camera: camera + 1} if listed and not layered else {}
        out.uplink = {
            "audio": Uplink("audio", "0", True, {audio: None} if listed else {}),
            "camera": Uplink("camera", "1", True, pictures, ("l", "h") if layered else ()),
        }
        out.attach(self.relay.attach(out))
        assert out.sink is not None
        out.sink.on_negotiated()
        out.connect()
        return out

    def join_subscriber(self, name: str, *, ready: bool = True, outbox: type[Outbox] | None = None) -> Outbox:
        out = (outbox or Outbox)(name)
        out.deliveries = {
            ("p", "audio"): Delivery("p", "audio", "4", 100, None, ready),
            ("p", "camera"): Delivery("p", "camera", "5", 200, 201, ready),
        }
        out.attach(self.relay.attach(out))
        assert out.sink is not None
        out.sink.on_negotiated()
        out.connect()
        return out

    def audio(self, sequence: int, *, ssrc: int = 10, payload: bytes = b"opus", head: bytes = b"") -> None:
        self.rtp(111, sequence, sequence * 960, ssrc, payload, head)

    def video(
        self, sequence: int, *, key: bool = False, ssrc: int = 20, first: bool = True, head: bytes = b""
    ) -> None:
        payload = bytes([0x10 if first else 0, 0 if key else 1]) + struct.pack("!H", sequence & 0xFFFF)
        self.rtp(96, sequence, sequence * 3000, ssrc, payload, head)

    def rtp(
        self, pt: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, head: bytes = b""
    ) -> None:
        first = 0x90 if head else 0x80
        packet = struct.pack("!BBHII", first, pt, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
        assert self.publisher.sink is not None
        self.publisher.sink.on_rtp(packet + head + payload, self.time.now_ns)

    def layer(self, rid: str, number: int, *, key: bool = False, named: bool = True, size: int = 0) -> None:
        """A picture of a layer: `l` on ssrc 30, `h` on 40, each with RTP times and numbers of its own."""
        ssrc, sequence, timestamp = LAYERS[rid]
        picture, base = 0x7FF8 + number + ssrc & 0x7FFF, number + 3 * ssrc & 0xFF
        descriptor = struct.pack("!BBHBB", 0x90, 0xE0, 0x8000 | picture, base, 0)
        payload = descriptor + bytes([0 if key else 1]) + bytes(size) + rid.encode()
        payload += struct.pack("!H", number & 0xFFFF)
        head = extensions({4: b"1", 5: rid.encode()}) if named else b""
        self.rtp(96, sequence + number, timestamp + number * 3000, ssrc, payload, head)

    def layer_report(self, rid: str, number: int, ntp: int) -> None:
        """The publisher's report that the layer's picture `number` was taken at `ntp` (64 bit)."""
        ssrc, _, timestamp = LAYERS[rid]
        stamp = (timestamp + number * 3000) & 0xFFFFFFFF
        self.from_publisher(rtcp.build_sender_report(rtcp.SenderInfo(ssrc, ntp, stamp, 1, 2)))

    def from_publisher(self, compound: bytes) -> None:
        assert self.publisher.sink is not None
        self.publisher.sink.on_rtcp(compound, self.time.now_ns)

    def from_subscriber(self, compound: bytes, index: int = 0) -> None:
        sink = self.subscribers[index].sink
        assert sink is not None
        sink.on_rtcp(compound, self.time.now_ns)


LAYERS = {"l": (30, 60_000, 1_000), "h": (40, 100, 0xFFFF_F000)}
"""Rid -> SSRC, first sequence number, first RTP time."""


def extensions(elements: dict[int, bytes]) -> bytes:
    """A header extension of one-byte elements (RFC 8285)."""
    body = b"".join(bytes([number << 4 | len(data) - 1]) + data for number, data in elements.items())
    body += bytes(-len(body) % 4)
    return struct.pack("!HH", 0xBEDE, len(body) // 4) + body


def fields(packet: bytes) -> tuple[int, int, int, int]:
    """(payload type, sequence, timestamp, ssrc)."""
    second, sequence, timestamp, ssrc = struct.unpack_from("!xBHII", packet)
    return second & 0x7F, sequence, timestamp, ssrc
