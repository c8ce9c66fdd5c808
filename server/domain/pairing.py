"""What was said and what rendered it: a sequence alignment by time, without a word being understood.

Each interpreter's utterances are aligned, in order, with those of whom they could be rendering: one with
one, some with one, one with some, or nobody's (as sentences are aligned by length in parallel texts: Gale
and Church 1993, Computational Linguistics 19:1). How long they are is compared, and when they come:

- Consecutive: the rendering follows what it renders, after a pause or with a small overlap. Physicians do
  speak in instalments, and interpreters come in between (Hansen and Svennevig 2021, Journal of Pragmatics).
- Simultaneous: it runs behind by the ear-voice span, commonly told as two to five seconds. Whoever is
  rendered like this need not stop, so both talks are aligned from breath to breath, and where a sentence ends
  is part of what is looked for: at a longer silence, after as much as a sentence usually is, where the
  rendering does too.

Relay: a rendering is itself what the next interpreter renders, where the two share one language only.
Pure; times in ms. It must not know where sounds come from.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import accumulate

from server.domain import prices
from server.domain.prices import NEVER
from server.domain.talk import (
    JOIN_MS,
    SIMULTANEOUS,
    Person,
    Settings,
    Utterance,
    joined,
    own_words,
    phrases,
    talk,
)

VERSION = 3
"""Of the way it is found: what was stored by another one is computed again."""

SOME = 4
"""At most so many are rendered in one, or render one."""
BEFORE_MS, BEHIND_MS = 30_000, 120_000
NEAR_BEFORE_MS, NEAR_BEHIND_MS = 5_000, 30_000
"""A rendering is looked for so long before and after what is said began; nearer in simultaneous talk."""
TURN_MS = 1500
"""The direction is turned about so long before or after it is used."""


@dataclass(frozen=True, slots=True)
class Said:
    """Something to be rendered, in a language."""

    utterance: Utterance
    language: str


@dataclass(frozen=True, slots=True)
class Pair:
    """One rendering and what it renders, in order. `target`: the language it is in."""

    said: tuple[Utterance, ...]
    rendered: Utterance
    source: str
    target: str
    mode: str


@dataclass(frozen=True, slots=True)
class _Group:
    """Parts of talk and what renders them."""

    said: tuple[Utterance, ...]
    rendered: tuple[Utterance, ...]
    source: str
    target: str

    def pairs(self, settings: Settings) -> list[Pair]:
        """Of simultaneous talk one: its parts are from breath to breath, no sentences."""
        mode = settings.mode(self.rendered[0].from_ms)
        if mode != SIMULTANEOUS:
            return [Pair(self.said, each, self.source, self.target, mode) for each in self.rendered]
        people = dict.fromkeys(each.person for each in self.said)
        said = tuple(joined([each for each in self.said if each.person == one]) for one in people)
        return [Pair(said, joined(self.rendered), self.source, self.target, mode)]


@dataclass(frozen=True, slots=True)
class Interpreted:
    """Pairs in order of the renderings; what interpreters said that renders nothing, as far as is known; and
    what they had signalled to be their own words."""

    pairs: list[Pair]
    rest: list[Utterance]
    own: list[Utterance]


def interpreted(
    people: Sequence[Person], settings: Settings, sounds: Mapping[str, Iterable[tuple[int, int]]]
) -> Interpreted:
    """What interpreters said, and what it renders. `sounds`: each person's stretches of sound."""
    spoken = talk(people, settings, sounds)
    own = {one.id: own_words(settings, one.id, spoken[one.id]) if one.interprets else set() for one in people}
    parts = {
        one.id: phrases(
            [each for each in spoken[one.id] if each not in own[one.id]], sounds.get(one.id, ()), settings
        )
        for one in people
    }
    speakers = [one for one in people if not one.interprets and one.languages]
    interpreters = [one for one in people if one.interprets and len(one.languages) > 1]
    first = [Said(each, one.languages[0]) for one in speakers for each in parts[one.id]]
    found = {one.id: _of(one, first, parts[one.id], settings, people) for one in interpreters}
    relays = {one.id: [other for other in interpreters if _relays(other, one)] for one in interpreters}
    for one in interpreters:
        told = [*first]
        for other in relays[one.id]:
            told += [Said(each, group.target) for group in found[other.id] for each in group.rendered]
        if len(told) > len(first):
            found[one.id] = _of(one, told, parts[one.id], settings, people)
    every = [pair for groups in found.values() for group in groups for pair in group.pairs(settings)]
    paired = {part for groups in found.values() for group in groups for part in group.rendered}
    return Interpreted(
        sorted(every, key=lambda pair: (pair.rendered.from_ms, pair.rendered.person)),
        [each for one in people if one.interprets for each in _rest(parts[one.id], paired)],
        [each for one in people for each in sorted(own[one.id], key=lambda each: each.from_ms)],
    )


def _rest(parts: Sequence[Utterance], paired: Set[Utterance]) -> list[Utterance]:
    """What is in no pair, joined from breath to breath as it was parted."""
    runs: list[list[Utterance]] = []
    before: Utterance | None = None
    for part in parts:
        if part not in paired:
            if runs and before is runs[-1][-1] and part.from_ms - before.to_ms < JOIN_MS:
                runs[-1].append(part)
            else:
                runs.append([part])
        before = part
    return [joined(run) for run in runs]


def _relays(other: Person, to: Person) -> bool:
    return other is not to and len(set(other.languages) & set(to.languages)) == 1


def _of(
    interpreter: Person,
    told: Sequence[Said],
    renderings: Sequence[Utterance],
    settings: Settings,
    people: Sequence[Person],
) -> list[_Group]:
    understood = [
        each
        for each in told
        if each.language in interpreter.languages and not _unasked(settings, interpreter.id, each)
    ]
    said = sorted(understood, key=lambda each: (each.utterance.from_ms, each.utterance.person))
    aligned = _Alignment(interpreter, said, renderings, settings)
    result = []
    for first, last, begin, end in aligned.groups():
        source = said[first].language
        target = target_of(interpreter, source, settings, renderings[begin].from_ms, people)
        parts = tuple(each.utterance for each in said[first:last])
        result.append(_Group(parts, tuple(renderings[begin:end]), source, target))
    return result


def target_of(
    interpreter: Person, source: str, settings: Settings, at_ms: int, people: Sequence[Person]
) -> str:
    """Into which language somebody renders `source`."""
    others = [language for language in interpreter.languages if language != source]
    if len(others) > 1:
        direction = settings.direction(interpreter.id, at_ms)
        if direction is not None and direction[1] in others:
            return direction[1]
        needed = {language for one in people if not one.interprets for language in one.languages[:1]}
        others = [language for language in others if language in needed] or others
    return others[0]


class _Alignment:
    """The cheapest way to walk both sequences; `said` and `rendered` are sorted by when they begin."""

    def __init__(
        self, interpreter: Person, said: Sequence[Said], rendered: Sequence[Utterance], settings: Settings
    ) -> None:
        self._interpreter, self._settings = interpreter.id, settings
        self._said, self._rendered = said, rendered
        self._said_edges = prices.edges([each.utterance for each in said], prices.SAID)
        self._rendered_edges = prices.edges(rendered, prices.RENDERED)
        self._modes = [settings.mode(each.from_ms) for each in rendered]
        starts = [each.from_ms for each in rendered]
        lows, highs = [], []
        for each in said:
            at = each.utterance.from_ms
            near = settings.mode(at) == settings.mode(at + BEHIND_MS) == SIMULTANEOUS
            lows.append(bisect_left(starts, at - (NEAR_BEFORE_MS if near else BEFORE_MS)))
            highs.append(bisect_right(starts, at + (NEAR_BEHIND_MS if near else BEHIND_MS)))
        lows, highs = list(accumulate(lows, max)), list(accumulate(highs, max))
        self._lows = [0, *lows[1:], lows[-1]] if said else [0]
        self._highs = [max(high, low) for high, low in zip(highs, self._lows[1:], strict=True)]
        self._highs.append(len(rendered))

    def groups(self) -> list[tuple[int, int, int, int]]:
        """(said from, to, rendered from, to) of each group, in order; ends are exclusive."""
        cost: dict[tuple[int, int], float] = {(0, 0): 0.0}
        came: dict[tuple[int, int], tuple[int, int]] = {}

        def reach(at: tuple[int, int], to: tuple[int, int], price: float) -> None:
            if price < cost.get(to, NEVER):
                cost[to], came[to] = price, at

        for i in range(len(self._said) + 1):
            for j in range(self._lows[i], self._highs[i] + 1):
                here = cost.get((i, j))
                if here is None:
                    continue
                if j < self._highs[i]:
                    reach((i, j), (i, j + 1), here + prices.alone(self._rendered[j]))
                if i < len(self._said):
                    if j >= self._lows[i + 1]:
                        reach((i, j), (i + 1, j), here + prices.alone(self._said[i].utterance))
                    for to, price in self._pairs_from(i, j):
                        reach((i, j), to, here + price)
        return self._way_back(came)

    def _pairs_from(self, i: int, j: int) -> Iterator[tuple[tuple[int, int], float]]:
        """What may be rendered by what from here on: (the place after it, its price)."""
        if j == len(self._rendered):
            return
        if self._modes[j] == SIMULTANEOUS:
            yield from self._alongside(i, j)
            return
        for some, several in _SHAPES:
            to = (i + some, j + several)
            if to[0] > len(self._said) or not self._lows[to[0]] <= to[1] <= self._highs[to[0]]:
                continue
            price = self._consecutive(self._said[i : to[0]], self._rendered[j : to[1]])
            if price < NEVER:
                yield to, price

    def _way_back(self, came: Mapping[tuple[int, int], tuple[int, int]]) -> list[tuple[int, int, int, int]]:
        at, found = (len(self._said), len(self._rendered)), []
        while at != (0, 0):
            before = came[at]
            if before[0] < at[0] and before[1] < at[1]:
                found.append((before[0], at[0], before[1], at[1]))
            at = before
        return found[::-1]

    def _consecutive(self, said: Sequence[Said], rendered: Sequence[Utterance]) -> float:
        if any(each.language != said[0].language for each in said):
            return NEVER
        return prices.consecutive([each.utterance for each in said], rendered)

    def _alongside(self, i: int, j: int) -> Iterator[tuple[tuple[int, int], float]]:
        """One sentence from here on and its rendering, both of any number of parts."""
        first, begin = self._said[i], self._rendered[j]
        lag_ms = begin.from_ms - first.utterance.from_ms
        if not 0 < lag_ms <= prices.LONGEST_LAG_MS or not _turned(
            self._settings, self._interpreter, first.language, begin.from_ms
        ):
            return
        opening = prices.behind(lag_ms) + self._said_edges[i] + self._rendered_edges[j]
        spoken_ms, before = 0, first.utterance
        for k in range(i, len(self._said)):
            last = self._said[k].utterance
            until_ms = first.utterance.from_ms + prices.LONGEST_SENTENCE_MS
            if self._said[k].language != first.language or last.to_ms > until_ms:
                return
            opening += prices.ANOTHER * (last.person != before.person)
            spoken_ms, before = spoken_ms + last.sound_ms, last
            for m, sound_ms, behind_ms in self._ends(j, k):
                closing = prices.behind(behind_ms) + self._said_edges[k + 1] + self._rendered_edges[m + 1]
                yield (k + 1, m + 1), opening + prices.alongside(spoken_ms, sound_ms) + closing

    def _ends(self, j: int, k: int) -> Iterator[tuple[int, int, int]]:
        """Where a rendering that begins with the jth part may end, of a sentence that ends with the kth:
        (with which part, how much of it is sound, how far behind)."""
        begin, last = self._rendered[j], self._said[k].utterance
        sound_ms = 0
        for m in range(j, self._highs[k + 1]):
            end = self._rendered[m]
            sound_ms += end.sound_ms
            behind_ms = end.to_ms - last.to_ms
            if behind_ms > prices.LONGEST_LAG_MS or end.to_ms - begin.from_ms > prices.LONGEST_SENTENCE_MS:
                return
            if behind_ms > 0 and m + 1 >= self._lows[k + 1]:
                yield m, sound_ms, behind_ms


def _turned(settings: Settings, interpreter: str, source: str, at_ms: int) -> bool:
    """Whether they may render this language then, by the direction that is set about that time."""
    near = (at_ms, at_ms - TURN_MS, at_ms + TURN_MS)
    directions = [settings.direction(interpreter, at) for at in near]
    told = [each for each in directions if each is not None]
    return not told or any(each[0] == source for each in told)


def _unasked(settings: Settings, interpreter: str, said: Said) -> bool:
    """Something put in by the other side, in simultaneous talk: nobody renders it, and it parts nothing."""
    begin, end = said.utterance.from_ms, said.utterance.to_ms
    times = (begin, begin + prices.EAR_VOICE_MS, end + prices.EAR_VOICE_MS)
    return all(
        settings.mode(at) == SIMULTANEOUS and not _turned(settings, interpreter, said.language, at)
        for at in times
    )


_SHAPES = ((1, 1), *((some, 1) for some in range(2, SOME + 1)), *((1, some) for some in range(2, SOME + 1)))
