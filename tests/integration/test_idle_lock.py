"""A browser that nobody touches is locked: it may only be unlocked, and a call goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.domain.session import Session
from server.domain.signed_in import WHILE_LOCKED
from server.services.context import NoRooms
from server.storage import sessions
from server.web.routes import ROUTES
from tests.integration.test_web_access import BY_ACCOUNT, ask
from tests.integration.test_web_hostile import fill
from tests.support.website import Website, website

ROLE = "referring_physician"
IDLE_S = 15 * 60


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", idle_lock_minutes=15) as made:
        yield made


async def test_every_route_of_an_account_is_shut_while_it_is_locked(site: Website) -> None:
    browser = await site.signed_in(ROLE)
    site.clock.advance(seconds=IDLE_S)
    for route in BY_ACCOUNT:
        status, code = await ask(browser, route, fill(route.path, {}, "x"))
        if route.action in WHILE_LOCKED:
            assert code != "locked", route.path
        else:
            assert (status, code) == (423, "locked"), route.path
        if route.path == "/api/sign-out":
            browser = await site.signed_in(ROLE)
            site.clock.advance(seconds=IDLE_S)
    assert {route.path for route in ROUTES if route.action in WHILE_LOCKED} == {
        "/api/me",
        "/api/sign-out",
        "/api/account/prove",
        "/api/account/prove/passkey/options",
        "/api/account/prove/passkey",
    }


async def test_it_is_locked_after_the_time_and_unlocked_by_the_password(site: Website) -> None:
    browser = await site.signed_in(ROLE)
    site.clock.advance(seconds=IDLE_S - 60)
    assert (await browser.get("/api/worklist")).status == 200, "asking alone keeps nothing open"
    site.clock.advance(seconds=60)
    me = (await browser.get("/api/me")).json
    assert (me["account"]["standing"], me["account"]["lock_after_s"]) == ("locked", IDLE_S)
    assert me["abilities"] == []
    assert (await browser.post("/api/account/active")).code == "locked", "too late"
    assert (await browser.post("/api/account/prove", {"password": "wrong"})).code == "proof_refused"
    assert (await browser.get("/api/worklist")).code == "locked"
    _, password = site.password(ROLE)
    assert (await browser.post("/api/account/prove", {"password": password})).status == 204
    assert (await browser.get("/api/worklist")).status == 200


async def test_whoever_touches_the_page_stays(site: Website) -> None:
    browser = await site.signed_in(ROLE)
    for _ in range(4):
        site.clock.advance(seconds=IDLE_S - 60)
        assert (await browser.post("/api/account/active")).status == 204
    assert (await browser.get("/api/worklist")).status == 200


async def test_guessing_at_a_locked_page_is_limited(site: Website) -> None:
    browser = await site.signed_in(ROLE)
    site.clock.advance(seconds=IDLE_S)
    codes = [(await browser.post("/api/account/prove", {"password": f"guess {n}"})).code for n in range(6)]
    assert codes == ["proof_refused"] * 5 + ["too_many_attempts"]


async def test_a_locked_browser_takes_no_seat_as_its_account(site: Website) -> None:
    browser = await site.signed_in(ROLE)
    seat, token = site.seat(ROLE)
    site.clock.advance(seconds=IDLE_S)
    assert (await browser.post(f"/api/seats/{seat}/take")).code == "locked"
    assert (await browser.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200
    credential = await site.services.seats.credential(seat, browser.cookies()[f"seat-{seat}"])
    assert credential
    assert not credential.verified, "by the link alone, as anybody could"


class OneSits(NoRooms):
    """The room has one seat in it: stands in for the sockets, which this front lacks."""

    def __init__(self, room: str, seat: str) -> None:
        self.room, self.seat = room, seat

    async def presence(self, room: str) -> set[str]:
        return {self.seat} if room == self.room else set()


async def test_a_live_call_is_neither_cut_nor_does_it_count_as_idle(site: Website) -> None:
    browser = await site.signed_in(ROLE)
    seat, _ = site.seat(ROLE)
    assert (await browser.post(f"/api/seats/{seat}/take")).status == 200
    room, sat_down_ms = site.table.consultation_id, site.clock()
    site.clock.advance(seconds=IDLE_S)
    assert (await browser.get("/api/me")).json["account"]["standing"] == "locked"
    assert (await browser.get(f"/api/seats/{seat}")).status == 200, "the seat is held by its own cookie"
    await sits(site, room, seat, sat_down_ms)
    site.services.context.live = OneSits(room, seat)
    assert (await browser.get("/api/me")).json["account"]["standing"] == "full"
    site.services.context.live = NoRooms()
    assert (await browser.get("/api/me")).json["account"]["standing"] == "full", "until it is idle again"
    site.clock.advance(seconds=IDLE_S)
    assert (await browser.get("/api/me")).json["account"]["standing"] == "locked"


async def test_sitting_down_at_a_locked_browser_unlocks_nothing(site: Website) -> None:
    browser = await site.signed_in(ROLE)
    seat, _ = site.seat(ROLE)
    assert (await browser.post(f"/api/seats/{seat}/take")).status == 200
    site.clock.advance(seconds=IDLE_S)
    room = site.table.consultation_id
    await sits(site, room, seat, site.clock())
    site.services.context.live = OneSits(room, seat)
    assert (await browser.get(f"/api/seats/{seat}")).status == 200, "whoever comes back to a call is in it"
    assert (await browser.get("/api/worklist")).code == "locked"
    site.clock.advance(seconds=IDLE_S)
    assert (await browser.get("/api/worklist")).code == "locked", "nor does staying there"


async def sits(site: Website, room: str, seat: str, since_ms: int) -> None:
    """The books of a session: somebody sat down there, as the rooms would note it."""
    async with site.services.context.database.write() as tx:
        await sessions.add(tx, Session("s" * 22, room, 1, since_ms, None, None))
        await sessions.note(tx, "s" * 22, since_ms, "joined", seat)


async def test_no_lock_when_it_is_switched_off(tmp_path: Path) -> None:
    async with website(tmp_path / "off", idle_lock_minutes=0) as site:
        browser = await site.signed_in(ROLE)
        site.clock.advance(hours=11)
        assert (await browser.get("/api/worklist")).status == 200
