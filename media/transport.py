"""One peer's transport: ICE, DTLS and SRTP joined between the hub's port and the sink.

Must not know SDP nor offers (`media/session.py`), nor look into packets (`media/relay.py`).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from media.aiortc_seam import Certificate, Dtls, Fingerprint, SrtpKeys
from media.ice.agent import IceLiteAgent
from media.ice.endpoint import Path
from media.ice.hub import IceHub, now_ns
from media.srtp import RtpSink, SrtpPath
from media.tasks import TaskOwner

log = logging.getLogger("hyeopjin.media.transport")

HANDSHAKE_LIMIT_NS = 30_000_000_000
"""From the making of the session to its keys."""
MAX_WAITING = 8
"""DTLS datagrams kept while there is no address to send them to; one flight is one to four."""


Forward = Callable[[bytes, int, int, int, int], None]


def _drop(packet: bytes, pt: int, seq: int, timestamp: int, ssrc: int) -> None:
    """There are no keys yet, or no more."""


class PeerTransport:
    """The hub's endpoint of one session. States: connecting, connected, disconnected, failed."""

    def __init__(
        self, hub: IceHub, certificate: Certificate, on_state: Callable[[str], None], connection: str
    ) -> None:
        self._hub = hub
        self._on_state = on_state
        self._connection = connection
        self._sink: RtpSink | None = None
        self._tasks = TaskOwner(f"transport {connection}")
        self._path: Path | None = None
        self._fingerprints: tuple[Fingerprint, ...] = ()
        self._waiting: deque[bytes] = deque(maxlen=MAX_WAITING)
        self._closed = False
        self._dtls_ended = False
        self._started_ns = now_ns()
        self._heard_ns = 0
        self.srtp: SrtpPath | None = None
        self.inbound: Any = None if hub.drain is None else hub.drain.inbound()
        self.certificate = certificate
        self.agent = IceLiteAgent(self, now_ns())
        self.dtls = Dtls(certificate, self._send_dtls)
        self.state = "connecting"
        hub.add(self)
        hub.register(self.agent.local.ufrag, self)

    def attach(self, sink: RtpSink) -> None:
        self._sink = sink

    # -- negotiation

    def restart_ice(self) -> None:
        """New local credentials; the old ones work on until the peer has moved."""
        if not self._closed:
            self._hub.register(self.agent.restart(now_ns()).ufrag, self)

    def answered(
        self, ufrag: str, password: str, fingerprints: Sequence[Fingerprint], *, dtls_server: bool
    ) -> None:
        """The peer's half of ICE and DTLS, from its answer. The handshake starts at the first answer."""
        if self._closed:
            return
        self.agent.set_remote(ufrag, password, now_ns())
        if not self._fingerprints:
            self._fingerprints = tuple(fingerprints)
            self._tasks.start(self._run_dtls(dtls_server))

    @property
    def fingerprints(self) -> tuple[Fingerprint, ...]:
        """The peer's, once answered; they never change in one connection."""
        return self._fingerprints

    async def _run_dtls(self, server: bool) -> None:
        ended = await self.dtls.run(self._fingerprints, server=server, on_keys=self._on_keys)
        if not self._closed:
            log.info("dtls of connection %s ended: %s", self._connection, ended)
            self._dtls_ended = True
            self._settle()

    def _on_keys(self, keys: SrtpKeys) -> None:
        drain, sink = self._hub.drain, self._sink
        if drain is not None and sink is not None:
            self.srtp = drain.path(self.inbound, keys, self._send, sink)
        else:
            self.srtp = SrtpPath(keys, self._send)
        self._lead()
        self._settle()

    # -- going out

    def _send(self, data: memoryview) -> bool:
        """While there is no address: nothing goes out."""
        return False

    def _lead(self) -> None:
        """Point the packet path straight at where media goes: nothing of ours lies between for a packet."""
        if self.srtp is not None:
            self.srtp.lead(self._path, self._send)

    def _send_dtls(self, data: bytes) -> None:
        if self._path is not None:
            self._path.send(data)
        else:  # wait for an address: DTLS itself would repeat this only after a second
            self._waiting.append(data)

    @property
    def forward(self) -> Forward:
        """See `SessionPort.forward`; once there are keys, the packet path itself."""
        return _drop if self.srtp is None else self.srtp.forward

    def send(self, packet: bytearray | memoryview, length: int) -> None:
        """See `SessionPort.send`."""
        if self.srtp is not None:
            self.srtp.send(packet, length)

    def send_rtcp(self, packet: bytes) -> None:
        """See `SessionPort.send_rtcp`."""
        if self.srtp is not None:
            self.srtp.send_rtcp(packet)

    # -- from the hub

    def on_stun(self, data: bytes, path: Path, now_ns: int) -> None:
        self.agent.on_datagram(data, path, now_ns)

    def on_dtls(self, data: bytes, path: Path, now_ns: int) -> None:
        self.dtls.on_datagram(data)

    def on_srtp(self, data: memoryview, now_ns: int) -> None:
        if self.srtp is not None and self._sink is not None and self.srtp.receive(data, self._sink, now_ns):
            self.agent.heard(now_ns)

    def on_path_lost(self, path: Path) -> None:
        self.agent.forget(path)

    def on_tick(self, now_ns: int) -> None:
        if self.inbound is not None and self.inbound.heard_ns > self._heard_ns:
            self._heard_ns = self.inbound.heard_ns
            self.agent.heard(self._heard_ns)
        self.agent.tick(now_ns)
        if self.srtp is None and not self._dtls_ended and now_ns - self._started_ns > HANDSHAKE_LIMIT_NS:
            self._dtls_ended = True
            self._settle()

    def on_stood_still(self, gap_ns: int) -> None:
        self.agent.slept(gap_ns)
        self._started_ns += gap_ns

    # -- from the agent

    def on_known(self, path: Path) -> None:
        self._hub.claim(path, self, proven=False)

    def on_validated(self, path: Path) -> None:
        self._hub.claim(path, self, proven=True)

    def on_selected(self, path: Path) -> None:
        self._path = path
        self._lead()
        while self._waiting:
            path.send(self._waiting.popleft())

    def on_forgotten(self, path: Path) -> None:
        if self._path == path:
            self._path = None
            self._lead()
        self._hub.release(path, self)

    def on_retired(self, ufrag: str) -> None:
        self._hub.unregister(ufrag)

    def on_ice_state(self, state: str) -> None:
        self._settle()

    def _settle(self) -> None:
        """One state out of two: connected needs an address and keys; a DTLS that ended is final, and one that
        had keys was closed by the peer."""
        ice = self.agent.state
        if self._closed:
            return
        if ice == "failed" or self._dtls_ended:
            state = "closed" if ice != "failed" and self.srtp is not None else "failed"
        elif ice == "connected" and self.srtp is None:
            state = "connecting"
        else:
            state = ice
        if state != self.state:
            self.state = state
            self._on_state(state)

    async def close(self) -> None:
        """Close DTLS, free the hub's entries. Idempotent."""
        if self._closed:
            return
        self._closed = True
        await self.dtls.close()
        await self._tasks.close()
        if self.srtp is not None:
            self.srtp.lead(None, self._send)  # whoever still holds its `forward` reaches nobody
        self.srtp = None
        self.agent.close()
        if self._hub.drain is not None:
            self._hub.drain.forget(self.inbound)
        self._hub.remove(self)
