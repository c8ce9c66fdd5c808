"""Timing scripts of interpreted talk: read, varied by seed, and what was paired counted against the truth.

It must not know how pairs are found: it hands out sounds as microphones hear them and counts links.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

SCRIPTS = Path(__file__).parents[1] / "data" / "pairing"
DEVELOPING, MEASURING = range(0, 24, 2), range(1, 25, 2)
"""Seeds. The measuring ones, and scenes marked as held, were not run while the algorithm was written."""
VARIATIONS = 12

Span = tuple[int, int]
"""From and to in ms."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One script as it is written, times in ms."""

    name: str
    held: bool
    people: dict[str, tuple[str, tuple[str, ...]]]  # person → role, languages
    timeline: list[tuple[int, dict[str, Any]]]
    speech: dict[str, tuple[str, int, int]]  # label → person, from, to
    noise: list[tuple[str, int, int]]
    pairs: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Heard:
    """A scene as microphones heard it: the truth is in `speech` and `pairs`, the algorithm gets the rest."""

    scene: Scene
    timeline: list[tuple[int, dict[str, Any]]]
    sounds: dict[str, list[Span]]
    speech: dict[str, tuple[str, int, int]]


def scenes(folder: str = "") -> list[Scene]:
    return [_scene(path) for path in sorted((SCRIPTS / folder).glob("*.json"))]


def seeds_by_hash(scene: Scene) -> range:
    """Seeds of a held scene of `long`: of its own text's hash, so that nobody has chosen them."""
    text = (SCRIPTS / "long" / f"{scene.name}.json").read_bytes()
    first = int(hashlib.sha256(text).hexdigest()[:8], 16)
    return range(first, first + VARIATIONS)


def _scene(path: Path) -> Scene:
    told = json.loads(path.read_text())
    return Scene(
        name=path.stem,
        held=told.get("held", False),
        people={person: (role, tuple(speaks)) for person, role, speaks in told["people"]},
        timeline=[(_ms(at), event) for at, event in told["timeline"]],
        speech={label: (person, _ms(start), _ms(stop)) for label, person, start, stop in told["speech"]},
        noise=[(person, _ms(start), _ms(stop)) for person, start, stop in told["noise"]],
        pairs=frozenset((said, rendered) for said, rendered in told["pairs"]),
    )


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def heard(scene: Scene, seed: int) -> Heard:
    """The scene once more, by other people on another day: same order and overlaps, other lengths."""
    random = Random(f"{scene.name} {seed}")
    warp = _warp(scene, random)
    speech = {label: (who, warp(start), warp(stop)) for label, (who, start, stop) in scene.speech.items()}
    sounds: dict[str, list[Span]] = {person: [] for person in scene.people}
    for who, start, stop in speech.values():
        sounds[who] += _broken(start + random.randint(-60, 60), stop + random.randint(-60, 90), random)
    for who, start, stop in scene.noise:
        sounds[who].append((warp(start), warp(stop)))
    end = max(stop for _, _, stop in speech.values())
    for who in scene.people:
        for _ in range(end // 25_000):
            at = random.randint(0, end)
            sounds[who].append((at, at + random.randint(80, 450)))  # a cough, a key, a yes
    return Heard(
        scene, [(warp(at), event) for at, event in scene.timeline],
        {who: _united(spans) for who, spans in sounds.items()}, speech,
    )  # fmt: skip


def _warp(scene: Scene, random: Random) -> Any:
    """A growing function of time: between two edges of the script all is longer or shorter."""
    spans = [(start, stop) for _, start, stop in scene.speech.values()]
    spans += [(start, stop) for _, start, stop in scene.noise]
    edges = sorted({0, *(edge for span in spans for edge in span), *(at for at, _ in scene.timeline)})
    moved = [0.0]
    for before, after in pairwise(edges):
        moved.append(moved[-1] + (after - before) * random.uniform(0.75, 1.3))

    def warp(at: int) -> int:
        found = min(bisect_right(edges, at) - 1, len(edges) - 2)
        share = (at - edges[found]) / (edges[found + 1] - edges[found])
        return round(moved[found] + share * (moved[found + 1] - moved[found]))

    return warp


def _broken(start: int, stop: int, random: Random) -> list[Span]:
    """With the pauses of breath and thought that are in every utterance."""
    spans, at = [], start
    while stop - at > 2500:
        until = at + random.randint(900, 3500)
        if until > stop - 700:
            break
        spans.append((at, until))
        at = until + random.randint(120, 450)
    return [*spans, (at, stop)]


def _united(spans: Iterable[Span]) -> list[Span]:
    united: list[Span] = []
    for start, stop in sorted(spans):
        if united and start <= united[-1][1]:
            united[-1] = (united[-1][0], max(united[-1][1], stop))
        else:
            united.append((start, stop))
    return united


def changes(told: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[tuple[int, str, str, str]]:
    """A scene's timeline as (at, kind, by, value), values as the room journals them."""
    for at, event in told:
        for kind, value in event.items():
            if kind == "direction":
                yield at, kind, event.get("by", ""), ">".join(value)
            elif kind == "partner":
                yield at, kind, event["by"], "on" if value else "off"
            elif kind != "by":
                yield at, kind, event.get("by", ""), value


@dataclass(slots=True)
class Count:
    """Links between utterances of the script: found and true, found and not true, true and not found.

    `coarse`: those of the wrong ones that come of taking neighbours together with all that renders them.
    """

    right: int = 0
    wrong: int = 0
    missed: int = 0
    coarse: int = 0

    def __iadd__(self, other: Count) -> Count:
        self.right, self.wrong = self.right + other.right, self.wrong + other.wrong
        self.missed, self.coarse = self.missed + other.missed, self.coarse + other.coarse
        return self

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)


Part = tuple[str, int, int]
"""Person, from, to."""


def count(scene: Heard, found: Iterable[tuple[Part, Part]]) -> Count:
    """What was paired, each as (said, rendered), against the script.

    A part stands for the utterances it covers by more than half; a pair that stands for none is wrong.
    """
    links: set[tuple[str, str]] = set()
    coarse: set[tuple[str, str]] = set()
    nothing = 0
    true = scene.scene.pairs
    for said, rendered in found:
        these = {(a, b) for a in _covered(scene, said) for b in _covered(scene, rendered)}
        links |= these
        nothing += not these
        if all({link[end] for link in these} == {link[end] for link in these & true} for end in (0, 1)):
            coarse |= these - true
    wrong = links - true
    return Count(len(links & true), len(wrong) + nothing, len(true - links), len(coarse & wrong))


def _covered(scene: Heard, part: Part) -> list[str]:
    who, begin, end = part
    return [
        label
        for label, (person, start, stop) in scene.speech.items()
        if person == who and 2 * (min(end, stop) - max(begin, start)) > stop - start
    ]
