"""One media worker as the application sees it: plans with their keys out, events in their order back.

It adds the keys to plans (only for peers with a live grant) and mends a broken channel to a worker that
lives. It must not decide who is recorded nor which room lives where (`server/runtime/fleet.py`), and never
keeps a key longer than one call.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media import control
from media.control_client import ControlClient, ControlLostError
from server.runtime.keystore import ROOM, KeyStore, KeyStoreError
from server.runtime.tasks import TaskOwner, describe
from signaling.ports import Plan

log = logging.getLogger("hyeopjin.runtime.media_link")

MAX_WAITING_EVENTS = 10_000
RECONNECT_S = 0.2
LAST_WORDS_S = 0.3
"""How long an ended worker's last events may take to come out of the socket."""

OnEvent = Callable[[str, Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class WorkerAt:
    """A living worker. `id` is one life of its process and never comes again; `name` its place."""

    id: str
    name: str
    socket: Path
    own: bool = True  # started by this process


class Waiting:
    """Events on their way to the rooms: bounded, the oldest is dropped and counted."""

    def __init__(self, limit: int = MAX_WAITING_EVENTS) -> None:
        self.dropped = 0
        self._limit = limit
        self._events: deque[Mapping[str, Any]] = deque()
        self._some = asyncio.Event()
        self.done = asyncio.Event()
        """Set while nothing waits and what was taken has been handled."""
        self.done.set()

    def __len__(self) -> int:
        return len(self._events)

    def put(self, event: Mapping[str, Any]) -> None:
        if len(self._events) >= self._limit:
            self._events.popleft()
            self.dropped += 1
        self._events.append(event)
        self.done.clear()
        self._some.set()

    async def get(self) -> Mapping[str, Any]:
        """The next one; what was taken before is handled."""
        while not self._events:
            self.done.set()
            self._some.clear()
            await self._some.wait()
        return self._events.popleft()


class MediaLink:
    """The link to one worker. Order: `connect`, …, `close`. `on_event(worker id, event)`: awaited."""

    def __init__(self, at: WorkerAt, keys: KeyStore, on_event: OnEvent) -> None:
        self.at = at
        self.draining = False
        self.waiting = Waiting()
        self._keys = keys
        self._on_event = on_event
        self._owner = TaskOwner(f"media-link-{at.name}")
        self._client: ControlClient | None = None
        self._plans: dict[str, Plan] = {}
        self._closing = False

    @property
    def connected(self) -> bool:
        """True while the worker's channel is open."""
        return self._client is not None and self._client.connected

    @property
    def rooms(self) -> int:
        """Rooms it was told of and has not sealed."""
        return sum(1 for plan in self._plans.values() if not plan.closed)

    @property
    def people(self) -> int:
        """Connections it was told to have."""
        return sum(len(plan.peers) for plan in self._plans.values() if not plan.closed)

    async def connect(self) -> None:
        """Open the channel. Raises OSError when nobody listens there."""
        await self._open()
        self._owner.spawn(self._pump(), "events")

    async def close(self) -> None:
        """Let go: the worker has ended, or is ending. Its last events are taken in first. Idempotent."""
        self._closing = True
        if self._client is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._client.wait_lost(), LAST_WORDS_S)
            await self._client.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.waiting.done.wait(), 0.5)
        await self._owner.close()

    # --- requests ----------------------------------------------------------------------------------

    async def put_plan(self, plan: Plan) -> None:
        """Tell the worker what a room should be. Raises ControlLostError (no worker), ControlRefusedError."""
        known = self._plans.get(plan.room)
        if known is None or (known.epoch, known.version) <= (plan.epoch, plan.version):
            self._plans[plan.room] = plan
        await self._send(plan)

    async def answer(self, room: str, peer: str, connection: str, offer_id: str, sdp: str) -> None:
        await self._living().answer(room, peer, connection, offer_id, sdp)

    async def restart_ice(self, room: str, peer: str, connection: str) -> None:
        await self._living().restart_ice(room, peer, connection)

    async def probe(self) -> str:
        """An offer without media, for a page's check of its way. Raises ControlLost- or RefusedError."""
        return await self._living().probe()

    async def metrics(self) -> dict[str, Any]:
        """The worker's own counters."""
        return await self._living().metrics()

    async def drain(self) -> None:
        """No new room from now on; those that live go on to their end."""
        self.draining = True
        await self._living().drain()

    # --- inside ------------------------------------------------------------------------------------

    def _living(self) -> ControlClient:
        if self._client is None:
            raise ControlLostError("no media worker")
        return self._client

    async def _send(self, plan: Plan) -> None:
        client = self._living()
        await client.put_plan(await asyncio.to_thread(self._with_keys, plan))

    def _with_keys(self, plan: Plan) -> control.RoomPlan:
        peers = {}
        for seat, peer in plan.peers.items():
            wanted = peer.grant is not None and plan.pause is None
            key = self._key(plan.room, seat) if wanted else None
            # Without a key a grant is none, except in a pause: then it goes on afterwards.
            grant = peer.grant if key is not None or plan.pause is not None else None
            peers[seat] = control.PeerPlan(
                peer.connection,
                peer.mic,
                peer.camera,
                grant,
                key,
                peer.view,
                peer.up_thin,
                peer.aside,
                peer.private,
            )
        room_key = self._key(plan.room, ROOM) if plan.kept else None
        pause = None if plan.pause is None else control.PausePlan(plan.pause.by, plan.pause.reason)
        lost = frozenset(plan.lost)
        return control.RoomPlan(
            plan.room, plan.epoch, plan.version, plan.closed, peers, room_key, plan.routes, pause, lost
        )

    def _key(self, recording: str, seat: str) -> bytes | None:
        try:
            return self._keys.seat_key(recording, seat)
        except (KeyStoreError, OSError) as error:
            # Not recorded is the safe answer; the light shows it, because the store acknowledges nothing.
            log.error("no key for a seat: %s", getattr(error, "code", type(error).__name__))
            return None

    async def _open(self) -> None:
        def lost() -> None:
            if not self._closing:
                self._owner.spawn(self._reconnect(), "reconnect")

        self._client = await ControlClient.connect(self.at.socket, self.waiting.put, lost)

    async def _reconnect(self) -> None:
        """The channel broke although the worker lives: connect again and send every current plan whole."""
        while not self._closing:
            await asyncio.sleep(RECONNECT_S)
            try:
                await self._open()
            except OSError:
                continue
            log.warning("control channel to media worker %s restored", self.at.name)
            for plan in list(self._plans.values()):
                try:
                    await self._send(plan)
                except (ControlLostError, control.ControlRefusedError, TimeoutError) as error:
                    log.error("a plan could not be sent again: %s", type(error).__name__)
            return

    async def _pump(self) -> None:
        while True:
            event = await self.waiting.get()
            try:
                if event.get("ev") == "closed":
                    self._forget(str(event["room"]), int(event["epoch"]))
                await self._on_event(self.at.id, event)
            except Exception as error:
                log.error("media event %s failed: %s", event.get("ev"), describe(error))

    def _forget(self, room: str, epoch: int) -> None:
        plan = self._plans.get(room)
        if plan is not None and plan.closed and plan.epoch <= epoch:
            del self._plans[room]
