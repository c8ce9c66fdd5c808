"""Consents in the browser: asked on a phone, drawn, taken back by the patient; the rule between two sites.

A real front and books, one Chromium; no room, no media.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

from server.services.demo import ALMATY, CASE_ID
from server.storage.schema import case_people, seats
from tests.support.browsers import CHROMIUM
from tests.support.website import Website, website

pytestmark = [pytest.mark.browser, pytest.mark.pages]

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--disable-gpu"])
        try:
            yield browser
        finally:
            await browser.close()


async def opened(
    browser: Browser, site: Website, path: str, role: str | None, size: dict[str, int], locale: str = "en"
) -> Page:
    """A page of a profile of its own; `role` None: nobody is signed in."""
    context = await browser.new_context(locale=locale, viewport=size, has_touch=size is PHONE)  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    if role is not None:
        cookies = (await site.signed_in(role)).cookies()
        await context.add_cookies(
            [{"name": name, "value": value, "url": site.address} for name, value in cookies.items()]
        )
    page = await context.new_page()
    await page.goto(f"{site.address}{path}")
    return page


async def spoken(page: Page, language: str) -> None:
    await page.get_by_test_id("language").select_option(language)
    await page.wait_for_function("(code) => document.documentElement.lang === code", arg=language)


async def states(page: Page) -> dict[str, str]:
    found = page.get_by_test_id("consent-state")
    return dict(
        await found.evaluate_all("(all) => all.map((one) => [one.dataset.purpose, one.dataset.state])")
    )


async def drawn(page: Page) -> None:
    """A name of a few strokes in the box."""
    box = page.get_by_test_id("signature")
    await box.scroll_into_view_if_needed()
    place = await box.bounding_box()
    assert place is not None
    await page.mouse.move(place["x"] + 20, place["y"] + 40)
    await page.mouse.down()
    for at in range(1, 8):
        await page.mouse.move(place["x"] + 20 + 30 * at, place["y"] + (20 if at % 2 else 90))
    await page.mouse.up()


async def answer(page: Page, said: dict[str, str]) -> None:
    for purpose, word in said.items():
        question = page.locator(f"[data-testid='consent-question'][data-purpose='{purpose}']")
        await question.get_by_test_id(f"consent-{word}").click()


async def test_a_transfer_to_nobody_cannot_be_agreed_to_and_the_page_says_when(tmp_path: Path) -> None:
    async with website(tmp_path / "data", patient=True) as site, chromium() as browser:
        async with site.database.write() as tx:  # as before a hospital was chosen
            await tx.execute(case_people.delete().where(case_people.c.relation == "invited"))
            await tx.execute(seats.update().values(site_id=ALMATY))
        page = await opened(browser, site, f"/cases/{CASE_ID}/consents", "site_operator", PHONE)
        question = page.locator("[data-testid='consent-question'][data-purpose='transfer_abroad']")
        await question.get_by_test_id("consent-nobody-yet").wait_for()
        assert await question.get_by_test_id("consent-granted").count() == 0
        assert await question.get_by_test_id("consent-declined").count() == 1
        assert await page.get_by_test_id("consent-nobody-yet").count() == 1, "others can be asked"


async def test_a_patient_answers_on_a_phone_and_takes_it_back_by_their_own_code(tmp_path: Path) -> None:
    async with website(tmp_path / "data", patient=True) as site, chromium() as browser:
        page = await opened(browser, site, f"/cases/{CASE_ID}/consents", "site_operator", PHONE)
        await page.get_by_test_id("consent-question").first.wait_for()
        assert await page.get_by_test_id("consent-language").input_value() == "ru", "the patient's"
        text = page.locator("[data-testid='consent-text'][data-purpose='transfer_abroad']")
        assert "Республика Корея" in await text.inner_text()
        yes = {"consultation": "granted", "recording": "granted", "transfer_abroad": "granted"}
        await answer(page, yes | {"teaching": "declined"})
        await page.get_by_test_id("consent-name").fill("Пациент")
        await page.get_by_test_id("consent-way-drawn").check()
        await drawn(page)
        await page.get_by_test_id("consent-keep").click()
        await page.get_by_test_id("consent-kept").wait_for()
        assert await page.get_by_test_id("consents-missing").get_attribute("data-missing") == ""
        assert await states(page) == yes | {"follow_up_review": "undecided", "teaching": "declined"}
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.get_by_test_id("give-code").click()
        code = await page.get_by_test_id("patients-code").inner_text()

        own = await opened(browser, site, f"/my#{code}", None, PHONE, "ru")
        recording = own.locator("[data-testid='consent-state'][data-purpose='recording']")
        await recording.get_by_test_id("my-withdraw").click()
        assert "#" not in own.url, "the code is not left in the address"
        await recording.get_by_test_id("my-withdraw-sure").click()
        await own.get_by_test_id("my-withdrawn").wait_for()
        assert (await states(own))["recording"] == "withdrawn"
        assert await own.get_by_test_id("my-look").count() > 0


@pytest.mark.long
async def test_consents_are_looked_at_in_three_languages_wide_and_narrow(
    tmp_path: Path, output: Path
) -> None:
    folder = output / "screenshots"
    folder.mkdir(exist_ok=True)
    async with website(tmp_path / "data", patient=True) as site, chromium() as browser:
        page = await opened(browser, site, f"/cases/{CASE_ID}/consents", "referring_physician", DESK)
        await page.get_by_test_id("consent-question").first.wait_for()
        await answer(page, {"consultation": "granted", "recording": "granted", "transfer_abroad": "declined"})
        await page.get_by_test_id("consent-name").fill("Synthetic")
        await page.get_by_test_id("consent-way-read_aloud").check()
        await page.get_by_test_id("consent-witness-name").fill("Witness (synthetic)")
        await page.get_by_test_id("consent-keep").click()
        await page.get_by_test_id("consent-kept").wait_for()
        assert (await states(page))["recording"] == "unwitnessed"
        await page.get_by_test_id("give-code").click()
        code = await page.get_by_test_id("patients-code").inner_text()
        await page.locator("[data-purpose='recording'] summary").first.click()
        await page.locator("[data-testid='consents'] [data-testid='consent-text']").first.wait_for()
        await answer(page, {"teaching": "declined"})
        own = await opened(browser, site, f"/my#{code}", None, PHONE, "ru")
        await own.get_by_test_id("my-look").first.wait_for()
        policies = await opened(browser, site, "/policies", "privacy_officer", DESK)
        await policies.get_by_test_id("seat-rule").first.locator("[value=required]").check()
        await policies.get_by_test_id("policy-keep").first.click()
        await policies.locator("[data-rule='required']").wait_for()
        case = await opened(browser, site, f"/cases/{CASE_ID}", "consulting_physician", DESK)
        await case.get_by_test_id("consents-missing").wait_for()
        token = "#".join(site.seat("patient"))
        door = await opened(browser, site, f"/room/{token}", None, PHONE, "ru")
        await door.locator("[data-testid='seat-texts'][open]").wait_for()
        for name, one in (
            ("consents", page),
            ("my", own),
            ("policies", policies),
            ("case", case),
            ("door", door),
        ):
            for language, size in (("ko", PHONE), ("ru", PHONE), ("en", DESK)):
                await one.set_viewport_size(size)  # type: ignore[arg-type]
                await spoken(one, language)
                width = size["width"]
                await one.screenshot(path=folder / f"{name}-{language}-{width}.png", full_page=True)
                assert await one.evaluate("document.documentElement.scrollWidth <= innerWidth + 1"), name
                words = await one.locator("main").inner_text()
                assert "consent-" not in words, (name, language)
