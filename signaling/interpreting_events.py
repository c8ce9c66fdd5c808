"""What pages and media say about interpretation, as frozen values. Part of `signaling/events.py`."""

from __future__ import annotations

from dataclasses import dataclass, field

from signaling.wire_interpreting import HandoverStep, Hearing, ModeWord, SignalKind


@dataclass(frozen=True, slots=True)
class ModeChosen:
    seat: str
    socket: str
    mode: ModeWord


@dataclass(frozen=True, slots=True)
class DirectionChosen:
    seat: str
    socket: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class HearingChosen:
    seat: str
    socket: str
    choice: Hearing


@dataclass(frozen=True, slots=True)
class FloorGiven:
    """By hand; None: whoever's voice says so."""

    seat: str
    socket: str
    participant: str | None


@dataclass(frozen=True, slots=True)
class ListenChosen:
    seat: str
    socket: str
    participant: str | None


@dataclass(frozen=True, slots=True)
class Signalled:
    seat: str
    socket: str
    kind: SignalKind


@dataclass(frozen=True, slots=True)
class HandoverStepped:
    seat: str
    socket: str
    step: HandoverStep


@dataclass(frozen=True, slots=True)
class PassiveMuted:
    seat: str
    socket: str


@dataclass(frozen=True, slots=True)
class PartnerLine:
    seat: str
    socket: str
    on: bool


@dataclass(frozen=True, slots=True)
class PartnerTold:
    seat: str
    socket: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stepped:
    seat: str
    socket: str
    participant: str
    out: bool


InterpretingEvent = (
    ModeChosen
    | DirectionChosen
    | HearingChosen
    | FloorGiven
    | ListenChosen
    | Signalled
    | HandoverStepped
    | PassiveMuted
    | PartnerLine
    | PartnerTold
    | Stepped
)


@dataclass(frozen=True, slots=True)
class TurnTaken:
    """Media: whose voice it is now; None = nobody's."""

    epoch: int
    peer: str | None
    at_ms: int
