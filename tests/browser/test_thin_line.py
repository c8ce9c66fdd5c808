"""A receiver on a thin line keeps the voice, loses pictures where it can see why, and has them back soon.

Real Chromium; the rate of the way to one of two people is cut by the impairment relay.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright

from tests.support import probes, pulse
from tests.support.browsers import Crowd
from tests.support.demo import running, until
from tests.support.fakes import GREEN, RED
from tests.support.impairment import candidates
from tests.support.impairment.aside import RelayAside
from tests.support.impairment.profile import Profile
from tests.support.ports import free_port
from tests.support.story import Guest, join

pytestmark = pytest.mark.browser

THIN = Profile(delay_ms=40, rate_bps=400_000)
VERY_THIN = Profile(delay_ms=40, rate_bps=200_000)
"""A voice, its redundancy and the checks; a picture of 150 kbit/s does not go beside them."""
CONCEALED = 0.02
TRIED = 0.05
"""Of ten seconds in which the line is tried once or twice, and may carry a picture of a slow camera for a
while."""
BACK_S = 10.0
Scene = tuple[RelayAside, Guest, Guest]

LINES = """
() => [...document.querySelectorAll('[data-testid=picture-paused]')].map((e) => [e.dataset.why, e.innerText])
"""


@pytest.fixture(scope="module")
def scene(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    port = free_port()
    env = {"HYEOPJIN_MEDIA_UDP_PORT": str(port)}
    with (
        running(tmp_path_factory.mktemp("thin-line"), env) as demo,
        RelayAside(port, Profile(delay_ms=40), seed=5) as line,
        Crowd(playwright, tmp_path_factory.mktemp("thin-line-fakes")) as crowd,
    ):
        led = candidates.init_script(line.port, tcp=False)
        far = join(crowd.person(RED, init=pulse.SCRIPT + led), demo, "referring_physician")
        near = join(crowd.person(GREEN, init=pulse.SCRIPT, busy=True), demo, "consulting_physician")
        probes.wait_for_colour(far.page, near.seat, near.voice, 30)
        probes.wait_for_tone(far.page, near.seat, near.voice, 20)
        until("a sharp picture", lambda: sharp(far.page), 40, 0.5)
        # Estimates begin low and rise by 8 % a second: what is cut is a line in use.
        until("an estimate that has caught up", lambda: pulse.read(far.page).frames > 200, 40, 0.5)
        yield line, far, near


def sharp(page: Page) -> bool:
    """Whether what it gets is the high layer."""
    heights = page.evaluate(
        "() => [...document.querySelectorAll('[data-testid=remote-video]')].map((v) => v.videoHeight)"
    )
    return bool(heights) and max(heights) > 180


def paused(page: Page) -> list[list[str]]:
    found: list[list[str]] = page.evaluate(LINES)
    return found


def tone(page: Page) -> str:
    return page.get_by_test_id("connection").get_attribute("data-tone") or ""


def stretch(page: Page, seconds: float) -> pulse.Stretch:
    first = pulse.read(page)
    page.wait_for_timeout(seconds * 1000)
    return pulse.between(first, pulse.read(page))


def cut(line: RelayAside, profile: Profile) -> float:
    line.ask(lambda relay: relay.change(profile, "down"))
    return time.monotonic()


@pytest.mark.long
def test_the_voice_stays_the_picture_goes_with_a_word_and_comes_back(scene: Scene, output: Path) -> None:
    line, far, near = scene
    figures: dict[str, Any] = {}
    began = cut(line, THIN)
    until("the bar says thin", lambda: tone(far.page) == "busy", 12)
    figures["thin_after_s"] = round(time.monotonic() - began, 2)
    until("the low layer, or none and why", lambda: not sharp(far.page) or paused(far.page), 12)
    until("the queue is empty", lambda: time.monotonic() - began > 4.5, 6)
    # What the overfull queue threw away is sent again for a while, and the picture may stop meanwhile.
    until("the small picture", lambda: stretch(far.page, 0.5).frames_per_s > 4, 2 * BACK_S)
    figures["small_after_s"] = round(time.monotonic() - began, 2)
    at_400 = stretch(far.page, 3)
    figures["at_400"] = vars(at_400)
    assert at_400.concealed <= CONCEALED, at_400
    figures["paused_at_400"] = paused(far.page)
    assert at_400.frames_per_s > 3 or paused(far.page), f"it stands, and nothing says why: {at_400}"

    began = cut(line, VERY_THIN)
    until("the picture is paused", lambda: paused(far.page), 12)
    figures["paused_after_s"] = round(time.monotonic() - began, 2)
    [[why, text]] = paused(far.page)
    assert why in ("thin", "lossy")
    assert text.count("\n") == 1, "what, and what goes on"
    until("the other one knows", lambda: near.page.get_by_test_id("unseen").count() == 1, 5)
    assert paused(near.page) == [], "the other one's line is not concerned"
    until("the queue is empty", lambda: time.monotonic() - began > 5, 7)
    at_200 = stretch(far.page, 10)
    figures["at_200"] = vars(at_200)
    assert at_200.concealed <= TRIED, at_200

    began = cut(line, Profile(delay_ms=40))
    until("a picture again", lambda: not paused(far.page) and stretch(far.page, 0.5).frames_per_s > 2, BACK_S)
    figures["back_after_s"] = round(time.monotonic() - began, 2)
    probes.wait_for_colour(far.page, near.seat, near.voice, 5)
    print(json.dumps(figures))  # noqa: T201 - the figures of the run
    (output / "thin-line.json").write_text(json.dumps(figures, indent=1))
