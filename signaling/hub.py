"""The hub: every way into a room, one line per room, and the clock's tick. A thin shell.

Must not: decide (`signaling/room.py`), know sockets' library (`signaling/namespace.py`), parse.
A method of the ports may call back into the hub, except `Directory.seed`: the room's line waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any

from signaling import commands as cm
from signaling import events as ev
from signaling import messages as ms
from signaling.inbound import media_event
from signaling.line import HEEDED, Outcome, RoomLine, Surroundings
from signaling.ports import (
    Consent,
    Directory,
    EndReason,
    Gate,
    IceServers,
    Knock,
    Media,
    Outbox,
    RoomListener,
    Silent,
    Ticket,
    no_relays,
)
from signaling.room import EMPTY_ENDS_SESSION_MS, refusal
from signaling.store import RoomStore, StoreAwayError
from signaling.tasks import TaskOwner, failure_site
from signaling.view import snapshot_of
from signaling.wire_snapshot import Snapshot

log = logging.getLogger("hyeopjin.signaling.hub")

TICK_S = 1.0
RECHECK_S = 2.0  # every connected socket's authority
SOCKETS_PER_SEAT = 4  # the fifth closes the oldest: a seat is one place


def wall_ms() -> int:
    """Unix milliseconds UTC."""
    return time.time_ns() // 1_000_000


def new_join_id() -> str:
    """Random, never used again."""
    return secrets.token_urlsafe(9)


class Hub:
    """All rooms of this process. `start` begins the ticking, `aclose` stops everything."""

    def __init__(
        self,
        *,
        store: RoomStore,
        directory: Directory,
        media: Media,
        gate: Gate,
        listener: RoomListener | None = None,
        now_ms: Callable[[], int] = wall_ms,
        join_id: Callable[[], str] = new_join_id,
        ice_servers: IceServers = no_relays,
        session_ends_after_ms: int = EMPTY_ENDS_SESSION_MS,
        tick_s: float = TICK_S,
        recheck_s: float = RECHECK_S,
        instance: str = "",
    ) -> None:
        """`instance`: this process's name among several that share the store; empty for the only one."""
        self.now_ms = now_ms
        self.instance = instance
        self._store = store
        self._directory = directory
        self._media = media
        self._gate = gate
        self._listener = listener
        self._join_id = join_id
        self._ice_servers = ice_servers
        self._session_ends_after_ms = session_ends_after_ms
        self._tick_s = tick_s
        self._recheck_s = recheck_s
        self.counts: Counter[str] = Counter()  # `events_refused`: a room had too many waiting
        self._outbox: Outbox = Silent()
        self._tasks = TaskOwner()
        self._closed = False
        self._lines: dict[str, RoomLine] = {}
        self._rooms: dict[str, str] = {}  # session -> room
        self._strangers: deque[tuple[str, ev.Event, int | None]] = deque()  # media's, session not known here
        self._seeking = False
        self._sockets: dict[str, Ticket] = {}
        self._seated: dict[str, str] = {}  # seat -> the socket that joined last

    def bind(self, outbox: Outbox) -> None:
        """Name the way to the pages; before `start`."""
        self._outbox = outbox

    async def start(self) -> None:
        """Begin to tick and to re-check authority."""
        self._tasks.start(self._every(self._tick_s, self.tick), "hub-tick")
        self._tasks.start(self._every(self._recheck_s, self.recheck), "hub-recheck")

    async def aclose(self) -> None:
        """Stop. Sessions stay open in the books: after a restart the pages come back to them."""
        self._closed = True
        for line in self._lines.values():
            line.close()
        await self._tasks.aclose()

    # --- from the sockets ----------------------------------------------------------------------------------

    async def connected(self, socket: str, ticket: Ticket) -> None:
        """A socket with a right to a seat; it is not in the room before `join`."""
        self._sockets[socket] = ticket
        same = [other for other, held in self._sockets.items() if held.seat == ticket.seat]
        for oldest in same[:-SOCKETS_PER_SEAT]:
            await self._outbox.close(oldest, "replaced")

    def disconnected(self, socket: str, goodbye: bool = False) -> None:
        """The socket is gone; never waits, since closing a socket is itself a command of a room."""
        ticket = self._sockets.pop(socket, None)
        if ticket is not None and self._seated.get(ticket.seat) == socket:
            del self._seated[ticket.seat]
        if ticket is not None and not self._closed:
            self._line(ticket.room).post(ev.SocketLost(ticket.seat, socket, goodbye))

    async def join(self, ticket: Ticket, socket: str, message: ms.Join) -> Snapshot | str:
        """The room as the seat sees it, or the code of the refusal."""

        async def joined() -> ev.Event:
            return ev.Joined(
                seat=ticket.seat,
                socket=socket,
                credential=ticket.credential_id,
                join_id=self._join_id(),
                seed=await self._directory.seed(ticket.room),
                mic=message.mic,
                camera=message.camera,
                resume=message.resume,
                full=await self._full(ticket.room),
            )

        # Asked and put into the line without a pause between, so that joins stand in it in the order asked.
        late = self._late(ticket.seat, socket)
        if late is not None:
            return late
        if self._store.away:
            raise StoreAwayError  # the page asks again: nothing is to be remembered of who is not in yet
        self._seated[ticket.seat] = socket
        document, commands = await self._line(ticket.room).ask(joined)
        seat = None if document is None else document.seat(ticket.seat)
        code = refusal(commands)
        if code is not None or document is None or seat is None:
            return code or "removed"
        return snapshot_of(document, seat)

    async def _full(self, room: str) -> bool:
        """Whether media can carry nobody more in this room; one that runs is asked for on its own worker."""
        stored = await self._store.load(room)
        return not await self._media.has_room(None if stored is None else stored[1].session)

    def _late(self, seat: str, socket: str) -> str | None:
        """Why a join is too late, if it is: a page that reloaded may leave one behind, still unread.

        It must neither throw out the page that came after it nor sit there with a socket that is gone.
        """
        if socket not in self._sockets:
            return "not_joined"
        order = list(self._sockets)  # as they connected
        held = self._seated.get(seat)
        if held in self._sockets and order.index(held) > order.index(socket):
            return "replaced"
        return None

    async def tell(self, room: str, event: ev.PageEvent) -> str | None:
        """Any other event of a page; the code if it was refused."""
        _, commands = await self._ask(room, event)
        return refusal(commands)

    # --- from the application ------------------------------------------------------------------------------

    async def consent_changed(
        self, room: str, seat: str, decision: Consent, grant: str | None, accompanied: bool | None = None
    ) -> None:
        """Acts on media at once; without a room nothing is to be done (the next join reads the books)."""
        await self._tell(room, ev.ConsentChanged(seat, decision, grant, accompanied))

    async def knock(self, room: str, knock: Knock) -> None:
        """Show a knock to those who may admit."""
        await self._tell(room, ev.KnockArrived(knock))

    async def credential_revoked(self, credential: str) -> None:
        """Close every socket that came in by it, and free its seat; also one that is away."""
        for room in await self._known_rooms():
            await self._tell(room, ev.CredentialRevoked(credential))
        for socket in [s for s, ticket in self._sockets.items() if ticket.credential_id == credential]:
            await self._outbox.close(socket, "revoked")

    async def room_closed(self, room: str, reason: EndReason) -> None:
        """The consultation was cancelled, or ended outside the room."""
        await self._tell(room, ev.RoomClosed(reason))
        code = "removed" if reason == "cancelled" else "ended"
        if not await self._exists(
            room
        ):  # sockets that never joined; those inside are closed once media has sealed
            for socket in [s for s, ticket in self._sockets.items() if ticket.room == room]:
                await self._outbox.close(socket, code)

    async def presence(self, room: str) -> set[str]:
        """Ids of the seats that are present (also those away for less than 30 s)."""
        stored = await self._store.load(room)
        return set() if stored is None else {seat.id for seat in stored[1].present}

    async def busy(self) -> bool:
        """Whether anybody is present in any room."""
        for room in await self._store.rooms():
            if await self.presence(room):
                return True
        return False

    # --- from other instances ------------------------------------------------------------------------------

    async def instance_lost(self, instance: str) -> None:
        """A process that shares the store has died: whoever sat there by it is away, at once."""
        for room in await self._known_rooms():
            self._line(room).post(ev.InstanceLost(instance))

    async def repair(self) -> None:
        """Emits may have been missed: every page of ours that sits somewhere is told how it stands."""
        for socket, ticket in list(self._sockets.items()):
            if self._seated.get(ticket.seat) != socket:
                continue
            try:
                _, commands = await self._ask(ticket.room, ev.MendAsked(ticket.seat, socket))
            except StoreAwayError:
                return  # its return asks again
            code = refusal(commands)
            if code == "not_joined":
                await self._outbox.hang_up(socket)
            elif code is not None:
                await self._outbox.close(socket, code)

    # --- from media ----------------------------------------------------------------------------------------

    def media_event(self, raw: Mapping[str, Any]) -> None:
        """One event of the media plane's control channel; never raises, never waits."""
        try:
            parsed = media_event(raw)
        except ValueError:
            log.warning("malformed media event dropped")
            return
        if parsed is None:
            return
        session, event = parsed
        told = raw.get("n")
        number = told if type(told) is int else None
        room = self._rooms.get(session)
        if self._closed:
            return
        if room is not None and not self._strangers:
            self._line(room).post(event, number)
            return
        # Another process may have opened the session; those behind wait, so that the order stays.
        self._strangers.append((session, event, number))
        if not self._seeking:
            self._seeking = True
            self._tasks.start(self._seek(), "hub-seek")

    async def _seek(self) -> None:
        try:
            while self._strangers:
                session, event, number = self._strangers[0]
                room = self._rooms.get(session)
                try:
                    room = room or await self._store.room_of(session)
                except StoreAwayError:
                    await self._store.back()
                    continue
                self._strangers.popleft()
                if room is not None and not self._closed:
                    self._rooms[session] = room
                    self._line(room).post(event, number)
        finally:
            self._seeking = False

    async def media_lost(self, sessions: Mapping[str, int]) -> None:
        """A media worker died with these sessions' epochs: each gets a new one, and new connections.

        No room waits for another's line.
        """
        asked = [self._lost(session, epoch) for session, epoch in sessions.items()]
        for outcome in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(outcome, Exception):
                log.error("a room was not told that its media is lost: %s", failure_site(outcome))

    async def _lost(self, session: str, epoch: int) -> None:
        while True:
            await self._store.back()
            with contextlib.suppress(StoreAwayError):
                room = await self._store.room_of(session)
                break
        if room is not None:
            await self._tell(room, ev.MediaLost(epoch))

    # --- time ----------------------------------------------------------------------------------------------

    async def tick(self) -> None:
        """A second has passed in every room. Lines without work and without a document are let go."""
        try:
            rooms = set(await self._store.rooms())
            for room in rooms:
                if await self._store.turn(room):
                    self._line(room).tick()
        except StoreAwayError:
            return
        for room, line in list(self._lines.items()):
            if room not in rooms and line.idle:
                del self._lines[room]
                line.close()
        self._rooms = {session: room for session, room in self._rooms.items() if room in self._lines}

    async def recheck(self) -> None:
        """Ask the gate about every connected socket; a credential that is dead is revoked here and now."""
        for ticket in set(self._sockets.values()):
            if not await self._gate.still_valid(ticket):
                await self.credential_revoked(ticket.credential_id)

    async def _every(self, seconds: float, work: Callable[[], Any]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except Exception as error:
                log.error("%s failed: %s", work.__name__, failure_site(error))

    # --- lines ---------------------------------------------------------------------------------------------

    async def _ask(self, room: str, event: ev.Event) -> Outcome:
        async def made() -> ev.Event:
            return event

        if room not in self._lines and not await self._exists(room):
            return None, [cm.Refused("not_joined")]
        return await self._line(room).ask(made, heed=isinstance(event, HEEDED))

    async def _tell(self, room: str, event: ev.Event) -> None:
        """What the books have already: without the store it waits in the room's line, and nobody for it."""
        with contextlib.suppress(StoreAwayError):
            await self._ask(room, event)

    async def _exists(self, room: str) -> bool:
        """Whether the room has a document, or may have one that cannot be seen just now."""
        try:
            return self._store.away or await self._store.load(room) is not None
        except StoreAwayError:
            return True

    async def _known_rooms(self) -> list[str]:
        """All rooms; while the store is away those that this process has had to do with."""
        try:
            return await self._store.rooms()
        except StoreAwayError:
            return list(self._lines)

    def _line(self, room: str) -> RoomLine:
        if self._closed:
            raise RuntimeError("the hub is closed")
        line = self._lines.get(room)
        if line is None:
            line = self._lines[room] = RoomLine(room, self._around())
        return line

    def _session_known(self, session: str, room: str) -> None:
        self._rooms[session] = room

    def _around(self) -> Surroundings:
        return Surroundings(
            store=self._store,
            directory=self._directory,
            media=self._media,
            outbox=self._outbox,
            listener=self._listener,
            now_ms=self.now_ms,
            session_ends_after_ms=self._session_ends_after_ms,
            tasks=self._tasks,
            session_known=self._session_known,
            counts=self.counts,
            ice_servers=self._ice_servers,
        )
