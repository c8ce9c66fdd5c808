"""One room's line: its events one after the other, its commands in order. The shell around `room.handle`.

Three queues, each served by one task: *events* (load, handle, compare-and-set, execute), *media* (plans,
answers: one request at a time, an outdated plan is skipped, a failed one is sent again), *books* (the
directory's calls). So a slow worker or database delays its own calls only.
Must not: decide anything; `signaling/room.py` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from signaling import commands as cm
from signaling import events as ev
from signaling import interpreting_events as ie
from signaling.document import RoomDocument, new_document
from signaling.messages import Offer
from signaling.plan import plan_of
from signaling.ports import Directory, IceServers, Media, Outbox, Plan, RoomListener
from signaling.room import handle, refusal
from signaling.store import RoomStore, StoreAwayError
from signaling.taken import Taken
from signaling.tasks import TaskOwner, failure_site

log = logging.getLogger("hyeopjin.signaling.line")

CONFLICT_TRIES = 20
MEDIA_TRY_AGAIN_S = 0.25
MEDIA_TIMEOUT_S = 10.0
EVENT_TIMEOUT_S = 10.0  # for reading the books before a join
PATIENCE_S = 3.0  # who asks is told so long after that the store is away; the event waits for it all the same
HEEDED = (ie.PartnerLine, ie.Stepped)  # who hears whom: acknowledged once media has it, pages rely on that
HEED_S = 3.0  # or refused after that long, and done all the same
MAX_WAITING = 512  # events of a room; pages are told `too_fast` then, what media says still comes in
CLOSED_PLAN_TRIES = (
    20  # a plan that only closes is given up after this many: a dead worker has closed already
)


@dataclass(frozen=True)
class Surroundings:
    """What a line needs, the same for every room."""

    store: RoomStore
    directory: Directory
    media: Media
    outbox: Outbox
    listener: RoomListener | None
    now_ms: Callable[[], int]
    session_ends_after_ms: int
    tasks: TaskOwner
    session_known: Callable[[str, str], None]  # session, room
    counts: Counter[str]
    ice_servers: IceServers


EventMaker = Callable[[], Awaitable[ev.Event]]
Outcome = tuple[RoomDocument | None, list[cm.Command]]
Waiting = tuple[EventMaker, asyncio.Future[Outcome] | None, int | None]
MediaCall = cm.PutPlan | cm.ForwardAnswer | cm.RestartIce | cm.Emptied
BooksCall = (
    cm.OpenSession | cm.NextEpoch | cm.EndSession | cm.AnswerKnock | cm.KeepPause | cm.Note | cm.Emptied
)


class RoomLine:
    """Owns nothing of the room but its order; the document lives in the store."""

    def __init__(self, room: str, around: Surroundings) -> None:
        self.room = room
        self._around = around
        self._events: asyncio.Queue[Waiting] = asyncio.Queue()
        self._media: asyncio.Queue[tuple[MediaCall, int]] = asyncio.Queue()
        self._books: asyncio.Queue[tuple[BooksCall, int]] = asyncio.Queue()
        self._newest_plan: Plan | None = None
        self._taken = Taken()
        self._working = 0
        self._books_waiting = 0  # also the one being done
        self._tick_waits = False
        self._tasks = [
            around.tasks.start(serve(), f"line{serve.__name__}")
            for serve in (self._serve_events, self._serve_media, self._serve_books)
        ]

    def close(self) -> None:
        """Stop serving: the line is idle, or the whole process stops. Who still waits is cancelled."""
        for task in self._tasks:
            task.cancel()
        self._taken.close()
        while not self._events.empty():
            _, done, _ = self._events.get_nowait()
            if done is not None:
                done.cancel()

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is being done."""
        queues = (self._events, self._media, self._books)
        return self._working == 0 and all(queue.empty() for queue in queues)

    def tick(self) -> None:
        """A second has passed; one tick waiting is enough for a slow line."""
        if not self._tick_waits:
            self._tick_waits = True
            self.post(ev.Tick())

    def post(self, event: ev.Event, number: int | None = None) -> None:
        """Take the event into the line; nobody waits for it. `number`: of an event of media."""
        if isinstance(event, ev.Stored) and self._around.store.away:
            return  # each second's word of the store replaces the one before

        async def made() -> ev.Event:
            return event

        self._events.put_nowait((made, None, number))

    async def ask(self, make: EventMaker, *, heed: bool = False) -> Outcome:
        """The document after the event, and its commands (executed already); raises what `make` raises.

        Raises StoreAwayError after 3 s without the store: the event keeps its place and is executed when the
        store is back, so what was asked for is not forgotten.
        `heed`: media must have taken what follows from it; refused `media_away` after 3 s without that.
        The plan is sent again until it is taken, so it happens all the same.
        """
        if self._events.qsize() >= MAX_WAITING:
            self._around.counts["events_refused"] += 1
            return None, [cm.Refused("too_fast")]
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._events.put_nowait((make, done, None))
        while not done.done():
            await asyncio.wait({done}, timeout=PATIENCE_S)
            if not done.done() and self._around.store.away:
                raise StoreAwayError
        document, commands = await done
        if heed and refusal(commands) is None and not await self._taken.all(HEED_S):
            return document, [cm.Refused("media_away")]
        return document, commands

    # --- events ------------------------------------------------------------------------------------------

    async def _serve_events(self) -> None:
        while True:
            make, done, number = await self._events.get()
            self._working += 1
            try:
                async with asyncio.timeout(EVENT_TIMEOUT_S):
                    event = await make()
                self._tick_waits = self._tick_waits and not isinstance(event, ev.Tick)
                outcome = await self._turn_when_possible(event, number)
                if done is not None and not done.done():
                    done.set_result(outcome)
            except Exception as error:
                log.error("event failed: %s", failure_site(error))
                if done is not None and not done.done():
                    done.set_exception(error)
            finally:
                self._working -= 1
                if done is not None:
                    done.cancel()  # nothing if it has its outcome

    async def _turn_when_possible(self, event: ev.Event, number: int | None) -> Outcome:
        while True:
            try:
                return await self._turn(event, number)
            except StoreAwayError:
                await self._around.store.back()

    async def _turn(self, event: ev.Event, number: int | None) -> Outcome:
        around = self._around
        for _ in range(CONFLICT_TRIES):
            stored = await around.store.load(self.room)
            if stored is None and not isinstance(event, ev.Joined):
                return None, [cm.Refused("not_joined")]
            if stored is None:
                assert isinstance(event, ev.Joined)  # noqa: S101 - for the type checker
                version, document = 0, new_document(self.room, event.seed)
            else:
                version, document = stored
            now_ms = around.now_ms()
            after, commands = handle(
                document,
                event,
                now_ms,
                number=number,
                session_ends_after_ms=around.session_ends_after_ms,
            )
            if after is document or await around.store.compare_and_set(self.room, version, after):
                if plan_of(after) is None:
                    self._newest_plan = None  # an older epoch's plan is not to be sent again
                    self._taken.void()
                for command in commands:
                    await self._try_to_execute(command, now_ms)
                await self._forget_if_idle(after)
                return after, commands
        raise RuntimeError("the room's document changes faster than it can be stored")

    async def _try_to_execute(self, command: cm.Command, now_ms: int) -> None:
        """The document is stored already: one command that fails must not take the others with it."""
        try:
            await self._execute(command, now_ms)
        except Exception as error:
            log.error("command %s failed: %s", type(command).__name__, failure_site(error))

    async def _execute(self, command: cm.Command, now_ms: int) -> None:
        match command:
            case cm.Send():
                await self._around.outbox.send(command.socket, command.event, self._wire(command))
            case cm.Close():
                await self._around.outbox.close(command.socket, command.code)
            case cm.PutPlan():
                self._newest_plan = command.plan
                self._around.session_known(command.plan.room, self.room)
                self._media.put_nowait((command, self._taken.put()))
            case cm.ForwardAnswer() | cm.RestartIce() | cm.Emptied():
                self._media.put_nowait((command, 0))
            case cm.Refused():
                pass
            case _:
                self._enter(command, now_ms)

    def _wire(self, command: cm.Send) -> dict[str, object]:
        """What is sent. Credentials are made now and kept nowhere: no document holds one."""
        message = command.message
        if isinstance(message, Offer) and command.relays_for is not None:
            relays = self._around.ice_servers(command.relays_for)
            message = message.model_copy(update={"ice_servers": relays})
        return message.wire()

    async def _forget_if_idle(self, document: RoomDocument) -> None:
        """An ended or empty room leaves nothing behind; the next join reads the books again."""
        quiet = document.session is None or document.phase == "ended"
        if quiet and not document.present and document.wanted is None and self._books_waiting == 0:
            with contextlib.suppress(StoreAwayError):  # then a later tick's turn forgets it
                await self._around.store.remove(self.room, document.version)

    # --- media -------------------------------------------------------------------------------------------

    async def _serve_media(self) -> None:
        while True:
            call, number = await self._media.get()
            self._working += 1
            try:
                await self._tell_media(call, number)
            finally:
                self._working -= 1

    async def _tell_media(self, call: MediaCall, number: int) -> None:
        media = self._around.media
        match call:
            case cm.Emptied():
                self._enter(call, self._around.now_ms())
            case cm.PutPlan():
                await self._put_plan(call.plan, number)
            case cm.ForwardAnswer():
                taken = await self._try_media(
                    media.answer(call.session, call.peer, call.connection, call.offer_id, call.sdp), "answer"
                )
                if not taken:
                    self.post(ev.AnswerRefused(call.peer, call.connection))
            case cm.RestartIce():
                await self._try_media(
                    media.restart_ice(call.session, call.peer, call.connection), "restart_ice"
                )

    async def _put_plan(self, plan: Plan, number: int) -> None:
        """Until it is accepted or a newer one waits; media without its plan would be a silent room."""
        tries = 0
        while plan is self._newest_plan:
            if await self._try_media(self._around.media.put_plan(plan), "plan"):
                self._taken.took(number)
                return
            tries += 1
            if plan.closed and tries >= CLOSED_PLAN_TRIES:
                return
            await asyncio.sleep(MEDIA_TRY_AGAIN_S)

    async def _try_media(self, call: Awaitable[None], what: str) -> bool:
        try:
            async with asyncio.timeout(MEDIA_TIMEOUT_S):
                await call
        except Exception as error:
            log.warning("media was not told %s: %s", what, failure_site(error))
            return False
        return True

    # --- books -------------------------------------------------------------------------------------------

    def _enter(self, call: BooksCall, at_ms: int) -> None:
        self._books_waiting += 1
        self._books.put_nowait((call, at_ms))

    async def _serve_books(self) -> None:
        while True:
            call, at_ms = await self._books.get()
            self._working += 1
            try:
                await self._tell_books(call, at_ms)
            except Exception as error:
                log.error("the books were not told %s: %s", type(call).__name__, failure_site(error))
            finally:
                self._working -= 1
                self._books_waiting -= 1

    async def _tell_books(self, call: BooksCall, at_ms: int) -> None:
        directory = self._around.directory
        match call:
            case cm.OpenSession():
                session = await directory.open_session(self.room, self._around.now_ms())
                self._around.session_known(session.id, self.room)
                self.post(ev.SessionOpened(session))
            case cm.NextEpoch():
                epoch = await directory.next_epoch(call.session)
                self.post(ev.EpochGranted(call.session, epoch))
            case cm.EndSession():
                await directory.end_session(self.room, call.session, call.reason, at_ms)
            case cm.KeepPause():
                await directory.keep_pause(call.session, call.pause, call.by_seat, at_ms)
                self.post(ev.PauseKept(call.session, call.pause))
            case cm.AnswerKnock():
                await directory.answer_knock(self.room, call.knock, call.accept, call.by_seat)
            case cm.Note():
                await directory.note(call.session, at_ms, call.what, call.seat)
            case cm.Emptied():
                if self._around.listener is not None:
                    await self._around.listener.room_emptied(self.room, call.session)
