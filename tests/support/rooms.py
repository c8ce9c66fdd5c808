"""Small real implementations of signaling's ports, in memory, for tests. They keep what they were told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from signaling.ports import (
    Consent,
    Knock,
    Pause,
    PeerPlan,
    Plan,
    Refusal,
    RoomSeed,
    SeatSeed,
    SessionRef,
    Ticket,
)

ROOM = "room-1-aaaaaaaaaa"
REFERRING = "seat-referring-1"
CONSULTING = "seat-consulting-1"
INTERPRETER = "seat-interpreter-1"
BESIDE = ("chat", "term")
"""Abilities for what is said beside the room."""


def seat(
    seat_id: str,
    role: str,
    abilities: set[str],
    rank: int | None = None,
    consent: Consent = "granted",
) -> SeatSeed:
    """A synthetic seat; its grant exists only with consent."""
    return SeatSeed(
        id=seat_id,
        role=role,
        name=f"Synthetic {role}",
        site="Synthetic site",
        time_zone="Asia/Seoul",
        language="en",
        verified=rank is not None,
        abilities=frozenset(abilities),
        chair_rank=rank,
        consent=consent,
        grant=f"grant-{seat_id}" if consent == "granted" else None,
    )


def three_seats() -> RoomSeed:
    """Consulting physician (first chair), referring physician (second), interpreter (declined recording)."""
    return RoomSeed(
        seats=(
            seat(REFERRING, "referring_physician", {"join", "end", "pause", "admit", *BESIDE}, rank=2),
            seat(CONSULTING, "consulting_physician", {"join", "end", "pause", "admit", *BESIDE}, rank=1),
            seat(INTERPRETER, "interpreter", {"join", "conduct", *BESIDE}, consent="declined"),
        )
    )


@dataclass
class Books:
    """A Directory in memory."""

    seeds: dict[str, RoomSeed] = field(default_factory=lambda: {ROOM: three_seats()})
    epochs: dict[str, int] = field(default_factory=dict)  # session -> last epoch
    open: dict[str, str] = field(default_factory=dict)  # room -> session not ended
    ended: list[tuple[str, str]] = field(default_factory=list)  # session, reason
    notes: list[tuple[str, str | None]] = field(default_factory=list)
    knocks: list[tuple[str, bool, str]] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)
    pauses: dict[str, Pause | None] = field(default_factory=dict)
    failures: int = 0  # so many calls of open_session fail first

    async def seed(self, room: str) -> RoomSeed:
        return self.seeds[room]

    async def open_session(self, room: str, now_ms: int) -> SessionRef:
        if self.failures > 0:
            self.failures -= 1
            raise OSError("the database is away")
        session = self.open.setdefault(room, f"session-{len(self.epochs) + 1}")
        return SessionRef(session, await self.next_epoch(session), now_ms, self.pauses.get(session))

    async def next_epoch(self, session: str) -> int:
        self.epochs[session] = self.epochs.get(session, 0) + 1
        return self.epochs[session]

    async def end_session(self, room: str, session: str, reason: str, now_ms: int) -> None:
        self.open.pop(room, None)
        self.ended.append((session, reason))
        if reason == "ended":
            self.seeds[room] = replace(self.seeds[room], ended=True)

    async def keep_pause(self, session: str, pause: Pause | None, by_seat: str, now_ms: int) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise OSError("the database is away")
        self.pauses[session] = pause

    async def note(self, session: str, at_ms: int, what: str, seat: str | None) -> None:
        self.notes.append((what, seat))

    async def answer_knock(self, room: str, knock: str, accept: bool, by_seat: str) -> None:
        self.knocks.append((knock, accept, by_seat))

    async def room_emptied(self, room: str, session: str) -> None:
        self.emptied.append(session)


@dataclass
class MediaPlane:
    """A Media that applies plans as the worker does: an older (epoch, version) is ignored."""

    plans: list[Plan] = field(default_factory=list)
    answers: list[tuple[str, str, str]] = field(default_factory=list)  # peer, connection, offer id
    ice_restarts: list[tuple[str, str]] = field(default_factory=list)
    failures: int = 0
    full: bool = False

    async def put_plan(self, plan: Plan) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise ConnectionError("the worker is away")
        if not self.plans or (self.plans[-1].epoch, self.plans[-1].version) < (plan.epoch, plan.version):
            self.plans.append(plan)

    async def answer(self, room: str, peer: str, connection: str, offer_id: str, sdp: str) -> None:
        self.answers.append((peer, connection, offer_id))

    async def restart_ice(self, room: str, peer: str, connection: str) -> None:
        self.ice_restarts.append((peer, connection))

    async def has_room(self, session: str | None) -> bool:
        return not self.full

    @property
    def peers(self) -> Mapping[str, PeerPlan]:
        """Of the newest plan."""
        return self.plans[-1].peers if self.plans else {}

    @property
    def connections(self) -> dict[str, str]:
        """Peer -> connection of the newest plan."""
        return {peer: plan.connection for peer, plan in self.peers.items()}


@dataclass
class Door:
    """A Gate: the cookie `seat-<seat>` holds the credential's id."""

    room: str = ROOM
    dead: set[str] = field(default_factory=set)
    broken: bool = False

    async def admit_socket(self, seat: str, cookies: Mapping[str, str], asked: object) -> Ticket | Refusal:
        if self.broken:
            raise OSError("the database is away")
        credential = cookies.get(f"seat-{seat}", "")
        if not credential.startswith(f"credential-{seat}"):
            return Refusal("no_credential")
        return Refusal("revoked") if credential in self.dead else Ticket(seat, self.room, credential)

    async def still_valid(self, ticket: Ticket) -> bool:
        return ticket.credential_id not in self.dead


@dataclass
class Post:
    """An Outbox: what each socket was sent, in order."""

    sent: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)
    closed: list[tuple[str, str]] = field(default_factory=list)
    hung_up: list[str] = field(default_factory=list)

    async def send(self, socket: str, event: str, payload: dict[str, object]) -> None:
        self.sent.append((socket, event, payload))

    async def close(self, socket: str, code: str) -> None:
        self.closed.append((socket, code))

    async def hang_up(self, socket: str) -> None:
        self.hung_up.append(socket)

    def of(self, socket: str, event: str) -> list[dict[str, object]]:
        """Payloads of one event sent to one socket."""
        return [payload for to, name, payload in self.sent if (to, name) == (socket, event)]


@dataclass
class HandClock:
    """Time that passes when the test says so."""

    now: int = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now

    def passes(self, ms: int) -> None:
        self.now += ms


def knock(knock_id: str = "knock-1", at: str = REFERRING) -> Knock:
    """Somebody synthetic at the door."""
    return Knock(knock_id, at, "Synthetic visitor", 1_700_000_000_000)


async def settled(condition: object, seconds: float = 30.0) -> None:
    """Wait until `condition()` is true; raises TimeoutError."""
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)
