"""Professionals first: a seat that waits before anybody sits there, and who may let them in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.test_live_rooms import JOIN, House, inhabited, until_participant


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with inhabited(tmp_path) as made:
        yield made


async def test_whoever_takes_a_seat_that_is_to_wait_waits_until_a_physician_lets_them_in(
    house: House,
) -> None:
    roles = ("consulting_physician", "referring_physician", "interpreter")
    browsers = {role: await house.by_link(role) for role in roles}
    pages = {role: await house.socket(browser, role) for role, browser in browsers.items()}
    chair, referring, late = (pages[role] for role in roles)
    for page in (chair, referring):
        assert (await page.ask("join", JOIN))["ok"]
    seat, _ = house.seat("interpreter")
    assert (await referring.ask("step", {"participant": seat, "out": True}))["ok"]
    await until_participant(chair, seat, out=True, present=False)
    joined = await late.ask("join", JOIN)
    assert joined["ok"], joined
    await until_participant(chair, seat, out=True, present=True)
    said = await chair.ask("chat", {"id": "m1", "text": "before they come in"})
    assert said["ok"], said
    assert (await referring.told("chat"))["text"] == "before they come in"
    waiting = await late.ask("chat", {"id": "m1", "text": "hello?"})
    assert waiting == {"ok": False, "code": "stepped_out"}
    refused = await late.ask("step", {"participant": seat, "out": False})
    assert refused == {"ok": False, "code": "forbidden"}
    assert (await chair.ask("step", {"participant": seat, "out": False}))["ok"]
    await until_participant(late, seat, out=False, present=True)
    assert (await chair.ask("chat", {"id": "m2", "text": "welcome"}))["ok"]
    assert (await late.told("chat"))["text"] == "welcome"
    assert [payload["text"] for name, payload in late.got if name == "chat"] == ["welcome"]
    read = (await browsers["interpreter"].get(f"/api/seats/{seat}/chat")).json["messages"]
    assert [message["text"] for message in read] == ["welcome"]
