"""All media workers as one: `signaling.ports.Media` that finds or chooses the worker of a room.

A room's epoch lives on one worker and never moves; the next epoch goes to the least loaded. When a worker is
gone its rooms are named to the hub at once, and their next epochs are placed on those that live.
It must not start or end processes (a `Roster` does), nor touch keys (`MediaLink` does).
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from media.control import ControlRefusedError
from media.control_client import ControlLostError
from server.runtime.keystore import KeyStore
from server.runtime.load import FRESH_S, Candidate, Limits, Load, choose
from server.runtime.media_link import MediaLink, WorkerAt
from server.runtime.placements import LocalPlacements, Placements
from server.runtime.tasks import TaskOwner, describe
from signaling.ports import Plan

log = logging.getLogger("hyeopjin.runtime.fleet")

MEASURE_EVERY_S = 2.0
SEALED_LOOK_S = 0.1
MAX_PROBED = 4
SPARE_SHARE = 0.7
"""Of what a worker may carry: beyond it, what is left is for consultations."""

Heard = Callable[[Mapping[str, Any]], None]


class Roster(Protocol):
    """Where workers come from: this machine's supervisors, or a registry that several instances share."""

    async def start(
        self, joined: Callable[[WorkerAt], Awaitable[None]], left: Callable[[str], Awaitable[None]]
    ) -> None:
        """Tell of each worker that lives and of each that has gone (its id); both are awaited in order.

        Returns when the workers that belong to the start are there; raises supervisor.WorkerStartError.
        """
        ...

    async def stop(self) -> None:
        """End what this process started; nothing is told as gone. Idempotent."""
        ...

    async def replace(self, name: str) -> None:
        """End the worker of this place, which has no rooms any more, and start a fresh one there."""
        ...


class Hub(Protocol):
    """What we tell the rooms. Both may be plain functions or coroutines."""

    def media_event(self, event: dict[str, Any]) -> Awaitable[None] | None: ...

    def media_lost(self, sessions: Mapping[str, int]) -> Awaitable[None] | None: ...


class HeadStore(Protocol):
    """Where chain heads are kept apart from the journal (`server.storage.recordings.Recordings`)."""

    async def add_heads(self, recording: str, epoch: int, heads: Mapping[str, Mapping[str, Any]]) -> None: ...


class Fleet:
    """Order: construct, `attach(hub)`, `start`, …, `stop`.

    `on_live(recording)` is called whenever a plan with people in it goes out; it may be replaced.
    """

    def __init__(
        self,
        roster: Roster,
        keys: KeyStore,
        heads: HeadStore,
        *,
        placements: Placements | None = None,
        limits: Limits | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.on_live: Callable[[str], None] = lambda _recording: None
        self.limits = limits or Limits()
        self.links: dict[str, MediaLink] = {}
        self.loads: dict[str, Load] = {}
        self.events_dropped = 0  # of workers that are gone
        self.refused = 0  # at the door, for want of room
        self._roster = roster
        self._keys = keys
        self._heads = heads
        self._placements: Placements = placements or LocalPlacements()
        self._now_s = now_s
        self._hub: Hub | None = None
        self._owner = TaskOwner("fleet")
        self._apart: dict[str, Heard] = {}
        self._open: dict[tuple[str, int], str] = {}  # (room, epoch) not sealed yet -> worker
        self._sealed = asyncio.Condition()
        self._fresh: dict[str, list[float]] = {}
        self._replacing: set[str] = set()
        self._others: set[str] = set()  # workers that another process has started

    def attach(self, hub: Hub) -> None:
        """The hub that hears of events from now on."""
        self._hub = hub

    @property
    def ready(self) -> bool:
        """True while a worker answers (for /readyz)."""
        return any(link.connected for link in self.links.values())

    async def start(self) -> None:
        """Start the workers and connect. Raises supervisor.WorkerStartError."""
        self._owner.spawn(self._measure_often(), "measure")
        await self._roster.start(self._joined, self._left)

    async def stop(self) -> None:
        """End the workers (they seal all journals, <= 2 s), take in their last events, close. Idempotent."""
        await self._roster.stop()
        await asyncio.gather(*(link.close() for link in self.links.values()))
        await self._owner.close()

    # --- signaling.ports.Media ---------------------------------------------------------------------

    async def put_plan(self, plan: Plan) -> None:
        """Tell the room's worker. Raises ControlLostError (no worker), ControlRefusedError."""
        if plan.peers and not plan.closed:
            self.on_live(plan.room)
        link = await self._worker_for(plan)
        if link is None:
            return
        self._open.setdefault((plan.room, plan.epoch), link.at.id)
        try:
            await link.put_plan(plan)
        except ControlRefusedError as refused:
            if refused.code == "draining":  # told so after we chose it: the next try finds another
                await self._note_sealed(plan.room, plan.epoch)
            raise

    async def answer(self, room: str, peer: str, connection: str, offer_id: str, sdp: str) -> None:
        await (await self._worker_of(room)).answer(room, peer, connection, offer_id, sdp)

    async def restart_ice(self, room: str, peer: str, connection: str) -> None:
        await (await self._worker_of(room)).restart_ice(room, peer, connection)

    async def has_room(self, session: str | None) -> bool:
        """Whether one more person can be carried; told from what is measured, before anybody has to wait.

        Without any worker at all it is no matter of room: who comes waits inside until one is back.
        """
        placed = None if session is None else await self._placements.find(session)
        running = None if placed is None else self.links.get(placed.worker)
        found = self._candidates()
        if not found:
            return True
        if running is not None:
            room = any(one.load.takes_peer(self.limits) for one in found if one.worker == running.at.id)
        else:
            room = any(one.takes_room(self.limits) for one in found)
        self.refused += not room
        return room

    def spare(self) -> bool:
        """Whether some worker can also carry what is no consultation, such as a line that is measured."""
        found = self._candidates()
        return any(one.takes_room(self.limits) and one.load.share(self.limits) < SPARE_SHARE for one in found)

    def set_apart(self, room: str, heard: Heard) -> None:
        """Until it is sealed, this room's events are for `heard` and not for the hub."""
        self._apart[room] = heard

    # --- placing -----------------------------------------------------------------------------------

    async def _worker_for(self, plan: Plan) -> MediaLink | None:
        """The worker that is to hear this plan; None for a plan of an epoch that is over."""
        placed = await self._placements.find(plan.room)
        link = None if placed is None else self.links.get(placed.worker)
        if placed is not None and placed.epoch > plan.epoch:
            return None
        if plan.closed:
            # Whose worker is gone, or was never told: any other says that nothing of it is open.
            return link or self._any()
        if placed is not None and placed.epoch == plan.epoch:
            if link is None:
                raise ControlLostError("the worker of this epoch is gone")
            return link
        chosen = await self._place(plan, link)
        if placed is not None and link is not None and chosen is not link:
            over = Plan(plan.room, placed.epoch, plan.version, closed=True, peers={})
            self._owner.spawn(_close_there(link, over), "close-old-epoch")
        return chosen

    async def _place(self, plan: Plan, before: MediaLink | None) -> MediaLink:
        stay = None if before is None or before.draining else before.at.id
        chosen = choose(self._candidates(), self.limits, stay)
        if chosen is None:
            self._any()  # raises when there is none at all
            raise ControlRefusedError("draining")
        placed = await self._placements.claim(plan.room, plan.epoch, chosen)
        link = self.links.get(placed.worker)
        if link is None:
            raise ControlLostError("the worker of this room is not known here")
        if placed.worker == chosen:
            self._fresh.setdefault(chosen, []).append(self._now_s())
        log.info("room %s epoch %d lives on worker %s", plan.room, plan.epoch, link.at.name)
        return link

    def _candidates(self) -> list[Candidate]:
        now_s = self._now_s()
        found = []
        for worker, link in self.links.items():
            fresh = self._fresh[worker] = [at for at in self._fresh.get(worker, []) if now_s - at < FRESH_S]
            load = self.loads.get(worker, Load())
            load = replace(load, sessions=max(load.sessions, link.people))
            rooms = max(link.rooms, int(load.raw.get("rooms", 0)))
            serving = link.connected and not (link.draining or load.raw.get("draining"))
            found.append(Candidate(worker, load, rooms, len(fresh), serving))
        return found

    def _any(self) -> MediaLink:
        for link in self.links.values():
            if link.connected:
                return link
        raise ControlLostError("no media worker")

    async def _worker_of(self, room: str) -> MediaLink:
        placed = await self._placements.find(room)
        link = None if placed is None else self.links.get(placed.worker)
        if link is None:
            raise ControlLostError("no media worker")
        return link

    # --- for the rest of the application -----------------------------------------------------------

    async def wait_closed(self, recording: str, epoch: int, timeout: float) -> bool:
        """Wait until a worker has sealed and synced this epoch's journal; False after `timeout` seconds.

        True at once for a recording no living worker was told of: its journal is as it is.
        """

        def sealed() -> bool:
            return not any(
                room == recording and placed <= epoch and worker in self.links
                for (room, placed), worker in self._open.items()
            )

        try:
            async with asyncio.timeout(timeout):
                async with self._sealed:
                    await self._sealed.wait_for(sealed)
                while await self._open_somewhere(recording, epoch):  # noqa: ASYNC110 - in another process
                    await asyncio.sleep(SEALED_LOOK_S)
        except TimeoutError:
            return False
        return True

    async def _open_somewhere(self, recording: str, epoch: int) -> bool:
        """Whether a living worker has it by the word of another process."""
        placed = await self._placements.find(recording)
        return placed is not None and placed.epoch <= epoch and placed.worker in self.links

    async def probes(self) -> list[str]:
        """An offer without media from each of some workers: their ports differ. Raises ControlLostError."""
        living = [link for link in self.links.values() if link.connected]
        chosen = random.sample(living, min(MAX_PROBED, len(living)))
        asked = await asyncio.gather(*(link.probe() for link in chosen), return_exceptions=True)
        offers = [offer for offer in asked if isinstance(offer, str)]
        if not offers:
            raise ControlLostError("no media worker answered")
        return offers

    async def drain(self, link: MediaLink) -> None:
        """No new room on this worker; when its last one has ended, a fresh process takes its place."""
        log.info("worker %s is drained; %d rooms go on", link.at.name, link.rooms)
        await link.drain()

    async def measure(self) -> None:
        """Ask every worker for its numbers; one that does not answer keeps its last ones."""
        await asyncio.gather(*(self._measure(link) for link in list(self.links.values())))

    # --- from the roster and the workers -----------------------------------------------------------

    async def _joined(self, at: WorkerAt) -> None:
        if not at.own:
            self._others.add(at.id)
        link = MediaLink(at, self._keys, self._event)
        await link.connect()
        self.links[at.id] = link
        self.loads[at.id] = Load()

    async def _left(self, worker: str) -> None:
        link = self.links.pop(worker, None)
        if link is None:
            return
        self.loads.pop(worker, None)
        self._fresh.pop(worker, None)
        self._replacing.discard(worker)
        async with self._sealed:
            self._open = {key: place for key, place in self._open.items() if place != worker}
            self._sealed.notify_all()
        lost = await self._placements.of_worker(worker)
        if lost:
            log.warning("worker %s is gone with %d rooms", link.at.name, len(lost))
            self._owner.spawn(self._tell_lost(lost), "tell-lost")  # the next worker does not wait for it
        await link.close()
        self.events_dropped += link.waiting.dropped

    async def _tell_lost(self, rooms: Mapping[str, int]) -> None:
        for room in [name for name in rooms if name in self._apart]:
            self._apart.pop(room)({"ev": "closed"})
        if self._hub is None:
            return
        try:
            told = self._hub.media_lost(rooms)
            if inspect.isawaitable(told):
                await told
        except Exception as error:
            log.error("the rooms were not told of a lost worker: %s", describe(error))

    async def _event(self, worker: str, event: Mapping[str, Any]) -> None:
        kind = event.get("ev")
        if kind == "offer" and (event["room"], event["epoch"]) not in self._open:
            self.on_live(str(event["room"]))  # somebody is in, by the word of another process
        if kind == "heads":
            if worker in self._others:
                return  # written down by the process whose worker it is
            await self._heads.add_heads(str(event["room"]), int(event["epoch"]), event["heads"])
            return
        if kind == "closed":
            await self._note_sealed(str(event["room"]), int(event["epoch"]))
        if (heard := self._apart.get(str(event.get("room")))) is not None:
            heard(event)
            if kind == "closed":
                del self._apart[str(event["room"])]
            return
        if self._hub is None:
            return
        told = self._hub.media_event(dict(event))
        if inspect.isawaitable(told):
            await told

    async def _note_sealed(self, recording: str, epoch: int) -> None:
        await self._placements.release(recording, epoch)
        async with self._sealed:
            for key in [(room, e) for room, e in self._open if room == recording and e <= epoch]:
                del self._open[key]
            self._sealed.notify_all()

    async def _measure_often(self) -> None:
        while True:
            await asyncio.sleep(MEASURE_EVERY_S)
            await self.measure()
            for link in list(self.links.values()):
                if link.at.own and self._empty(link) and link.at.id not in self._replacing:
                    self._replacing.add(link.at.id)
                    self._owner.spawn(self._roster.replace(link.at.name), "replace")

    def _empty(self, link: MediaLink) -> bool:
        load = self.loads.get(link.at.id, Load())
        return link.draining and link.rooms == 0 and load.raw.get("rooms") == 0

    async def _measure(self, link: MediaLink) -> None:
        with contextlib.suppress(ControlLostError, ControlRefusedError, TimeoutError):
            raw = await link.metrics()
            if link.at.id in self.loads:
                self.loads[link.at.id] = self.loads[link.at.id].next(self._now_s(), raw)


async def _close_there(link: MediaLink, plan: Plan) -> None:
    """Best effort: the worker that had the epoch before is told that it is over."""
    try:
        await link.put_plan(plan)
    except (ControlLostError, ControlRefusedError, TimeoutError) as error:
        log.warning("an old epoch was not closed: %s", type(error).__name__)
