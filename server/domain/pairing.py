"""What was said and what rendered it: a sequence alignment by time, without a word being understood.

Each interpreter's utterances are aligned, in order, with those of whom they could be rendering: one with
one, some with one, one with some, or nobody's (as sentences are aligned by length in parallel texts: Gale
and Church 1993, Computational Linguistics 19:1). How long they are is compared, and when they come:

- Consecutive: the rendering follows what it renders, after a pause or with a small overlap. Physicians do
  speak in instalments, and interpreters come in between (Hansen and Svennevig 2021, Journal of Pragmatics).
- Simultaneous: it runs behind by the ear-voice span, commonly told as two to five seconds.

Relay: a rendering is itself what the next interpreter renders, where the two share one language only.
Pure; times in ms. It must not know where sounds come from.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from server.domain.talk import SIMULTANEOUS, Person, Settings, Utterance, own_words, talk

VERSION = 2
"""Of the way it is found: what was stored by another one is computed again."""

SOME = 4
"""At most so many are rendered in one, or render one."""
BEFORE_MS, BEHIND_MS = 30_000, 120_000
"""A rendering is looked for so long before and after what is said began."""
LONGEST_PAUSE_MS = 25_000
SPREAD = 0.4
"""Of the logarithm of how much longer a rendering is than what it renders."""
EAR_VOICE_MS, EAR_VOICE_SPREAD_MS = 2800, 1300
TURN_MS = 1500
"""The direction is turned about so long before or after it is used."""
ALONE, ALONE_PER_S, ALONE_MOST = 0.5, 0.3, 2.2
"""What it costs to say that an utterance is in no pair: more for a long one."""
MORE = 0.3
"""For each further utterance in one pair."""
ANOTHER = 1.0
"""For each change of speaker in what is rendered in one go: people of one language also confer."""
NEVER = math.inf
_Reach = Callable[[tuple[int, int], tuple[int, int], float], None]


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


def pairs(
    people: Sequence[Person], settings: Settings, sounds: Mapping[str, Iterable[tuple[int, int]]]
) -> list[Pair]:
    """All pairs, in order of the renderings. `sounds`: each person's stretches of sound."""
    spoken = talk(people, settings, sounds)
    speakers = [one for one in people if not one.interprets and one.languages]
    interpreters = [one for one in people if one.interprets and len(one.languages) > 1]
    own = {one.id: own_words(settings, one.id, spoken[one.id]) for one in interpreters}
    renderings = {
        one.id: [each for each in spoken[one.id] if each not in own[one.id]] for one in interpreters
    }
    first = [Said(each, one.languages[0]) for one in speakers for each in spoken[one.id]]
    found = {one.id: _of(one, first, renderings[one.id], settings, people) for one in interpreters}
    relays = {one.id: [other for other in interpreters if _relays(other, one)] for one in interpreters}
    for one in interpreters:
        told = [*first]
        for other in relays[one.id]:
            told += [Said(pair.rendered, pair.target) for pair in found[other.id]]
        if len(told) > len(first):
            found[one.id] = _of(one, told, renderings[one.id], settings, people)
    every = [pair for one in interpreters for pair in found[one.id]]
    return sorted(every, key=lambda pair: (pair.rendered.from_ms, pair.rendered.person))


def _relays(other: Person, to: Person) -> bool:
    return other is not to and len(set(other.languages) & set(to.languages)) == 1


def _of(
    interpreter: Person,
    told: Sequence[Said],
    renderings: Sequence[Utterance],
    settings: Settings,
    people: Sequence[Person],
) -> list[Pair]:
    understood = [each for each in told if each.language in interpreter.languages]
    said = sorted(_once(understood), key=lambda each: (each.utterance.from_ms, each.utterance.person))
    aligned = _Alignment(interpreter, said, renderings, settings)
    result = []
    for first, last, begin, end in aligned.groups():
        source = said[first].language
        for rendered in renderings[begin:end]:
            result.append(
                Pair(
                    tuple(each.utterance for each in said[first:last]),
                    rendered,
                    source,
                    target_of(interpreter, source, settings, rendered.from_ms, people),
                    settings.mode(rendered.from_ms),
                )
            )
    return result


def _once(told: Sequence[Said]) -> list[Said]:
    """A rendering of two pairs is said once."""
    return list(dict.fromkeys(told))


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
        starts = [each.from_ms for each in rendered]
        self._lows = [bisect_left(starts, each.utterance.from_ms - BEFORE_MS) for each in said]
        highs = [bisect_right(starts, each.utterance.from_ms + BEHIND_MS) for each in said]
        self._lows = [0, *self._lows[1:], self._lows[-1]] if said else [0]
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
                    reach((i, j), (i, j + 1), here + _alone(self._rendered[j]))
                if i < len(self._said):
                    if j >= self._lows[i + 1]:
                        reach((i, j), (i + 1, j), here + _alone(self._said[i].utterance))
                    self._pairs_from(i, j, here, reach)
        return self._way_back(came)

    def _pairs_from(self, i: int, j: int, here: float, reach: _Reach) -> None:
        for some, several in _SHAPES:
            to = (i + some, j + several)
            if to[0] > len(self._said) or not self._lows[to[0]] <= to[1] <= self._highs[to[0]]:
                continue
            price = self._price(self._said[i : to[0]], self._rendered[j : to[1]])
            if price < NEVER:
                reach((i, j), to, here + price)

    def _way_back(self, came: Mapping[tuple[int, int], tuple[int, int]]) -> list[tuple[int, int, int, int]]:
        at, found = (len(self._said), len(self._rendered)), []
        while at != (0, 0):
            before = came[at]
            if before[0] < at[0] and before[1] < at[1]:
                found.append((before[0], at[0], before[1], at[1]))
            at = before
        return found[::-1]

    def _price(self, said: Sequence[Said], rendered: Sequence[Utterance]) -> float:
        """What it costs to believe that these are rendered by those."""
        if any(each.language != said[0].language for each in said):
            return NEVER
        first, last = said[0].utterance, said[-1].utterance
        begin, end = rendered[0], rendered[-1]
        if first.from_ms >= begin.from_ms or end.to_ms <= last.from_ms:
            return NEVER
        if self._settings.mode(begin.from_ms) == SIMULTANEOUS:
            if not self._turned(said[0].language, begin.from_ms):
                return NEVER
            when = _behind(begin.from_ms - first.from_ms) + _behind(end.to_ms - last.to_ms)
        else:
            when = _after(last, begin) + _held(said, begin) + _parts(rendered)
        spoken = sum(each.utterance.sound_ms for each in said)
        length = math.log(sum(each.sound_ms for each in rendered) / spoken)
        spread = SPREAD + 0.25 * 1000 / spoken
        return when + (length / spread) ** 2 / 2 + MORE * (len(said) + len(rendered) - 2)

    def _turned(self, source: str, at_ms: int) -> bool:
        near = (at_ms, at_ms - TURN_MS, at_ms + TURN_MS)
        directions = [self._settings.direction(self._interpreter, at) for at in near]
        told = [each for each in directions if each is not None]
        return not told or any(each[0] == source for each in told)


_SHAPES = ((1, 1), *((some, 1) for some in range(2, SOME + 1)), *((1, some) for some in range(2, SOME + 1)))


def _alone(utterance: Utterance) -> float:
    return min(ALONE_MOST, ALONE + ALONE_PER_S * utterance.sound_ms / 1000)


def _behind(lag_ms: int) -> float:
    return min(4.0, ((lag_ms - EAR_VOICE_MS) / EAR_VOICE_SPREAD_MS) ** 2 / 2)


def _after(last: Utterance, begin: Utterance) -> float:
    """The pause between what was said and its rendering; a small overlap is usual, a large one is not."""
    pause_ms = begin.from_ms - last.to_ms
    if pause_ms > LONGEST_PAUSE_MS or begin.from_ms <= last.from_ms:
        return NEVER
    if pause_ms >= 0:
        return 0.12 * max(0, pause_ms - 1500) / 1000
    return 1.2 * max(0, -pause_ms - 700) / 1000


def _held(said: Sequence[Said], begin: Utterance) -> float:
    """Long silences and other voices inside what is rendered in one go."""
    price = 0.0
    for one, other in pairwise(said):
        pause_ms = other.utterance.from_ms - one.utterance.to_ms
        price += 0.1 * max(0, pause_ms - 2000) / 1000
        price += ANOTHER * (one.utterance.person != other.utterance.person)
    return price


def _parts(rendered: Sequence[Utterance]) -> float:
    """Long silences between the parts of a rendering."""
    price = 0.0
    for one, other in pairwise(rendered):
        price += 0.4 * max(0, other.from_ms - one.to_ms - 1500) / 1000
    return price
