"""What happens to a room, as frozen values. Must not: decide anything; `signaling/transitions.py` does."""

from __future__ import annotations

from dataclasses import dataclass, field

from signaling.interpreting_events import InterpretingEvent, TurnTaken
from signaling.messages import OfferedTrack
from signaling.ports import Consent, EndReason, Knock, Pause, RoomSeed, SessionRef, Shown
from signaling.seat import Line
from signaling.wire import PauseReason, QualityLevel

# --- from a page: `socket` must be the one that sits on `seat` ------------------------------------------


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody takes the seat. `join_id` is random and new; `seed` was read just now."""

    seat: str
    socket: str
    credential: str
    join_id: str
    seed: RoomSeed
    mic: bool | None = None
    camera: bool | None = None
    resume: str | None = None
    full: bool = False  # media can carry nobody more; who sits here already comes back all the same


@dataclass(frozen=True, slots=True)
class Left:
    seat: str
    socket: str


@dataclass(frozen=True, slots=True)
class SocketLost:
    """The socket is closed, not by us. `goodbye`: its page said that it goes, so nobody's line was lost."""

    seat: str
    socket: str
    goodbye: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    seat: str
    socket: str
    connection: str
    offer_id: str
    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MediaChanged:
    seat: str
    socket: str
    mic: bool
    camera: bool
    screen: bool = False


@dataclass(frozen=True, slots=True)
class QualityReported:
    seat: str
    socket: str
    level: QualityLevel
    up_bps: int | None = None


@dataclass(frozen=True, slots=True)
class RestartAsked:
    seat: str
    socket: str


@dataclass(frozen=True, slots=True)
class IceRestartAsked:
    seat: str
    socket: str


@dataclass(frozen=True, slots=True)
class EndAsked:
    seat: str
    socket: str


@dataclass(frozen=True, slots=True)
class KnockAnswered:
    seat: str
    socket: str
    knock: str
    accept: bool


@dataclass(frozen=True, slots=True)
class PauseAsked:
    seat: str
    socket: str
    reason: PauseReason


@dataclass(frozen=True, slots=True)
class ResumeAsked:
    seat: str
    socket: str


@dataclass(frozen=True, slots=True)
class ViewChanged:
    seat: str
    socket: str
    shown: tuple[Shown, ...]


PageEvent = (
    Left
    | SocketLost
    | Answered
    | MediaChanged
    | QualityReported
    | RestartAsked
    | IceRestartAsked
    | EndAsked
    | KnockAnswered
    | PauseAsked
    | ResumeAsked
    | ViewChanged
    | InterpretingEvent
)

# --- from the application -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConsentChanged:
    seat: str
    decision: Consent
    grant: str | None
    accompanied: bool | None = None  # None: as before


@dataclass(frozen=True, slots=True)
class KnockArrived:
    knock: Knock


@dataclass(frozen=True, slots=True)
class CredentialRevoked:
    credential: str


@dataclass(frozen=True, slots=True)
class RoomClosed:
    """The consultation was cancelled or ended from outside the room."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class SessionOpened:
    session: SessionRef


@dataclass(frozen=True, slots=True)
class PauseKept:
    """The books have it: paused so, or (None) not paused."""

    session: str
    pause: Pause | None


@dataclass(frozen=True, slots=True)
class EpochGranted:
    session: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A second has passed."""


@dataclass(frozen=True, slots=True)
class MendAsked:
    """This page, which has joined by this socket, may have missed what it was sent."""

    seat: str
    socket: str


@dataclass(frozen=True, slots=True)
class InstanceLost:
    """A process that served this room too has died: its sockets are gone, and what it was about to send."""

    instance: str


# --- from the media plane -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OfferMade:
    epoch: int
    peer: str
    connection: str
    offer_id: str
    ice_restart: bool
    tracks: tuple[OfferedTrack, ...]
    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PeerChanged:
    epoch: int
    peer: str
    connection: str
    state: str  # connecting, connected, disconnected, failed


@dataclass(frozen=True, slots=True)
class AnswerRefused:
    """Media could not take the page's answer of this connection, which will never connect."""

    peer: str
    connection: str


@dataclass(frozen=True, slots=True)
class Stored:
    """Each second: up to where the store has everything. `seats` = those it writes, with their grants.

    `paused`: nobody is written because the plan had a pause.
    """

    epoch: int
    stored_until_ms: int | None
    seats: tuple[tuple[str, int | None], ...]  # seat, up to when
    degraded: tuple[tuple[str, str, str], ...]
    grants: tuple[tuple[str, str], ...] = ()  # seat, the grant it is admitted under
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Dismissed:
    """The seat is admitted under this grant no more: nothing of it that comes later is stored."""

    epoch: int
    peer: str
    grant: str


@dataclass(frozen=True, slots=True)
class LinesChanged:
    """What the lines of some seats carry now."""

    epoch: int
    lines: tuple[tuple[str, Line], ...]


@dataclass(frozen=True, slots=True)
class EpochClosed:
    """The journal of this epoch is sealed and synced."""

    epoch: int


@dataclass(frozen=True, slots=True)
class MediaLost:
    """The media worker died; nothing of that epoch is left but its journal. None: of the running one."""

    epoch: int | None = None


Event = (
    Joined
    | PageEvent
    | ConsentChanged
    | KnockArrived
    | CredentialRevoked
    | RoomClosed
    | SessionOpened
    | EpochGranted
    | PauseKept
    | Tick
    | InstanceLost
    | MendAsked
    | OfferMade
    | PeerChanged
    | AnswerRefused
    | Stored
    | Dismissed
    | LinesChanged
    | TurnTaken
    | EpochClosed
    | MediaLost
)
