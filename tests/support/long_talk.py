"""Long simultaneous talk, drawn by seed: whole scenes as `tests/support/pairing.py` reads them from files.

The ranges are what is told of such talk, not of how pairs are found: sentences of some seconds with half a
second between them, a rendering two to five seconds behind that drifts, is about as long, seldom lets a
sentence go, says two in one or waits in the middle of one for the verb.
"""

from __future__ import annotations

import hashlib
from math import log
from random import Random
from typing import Any

from tests.support.pairing import Scene

TRAINING = range(40)
"""Seeds to improve the algorithm with."""
KINDS = ("one way", "relay", "change", "both ways", "words put in")
Row = tuple[str, str, int, int]


def held_seeds() -> list[int]:
    """Those to measure it by, ten, drawn by nobody."""
    told = hashlib.sha256(b"long simultaneous talk, held").digest()
    return [int.from_bytes(told[n : n + 3], "big") + 1000 for n in range(0, 30, 3)]


def drawn(seed: int) -> Scene:
    """A minute and a half of one of KINDS."""
    random = Random(f"long talk {seed}")
    kind = KINDS[seed % len(KINDS)]
    far = "kk" if kind == "relay" else "ru"
    people = {"kp": ("consulting_physician", ("ko",)), "lp": ("referring_physician", (far,))}
    if kind == "relay":
        people |= {"in": ("interpreter", ("kk", "ru")), "jn": ("interpreter", ("ru", "ko"))}
    else:
        people |= dict.fromkeys(("in", "jn") if kind == "change" else ("in",), ("interpreter", ("ru", "ko")))
    timeline: list[tuple[int, dict[str, Any]]] = [(0, {"mode": "simultaneous"}), (0, {"active": "in"})]
    draw = _Draw(random)
    noise: list[tuple[str, int, int]] = []
    if kind == "relay":
        first = draw.talk("z", "lp", 1000, 80_000)
        second = draw.rendered("i", "in", first)
        draw.rendered("j", "jn", second)
        timeline += [
            (0, {"direction": [a, b], "by": who}) for who, a, b in (("in", "kk", "ru"), ("jn", "ru", "ko"))
        ]
    elif kind == "both ways":
        one = draw.talk("k", "kp", 1000, 45_000)
        done = draw.rendered("i", "in", one)[-1][3]
        other = draw.talk("r", "lp", done - random.randint(0, 1500), done + 42_000)
        draw.rendered("i", "in", other, begin=len(one) + 1, free_ms=done + 400)
        timeline += [
            (0, {"direction": ["ko", "ru"], "by": "in"}),
            (done + 300, {"direction": ["ru", "ko"], "by": "in"}),
        ]
    else:
        way = random.choice((("k", "kp", "ko", "ru"), ("r", "lp", "ru", "ko")))
        told = draw.talk(way[0], way[1], 1000, 90_000)
        timeline.append((0, {"direction": list(way[2:]), "by": "in"}))
        half = len(told) // 2 if kind == "change" else len(told)
        draw.rendered("i", "in", told[:half])
        if kind == "change":
            at = draw.rendered("j", "jn", told[half:])[0][2] - 500
            timeline += [
                (at, {"direction": list(way[2:]), "by": "jn"}),
                (at, {"active": "jn"}),
                (at, {"silenced": "on", "by": "in"}),
            ]
        if kind == "words put in":
            listener = "lp" if way[1] == "kp" else "kp"
            for n, at in enumerate(range(12_000, 85_000, 14_000)):
                draw.speech.append((f"b{n}", listener, at, at + random.randint(400, 1500)))
    speech = {
        label: (who, start, stop) for label, who, start, stop in sorted(draw.speech, key=lambda row: row[2])
    }
    return Scene(
        f"drawn {seed} {kind}",
        seed >= 1000,
        people,
        sorted(timeline, key=lambda each: each[0]),
        speech,
        noise,
        frozenset(draw.pairs),
    )


class _Draw:
    """Collects rows and pairs."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.speech: list[Row] = []
        self.pairs: list[tuple[str, str]] = []

    def _about(self, middle: float, spread: float, least: float, most: float) -> int:
        return round(min(most, max(least, self._random.lognormvariate(log(middle), spread))))

    def talk(self, prefix: str, who: str, at: int, until: int) -> list[Row]:
        """Sentence after sentence."""
        rows: list[Row] = []
        while at < until:
            stop = at + self._about(5500, 0.35, 2500, 11_000)
            rows.append((f"{prefix}{len(rows) + 1}", who, at, stop))
            at = stop + self._about(600, 0.35, 300, 1500)
        self.speech += rows
        return rows

    def rendered(self, prefix: str, who: str, told: list[Row], begin: int = 1, free_ms: int = 0) -> list[Row]:
        """Behind it, never two sentences at once."""
        random, rows = self._random, list[Row]()
        lag, n = random.uniform(2400, 3600), 0
        while n < len(told):
            lag = min(5000, max(2000, lag + random.gauss(0, 500)))
            what, some = random.random(), 1
            if what < 0.05 and rows:
                n += 1  # let go
                continue
            if what < 0.12 and n + 1 < len(told):
                some = 2
            said = told[n : n + some]
            start = max(round(said[0][2] + lag), free_ms)
            length = round(
                sum(stop - begin_ms for _, _, begin_ms, stop in said) * random.lognormvariate(0, 0.12)
            )
            parts = [(start, start + length)]
            if 0.12 <= what < 0.2 and length > 4000:  # waits for the verb
                first = round(length * random.uniform(0.35, 0.65))
                wait = random.randint(700, 1800)
                parts = [(start, start + first), (start + first + wait, start + length + wait)]
            for part in parts:
                label = f"{prefix}{begin + len(rows)}"
                rows.append((label, who, *part))
                self.pairs += [(each[0], label) for each in said]
            free_ms = parts[-1][1] + self._about(400, 0.35, 250, 1500)
            n += some
        self.speech += rows
        return rows
