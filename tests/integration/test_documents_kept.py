"""How long documents are kept, what keeps them longer, how they go; what a withdrawn transfer closes."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from server.commands.receipts import _verify
from server.domain.retention import DAY_MS
from server.runtime.document_destruction import DOCUMENT_STEPS
from server.services.demo import CASE_ID
from server.storage import audit, destructions, documents
from tests.integration.test_consents_web import BASE as CONSENTS
from tests.integration.test_consents_web import asked
from tests.integration.test_documents_seen import actions, cite, fetch, listed
from tests.support.demo import TOP
from tests.support.ending import Ending
from tests.support.s3 import s3_server
from tests.support.uploads import BASE, ByFirstBytes, brought, pdf, told
from tests.support.website import Browser, Website, website

YEARS = 5
LP, KP, KC = "referring_physician", "consulting_physician", "coordinator"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", decoder=ByFirstBytes()) as made:
        yield made


async def kept(browser: Browser) -> Any:
    return (await browser.get(BASE)).json["kept"]


async def to(site: Website, instant_ms: int) -> None:
    """Turn the clock; who was signed in before is not any more."""
    site.clock.ahead_ms += instant_ms - site.clock()


async def receipt(browser: Browser, number: int) -> Any:
    answer = await browser.get(f"/api/cases/{CASE_ID}/receipts/{number}")
    assert answer.status == 200, answer.text
    return answer.json


async def faults(site: Website) -> list[list[str]]:
    """What `hyeopjin receipts verify` finds wrong with each."""
    return [row["faults"] for row in await _verify(site.settings)]


async def test_documents_go_with_their_cases_period_and_not_a_moment_before(site: Website) -> None:
    lp, kp = await site.signed_in(LP), await site.signed_in(KP)
    ending = Ending(site.services.context)
    theirs, opinion = await brought(site, lp, pdf(500), name="Иванов.pdf"), await brought(site, kp, pdf(600))
    until = (await kept(lp))["until_ms"]
    assert until - site.clock() > YEARS * 365 * DAY_MS
    assert (await kept(kp))["until_ms"] == until
    await to(site, until - 1000)
    assert await ending.run() == []
    lp, kp = await site.signed_in(LP), await site.signed_in(KP)
    assert (await fetch(lp, theirs))[0] == 200
    assert (await kept(lp))["state"] == "warned"

    await to(site, until + 1)
    assert len(await ending.run()) == 1
    for document in (theirs, opinion):
        assert ending.keys.is_gone(CASE_ID, document)
        assert not (site.settings.documents_dir / document).exists()
        assert (await fetch(lp, document))[0] == 410
        assert (await fetch(kp, document))[0] == 410
    for row in [*await listed(lp), *await listed(kp)]:
        assert (row["state"], row["name"], row["may"]["look"]) == ("ended", "", False)
        assert row["ended_ms"] >= until
    signed = await receipt(await site.signed_in(LP), 1)
    payload = ending.receipts.all()[0].payload
    assert json.loads(json.dumps(signed))["payloadType"].endswith("destruction+json")
    assert (payload["kind"], payload["case"], payload["cause"]) == ("documents", CASE_ID, "expired")
    assert payload["reason"] == "period_findings"
    assert {one["document"] for one in payload["documents"]} == {theirs, opinion}
    assert {key["seat"] for key in payload["keys"]} == {theirs, opinion}
    assert all(key["fingerprint"] for key in payload["keys"])
    assert "Иванов" not in json.dumps(payload, ensure_ascii=False)
    assert await faults(site) == [[]]
    async with site.database.read() as tx:
        assert await audit.first_broken(tx) is None
        assert await documents.parts_of(tx, theirs) == []
    noted = [action for action, _ in await actions(site, CASE_ID) if action != "documents_listed"]
    assert noted[-2:] == ["documents_ended", "documents_destroyed"]
    assert await ending.run() == [], "nothing is left to go"


@pytest.mark.long
async def test_whatever_happens_in_a_case_keeps_its_documents_longer(site: Website) -> None:
    lp = await site.signed_in(LP)
    ending = Ending(site.services.context)
    await brought(site, lp, pdf(500))
    until = (await kept(lp))["until_ms"]
    await to(site, until - 30 * DAY_MS)
    lp = await site.signed_in(LP)
    later = await brought(site, lp, pdf(700))
    assert (await kept(lp))["until_ms"] > until + 4 * 365 * DAY_MS
    await to(site, until + 1)
    assert await ending.run() == []
    assert (await fetch(await site.signed_in(LP), later))[0] == 200


async def test_a_hold_keeps_documents_and_the_receipt_names_one_that_came_between(site: Website) -> None:
    lp = await site.signed_in(LP)
    ending = Ending(site.services.context)
    document = await brought(site, lp, pdf(500))
    hold = await ending.retention.hold(CASE_ID, "dispute", "officer", "")
    until = (await kept(lp))["until_ms"]
    await to(site, until + DAY_MS)
    assert await ending.run() == []
    assert (await kept(await site.signed_in(LP)))["state"] == "held"
    await ending.retention.lift(hold.id, "settled", "officer", "")
    assert await ending.retention.documents.expire(CASE_ID)
    second = await ending.retention.hold(CASE_ID, "authority", "officer", "")
    assert await ending.destroyer.run_waiting() == [], "asked for, and held before it began"
    assert (await fetch(await site.signed_in(LP), document))[0] == 200
    await ending.retention.lift(second.id, "mistake", "officer", "")
    assert len(await ending.destroyer.run_waiting()) == 1
    (given,) = ending.receipts.all()
    assert [one["hold"] for one in given.payload["held"]] == [second.id]
    assert await faults(site) == [[]]


@pytest.mark.long
async def test_what_happens_while_a_hold_delays_a_destruction_calls_it_off(site: Website) -> None:
    lp = await site.signed_in(LP)
    ending = Ending(site.services.context)
    document = await brought(site, lp, pdf(500))
    await to(site, (await kept(lp))["until_ms"] + 1)
    assert await ending.retention.documents.expire(CASE_ID)
    assert not await ending.retention.documents.expire(CASE_ID), "once"
    await brought(site, await site.signed_in(LP), pdf(700))
    assert await ending.destroyer.run_waiting() == []
    assert (await fetch(await site.signed_in(LP), document))[0] == 200
    async with site.database.read() as tx:
        assert await destructions.everything(tx) == []
    noted = [action for action, _ in await actions(site, CASE_ID) if action != "documents_listed"]
    assert noted[-2:] == ["documents_ended", "documents_kept"]


def steps(*short: str) -> list[object]:
    """Some of them in every run, all of them in the long one."""
    return [step if step in short else pytest.param(step, marks=pytest.mark.long) for step in DOCUMENT_STEPS]


@pytest.mark.parametrize("step", steps("books"))
async def test_a_sweep_killed_at_any_step_is_not_called_done_and_is_done_by_the_next(
    site: Website, step: str
) -> None:
    lp = await site.signed_in(LP)
    rows = [await brought(site, lp, pdf(500, seed)) for seed in range(2)]
    until = (await kept(lp))["until_ms"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.ending",
        str(site.settings.data_dir),
        step,
        str(until + 1),
        cwd=TOP,
    )
    assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
    await to(site, until + 60_000)
    async with site.database.read() as tx:
        assert [row.state for row in await destructions.everything(tx)] != [destructions.DONE]
        assert await audit.hashes_told(tx) == set()
    lp = await site.signed_in(LP)
    for document in rows:
        opened = (await fetch(lp, document))[0]
        assert opened == (200 if step == "begin" else 410), "from the plan on nobody opens them"
    ending = Ending(site.services.context)
    await ending.learn()
    assert len(await ending.destroyer.run_waiting()) == 1
    assert len(ending.receipts.all()) == 1
    assert await faults(site) == [[]]
    for document in rows:
        assert ending.keys.is_gone(CASE_ID, document)
        assert (await told(lp, document))["state"] == "ended"
    assert list(site.settings.documents_dir.iterdir()) == []


@pytest.mark.long
async def test_objects_go_from_the_object_store_and_a_store_that_is_away_is_waited_for(
    tmp_path: Path,
) -> None:
    with s3_server() as s3:
        bucket = s3.bucket("documents-test")
        async with website(tmp_path / "data", decoder=ByFirstBytes(), remote=bucket) as site:
            lp = await site.signed_in(LP)
            document = await brought(site, lp, pdf(300_000))
            assert site.documents is not None
            await site.documents.checks.moves.turn()
            assert len(bucket.listing("documents")) == 1
            ending = Ending(site.services.context, bucket)
            await to(site, (await kept(lp))["until_ms"] + 1)
            s3.stop()
            assert await ending.run() == []
            assert ending.keys.is_gone(CASE_ID, document), "the key waits for nobody"
            assert ending.receipts.all() == []
            await asyncio.to_thread(s3.start)
            again = Ending(site.services.context, bucket)
            assert len(await again.run()) == 1
            assert bucket.listing("documents") == []
            assert await faults(site) == [[]]


async def test_what_a_backup_brings_back_is_destroyed_again_and_the_books_learn_it(site: Website) -> None:
    lp = await site.signed_in(LP)
    document = await brought(site, lp, pdf(500))
    folder = site.settings.keys_dir / CASE_ID
    backup = {path.name: path.read_bytes() for path in folder.glob(f"{document}.*")}
    await to(site, (await kept(lp))["until_ms"] + 1)
    assert len(await Ending(site.services.context).run()) == 1
    (folder / f"{document}.destroyed").unlink()
    for name, content in backup.items():
        (folder / name).write_bytes(content)
    async with site.database.write() as tx:  # the books of before
        await tx.execute(text("DELETE FROM destructions"))
        await tx.execute(text("UPDATE documents SET state = 'ready', destroyed_ms = NULL"))
    ending = Ending(site.services.context)
    learned = await ending.learn()
    assert (learned.keys, learned.destructions) == (1, 1)
    assert not (folder / f"{document}.key").exists()
    assert len(await ending.destroyer.run_waiting()) == 1
    assert (await told(await site.signed_in(LP), document))["state"] == "ended"
    assert await faults(site) == [[]]
    assert len(ending.receipts.all()) == 1, "the same one"


# --- the consent to the transfer abroad --------------------------------------------------------------------


async def transfer(site: Website, decision: str) -> None:
    lp = await site.signed_in(LP)
    if decision == "withdrawn":
        answer = await lp.post(f"{CONSENTS}/withdraw", {"purpose": "transfer_abroad"})
        assert answer.status == 202, answer.text
        return
    answer = await lp.post(CONSENTS, await asked(lp, decision, "transfer_abroad"))
    assert answer.status == 201, answer.text


async def test_a_transfer_taken_back_closes_documents_abroad_at_once_and_ends_them_in_three_days(
    site: Website,
) -> None:
    await transfer(site, "granted")
    lp, kp, kc = await site.signed_in(LP), await site.signed_in(KP), await site.signed_in(KC)
    abroad, inside = await brought(site, lp, pdf(500)), await brought(site, lp, pdf(600), visibility="site")
    once = await brought(site, lp, pdf(700))
    await cite(site, 1)
    assert (await lp.post(f"{BASE}/{once}/change", {"visibility": "site"})).status == 200
    opinion = await brought(site, kp, pdf(800))
    assert (await fetch(kp, abroad))[0] == 200
    await transfer(site, "withdrawn")
    for browser in (kp, kc, await site.signed_in("reviewer")):
        for path in ("/content?reason=treatment", "/pages/0"):
            assert (await browser.get(f"{BASE}/{abroad}{path}")).code == "transfer_withdrawn"
        row = await told(browser, abroad)
        assert (row["closed"], row["may"]["look"], row["may"]["download"], row["details"]) == (
            True, False, False, {}
        )  # fmt: skip
        assert (await told(browser, opinion))["closed"] is False, "what the hospital wrote is its own"
    assert (await fetch(lp, abroad))[0] == 200, "at home it stays open"
    answer = await kept(kp)
    ends = answer["transfer"]["destroyed_from_ms"]
    assert ends - answer["transfer"]["withdrawn_ms"] == 3 * DAY_MS
    ending = Ending(site.services.context)
    await to(site, ends - 1000)
    assert await ending.run() == []
    new = await brought(site, await site.signed_in(LP), pdf(900))
    await to(site, ends + 1)
    assert len(await ending.run()) == 1
    lp, kp = await site.signed_in(LP), await site.signed_in(KP)
    states = {row["id"]: row["state"] for row in await listed(lp)}
    assert states == {abroad: "ended", inside: "ready", once: "ended", opinion: "ready", new: "ready"}
    assert (await kp.get(f"{BASE}/{new}/pages/0")).code == "transfer_withdrawn", "closed, and kept at home"
    payload = ending.receipts.all()[0].payload
    assert (payload["cause"], payload["reason"]) == ("withdrawn", "transfer_abroad")
    assert await faults(site) == [[]]


@pytest.mark.long
async def test_who_agrees_again_in_time_keeps_everything_and_opens_it(site: Website) -> None:
    await transfer(site, "granted")
    lp = await site.signed_in(LP)
    document = await brought(site, lp, pdf(500))
    await transfer(site, "withdrawn")
    ends = (await kept(lp))["transfer"]["destroyed_from_ms"]
    await to(site, ends - DAY_MS)
    await transfer(site, "granted")
    await to(site, ends + 30 * DAY_MS)
    assert await Ending(site.services.context).run() == []
    kp = await site.signed_in(KP)
    assert (await fetch(kp, document))[0] == 200
    assert (await kept(kp))["transfer"] is None


async def test_what_somebody_abroad_has_acted_on_stays_closed_until_the_period_is_over(
    site: Website,
) -> None:
    await transfer(site, "granted")
    lp = await site.signed_in(LP)
    document = await brought(site, lp, pdf(500))
    session = await site.services.rooms.open_session(site.table.consultation_id, site.clock())
    await transfer(site, "declined")
    assert (await kept(lp))["until_ms"] is None, "nothing ends while a session runs"
    async with site.database.write() as tx:
        await tx.execute(
            text("UPDATE sessions SET ended_ms = :at WHERE id = :id"), {"at": site.clock(), "id": session.id}
        )
    ending = Ending(site.services.context)
    await to(site, site.clock() + 400 * DAY_MS)
    assert await ending.run() == []
    lp, kp = await site.signed_in(LP), await site.signed_in(KP)
    assert (await fetch(lp, document))[0] == 200
    assert (await kp.get(f"{BASE}/{document}/pages/0")).code == "transfer_withdrawn"
    answer = await kept(kp)
    assert answer["transfer"]["destroyed_from_ms"] is None
    await to(site, answer["until_ms"] + 1)
    assert await ending.run()
    assert (await told(await site.signed_in(LP), document))["state"] == "ended"
    assert "expired" in {one.payload["cause"] for one in ending.receipts.all()}


@pytest.mark.long
async def test_a_hold_keeps_what_a_withdrawn_transfer_would_end(site: Website) -> None:
    await transfer(site, "granted")
    lp = await site.signed_in(LP)
    document = await brought(site, lp, pdf(500))
    ending = Ending(site.services.context)
    await ending.retention.hold(CASE_ID, "dispute", "officer", "")
    await transfer(site, "withdrawn")
    await to(site, site.clock() + 30 * DAY_MS)
    assert await ending.run() == []
    assert (await fetch(await site.signed_in(LP), document))[0] == 200
    kp = await site.signed_in(KP)
    assert (await kp.get(f"{BASE}/{document}/pages/0")).code == "transfer_withdrawn"
    assert document


async def test_the_privacy_officer_sees_which_cases_documents_end_soon(site: Website) -> None:
    lp = await site.signed_in(LP)
    await brought(site, lp, pdf(500))
    officer = await site.signed_in("privacy_officer")
    assert (await officer.get("/api/retention")).json["documents"] == []
    until = (await kept(lp))["until_ms"]
    await to(site, until - 10 * DAY_MS)
    officer = await site.signed_in("privacy_officer")
    (row,) = (await officer.get("/api/retention")).json["documents"]
    assert (row["case_id"], row["kept_until_ms"], row["state"], row["cause"]) == (
        CASE_ID, until, "warned", "expired"
    )  # fmt: skip
    await to(site, until + 2 * DAY_MS)
    counts = await site.services.retention.counts()
    assert counts["hyeopjin_retention_documents_due"] == 1
    assert counts["hyeopjin_retention_overdue"] >= 1
