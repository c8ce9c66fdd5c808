"""A way in without media: an ICE-lite agent that only answers checks, so that a page learns how it gets here.

One serves several connections of one page (over UDP, over TCP, through a relay). Nothing of what comes is
kept, forwarded or recorded; no DTLS is spoken; it ends by itself. Must not know rooms.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from media.aiortc_seam import Certificate
from media.ice.agent import IceLiteAgent
from media.ice.endpoint import Path
from media.ice.hub import IceHub, now_ns
from media.sdp import RECEIVE, LineOffer, OfferModel, write_offer

LIFE_NS = 30_000_000_000
MAX_PROBES = 64
"""At once and worker: a probe costs a few packets, and nobody needs one for longer than some seconds."""


class Probe:
    """The hub's endpoint of one probe."""

    inbound = None

    def __init__(self, hub: IceHub, on_end: Callable[[Probe], None]) -> None:
        self._hub = hub
        self._on_end = on_end
        self._ends_ns = now_ns() + LIFE_NS
        self.agent = IceLiteAgent(self, now_ns())
        hub.add(self)
        hub.register(self.agent.local.ufrag, self)

    def close(self) -> None:
        """Answer nothing any more. Idempotent."""
        self.agent.close()
        self._hub.unregister(self.agent.local.ufrag)
        self._hub.remove(self)
        self._on_end(self)

    # -- from the hub

    def on_stun(self, data: bytes, path: Path, now_ns: int) -> None:
        self.agent.on_datagram(data, path, now_ns)

    def on_dtls(self, data: bytes, path: Path, now_ns: int) -> None:
        """A page that has connected says hello; it will be closed before it minds."""

    def on_srtp(self, data: memoryview, now_ns: int) -> None:
        """Nobody sends any without keys."""

    def on_path_lost(self, path: Path) -> None:
        self.agent.forget(path)

    def on_tick(self, now_ns: int) -> None:
        if now_ns > self._ends_ns:
            self.close()

    def on_stood_still(self, gap_ns: int) -> None:
        """It ends a little later."""

    # -- from the agent, which never learns the page's half and so proves no address

    def on_known(self, path: Path) -> None:
        self._hub.claim(path, self, proven=False)

    def on_validated(self, path: Path) -> None:
        """Never: no address is proved without the page's password."""

    def on_selected(self, path: Path) -> None:
        """Never."""

    def on_forgotten(self, path: Path) -> None:
        self._hub.release(path, self)

    def on_retired(self, ufrag: str) -> None:
        self._hub.unregister(ufrag)

    def on_ice_state(self, state: str) -> None:
        """A probe has no state: the page knows."""


class Probes:
    """All probes of a worker."""

    def __init__(self, hub: IceHub) -> None:
        self._hub = hub
        self._certificate = Certificate()
        self._open: set[Probe] = set()
        self.made = 0

    def __len__(self) -> int:
        return len(self._open)

    def open(self) -> str | None:
        """The offer of a new probe, one audio line with every candidate; None when there are too many."""
        if len(self._open) >= MAX_PROBES:
            return None
        probe = Probe(self._hub, self._open.discard)
        self._open.add(probe)
        self.made += 1
        local = probe.agent.local
        return write_offer(
            OfferModel(
                session=secrets.randbits(62),
                version=1,
                ufrag=local.ufrag,
                password=local.password,
                fingerprint=self._certificate.fingerprint,
                candidates=self._hub.candidates(),
                lines=[LineOffer("0", "audio", RECEIVE)],
            )
        )

    def close(self) -> None:
        for probe in list(self._open):
            probe.close()
