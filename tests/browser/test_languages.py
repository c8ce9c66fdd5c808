"""Pages in Kazakh, Uzbek and Mongolian, as a browser shows them that knows little of these languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pytest
from fluent.syntax import ast
from playwright.sync_api import Page

from server.services.demo import CASE_ID, SEOUL
from tests.browser.test_screenshots import SIZES, choose
from tests.support.browsers import Crowd
from tests.support.demo import Demo, running
from tests.support.furnished import Furnished, furnish
from tests.support.story import sign_in
from tests.unit.test_i18n_catalogues import catalogue

pytestmark = [pytest.mark.browser, pytest.mark.long]

LANGUAGES = ("kk", "uz", "mn")
IDS = {name for name in catalogue("en") if "-" in name}
#: Names of days and months that a browser without the language's data writes: "2026 M11 26, Thu".
STUBS = re.compile(r"\bM(?:0\d|1[0-2])\b|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:day|sday|nesday|rsday|urday)?\b")
#: What each of these has and the other two have not.
OWN = {"kk": "[әғқңұһі]", "uz": "[a-z]ʻ", "mn": "[өү]"}
WIDTH = "document.documentElement.scrollWidth > innerWidth + 1"
#: What is cut off within its own box.
CLIPPED = """
() => [...document.querySelectorAll('main *')].filter((one) => {
  const style = getComputedStyle(one);
  return one.childElementCount === 0 && one.innerText?.trim()
    && !one.closest('.visually-hidden, .mark-name, option') // the mark alone, on a phone
    && style.overflowX !== 'visible' && style.overflowX !== 'auto' && one.scrollWidth > one.clientWidth + 1;
}).map((one) => one.innerText.trim().slice(0, 60))
"""


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
            wrong += [f"{name} {language} {width}: cut off: {one}" for one in page.evaluate(CLIPPED)]
        shown = page.inner_text("body")
        if not re.search(OWN[language], shown, re.IGNORECASE):
            wrong.append(f"{name} {language}: not in this language")
        wrong += [f"{name} {language}: id {one} shown" for one in sorted(IDS & set(shown.split()))]
        wrong += [f"{name} {language}: {one}" for one in STUBS.findall(shown)]
        read_out = " ".join(page.locator("main [lang]").all_inner_texts())  # in its reader's language
        lines = {line.strip() for line in shown.splitlines() if line.strip() not in read_out}
        wrong += [f"{name} {language}: not translated: {one}" for one in sorted(lines & others(language))]
    return wrong


@cache
def plain(language: str) -> dict[str, str]:
    """Messages without a hole, of at least two words."""
    found = {}
    for name, message in catalogue(language).items():
        parts = message.value.elements if message.value else []
        if len(parts) == 1 and isinstance(parts[0], ast.TextElement) and " " in parts[0].value:
            found[name] = parts[0].value
    return found


@cache
def others(language: str) -> set[str]:
    """What a page says in English or Russian where this language says something else."""
    own = set(plain(language).values())
    return {one for other in ("en", "ru") for one in plain(other).values()} - own


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


#: Who looks at which page (name → path), and what is pressed there first.
WITH_DATA: dict[str, dict[str, tuple[str, ...]]] = {
    "referring_physician": {
        "/worklist": (),
        f"/cases/{CASE_ID}": (),
        f"/cases/{CASE_ID}/consents": ("consent-withdraw",),
        "/cases/{asked_back}/referral": (),
        "/cases/{draft}/referral": ("submit",),
        "/security": (),
    },
    "site_operator": {"/self-test": ()},
    "coordinator": {
        "/worklist": (),
        "/cases/{new}": ("match-propose",),
        f"/cases/{CASE_ID}/schedule": ("schedule-urgent", "schedule-find", "slot-book"),
        "/site-checks": (),
    },
    "privacy_officer": {"/audit": ("view-review", "review-open"), "/retention": (), "/policies": ()},
    "programme_admin": {"/sites": (), f"/sites/{SEOUL}": (), "/people/{person}": ("licence-open",)},
    "interpreter": {f"/cases/{CASE_ID}/glossary": (), "/renderings": ()},
}


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Demo, Furnished]]:
    with running(tmp_path_factory.mktemp("furnished")) as made:
        yield made, furnish(made)


def open_with(page: Page, demo: Demo, there: Furnished, path: str, pressed: tuple[str, ...]) -> None:
    """The page with its data, and what one opens there."""
    page.goto(demo.base_url + path.format(**asdict(there)))
    page.locator("main h1").first.wait_for()
    page.wait_for_load_state("networkidle")
    for one in pressed:
        page.get_by_test_id(one).first.click()
        page.wait_for_load_state("networkidle")


@pytest.mark.parametrize(
    "roles",
    [
        ("referring_physician", "site_operator"),
        ("coordinator",),
        ("privacy_officer", "programme_admin", "interpreter"),
    ],
    ids=["referring", "coordinating", "keeping"],
)
def test_casework_pages_with_data_are_whole_in_the_three_languages(
    furnished: tuple[Demo, Furnished], crowd: Crowd, output: Path, roles: tuple[str, ...]
) -> None:
    demo, there = furnished
    folder = output / "languages"
    folder.mkdir(exist_ok=True)
    person, wrong = crowd.person(), []
    for role in roles:
        person.context = person.profile()
        page = sign_in(person, demo, role)
        for path, pressed in WITH_DATA[role].items():
            open_with(page, demo, there, path, pressed)
            name = "-".join(part for part in path.split("/") if part and part not in (CASE_ID, SEOUL))
            wrong += wrong_with(page, f"data-{role}-{name.replace('{', '').replace('}', '')}", folder)
    if "referring_physician" in roles:
        page = person.page()
        page.goto(there.my)
        page.get_by_test_id("my-withdraw").first.click()
        wrong += wrong_with(page, "data-my", folder)
    assert not wrong, "\n".join(wrong)
