"""The wire of the interpreter's seat: modes, directions, what each hears, the partner line, stepping out.

Part of `signaling/messages.py`, which names these with all others. Must not: know a room's rules.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from signaling.wire import Id, Message
from signaling.wording import cleaned

MAX_PARTNER_TEXT = 500

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
ModeWord = Literal["consecutive", "simultaneous"]
Hearing = Literal["original", "interpreted", "both"]
Level = Literal["front", "behind", "off"]
SignalKind = Literal["repeat", "slower", "clarify", "own_words"]
HandoverStep = Literal["request", "accept", "cancel"]
FloorBy = Literal["voice", "hand"]

# --- page to server -------------------------------------------------------------------------------------


class Mode(Message):
    """Everyone hears everyone (`consecutive`), or each hears what their language needs (`simultaneous`)."""

    mode: ModeWord


class Direction(Message):
    """From which language into which this interpreter renders now."""

    source: Language
    target: Language


class ChooseHearing(Message):
    """What this seat wants to hear in simultaneous mode of what is rendered into a language it speaks."""

    choice: Hearing


class Floor(Message):
    """Who has the floor, by hand; null = whoever's voice says so."""

    participant: Id | None


class Listen(Message):
    """What this interpreter renders from in simultaneous mode, mostly another one; null = the floor."""

    participant: Id | None


class Signal(Message):
    """A word to whoever has the floor, without interrupting."""

    kind: SignalKind


class Handover(Message):
    """One interpreter asks, another accepts: who rendered is heard no more then."""

    step: HandoverStep


class MutePassive(Message):
    """The interpreter who renders silences the other, until a hand-over."""


class Partner(Message):
    """Whether my microphone goes to my fellow interpreters and to nobody else."""

    on: bool


class PartnerText(Message):
    """A line to my fellow interpreters, cleaned as the chat's are. It is kept nowhere."""

    text: Annotated[
        str, Field(min_length=1, max_length=MAX_PARTNER_TEXT, repr=False), AfterValidator(cleaned)
    ]


class Step(Message):
    """A seat steps out (it hears, sees and is heard and seen by nobody) or comes back."""

    participant: Id
    out: bool


IncomingInterpreting = (
    Mode
    | Direction
    | ChooseHearing
    | Floor
    | Listen
    | Signal
    | Handover
    | MutePassive
    | Partner
    | PartnerText
    | Step
)

INCOMING_INTERPRETING: dict[str, type[IncomingInterpreting]] = {
    "mode": Mode,
    "direction": Direction,
    "hearing": ChooseHearing,
    "floor": Floor,
    "listen": Listen,
    "signal": Signal,
    "handover": Handover,
    "mute_passive": MutePassive,
    "partner": Partner,
    "partner_text": PartnerText,
    "step": Step,
}

ABILITY_INTERPRETING: dict[str, str | None] = {
    "mode": "mode",
    "direction": "interpret",
    "hearing": "join",
    "floor": "floor",
    "listen": "interpret",
    "signal": "interpret",
    "handover": "interpret",
    "mute_passive": "interpret",
    "partner": "interpret",
    "partner_text": "interpret",
    "step": "step_out",
}

# --- server to page -------------------------------------------------------------------------------------


class DirectionShown(Message):
    """From which language into which is rendered."""

    source: str
    target: str


class HandoverAsked(Message):
    """Who has asked for a hand-over, and since when."""

    by: str
    since_ms: int


class InterpretationShown(Message):
    """How the room is interpreted. `active`: who renders; `muted`: the interpreter whom nobody hears.

    `fallback`: simultaneous, but no interpreter who renders is there: everyone hears the original.
    """

    mode: ModeWord
    active: str | None
    direction: DirectionShown | None
    floor: str | None
    floor_by: FloorBy
    handover: HandoverAsked | None
    both_open: bool
    muted: str | None
    fallback: bool


class Signalled(Message):
    """An interpreter's word, shown to whom it concerns."""

    by: str
    kind: SignalKind
    at_ms: int


class PartnerSaid(Message):
    """A line between interpreters."""

    by: str
    text: str = Field(repr=False)
    at_ms: int


class Turn(Message):
    """Who has the floor from now on; null = nobody speaks."""

    floor: str | None
    at_ms: int


OUTGOING_INTERPRETING: dict[str, type[Message]] = {
    "signal": Signalled,
    "partner_text": PartnerSaid,
    "turn": Turn,
}
