"""STUN binding messages of ICE (RFC 8489, RFC 8445), on aioice's codec, read strictly.

Must not know sockets, sessions or time. Whatever is wrong with a message becomes `StunRefused` with a reason.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from aioice import stun

HEADER_BYTES: Final = 20
MAX_BYTES: Final = 1280
MAX_ATTRIBUTES: Final = 32
MAX_USERNAME_BYTES: Final = 513
TRANSACTION_BYTES: Final = 12
_FILLER: Final = "\U0001f4de"
MAX_FILL: Final = 127 * len(_FILLER.encode())
"""SOFTWARE has less than 128 characters (RFC 8489 14.14), or Firefox drops the whole check: so long ones, of
four bytes."""

Address = tuple[str, int]

_REQUEST: Final = 0x0001
_RESPONSE: Final = 0x0101
_ERROR: Final = 0x0111
_INTEGRITY: Final = 0x0008
_FINGERPRINT: Final = 0x8028
_KNOWN_REQUIRED: Final = frozenset({0x0001, 0x0006, 0x0008, 0x0009, 0x0020, 0x0024, 0x0025})
"""Comprehension-required attributes an ICE check or its answer may carry."""

REASONS: Final = frozenset(
    {
        "length",
        "cookie",
        "type",
        "attribute_length",
        "attribute_count",
        "attribute_repeated",
        "attribute_unknown",
        "attribute_value",
        "fingerprint",
        "username",
    }
)


class StunRefused(Exception):  # noqa: N818
    """A datagram that looked like STUN and is not a message we accept. `reason` is one of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Binding:
    """One accepted binding message: fingerprint right, integrity present and not yet checked."""

    __slots__ = ("_message", "size")

    def __init__(self, message: stun.Message, size: int) -> None:
        self._message = message
        self.size = size
        """Bytes on the wire."""

    @property
    def is_request(self) -> bool:
        return bool(self._message.message_class == stun.Class.REQUEST)

    @property
    def is_success(self) -> bool:
        return bool(self._message.message_class == stun.Class.RESPONSE)

    @property
    def transaction(self) -> bytes:
        return bytes(self._message.transaction_id)

    @property
    def ufrags(self) -> tuple[str, str]:
        """(ours, the peer's) from USERNAME of a request (RFC 8445 section 7.2.2)."""
        ours, _, theirs = self._message.attributes["USERNAME"].partition(":")
        return ours, theirs

    @property
    def use_candidate(self) -> bool:
        return "USE-CANDIDATE" in self._message.attributes

    @property
    def peer_is_controlled(self) -> bool:
        """The peer believes to be controlled too: a role conflict, an ice-lite agent never controls."""
        return "ICE-CONTROLLED" in self._message.attributes

    def signed_with(self, password: str) -> bool:
        """MESSAGE-INTEGRITY is right for this short-term password."""
        return bool(self._message.check_message_integrity(password.encode()))


def parse(data: bytes) -> Binding:
    """Read one datagram. Raises `StunRefused`, nothing else."""
    attributes = _walk(data)
    try:
        message = stun.parse_message(data)
    except ValueError as error:
        raise StunRefused("fingerprint" if "fingerprint" in str(error) else "attribute_value") from None
    except Exception:  # the codec was not written for hostile input; whatever it raises is a refusal
        raise StunRefused("attribute_value") from None
    if _FINGERPRINT not in attributes or attributes[-1] != _FINGERPRINT:
        raise StunRefused("fingerprint")
    if message.message_class == stun.Class.REQUEST:
        _check_username(message.attributes)
    return Binding(message, len(data))


def _walk(data: bytes) -> list[int]:
    """Check the frame before the codec sees it; the types of the attributes in their order."""
    size = len(data)
    if size < HEADER_BYTES or size > MAX_BYTES or size % 4:
        raise StunRefused("length")
    kind, length, cookie = struct.unpack_from("!HHI", data)
    if length != size - HEADER_BYTES:
        raise StunRefused("length")
    if cookie != stun.COOKIE:
        raise StunRefused("cookie")
    if kind not in (_REQUEST, _RESPONSE, _ERROR):
        raise StunRefused("type")
    types: list[int] = []
    at = HEADER_BYTES
    while at < size:
        if at + 4 > size:
            raise StunRefused("attribute_length")
        attribute, value_length = struct.unpack_from("!HH", data, at)
        at += 4 + value_length + (-value_length % 4)
        if at > size:
            raise StunRefused("attribute_length")
        _check_attribute(attribute, value_length, types)
        types.append(attribute)
    return types


def _check_attribute(attribute: int, length: int, before: list[int]) -> None:
    if len(before) >= MAX_ATTRIBUTES:
        raise StunRefused("attribute_count")
    if attribute < 0x8000 and attribute not in _KNOWN_REQUIRED:
        raise StunRefused("attribute_unknown")
    if attribute in before:
        raise StunRefused("attribute_repeated")
    if attribute == _INTEGRITY and length != 20:
        raise StunRefused("attribute_value")


def _check_username(attributes: dict[str, Any]) -> None:
    username = attributes.get("USERNAME")
    if not isinstance(username, str) or len(username) > MAX_USERNAME_BYTES or username.count(":") != 1:
        raise StunRefused("username")
    ours, theirs = username.split(":")
    if not ours or not theirs:
        raise StunRefused("username")


def ufrag_of(data: bytes) -> str | None:
    """Our half of a request's USERNAME, found without checking anything else; None if there is none.

    Cheap on purpose: it runs for datagrams from anywhere.
    """
    size = len(data)
    at = HEADER_BYTES
    for _ in range(MAX_ATTRIBUTES):
        if at + 4 > size:
            return None
        attribute, length = struct.unpack_from("!HH", data, at)
        if attribute == 0x0006:
            ours, colon, _ = data[at + 4 : at + 4 + length].partition(b":")
            return ours.decode("ascii", "replace") if colon and len(ours) <= 256 else None
        at += 4 + length + (-length % 4)
    return None


def success(request: Binding, address: Address, password: str) -> bytes:
    """The answer to a request: its source address, signed with our own password."""
    message = stun.Message(
        stun.Method.BINDING,
        stun.Class.RESPONSE,
        transaction_id=request.transaction,
        attributes={"XOR-MAPPED-ADDRESS": address},
    )
    message.add_message_integrity(password.encode())
    return bytes(message)


def role_conflict(request: Binding, password: str) -> bytes:
    """487: we are ice-lite, the peer has to control (RFC 8445 section 7.3.1.1)."""
    message = stun.Message(
        stun.Method.BINDING,
        stun.Class.ERROR,
        transaction_id=request.transaction,
        attributes={"ERROR-CODE": (487, "Role Conflict")},
    )
    message.add_message_integrity(password.encode())
    return bytes(message)


def request(
    transaction: bytes,
    our_ufrag: str,
    their_ufrag: str,
    their_password: str,
    tie_breaker: int,
    *,
    controlling: bool = False,
    use_candidate: bool = False,
    priority: int = (110 << 24) | 0xFFFFFF,
    fill: int = 0,
) -> bytes:
    """A binding request signed with the receiver's password; `transaction` is 12 random bytes.

    `fill` makes it longer by so many bytes (SOFTWARE, a multiple of four, at most MAX_FILL).
    """
    attributes: dict[str, Any] = {
        "USERNAME": f"{their_ufrag}:{our_ufrag}",
        "PRIORITY": priority,
        "ICE-CONTROLLING" if controlling else "ICE-CONTROLLED": tie_breaker,
    }
    if use_candidate:
        attributes["USE-CANDIDATE"] = None
    if fill:
        attributes["SOFTWARE"] = _FILLER * (fill // len(_FILLER.encode()))
    message = stun.Message(
        stun.Method.BINDING, stun.Class.REQUEST, transaction_id=transaction, attributes=attributes
    )
    message.add_message_integrity(their_password.encode())
    return bytes(message)
