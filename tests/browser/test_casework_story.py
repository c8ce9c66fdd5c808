"""One case through the pages: Almaty refers and is asked back twice, Seoul matches, an hour is found and
booked for today with its interpreter, consents in Russian and in Kazakh, a green self-test, the room entered
by all three, what is recorded of whom, and the recording played.

Everything is done on the pages; the books are only read, to see what was stored.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from server.domain.patient import facts
from server.domain.referral import Answer
from server.domain.referral_form import newest
from tests.browser.test_referral import answer, register, saved, signed_in
from tests.browser.test_review import play_from
from tests.support import decode, probes
from tests.support.browsers import NETWORK_FLAGS, Crowd, Person
from tests.support.demo import Demo, running, until
from tests.support.fakes import BLUE, GREEN, RED
from tests.support.referrals import ADULT, whole
from tests.support.selftest import open_test, steps_of, take_test, write_words
from tests.support.story import JOIN_TIMEOUT, Guest, end, wait_ready, wait_stored

pytestmark = [pytest.mark.browser, pytest.mark.long]

KNEE: dict[str, Answer] = {
    "question": "Is arthroscopic reconstruction of the anterior cruciate ligament of the right knee "
    "indicated, and what should be prepared before travel?",
    "history": "The right knee gives way since a fall at football 6 weeks ago; ACL tear and torn medial "
    "meniscus. A brace and exercises did not help; stairs and turning are not possible without a fall.",
    "imaging_findings": "MRI: complete ACL tear, tear of the medial meniscus. No fracture.",
    "region": "knee",
    "side": "right",
}


def asked_back(page: Page, demo: Demo, case: str, reason: str, which: str, words: str) -> None:
    """The coordinator opens it from their worklist and sends it back."""
    page.goto(f"{demo.base_url}/worklist")
    page.locator(f'[data-testid="turn"][data-case="{case}"] a').click()
    page.get_by_test_id("act-return").click()
    page.get_by_test_id("act-reason").select_option(reason)
    page.locator(".act summary").click()
    page.get_by_test_id(f"which-{which}").check()
    page.get_by_test_id("act-words").fill(words)
    page.get_by_test_id("act-do").click()
    expect(page.get_by_test_id("referral")).to_have_attribute("data-state", "returned")


def sent_again(page: Page, demo: Demo, case: str, which: str, words: str, more: str) -> None:
    """Who referred is told why, and at which question; adds to the answer and sends it again."""
    page.goto(f"{demo.base_url}/worklist")
    page.locator(f'[data-case="{case}"][data-why="returned"] a').click()
    expect(page.get_by_test_id("returned")).to_contain_text(words)
    page.get_by_test_id("returned").locator("li a").click()
    expect(page.locator(f"#q-{which}")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type(more)
    saved(page)
    page.get_by_test_id("submit").click()
    page.wait_for_url(re.compile(rf"/cases/{case}$"))
    expect(page.locator(f'[data-question="{which}"]')).to_contain_text(more.strip())


def refer(page: Page, demo: Demo) -> str:
    """A whole referral, filled from the top and submitted; its case."""
    page.goto(f"{demo.base_url}/worklist")
    page.get_by_test_id("new-referral").click()
    page.locator('input[value="orthopaedics"]').check()
    page.get_by_test_id("begin-referral").click()
    page.wait_for_url(re.compile(r"/cases/.*/referral$"))
    case = page.url.split("/")[-2]
    register(page, ADULT)
    page.get_by_test_id("speaks-ru").check()
    answers = whole(newest("orthopaedics"), facts(ADULT, date(2026, 11, 26)), dict(KNEE))
    filled = set[str]()
    while todo := [
        name
        for row in page.get_by_test_id("question").all()
        if (name := row.get_attribute("data-question") or "") in answers and name not in filled
    ]:
        for name in todo:
            answer(page, name, answers[name])
            filled.add(name)
        saved(page)
    expect(page.get_by_test_id("open-questions")).to_have_attribute("data-open", "0")
    page.get_by_test_id("submit").click()
    page.wait_for_url(re.compile(rf"/cases/{case}$"))
    return case


def matched(page: Page, demo: Demo, case: str) -> None:
    page.goto(f"{demo.base_url}/worklist")
    page.locator(f'[data-testid="turn"][data-case="{case}"] a').click()
    page.get_by_test_id("match-propose").click()
    first = page.get_by_test_id("match-row").first
    first.wait_for()
    assert first.locator("[data-message]").count() >= 3, "why, in words"
    page.get_by_test_id("match-accept").click()
    page.get_by_test_id("match-decided").wait_for()
    expect(page.get_by_test_id("referral")).to_have_attribute("data-state", "matched")


def booked(page: Page) -> str:
    """From the case's page, for today, in a quarter of an hour, whatever the clock says; its consultation."""
    page.get_by_test_id("to-schedule").click()
    page.get_by_test_id("schedule-urgent").check()
    page.get_by_test_id("schedule-find").click()
    slot = page.get_by_test_id("slot").first
    slot.wait_for()
    zones = [one.get_attribute("data-zone") for one in slot.get_by_test_id("clock").all()]
    assert zones == ["Asia/Almaty", "Asia/Seoul"]
    for one in ("Vera Demo-Kim", "Video room 1", "Studio A"):
        expect(slot).to_contain_text(one)
    slot.get_by_test_id("slot-book").click()
    expect(slot.get_by_test_id("book-side")).to_be_focused()
    slot.get_by_test_id("book-reason").select_option("emergency")
    slot.get_by_test_id("book-confirm").click()
    page.get_by_test_id("schedule-done").wait_for()
    hour = page.locator("[data-testid=hour][data-state=scheduled]")
    return hour.get_attribute("data-consultation") or ""


def in_worklist(page: Page, demo: Demo, consultation: str) -> Locator:
    page.goto(f"{demo.base_url}/worklist")
    row = page.locator(f'[data-testid="worklist-row"][data-consultation="{consultation}"]')
    row.wait_for()
    return row


def consent(page: Page, language: str, purposes: tuple[str, ...], witness: str = "") -> None:
    """The patient's yes to these, in this language: by a typed name, or read aloud before a witness."""
    page.get_by_test_id("consent-language").select_option(language)
    for purpose in purposes:
        question = page.locator(f"[data-testid='consent-question'][data-purpose='{purpose}']")
        question.locator(f".consent-answers[lang={language}]").get_by_test_id("consent-granted").click()
    page.get_by_test_id("consent-name").fill(ADULT.names["cyrillic"])
    page.get_by_test_id("consent-way-read_aloud" if witness else "consent-way-typed").check()
    if witness:
        page.get_by_test_id("consent-witness-name").fill(witness)
    page.get_by_test_id("consent-keep").click()
    page.get_by_test_id("consent-kept").wait_for()


def lacking(page: Page) -> str:
    return page.get_by_test_id("consents-missing").get_attribute("data-missing") or ""


def enter(
    person: Person, page: Page, row: Locator, role: str, *, beside: bool = False, recorded: bool = True
) -> Guest:
    """Into the room by the worklist's button. `beside`: the patient sits here too; `recorded`: they agree."""
    row.get_by_test_id("worklist-join").click()
    page.wait_for_url("**/room/**")
    if beside:
        page.get_by_test_id("persons-patient").click()
        page.get_by_test_id("person-patient").wait_for()
    page.get_by_test_id("consent-accept" if recorded else "consent-decline").click()
    page.get_by_test_id("consent-decided").wait_for()
    assert page.get_by_test_id("consent-lacking").count() == 0, "everything needed was agreed to"
    page.get_by_test_id("join").click()
    page.locator("[data-testid=tile]").first.wait_for(timeout=JOIN_TIMEOUT)
    return Guest(person, page, role, page.url.split("#")[0].rstrip("/").rsplit("/", 1)[1])


def talk(guests: list[Guest], recorded: list[Guest]) -> None:
    """Everybody sees and hears everybody, and the store goes on."""
    for guest in guests:
        for other in guests:
            if other is not guest:
                probes.wait_for_colour(guest.page, other.seat, other.voice)
                probes.wait_for_tone(guest.page, other.seat, other.voice)
    for guest in recorded:
        wait_stored(guest, 2)


def heard(page: Page, guest: Guest) -> bool:
    return probes.heard_review(page, guest.seat) == {guest.voice.name}


def reviewed(page: Page, demo: Demo, consultation: str, recorded: list[Guest]) -> str:
    """From the worklist to the review page: these lanes and no others, played; the recording."""
    row = in_worklist(page, demo, consultation)
    expect(row).to_have_attribute("data-state", "ended")
    expect(row.get_by_test_id("recording-row")).to_have_count(1)
    recording = decode.recordings(demo.data)[0]
    wait_ready(demo, page, recording)
    row = in_worklist(page, demo, consultation)
    row.get_by_test_id("recording-review").click()
    page.wait_for_url(f"**/review/{recording}")
    page.get_by_test_id("review-play").wait_for()
    lanes = {one.get_attribute("data-participant") for one in page.get_by_test_id("lane").all()}
    assert lanes == {guest.seat for guest in recorded}
    tracks = page.request.get(f"{demo.base_url}/api/recordings/{recording}").json()["tracks"]
    present = [one["present"][0] for one in tracks if one["kind"] == "camera"]
    play_from(page, max(begins for begins, _ in present) + 200)
    for guest in recorded:
        until(f"{guest.voice.name} heard", functools.partial(heard, page, guest), 8)
    return recording


def stands(page: Page, demo: Demo, case: str, state: str) -> None:
    """What the coordinator reads of the case."""

    def read() -> bool:
        page.goto(f"{demo.base_url}/cases/{case}")
        return page.get_by_test_id("case-state").inner_text() == state

    until(f"the case is {state}", read, 10, 0.5)


def self_tested(operator: Page, demo: Demo, consultation: str) -> None:
    """The site's self-test, from the worklist to its green mark beside the hour."""
    operator.goto(f"{demo.base_url}/worklist")
    operator.get_by_test_id("to-own-test").click()
    operator.get_by_test_id("self-test-device").wait_for()
    open_test(operator, demo, "Video room 1")
    take_test(operator)
    found = steps_of(operator)
    other = {step: row for step, row in found.items() if row["verdict"] != "green"}
    assert other == {}
    ready = in_worklist(operator, demo, consultation).get_by_test_id("readiness")
    ready.locator("[data-verdict=green]").wait_for()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running(tmp_path_factory.mktemp("demo"), {"HYEOPJIN_SELF_TEST_LINE_S": "10"}) as started:
        yield started


def test_a_case_goes_from_its_referral_to_its_recording(demo: Demo, crowd: Crowd, tmp_path: Path) -> None:
    almaty, seoul = crowd.person(RED, "ru"), crowd.person(GREEN, "ko")
    referring = signed_in(demo, almaty.context, "referring_physician")
    coordinator = signed_in(demo, seoul.profile("ko"), "coordinator")

    case = refer(referring, demo)
    for reason, which, said, more in (
        ("documents", "imaging_findings", "The CD is empty.", " Sent again on paper."),
        ("unclear", "history", "Since when exactly?", " Since 15 October 2026."),
    ):
        asked_back(coordinator, demo, case, reason, which, said)
        sent_again(referring, demo, case, which, said, more)
    expect(referring.get_by_test_id("versions").locator("option")).to_have_count(3)

    matched(coordinator, demo, case)
    consultation = booked(coordinator)

    words = write_words(tmp_path / "words.wav", 0.25)
    flags = (*NETWORK_FLAGS, f"--use-file-for-fake-audio-capture={words}")
    clinic = crowd.person(None, "ru", flags=flags)
    operator = signed_in(demo, clinic.context, "site_operator")
    in_worklist(operator, demo, consultation).get_by_test_id("to-consents").click()
    consent(operator, "ru", ("consultation", "transfer_abroad"))
    assert lacking(operator) == "recording"
    consent(operator, "kk", ("recording",), witness="Куәгер (synthetic)")
    assert lacking(operator) == "recording", "nobody has witnessed it yet"
    in_worklist(referring, demo, consultation).get_by_test_id("to-consents").click()
    referring.get_by_test_id("consent-witness").click()
    expect(referring.get_by_test_id("consents-missing")).to_have_attribute("data-missing", "")
    stands(coordinator, demo, case, "준비 완료")

    self_tested(operator, demo, consultation)
    assert clinic.errors() == []
    clinic.close()
    crowd.people.remove(clinic)

    interpreter = crowd.person(BLUE, "ru")
    first = enter(
        almaty, referring, in_worklist(referring, demo, consultation), "referring_physician", beside=True
    )
    page = signed_in(demo, seoul.context, "consulting_physician")
    row = in_worklist(page, demo, consultation)
    second = enter(seoul, page, row, "consulting_physician", recorded=False)
    between = signed_in(demo, interpreter.context, "interpreter")
    third = enter(interpreter, between, in_worklist(between, demo, consultation), "interpreter")
    talk([first, second, third], [first, third])
    stands(coordinator, demo, case, "진행 중")
    end(second)
    for guest in (first, third):
        guest.page.get_by_test_id("over").wait_for(timeout=15_000)
    stands(coordinator, demo, case, "자문 종료")
    recording = reviewed(page, demo, consultation, [first, third])
    contents = decode.decode_segments(demo.data, recording)
    assert contents.pop(second.seat, decode.Content()).packets == 0, "who declined is nowhere"
    assert contents[first.seat].names() == {RED.name}, "the patient agreed, in two languages"
    assert contents[third.seat].names() == {BLUE.name}, "the interpreter is on it"
    assert almaty.errors() + seoul.errors() + interpreter.errors() == []
