"""The relay's sockets, on loopback: who is answered where, what a NAT and a firewall do, TCP left whole."""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest

from tests.support.impairment.aside import RelayAside
from tests.support.impairment.profile import CLEAN, Loss, Profile
from tests.support.impairment.relay import Relay
from tests.support.impairment.script import Change, Rebind, at, together


class Echo(asyncio.DatagramProtocol):
    """A server that answers every datagram with itself and remembers from where it came."""

    def __init__(self) -> None:
        self.sources: list[int] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.sources.append(addr[1])
        self.transport.sendto(data, addr)


class Client(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.got: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.got.append(data)

    def send(self, *data: bytes) -> None:
        for one in data:
            self.transport.sendto(one)


class EchoStream(asyncio.Protocol):
    """The same over TCP."""

    def __init__(self, open_ones: set[asyncio.Transport]) -> None:
        self._open = open_ones

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._open.add(self.transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open.discard(self.transport)


async def echoes(
    streams: set[asyncio.Transport],
) -> tuple[asyncio.DatagramTransport, Echo, asyncio.Server]:
    """Both on the same number: one that is free for UDP may be in use for TCP, then another is tried."""
    loop = asyncio.get_running_loop()
    while True:
        transport, echo = await loop.create_datagram_endpoint(Echo, ("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        try:
            server = await loop.create_server(lambda: EchoStream(streams), "127.0.0.1", port)
        except OSError:
            transport.close()
        else:
            return transport, echo, server


@asynccontextmanager
async def line(profile: Profile = CLEAN, seed: int = 1) -> AsyncIterator[tuple[Relay, Echo]]:
    """A relay before an echo that speaks UDP and TCP on one port."""
    streams = set[asyncio.Transport]()
    transport, echo, server = await echoes(streams)
    port = transport.get_extra_info("sockname")[1]
    try:
        async with Relay(port, profile, seed=seed) as relay:
            yield relay, echo
            assert relay.port != port
    finally:
        server.close()
        for one in list(streams):
            one.abort()
        transport.close()
        await asyncio.sleep(0.01)  # lets them be told


async def client(relay: Relay) -> Client:
    loop = asyncio.get_running_loop()
    _, made = await loop.create_datagram_endpoint(Client, remote_addr=("127.0.0.1", relay.port))
    return made


@asynccontextmanager
async def connection(relay: Relay) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def eventually(check: Callable[[], bool], timeout: float = 10.0) -> None:
    async with asyncio.timeout(timeout):
        while not check():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


async def test_each_client_is_a_source_of_its_own_and_gets_its_own_answers() -> None:
    async with line() as (relay, echo):
        one, two = await client(relay), await client(relay)
        one.send(b"\x80one", b"\x00one")
        two.send(b"\x80two")
        await eventually(lambda: len(one.got) == 2 and len(two.got) == 1)
        assert one.got == [b"\x80one", b"\x00one"]
        assert two.got == [b"\x80two"]
        assert len(set(echo.sources)) == 2 == len(relay.mappings())
        stats = relay.stats()
        assert stats["up"].entered == stats["up"].left == stats["down"].left == 3
        one.transport.close()
        two.transport.close()


async def test_the_way_there_and_back_takes_both_delays() -> None:
    async with line(Profile(delay_ms=60)) as (relay, _):
        loop, one = asyncio.get_running_loop(), await client(relay)
        start = loop.time()
        one.send(*(bytes([128, n]) for n in range(50)))
        await eventually(lambda: len(one.got) == 50)
        assert loop.time() - start >= 0.119
        assert one.got == [bytes([128, n]) for n in range(50)]
        one.transport.close()


async def test_two_runs_with_one_seed_lose_the_same_datagrams() -> None:
    runs = []
    for _ in range(2):
        async with line(Profile(loss=Loss.bursts(0.1, 3)), seed=5) as (relay, _):
            one = await client(relay)
            for n in range(400):
                one.send(struct.pack("!BH", 128, n))
                if n % 20 == 19:
                    await asyncio.sleep(0.001)
            up, down = relay.up.stats, relay.down.stats
            await eventually(lambda up=up: up.entered == 400)  # type: ignore[misc]
            await eventually(lambda up=up, down=down: down.entered == 400 - up.lost)  # type: ignore[misc]
            await eventually(lambda one=one, down=down: len(one.got) == down.entered - down.lost)  # type: ignore[misc]
            runs.append((one.got, up.lost, down.lost))
            one.transport.close()
    assert runs[0] == runs[1]
    assert runs[0][1] > 10
    assert runs[0][2] > 10


async def test_a_rebinding_gives_a_new_source_and_the_old_one_leads_nowhere() -> None:
    async with line() as (relay, echo):
        one = await client(relay)
        one.send(b"\x80before")
        await eventually(lambda: bool(one.got))
        relay.rebind()
        old, new = echo.sources[0], next(iter(relay.mappings().values()))
        assert old != new
        echo.transport.sendto(b"\x80to the old", ("127.0.0.1", old))
        one.send(b"\x80after")
        await eventually(lambda: len(one.got) == 2)
        await asyncio.sleep(0.05)
        assert one.got == [b"\x80before", b"\x80after"]
        assert echo.sources == [old, new]
        one.transport.close()


async def test_with_udp_blocked_nothing_passes_either_way_and_tcp_does() -> None:
    async with line() as (relay, echo):
        one = await client(relay)
        one.send(b"\x80first")
        await eventually(lambda: bool(one.got))
        relay.block_udp(True)
        one.send(b"\x80up")
        echo.transport.sendto(b"\x80down", ("127.0.0.1", echo.sources[0]))
        await eventually(lambda: relay.up.stats.blocked == relay.down.stats.blocked == 1)
        async with connection(relay) as (reader, writer):
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
        relay.block_udp(False)
        one.send(b"\x80again")
        await eventually(lambda: len(one.got) == 2)
        assert one.got == [b"\x80first", b"\x80again"]
        one.transport.close()


async def test_with_tcp_blocked_connections_are_reset() -> None:
    async with line() as (relay, _):
        async with connection(relay) as (reader, writer):
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            assert relay.connections == 1
            relay.block_tcp(True)
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(ended(reader), 20)
        async with connection(relay) as (other, _):
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(ended(other), 20)
        assert relay.connections == 0


async def ended(reader: asyncio.StreamReader) -> None:
    if not await reader.read(1):
        raise ConnectionError


async def test_frames_over_tcp_come_out_as_they_went_in() -> None:
    """RFC 4571 frames of every size, over a line that loses, delays and limits."""
    bad = Profile(delay_ms=10, jitter_ms=10, loss=Loss.bursts(0.02, 2), duplicate=0.1, reorder=0.1)
    dice = random.Random(9)
    frames = [dice.randbytes(dice.choice((0, 1, 20, 172, 1200, 1500))) for _ in range(300)]
    async with line(bad) as (relay, _):
        async with connection(relay) as (reader, writer), asyncio.timeout(20):
            for frame in frames:
                writer.write(struct.pack("!H", len(frame)) + frame)
            for frame in frames:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                assert await reader.readexactly(length) == frame
            assert relay.up.stats.bytes_in == relay.up.stats.bytes_out == sum(len(f) + 2 for f in frames)
        await eventually(lambda: relay.connections == 0)


async def test_tcp_waits_before_a_thin_line_and_loses_nothing() -> None:
    async with (
        line(Profile(rate_bps=4_000_000, queue_bytes=10_000)) as (relay, _),
        connection(relay) as (reader, writer),
    ):
        loop = asyncio.get_running_loop()
        data, start = random.Random(1).randbytes(300_000), loop.time()
        writer.write(data)
        assert await asyncio.wait_for(reader.readexactly(len(data)), 20) == data
        assert loop.time() - start >= 0.6
        assert relay.up.stats.queue_drops == 0


async def test_an_end_of_a_tcp_connection_comes_after_its_data() -> None:
    async with line(Profile(delay_ms=50)) as (relay, _):
        async with connection(relay) as (_, writer):
            writer.write(b"x" * 5000)
        await eventually(lambda: relay.up.stats.bytes_out == 5000)
        await eventually(lambda: not relay.ends)


async def test_a_server_that_is_not_there_resets_the_client() -> None:
    async with line() as (relay, _):
        relay.upstream = ("127.0.0.1", 1)
        async with connection(relay) as (reader, _):
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(ended(reader), 20)


async def test_who_connects_in_the_dark_gets_through_at_a_repeated_syn() -> None:
    async with line() as (relay, _):
        relay.black_out(True)
        began = asyncio.get_running_loop().time()
        async with connection(relay) as (reader, writer):
            writer.write(b"x")
            await eventually(lambda: bool(relay._reaching))
            await asyncio.sleep(0.1)
            relay.black_out(False)
            assert await asyncio.wait_for(reader.readexactly(1), 5) == b"x"
        assert asyncio.get_running_loop().time() - began >= 0.9


async def test_a_script_works_on_the_relay() -> None:
    async with line() as (relay, _):
        one = await client(relay)
        one.send(b"\x80a")
        await eventually(lambda: bool(one.got))
        playing = relay.play(together(at(0.05, Rebind()), at(0.1, Change(Profile(delay_ms=5), "up"))))
        await eventually(lambda: playing.finished)
        assert relay.rebindings == 1
        assert relay.up.profile.delay_ms == 5
        assert relay.down.profile == CLEAN
        one.transport.close()


async def test_a_relay_on_a_thread_is_asked_and_answers() -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echo, ("127.0.0.1", 0))
    with RelayAside(transport.get_extra_info("sockname")[1], Profile(delay_ms=5)) as aside:
        _, one = await loop.create_datagram_endpoint(Client, remote_addr=("127.0.0.1", aside.port))
        one.send(b"\x80a")
        await eventually(lambda: bool(one.got))
        assert aside.stats()["up"]["left"] == 1
        assert aside.ask(lambda relay: len(relay.mappings())) == 1
        with pytest.raises(ZeroDivisionError):
            aside.ask(lambda _: 1 // 0)
        one.transport.close()
    transport.close()
