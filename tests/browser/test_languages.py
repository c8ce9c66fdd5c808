"""Pages in Kazakh, Uzbek and Mongolian, as a browser shows them that knows little of these languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.test_screenshots import SIZES, choose
from tests.support.browsers import Crowd
from tests.support.demo import Demo
from tests.support.story import sign_in
from tests.unit.test_i18n_catalogues import catalogue

pytestmark = [pytest.mark.browser, pytest.mark.long]

LANGUAGES = ("kk", "uz", "mn")
IDS = {name for name in catalogue("en") if "-" in name}
#: Names of days and months that a browser without the language's data writes: "2026 M11 26, Thu".
STUBS = re.compile(r"\bM\d\d\b|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:day|sday|nesday|rsday|urday)?\b")
#: What each of these has and the other two have not.
OWN = {"kk": "[әғқңұһі]", "uz": "[a-z]ʻ", "mn": "[өү]"}
WIDTH = "document.documentElement.scrollWidth > innerWidth + 1"


def wrong_with(page: Page, name: str, folder: Path) -> list[str]:
    """Pictures the page in the three languages and two widths; what is wrong with it."""
    wrong = []
    for language in LANGUAGES:
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            choose(page, language)
            page.evaluate("document.fonts.ready")
            page.screenshot(path=folder / f"{name}-{language}-{width}.png", full_page=True)
            if page.evaluate(WIDTH):
                wrong.append(f"{name} {language} {width}: sticks out sideways")
        shown = page.inner_text("body")
        if not re.search(OWN[language], shown, re.IGNORECASE):
            wrong.append(f"{name} {language}: not in this language")
        wrong += [f"{name} {language}: id {one} shown" for one in sorted(IDS & set(shown.split()))]
        wrong += [f"{name} {language}: {one}" for one in STUBS.findall(shown)]
    return wrong


def test_the_main_pages_are_whole_in_the_three_languages(demo: Demo, crowd: Crowd, output: Path) -> None:
    folder = output / "languages"
    folder.mkdir(exist_ok=True)
    door = crowd.person().page()
    door.goto(demo.seat("interpreter")["room_url"])
    door.get_by_test_id("consent-accept").wait_for()
    wrong = wrong_with(door, "door", folder)
    door.close()
    for role, pages in {
        "referring_physician": ["worklist", "referrals/new", "self-test"],
        "coordinator": ["worklist", "site-checks", "sites"],
        "privacy_officer": ["audit", "retention"],
    }.items():
        page = sign_in(crowd.person(), demo, role)
        for name in pages:
            page.goto(f"{demo.base_url}/{name}")
            page.locator("main h1").first.wait_for()
            page.wait_for_load_state("networkidle")
            wrong += wrong_with(page, f"{name.replace('/', '-')}-{role}", folder)
        if role == "referring_physician":
            page.goto(f"{demo.base_url}/worklist")
            page.get_by_test_id("new-referral").click()
            page.locator('input[value="orthopaedics"]').check()
            page.get_by_test_id("begin-referral").click()
            page.wait_for_url(re.compile(r"/cases/.*/referral$"))
            page.get_by_test_id("question").first.wait_for()
            wrong += wrong_with(page, "referral", folder)
        if role == "coordinator":
            page.goto(f"{demo.base_url}/worklist")
            page.locator("[data-testid=worklist-row] a[href^='/cases/']").first.click()
            page.wait_for_url("**/cases/**")
            page.wait_for_load_state("networkidle")
            wrong += wrong_with(page, "case", folder)
            page.goto(f"{page.url}/schedule")
            page.locator("main h1").first.wait_for()
            wrong += wrong_with(page, "schedule", folder)
    assert not wrong, wrong
