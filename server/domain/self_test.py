"""What a site's self-test says of its figures: green, amber or red, and a code for what to do next. Pure.

The numbers are data (`self_test.toml`). It must not measure anything, nor know who asks.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from server.domain.calendar import DAY_MS

GREEN, AMBER, RED = "green", "amber", "red"
ORDER: Final = (GREEN, AMBER, RED)
STEPS: Final = ("browser", "camera", "microphone", "path", "line", "loop")
UPCOMING_MS: Final = 2 * DAY_MS
STALE_MS: Final = 7 * DAY_MS
"""An older test says nothing of the line of today: the day before an hour it is asked for again."""
OLD_MS: Final = 30 * DAY_MS
ENGINES: Final = {"chrome": (110, 120), "edge": (110, 120), "firefox": (115, 128), "safari": (16, 17)}
"""The least version that pages run on (`static/js/start.js`), and that from which all is known to work."""
CARRIED: Final = 0.8
"""A line down that brings so much of what went up was not the narrower one: more was not tried."""

Figures = Mapping[str, Any]
RULES: Final[dict[str, Any]] = tomllib.loads(
    (resources.files("server.domain") / "self_test.toml").read_text("utf-8")
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not green. `value`: the figure the words may name."""

    code: str
    verdict: str
    value: float | None = None

    def wire(self) -> dict[str, Any]:
        return {"code": self.code, "verdict": self.verdict, "value": self.value}


def judged(step: str, figures: Figures) -> list[Finding]:
    """What is wrong with one step, the worst first; nothing when it is green."""
    problem = figures.get("problem")
    if problem is not None:
        return [Finding(f"{step}_{problem}", RED)]
    found = _OWN[step](figures) if step in _OWN else []
    values = {**figures, **_derived(step, figures)}
    for figure, rule in RULES.get(step, {}).items():
        if values.get(figure) is not None:
            found += _by_rule(rule, float(values[figure]))
    return sorted(found, key=lambda one: -ORDER.index(one.verdict))


def verdict_of(findings: list[Finding]) -> str:
    return max((one.verdict for one in findings), key=ORDER.index, default=GREEN)


def whole(verdicts: Mapping[str, str]) -> str:
    """Of a test: its worst step; one that was not made is as good as a red one."""
    return max((verdicts.get(step, RED) for step in STEPS), key=ORDER.index)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a board says of a site. `why`: never, elsewhere, unfinished, old, stale, or tested."""

    verdict: str
    why: str


def standing(last: tuple[int, str | None], now_ms: int) -> Standing:
    """Of one room or computer. `last`: when its test was begun, and the verdict (None: not finished)."""
    at_ms, verdict = last
    if verdict is None:
        return Standing(RED, "unfinished")
    if now_ms - at_ms >= OLD_MS:
        return Standing(RED, "old")
    if verdict == GREEN and now_ms - at_ms >= STALE_MS:
        return Standing(AMBER, "stale")
    return Standing(verdict, "tested")


def _by_rule(rule: Mapping[str, Any], value: float) -> list[Finding]:
    ((way, limits),) = rule.items()
    sign = 1 if way == "least" else -1
    if sign * value >= sign * limits["green"]:
        return []
    return [Finding(limits["code"], AMBER if sign * value >= sign * limits["amber"] else RED, value)]


def _derived(step: str, figures: Figures) -> dict[str, float | None]:
    if step == "browser":
        known = ENGINES.get(figures["engine"])
        return {
            "version": None if known is None else float(sum(figures["version"] >= one for one in known)),
            "clock_s": abs(figures["clock_ms"]) / 1000,
        }
    if step == "microphone":
        nothing = figures["speech_db"] < RULES["microphone"]["speech_db"]["least"]["amber"]
        return {"above_db": None if nothing else figures["speech_db"] - figures["silence_db"]}
    if step == "line" and _narrow_above(figures):
        return {"down_kbps": None}
    return {}


def _narrow_above(figures: Figures) -> bool:
    """Whether the way down brought all that the way up let through, which was too little to judge it by."""
    up, down = figures["up_kbps"], figures["down_kbps"]
    return bool(up < RULES["line"]["up_kbps"]["least"]["green"] and down >= CARRIED * up)


def _browser(figures: Figures) -> list[Finding]:
    return [] if figures["engine"] in ENGINES else [Finding("browser_unknown", AMBER)]


def _path(figures: Figures) -> list[Finding]:
    """Without UDP voices and pictures wait for what was lost: people talk over each other. The others are
    what is left when UDP is shut one day."""
    if not (figures["udp"] or figures["tcp"] or figures["relay"]):
        return [Finding("path_none", RED)]
    found = [] if figures["udp"] else [Finding("path_udp", RED)]
    found += [] if figures["tcp"] else [Finding("path_tcp", AMBER)]
    return found + ([Finding("path_relay", AMBER)] if figures["relay"] is False else [])


def _line(figures: Figures) -> list[Finding]:
    return [Finding("line_down_unknown", AMBER)] if _narrow_above(figures) else []


def _loop(figures: Figures) -> list[Finding]:
    found = [] if figures["heard"] else [Finding("loop_unheard", RED)]
    return found + ([Finding("loop_here", AMBER)] if figures["via"] == "here" else [])


_OWN: Final = {"browser": _browser, "path": _path, "line": _line, "loop": _loop}
