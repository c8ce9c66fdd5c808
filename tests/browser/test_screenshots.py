"""Pictures of every page in three languages and two widths, saved into test-output/.

Looks are for people to judge; what is asserted is that each page came up, in the language asked for, without
an exception and without anything sticking out sideways.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support import decode, probes
from tests.support.browsers import Crowd
from tests.support.demo import Demo
from tests.support.fakes import BLUE, GREEN, RED
from tests.support.story import end, join, sign_in, wait_ready, wait_stored

pytestmark = [pytest.mark.browser, pytest.mark.pages]

LANGUAGES = ("ko", "ru", "en")
SIX = (*LANGUAGES, "kk", "uz", "mn")
SIZES = ((1440, 900), (390, 844))
TIGHT = (("ru", SIZES[1]), ("ko", SIZES[0]))
"""What every run takes: the longest words on the narrowest page, and the other end. `make test-long` takes
them all (HYEOPJIN_PICTURES=all)."""
ALL = os.environ.get("HYEOPJIN_PICTURES") == "all"


def picture_all(
    page: Page, name: str, folder: Path, at: str = "", languages: tuple[str, ...] = LANGUAGES
) -> list[str]:
    """Saves the page in every language and size (without HYEOPJIN_PICTURES=all: in TIGHT), scrolled to a test
    id if one is given; returns those in which something sticks out.
    """
    wide = []
    every = tuple((language, size) for language in languages for size in SIZES)
    for language, (width, height) in every if ALL else TIGHT:
        page.set_viewport_size({"width": width, "height": height})
        choose(page, language)
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(250)
        if at:
            page.get_by_test_id(at).first.evaluate("(one) => one.scrollIntoView({ block: 'center' })")
        page.screenshot(path=folder / f"{name}-{language}-{width}.png")
        if page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
            wide.append(f"{name} {language} {width}")
    return wide


def choose(page: Page, language: str) -> None:
    """Sets the page's language by its switch."""
    page.locator(f"select:has(option[value='{language}'][lang])").first.select_option(language, force=True)
    page.wait_for_function("(language) => document.documentElement.lang === language", arg=language)


@pytest.fixture(scope="module")
def folder(output: Path) -> Path:
    made = output / "screenshots"
    made.mkdir(exist_ok=True)
    return made


@pytest.mark.long
def test_every_page_can_be_pictured_in_every_language_and_width(
    demo: Demo, crowd: Crowd, folder: Path
) -> None:
    door = crowd.person(BLUE)
    page = door.page()
    page.goto(demo.seat("interpreter")["room_url"])
    page.get_by_test_id("consent-accept").wait_for()
    wide = picture_all(page, "door", folder)
    page.close()

    guests = [join(crowd.person(RED), demo, "referring_physician")]
    guests.append(join(door, demo, "interpreter"))
    chair = join(crowd.person(GREEN), demo, "consulting_physician")
    for guest in guests:
        probes.wait_for_colour(chair.page, guest.seat, guest.voice)
    wait_stored(chair, 3)
    wide += picture_all(chair.page, "room", folder, languages=SIX)
    guests[0].page.get_by_test_id("seat-recording").click()
    wide += picture_all(guests[0].page, "room-seat-recording", folder, languages=SIX)
    chair.page.get_by_test_id("pause-recording").click()
    guests[1].page.locator("[data-testid=pause-banner][data-phase=paused]").wait_for()
    wide += picture_all(chair.page, "room-paused-chair", folder, languages=SIX)
    wide += picture_all(guests[1].page, "room-paused", folder)
    chair.page.get_by_test_id("resume-recording").click()
    wait_stored(chair, 1)
    end(chair)

    recording = decode.recordings(demo.data)[0]
    review = sign_in(crowd.people[0], demo, "reviewer")
    wide += picture_all(review, "worklist", folder)
    wait_ready(demo, review, recording)
    review.get_by_test_id("worklist-row").first.locator("a[href^='/cases/']").first.click()
    review.wait_for_url("**/cases/**")
    review.locator(f"a[href='/review/{recording}']").first.wait_for()
    wide += picture_all(review, "case", folder)
    review.goto(f"{demo.base_url}/review/{recording}")
    review.get_by_test_id("review-play").click()
    review.wait_for_timeout(1500)
    wide += picture_all(review, "review", folder, languages=SIX)
    assert not wide, wide
    for person in crowd.people:
        assert not [line for line in person.console if line.startswith("uncaught:")]
