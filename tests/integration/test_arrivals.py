"""Who is on the way: said by the interpreter or a coordinator, told to those who wait, soon forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.domain.arrival import MAX_MINUTES, arrival, is_believed
from server.storage.schema_audit import audit
from tests.integration.test_live_rooms import JOIN, inhabited
from tests.support.website import Website

MINUTE = 60_000


def test_it_is_believed_until_a_little_after_the_time_that_was_named() -> None:
    soon = arrival("s", 3, "seat", 1_000_000)
    assert soon.ready_at_ms == 1_000_000 + 3 * MINUTE
    assert is_believed(soon, 1_000_000 + 8 * MINUTE - 1)
    assert not is_believed(soon, 1_000_000 + 8 * MINUTE)
    ready = arrival("s", 0, "seat", 1_000_000)
    assert is_believed(ready, 1_000_000 + 15 * MINUTE - 1)
    assert not is_believed(ready, 1_000_000 + 15 * MINUTE)
    for minutes in (-1, MAX_MINUTES + 1):
        with pytest.raises(ValueError, match="half hour"):
            arrival("s", minutes, "seat", 0)


async def test_those_at_the_door_read_it_count_down_and_forget_it(site: Website) -> None:
    browser, (seat, token) = site.browser(), site.seat("interpreter")
    await browser.post(f"/api/seats/{seat}/redeem", {"token": token})
    assert (await browser.post(f"/api/seats/{seat}/arrival", {"minutes": 31})).code == "bad_request"
    assert (await browser.post(f"/api/seats/{seat}/arrival", {"minutes": 3})).status == 200
    site.clock.advance(seconds=60)
    waiting, (own, own_token) = site.browser(), site.seat("referring_physician")
    await waiting.post(f"/api/seats/{own}/redeem", {"token": own_token})
    [told] = (await waiting.get(f"/api/seats/{own}/arrivals")).json["arrivals"]
    assert (told["participant"], told["ready"], told["said_by"]) == (seat, False, "seat")
    assert abs(told["ready_in_ms"] - 2 * MINUTE) < 5_000
    assert abs(told["said_ago_ms"] - MINUTE) < 5_000
    refused = await waiting.post(f"/api/seats/{own}/arrival", {"minutes": 3})
    assert (refused.status, refused.code) == (403, "forbidden")
    site.clock.advance(seconds=8 * 60)
    assert (await waiting.get(f"/api/seats/{own}/arrivals")).json["arrivals"] == []


async def test_a_coordinator_says_it_for_an_interpreter_and_for_nobody_else(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    seat, other = site.seat("interpreter")[0], site.seat("referring_physician")[0]
    told = await browser.post(f"/api/seats/{seat}/arrival-for", {"minutes": 10})
    assert (told.status, told.json["said_by"]) == (200, "coordinator")
    async with site.database.read() as tx:
        rows = [row for row in await tx.execute(audit.select()) if row.action == "arrival_said"]
    assert [row.address for row in rows] == ["127.0.0.1"]
    assert (await browser.post(f"/api/seats/{other}/arrival-for", {"minutes": 10})).code == "forbidden"
    taken = await browser.post(f"/api/seats/{seat}/arrival-for", {"minutes": None})
    assert taken.json == {"participant": seat, "ready_in_ms": None}
    assert await site.services.arrivals.of_seat(other) == []


async def test_who_waits_in_the_room_is_told_at_once(tmp_path: Path) -> None:
    async with inhabited(tmp_path) as house:
        page = await house.socket(await house.by_link("referring_physician"), "referring_physician")
        assert (await page.ask("join", JOIN))["ok"]
        interpreter, (seat, _) = await house.by_link("interpreter"), house.seat("interpreter")
        assert (await interpreter.post(f"/api/seats/{seat}/arrival", {"minutes": 3})).status == 200
        told = await page.told("arrival", participant=seat)
        assert told["ready_in_ms"] == 3 * MINUTE
