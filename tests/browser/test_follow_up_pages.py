"""What pages say of a patient's word: lanes kept back, files for teaching, what is asked anew at a door."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from server.services.demo import ALMATY, SEOUL
from tests.browser.test_consents_pages import DESK, PHONE, chromium, opened, spoken
from tests.integration.exporting_rig import ExportsRig
from tests.integration.test_asked_anew import another_hospital
from tests.support.followed import OTHERS, PATIENTS, patient_sits, says
from tests.support.journals import RECORDING
from tests.support.website import website

pytestmark = [pytest.mark.browser, pytest.mark.long]


async def reviewing(browser: Browser, rig: ExportsRig, size: dict[str, int] = DESK) -> Page:
    who = await rig.profile("acc-reviewer", ("reviewer",), "follows")
    context = await browser.new_context(viewport=size)  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    await context.add_cookies([{"name": "session", "value": who.secret, "url": rig.base}])
    page = await context.new_page()
    await page.goto(f"{rig.base}/review/{RECORDING}")
    return page


async def pictured(page: Page, name: str, folder: Path) -> None:
    for language, size in (("ko", PHONE), ("ru", PHONE), ("kk", PHONE), ("en", DESK)):
        await page.set_viewport_size(size)  # type: ignore[arg-type]
        await spoken(page, language)
        await page.screenshot(path=folder / f"{name}-{language}-{size['width']}.png", full_page=True)
        wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
        assert not wide, (name, language)


async def test_a_reviewer_is_told_whose_lanes_are_kept_back_and_plays_the_others(tmp_path: Path) -> None:
    rig = await ExportsRig().open(tmp_path, seconds=2.0)
    try:
        await patient_sits(rig.services)
        await says(rig.services, "declined")
        async with chromium() as browser:
            page = await reviewing(browser, rig)
            await page.get_by_test_id("review-play").wait_for()
            back = page.get_by_test_id("lane-withheld")
            told = await back.evaluate_all("(all) => all.map((one) => one.dataset.participant)")
            assert told == [PATIENTS], "said once, of voice and picture"
            assert await back.get_attribute("data-kinds") == "audio camera"
            lanes = page.get_by_test_id("lane")
            assert set(await lanes.evaluate_all("(all) => all.map((one) => one.dataset.participant)")) == {
                OTHERS
            }
            assert "Synthetic" in await page.get_by_test_id("review-withheld").inner_text()
    finally:
        await rig.close()


@pytest.mark.long
async def test_kept_back_lanes_and_files_for_teaching_are_looked_at(tmp_path: Path, output: Path) -> None:
    folder = output / "screenshots"
    folder.mkdir(exist_ok=True)
    rig = await ExportsRig().open(tmp_path, seconds=3.0)
    try:
        await patient_sits(rig.services)
        await says(rig.services, "declined")
        async with chromium() as browser:
            page = await reviewing(browser, rig)
            await page.get_by_test_id("lane-withheld").first.wait_for()
            await page.get_by_test_id("export-open").click()
            await page.get_by_test_id("export-teaching").wait_for()
            await pictured(page, "withheld", folder)
    finally:
        await rig.close()


@pytest.mark.long
async def test_who_stands_at_a_door_sees_another_hospital_and_another_rule_without_a_reload(
    tmp_path: Path, output: Path
) -> None:
    folder = output / "screenshots"
    folder.mkdir(exist_ok=True)
    async with website(tmp_path / "data", patient=True) as site, chromium() as browser:
        token = "#".join(site.seat("patient"))
        page = await opened(browser, site, f"/room/{token}", None, PHONE, "ru")
        await page.get_by_test_id("consent-accept").click()
        await page.get_by_test_id("consent-decided").wait_for()
        assert await page.get_by_test_id("asked-rule").count() == 0
        po = await site.signed_in("privacy_officer")
        pair = {"referring": ALMATY, "consulting": SEOUL, "version": 1}
        change = pair | {"seat_rule": "required", "legal_basis": "medical_personnel"}
        assert (await po.post("/api/policies", change)).status == 204
        await page.get_by_test_id("asked-rule").wait_for()
        await another_hospital(site)
        await page.get_by_test_id("consent-lacking").wait_for()
        assert "Third" in await page.get_by_test_id("asked-anew").inner_text()
        await pictured(page, "asked-anew", folder)
        await site.services.rooms.open_session(site.table.consultation_id, site.clock())
        policies = await opened(browser, site, "/policies", "privacy_officer", PHONE)
        await policies.get_by_test_id("policy-running").first.wait_for()
        await pictured(policies, "policies", folder)
        cut = await policies.locator(".choices label").evaluate_all(
            "(all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length"
        )
        assert cut == 0, "a rule is readable to its end on a phone"
