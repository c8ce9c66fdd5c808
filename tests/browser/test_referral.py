"""A referral in a browser, on a telephone: asked back with reasons, saved as typed, returned, sent again."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from server.domain.patient import Person, facts
from server.domain.referral import Answer
from server.domain.referral_form import newest
from tests.support import documents
from tests.support.browsers import Crowd
from tests.support.demo import Demo, until
from tests.support.referrals import ADULT, whole

pytestmark = [pytest.mark.browser, pytest.mark.pages]
FORM = newest("orthopaedics")


def signed_in(demo: Demo, context: BrowserContext, role: str) -> Page:
    account = demo.account(role)
    body = {"email": account["email"], "password": account["password"]}
    assert context.request.post(f"{demo.base_url}/api/sign-in", data=body).ok
    return context.new_page()


def saved(page: Page) -> None:
    expect(page.get_by_test_id("save-state")).to_have_attribute("data-state", "saved")


def answer(page: Page, name: str, value: Answer) -> None:
    row = page.locator(f'[data-question="{name}"]')
    if isinstance(value, list):
        for one in value:
            row.locator(f'input[value="{one}"]').check()
    elif row.locator("select").count():
        row.locator("select").select_option(value)
    elif row.locator("input[type=radio]").count():
        row.locator(f'input[value="{value}"]').check()
    else:
        row.locator("textarea, input[type=text], input[type=date]").first.fill(value or "")


def fill(page: Page) -> None:
    """The form as a person would: from the top, what is asked then; what follows from answers appears."""
    answers, filled = whole(FORM, facts(ADULT, date(2026, 11, 26)), {"region": "knee"}), set[str]()
    while todo := [
        name
        for row in page.get_by_test_id("question").all()
        if (name := row.get_attribute("data-question") or "") in answers and name not in filled
    ]:
        for name in todo:
            answer(page, name, answers[name])
            filled.add(name)
        saved(page)


def register(page: Page, person: Person) -> None:
    page.get_by_test_id("name-latin").fill(person.names["latin"])
    page.get_by_test_id("name-cyrillic").fill(person.names["cyrillic"])
    page.get_by_test_id("birth-date").fill(person.birth_date)
    page.get_by_test_id("sex").select_option("male")
    page.get_by_test_id("nationality").select_option("KZ")
    page.get_by_test_id("speaks-kk").check()
    page.get_by_test_id("contact-phone").fill("+7 000 000 0100")


def begin(page: Page, demo: Demo) -> str:
    page.goto(f"{demo.base_url}/worklist")
    page.get_by_test_id("new-referral").click()
    page.locator('input[value="orthopaedics"]').check()
    page.get_by_test_id("begin-referral").click()
    page.wait_for_url(re.compile(r"/cases/.*/referral$"))
    return page.url.split("/")[-2]


OTHER = replace(
    ADULT, names={"latin": "Daniyar Synthetic", "cyrillic": "Данияр Синтетик"}, birth_date="1971-06-15"
)
THIN = {"offline": False, "latency": 300, "downloadThroughput": 50_000, "uploadThroughput": 25_000}
"""A telephone far from its mast: ms of round trip, bytes a second."""


@pytest.mark.parametrize("line", [None, pytest.param(THIN, marks=pytest.mark.long)], ids=["good", "300 ms"])
def test_a_referral_from_a_telephone_to_the_coordinator_and_back(
    demo: Demo, crowd: Crowd, line: dict[str, float] | None
) -> None:
    person = crowd.person(language="ru", width=390)
    page = signed_in(demo, person.context, "referring_physician")
    if line is not None:
        wire = person.context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.send("Network.emulateNetworkConditions", line)
    case = begin(page, demo)
    answer(page, "question", "боль")
    page.get_by_test_id("submit").click()
    missing = page.get_by_test_id("missing")
    expect(missing).to_be_focused()
    assert missing.locator("li").count() > 15
    expect(missing).to_contain_text("слишком коротко")
    missing.locator("a", has_text="Вопрос консультанту").click()
    expect(page.locator("#q-question")).to_be_focused()
    # of the same names and birthday in the same module it would be asked whether they are one
    register(page, ADULT if line is None else OTHER)
    fill(page)
    expect(page.get_by_test_id("open-questions")).to_have_attribute("data-open", "0")
    page.reload()
    expect(page.locator("#q-history")).not_to_have_value("")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing hangs over at 390 px"
    page.get_by_test_id("submit").click()
    page.wait_for_url(re.compile(rf"/cases/{case}$"))
    expect(page.get_by_test_id("case-state")).to_have_text("Отправлено")

    desk = person.profile("ko")
    coordinator = signed_in(demo, desk, "coordinator")
    coordinator.goto(f"{demo.base_url}/worklist")
    turn = coordinator.locator(f'[data-testid="turn"][data-case="{case}"]')
    expect(turn).to_have_attribute("data-why", "new")
    turn.locator("a").click()
    coordinator.get_by_test_id("act-return").click()
    coordinator.get_by_test_id("act-reason").select_option("documents")
    coordinator.locator(".act summary").click()
    coordinator.get_by_test_id("which-imaging_findings").check()
    coordinator.get_by_test_id("act-words").fill("The CD is empty.")
    coordinator.get_by_test_id("act-do").click()
    expect(coordinator.get_by_test_id("case-state")).to_have_text("반려됨")

    page.goto(f"{demo.base_url}/worklist")
    page.locator(f'[data-case="{case}"][data-why="returned"] a').click()
    expect(page.get_by_test_id("returned")).to_contain_text("The CD is empty.")
    page.get_by_test_id("returned").locator("li a").click()
    expect(page.locator("#q-imaging_findings")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type(" Sent again.")
    saved(page)
    page.get_by_test_id("submit").click()
    page.wait_for_url(re.compile(rf"/cases/{case}$"))
    expect(page.locator('[data-question="imaging_findings"]')).to_contain_text("Sent again.")
    assert person.errors() == []


def copies(page: Page) -> list[str]:
    """What of drafts lies in this browser."""
    entries: list[str] = page.evaluate(
        "Object.entries(localStorage).filter(([key]) => key.startsWith('hyeopjin.copy.')).map(String)"
    )
    return entries


@pytest.mark.long
def test_a_page_closed_without_a_line_loses_nothing_and_leaves_nothing(demo: Demo, crowd: Crowd) -> None:
    person = crowd.person(language="ru")
    context = person.context
    page = signed_in(demo, context, "referring_physician")
    begin(page, demo)
    expect(page.locator("#q-history")).to_be_visible()
    there = page.url
    context.set_offline(True)
    answer(page, "history", "Typed while the line was down")
    expect(page.get_by_test_id("save-state")).to_have_attribute("data-state", "failed")
    page.close()  # and asks nothing: the computer went off
    context.set_offline(False)
    page = context.new_page()
    page.goto(there)
    expect(page.locator("#q-history")).to_have_value("Typed while the line was down")
    saved(page)
    assert copies(page) == [], "the server has it"
    context.set_offline(True)
    answer(page, "onset", "Marked, and never sent")
    expect(page.get_by_test_id("save-state")).to_have_attribute("data-state", "failed")
    page.wait_for_function("Object.keys(localStorage).some((key) => key.startsWith('hyeopjin.copy.'))")
    assert "Marked" not in str(copies(page))
    context.set_offline(False)
    page.locator("hj-header button").click()
    page.wait_for_url(re.compile("/signin"))
    assert copies(page) == []


def test_what_two_change_of_one_referral_at_once_is_put_together_and_told(demo: Demo, crowd: Crowd) -> None:
    person = crowd.person(language="ru", width=390)
    page = signed_in(demo, person.context, "referring_physician")
    begin(page, demo)
    expect(page.locator("#q-history")).to_be_visible()
    other = person.context.new_page()
    other.goto(page.url)
    other.get_by_test_id("name-latin").fill("Theirs")
    until("their name is saved", lambda: other.evaluate("document.querySelector('hj-registration').isClean"))
    page.get_by_test_id("name-latin").fill("Mine")
    page.get_by_test_id("name-hangul").fill("모의")
    told = page.get_by_test_id("registration").get_by_role("alert")
    expect(told).to_contain_text("тем временем изменили")
    expect(page.get_by_test_id("name-latin")).to_have_value("Theirs")
    expect(page.get_by_test_id("name-hangul")).to_have_value("모의")
    page.get_by_test_id("name-cyrillic").fill("Их и моё")
    expect(told).to_have_count(0)

    answer(other, "wish", "video")
    saved(other)
    answer(page, "wish", "written")
    aside = page.get_by_test_id("aside")
    aside.wait_for()
    mine = page.locator('[data-question="wish"] label', has=page.locator('input[value="written"]'))
    expect(aside.locator(".said")).to_have_text(mine.inner_text())
    assert all("409" in line for line in person.errors())


def test_documents_are_sent_with_a_referral_and_a_study_of_somebody_else_is_noticed(
    demo: Demo, crowd: Crowd, tmp_path: Path
) -> None:
    (tmp_path / "letter.pdf").write_bytes(documents.pdf())
    (tmp_path / "study.zip").write_bytes(documents.zipped(documents.study(2)))
    person = crowd.person(language="ru", width=390)
    page = signed_in(demo, person.context, "referring_physician")
    begin(page, demo)
    register(page, ADULT)
    saved(page)
    page.get_by_test_id("documents-choose").set_input_files([tmp_path / "letter.pdf", tmp_path / "study.zip"])
    wanted = page.get_by_test_id("documents-wanted").locator("li")
    expect(wanted).to_have_count(2)
    page.get_by_test_id("visibility-physicians").check()
    page.get_by_test_id("documents-send").click()
    confirm = page.get_by_test_id("document-confirm")
    expect(confirm).to_have_attribute("data-differs", "name birth_date sex")
    expect(confirm).to_contain_text("TEST ALPHA")
    confirm.get_by_test_id("document-look").click()
    shown = page.get_by_test_id("page")
    expect(shown).to_have_attribute("data-page", "0")
    page.keyboard.press("End")
    expect(shown).to_have_attribute("data-page", "3")
    expect(page.get_by_test_id("page-series")).to_have_text("CT · Series 2 2 из 2")
    page.keyboard.press("Escape")
    confirm.get_by_test_id("document-another").click()
    expect(confirm).to_have_count(0)
    letter = page.locator('[data-testid="document"][data-state="ready"]')
    expect(letter.get_by_test_id("not-scanned")).to_be_visible()
    expect(page.locator('[data-testid="documents-wanted"] [data-there="true"]')).to_have_attribute(
        "data-kind", "report"
    )
    expect(letter.get_by_test_id("visibility")).to_have_text("Только врачи")
    expect(page.locator('[data-testid="document"][data-state="withdrawn"]')).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing hangs over at 390 px"
    assert person.errors() == []


def test_a_server_that_restarts_signs_nobody_out(demo: Demo, crowd: Crowd) -> None:
    page = signed_in(demo, crowd.person(language="ru").context, "coordinator")
    down = {"error": {"code": "not_ready"}}
    page.route("**/api/me", lambda route: route.fulfill(status=503, json=down))
    for path in ("/worklist", "/self-test", "/site-checks", "/security"):
        page.goto(f"{demo.base_url}{path}")
        expect(page.get_by_role("alert")).to_be_visible()
        assert page.url.endswith(path)
