"""What it costs to believe that this talk is rendered by that: by when both come and how long they are.

Costs are like logarithms of how unlikely something is; `NEVER` is impossible. Pure, times in ms. It must not
search for anything (`pairing.py` does).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from server.domain.talk import Utterance

NEVER = math.inf
ALONE, ALONE_PER_S, ALONE_MOST = 0.5, 0.3, 2.2
"""What it costs to say that an utterance is in no pair: more for a long one."""
ANOTHER = 1.0
"""For each change of speaker in what is rendered in one go: people of one language also confer."""

LONGEST_PAUSE_MS = 25_000
SPREAD = 0.4
"""Of the logarithm of how much longer a rendering is than what it renders."""
MORE = 0.3
"""For each further utterance in one pair."""

EAR_VOICE_MS, EAR_VOICE_SPREAD, EAR_VOICE_MOST = 3000, 0.7, 4.0
"""How far behind simultaneous rendering runs, and how the logarithm of it spreads."""
LONGEST_LAG_MS = 12_000
SPREAD_ALONGSIDE = 0.22
SENTENCE_MS, SENTENCE_SPREAD = 5400, 0.27
"""How long a sentence is, its pauses apart."""
LONGEST_SENTENCE_MS = 20_000
SENTENCE = -0.5
"""For each sentence: less than nothing, or two would be cheaper than twice one."""
PAUSE_MS = 400
"""Between sentences of somebody who goes on; a shorter silence rather is within one."""
SAID, RENDERED = (150, -1.5, 0.8), (150, -0.2, 1.25)
"""How much a silence says of that: for so many ms more one, at least and at most. A short one says little of
who renders: behind by a sentence they need not wait between two."""


def alone(utterance: Utterance) -> float:
    """In no pair."""
    return min(ALONE_MOST, ALONE + ALONE_PER_S * utterance.sound_ms / 1000)


def consecutive(said: Sequence[Utterance], rendered: Sequence[Utterance]) -> float:
    """The rendering follows, after a pause or with a small overlap."""
    pause = _after(said[-1], rendered[0])
    if pause == NEVER:
        return NEVER
    spoken, sound = sum(each.sound_ms for each in said), sum(each.sound_ms for each in rendered)
    return (
        pause
        + _held(said)
        + _parts(rendered)
        + _length(spoken, sound, SPREAD)
        + MORE * (len(said) + len(rendered) - 2)
    )


def behind(lag_ms: int) -> float:
    """Simultaneous: a sentence's rendering begins, or ends, so long after it does."""
    return min(EAR_VOICE_MOST, (math.log(lag_ms / EAR_VOICE_MS) / EAR_VOICE_SPREAD) ** 2 / 2)


def alongside(spoken_ms: int, sound_ms: int) -> float:
    """Simultaneous: one sentence is so long, its rendering so long."""
    sizes = (_sentence(spoken_ms) + _sentence(sound_ms)) / 2
    return SENTENCE + sizes + _length(spoken_ms, sound_ms, SPREAD_ALONGSIDE)


def edges(parts: Sequence[Utterance], kind: tuple[int, float, float]) -> list[float]:
    """For each of the parts, and the end: what it costs that a sentence of the person begins or ends there.

    Where somebody begins or ends to speak one does, of course.
    """
    per_ms, least, most = kind
    found = [-most] * (len(parts) + 1)
    last: dict[str, Utterance] = {}
    for n, part in enumerate(parts):
        before = last.get(part.person)
        if before is not None:
            silence_ms = part.from_ms - before.to_ms
            found[n] = -min(most, max(least, (silence_ms - PAUSE_MS) / per_ms))
        last[part.person] = part
    return found


def _length(spoken_ms: int, rendered_ms: int, spread: float) -> float:
    return (math.log(rendered_ms / spoken_ms) / (spread + 250 / spoken_ms)) ** 2 / 2


def _sentence(sound_ms: int) -> float:
    return (math.log(sound_ms / SENTENCE_MS) / SENTENCE_SPREAD) ** 2 / 2


def _after(last: Utterance, begin: Utterance) -> float:
    """The pause between what was said and its rendering; a small overlap is usual, a large one is not."""
    pause_ms = begin.from_ms - last.to_ms
    if pause_ms > LONGEST_PAUSE_MS or begin.from_ms <= last.from_ms:
        return NEVER
    if pause_ms >= 0:
        return 0.12 * max(0, pause_ms - 1500) / 1000
    return 1.2 * max(0, -pause_ms - 700) / 1000


def _held(said: Sequence[Utterance]) -> float:
    """Long silences and other voices inside what is rendered in one go."""
    price = 0.0
    for one, other in pairwise(said):
        pause_ms = other.from_ms - one.to_ms
        price += 0.1 * max(0, pause_ms - 2000) / 1000
        price += ANOTHER * (one.person != other.person)
    return price


def _parts(rendered: Sequence[Utterance]) -> float:
    """Long silences between the parts of a rendering."""
    price = 0.0
    for one, other in pairwise(rendered):
        price += 0.4 * max(0, other.from_ms - one.to_ms - 1500) / 1000
    return price
