"""A page's check of its way, over HTTP: who may ask, how often, what it gets and what is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.config import Turn
from server.services.probing import CREDENTIAL_S
from server.storage import path_checks
from server.storage.path_checks import PathCheck
from server.turn import ice_servers_of
from tests.support.website import Website, website

FOUND: dict[str, Any] = {"path": "tcp", "udp": False, "tcp": True, "relay": None, "clock_ms": -1500}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data") as made:

        async def offers() -> list[str]:
            return ["v=0 of the worker"]

        made.services.probing.offers = offers
        yield made


async def kept(site: Website, seat: str) -> tuple[int, PathCheck] | None:
    async with site.services.context.database.read() as tx:
        return await path_checks.newest(tx, seat)


async def test_the_token_of_a_link_is_enough_and_is_not_spent(site: Website) -> None:
    seat, token = site.seat("interpreter")
    browser = site.browser()
    before_ms = site.clock()
    answer = await browser.post(f"/api/seats/{seat}/probe", {"token": token})
    assert before_ms <= answer.json.pop("now_ms") <= site.clock()
    assert answer.json == {"sdps": ["v=0 of the worker"], "ice_servers": []}
    assert browser.cookies() == {}
    assert (await browser.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200
    assert (await browser.post(f"/api/seats/{seat}/probe", {})).status == 200, "now by its cookie"


async def test_without_token_or_cookie_or_with_another_seats_there_is_nothing(site: Website) -> None:
    seat, _ = site.seat("interpreter")
    _, other = site.seat("referring_physician")
    browser = site.browser()
    for path in ("probe", "probe/result"):
        body = FOUND if path.endswith("result") else {}
        answer = await browser.post(f"/api/seats/{seat}/{path}", body)
        assert (answer.status, answer.code) == (401, "no_credential")
        for token in (other, "A" * 22):
            answer = await browser.post(f"/api/seats/{seat}/{path}", {**body, "token": token})
            assert (answer.status, answer.code) == (404, "link_unknown")
        answer = await browser.post(f"/api/seats/{'B' * 22}/{path}", {**body, "token": other})
        assert (answer.status, answer.code) == (404, "link_unknown")
    assert await kept(site, seat) is None


async def test_a_dead_link_asks_nothing(site: Website) -> None:
    site.clock.advance(hours=25)
    seat, token = site.seat("interpreter")
    answer = await site.browser().post(f"/api/seats/{seat}/probe", {"token": token})
    assert (answer.status, answer.code) == (410, "link_dead")


async def test_it_may_be_asked_twenty_times_a_minute(site: Website) -> None:
    seat, token = site.seat("interpreter")
    browser = site.browser()
    answers = [await browser.post(f"/api/seats/{seat}/probe", {"token": token}) for _ in range(21)]
    assert [answer.status for answer in answers] == [200] * 20 + [429]


async def test_without_a_worker_the_page_is_told_to_try_again(site: Website) -> None:
    async def gone() -> list[str]:
        raise ConnectionError

    site.services.probing.offers = gone
    seat, token = site.seat("interpreter")
    answer = await site.browser().post(f"/api/seats/{seat}/probe", {"token": token})
    assert (answer.status, answer.code) == (503, "not_ready")


async def test_the_relay_is_named_with_a_credential_that_ends_soon(site: Website) -> None:
    settings = site.settings.model_copy(update={"turn": Turn(urls=("turns:turn.example.org:443",))})
    settings.secrets_dir.mkdir(parents=True, exist_ok=True)
    (settings.secrets_dir / "turn_secret").write_text("a-secret-of-this-test-alone-0123456789")
    site.services.probing.relays = ice_servers_of(settings, site.clock, CREDENTIAL_S)
    seat, token = site.seat("interpreter")
    (server,) = (await site.browser().post(f"/api/seats/{seat}/probe", {"token": token})).json["ice_servers"]
    assert server["urls"] == ["turns:turn.example.org:443"]
    ends_s = int(server["username"].partition(":")[0])
    assert 0 <= site.clock() // 1000 + CREDENTIAL_S - ends_s <= 5


async def test_the_newest_result_of_a_seat_is_kept(site: Website) -> None:
    seat, token = site.seat("interpreter")
    browser = site.browser()
    answer = await browser.post(f"/api/seats/{seat}/probe/result", {**FOUND, "token": token})
    assert answer.json == {"relay_fault": None}
    site.clock.advance(hours=1)
    none = {"path": "none", "udp": False, "tcp": False, "relay": False, "clock_ms": 200_000}
    await browser.post(f"/api/seats/{seat}/probe/result", {**none, "token": token})
    newest = await kept(site, seat)
    assert newest is not None
    assert newest[1] == PathCheck("none", False, False, False, 200_000)
    assert site.clock() - newest[0] < 1_800_000


async def test_a_relay_that_was_of_no_use_is_looked_at_and_only_then(site: Website) -> None:
    async def fault() -> str | None:
        return "certificate"

    site.services.probing.relay_fault = fault
    seat, token = site.seat("interpreter")
    for relay, said in ((False, "certificate"), (True, None), (None, None)):
        body = {**FOUND, "relay": relay, "token": token}
        answer = await site.browser().post(f"/api/seats/{seat}/probe/result", body)
        assert answer.json == {"relay_fault": said}


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "carrier pigeon"},
        {"udp": 1},
        {"relay": "yes"},
        {"clock_ms": 1.5},
        {"clock_ms": 1 << 60},
        {"more": 1},
    ],
)
async def test_a_result_outside_its_bounds_is_refused(site: Website, wrong: dict[str, Any]) -> None:
    seat, token = site.seat("interpreter")
    answer = await site.browser().post(f"/api/seats/{seat}/probe/result", {**FOUND, "token": token, **wrong})
    assert (answer.status, answer.code) == (400, "bad_request")
    assert await kept(site, seat) is None
