"""A probe answers checks and nothing else: it proves no address, keeps nothing, and ends by itself."""

from __future__ import annotations

import asyncio
import re
import secrets
import struct
from collections.abc import AsyncIterator

import pytest

from media.ice import stun
from media.ice.hub import IceHub, now_ns
from media.probe import LIFE_NS, MAX_PROBES, Probes


@pytest.fixture
async def hub() -> AsyncIterator[IceHub]:
    opened = await IceHub.open("127.0.0.1")
    yield opened
    await opened.close()


def found(sdp: str, name: str) -> str:
    match = re.search(rf"a={name}:(\S+)", sdp)
    assert match is not None
    return match[1]


def check(sdp: str, password: str | None = None) -> bytes:
    """What a browser sends: a binding request with USE-CANDIDATE."""
    ours = found(sdp, "ice-ufrag")
    return stun.request(
        secrets.token_bytes(12), "page", ours, password or found(sdp, "ice-pwd"), 1,
        controlling=True, use_candidate=True,
    )  # fmt: skip


class Udp(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.heard.put_nowait(data)

    def send(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.sendto(data)


@pytest.fixture
async def page(hub: IceHub) -> AsyncIterator[Udp]:
    loop = asyncio.get_running_loop()
    transport, udp = await loop.create_datagram_endpoint(Udp, remote_addr=("127.0.0.1", hub.udp_port))
    yield udp
    transport.close()


async def quiet(udp: Udp) -> None:
    """What was sent before has been read by now: an answered check comes back behind it."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(udp.heard.get(), 0.2)


async def test_a_check_over_udp_is_answered_and_proves_no_address(hub: IceHub, page: Udp) -> None:
    probes = Probes(hub)
    sdp = probes.open()
    assert sdp is not None
    page.send(check(sdp))
    answer = stun.parse(await asyncio.wait_for(page.heard.get(), 20))
    assert answer.is_success
    assert answer.signed_with(found(sdp, "ice-pwd"))
    (probe,) = probes._open
    assert probe.agent.selected is None
    await quiet(page)  # no check of ours either: there is no password to sign it with


async def test_a_check_over_tcp_is_answered(hub: IceHub) -> None:
    probes = Probes(hub)
    sdp = probes.open()
    assert sdp is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.tcp_port)
    data = check(sdp)
    writer.write(struct.pack("!H", len(data)) + data)
    (size,) = struct.unpack("!H", await asyncio.wait_for(reader.readexactly(2), 20))
    assert stun.parse(await reader.readexactly(size)).is_success
    probes.close()
    assert await asyncio.wait_for(reader.read(), 20) == b"", "its connection goes with it"
    writer.close()


async def test_a_wrong_password_a_hello_and_media_are_answered_by_nothing(hub: IceHub, page: Udp) -> None:
    probes = Probes(hub)
    sdp = probes.open()
    assert sdp is not None
    page.send(check(sdp, "not-the-password-at-all"))
    page.send(check(sdp))
    await asyncio.wait_for(page.heard.get(), 20)
    page.send(b"\x16\xfe\xff" + bytes(60))  # a DTLS hello
    page.send(b"\x80\x60" + bytes(60))  # an RTP packet
    await quiet(page)
    assert hub.counters["handler_failed"] == 0


async def test_a_probe_ends_by_itself_and_leaves_nothing(hub: IceHub, page: Udp) -> None:
    probes = Probes(hub)
    sdp = probes.open()
    assert sdp is not None
    (probe,) = probes._open
    probe.on_tick(now_ns())
    assert len(probes) == 1
    probe.on_tick(now_ns() + LIFE_NS + 1)
    assert len(probes) == 0
    page.send(check(sdp))
    await quiet(page)
    assert hub.counters["unknown_ufrag"] == 1
    assert not hub._by_ufrag
    assert not hub._endpoints


async def test_there_are_never_more_than_some(hub: IceHub) -> None:
    probes = Probes(hub)
    assert all(probes.open() for _ in range(MAX_PROBES))
    assert probes.open() is None
    probes.close()
    assert probes.open() is not None
