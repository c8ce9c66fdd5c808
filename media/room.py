"""One room in one epoch: applies the whole wanted state, owns its sessions, relay and recorder.

Knows the room as an opaque id, epoch and plan only; never a role, name or language. It does not read
sockets: the
worker hands it plans, answers and ticks, and takes its events. An error here ends at this room.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Protocol

from media.clock import Clock
from media.control import ControlRefusedError, PeerPlan, RoomPlan
from media.lines import Lines
from media.metrics import Counters
from media.ports import Offer, OnOffer, SessionPort
from media.recording import Emit, MakeRecorder, RoomRecording
from media.relay import CallLater, Relay
from media.sdp import SdpRefused
from media.tracks import SourceStream
from media.turns import Turns

log = logging.getLogger("hyeopjin.media.room")

ALWAYS = ("audio", "camera")
WHEN_PUBLISHED = ("screen", "exam")


class MakeSession(Protocol):
    """Makes one peer's connection; it does nothing until `start`."""

    def __call__(self, peer: str, connection: str, on_offer: OnOffer) -> SessionPort: ...


@dataclass(frozen=True, slots=True)
class RoomTools:
    """What the worker lends to each of its rooms."""

    make_session: MakeSession
    make_recorder: MakeRecorder
    clock: Clock
    call_later: CallLater
    emit: Emit
    counters: Counters


class Room:
    """See the module. `apply` is the only way to change it; calls of one room run one at a time."""

    def __init__(self, name: str, epoch: int, tools: RoomTools) -> None:
        self.name = name
        self.epoch = epoch
        self.closed = False
        self._tools = tools
        self._plan = RoomPlan(name, epoch, -1)
        self._sessions: dict[str, SessionPort] = {}
        self._subscribed: dict[str, list[tuple[str, str]]] = {}
        """What each session was last asked to be sent."""
        self._lock = asyncio.Lock()
        self._relay = Relay(tools.clock.boottime_ns, tools.call_later, self._state_changed, tools.counters)
        self._turns = Turns()
        self._lines = Lines(name, epoch, self._relay, tools.emit, tools.call_later, tools.clock.boottime_ns)
        self._recording = RoomRecording(
            name, epoch, self._relay, tools.make_recorder, tools.clock, tools.emit
        )
        self._lines.on_survival = lambda peer, held: self._recording.event(peer, "stills", on=int(held))

    @property
    def order(self) -> tuple[int, int]:
        return self._plan.order

    async def apply(self, plan: RoomPlan) -> None:
        """Makes the room what `plan` says. An older plan changes nothing."""
        async with self._lock:
            if self.closed or plan.epoch != self.epoch or plan.order < self.order:
                return
            self._plan = plan
            if plan.closed:
                await self._close()
                return
            # Withdrawals act before anything that can wait: no packet is recorded after this line.
            self._recording.apply(plan)
            self._relay.let_through(plan.routes)
            await self._remove_sessions(plan)
            for peer, wanted in plan.peers.items():
                self._expect(peer, wanted)
            await self._open_sessions()
            self._lines.apply(plan, self._tools.clock.boottime_ns())

    async def answer(self, peer: str, connection: str, offer_id: str, sdp: str) -> None:
        """A page's answer. Raises ControlRefusedError: unknown_peer, unknown_connection, or SdpRefused's
        code."""
        session = self._session(peer, connection)
        try:
            await session.accept_answer(offer_id, sdp)
        except SdpRefused as refused:
            log.warning("answer of connection %s refused: %s", connection, refused.code)
            raise ControlRefusedError(refused.code) from refused

    async def restart_ice(self, peer: str, connection: str) -> None:
        """Offers new ICE credentials on the same connection."""
        await self._session(peer, connection).restart_ice()

    def tick(self, now_ns: int) -> None:
        """Every 100 ms."""
        if not self.closed:
            self._relay.tick(now_ns)
            self._lines.tick(now_ns)
            self._recording.tick(now_ns)
            if self._turns.look(self._voices(), now_ns):
                self._tell_turn()

    async def second(self, now_ns: int) -> None:
        """Every second: tells what is stored, and follows what has begun to be published."""
        if self.closed:
            return
        self._recording.tell(now_ns)
        self._lines.second(now_ns)
        if self._lock.locked():
            # A plan is being applied and subscribes anyway; the tick of the other rooms must not wait for it.
            return
        async with self._lock:
            if not self.closed and self._is_behind():
                await self._open_sessions()

    @property
    def degraded(self) -> int:
        """How many tracks the light last named as not stored."""
        return self._recording.degraded

    @property
    def journal_lag_ms(self) -> int:
        """How long the oldest entry of this room that is not on disk has waited."""
        return self._recording.lag_ms

    def lowest_estimate(self) -> int:
        """The least downlink estimate (REMB, bit/s) of this room's subscribers, 0 when none has told one."""
        return self._relay.lowest_estimate()

    def tell_heads(self) -> None:
        """The journal's chain heads, for the database's audit chain."""
        self._recording.tell_heads()

    def state(self) -> dict[str, Any]:
        """What is, as a reply to a plan."""
        peers = {
            peer: {
                "connection": session.connection,
                "state": session.state,
                "connected": session.state == "connected",
            }
            for peer, session in self._sessions.items()
        }
        epoch, version = self.order
        return {
            "room": self.name,
            "epoch": epoch,
            "version": version,
            "closed": self.closed,
            "peers": peers,
        }

    async def close(self) -> None:
        """Closes connections, seals and syncs the journal, tells it. Idempotent."""
        async with self._lock:
            await self._close()

    # -- inside
    # -----------------------------------------------------------------------------------------------

    async def _close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._relay.close()
        sessions, self._sessions = list(self._sessions.values()), {}
        await self._recording.close()
        results = await asyncio.gather(*(session.close() for session in sessions), return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                log.error("a session of room %s did not close", self.name, exc_info=result)
        self._tools.emit({"ev": "closed", "room": self.name, "epoch": self.epoch})

    def _session(self, peer: str, connection: str) -> SessionPort:
        session = self._sessions.get(peer)
        if session is None:
            raise ControlRefusedError("unknown_peer")
        if session.connection != connection:
            raise ControlRefusedError("unknown_connection")
        return session

    async def _remove_sessions(self, plan: RoomPlan) -> None:
        leaving = []
        for peer, session in list(self._sessions.items()):
            wanted = plan.peers.get(peer)
            if wanted is not None and wanted.connection == session.connection:
                continue
            # Detached before its transport closes, so that nobody forwards into a closed session.
            if wanted is None:
                self._relay.forget(peer)
            else:
                self._relay.detach(peer)
            del self._sessions[peer]
            leaving.append(session)
        if not leaving:
            return
        await self._subscribe()
        for session in leaving:
            try:
                await session.close()
            except Exception:
                log.exception("a session of room %s did not close", self.name)

    async def _open_sessions(self) -> None:
        """Makes what sessions the plan wants and are not there, and subscribes everybody."""
        opened = []
        for peer, wanted in self._plan.peers.items():
            if peer in self._sessions:
                continue
            try:
                opened.append(self._open_session(peer, wanted))
            except Exception:
                self._tools.counters.room_failures += 1
                log.exception("a session of room %s could not be made", self.name)
        self._recording.mark(self._sessions)
        await self._subscribe()
        # Started last, so that a newcomer's first offer has everybody in it.
        for session in opened:
            session.start()

    def _open_session(self, peer: str, wanted: PeerPlan) -> SessionPort:
        def on_offer(offer: Offer) -> None:
            self._tell_offer(peer, offer)

        session = self._tools.make_session(peer, wanted.connection, on_offer)
        self._sessions[peer] = session
        session.attach(self._relay.attach(session))
        self._recording.event(peer, "joined")
        return session

    def _expect(self, peer: str, wanted: PeerPlan) -> None:
        if self._relay.expect(peer, wanted.mic, wanted.camera):
            self._recording.event(peer, "media", mic=int(wanted.mic), camera=int(wanted.camera))

    def _is_behind(self) -> bool:
        """Whether somebody has no session yet, or should be sent other tracks than were asked for last."""
        if self._plan.peers.keys() - self._sessions.keys():
            return True
        return {peer: self._wanted(peer) for peer in self._sessions} != self._subscribed

    async def _subscribe(self) -> None:
        self._subscribed = {}
        for peer, session in list(self._sessions.items()):
            wanted = self._wanted(peer)
            try:
                await session.set_subscriptions(wanted)
                self._subscribed[peer] = wanted
            except Exception:  # once more in a second
                self._tools.counters.room_failures += 1
                log.exception("subscriptions of a peer of room %s failed", self.name)
        # A delivery that was given up must stop now, not when the subscriber has answered.
        self._relay.relink()

    def _wanted(self, subscriber: str) -> list[tuple[str, str]]:
        """(source peer, kind) pairs of one subscriber, in the plan's order of peers, whether let through or
        not: a route that opens needs no negotiation."""
        pairs = []
        for source in self._plan.peers:
            if source == subscriber or source not in self._sessions:
                continue
            for kind in (*ALWAYS, *WHEN_PUBLISHED):
                if kind in ALWAYS or self._is_published(source, kind):
                    pairs.append((source, kind))
        return pairs

    def _is_published(self, peer: str, kind: str) -> bool:
        publication = self._relay.publications.get((peer, kind))
        return publication is not None and publication.last_packet_ns > 0

    def _voices(self) -> dict[str, SourceStream]:
        """The newest stream of sound of everybody whose voice is for the room."""
        found = {}
        for peer, wanted in self._plan.peers.items():
            publication = self._relay.publications.get((peer, "audio"))
            if wanted.mic and not wanted.aside and publication is not None and publication.streams:
                found[peer] = max(publication.streams.values(), key=lambda stream: stream.last_ns)
        return found

    def _tell_turn(self) -> None:
        at_ms = self._tools.clock.wall_ns() // 1_000_000
        told = {"ev": "turn", "room": self.name, "epoch": self.epoch}
        self._tools.emit({**told, "peer": self._turns.floor, "at_ms": at_ms})

    def _tell_offer(self, peer: str, offer: Offer) -> None:
        tracks = [{"mid": t.mid, "participant": t.participant, "kind": t.kind} for t in offer.tracks]
        self._tools.emit(
            {
                "ev": "offer",
                "room": self.name,
                "epoch": self.epoch,
                "peer": peer,
                "connection": offer.connection,
                "offer_id": offer.offer_id,
                "sdp": offer.sdp,
                "ice_restart": offer.ice_restart,
                "tracks": tracks,
            }
        )

    def _state_changed(self, peer: str, connection: str, state: str) -> None:
        self._recording.event(peer, state)
        self._tools.emit(
            {
                "ev": "peer",
                "room": self.name,
                "epoch": self.epoch,
                "peer": peer,
                "connection": connection,
                "state": "failed" if state == "closed" else state,
            }
        )
