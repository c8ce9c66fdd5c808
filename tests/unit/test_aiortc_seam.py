"""The contract with aiortc, OpenSSL and pylibsrtp: every private name we use, and the seam itself."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import pytest
from aiortc import rtcdtlstransport
from aiortc.rtcdtlstransport import RTCDtlsTransport, State
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

from media.aiortc_seam import PROFILES, Certificate, Dtls, SrtpKeys, plain_alert, split_records


def test_the_pinned_versions_are_the_ones_the_seam_was_written_for() -> None:
    assert (version("aiortc"), version("aioice"), version("pylibsrtp")) == ("1.16.0", "0.13.0", "1.0.0")


def test_every_private_name_of_the_dtls_transport_is_where_it_was() -> None:
    class Ice:
        role = "controlled"

    transport: Any = RTCDtlsTransport(Ice(), [Certificate().inner])
    for name in ("_role", "_state", "_task", "_rx_srtp", "_tx_srtp", "_srtp_profiles", "_ssl", "transport"):
        assert hasattr(transport, name), name
    for name in ("_write_ssl", "_recv_next", "_do_handshake", "start", "stop"):
        assert inspect.iscoroutinefunction(getattr(RTCDtlsTransport, name)), name
    assert list(inspect.signature(RTCDtlsTransport._handle_rtp_data).parameters) == [
        "self",
        "data",
        "arrival_time_ms",
    ]
    assert list(inspect.signature(RTCDtlsTransport._handle_rtcp_data).parameters) == ["self", "data"]
    source = inspect.getsource(RTCDtlsTransport)
    assert source.count("self._write_ssl()") >= 4
    assert "self.transport._recv()" in source
    assert "self._task = asyncio.ensure_future(self.__run())" in source
    assert {state.name for state in State} >= {"NEW", "CONNECTED", "FAILED", "CLOSED"}


def test_received_packets_are_checked_for_replay() -> None:
    source = inspect.getsource(rtcdtlstransport.RTCDtlsTransport._setup_srtp)
    assert "rx_policy.window_size = 1024" in source


def test_gcm_is_preferred_and_available() -> None:
    assert [profile.openssl_profile for profile in PROFILES][:2] == [
        b"SRTP_AEAD_AES_256_GCM",
        b"SRTP_AEAD_AES_128_GCM",
    ]


def test_libsrtp_is_reached_through_the_session() -> None:
    policy = Policy(
        key=bytes(44), ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=PROFILES[0].libsrtp_profile
    )
    session = Session(policy)
    buffer = bytearray(64)
    buffer[0] = 0x80
    length = ffi.new("int *", 20)
    assert lib.srtp_protect(session._srtp[0], ffi.from_buffer(buffer), length) == 0
    assert length[0] == 36
    for name in ("srtp_unprotect", "srtp_protect_rtcp", "srtp_unprotect_rtcp"):
        assert hasattr(lib, name)


async def handshake(lose_every: int = 0, forged: Sequence[bytes] = ()) -> tuple[SrtpKeys, SrtpKeys]:
    """Two ends joined by queues; every n-th datagram may be lost."""
    count = 0

    def carry(other: list[Dtls]) -> Any:
        def send(data: bytes) -> None:
            nonlocal count
            count += 1
            if not lose_every or count % lose_every:
                other[0].on_datagram(data)

        return send

    to_server: list[Dtls] = []
    to_client: list[Dtls] = []
    certificates = Certificate(), Certificate()
    server = Dtls(certificates[0], carry(to_client))
    client = Dtls(certificates[1], carry(to_server))
    to_server.append(server)
    to_client.append(client)
    for data in forged:
        server.on_datagram(data)
    keys: list[SrtpKeys] = []
    ends: list[SrtpKeys] = []
    both = asyncio.Event()

    def done(into: list[SrtpKeys]) -> Any:
        def take(found: SrtpKeys) -> None:
            into.append(found)
            if keys and ends:
                both.set()

        return take

    async with asyncio.TaskGroup() as group:
        first = group.create_task(server.run([certificates[1].fingerprint], server=True, on_keys=done(keys)))
        second = group.create_task(
            client.run([certificates[0].fingerprint], server=False, on_keys=done(ends))
        )
        async with asyncio.timeout(20):
            await both.wait()
        await client.close()
        await server.close()
    assert {first.result(), second.result()} == {"closed"}
    return keys[0], ends[0]


async def test_two_ends_shake_hands_and_understand_each_other() -> None:
    server, client = await handshake()
    assert server.profile == client.profile == "SRTP_AEAD_AES_256_GCM"
    packet = bytes([0x80, 111]) + bytes(30)
    assert client.receive.unprotect(server.send.protect(packet)) == packet
    assert server.receive.unprotect(client.send.protect(packet)) == packet


async def test_a_handshake_survives_lost_datagrams() -> None:
    await handshake(lose_every=4)


async def test_a_handshake_survives_forged_datagrams_before_it() -> None:
    numbers = random.Random(3)
    rubbish = [record(40)[:13] + numbers.randbytes(40) for _ in range(5)]
    await handshake(forged=[*rubbish, bytes([20]) * 30, bytes([63]) * 30])


async def test_a_peer_with_another_certificate_fails() -> None:
    ends: list[Dtls] = []
    server_certificate, client_certificate = Certificate(), Certificate()
    server = Dtls(server_certificate, lambda data: ends[1].on_datagram(data))
    client = Dtls(client_certificate, lambda data: ends[0].on_datagram(data))
    ends += [server, client]
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        refused = group.create_task(server.run([Certificate().fingerprint], server=True, on_keys=pytest.fail))
        group.create_task(
            client.run([server_certificate.fingerprint], server=False, on_keys=lambda keys: None)
        )
        await refused
        await client.close()
        await server.close()
    assert refused.result() == "failed"


async def test_the_queue_is_bounded_and_closing_it_ends_the_handshake() -> None:
    dtls = Dtls(Certificate(), lambda data: None)
    for _ in range(200):
        dtls.on_datagram(bytes([22]) + bytes(20))
    assert dtls.dropped > 100
    await dtls.close()
    await dtls.close()
    ended = await dtls.run([Certificate().fingerprint], server=True, on_keys=pytest.fail)
    assert ended == "failed"


def test_only_an_unencrypted_alert_is_a_plain_alert() -> None:
    assert plain_alert(bytes([21, 254, 253, 0, 0, 0]))
    assert not plain_alert(bytes([21, 254, 253, 0, 1, 0]))
    assert not plain_alert(bytes([22, 254, 253, 0, 0, 0]))


def record(size: int) -> bytes:
    return bytes([22, 254, 253]) + bytes(8) + size.to_bytes(2, "big") + bytes(size)


@given(st.lists(st.integers(0, 1400), max_size=8))
def test_a_flight_is_cut_between_records(sizes: list[int]) -> None:
    flight = b"".join(record(size) for size in sizes)
    datagrams = split_records(flight)
    assert b"".join(datagrams) == flight
    assert all(
        len(data) <= 1200 or len(data) == 13 + int.from_bytes(data[11:13], "big") for data in datagrams
    )


@given(st.binary(max_size=3000))
def test_any_bytes_can_be_cut(data: bytes) -> None:
    assert b"".join(split_records(data)) == data
