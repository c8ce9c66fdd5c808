"""What signaling needs from the world, as Protocols; the application implements and joins them.

Must not: import server, media, aiohttp, socketio, SQL. Roles are opaque labels here and abilities are words
(`join, end, admit, pause, mode, step_out, floor, interpret`); who has which is the application's table.

Names: `room` is the consultation's id; `session` is the recording's id, and what media knows the room by;
`seat` is the participant's id and media's peer id. Instants are Unix milliseconds UTC (`*_ms`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from signaling.messages import IceServer
from signaling.wire_interpreting import Hearing, ModeWord

Consent = Literal["granted", "declined", "undecided"]
EndReason = Literal["ended", "emptied", "cancelled"]


# --- authority ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ticket:
    """A socket's right to a seat. `credential_id` names the cookie's row: revoking it finds the socket."""

    seat: str
    room: str
    credential_id: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a socket may not connect: a stable code (`no_credential`, `link_dead`, `not_open`, `ended` …)."""

    code: str


class Gate(Protocol):
    """The application's authority over sockets."""

    async def admit_socket(self, seat: str, cookies: Mapping[str, str], asked: object) -> Ticket | Refusal:
        """Whether these cookies may open a socket for this seat now. `asked`: the web server's own request,
        handed through unseen; None where there is none."""
        ...

    async def still_valid(self, ticket: Ticket) -> bool:
        """Re-checked at every event and every two seconds; the answer may be cached for at most 2 s."""
        ...


# --- what the application knows of a room ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SeatSeed:
    """One seat of the consultation as the application knows it now (read again at every join)."""

    id: str
    role: str
    name: str
    site: str
    time_zone: str
    language: str
    verified: bool
    abilities: frozenset[str]
    chair_rank: int | None  # the least rank among those present is the chair; None = never
    consent: Consent = "undecided"
    grant: str | None = None  # id of the live consent grant; None = must not be recorded
    chaired: frozenset[str] = frozenset({"end", "pause"})  # abilities that it has only while it chairs
    waits: bool = False  # whoever takes it waits outside until somebody lets them in
    accompanied: bool = False  # while it takes part nobody is recorded unless one that accompanies does too
    accompanies: bool = False


@dataclass(frozen=True, slots=True)
class Knock:
    """Somebody at the door of a taken seat, waiting for a person inside to admit them by name."""

    id: str
    seat: str
    name: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class RoomSeed:
    """All seats of a consultation (also those not here yet) and the knocks still waiting."""

    seats: tuple[SeatSeed, ...]
    knocks: tuple[Knock, ...] = ()
    ended: bool = False  # the consultation is over or cancelled: nobody joins


@dataclass(frozen=True, slots=True)
class Pause:
    """The recording is paused: by which seat, why (a code), since when."""

    by: str
    reason: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class SessionRef:
    """A session and the epoch granted just now. `id` is the recording's; `epoch` >= 1 is a fencing token."""

    id: str
    epoch: int
    started_at_ms: int
    pause: Pause | None = None  # as the books have it
    # By the time line, for a room whose memory is gone:
    out: frozenset[str] = frozenset()  # seats that had stepped out, or waited
    let_in: frozenset[str] = frozenset()  # seats that once came in, or needed not wait
    mode: ModeWord = "consecutive"
    hearing: Mapping[str, Hearing] = field(default_factory=dict)
    directions: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # source, target
    listens: Mapping[str, str] = field(default_factory=dict)  # an interpreter, whom they render from


class Directory(Protocol):
    """The application's books. Every method may raise; the hub logs it and tries again where that is safe."""

    async def seed(self, room: str) -> RoomSeed: ...

    async def open_session(self, room: str, now_ms: int) -> SessionRef:
        """Start a session, or continue the one that has not ended, always with a new epoch."""
        ...

    async def next_epoch(self, session: str) -> int:
        """A new, higher epoch for a running session (its media was lost)."""
        ...

    async def end_session(self, room: str, session: str, reason: EndReason, now_ms: int) -> None:
        """The session is over; `reason == "ended"` (by the chair) closes the consultation too. Idempotent."""
        ...

    async def keep_pause(self, session: str, pause: Pause | None, by_seat: str, now_ms: int) -> None:
        """The session is paused, or (None) no more, by the wish of this seat. Idempotent."""
        ...

    async def note(self, session: str, at_ms: int, what: str, seat: str | None) -> None:
        """One line of the session's time line: `joined`, `left`, `away`, `back`, `replaced`, `ended` …"""
        ...

    async def answer_knock(self, room: str, knock: str, accept: bool, by_seat: str) -> None:
        """Admit or refuse a knock. Admitting ends the seat's first credential (`hub.credential_revoked`)."""
        ...


# --- media ----------------------------------------------------------------------------------------------


Shown = tuple[str, str, int]
"""(seat, kind, height in device pixels) of a picture on somebody's page; 0 = it is not shown."""


@dataclass(frozen=True, slots=True)
class PeerPlan:
    """One peer as media should have it. `mic`, `camera` False = muted; `grant` None = not recorded.
    Pictures that are not in `view` count as shown, large.

    While the plan has a pause, nobody is recorded, whatever their grant.
    """

    connection: str
    mic: bool
    camera: bool
    grant: str | None
    view: tuple[Shown, ...] = ()
    up_thin: bool = False
    aside: bool = False
    """Not for the room just now (stepped out, on the partner line, silenced): never takes the floor."""
    private: bool = False
    """Said to nobody, or to a fellow interpreter alone: not recorded, whatever the grant."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole state we want media to have for one session; an older (epoch, version) is to be ignored.

    `room` is the *session* id. Keys are not here: who implements Media adds them.
    """

    room: str
    epoch: int
    version: int
    closed: bool
    peers: Mapping[str, PeerPlan]
    pause: Pause | None = None
    lost: tuple[str, ...] = ()
    """Seats that are no peers because their line was lost: whoever sat there has not left."""
    routes: Mapping[str, tuple[tuple[str, str], ...]] | None = None
    """Listener -> (source seat, kind) pairs that reach it; None = everything reaches everybody."""
    kept: bool = True
    """False: a line is measured, nobody consults. It has no key, so nothing of it can be recorded."""


class Media(Protocol):
    """The media plane's control. `room` is the session id, `peer` the seat id."""

    async def put_plan(self, plan: Plan) -> None:
        """Returns when media has accepted it; raises when it could not be told (the hub sends again)."""
        ...

    async def answer(self, room: str, peer: str, connection: str, offer_id: str, sdp: str) -> None: ...

    async def restart_ice(self, room: str, peer: str, connection: str) -> None: ...

    async def has_room(self, session: str | None) -> bool:
        """Whether one more person can be carried: in this running session, or (None) in one that begins."""
        ...


IceServers = Callable[[str], list[IceServer]]
"""The relays a seat's page may use when it does not reach the media port, with a credential for that seat."""


def no_relays(_seat: str) -> list[IceServer]:
    """None: pages use the media port alone."""
    return []


# --- the room's document --------------------------------------------------------------------------------


# --- the way back to the pages --------------------------------------------------------------------------


class Outbox(Protocol):
    """Implemented by `signaling/namespace.py`: sends to one socket; an unknown socket is silently ignored."""

    async def send(self, socket: str, event: str, payload: dict[str, object]) -> None: ...

    async def close(self, socket: str, code: str) -> None:
        """Tell the page `closed {code}`, then disconnect."""
        ...

    async def hang_up(self, socket: str) -> None:
        """Disconnect without a word: the page comes back by itself."""
        ...


class Silent:
    """The outbox before there is one: nobody is connected yet."""

    async def send(self, socket: str, event: str, payload: dict[str, object]) -> None:
        """Nobody hears it."""

    async def close(self, socket: str, code: str) -> None:
        """Nobody is there."""

    async def hang_up(self, socket: str) -> None:
        """Nobody is there."""


class RoomListener(Protocol):
    """Told by the hub about turns of a room's life (implemented by the application: the finaliser)."""

    async def room_emptied(self, room: str, session: str) -> None:
        """Nobody has been in for 5 s, or the session ended; media was asked to close the epoch."""
        ...
