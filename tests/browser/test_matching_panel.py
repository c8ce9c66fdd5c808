"""The coordinator's panel: a real front and books, one Chromium; no room, no media."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from server.services.demo import CASE_ID
from server.storage.schema import cases
from server.storage.schema_casework import referral_versions
from tests.support.browsers import CHROMIUM
from tests.support.website import Website, website

pytestmark = [pytest.mark.browser, pytest.mark.pages]

WHOLE = (
    "Right knee gives way. ACL tear and torn meniscus after a fall 6 weeks ago. MRI 2026-11-02. "
    "Is arthroscopic reconstruction indicated?"
)


@contextlib.asynccontextmanager
async def case_page(site: Website, question: str) -> AsyncIterator[Page]:
    """The demo's case, asking this, before a coordinator."""
    async with site.database.write() as tx:
        # As a case of before there were forms: its question is all there is.
        await tx.execute(referral_versions.delete().where(referral_versions.c.case_id == CASE_ID))
        await tx.execute(cases.update().where(cases.c.id == CASE_ID).values(question=question))
    cookies = (await site.signed_in("coordinator")).cookies()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--disable-gpu"])
        try:
            context = await browser.new_context(locale="en", viewport={"width": 1440, "height": 900})
            context.set_default_timeout(20_000)
            await context.add_cookies(
                [{"name": name, "value": value, "url": site.address} for name, value in cookies.items()]
            )
            page = await context.new_page()
            await page.goto(f"{site.address}/cases/{CASE_ID}")
            await page.get_by_test_id("match").wait_for()
            yield page
        finally:
            await browser.close()


async def picture(page: Page, name: str, output: Path) -> list[str]:
    """Saved in three languages, wide and narrow; those in which something sticks out."""
    folder = output / "screenshots"
    folder.mkdir(exist_ok=True)
    wide = []
    for language, width in (("ko", 390), ("ru", 390), ("ru", 1440), ("en", 1440)):
        await page.set_viewport_size({"width": width, "height": 900})
        switch = page.locator(f"select:has(option[value='{language}'][lang])").first
        await switch.select_option(language, force=True)
        await page.wait_for_function("(code) => document.documentElement.lang === code", arg=language)
        panel = page.get_by_test_id("match")
        await panel.screenshot(path=folder / f"{name}-{language}-{width}.png")
        text = await panel.inner_text()
        assert "match-" not in text, "a message that no catalogue has"
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
            wide.append(f"{name} {language} {width}")
    return wide


async def test_a_coordinator_reads_why_takes_another_with_a_reason_and_sees_it_decided(
    tmp_path: Path, output: Path
) -> None:
    async with website(tmp_path / "data") as site, case_page(site, WHOLE) as page:
        await page.get_by_test_id("match-propose").click()
        rows = page.get_by_test_id("match-row")
        await rows.nth(1).wait_for()
        reasons = await rows.first.locator("[data-message]").evaluate_all(
            "(all) => all.map((one) => one.dataset.message)"
        )
        assert {"match-reason-condition", "match-reason-sub-specialty", "match-reason-load"} <= set(reasons)
        assert await picture(page, "match", output) == []

        second = await rows.nth(1).get_attribute("data-department")
        await page.get_by_test_id("match-choose").first.click()
        assert await page.get_by_test_id("match-override").is_disabled()
        # The form opens with the keyboard at its question; a wish needs no note, "another reason" does.
        assert await page.evaluate("document.activeElement.dataset.testid") == "match-reason"
        await page.get_by_test_id("match-reason").select_option("other")
        assert await page.get_by_test_id("match-override").is_disabled()
        await page.get_by_test_id("match-note").fill("asked for by telephone")
        async with page.expect_response(f"**/api/cases/{CASE_ID}/referral"):  # whose state it moves
            await page.get_by_test_id("match-override").click()
        done = page.get_by_test_id("match-decided")
        await done.wait_for()
        assert await done.get_attribute("data-department") == second
        assert await page.get_by_test_id("match-accept").count() == 0
        assert await picture(page, "match-decided", output) == []


async def test_an_incomplete_one_says_what_to_ask_for_and_offers_nothing(
    tmp_path: Path, output: Path
) -> None:
    async with website(tmp_path / "data") as site, case_page(site, "ACL tear, cauda equina?") as page:
        await page.get_by_test_id("match-propose").click()
        lacks = page.locator("[data-testid=match-missing] [data-missing]")
        await lacks.first.wait_for()
        missing = await lacks.evaluate_all("(all) => all.map((one) => one.dataset.missing)")
        assert missing == ["course", "evidence"]
        assert await page.get_by_test_id("match-red").count() == 1
        assert await page.get_by_test_id("match-accept").count() == 0
        assert await page.get_by_test_id("match-choose").count() == 0
        assert await picture(page, "match-incomplete", output) == []
