"""A case’s documents in a browser: over a cut line and a reload, and by whom they are not seen."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support import documents
from tests.support.browsers import Crowd
from tests.support.demo import Demo, until

pytestmark = [pytest.mark.browser, pytest.mark.pages]
SLOW_BYTES_S = 4_000_000


def opened(demo: Demo, context: BrowserContext, role: str) -> Page:
    """The demo's case, by somebody of a role."""
    account = demo.account(role)
    body = {"email": account["email"], "password": account["password"]}
    assert context.request.post(f"{demo.base_url}/api/sign-in", data=body).ok
    page = context.new_page()
    page.goto(f"{demo.base_url}/worklist")
    href = page.locator('a[href^="/cases/"]').first.get_attribute("href") or ""
    page.goto(demo.base_url + "/".join(href.split("/")[:3]))
    return page


def share(page: Page) -> float:
    """How much of the upload has gone, of 1."""
    return float(page.locator(".document-upload progress").evaluate("(bar) => bar.value"))


@pytest.mark.long
def test_an_upload_outlives_a_cut_line_a_pause_and_a_reload(demo: Demo, crowd: Crowd, tmp_path: Path) -> None:
    whole = documents.jpeg(600, 400) + bytes(range(256)) * 120_000  # what follows a picture is no harm
    (tmp_path / "picture.jpg").write_bytes(whole)
    person = crowd.person(language="ru", width=390)
    page = opened(demo, person.context, "referring_physician")
    page.get_by_test_id("documents-choose").set_input_files(tmp_path / "picture.jpg")
    wire = person.context.new_cdp_session(page)
    line = {"offline": False, "latency": 20, "downloadThroughput": -1, "uploadThroughput": SLOW_BYTES_S}
    wire.send("Network.enable")
    wire.send("Network.emulateNetworkConditions", line)
    page.get_by_test_id("documents-send").click()
    upload = page.get_by_test_id("upload")
    until("part of it is there", lambda: share(page) > 0.3)
    wire.send("Network.emulateNetworkConditions", line | {"offline": True})
    expect(upload).to_have_attribute("data-state", "line")
    expect(page.get_by_test_id("upload-state")).to_contain_text("Нет связи")
    wire.send("Network.emulateNetworkConditions", line)
    expect(upload).to_have_attribute("data-state", "sending")
    until("part of it is there", lambda: share(page) > 0.5)
    page.get_by_test_id("upload-pause").click()
    expect(upload).to_have_attribute("data-state", "paused")

    page.reload()
    expect(page.get_by_test_id("unfinished")).to_contain_text("Получено")
    (tmp_path / "other.jpg").write_bytes(documents.jpeg())
    page.get_by_test_id("document-resume").set_input_files(tmp_path / "other.jpg")
    expect(page.get_by_role("alert")).to_contain_text("не тот файл")
    sent: list[str] = []
    page.on(
        "request",
        lambda one: sent.append(one.headers.get("upload-offset", "")) if one.method == "PATCH" else None,
    )
    page.get_by_test_id("document-resume").set_input_files(tmp_path / "picture.jpg")
    row = page.get_by_test_id("document")
    expect(row).to_have_attribute("data-state", "ready", timeout=60_000)
    expect(row).to_have_count(1)
    assert int(sent[0]) > 0.2 * len(whole), "it went on, and did not begin again"
    case = page.url.rsplit("/", 1)[-1]
    told = page.request.get(f"{demo.base_url}/api/cases/{case}/documents").json()["documents"]
    assert [one["sha256"] for one in told] == [hashlib.sha256(whole).hexdigest()]


@pytest.mark.long
def test_an_interpreter_is_shown_no_documents_and_asks_for_none(demo: Demo, crowd: Crowd) -> None:
    person = crowd.person(language="ko")
    page = opened(demo, person.context, "interpreter")
    expect(page.locator("hj-referral").or_(page.get_by_role("alert"))).to_have_count(1)
    expect(page.get_by_test_id("documents")).to_have_count(0)
    assert not [url for url in person.urls if "documents" in url and "/api/" in url]
    case = page.url.rsplit("/", 1)[-1]
    assert page.request.get(f"{demo.base_url}/api/cases/{case}/documents").status == 403


def consented(demo: Demo, page: Page, decision: str) -> None:
    """The patient's word on the transfer abroad, as the consents' page sends it."""
    base = page.url.replace("/cases/", "/api/cases/") + "/consents"
    text = next(
        one
        for one in page.request.get(f"{base}/texts/ru").json()["texts"]
        if one["purpose"] == "transfer_abroad"
    )
    asked = {key: text[key] for key in ("purpose", "version", "sha256")} | {"decision": decision}
    body = {"language": "ru", "by": "patient", "name": "Пациент", "method": "typed", "decisions": [asked]}
    answer = page.request.post(base, data=body, headers={"Origin": demo.base_url})
    assert answer.status == 201, answer.text()


@pytest.mark.long
def test_a_hospital_sends_an_opinion_and_a_patient_takes_the_transfer_back(
    demo: Demo, crowd: Crowd, tmp_path: Path
) -> None:
    person = crowd.person(language="ko")
    (tmp_path / "opinion.pdf").write_bytes(documents.pdf())
    (tmp_path / "ct.pdf").write_bytes(documents.pdf(words=" /Lang (ru)"))
    kp = opened(demo, person.context, "consulting_physician")
    expect(kp.get_by_test_id("documents")).to_be_visible()
    kp.get_by_test_id("documents-choose").set_input_files(tmp_path / "opinion.pdf")
    kp.get_by_test_id("visibility-physicians").check()
    kp.get_by_test_id("documents-send").click()
    own = kp.get_by_test_id("document").filter(has_text="opinion.pdf")
    expect(own).to_have_attribute("data-state", "ready", timeout=60_000)
    expect(own.get_by_test_id("document-side")).to_have_text("자문 병원에서 보냄")
    expect(kp.get_by_test_id("documents-kept")).to_have_attribute("data-state", "kept")
    own.get_by_test_id("document-withdraw").click()
    expect(kp.get_by_test_id("document-form")).to_contain_text(
        "의뢰 병원이 이 파일을 이미 읽었을 수 있습니다"
    )
    kp.get_by_test_id("document-back").click()

    lp = opened(demo, person.profile("ru", 390), "referring_physician")
    theirs = lp.get_by_test_id("document").filter(has_text="opinion.pdf")
    expect(theirs.get_by_test_id("document-side")).to_have_text("От консультирующей больницы")
    expect(theirs.get_by_test_id("document-look")).to_be_visible()
    expect(theirs.get_by_test_id("document-change")).to_have_count(0)
    lp.get_by_test_id("documents-choose").set_input_files(tmp_path / "ct.pdf")
    lp.get_by_test_id("documents-send").click()
    sent = lp.get_by_test_id("document").filter(has_text="ct.pdf")
    expect(sent).to_have_attribute("data-state", "ready", timeout=60_000)

    consented(demo, lp, "granted")
    consented(demo, lp, "declined")
    kp.reload()
    closed = kp.get_by_test_id("document").filter(has_text="ct.pdf")
    expect(closed.get_by_test_id("document-closed")).to_be_visible()
    expect(closed.get_by_test_id("document-look")).to_have_count(0)
    expect(closed).not_to_contain_text("0쪽")
    expect(own.get_by_test_id("document-look")).to_be_visible()
    expect(kp.get_by_test_id("transfer-withdrawn")).to_be_visible()
    lp.reload()
    expect(lp.get_by_test_id("transfer-withdrawn")).to_contain_text("будет уничтожено")
    expect(sent.get_by_test_id("document-look")).to_be_visible()
    for page, name in ((kp, "ko-1440"), (lp, "ru-390")):
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name}: {wide} px too wide"
        page.get_by_test_id("documents").screenshot(path=tmp_path / f"{name}.png")


def test_an_operator_brings_a_document_from_the_worklist_and_reads_nothing_else_of_the_case(
    demo: Demo, crowd: Crowd, tmp_path: Path
) -> None:
    (tmp_path / "report.pdf").write_bytes(documents.pdf(1))
    page = opened(demo, crowd.person(language="ru", width=390).context, "site_operator")
    page.goto(f"{demo.base_url}/worklist")
    page.get_by_test_id("to-documents").first.click()
    page.wait_for_url("**/cases/*")
    page.get_by_test_id("documents-choose").set_input_files(tmp_path / "report.pdf")
    page.get_by_test_id("documents-send").click()
    expect(page.get_by_test_id("document")).to_have_attribute("data-state", "ready", timeout=60_000)
    expect(page.get_by_test_id("consents")).to_be_visible()
    assert page.get_by_test_id("referral").count() == 0
    assert page.get_by_role("alert").count() == 0
