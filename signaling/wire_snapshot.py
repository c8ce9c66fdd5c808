"""The snapshot: the whole room as one seat may see it. Part of `signaling/messages.py`. Knows no rules."""

from __future__ import annotations

from signaling.wire import (
    ConsentState,
    LineMode,
    Message,
    PausedWhy,
    PauseReason,
    PictureKind,
    QualityLevel,
    RoomState,
)
from signaling.wire_interpreting import DirectionShown, Hearing, InterpretationShown, Level


class You(Message):
    """The receiver's own seat. `connection` null = no media yet (an offer will come). `levels`: how each
    other person here is to be heard; who is `off` is not sent. `listening`: what an interpreter has chosen to
    render from, null = the floor."""

    participant: str
    abilities: list[str]
    connection: str | None
    levels: dict[str, Level]
    listening: str | None


class PausedPicture(Message):
    """A picture that a participant is not sent, and why: `thin` = their line carries too little for it,
    `lossy` = it loses too much."""

    participant: str
    kind: PictureKind
    why: PausedWhy


class LineState(Message):
    """What a participant's line carries towards them, by media's word: everything their page shows (`full`),
    less (`thin`), or little more than a voice (`survival`). `down_bps` 0 = not measured."""

    mode: LineMode
    down_bps: int
    paused: list[PausedPicture]


class Participant(Message):
    """One seat. `present` false = not here; `away` = its socket is lost, it has 30 s to return.

    `recorded` is media's word: true from when the seat is admitted to the journal until it is not.
    `recordable` is the rule: a `consent` given here is not enough while somebody beside them, or the
    patient's papers, say otherwise.
    `speaks`: languages, the first one first. `hearing`: chosen, or what follows from the languages. `out`:
    stepped out; `waits`: out since before they came, and not let in yet. `partner`: their microphone goes to
    fellow interpreters only; null for all but interpreters.
    `interprets`, `direction`: an interpreter, and from which language into which they render.
    """

    id: str
    role: str
    name: str
    site: str
    time_zone: str
    language: str
    verified: bool
    present: bool
    away: bool
    mic: bool
    camera: bool
    screen: bool
    consent: ConsentState
    recorded: bool
    recordable: bool
    quality: QualityLevel | None
    line: LineState | None
    speaks: list[str]
    interprets: bool
    direction: DirectionShown | None
    hearing: Hearing
    out: bool
    waits: bool
    partner: bool | None


class WaitingKnock(Message):
    """Somebody at the door, shown to those who may admit."""

    id: str
    seat: str
    name: str
    since_ms: int


class Paused(Message):
    """The recording is to be paused: by whom, why and since when. That it is, the light says."""

    by: str
    reason: PauseReason
    since_ms: int


class Snapshot(Message):
    """The whole room as one seat may see it. Keep the newest `version`; a join's ack always applies."""

    version: int
    room: str
    state: RoomState
    you: You
    chair: str | None
    session: str | None
    started_at_ms: int | None
    participants: list[Participant]
    knocks: list[WaitingKnock]
    pause: Paused | None
    interpretation: InterpretationShown
