"""A demo with something in every list of the casework pages, put there over HTTP by those who would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from server.domain.self_test import STEPS
from server.domain.task import month_before
from server.services.demo import ALMATY, CASE_ID
from tests.integration.test_consents_web import BASE as CONSENTS
from tests.integration.test_consents_web import asked
from tests.integration.test_people import LICENCE, PERSON
from tests.integration.test_referral_web import begun, filled, submitted
from tests.support import documents
from tests.support.demo import Demo
from tests.support.uploads import uploaded
from tests.support.website import Browser
from tests.unit.test_self_test import GOOD

TERM = {"ko": "반월상 연골", "ru": "мениск", "en": "meniscus"}


@dataclass(frozen=True)
class Furnished:
    """`asked_back`, `new`, `draft`: cases in these states; `person`: invited, with a licence to be seen;
    `my`: the address of the patient's own page."""

    asked_back: str
    new: str
    draft: str
    person: str
    my: str


def furnish(demo: Demo) -> Furnished:
    """On a thread of its own: a browser that is driven has a loop on this one."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, _furnish(demo)).result()


@asynccontextmanager
async def _by(demo: Demo, role: str) -> AsyncIterator[Browser]:
    browser, account = Browser(demo.base_url, None), demo.account(role)
    try:
        signing_in = {"email": account["email"], "password": account["password"]}
        assert (await browser.post("/api/sign-in", signing_in)).status == 200
        yield browser
    finally:
        await browser.close()


async def _done(browser: Browser, path: str, body: object = None) -> dict[str, str]:
    answer = await browser.post(path, body)
    assert answer.status < 300, (path, answer.text)
    return answer.json or {}


async def _furnish(demo: Demo) -> Furnished:
    async with (
        _by(demo, "referring_physician") as lp,
        _by(demo, "site_operator") as lo,
        _by(demo, "coordinator") as kc,
        _by(demo, "programme_admin") as admin,
        _by(demo, "privacy_officer") as officer,
    ):
        cases = await _refer(lp, kc)
        await _talk_about(lp, lo, kc)
        await _bring(lp)
        test = await _done(lo, "/api/self-tests", {"device": "Video room 1"})
        for step in STEPS:
            bad = {"speech_db": -70.0} if step == "microphone" else {}
            await _done(lo, f"/api/self-tests/{test['id']}/steps/{step}", {**GOOD[step], **bad})
        made = await _done(admin, f"/api/sites/{ALMATY}/people", PERSON)
        await _done(admin, f"/api/people/{made['id']}/licence", LICENCE)
        now_ms = round(datetime.now(UTC).timestamp() * 1000)
        for month in (month_before(now_ms), datetime.now(UTC).strftime("%Y-%m")):
            await _done(officer, "/api/audit/reviews", {"month": month})
        reason = "A synthetic emergency: the patient asks for what was agreed to, and nobody else is here."
        await _done(officer, "/api/break-glass", {"case": "DEMO-0001", "reason": reason})
        my = await _done(lp, f"{CONSENTS}/code")
    return Furnished(*cases, person=made["id"], my=my["url"])


async def _refer(lp: Browser, kc: Browser) -> tuple[str, str, str]:
    """Of one patient: asked back, new, a draft."""
    first = await begun(lp)
    assert (await submitted(lp, first, await filled(lp, first))).status == 201
    why = {"reason": "documents", "questions": ["imaging_findings", "history"], "words": "The CD is empty."}
    await _done(kc, f"/api/cases/{first}/return", {"number": 1, **why})
    patient = (await lp.get(f"/api/cases/{first}/draft")).json["patient"]["id"]
    body = {"specialty": "orthopaedics", "patient": patient}
    new = (await _done(lp, "/api/cases", body))["id"]
    assert (await submitted(lp, new, await filled(lp, new))).status == 201
    return first, new, await begun(lp, "oncology")


async def _talk_about(lp: Browser, lo: Browser, kc: Browser) -> None:
    """Consents of every kind, an hour ahead and one that was called off."""
    first = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    wish = {"from": first, "days": 14, "minutes": 60}
    for n in range(2):
        slots = (await kc.post(f"/api/cases/{CASE_ID}/slots", wish)).json["slots"]
        hour = {"request": f"furnished-{n}", "starts_at_ms": slots[0]["starts_at_ms"], "minutes": 60}
        booked = await _done(kc, f"/api/cases/{CASE_ID}/consultations", hour)
        if n == 0:
            why = {"request": "furnished-off", "side": "patient", "reason": "travel"}
            await _done(kc, f"/api/consultations/{booked['consultation']}/cancel", why)
    await _done(lp, CONSENTS, await asked(lp, "granted", "consultation", "transfer_abroad"))
    await _done(lp, CONSENTS, await asked(lp, "declined", "teaching"))
    aloud = await asked(lo, "granted", "recording", method="read_aloud", witness="Куәгер (synthetic)")
    await _done(lo, CONSENTS, aloud)
    await _done(kc, f"/api/cases/{CASE_ID}/glossary", {"texts": TERM})


async def _bring(lp: Browser) -> None:
    """A report, and a study that names somebody."""
    ids = [
        await uploaded(lp, documents.pdf(3), name="report.pdf"),
        await uploaded(lp, documents.dicom(), name="knee.dcm", kind="imaging"),
        await uploaded(lp, b"no document at all", name="note.txt"),
    ]
    for _ in range(200):
        states = [
            (await lp.get(f"/api/cases/{CASE_ID}/documents/{one}")).json.get("state", "gone") for one in ids
        ]
        if not {"uploading", "checking"} & set(states):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(states)
