"""Who spoke when: utterances out of stretches of sound, and what was set at the interpreters' desk meanwhile.

Standard library only; it must not know what was rendered by whom (`pairing.py`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

INTERPRETER = "interpreter"
CONSECUTIVE, SIMULTANEOUS = "consecutive", "simultaneous"

JOIN_MS = 500
"""A shorter silence is a pause inside an utterance. Gaps between speakers are of the order of 200 ms, but
those are between two microphones (Levinson and Torreira 2015, doi:10.3389/fpsyg.2015.00731)."""
LEAST_MS = 800
"""So much sound at least makes an utterance: a yes, a cough, a key and a false start are shorter."""
BREATH_MS = 200
"""A shorter silence inside talk is none; the finaliser does not tell of it either (`media/speech.py`)."""
UNHEARD = ("partner", "silenced", "out")
"""While one of these is `on`, the room does not hear them: on the partner line, silenced, stepped out."""
OWN_BEFORE_MS, OWN_AFTER_MS = 1500, 5000
"""`own_words` is pressed a little before, or just after, one begins to speak for oneself."""


@dataclass(frozen=True, slots=True)
class Person:
    """A seat: its role and the languages spoken there, the usual one first."""

    id: str
    role: str
    languages: tuple[str, ...]

    @property
    def interprets(self) -> bool:
        return self.role == INTERPRETER


@dataclass(frozen=True, slots=True)
class Utterance:
    """One stretch of talk, ms since the recording's start; `sound_ms` is what of it was no pause."""

    person: str
    from_ms: int
    to_ms: int
    sound_ms: int


@dataclass(frozen=True, slots=True)
class Change:
    """Something about the interpretation that was set at a moment. `by`: whom it is about, "" the room."""

    at_ms: int
    kind: str  # mode, direction, signal, and those of UNHEARD
    by: str = ""
    value: str = ""
    """`consecutive` …, `ko>ru`, a person, `on` or `off`, `own_words` …"""


@dataclass(frozen=True, slots=True)
class Settings:
    """All changes of a session, asked by time."""

    changes: Sequence[Change] = ()
    _by: dict[tuple[str, str], tuple[list[int], list[str]]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for change in sorted(self.changes, key=lambda each: each.at_ms):
            times, values = self._by.setdefault((change.kind, change.by), ([], []))
            times.append(change.at_ms)
            values.append(change.value)

    def _at(self, kind: str, by: str, at_ms: int) -> str:
        times, values = self._by.get((kind, by), ((), ()))
        found = bisect_right(times, at_ms)
        return values[found - 1] if found else ""

    def mode(self, at_ms: int) -> str:
        return self._at("mode", "", at_ms) or CONSECUTIVE

    def direction(self, interpreter: str, at_ms: int) -> tuple[str, str] | None:
        """(source, target), the interpreter's own before the room's."""
        told = self._at("direction", interpreter, at_ms) or self._at("direction", "", at_ms)
        source, _, target = told.partition(">")
        return (source, target) if target else None

    def unheard(self, person: str, at_ms: int) -> bool:
        """Whether the room as a whole does not hear them."""
        return any(self._at(kind, person, at_ms) == "on" for kind in UNHEARD)

    def signals(self, interpreter: str, kind: str) -> list[int]:
        return [at for at, value in zip(*self._by.get(("signal", interpreter), ((), ())), strict=True)
                if value == kind]  # fmt: skip

    def edges(self, person: str) -> list[int]:
        """Moments across which two stretches of sound of this person are not one utterance."""
        times = [at for kind in UNHEARD for at in self._by.get((kind, person), ((), ()))[0]]
        return sorted([*times, *self.signals(person, "own_words")])


def utterances(person: str, sounds: Iterable[tuple[int, int]], edges: Sequence[int] = ()) -> list[Utterance]:
    """Stretches of sound `(from, to)` in ms, joined over pauses; what is too short to be talk is left out."""
    found: list[Utterance] = []
    for start, stop in sorted(sounds):
        last = found[-1] if found else None
        if last is not None and start - last.to_ms < JOIN_MS and not _between(edges, last.to_ms, start):
            sound = last.sound_ms + max(0, stop - max(start, last.to_ms))
            found[-1] = Utterance(person, last.from_ms, max(last.to_ms, stop), sound)
        else:
            found.append(Utterance(person, start, stop, stop - start))
    return [each for each in found if each.sound_ms >= LEAST_MS]


def _between(edges: Sequence[int], start: int, stop: int) -> bool:
    found = bisect_right(edges, start)
    return found < len(edges) and edges[found] <= stop


def talk(
    people: Sequence[Person], settings: Settings, sounds: Mapping[str, Iterable[tuple[int, int]]]
) -> dict[str, list[Utterance]]:
    """Each person's utterances but those that the room did not hear."""
    told = {one.id: utterances(one.id, sounds.get(one.id, ()), settings.edges(one.id)) for one in people}
    return {
        person: [each for each in spoken if not settings.unheard(person, each.from_ms)]
        for person, spoken in told.items()
    }


def phrases(
    spoken: Iterable[Utterance], sounds: Iterable[tuple[int, int]], settings: Settings
) -> list[Utterance]:
    """Utterances, those of simultaneous talk in pieces from breath to breath: somebody who is rendered while
    they speak need not stop, and goes on for minutes."""
    found: list[Utterance] = []
    united = _united(sounds, BREATH_MS)
    starts = [start for start, _ in united]
    for one in spoken:
        if SIMULTANEOUS not in (settings.mode(one.from_ms), settings.mode(one.to_ms)):
            found.append(one)
            continue
        for start, stop in united[bisect_left(starts, one.from_ms) : bisect_left(starts, one.to_ms)]:
            found.append(Utterance(one.person, start, stop, stop - start))
    return found


def _united(sounds: Iterable[tuple[int, int]], over_ms: int) -> list[tuple[int, int]]:
    united: list[tuple[int, int]] = []
    for start, stop in sorted(sounds):
        if united and start - united[-1][1] < over_ms:
            united[-1] = (united[-1][0], max(united[-1][1], stop))
        else:
            united.append((start, stop))
    return united


def joined(parts: Sequence[Utterance]) -> Utterance:
    """One person's parts, in order, as one."""
    return Utterance(parts[0].person, parts[0].from_ms, parts[-1].to_ms, sum(each.sound_ms for each in parts))


def own_words(settings: Settings, interpreter: str, spoken: Sequence[Utterance]) -> set[Utterance]:
    """What an interpreter said for themselves, having signalled it."""
    own: set[Utterance] = set()
    for at in settings.signals(interpreter, "own_words"):
        near = [each for each in spoken if at - OWN_BEFORE_MS <= each.from_ms <= at + OWN_AFTER_MS]
        after = [each for each in near if each.from_ms >= at]
        own |= {*(after or near)[:1]}
    return own
