"""The media worker: one process, one event loop, all rooms given to it; driven by whole-state plans.

Started by the supervisor with one line of settings on stdin; end of file there, or SIGTERM, seals every
journal and
ends the process within two seconds. Knows rooms as opaque ids only. A room's error never reaches another
room.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from media import control
from media.clock import SystemClock
from media.control import ControlRefusedError, RoomPlan, WorkerSettings
from media.control_server import ControlServer
from media.fence import Fence, LeaseRequest
from media.ice.hub import IceHub
from media.log import set_up_logging
from media.metrics import Counters, LoopLag, process_usage
from media.native.drain import Drain
from media.native.library import load as native_library
from media.ports import OnOffer, SessionPort
from media.probe import Probes
from media.recorder import RoomRecorder
from media.recordstore.disk import DISK, Disk
from media.recordstore.space import SpaceGate
from media.recordstore.store import StoreWriter
from media.relay import TICK_S
from media.room import Room, RoomTools
from media.session import Session
from media.tasks import TaskOwner
from media.worker_metrics import queue_metrics, recording_metrics

log = logging.getLogger("hyeopjin.media.worker")

HEADS_EVERY_S = 10
CLOSE_LIMIT_S = 1.4
EXIT_LIMIT_S = 1.9
REMEMBERED_ENDS = 1024


class Worker:
    """All rooms of one process. Use `run`."""

    def __init__(self, settings: WorkerSettings, disk: Disk = DISK) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._gate = SpaceGate(Path(settings.journal_root), settings.floor_bytes, disk)
        self._store = StoreWriter(self._clock, disk=disk, gate=self._gate, roll_after_s=settings.roll_after_s)
        self._fence = self._store.fence = Fence()
        self._counters = Counters()
        self._lag = LoopLag()
        self._rooms: dict[str, Room] = {}
        self._ended: dict[str, tuple[int, int]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._tasks = TaskOwner("worker")
        self._control = ControlServer(Path(settings.socket), self._handle)
        self._hub: IceHub | None = None
        self._probes: Probes | None = None
        self._native = False
        self._draining = False
        self._seconds = 0

    async def run(self, stop: asyncio.Event, ready: Callable[[dict[str, Any]], None]) -> None:
        """Serves until `stop` is set, then closes every room and returns."""
        settings = self._settings
        os.makedirs(settings.journal_root, mode=0o700, exist_ok=True)
        library = native_library() if settings.native else None
        self._native = library is not None
        self._hub = await IceHub.open(
            settings.udp_host,
            settings.udp_port,
            announce=settings.announce,
            drain=None if library is None else partial(Drain, library),
        )
        self._hub.fence = self._fence
        self._probes = Probes(self._hub)
        self._gate.look()
        self._store.start()
        await self._control.start()
        self._tasks.start(self._tick())
        # What is here by now stays: collecting garbage need not walk it while packets wait.
        gc.collect()
        gc.freeze()
        ready({"ready": True, "udp_port": self._hub.udp_port, "tcp_port": self._hub.tcp_port})
        try:
            await stop.wait()
        finally:
            await self._close()

    # -- requests
    # ---------------------------------------------------------------------------------------------

    async def _handle(self, request: control.Request) -> dict[str, Any]:
        """The values of the reply. Raises ControlRefusedError."""
        log.debug("control request: %s", type(request).__name__)
        match request:
            case control.PlanRequest(plan=plan):
                return {"state": await self._apply(plan)}
            case control.AnswerRequest():
                room = self._room(request.room)
                await room.answer(request.peer, request.connection, request.offer_id, request.sdp)
            case control.RestartIceRequest():
                await self._room(request.room).restart_ice(request.peer, request.connection)
            case control.MetricsRequest():
                return {"metrics": self._metrics()}
            case control.DrainRequest():
                self._draining = True
            case LeaseRequest():
                return self._lease(request)
            case control.ProbeRequest():
                return {"sdp": self._probe()}
        return {}

    def _lease(self, request: LeaseRequest) -> dict[str, Any]:
        """Until when we may act; told back is what the leases are for."""
        shut = self._fence.extend(request.deadline_ms, self._clock.boottime_ns())
        if shut:
            log.warning("woke up past the leases: nothing was forwarded or stored meanwhile")
        rooms = {name: room.epoch for name, room in self._rooms.items()}
        sessions = sum(len(room.state()["peers"]) for room in self._rooms.values())
        return {"shut": shut, "rooms": rooms, "sessions": sessions, "draining": self._draining}

    async def _apply(self, plan: RoomPlan) -> dict[str, Any]:
        async with self._locks.setdefault(plan.room, asyncio.Lock()):
            room = self._rooms.get(plan.room)
            if room is not None and plan.epoch > room.epoch:
                await self._end(room)
                room = None
            ended = self._ended.get(plan.room)
            if room is None and (plan.closed or (ended is not None and plan.epoch <= ended[0])):
                if plan.closed:
                    # Nothing of this epoch is open here, so its journal is as sealed as it will be.
                    self._control.tell({"ev": "closed", "room": plan.room, "epoch": plan.epoch})
                return self._ended_state(plan, ended)
            if room is None:
                room = self._open(plan)
            await room.apply(plan)
            if room.closed:
                await self._end(room)
            return room.state()

    def _open(self, plan: RoomPlan) -> Room:
        if self._draining:
            raise ControlRefusedError("draining")
        tools = RoomTools(
            make_session=self._make_session,
            make_recorder=self._make_recorder,
            clock=self._clock,
            call_later=asyncio.get_running_loop().call_later,
            emit=self._control.tell,
            counters=self._counters,
        )
        room = self._rooms[plan.room] = Room(plan.room, plan.epoch, tools)
        log.info("room %s epoch %d opened", plan.room, plan.epoch)
        return room

    async def _end(self, room: Room) -> None:
        await room.close()
        if self._rooms.get(room.name) is room:
            del self._rooms[room.name]
        self._ended[room.name] = room.order
        while len(self._ended) > REMEMBERED_ENDS:
            oldest = next(iter(self._ended))
            del self._ended[oldest]
            self._locks.pop(oldest, None)
        log.info("room %s epoch %d closed", room.name, room.epoch)

    @staticmethod
    def _ended_state(plan: RoomPlan, ended: tuple[int, int] | None) -> dict[str, Any]:
        epoch, version = ended or plan.order
        return {"room": plan.room, "epoch": epoch, "version": version, "closed": True, "peers": {}}

    def _room(self, name: str) -> Room:
        room = self._rooms.get(name)
        if room is None:
            raise ControlRefusedError("unknown_room")
        return room

    def _probe(self) -> str:
        offer = None if self._probes is None else self._probes.open()
        if offer is None:
            raise ControlRefusedError("too_many_probes")
        return offer

    def _make_session(self, peer: str, connection: str, on_offer: OnOffer) -> SessionPort:
        assert self._hub is not None  # noqa: S101 - rooms are made only between open and close
        return Session.create(hub=self._hub, peer=peer, connection=connection, on_offer=on_offer)

    def _make_recorder(
        self, room: str, epoch: int, room_key: bytes, ask_keyframe: Callable[[str, str, str], None]
    ) -> RoomRecorder:
        root = Path(self._settings.journal_root)
        return RoomRecorder(root, room, epoch, self._store, room_key, self._clock, ask_keyframe)

    def _metrics(self) -> dict[str, float]:
        hub = self._hub
        estimates = [e for e in (room.lowest_estimate() for room in self._rooms.values()) if e]
        return {
            **self._counters.as_dict(),
            **self._lag.values(),
            **process_usage(),
            **({f"hub_dropped_{name}": count for name, count in hub.counters.items()} if hub else {}),
            "native": int(self._native),
            **queue_metrics(self._hub, self._store, self._control),
            "tasks": len(asyncio.all_tasks()),
            "rooms": len(self._rooms),
            "sessions": sum(len(room.state()["peers"]) for room in self._rooms.values()),
            "downlink_lowest_bps": min(estimates, default=0),
            **recording_metrics(list(self._rooms.values()), self._gate, self._store),
            "draining": int(self._draining),
            "fenced_datagrams": self._fence.datagrams,
            "fenced_packets": self._fence.packets,
            "fence_shuts": self._fence.shuts,
            "probes": len(self._probes or ()),
        }

    # -- time
    # -------------------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        per_second = round(1 / TICK_S)
        count = 0
        while True:
            due = max(due + TICK_S, loop.time())
            await asyncio.sleep(due - loop.time())
            self._lag.note(loop.time() - due)
            now_ns = self._clock.boottime_ns()
            count += 1
            if self._fence.shut(now_ns):
                continue
            for room in list(self._rooms.values()):
                try:
                    room.tick(now_ns)
                except Exception:
                    self._failed(room)
            if count % per_second == 0:
                await self._second(now_ns)

    async def _second(self, now_ns: int) -> None:
        self._seconds += 1
        for room in list(self._rooms.values()):
            try:
                await room.second(now_ns)
                if self._seconds % HEADS_EVERY_S == 0 and not room.closed:
                    room.tell_heads()
            except Exception:
                self._failed(room)

    def _failed(self, room: Room) -> None:
        self._counters.room_failures += 1
        log.exception("room %s failed at its tick", room.name)

    async def _close(self) -> None:
        await self._tasks.close()
        rooms = list(self._rooms.values())
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await asyncio.gather(*(self._end(room) for room in rooms), return_exceptions=True)
        except TimeoutError:
            log.exception("not every room closed in time")
        self._store.close(timeout_s=0.3)
        await self._control.close()
        if self._probes is not None:
            self._probes.close()
        if self._hub is not None:
            await self._hub.close()


def read_settings_line(limit: int = control.MAX_LINE) -> bytes:
    """The first line of stdin, read without buffering: what follows belongs to the watcher of its end."""
    line = bytearray()
    while len(line) < limit:
        byte = os.read(0, 1)
        if not byte or byte == b"\n":
            break
        line += byte
    return bytes(line)


def watch_stdin(on_end: Callable[[], None]) -> None:
    """Calls `on_end` from a thread when stdin ends: the supervisor is gone, however it went."""

    def watch() -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass
        on_end()

    threading.Thread(target=watch, name="stdin", daemon=True).start()


async def serve(settings: WorkerSettings, disk: Disk = DISK) -> None:
    """Runs a worker until stdin ends or SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def end() -> None:
        if not stop.is_set():
            # Whatever hangs, the process is gone in time: the supervisor counts on it.
            guard = threading.Timer(EXIT_LIMIT_S, os._exit, (1,))
            guard.daemon = True
            guard.start()
        stop.set()

    loop.add_signal_handler(signal.SIGTERM, end)
    # Ctrl-C reaches the whole process group; the supervisor decides when a worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def stdin_ended() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: there is nothing left to end
            loop.call_soon_threadsafe(end)

    watch_stdin(stdin_ended)

    def ready(message: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    await Worker(settings, disk).run(stop, ready)


def main(disk: Disk = DISK) -> int:
    """Entry point of `python -m media.worker`."""
    # The process holds seat keys: no core file may.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        settings = control.parse_settings(read_settings_line())
    except ControlRefusedError as refused:
        sys.stderr.write(f"media worker: {refused.code}\n")
        return 2
    set_up_logging(settings.log_level)
    started = time.monotonic()
    try:
        uvloop.run(serve(settings, disk))
    except OSError as error:
        sys.stderr.write(f"media worker {settings.worker_id} cannot start: {error}\n")
        return 1
    log.info("worker %s ended after %.0f s", settings.worker_id, time.monotonic() - started)
    return 0


if __name__ == "__main__":
    sys.exit(main())
