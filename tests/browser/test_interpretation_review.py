"""Beside a recording: hear it in Korean, step from said to rendered, flag it; the interpreter answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_screenshots import picture_all
from tests.support.browsers import Crowd
from tests.support.demo import Demo, until
from tests.support.prepared import RECORDING, reviewed_demo, talkers
from tests.support.story import sign_in, wait_ready
from tests.support.talkers import TALK

pytestmark = [pytest.mark.browser, pytest.mark.pages]

LP, KP, IN = TALK


@pytest.fixture(scope="module")
def folder(output: Path) -> Path:
    made = output / "screenshots"
    made.mkdir(exist_ok=True)
    return made


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    notes = ((0, "mode:consecutive", ""), (29_000, "direction:ko>ru", IN))
    with reviewed_demo(tmp_path_factory.mktemp("demo"), 50.0, talkers, notes) as started:
        yield started


def audible(demo: Demo, page: Page) -> set[str]:
    """Roles whose sound is not switched off just now."""
    script = "all => all.filter((one) => !one.muted).map((one) => one.dataset.participant)"
    on = set(page.locator("audio[data-media]").evaluate_all(script))
    return {role for role in TALK if demo.seat_id(role) in on}


def seek(page: Page, ms: int) -> None:
    script = "(e, ms) => { e.value = ms; e.dispatchEvent(new Event('input', { bubbles: true })); }"
    page.get_by_test_id("review-seek").evaluate(script, ms)


def clock(page: Page) -> int:
    return int(page.get_by_test_id("review-clock").get_attribute("data-ms") or 0)


def choose(page: Page, language: str) -> None:
    page.locator(f"[data-testid='review-lane'][data-language='{language}'] input").check()


def test_a_reviewer_hears_a_language_steps_and_flags_and_the_interpreter_answers(
    demo: Demo, crowd: Crowd, folder: Path
) -> None:
    person = crowd.person()
    page = sign_in(person, demo, "reviewer")
    wait_ready(demo, page, RECORDING, 180)
    page.goto(f"{demo.base_url}/review/{RECORDING}")
    expect(page.get_by_test_id("pair")).to_have_count(3)
    set_then = page.get_by_test_id("interpretation-change")
    assert [one.get_attribute("data-value") for one in set_then.all()] == ["consecutive", "ko>ru"]
    assert audible(demo, page) == {LP, KP, IN}
    for language, at_ms, heard in (
        ("ko", 3_000, {KP}),  # spoken in Korean
        ("ko", 7_000, {KP}),  # the interpreter renders into Russian
        ("ko", 25_000, {KP, IN}),  # … and into Korean, at the very second
        ("ru", 25_000, {LP}),
        ("ru", 7_000, {LP, IN}),
        ("ru", 46_000, {LP, IN}),  # nobody knows in which language: never silence
        ("original", 7_000, {LP, KP, IN}),
    ):
        choose(page, language)
        seek(page, at_ms)
        until(f"{language} at {at_ms}", lambda heard=heard: audible(demo, page) == heard, 20)  # type: ignore[misc]
    choose(page, "ko")
    seek(page, 24_000)
    page.get_by_test_id("review-title").or_(page.locator("h1")).first.click()
    page.keyboard.press("n")  # what is said next, alone: not a word of Korean lane or rendering
    until("said, alone", lambda: audible(demo, page) == {KP}, 10)
    until("at what was said", lambda: 29_500 < clock(page) < 38_000, 10)
    page.keyboard.press("n")
    until("rendered, alone", lambda: audible(demo, page) == {IN}, 10)
    until(
        "stops behind it",
        lambda: page.get_by_test_id("review-play").get_attribute("aria-pressed") == "false",
        30,
    )
    assert 38_000 < clock(page) < 44_000, "what is said next begins at 45 s"
    assert audible(demo, page) == {KP}, "the chosen lane again"
    page.keyboard.press("f")
    page.get_by_test_id("flag-comment").fill("5 or 50 mg? <b>n</b>")
    page.get_by_test_id("flag-send").click()
    expect(page.get_by_test_id("flag")).to_contain_text("5 or 50 mg? <b>n</b>")
    wide = picture_all(page, "rendered", folder, "interpretation")
    own = sign_in(crowd.person(), demo, "interpreter")
    own.get_by_test_id("to-renderings").click()
    own.get_by_test_id("clip-open").click()
    until(
        "the seconds around it play",
        lambda: int(own.get_by_test_id("clip-clock").get_attribute("data-ms") or 0) > 15_200,
        30,
    )
    assert own.get_by_test_id("clip").locator("audio").count() == 3
    own.get_by_test_id("flag-answer-text").fill("Five. I said it wrong.")
    own.get_by_test_id("flag-answer-send").click()
    expect(own.get_by_test_id("own-flag")).to_have_attribute("data-answered", "true")
    wide += picture_all(own, "own-flags", folder)
    assert not wide, wide
    page.reload()
    expect(page.get_by_test_id("flag-answer")).to_contain_text("Five. I said it wrong.")
