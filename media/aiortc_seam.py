"""The one file that touches aiortc's insides: DTLS over our own ICE, and the SRTP sessions it yields.

aiortc is pinned (1.16.0); `tests/unit/test_aiortc_seam.py` fails when a private name used here moves.
DTLS datagrams come through a bounded queue; SRTP never does. Must not know SDP or packets.
RFC 5763, RFC 5764, RFC 7714 (AEAD profiles first).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES128_CM_SHA1_80,
    SRTP_PROFILES,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    State,
)
from OpenSSL import SSL

log = logging.getLogger("hyeopjin.media.dtls")

QUEUE_DATAGRAMS = 64
DATAGRAM_BYTES = 1200
RECORD_HEADER_BYTES = 13
HANDSHAKES = 8
_ALERT = 21

PROFILES = [
    profile
    for profile in (SRTP_AEAD_AES_256_GCM, SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80)
    if profile in SRTP_PROFILES
]


@dataclass(frozen=True)
class Fingerprint:
    """`a=fingerprint`: hash name in lower case, value as upper-case hex pairs."""

    algorithm: str
    value: str


@dataclass(frozen=True)
class SrtpKeys:
    """libsrtp sessions of a finished handshake (pylibsrtp `Session`) and the profile's name."""

    receive: Any
    send: Any
    profile: str


class Certificate:
    """A self-signed ECDSA P-256 certificate for DTLS, valid 30 days (browsers look only at its hash)."""

    def __init__(self) -> None:
        self.inner = RTCCertificate.generateCertificate()

    @property
    def fingerprint(self) -> Fingerprint:
        """SHA-256."""
        for entry in self.inner.getFingerprints():
            if entry.algorithm == "sha-256":
                return Fingerprint(entry.algorithm, entry.value)
        raise LookupError("no sha-256 fingerprint")  # pragma: no cover


class _Ice:
    """What aiortc's DTLS transport needs of an ICE transport: `_recv`, `_send` and a role."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._out = send
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE_DATAGRAMS)

    def put(self, data: bytes | None) -> bool:
        try:
            self._queue.put_nowait(data)
        except asyncio.QueueFull:
            return False
        return True

    def close(self) -> None:
        while not self.put(None):
            self._queue.get_nowait()

    async def _recv(self) -> bytes:
        data = await self._queue.get()
        if data is None:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        self._out(data)


class _Transport(RTCDtlsTransport):
    """aiortc's transport with GCM first, whole flights written, and no SRTP in its receive loop."""

    def __init__(self, ice: _Ice, certificate: Certificate) -> None:
        super().__init__(cast(Any, ice), [certificate.inner])
        self._srtp_profiles = PROFILES

    async def _write_ssl(self) -> None:
        """Everything OpenSSL has to say, cut at record boundaries (aiortc reads 1500 bytes, once)."""
        ssl: Any = self._ssl
        while True:
            try:
                data = ssl.bio_read(65536)
            except SSL.Error:
                return
            if not data:
                return
            for datagram in split_records(data):
                await self.transport._send(datagram)

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        """Never reached: SRTP does not enter the queue."""

    async def _handle_rtcp_data(self, data: bytes) -> None:
        """Never reached: SRTCP does not enter the queue."""


def split_records(data: bytes) -> list[bytes]:
    """DTLS records grouped into datagrams of at most DATAGRAM_BYTES (a larger record travels alone)."""
    datagrams: list[bytes] = []
    start = at = 0
    while at + RECORD_HEADER_BYTES <= len(data):
        end = min(at + RECORD_HEADER_BYTES + int.from_bytes(data[at + 11 : at + 13], "big"), len(data))
        if data[at] >= 32:  # a DTLS 1.3 unified header: its length may be left out, send as it is
            end = len(data)
        if end - start > DATAGRAM_BYTES and at > start:
            datagrams.append(data[start:at])
            start = at
        at = end
    if start < len(data):
        datagrams.append(data[start:])
    return datagrams


def plain_alert(data: bytes) -> bool:
    """An alert nobody authenticated (epoch 0): one forged datagram must not end a handshake."""
    return len(data) >= 5 and data[0] == _ALERT and data[3:5] == b"\0\0"


class Dtls:
    """One DTLS association. `on_datagram` from the hub, `run` in a task, `close` at the end."""

    def __init__(self, certificate: Certificate, send: Callable[[bytes], object]) -> None:
        self._ice = _Ice(send)
        self._certificate = certificate
        self._transport = _Transport(self._ice, certificate)
        self._closed = False
        self.dropped = 0

    def on_datagram(self, data: bytes) -> None:
        """Queue one datagram whose first byte says DTLS; dropped when the queue is full."""
        if len(data) < RECORD_HEADER_BYTES or plain_alert(data) or not self._ice.put(data):
            self.dropped += 1

    async def run(
        self,
        fingerprints: Sequence[Fingerprint],
        *,
        server: bool,
        on_keys: Callable[[SrtpKeys], None],
    ) -> str:
        """Shake hands, give out the keys, wait for the end: `failed`, or `closed` by either side.

        A handshake is open to anybody who can forge a datagram, and OpenSSL gives up at the first senseless
        one, so it is begun anew up to HANDSHAKES times; the peer repeats its flight by itself.
        """
        parameters = RTCDtlsParameters(
            fingerprints=[RTCDtlsFingerprint(algorithm=f.algorithm, value=f.value) for f in fingerprints]
        )
        for _ in range(HANDSHAKES):
            transport = self._transport
            transport._set_role("server" if server else "client")
            await transport.start(parameters)
            if transport._state == State.CONNECTED:
                break
            if self._closed or transport.encrypted:  # stopped, or finished with somebody else's certificate
                return "failed"
            self._transport = _Transport(self._ice, self._certificate)
        else:
            return "failed"
        ssl: Any = transport._ssl
        profile = ssl.get_selected_srtp_profile().decode()
        on_keys(SrtpKeys(transport._rx_srtp, transport._tx_srtp, profile))
        pump = transport._task
        if pump is not None:
            await asyncio.wait([pump])
            if not pump.cancelled():
                pump.exception()  # aiortc has logged it; asking keeps asyncio from logging it again
        return "closed"

    async def close(self) -> None:
        """Tell the peer (close_notify) and stop. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._ice.close()
        with contextlib.suppress(SSL.Error, ConnectionError):
            await self._transport.stop()
