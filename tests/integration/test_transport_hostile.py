"""What nobody should send: copies, forgeries and rubbish move no media, close no session, raise nothing."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import socket
import struct
from collections.abc import AsyncIterator

import pytest

from media.aiortc_seam import Certificate, Dtls
from media.ice import stun
from media.ice.hub import IceHub, now_ns
from media.session import Session
from media.transport import HANDSHAKE_LIMIT_NS
from tests.integration.transport_peers import until
from tests.integration.transport_synthetic import SSRC, Pair, SyntheticPeer
from tests.support.native import WAYS


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def pair(way: str) -> AsyncIterator[Pair]:
    made = await Pair.connected(way=way)
    await made.flows()
    yield made
    await made.close()
    assert made.hub.counters["handler_failed"] == 0


def read_all(sock: socket.socket) -> list[bytes]:
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(sock.recv(2048))
    return found


async def media_stays(pair: Pair, intruder: socket.socket, sent: int) -> None:
    """Nothing but a bounded STUN answer reaches the intruder, the peer has everything."""
    for _ in range(5):
        await pair.flows()
    await asyncio.sleep(0.1)
    got = read_all(intruder)
    assert all(data[0] < 4 for data in got)
    assert sum(map(len, got)) <= 3 * sent
    assert pair.session.transport.agent.selected is not None
    assert pair.session.transport.agent.selected.address == pair.peer.sock.getsockname()[:2]
    assert pair.session.state == "connected"


async def test_a_copy_of_a_valid_request_from_a_second_socket_moves_nothing_and_gets_nothing(
    pair: Pair,
) -> None:
    intruder = pair.peer.new_socket(silent=True)
    for request in pair.peer.requests[:]:
        intruder.sendto(request, pair.peer.server)
    await media_stays(pair, intruder, 0)
    assert pair.session.transport.agent.counters["replayed"] >= 1


async def test_a_copy_that_overtakes_its_original_moves_nothing(pair: Pair) -> None:
    intruder = pair.peer.new_socket(silent=True)
    sent = 0
    for _ in range(5):
        request = pair.peer.request()
        intruder.sendto(request, pair.peer.server)
        sent += len(request)
        await asyncio.sleep(0.02)
        pair.peer.sock.sendto(request, pair.peer.server)
    await media_stays(pair, intruder, sent)


async def test_a_third_address_that_never_answers_our_check_gets_no_media(pair: Pair) -> None:
    pair.peer.checking = False
    victim = pair.peer.new_socket(silent=True)
    sent = len(pair.peer.check(victim))
    await media_stays(pair, victim, sent)


async def test_a_third_address_whose_answer_is_signed_with_another_password_gets_no_media(pair: Pair) -> None:
    pair.peer.checking = False
    intruder = pair.peer.new_socket(silent=True)
    sent = len(pair.peer.check(intruder))
    await asyncio.sleep(0.1)
    checks = [stun.parse(data) for data in read_all(intruder)]
    for message in checks:
        if message.is_request:
            forged = stun.success(message, ("127.0.0.1", 1), "another-password-entirely")
            intruder.sendto(forged, pair.peer.server)
    assert any(message.is_request for message in checks)
    await media_stays(pair, intruder, sent)
    assert pair.session.transport.agent.counters["answer_integrity"] == 1


async def test_an_address_that_answers_our_check_gets_the_media(pair: Pair) -> None:
    pair.peer.checking = False
    moved = pair.peer.new_socket()
    pair.peer.check(moved)
    agent = pair.session.transport.agent
    await until(lambda: agent.selected is not None and agent.selected.address == moved.getsockname()[:2])
    pair.peer.sock = moved
    await pair.flows()
    assert pair.sink.states == ["connected"]


async def test_an_address_without_nomination_gets_no_media_even_when_it_answers(pair: Pair) -> None:
    other = pair.peer.new_socket()
    pair.peer.check(other, use_candidate=False)
    await asyncio.sleep(0.2)
    await pair.flows()
    agent = pair.session.transport.agent
    assert agent.selected is not None
    assert agent.selected.address == pair.peer.sock.getsockname()[:2]


async def test_rubbish_from_anywhere_closes_nothing(pair: Pair) -> None:
    stranger = pair.peer.new_socket(silent=True)
    rubbish = [b"", b"\0", bytes(20), bytes(2048), b"\xff" * 100, b"\x40abc"]
    rubbish += [bytes([first]) + secrets.token_bytes(size) for first in range(256) for size in (0, 11, 40)]
    valid = pair.peer.request()
    rubbish += [valid[:size] for size in range(0, len(valid), 3)]
    rubbish += [valid[:-5] + b"\0" + valid[-4:], valid + b"\0\0\0\0"]
    for sock in (stranger, pair.peer.sock):
        for data in rubbish:
            sock.sendto(data, pair.peer.server)
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.2)
    assert read_all(stranger) == []
    await pair.flows()
    assert pair.sink.states == ["connected"]


async def test_wrong_message_integrity_is_not_answered(pair: Pair) -> None:
    stranger = pair.peer.new_socket(silent=True)
    forged = stun.request(
        secrets.token_bytes(12), pair.peer.ufrag, pair.peer.server_ufrag, "wrong-password-of-24-chars", 1
    )
    stranger.sendto(forged, pair.peer.server)
    await media_stays(pair, stranger, 0)
    assert pair.session.transport.agent.counters["integrity"] == 1


async def test_dtls_rubbish_and_forged_alerts_do_not_end_the_session(pair: Pair) -> None:
    alert = bytes([21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40])
    encrypted_alert = bytes([21, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, 26]) + secrets.token_bytes(26)
    for data in (alert, encrypted_alert, bytes([22, 254, 253]) + bytes(30), bytes([23]) * 60, bytes([20])):
        pair.peer.sock.sendto(data, pair.peer.server)
    await asyncio.sleep(0.2)
    await pair.flows()
    assert pair.sink.states == ["connected"]


async def test_a_second_client_hello_and_mangled_records_do_not_disturb_an_established_session(
    pair: Pair,
) -> None:
    hello: list[bytes] = []
    other = Dtls(Certificate(), hello.append)
    handshake = asyncio.ensure_future(
        other.run([Certificate().fingerprint], server=False, on_keys=lambda keys: None)
    )
    await until(lambda: bool(hello))
    await other.close()
    await handshake
    numbers = random.Random(7)
    for _ in range(600):
        data = bytearray(numbers.choice(hello))
        for _ in range(numbers.randrange(4)):
            data[numbers.randrange(len(data))] = numbers.randrange(256)
        data[0] = numbers.choice((20, 21, 22, 23, 24, 25, 26, 40, 63))
        data[4] = numbers.choice((0, 1, 1, 2))
        pair.peer.sock.sendto(bytes(data), pair.peer.server)
        await asyncio.sleep(0)
    await asyncio.sleep(0.2)
    await pair.flows()
    assert pair.sink.states == ["connected"]


async def test_a_peer_that_never_shakes_hands_has_failed_after_thirty_seconds() -> None:
    hub = await IceHub.open("127.0.0.1")
    peer = SyntheticPeer()
    session = Session.create(hub=hub, peer="p", connection="c", on_offer=peer.offers.append)
    transport = session.transport
    try:
        transport.on_tick(now_ns())
        assert transport.state == "connecting"
        transport._started_ns -= HANDSHAKE_LIMIT_NS
        transport.agent.state = "connected"
        transport.on_tick(now_ns())
        assert session.state == "failed"
    finally:
        await session.close()
        await peer.close()
        await hub.close()


async def test_rtcp_with_lying_lengths_reaches_the_sink_whole_and_closes_nothing(pair: Pair) -> None:
    assert pair.peer.srtp is not None
    lies = [
        struct.pack("!BBHI", 0x9F, 201, 0xFFFF, SSRC["audio"]),
        struct.pack("!BBHI", 0x81, 206, 0, SSRC["audio"]) + b"\xff" * 5,
        struct.pack("!BBHI", 0xBF, 205, 1, SSRC["audio"]) + b"\0" * 40,
    ]
    for packet in lies:
        pair.peer.srtp.send_rtcp(packet)
    await until(lambda: len(pair.sink.rtcp) == len(lies))
    await pair.flows()


async def test_rtp_whose_extension_or_csrcs_pass_the_end_is_refused_before_the_sink(pair: Pair) -> None:
    assert pair.peer.srtp is not None
    before = pair.sink.rtp_count
    header = struct.pack("!BHII", 111, 500, 0, SSRC["camera"])
    for packet in (
        bytes([0x8F]) + header + b"short",
        bytes([0x90]) + header + struct.pack("!HH", 0xBEDE, 200) + b"abcd",
        bytes([0xA0]) + header + b"padding\xff",
        bytes([0xA0]) + header + b"padding\x00",
    ):
        buffer = bytearray(packet + bytes(64))
        pair.peer.srtp.send(buffer, len(packet))
    await asyncio.sleep(0.1)
    assert pair.sink.rtp_count == before
    await pair.flows()


async def test_a_replayed_srtp_packet_reaches_the_sink_once(pair: Pair) -> None:
    kept: list[bytes] = []
    assert pair.peer.srtp is not None
    original = pair.peer.srtp.out
    pair.peer.srtp.out = lambda data: (kept.append(bytes(data)), original(data))[1]
    await pair.flows()
    before = pair.sink.rtp_count
    for _ in range(5):
        pair.peer.sock.sendto(kept[0], pair.peer.server)
    await asyncio.sleep(0.1)
    assert pair.sink.rtp_count == before


async def test_srtp_from_an_unknown_source_is_not_even_tried(pair: Pair) -> None:
    stranger = pair.peer.new_socket(silent=True)
    assert pair.session.transport.srtp is not None
    before = pair.session.transport.srtp.dropped_in
    stranger.sendto(b"\x80\x6f" + bytes(60), pair.peer.server)
    await asyncio.sleep(0.1)
    assert pair.session.transport.srtp.dropped_in == before
    assert pair.hub.counters["unknown_source"] >= 1


async def test_a_flood_of_unknown_ufrags_leaves_the_session_alone(pair: Pair) -> None:
    stranger = pair.peer.new_socket(silent=True)
    for _ in range(400):
        request = stun.request(secrets.token_bytes(12), "aaaa", secrets.token_hex(4), "x" * 24, 1)
        stranger.sendto(request, pair.peer.server)
    await asyncio.sleep(0.2)
    assert pair.hub.counters["unknown_ufrag_flood"] > 100
    await pair.flows()


async def test_a_flood_with_a_known_ufrag_does_not_silence_the_peer(pair: Pair) -> None:
    stranger = pair.peer.new_socket(silent=True)
    for _ in range(1000):
        stranger.sendto(pair.peer.request()[:-1] + b"\0", pair.peer.server)
    await asyncio.sleep(0.3)
    assert pair.session.transport.agent.counters["stun_rate"] > 100
    before = pair.session.transport.agent._alive_ns
    await until(lambda: pair.session.transport.agent._alive_ns > before)
    await pair.flows()


async def test_a_sink_that_raises_is_counted_and_the_next_packet_comes(way: str) -> None:
    pair = await Pair.connected(way=way)
    try:

        def raises(packet: bytes) -> None:
            raise RuntimeError("the sink's own fault")

        pair.sink.on_packet = raises
        await pair.flows()
        await pair.flows()
        assert pair.hub.counters["handler_failed"] == 2
        assert pair.session.state == "connected"
    finally:
        await pair.close()


async def test_a_peer_that_says_goodbye_in_dtls_ends_its_session(pair: Pair) -> None:
    await pair.peer._dtls.close()
    await until(lambda: pair.sink.states[-1] == "closed")


@pytest.mark.parametrize(("host", "setup"), [("127.0.0.1", "passive"), ("::1", "active")])
async def test_a_peer_over_ipv6_or_as_dtls_server_connects(host: str, setup: str, way: str) -> None:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        probe.bind(("::1", 0))
        made = await Pair.connected(host, setup=setup, way=way)
        try:
            await made.flows()
        finally:
            await made.close()
        return
    pytest.skip("no IPv6 here")


async def test_ten_thousand_datagrams_of_rubbish_do_not_disturb_a_call(pair: Pair) -> None:
    """From a stranger and under the peer's own address; the call's packets go both ways all the while."""
    stranger = pair.peer.new_socket(silent=True)
    chance = random.Random(7)
    rtp = struct.pack("!BBHII", 0x90, 111, 9, 9, SSRC["audio"]) + struct.pack("!HH", 0xBEDE, 400)
    rtcp = struct.pack("!BBHI", 0x81, 201, 0xFFFF, SSRC["audio"])
    heads = [b"", rtp, rtcp, pair.peer.request()[:20], bytes([22, 254, 253]), bytes([23, 254, 253]), b"\xff"]
    for _ in range(100):
        for number in range(100):
            sock = stranger if number % 2 else pair.peer.sock
            with contextlib.suppress(BlockingIOError):
                sock.sendto(chance.choice(heads) + chance.randbytes(chance.randrange(1200)), pair.peer.server)
        await pair.flows()
    assert pair.sink.states == ["connected"]
    assert all(data[0] < 4 for data in read_all(stranger))
    assert pair.hub.counters["handler_failed"] == 0
    assert pair.hub.counters["first_byte"] > 100
