"""Rooms without people: a page sends to the relay and gets back what it sent, to measure its line.

The relay is the one that consultations use. Each ends by itself, few are open at once, and none is opened
when the workers are near what they may carry. Nothing of them is recorded: their plans say so. Where several
instances share the workers, any of them answers for a room or closes it; the one that opened it counts it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Mapping
from typing import Any

from media.control import ControlRefusedError
from media.control_client import ControlLostError
from server.domain.errors import Refused
from server.runtime.fleet import Fleet
from server.runtime.tasks import TaskOwner
from signaling.ports import PeerPlan, Plan

log = logging.getLogger("hyeopjin.runtime.measuring")

SENDS, RECEIVES = "sends", "receives"
MOST = 3
"""At once and process: a tenth of a core at the very most, whoever asks for it."""
OFFERS_WITHIN_S = 5.0
CLOSES_WITHIN_S = 3.0
GONE = ("unknown_room", "unknown_peer", "unknown_connection")
FAILURES = (ControlLostError, ControlRefusedError, TimeoutError)


class _Line:
    """One of them: its offers as they come."""

    def __init__(self) -> None:
        self.offers: dict[str, dict[str, Any]] = {}
        self.complete = asyncio.Event()
        self.gone = asyncio.Event()

    def heard(self, event: Mapping[str, Any]) -> None:
        if event.get("ev") == "closed":
            self.gone.set()
        if event.get("ev") == "offer":
            told = ("connection", "offer_id", "sdp", "ice_restart", "tracks")
            self.offers[str(event["peer"])] = {name: event[name] for name in told}
            if self.offers.keys() >= {SENDS, RECEIVES}:
                self.complete.set()


class MeasuringRooms:
    """Order: construct, `open`, `answer` for both, `close` (or wait), …, `stop`."""

    def __init__(self, media: Fleet) -> None:
        self._media = media
        self._owner = TaskOwner("measuring")
        self._open: dict[str, _Line] = {}

    async def open(self, life_s: float) -> tuple[str, dict[str, Any]]:
        """(its name, peer → offer). Raises Refused `self_test_full`, `not_ready`."""
        if len(self._open) >= MOST or not self._media.spare():
            raise Refused("self_test_full", retry_after_s=round(life_s))
        name, line = f"measured-{secrets.token_urlsafe(16)}", _Line()
        self._open[name] = line
        self._media.set_apart(name, lambda event: self._heard(name, line, event))
        self._owner.spawn(self._end(name, life_s), "end")
        peers = {
            peer: PeerPlan(f"{name}-{peer}", mic=peer == SENDS, camera=peer == SENDS, grant=None)
            for peer in (SENDS, RECEIVES)
        }
        try:
            await self._media.put_plan(Plan(name, 1, 1, closed=False, peers=peers, kept=False))
            async with asyncio.timeout(OFFERS_WITHIN_S):
                await line.complete.wait()
        except FAILURES:
            await self.close(name)
            raise Refused("not_ready") from None
        return name, line.offers

    async def answer(self, name: str, peer: str, connection: str, offer_id: str, sdp: str) -> None:
        """Raises Refused `wrong_state` (it has ended, or no such connection), `bad_request` (no such SDP)."""
        try:
            await self._media.answer(name, peer, connection, offer_id, sdp)
        except ControlRefusedError as refused:
            raise Refused("wrong_state" if refused.code in GONE else "bad_request") from None
        except (ControlLostError, TimeoutError):
            raise Refused("not_ready") from None

    async def close(self, name: str) -> None:
        """Idempotent; waits until it is closed where it was opened here."""
        line = self._open.pop(name, None)
        over = Plan(name, 1, 2, closed=True, peers={}, kept=False)
        with contextlib.suppress(*FAILURES):
            await self._media.put_plan(over)
            if line is not None:
                async with asyncio.timeout(CLOSES_WITHIN_S):
                    await line.gone.wait()

    async def stop(self) -> None:
        """What is open ends with the workers."""
        await self._owner.close()

    async def _end(self, name: str, life_s: float) -> None:
        await asyncio.sleep(life_s)
        if name in self._open:
            log.info("a measured line was not given back in time")
            await self.close(name)

    def _heard(self, name: str, line: _Line, event: Mapping[str, Any]) -> None:
        line.heard(event)
        if line.gone.is_set():  # another instance may have closed it
            self._open.pop(name, None)
