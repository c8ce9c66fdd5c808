"""A small TURN client (RFC 8656) over TLS, TCP or UDP: enough to find out what a relay grants and refuses.

Blocking, for `hyeopjin doctor` and tests. It must not carry media; pages use their browser's own client.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import ipaddress
import os
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType

COOKIE = 0x2112A442
ALLOCATE, REFRESH, SEND, DATA, CREATE_PERMISSION, CHANNEL_BIND, CONNECT = 3, 4, 6, 7, 8, 9, 10
REQUEST, INDICATION, SUCCESS, ERROR = 0x000, 0x010, 0x100, 0x110
USERNAME, INTEGRITY, ERROR_CODE, CHANNEL_NUMBER, LIFETIME = 0x0006, 0x0008, 0x0009, 0x000C, 0x000D
PEER_ADDRESS, RELAYED_ADDRESS = 0x0012, 0x0016
PAYLOAD, REALM, NONCE, FAMILY, TRANSPORT = 0x0013, 0x0014, 0x0015, 0x0017, 0x0019
UDP, TCP = 17, 6
TIMEOUT_S = 5.0
UDP_TRIES = 4
MAX_BYTES = 1500


class TurnError(Exception):
    """The relay said no; `code` is its number (RFC 8489 section 14.8), 0 for what is no answer at all."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    method: int
    kind: int
    transaction: bytes
    attributes: dict[int, bytes] = field(default_factory=dict)


def encode(message: Message, key: bytes | None = None) -> bytes:
    """The message's bytes, signed when there is a key."""
    body = b"".join(
        struct.pack("!HH", number, len(value)) + value + b"\0" * (-len(value) % 4)
        for number, value in message.attributes.items()
    )
    low = message.method & 0xF | (message.method & 0x70) << 1 | message.kind
    size = len(body) + (24 if key else 0)
    data = struct.pack("!HHI", low, size, COOKIE) + message.transaction + body
    if key is None:
        return data
    return data + struct.pack("!HH", INTEGRITY, 20) + hmac.new(key, data, hashlib.sha1).digest()


def decode(data: bytes) -> Message:
    """Raises TurnError(0) for bytes that are no STUN message."""
    if len(data) < 20 or struct.unpack_from("!I", data, 4)[0] != COOKIE:
        raise TurnError(0, "not STUN")
    head, size = struct.unpack_from("!HH", data)
    if size != len(data) - 20:
        raise TurnError(0, "length")
    attributes: dict[int, bytes] = {}
    at = 20
    while at + 4 <= len(data):
        number, length = struct.unpack_from("!HH", data, at)
        if at + 4 + length > len(data):
            raise TurnError(0, "attribute")
        attributes.setdefault(number, data[at + 4 : at + 4 + length])
        at += 4 + length + (-length % 4)
    return Message(head & 0xF | head >> 1 & 0x70, head & 0x110, data[8:20], attributes)


def pack_address(host: str, port: int, transaction: bytes) -> bytes:
    """XOR-…-ADDRESS."""
    address = ipaddress.ip_address(host)
    mask = struct.pack("!I", COOKIE) + transaction
    mixed = bytes(a ^ b for a, b in zip(address.packed, mask, strict=False))
    return struct.pack("!BBH", 0, 1 if address.version == 4 else 2, port ^ COOKIE >> 16) + mixed


def unpack_address(value: bytes, transaction: bytes) -> tuple[str, int]:
    mask = struct.pack("!I", COOKIE) + transaction
    packed = bytes(a ^ b for a, b in zip(value[4:], mask, strict=False))
    return str(ipaddress.ip_address(packed)), struct.unpack_from("!H", value, 2)[0] ^ COOKIE >> 16


class Wire:
    """One connection to the relay; a message at a time, framed by itself over TCP and TLS."""

    def __init__(self, sock: socket.socket, *, stream: bool) -> None:
        self._sock = sock
        self._stream = stream
        self._buffer = b""

    @classmethod
    def open(cls, host: str, port: int, scheme: str, tls: ssl.SSLContext | None = None) -> Wire:
        """`scheme`: udp, tcp or tls. Raises OSError, ssl.SSLError among them."""
        if scheme == "udp":
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            sock = socket.socket(family, socket.SOCK_DGRAM)
            sock.settimeout(TIMEOUT_S / UDP_TRIES)
            sock.connect(address)
            return cls(sock, stream=False)
        plain = socket.create_connection((host, port), TIMEOUT_S)
        if scheme == "tcp":
            return cls(plain, stream=True)
        context = tls or ssl.create_default_context()
        try:
            return cls(context.wrap_socket(plain, server_hostname=host), stream=True)
        except OSError:
            plain.close()
            raise

    def certificate_days(self) -> int | None:
        """For how long the relay's certificate is good; None without TLS."""
        if not isinstance(self._sock, ssl.SSLSocket):
            return None
        ends = (self._sock.getpeercert() or {}).get("notAfter")
        return int((ssl.cert_time_to_seconds(str(ends)) - time.time()) // 86400) if ends else None

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def receive(self) -> bytes:
        """One STUN message or ChannelData. Raises OSError (TimeoutError) and TurnError(0)."""
        if not self._stream:
            return self._sock.recv(MAX_BYTES)
        head = self._take(4)
        kind, size = struct.unpack("!HH", head)
        if kind < 0x4000:
            return head + self._take(size + 16)
        return head + self._take(size + (-size % 4))[:size]

    def _take(self, size: int) -> bytes:
        if size > 1 << 16:
            raise TurnError(0, "length")
        while len(self._buffer) < size:
            more = self._sock.recv(1 << 16)
            if not more:
                raise TurnError(0, "closed")
            self._buffer += more
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def close(self) -> None:
        self._sock.close()


class TurnClient:
    """One allocation. Every refusal is a TurnError with the relay's own number."""

    def __init__(self, wire: Wire, username: str, password: str, *, resend: bool = False) -> None:
        self._wire = wire
        self._username, self._password = username, password
        self._realm = self._nonce = b""
        self._resend = resend

    def __enter__(self) -> TurnClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, t: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError, TurnError):
            self.refresh(0)
        self._wire.close()

    def allocate(self, *, transport: int = UDP, version: int = 4, lifetime_s: int = 600) -> tuple[str, int]:
        """The relayed address that was given."""
        asked = {
            TRANSPORT: struct.pack("!Bxxx", transport),
            FAMILY: struct.pack("!Bxxx", 1 if version == 4 else 2),
            LIFETIME: struct.pack("!I", lifetime_s),
        }
        answer = self.ask(ALLOCATE, asked)
        return unpack_address(answer.attributes[RELAYED_ADDRESS], answer.transaction)

    def refresh(self, lifetime_s: int = 600) -> None:
        self.ask(REFRESH, {LIFETIME: struct.pack("!I", lifetime_s)})

    def permit(self, host: str) -> None:
        self.ask(CREATE_PERMISSION, {}, peer=(host, 0))

    def bind_channel(self, host: str, port: int, channel: int = 0x4000) -> None:
        self.ask(CHANNEL_BIND, {CHANNEL_NUMBER: struct.pack("!Hxx", channel)}, peer=(host, port))

    def connect(self, host: str, port: int) -> None:
        """A TCP connection of the relay's own (RFC 6062)."""
        self.ask(CONNECT, {}, peer=(host, port))

    def send(self, host: str, port: int, payload: bytes) -> None:
        """A Send indication: no answer tells whether it was relayed."""
        transaction = os.urandom(12)
        attributes = {PEER_ADDRESS: pack_address(host, port, transaction), PAYLOAD: payload}
        self._wire.send(encode(Message(SEND, INDICATION, transaction, attributes)))

    def received(self) -> Iterator[bytes]:
        """What peers sent back, until nothing comes for a while."""
        with contextlib.suppress(TimeoutError):
            while True:
                data = self._wire.receive()
                if data[0] < 0x40:
                    message = decode(data)
                    if (message.method, message.kind) == (DATA, INDICATION):
                        yield message.attributes.get(PAYLOAD, b"")

    def ask(self, method: int, attributes: dict[int, bytes], peer: tuple[str, int] | None = None) -> Message:
        """A request, signed once the relay has named its realm, and again with a new nonce."""
        for _ in range(3):
            transaction = os.urandom(12)
            said = dict(attributes)
            if peer is not None:
                said[PEER_ADDRESS] = pack_address(*peer, transaction)
            key = None
            if self._realm:
                said |= {USERNAME: self._username.encode(), REALM: self._realm, NONCE: self._nonce}
                text = b":".join((self._username.encode(), self._realm, self._password.encode()))
                key = hashlib.md5(text, usedforsecurity=False).digest()
            answer = self._exchange(encode(Message(method, REQUEST, transaction, said), key), transaction)
            if answer.kind == SUCCESS:
                return answer
            error = answer.attributes.get(ERROR_CODE, b"\0\0\0\0")
            code = (error[2] & 7) * 100 + error[3]
            if code not in (401, 438) or (code == 401 and self._realm):
                raise TurnError(code, error[4:].decode(errors="replace"))
            self._realm = answer.attributes.get(REALM, self._realm)
            self._nonce = answer.attributes.get(NONCE, b"")
        raise TurnError(code)

    def _exchange(self, data: bytes, transaction: bytes) -> Message:
        for left in reversed(range(UDP_TRIES if self._resend else 1)):
            self._wire.send(data)
            try:
                return self._answer(transaction)
            except TimeoutError:
                if not left:
                    raise
        raise TurnError(0)

    def _answer(self, transaction: bytes) -> Message:
        while True:
            data = self._wire.receive()
            if data[0] < 0x40 and (message := decode(data)).transaction == transaction:
                return message
