"""What a relay may answer is read strictly: right bytes are understood, all others are one kind of error."""

from __future__ import annotations

import contextlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.runtime.turn_client import (
    ALLOCATE,
    CHANNEL_BIND,
    CONNECT,
    DATA,
    ERROR,
    INDICATION,
    REQUEST,
    SUCCESS,
    Message,
    TurnError,
    decode,
    encode,
    pack_address,
    unpack_address,
)
from server.turn import RelayAddress, relay_address


@given(
    st.sampled_from([ALLOCATE, DATA, CHANNEL_BIND, CONNECT]),
    st.sampled_from([REQUEST, INDICATION, SUCCESS, ERROR]),
    st.dictionaries(st.integers(1, 0xFFFF), st.binary(max_size=40), max_size=5),
)
def test_a_message_is_read_back_as_it_was_written(
    method: int, kind: int, attributes: dict[int, bytes]
) -> None:
    message = Message(method, kind, os.urandom(12), attributes)
    assert decode(encode(message)) == message


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(TurnError):
        decode(data)


@given(st.data())
def test_a_changed_answer_raises_nothing_else(data: st.DataObject) -> None:
    whole = bytearray(encode(Message(ALLOCATE, SUCCESS, bytes(12), {0x16: bytes(8), 0xD: bytes(4)})))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(TurnError):
        decode(bytes(whole[: data.draw(st.integers(0, len(whole)))]))


@given(st.ip_addresses(), st.integers(0, 0xFFFF), st.binary(min_size=12, max_size=12))
def test_an_address_is_read_back_as_it_was_written(address: object, port: int, transaction: bytes) -> None:
    assert unpack_address(pack_address(str(address), port, transaction), transaction) == (str(address), port)


@pytest.mark.parametrize(
    ("url", "relay"),
    [
        ("turns:turn.example.org:443?transport=tcp", RelayAddress("turn.example.org", 443, "tls")),
        ("turns:turn.example.org", RelayAddress("turn.example.org", 5349, "tls")),
        ("turn:192.0.2.1", RelayAddress("192.0.2.1", 3478, "udp")),
        ("turn:192.0.2.1:80?transport=tcp", RelayAddress("192.0.2.1", 80, "tcp")),
        ("turns:[2001:db8::1]:443", RelayAddress("2001:db8::1", 443, "tls")),
        ("turns:[2001:db8::1]", RelayAddress("2001:db8::1", 5349, "tls")),
    ],
)
def test_an_address_of_a_relay_is_taken_apart(url: str, relay: RelayAddress) -> None:
    assert relay_address(url) == relay
