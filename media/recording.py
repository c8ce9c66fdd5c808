"""What of one room is recorded, in one epoch: whom the plan admits, what the store has, what it lacks.

Stands between the room, its relay and its recorder. It must not see a packet, and says only what the recorder
and the store have said.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from media.clock import Clock
from media.control import PausePlan, RoomPlan
from media.recorder import ASIDE, LEFT, PAUSED, WITHDRAWN, RoomRecorder
from media.relay import Relay
from media.stored import StoredReport
from media.truth import Comparison

log = logging.getLogger("hyeopjin.media.recording")

LOOK_NS = 500_000_000
ROUND_TRIPS_NS = 5_000_000_000

Emit = Callable[[dict[str, Any]], None]


class MakeRecorder(Protocol):
    """Makes the recorder of a (room, epoch)."""

    def __call__(
        self, room: str, epoch: int, room_key: bytes, ask_keyframe: Callable[[str, str, str], None]
    ) -> RoomRecorder: ...


@dataclass(frozen=True, slots=True)
class Admitted:
    """Under which grant a peer is recorded, and since when (CLOCK_BOOTTIME ns)."""

    grant: str
    since_ns: int


class RoomRecording:
    """`apply` every plan before anything that can wait; `tell` once a second."""

    def __init__(
        self, room: str, epoch: int, relay: Relay, make_recorder: MakeRecorder, clock: Clock, emit: Emit
    ) -> None:
        self._room, self._epoch = room, epoch
        self._relay, self._clock, self._emit = relay, clock, emit
        self._make_recorder = make_recorder
        self._plan = RoomPlan(room, epoch, -1)
        self._admitted: dict[str, Admitted] = {}
        self._comparison = Comparison()
        self._alarms: dict[tuple[str, str], str] = {}
        self._looked_ns = 0
        self._told_round_trips_ns = 0
        self._recorder: RoomRecorder | None = None
        self._failed = False
        self.degraded = 0
        """How many tracks the light last named as not stored."""
        self.lag_ms = 0
        """For how long the oldest entry that is not on disk yet has waited, when last told."""
        self._consenting: set[str] = set()
        self._paused: PausePlan | None = None
        self._round_trips: dict[str, tuple[str, int]] = {}
        """What the room's file says of each peer's connection."""
        self._written: PausePlan | None = None
        """The pause as it stands in the room's file."""

    def apply(self, plan: RoomPlan) -> None:
        """Admits and dismisses as the plan says: no packet of who is not in it is recorded after this."""
        before = (self._paused, dict(self._admitted))
        consenting = {peer for peer, wanted in plan.peers.items() if wanted.grant is not None}
        now_ns = self._clock.boottime_ns()
        gone = self._consenting - consenting
        for peer in self._admitted.keys() - self._recordable(plan):
            self._note_departure(peer, plan)
            self._dismiss(peer, self._why(plan, peer))
            gone.discard(peer)
        if self._recorder is not None:
            for peer in gone:  # while nobody is recorded: the time after the pause has its cause all the same
                self._note_departure(peer, plan)
                self._recorder.event(peer, "dismissed", now_ns, cause=self._why(plan, peer))
        self._plan, self._consenting = plan, consenting
        if self._recorder is None and plan.room_key is not None:
            self._open(plan.room_key)
        if self._recorder is not None:
            self._pause(self._recorder, now_ns)
            self._admit(self._recorder, now_ns)
        self._paused = plan.pause
        if before != (self._paused, self._admitted):
            self.tell(now_ns)

    @staticmethod
    def _recordable(plan: RoomPlan) -> set[str]:
        """Whoever may be recorded: consent and key, and nobody has paused the room."""
        return set() if plan.pause else {peer for peer, wanted in plan.peers.items() if wanted.recordable}

    def _note_departure(self, peer: str, plan: RoomPlan) -> None:
        """Whether somebody who is in the room no more has left, or their line was lost."""
        if self._recorder is not None and peer not in plan.peers:
            self._recorder.event(peer, "lost" if peer in plan.lost else "left", self._clock.boottime_ns())

    @staticmethod
    def _why(plan: RoomPlan, peer: str) -> str:
        """Why a peer is not recorded any more."""
        wanted = plan.peers.get(peer)
        if wanted is None:
            return LEFT
        if wanted.grant is None:
            return WITHDRAWN
        return ASIDE if wanted.private and plan.pause is None else PAUSED

    def _dismiss(self, peer: str, cause: str) -> None:
        """Nothing of the peer that comes after this line is stored; said so, with the grant that ended."""
        grant = self._admitted.pop(peer).grant
        self._relay.set_recorded(peer, False)
        if self._recorder is not None:
            self._recorder.dismiss(peer, cause)
        told = {"ev": "dismissed", "room": self._room, "epoch": self._epoch}
        self._emit({**told, "peer": peer, "grant": grant, "cause": cause})

    def _pause(self, recorder: RoomRecorder, now_ns: int) -> None:
        wanted = self._plan.pause
        if wanted is not None and wanted != self._written:
            recorder.event("", "paused", now_ns, by=wanted.by, why=wanted.why)
        elif wanted is None and self._written is not None:
            recorder.event("", "resumed", now_ns)
        self._written = wanted

    def _admit(self, recorder: RoomRecorder, now_ns: int) -> None:
        admissible = self._recordable(self._plan)
        for peer, wanted in self._plan.peers.items():
            if peer not in admissible or wanted.grant is None or wanted.key is None:
                continue
            try:
                recorder.admit(peer, wanted.grant, wanted.key)
            except Exception:
                log.exception("room %s: a seat could not be admitted to the journal", self._room)
                continue
            known = self._admitted.get(peer)
            if known is None or known.grant != wanted.grant:
                self._admitted[peer] = Admitted(wanted.grant, now_ns)
                recorder.event(peer, "media", now_ns, mic=int(wanted.mic), camera=int(wanted.camera))

    def mark(self, peers: Iterable[str]) -> None:
        """Of these connected peers, those that are admitted reach the recorder."""
        for peer in peers:
            self._relay.set_recorded(peer, peer in self._admitted)

    def event(self, peer: str, name: str, **fields: int | str) -> None:
        """Into the room's file. Without a grant not even the fact that somebody was there is recorded."""
        if self._recorder is not None and peer in self._consenting:
            self._recorder.event(peer, name, self._clock.boottime_ns(), **fields)

    def tick(self, now_ns: int) -> None:
        """Looks twice a second, and tells at once when something is wrong that was not, or the other way."""
        if now_ns - self._looked_ns < LOOK_NS:
            return
        before = self._alarms
        self._look(now_ns)
        if self._alarms != before:
            self.tell(now_ns)

    def tell(self, now_ns: int) -> None:
        """What is stored, and what is not. Once a second."""
        if self._recorder is None and self._plan.room_key is not None:
            self.apply(self._plan)
            self.mark(self._relay.endpoints)
        report = StoredReport(None, {}, [])
        if self._recorder is not None:
            self._tell_round_trips(self._recorder, now_ns)
            report = self._recorder.stored(now_ns)
        self.lag_ms = max((seat.waiting_ms for seat in report.seats.values()), default=0)
        self._emit(
            {
                "ev": "stored",
                "room": self._room,
                "epoch": self._epoch,
                "stored_until_ms": report.until_ms,
                "seats": {
                    peer: {"until_ms": seat.until_ms, "grant": self._grant(peer)}
                    for peer, seat in report.seats.items()
                },
                "paused": self._paused is not None and not report.seats,
                "degraded": self._degraded(report, now_ns),
            }
        )

    def _tell_round_trips(self, recorder: RoomRecorder, now_ns: int) -> None:
        """Into the room's file: of a new connection at once, else every 5 s, and only what has changed."""
        due = now_ns - self._told_round_trips_ns >= ROUND_TRIPS_NS
        for peer, (connection, least_ns) in self._relay.round_trips().items():
            known = self._round_trips.get(peer, ("", 0))
            if peer in self._admitted and known != (connection, least_ns) and (due or known[0] != connection):
                self._round_trips[peer] = (connection, least_ns)
                recorder.event(peer, "round_trip", now_ns, us=max(1, least_ns // 1000))
        if due:
            self._told_round_trips_ns = now_ns

    def _grant(self, peer: str) -> str | None:
        known = self._admitted.get(peer)
        return None if known is None else known.grant

    def tell_heads(self) -> None:
        """The journal's chain heads, for the database's audit chain."""
        if self._recorder is not None:
            heads = self._recorder.heads()
            self._emit({"ev": "heads", "room": self._room, "epoch": self._epoch, "heads": heads})

    async def close(self) -> None:
        """Seals and syncs the journal, and tells its last heads."""
        self._admitted.clear()
        self._consenting.clear()
        if self._recorder is not None:
            try:
                await self._recorder.close()
            except Exception:
                log.exception("journal of room %s did not close", self._room)
            self.tell_heads()

    def _open(self, room_key: bytes) -> None:
        try:
            self._recorder = self._make_recorder(self._room, self._epoch, room_key, self._relay.ask_keyframe)
        except Exception:
            if not self._failed:
                log.exception("room %s has no journal", self._room)
            self._failed = True
            return
        self._failed = False
        self._relay.recorder = self._recorder

    def _degraded(self, report: StoredReport, now_ns: int) -> list[dict[str, str]]:
        """The truth light's alarms: the store is behind what the relay has, or a track has fallen silent."""
        found = {(p, kind or "audio"): cause for p, kind, cause in report.degraded}
        for peer in self._recordable(self._plan) - report.seats.keys():
            found.setdefault((peer, "audio"), "store_behind")
        if report.room and not report.seats:  # a pause that is not written down is none to rely on
            found.update({(peer, "audio"): report.room for peer in self._consenting})
        self._look(now_ns)
        found = {**self._alarms, **found}
        self.degraded = len(found)
        return [{"peer": peer, "kind": kind, "cause": cause} for (peer, kind), cause in found.items()]

    def _look(self, now_ns: int) -> None:
        self._looked_ns = now_ns
        stored = {} if self._recorder is None else self._recorder.acknowledged()
        arrived = self._relay.arrived({peer: known.since_ns for peer, known in self._admitted.items()})
        recordable = dict.fromkeys(self._recordable(self._plan), True)
        silent = dict.fromkeys(self._relay.silent(now_ns, recordable), "no_packets")
        behind = dict.fromkeys(self._comparison.behind(now_ns, arrived, stored), "store_behind")
        self._alarms = silent | behind
