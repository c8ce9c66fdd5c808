"""The application's side of the media plane: `signaling.ports.Media` on the worker's control channel.

It adds the keys to plans (only for peers with a live grant), carries the worker's events to the hub in
their order, and after a worker's death tells the hub, which makes new epochs. It must not decide who is
recorded, and never keeps a key longer than one call.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from media import control
from media.control_client import ControlClient, ControlLostError
from server.runtime.keystore import ROOM, KeyStore, KeyStoreError
from server.runtime.supervisor import WorkerReady, WorkerSupervisor
from server.runtime.tasks import TaskOwner, describe
from signaling.ports import Plan

log = logging.getLogger("hyeopjin.runtime.media_link")

MAX_WAITING_EVENTS = 10_000
RECONNECT_S = 0.2
_LOST: Mapping[str, Any] = {"ev": "lost"}


class Hub(Protocol):
    """What we tell the rooms. Both may be plain functions or coroutines."""

    def media_event(self, event: dict[str, Any]) -> Awaitable[None] | None: ...

    def media_lost(self) -> Awaitable[None] | None: ...


class HeadStore(Protocol):
    """Where chain heads are kept apart from the journal (`server.storage.recordings.Recordings`)."""

    async def add_heads(self, recording: str, epoch: int, heads: Mapping[str, Mapping[str, Any]]) -> None: ...


class MediaLink:
    """One worker's link. Order: construct, `attach(hub)`, `start`, …, `stop`.

    `on_live(recording)` is called whenever a plan with people in it goes out; it may be replaced.
    """

    def __init__(self, supervisor: WorkerSupervisor, keys: KeyStore, heads: HeadStore) -> None:
        self.on_live: Callable[[str], None] = lambda _recording: None
        self._supervisor = supervisor
        self._keys = keys
        self._heads = heads
        self._hub: Hub | None = None
        self._owner = TaskOwner("media-link")
        self._client: ControlClient | None = None
        self._plans: dict[str, Plan] = {}
        self._closed: dict[str, int] = {}
        self._closing = asyncio.Condition()
        self._events: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue(MAX_WAITING_EVENTS)
        self._stopping = False

    def attach(self, hub: Hub) -> None:
        """The hub that hears of events from now on."""
        self._hub = hub

    @property
    def ready(self) -> bool:
        """True while a worker answers (for /readyz)."""
        return self._client is not None and self._client.connected

    async def start(self) -> None:
        """Start the worker and connect. Raises supervisor.WorkerStartError."""
        self._supervisor.on_ready = self._worker_ready
        self._supervisor.on_lost = self._worker_lost
        self._owner.spawn(self._pump(), "events")
        await self._supervisor.start()

    async def stop(self) -> None:
        """End the worker (it seals all journals, <= 2 s), take in its last events, close. Idempotent."""
        self._stopping = True
        await self._supervisor.stop()
        if self._client is not None:
            with contextlib.suppress(TimeoutError):  # its last heads are still in the socket
                await asyncio.wait_for(self._client.wait_lost(), 0.3)
            await self._client.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._events.join(), 0.5)
        await self._owner.close()

    # --- signaling.ports.Media ---------------------------------------------------------------------

    async def put_plan(self, plan: Plan) -> None:
        """Tell the worker what a room should be. Raises ControlLostError (no worker), ControlRefusedError."""
        known = self._plans.get(plan.room)
        if known is None or (known.epoch, known.version) <= (plan.epoch, plan.version):
            self._plans[plan.room] = plan
        if plan.peers and not plan.closed:
            self.on_live(plan.room)
        await self._send(plan)

    async def answer(self, room: str, peer: str, connection: str, offer_id: str, sdp: str) -> None:
        await self._living().answer(room, peer, connection, offer_id, sdp)

    async def restart_ice(self, room: str, peer: str, connection: str) -> None:
        await self._living().restart_ice(room, peer, connection)

    # --- for the rest of the application -----------------------------------------------------------

    async def metrics(self) -> dict[str, Any]:
        """The worker's own counters; empty while there is no worker."""
        if self._client is None or not self._client.connected:
            return {}
        return await self._client.metrics()

    async def wait_closed(self, recording: str, epoch: int, timeout: float) -> bool:
        """Wait until the worker has sealed and synced this epoch's journal; False after `timeout` seconds.

        True at once for a recording this worker was never told of: its journal is as it is.
        """

        def sealed() -> bool:
            return recording not in self._plans or self._closed.get(recording, 0) >= epoch

        try:
            async with asyncio.timeout(timeout), self._closing:
                await self._closing.wait_for(sealed)
        except TimeoutError:
            return False
        return True

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
            peers[seat] = control.PeerPlan(peer.connection, peer.mic, peer.camera, grant, key, peer.view)
        room_key = self._key(plan.room, ROOM)
        pause = None if plan.pause is None else control.PausePlan(plan.pause.by, plan.pause.reason)
        return control.RoomPlan(
            plan.room, plan.epoch, plan.version, plan.closed, peers, room_key, None, pause
        )

    def _key(self, recording: str, seat: str) -> bytes | None:
        try:
            return self._keys.seat_key(recording, seat)
        except (KeyStoreError, OSError) as error:
            # Not recorded is the safe answer; the light shows it, because the store acknowledges nothing.
            log.error("no key for a seat: %s", getattr(error, "code", type(error).__name__))
            return None

    async def _worker_ready(self, ready: WorkerReady) -> None:
        if ready.start > 1:
            # Every start of a worker is a new epoch; the old plans must not reach it.
            async with self._closing:
                self._plans.clear()
                self._closing.notify_all()
        await self._connect(ready)
        if ready.start > 1:
            self._put_event(_LOST)

    async def _worker_lost(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _connect(self, ready: WorkerReady) -> None:
        def lost() -> None:
            if not self._stopping and self._supervisor.ready is ready:
                self._owner.spawn(self._reconnect(ready), "reconnect")

        self._client = await ControlClient.connect(ready.socket, self._put_event, lost)

    async def _reconnect(self, ready: WorkerReady) -> None:
        """The channel broke although the worker lives: connect again and send every current plan whole."""
        while self._supervisor.ready is ready:
            await asyncio.sleep(RECONNECT_S)
            if self._supervisor.ready is not ready:
                return
            try:
                await self._connect(ready)
            except OSError:
                continue
            log.warning("control channel to the media worker restored")
            for plan in list(self._plans.values()):
                try:
                    await self._send(plan)
                except (ControlLostError, control.ControlRefusedError, TimeoutError) as error:
                    log.error("a plan could not be sent again: %s", type(error).__name__)
            return

    def _put_event(self, event: Mapping[str, Any]) -> None:
        try:
            self._events.put_nowait(event)
        except asyncio.QueueFull:
            log.error("too many media events wait; one of kind %s was dropped", event.get("ev"))

    async def _pump(self) -> None:
        while True:
            event = await self._events.get()
            try:
                await self._handle(event)
            except Exception as error:
                log.error("media event %s failed: %s", event.get("ev"), describe(error))
            finally:
                self._events.task_done()

    async def _handle(self, event: Mapping[str, Any]) -> None:
        kind = event.get("ev")
        if kind == "heads":
            await self._heads.add_heads(str(event["room"]), int(event["epoch"]), event["heads"])
            return
        if kind == "closed":
            await self._note_closed(str(event["room"]), int(event["epoch"]))
        if self._hub is None:
            return
        told = self._hub.media_lost() if event is _LOST else self._hub.media_event(dict(event))
        if inspect.isawaitable(told):
            await told

    async def _note_closed(self, recording: str, epoch: int) -> None:
        plan = self._plans.get(recording)
        if plan is not None and plan.closed and plan.epoch <= epoch:
            del self._plans[recording]
        async with self._closing:
            self._closed[recording] = max(epoch, self._closed.get(recording, 0))
            self._closing.notify_all()
