"""The hub on real sockets: TCP frames, address claims, ports, uvloop."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import struct
import time
from collections.abc import AsyncIterator

import pytest
import uvloop

from media.ice import hub as hubs
from media.ice import stun, tcp
from media.ice.addresses import interface_addresses
from media.ice.endpoint import Path
from media.ice.hub import IceHub, UdpPath
from media.ice.tcp import MAX_FRAME_BYTES, TcpPath
from tests.integration.transport_peers import until
from tests.integration.transport_synthetic import Pair
from tests.support.native import WAYS, drain


@pytest.fixture(params=WAYS)
async def hub(request: pytest.FixtureRequest) -> AsyncIterator[IceHub]:
    made = await IceHub.open(drain=drain(request.param))
    yield made
    await made.close()
    assert made.counters["handler_failed"] == 0


class Watcher:
    """An endpoint that writes down what it is given."""

    inbound = None

    def __init__(self) -> None:
        self.stun: list[Path] = []
        self.dtls: list[bytes] = []
        self.srtp: list[bytes] = []
        self.lost: list[Path] = []
        self.ticks = 0
        self.gaps: list[int] = []

    def on_stun(self, data: bytes, path: Path, now_ns: int) -> None:
        self.stun.append(path)

    def on_dtls(self, data: bytes, path: Path, now_ns: int) -> None:
        self.dtls.append(data)

    def on_srtp(self, data: memoryview, now_ns: int) -> None:
        self.srtp.append(bytes(data))

    def on_path_lost(self, path: Path) -> None:
        self.lost.append(path)

    def on_tick(self, now_ns: int) -> None:
        self.ticks += 1

    def on_stood_still(self, gap_ns: int) -> None:
        self.gaps.append(gap_ns)


def binding_request(ufrag: str = "ours") -> bytes:
    return stun.request(secrets.token_bytes(12), "peer", ufrag, "p" * 24, 1)


def loopback(hub: IceHub) -> socket.socket:
    """The hub's socket that receives what is sent to 127.0.0.1."""
    return next(sock for sock in hub._sockets if sock.getsockname()[0] == "127.0.0.1")


def framed(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


async def test_udp_and_tcp_share_one_port_on_ipv4_and_ipv6(hub: IceHub) -> None:
    assert hub.udp_port == hub.tcp_port
    for host in ("127.0.0.1", "::1"):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host, hub.udp_port)
            writer.close()
    lines = hub.candidates()
    assert {line.port for line in lines} == {hub.udp_port}
    assert lines[0].transport == "udp"


async def test_a_taken_port_is_an_error(hub: IceHub) -> None:
    with pytest.raises(OSError, match="in use"):
        await IceHub.open("127.0.0.1", hub.udp_port)


async def test_the_receive_buffer_is_raised(hub: IceHub) -> None:
    default = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    before = default.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    default.close()
    assert loopback(hub).getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= before


async def test_a_tcp_connection_belongs_to_the_session_its_stun_names(hub: IceHub) -> None:
    watcher = Watcher()
    hub.register("ours", watcher)
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.udp_port)
    data = framed(binding_request())
    for at in range(0, len(data), 7):  # frames arrive in pieces
        writer.write(data[at : at + 7])
        await asyncio.sleep(0)
    await until(lambda: bool(watcher.stun))
    path = watcher.stun[0]
    hub.claim(path, watcher, proven=False)
    writer.write(framed(b"\x80\x6f" + bytes(20)) + framed(bytes([22]) * 30) + framed(b"") + framed(b"\x7f"))
    await until(lambda: bool(watcher.srtp and watcher.dtls))
    assert path.send(b"hello")
    assert await reader.readexactly(7) == framed(b"hello")
    writer.close()
    await until(lambda: watcher.lost == [path])
    assert not path.send(b"gone")


@pytest.mark.parametrize(
    "rubbish",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        framed(b"\x80" * 40),
        framed(b""),
        struct.pack("!H", MAX_FRAME_BYTES + 1),
        b"\xff" * 5000,
    ],
)
async def test_a_tcp_connection_that_speaks_something_else_is_dropped(hub: IceHub, rubbish: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.udp_port)
    writer.write(rubbish)
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    assert not hub._tcp


async def test_a_tcp_connection_that_proves_nothing_is_dropped(
    hub: IceHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tcp, "UNPROVEN_S", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.udp_port)
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    assert hub.counters["tcp_unproven"] == 1


@pytest.mark.parametrize("limit", ["MAX_UNPROVEN", "MAX_UNPROVEN_PER_ADDRESS"])
async def test_unproven_tcp_connections_are_limited(
    hub: IceHub, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(tcp, limit, 2)
    opened = [await asyncio.open_connection("127.0.0.1", hub.udp_port) for _ in range(4)]
    await until(lambda: hub.counters["tcp_refused"] == 2)
    for _, writer in opened:
        writer.close()


async def test_a_slow_tcp_reader_loses_packets_and_holds_no_memory(hub: IceHub) -> None:
    watcher = Watcher()
    hub.register("ours", watcher)
    _, writer = await asyncio.open_connection("127.0.0.1", hub.udp_port)
    writer.write(framed(binding_request()))
    await until(lambda: bool(watcher.stun))
    hub.claim(watcher.stun[0], watcher, proven=True)
    sent = [watcher.stun[0].send(bytes(1200)) for _ in range(20_000)]
    assert not all(sent)
    path = watcher.stun[0]
    assert isinstance(path, TcpPath)
    assert path._transport is not None
    assert path._transport.get_write_buffer_size() < 2 * tcp.WRITE_LIMIT_BYTES
    writer.close()


async def test_an_unproven_claim_takes_no_address_and_a_proven_one_does(hub: IceHub) -> None:
    first, second = Watcher(), Watcher()
    path = UdpPath(hub, loopback(hub), ("192.0.2.1", 5))
    hub.claim(path, first, proven=True)
    hub.claim(path, second, proven=False)
    assert hub._tables[path.sock][path.source][0] is first
    hub.claim(path, second, proven=True)
    assert hub._tables[path.sock][path.source][0] is second
    assert first.lost == [path]
    hub.release(path, first)
    assert hub._tables[path.sock][path.source][0] is second
    hub.release(path, second)
    assert not hub._tables[path.sock]


async def test_endpoints_hear_the_clock_and_of_a_machine_that_stood_still(
    hub: IceHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = Watcher()
    hub.add(watcher)
    hub._ticked_ns -= 10_000_000_000
    monkeypatch.setattr(hubs, "TICK_S", 0.01)
    await until(lambda: watcher.ticks >= 2)
    assert len(watcher.gaps) == 1
    assert watcher.gaps[0] >= 10_000_000_000
    hub.remove(watcher)


@pytest.mark.parametrize("way", WAYS)
def test_everything_works_on_uvloop(way: str) -> None:
    async def story() -> None:
        for setup in ("active", "passive"):
            pair = await Pair.connected(setup=setup, way=way)
            for _ in range(20):
                await pair.flows()
            pair.peer.sock.sendto(b"", pair.peer.server)
            await pair.flows()
            await pair.session.restart_ice()
            await until(lambda pair=pair: len(pair.peer.offers) == 2 and pair.session._outstanding is None)
            await pair.flows()
            await pair.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(story())


class Busy(Watcher):
    """An endpoint that takes its time over each packet, as a loaded machine does."""

    def __init__(self, sender: socket.socket) -> None:
        super().__init__()
        self.at: list[int] = []
        self._sender = sender
        self.sent_ns = 0

    def on_srtp(self, data: memoryview, now_ns: int) -> None:
        super().on_srtp(data, now_ns)
        self.at.append(now_ns)
        if len(self.at) == 1:
            time.sleep(0.05)
            self.sent_ns = hubs.now_ns()
            self._sender.send(b"\x80\x6f" + bytes(20))  # comes while the first wake-up's drain goes on


async def test_no_packet_of_a_long_drain_seems_to_come_before_it_was_sent(hub: IceHub) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", hub.udp_port))
        busy = Busy(sender)
        hub.claim(UdpPath(hub, loopback(hub), sender.getsockname()), busy, proven=True)
        sender.send(b"\x80\x6f" + bytes(20))
        await until(lambda: len(busy.at) == 2)
        assert busy.at[1] >= busy.sent_ns


async def test_an_answer_leaves_from_the_address_that_was_asked(hub: IceHub) -> None:
    """Loopback asks every address of this machine: the routing alone would answer from loopback."""
    watcher = Watcher()
    hub.register("ours", watcher)
    for address in [text for text in interface_addresses() if ":" not in text]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind(("127.0.0.1", 0))
            sender.settimeout(2)
            sender.sendto(binding_request(), (address, hub.udp_port))
            await until(lambda: bool(watcher.stun))
            assert watcher.stun.pop().send(b"answer")
            assert sender.recvfrom(100) == (b"answer", (address, hub.udp_port))


async def test_the_port_is_shared_with_nobody(hub: IceHub) -> None:
    for address in ("0.0.0.0", "127.0.0.1"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            with pytest.raises(OSError, match="in use"):
                thief.bind((address, hub.udp_port))


async def test_one_peer_at_two_of_our_addresses_is_two_paths(hub: IceHub) -> None:
    first, second = hub._sockets[:2]
    watcher = Watcher()
    source = ("192.0.2.7", 4000)
    one, two = UdpPath(hub, first, source), UdpPath(hub, second, source)
    assert one != two
    hub.claim(one, watcher, proven=True)
    hub.claim(two, watcher, proven=False)
    hub.release(one, watcher)
    assert source not in hub._tables[first]
    assert hub._tables[second][source] == (watcher, two)
