"""Who hears whom: one table of rules, for every listener and source. Pure; the relay executes it.

Sound is never mixed nor changed: a source reaches a listener in `front`, `behind` (its page plays it softly),
or is `off`: then not one packet of it is sent. The floor (whose voice it is now) has no part in this table:
what waited for a voice would cut off its first syllable.
Must not: know a room's document, its seats' roles, or media.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

from signaling.wire import PictureKind
from signaling.wire_interpreting import FloorBy, Hearing, Level, ModeWord

PICTURES: tuple[PictureKind, ...] = get_args(PictureKind)


@dataclass(frozen=True, slots=True)
class Direction:
    """From which language into which an interpreter renders."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Handover:
    """An interpreter wants to change places with the other."""

    by: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What of the interpretation belongs to the room; the rest is each seat's own."""

    mode: ModeWord = "consecutive"
    active: str | None = None  # the interpreter who renders
    muted: str | None = None  # the interpreter whom nobody hears, but for the partner line
    handover: Handover | None = None
    floor: str | None = None  # who has it
    floor_by: FloorBy = "voice"


@dataclass(frozen=True, slots=True)
class Voice:
    """A present seat as the table sees it. `there`: its page and its media are, so that it can render."""

    id: str
    speaks: tuple[str, ...]
    interprets: bool = False
    there: bool = True
    mic: bool = True
    out: bool = False
    partner: bool = False
    muted: bool = False
    direction: Direction | None = None
    chosen: Hearing | None = None
    listens: str | None = None


def spoken(language: str) -> tuple[str, ...]:
    """Languages of a seat as the books write them: `ru`, or `ru/ko` for an interpreter."""
    return tuple(part for part in language.lower().split("/") if part)


def renders_for(interpreter: Voice, listener: Voice) -> bool:
    """Whether they render into a language of this listener, who is no interpreter and wants to hear it."""
    direction = interpreter.direction
    if not interpreter.interprets or direction is None or listener.interprets:
        return False
    return direction.target in listener.speaks and hearing(listener, direction) != "original"


def hearing(listener: Voice, direction: Direction | None) -> Hearing:
    """What they chose; else the original for who understands both languages, the interpreter for others."""
    if listener.chosen is not None:
        return listener.chosen
    both = direction is not None and {direction.source, direction.target} <= set(listener.speaks)
    return "original" if both else "interpreted"


# --- the table ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """One source on its way to one listener. `rendering`: interpreters who are there and render for them;
    `covered`: the languages from which they do, also through another interpreter."""

    mode: ModeWord
    listener: Voice
    source: Voice
    here: frozenset[str]
    rendering: tuple[Voice, ...]
    covered: frozenset[str]

    @property
    def heard_by_choice(self) -> bool:
        """The listener is an interpreter who has chosen what to render from, and that is here."""
        listener = self.listener
        return listener.interprets and listener.listens in self.here

    @property
    def rendered(self) -> bool:
        """Somebody renders this source for this listener."""
        return not self.covered.isdisjoint(self.source.speaks)


Rule = tuple[str, Callable[[Cell], bool], Level]

RULES: tuple[Rule, ...] = (
    # The first that holds counts.
    # --- in both modes
    ("either has stepped out", lambda c: c.source.out or c.listener.out, "off"),
    ("partner line, to a fellow", lambda c: c.source.partner and c.listener.interprets, "front"),
    ("partner line, to anybody else", lambda c: c.source.partner, "off"),
    ("silenced interpreter", lambda c: c.source.muted, "off"),
    ("consecutive: everyone hears everyone", lambda c: c.mode == "consecutive", "front"),
    # --- simultaneous, an interpreter listens
    ("what they chose", lambda c: c.heard_by_choice and c.listener.listens == c.source.id, "front"),
    ("nothing but what they chose", lambda c: c.heard_by_choice, "off"),
    ("the floor", lambda c: c.listener.interprets and not c.source.interprets, "front"),
    ("no other interpreter", lambda c: c.listener.interprets, "off"),
    # --- simultaneous, anybody else listens
    ("into their language", lambda c: renders_for(c.source, c.listener), "front"),
    ("into another's", lambda c: c.source.interprets and c.source.direction is not None, "off"),
    ("an original nobody renders", lambda c: not c.rendered, "front"),
    ("`both`: softly", lambda c: hearing(c.listener, c.rendering[0].direction) == "both", "behind"),
    ("`interpreted`: not at all", lambda c: True, "off"),
)


def level_of(cell: Cell) -> Level:
    """By the first rule that holds."""
    return next(level for _, holds, level in RULES if holds(cell))


def heard(mode: ModeWord, voices: Sequence[Voice], listener: Voice) -> dict[str, Level]:
    """How one listener hears each other voice."""
    ids = frozenset(voice.id for voice in voices if not voice.out and voice.id != listener.id)
    rendering = tuple(v for v in voices if available(v) and renders_for(v, listener))
    covered = frozenset(word for voice in rendering for word in _covered(voice, voices))
    return {
        source.id: level_of(Cell(mode, listener, source, ids, rendering, covered))
        for source in voices
        if source.id != listener.id
    }


def _covered(interpreter: Voice, voices: Sequence[Voice]) -> set[str]:
    """The language they render from, and what those render from to whom they listen."""
    found: set[str] = set()
    one: Voice | None = interpreter
    for _ in voices:
        if one is None or one.direction is None or not available(one):
            break
        found.add(one.direction.source)
        one = next((voice for voice in voices if voice.id == one.listens and voice.interprets), None)
    return found


# --- what follows ---------------------------------------------------------------------------------------


def available(voice: Voice) -> bool:
    """Whether this interpreter can render. A closed microphone is a pause of theirs, and no reason to let the
    original through; one that is away, out or silenced is."""
    return voice.interprets and voice.there and not voice.out and not voice.muted


def fallen_back(mode: ModeWord, voices: Iterable[Voice]) -> bool:
    """Simultaneous, and no interpreter who renders from anywhere: everyone hears the original."""
    return mode == "simultaneous" and not any(available(voice) and voice.direction for voice in voices)


def both_open(mode: ModeWord, voices: Iterable[Voice]) -> bool:
    """Two interpreters would be heard at once by the same people."""
    heard = [v for v in voices if available(v) and v.mic and not v.partner]
    if mode == "consecutive":
        return len(heard) > 1
    targets = [v.direction.target if v.direction else "" for v in heard]
    return len(set(targets)) < len(targets)


def first_direction(interpreter: Voice, chair: Voice | None, others: Iterable[Voice]) -> Direction | None:
    """Where an interpreter begins who has said nothing: into the chair's language, from the others'."""
    own = interpreter.speaks
    if len(own) < 2:
        return None
    wanted = () if chair is None else chair.speaks
    target = next((language for language in wanted if language in own), own[-1])
    heard = [language for voice in others for language in voice.speaks if language in own]
    source = next((language for language in (*heard, *own) if language != target), None)
    return None if source is None else Direction(source, target)


def routes(mode: ModeWord, voices: Sequence[Voice]) -> dict[str, tuple[tuple[str, str], ...]] | None:
    """Listener -> (source, kind) pairs; None when everything is open. Pictures stop for who is out."""
    open_cells: dict[str, tuple[tuple[str, str], ...]] = {}
    closed = False
    out = {voice.id for voice in voices if voice.out}
    for listener in voices:
        pairs: list[tuple[str, str]] = []
        for source, level in heard(mode, voices, listener).items():
            shut = listener.out or source in out
            closed = closed or shut or level == "off"
            pairs += [(source, "audio")] if level != "off" else []
            pairs += [] if shut else [(source, kind) for kind in PICTURES]
        open_cells[listener.id] = tuple(pairs)
    return open_cells if closed else None
