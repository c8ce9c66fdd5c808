"""Whoever came by link withdraws afterwards too: what was recorded of the seat, what went, the receipt."""

from __future__ import annotations

import pytest

from server.domain.consent import CONSENT_VERSION
from server.services.demo import CASE_ID
from server.storage import destructions
from tests.support.website import Browser, Website

ROLES = ("referring_physician", "consulting_physician", "interpreter")


async def guest(site: Website, role: str, decision: str = "granted") -> tuple[Browser, str]:
    """By link, with an answer to the recording question; the seat's address."""
    browser, (seat, token) = site.browser(), site.seat(role)
    assert (await browser.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200
    answer = {"decision": decision, "persons": ["Synthetic"], "language": "ru", "version": CONSENT_VERSION}
    assert (await browser.post(f"/api/seats/{seat}/consent", answer)).status == 200
    return browser, f"/api/seats/{seat}"


async def consult(site: Website) -> str:
    """A session that ended with its consultation."""
    rooms, room = site.services.rooms, site.table.consultation_id
    session = await rooms.open_session(room, site.clock())
    await rooms.end_session(room, session.id, "ended", site.clock())
    await site.services.retention.reckon()
    return session.id


async def done(site: Website, recording: str, seat: str, number: int) -> None:
    async with site.database.write() as tx:
        row = await destructions.get(tx, recording, seat)
        assert row is not None
        values = {"state": "done", "receipt": f"{number}\n", "receipt_number": number, "destroyed_ms": 7}
        await destructions.change(tx, row.id, **values)


@pytest.mark.parametrize("role", ROLES)
async def test_a_guest_of_any_role_withdraws_after_the_end_and_is_given_the_receipt(
    site: Website, role: str
) -> None:
    browser, seat = await guest(site, role)
    recording = await consult(site)
    past = (await browser.get(f"{seat}/past")).json
    assert (past["granted"], past["held"], past["backup_days"]) == (True, False, 30)
    assert [(row["state"], row["ended"], row["receipt"]) for row in past["recordings"]] == [
        ("kept", True, None)
    ]
    assert (await browser.post(f"{seat}/destroy", {})).json == {"recordings": 1}
    (row,) = (await browser.get(f"{seat}/past")).json["recordings"]
    assert (row["state"], row["cause"], row["receipt"]) == ("requested", "withdrawn", None)
    await done(site, recording, site.seat(role)[0], 4)
    (row,) = (await browser.get(f"{seat}/past")).json["recordings"]
    assert (row["state"], row["receipt"], row["destroyed_ms"]) == ("done", 4, 7)
    answer = await browser.get(f"{seat}/receipts/4")
    assert (answer.status, answer.text) == (200, "4\n")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="receipt-4.json"'
    assert (await site.browser().get(f"{seat}/past")).code == "no_credential"


async def test_a_receipt_of_another_seat_is_not_found_and_its_seat_says_nothing_of_it(site: Website) -> None:
    browser, seat = await guest(site, "referring_physician")
    other, others_seat = await guest(site, "interpreter")
    recording = await consult(site)
    await other.post(f"{others_seat}/destroy", {})
    await done(site, recording, site.seat("interpreter")[0], 1)
    assert (await other.get(f"{others_seat}/receipts/1")).status == 200
    assert (await browser.get(f"{seat}/receipts/1")).code == "not_found"
    (row,) = (await browser.get(f"{seat}/past")).json["recordings"]
    assert row["state"] == "kept"


async def test_who_never_agreed_is_told_that_there_is_nothing(site: Website) -> None:
    browser, seat = await guest(site, "interpreter", "declined")
    await consult(site)
    assert (await browser.get(f"{seat}/past")).json["granted"] is False


async def test_under_a_hold_the_page_is_told_that_it_waits_and_not_why(site: Website) -> None:
    browser, seat = await guest(site, "referring_physician")
    await consult(site)
    await site.services.retention.hold(CASE_ID, "dispute", "officer", "192.0.2.7")
    answer = await browser.get(f"{seat}/past")
    assert answer.json["held"] is True
    assert "dispute" not in answer.text
    assert CASE_ID not in answer.text


async def test_who_lost_the_seat_learns_nothing_and_withdraws_nothing(site: Website) -> None:
    browser, seat = await guest(site, "referring_physician")
    owner = await site.signed_in("referring_physician")
    assert (await owner.post(f"{seat}/take", {})).status == 200
    await consult(site)
    for refused in (
        await browser.get(f"{seat}/past"),
        await browser.get(f"{seat}/receipts/1"),
        await browser.post(f"{seat}/destroy", {}),
    ):
        assert (refused.status, refused.code) == (401, "no_credential")
    assert (await owner.get(f"{seat}/past")).status == 200
