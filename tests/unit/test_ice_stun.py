"""STUN: what we write we read, and anything else is a refusal with a reason."""

from __future__ import annotations

import contextlib
import secrets
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.ice import stun

PASSWORD = "p" * 24


def request(**options: bool) -> bytes:
    return stun.request(secrets.token_bytes(12), "mine", "yours", PASSWORD, 7, **options)


def reason(data: bytes) -> str:
    with pytest.raises(stun.StunRefused) as caught:
        stun.parse(data)
    return caught.value.reason


def with_attribute(data: bytes, kind: int, value: bytes) -> bytes:
    """The message with one more attribute in front, lengths right, signature and fingerprint stale."""
    attribute = struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)
    body = attribute + data[20:]
    return data[:2] + struct.pack("!H", len(body)) + data[4:20] + body


def test_a_request_of_ours_is_read_back() -> None:
    message = stun.parse(request(controlling=True, use_candidate=True))
    assert message.is_request
    assert message.use_candidate
    assert not message.peer_is_controlled
    assert message.ufrags == ("yours", "mine")
    assert message.signed_with(PASSWORD)
    assert not message.signed_with(PASSWORD[:-1] + "q")


@pytest.mark.parametrize("address", [("192.0.2.1", 40000), ("2001:db8::1", 1)])
def test_an_answer_is_signed_and_carries_the_same_transaction(address: tuple[str, int]) -> None:
    asked = stun.parse(request())
    answer = stun.parse(stun.success(asked, address, "q" * 24))
    assert answer.is_success
    assert answer.transaction == asked.transaction
    assert answer.signed_with("q" * 24)


def test_a_role_conflict_is_an_error_and_no_success() -> None:
    answer = stun.parse(stun.role_conflict(stun.parse(request()), PASSWORD))
    assert not answer.is_success
    assert not answer.is_request


def test_our_ufrag_is_found_without_parsing() -> None:
    assert stun.ufrag_of(request()) == "yours"
    assert stun.ufrag_of(b"") is None
    assert stun.ufrag_of(bytes(20)) is None


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "length"),
        (bytes(19), "length"),
        (bytes(21), "length"),
        (bytes(1284), "length"),
        (request()[:-4], "length"),
        (request()[:4] + b"\0\0\0\0" + request()[8:], "cookie"),
        (b"\0\3" + request()[2:], "type"),
        (b"\0\x11" + request()[2:], "type"),
        (flipped(request()), "fingerprint"),
        (with_attribute(request(), 0x0006, b"a:b"), "attribute_repeated"),
        (with_attribute(request(), 0x0033, b"abcd"), "attribute_unknown"),
        (with_attribute(request(), 0x8022, b"x"), "fingerprint"),
        (with_attribute(request(), 0x0020, b"x"), "attribute_value"),
        (request()[:22] + b"\xff\xff" + request()[24:], "attribute_length"),
    ],
    ids=lambda value: value if isinstance(value, str) else "message",  # the bytes are drawn anew each time
)
def test_a_wrong_message_is_refused_with_its_reason(data: bytes, expected: str) -> None:
    assert reason(data) == expected
    assert expected in stun.REASONS


def test_a_message_without_fingerprint_is_refused() -> None:
    data = request()
    cut = data[:2] + struct.pack("!H", len(data) - 28) + data[4:-8]
    assert reason(cut) == "fingerprint"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    stun.ufrag_of(data)
    with contextlib.suppress(stun.StunRefused):
        stun.parse(data)


@given(st.integers(0, 3), st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=8))
def test_any_attributes_are_read_or_refused(kind: int, attributes: list[tuple[int, bytes]]) -> None:
    body = b"".join(
        struct.pack("!HH", number, len(value)) + value + bytes(-len(value) % 4)
        for number, value in attributes
    )
    types = (0x0001, 0x0101, 0x0111, 0x0011)
    data = struct.pack("!HHI", types[kind], len(body), 0x2112A442) + bytes(12) + body
    stun.ufrag_of(data)
    with contextlib.suppress(stun.StunRefused):
        stun.parse(data)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_one_changed_byte_is_refused_or_breaks_the_signature(position: int, change: int) -> None:
    data = bytearray(request())
    data[position % len(data)] ^= change
    try:
        message = stun.parse(bytes(data))
    except stun.StunRefused:
        return
    assert not message.signed_with(PASSWORD)
