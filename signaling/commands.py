"""What a room wants done, as frozen values; `signaling/hub.py` does it. Must not: do it."""

from __future__ import annotations

from dataclasses import dataclass, field

from signaling.ports import EndReason, Pause, Plan
from signaling.wire import ClosedCode, Message


@dataclass(frozen=True, slots=True)
class Refused:
    """The event was not allowed; the ack is `{ok: false, code}`. Nothing else of it happened
    (but what was refused `media_away`: it happens as soon as media answers)."""

    code: str


@dataclass(frozen=True, slots=True)
class Send:
    """One message to one page."""

    socket: str
    event: str
    message: Message = field(repr=False)
    relays_for: str | None = None  # an offer: the seat whose relays are named in it as it leaves


@dataclass(frozen=True, slots=True)
class Close:
    """Say `closed {code}` and disconnect."""

    socket: str
    code: ClosedCode


@dataclass(frozen=True, slots=True)
class PutPlan:
    plan: Plan


@dataclass(frozen=True, slots=True)
class ForwardAnswer:
    session: str
    peer: str
    connection: str
    offer_id: str
    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RestartIce:
    session: str
    peer: str
    connection: str


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Answered by the event SessionOpened."""


@dataclass(frozen=True, slots=True)
class NextEpoch:
    """Answered by the event EpochGranted."""

    session: str


@dataclass(frozen=True, slots=True)
class EndSession:
    session: str
    reason: EndReason


@dataclass(frozen=True, slots=True)
class AnswerKnock:
    knock: str
    accept: bool
    by_seat: str


@dataclass(frozen=True, slots=True)
class KeepPause:
    """Answered by the event PauseKept."""

    session: str
    pause: Pause | None
    by_seat: str


@dataclass(frozen=True, slots=True)
class Note:
    session: str
    what: str
    seat: str | None = None


@dataclass(frozen=True, slots=True)
class Emptied:
    """The epoch was closed: nobody in for 5 s, or the session is over."""

    session: str


Command = (
    Refused
    | Send
    | Close
    | PutPlan
    | ForwardAnswer
    | RestartIce
    | OpenSession
    | NextEpoch
    | EndSession
    | KeepPause
    | AnswerKnock
    | Note
    | Emptied
)
