"""A rule changes, another site is asked to join: rooms and doors learn what is asked now, who runs keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from server.domain.people import Account, Site
from server.services.context import NoRooms
from server.services.demo import ALMATY, CASE_ID, SEOUL
from server.storage import accounts, cases, site_policies
from tests.integration.test_consents_web import BASE, NEEDED, asked, at_the_door
from tests.support.website import Browser, Website, website


class Told(NoRooms):
    """What the rooms are told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.seats: dict[str, tuple[str | None, bool | None]] = {}

    async def consent_changed(
        self, room: str, seat: str, decision: str, grant: str | None, accompanied: bool | None = None
    ) -> None:
        self.seats[seat] = (grant, accompanied)

    async def told(self, room: str, event: str, payload: Mapping[str, object]) -> None:
        self.events.append((room, event))


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", patient=True) as made:
        made.services.context.live = Told()
        yield made


def rooms(site: Website) -> Told:
    live = site.services.context.live
    assert isinstance(live, Told)
    return live


async def waits(site: Website, role: str) -> Browser:
    """Somebody at their door who has not answered yet."""
    seat, token = site.seat(role)
    browser = site.browser()
    assert (await browser.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200
    return browser


async def told_at_door(site: Website, browser: Browser, role: str) -> dict[str, object]:
    answer = await browser.get(f"/api/seats/{site.seat(role)[0]}")
    assert answer.status == 200
    return dict(answer.json["asked"]) | {"missing": answer.json["missing"]}


async def rule(site: Website, version: int, seat_rule: str) -> None:
    po = await site.signed_in("privacy_officer")
    change = {
        "referring": ALMATY, "consulting": SEOUL, "version": version, "seat_rule": seat_rule,
        "legal_basis": "direct_care",
    }  # fmt: skip
    assert (await po.post("/api/policies", change)).status == 204


async def another_hospital(site: Website) -> None:
    """Of a third country; the coordinator's decision on the match invites its physician."""
    roles = ("consulting_physician",)
    third = Account("third", "third@demo.invalid", "Third", "en", "third-site", roles, True, False, "UTC")
    async with site.database.write() as tx:
        await accounts.add_site(tx, Site("third-site", "Third (synthetic)", "Asia/Tashkent", "UZ"))
        await accounts.add_account(tx, third, "x")
        await cases.add_person(tx, CASE_ID, third.id, "invited")
    await site.services.consents.sites_changed(CASE_ID)


async def test_who_waits_at_a_door_is_shown_the_rule_of_now_and_every_open_room_is_told(
    site: Website,
) -> None:
    door = await waits(site, "patient")
    assert (await told_at_door(site, door, "patient"))["accompanied"] is False
    await rule(site, 1, "required")
    assert await told_at_door(site, door, "patient") == {
        "purposes": NEEDED, "recipients": ["Seoul Demo Hospital (synthetic)"], "accompanied": True,
        "missing": [],
    }  # fmt: skip
    assert rooms(site).events == [(site.table.consultation_id, "asked")]


async def test_a_running_consultation_keeps_its_rule_and_the_page_of_rules_says_that_one_runs(
    site: Website,
) -> None:
    await at_the_door(site, "patient")
    session = await site.services.rooms.open_session(site.table.consultation_id, site.clock())
    await rule(site, 1, "required")
    seat = site.seat("patient")[0]
    grant, accompanied = rooms(site).seats[seat]
    assert (grant is not None, accompanied) == (True, False), "as it began"
    po = await site.signed_in("privacy_officer")
    assert [row["running"] for row in (await po.get("/api/policies")).json["pairs"]] == [1]
    await site.services.rooms.end_session(site.table.consultation_id, session.id, "emptied", site.clock())
    assert [row["running"] for row in (await po.get("/api/policies")).json["pairs"]] == [0]


async def test_another_hospital_asks_the_patient_anew_at_once_and_its_rule_is_kept_with_the_session(
    site: Website,
) -> None:
    door = await waits(site, "patient")
    await at_the_door(site, "referring_physician", "@patient")
    lp, seat = await site.signed_in("referring_physician"), site.seat("referring_physician")[0]
    await lp.post(BASE, await asked(lp, "granted"))
    session = await site.services.rooms.open_session(site.table.consultation_id, site.clock())
    assert rooms(site).seats[seat][0] is not None
    await another_hospital(site)
    assert rooms(site).seats[seat] == (None, True), "not to them, and nobody decided for them: the strictest"
    names = (await told_at_door(site, door, "patient"))["recipients"]
    assert names == ["Seoul Demo Hospital (synthetic)", "Third (synthetic)"]
    assert rooms(site).events[-1] == (site.table.consultation_id, "asked")
    await lp.post(BASE, await asked(lp, "granted", "transfer_abroad"))
    assert rooms(site).seats[seat][0] is not None, "the patient agreed to them too"
    po = await site.signed_in("privacy_officer")
    change = {"referring": ALMATY, "consulting": "third-site", "version": 0, "seat_rule": "not_required"}
    assert (await po.post("/api/policies", change | {"legal_basis": "direct_care"})).status == 204
    assert rooms(site).seats[seat][1] is True, "what held when they came in is kept"
    async with site.database.read() as tx:
        kept = {one.pair[1]: one.version for one in await site_policies.of_session(tx, session.id)}
    assert kept == {SEOUL: 1, "third-site": 0}
