"""What a self-test says of its figures: the limits, what is broken, when a test grows old."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from server.domain.self_test import (
    AMBER,
    GREEN,
    OLD_MS,
    RED,
    RULES,
    STALE_MS,
    STEPS,
    Standing,
    judged,
    standing,
    verdict_of,
    whole,
)

DOCS = Path(__file__).parents[2] / "docs" / "self-test.md"
GOOD: dict[str, dict[str, Any]] = {
    "browser": {"engine": "chrome", "version": 140, "clock_ms": -900},
    "camera": {"problem": None, "lines": 720, "frames_per_s": 29.8, "brightness": 110},
    "microphone": {"problem": None, "silence_db": -58.0, "speech_db": -21.0, "clipped_pct": 0.0},
    "path": {"udp": True, "tcp": True, "relay": None},
    "line": {
        "problem": None, "up_kbps": 1300, "down_kbps": 1250, "loss_up_pct": 0.2, "loss_down_pct": 0.0,
        "round_trip_ms": 180,
    },
    "loop": {"problem": None, "via": "relay", "returned_db": -24.0, "heard": True},
}  # fmt: skip


def codes(step: str, **change: Any) -> dict[str, str]:
    return {one.code: one.verdict for one in judged(step, {**GOOD[step], **change})}


@pytest.mark.parametrize("step", STEPS)
def test_a_good_site_is_green(step: str) -> None:
    assert judged(step, GOOD[step]) == []


@pytest.mark.parametrize(
    ("step", "change", "expected"),
    [
        ("microphone", {"problem": "denied"}, {"microphone_denied": RED}),
        ("microphone", {"speech_db": -60.0, "silence_db": -60.0}, {"microphone_silent": RED}),
        ("microphone", {"speech_db": -45.0}, {"microphone_silent": AMBER}),
        ("microphone", {"silence_db": -30.0}, {"microphone_noise": AMBER}),
        ("microphone", {"clipped_pct": 40.0}, {"microphone_clipped": RED}),
        ("camera", {"problem": "busy"}, {"camera_busy": RED}),
        ("camera", {"brightness": 3}, {"camera_dark": RED}),
        ("camera", {"frames_per_s": 9, "lines": 240}, {"camera_slow": AMBER, "camera_small": AMBER}),
        ("path", {"udp": False}, {"path_udp": RED}),
        ("path", {"tcp": False, "relay": False}, {"path_tcp": AMBER, "path_relay": AMBER}),
        ("path", {"udp": False, "tcp": False, "relay": False}, {"path_none": RED}),
        ("path", {"udp": False, "tcp": False, "relay": True}, {"path_udp": RED, "path_tcp": AMBER}),
        ("line", {"problem": "unconnected"}, {"line_unconnected": RED}),
        ("line", {"up_kbps": 90, "down_kbps": 88}, {"line_up": RED, "line_down_unknown": AMBER}),
        ("line", {"down_kbps": 90}, {"line_down": RED}),
        ("line", {"up_kbps": 300, "down_kbps": 100}, {"line_up": AMBER, "line_down": RED}),
        ("line", {"loss_up_pct": 12.0, "loss_down_pct": 4.0}, {"line_loss_up": RED, "line_loss_down": AMBER}),
        ("line", {"round_trip_ms": 900}, {"line_round_trip": RED}),
        ("line", {"round_trip_ms": None}, {}),
        ("loop", {"heard": False}, {"loop_unheard": RED}),
        ("loop", {"via": "here", "returned_db": None}, {"loop_here": AMBER}),
        ("loop", {"returned_db": -90.0}, {"loop_silent": RED}),
        ("browser", {"engine": "other", "version": 3}, {"browser_unknown": AMBER}),
        ("browser", {"version": 112}, {"browser_old": AMBER}),
        ("browser", {"engine": "firefox", "version": 110}, {"browser_old": RED}),
        ("browser", {"clock_ms": -200_000}, {"browser_clock": RED}),
    ],
)  # fmt: skip
def test_what_is_broken_has_its_verdict_and_a_code_that_says_what_to_do(
    step: str, change: dict[str, Any], expected: dict[str, str]
) -> None:
    assert codes(step, **change) == expected


def test_the_worst_is_named_first_and_decides() -> None:
    found = judged("line", {**GOOD["line"], "up_kbps": 300, "down_kbps": 100})
    assert [one.verdict for one in found] == [RED, AMBER]
    assert (verdict_of(found), verdict_of([])) == (RED, GREEN)


def test_a_test_is_as_good_as_its_worst_step_and_a_missing_one_is_red() -> None:
    green = dict.fromkeys(STEPS, GREEN)
    assert whole(green) == GREEN
    assert whole({**green, "line": AMBER}) == AMBER
    assert whole({**green, "line": AMBER, "path": RED}) == RED
    assert whole({step: GREEN for step in STEPS if step != "loop"}) == RED


@pytest.mark.parametrize(
    ("age_ms", "verdict", "expected"),
    [
        (0, GREEN, Standing(GREEN, "tested")),
        (STALE_MS - 1, GREEN, Standing(GREEN, "tested")),
        (STALE_MS, GREEN, Standing(AMBER, "stale")),
        (STALE_MS, RED, Standing(RED, "tested")),
        (OLD_MS, GREEN, Standing(RED, "old")),
        (0, None, Standing(RED, "unfinished")),
    ],
)
def test_a_green_test_grows_old(age_ms: int, verdict: str | None, expected: Standing) -> None:
    assert standing((1_000, verdict), 1_000 + age_ms) == expected


def test_every_limit_is_explained_in_the_docs_with_its_numbers() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in DOCS.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    told = {row[0].strip("`"): (row[2], row[3]) for row in rows}
    for step, figures in RULES.items():
        for figure, rule in figures.items():
            ((way, limits),) = rule.items()
            mark = "≥" if way == "least" else "≤"
            wanted = (f"{mark} {limits['green']:g}", f"{mark} {limits['amber']:g}")
            assert told[f"{step}.{figure}"] == tuple(one.replace("-", "−") for one in wanted), (step, figure)
