"""The chat of a consultation, through the whole server: said once, told to all, kept, read again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.domain.chat import MAX_CHARS
from server.domain.errors import Refused
from server.services import chat as service
from server.services.limiting import MESSAGES
from server.storage import chat
from server.storage.audit import first_broken
from server.storage.schema_audit import audit
from tests.integration.test_live_rooms import JOIN, House, Page, inhabited
from tests.support.website import Website

HTML = '<img src=x onerror="alert(1)"> 1,5 мг'


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with inhabited(tmp_path, session_grace_s=2) as made:
        yield made


async def seated(house: House, role: str) -> Page:
    page = await house.socket(await house.by_link(role), role)
    assert (await page.ask("join", JOIN))["ok"]
    return page


async def test_a_line_is_told_to_all_as_text_and_kept_once_however_often_it_is_sent(house: House) -> None:
    referring = await seated(house, "referring_physician")
    browser = await house.by_link("interpreter")
    interpreter = await house.socket(browser, "interpreter")
    assert (await interpreter.ask("join", JOIN))["ok"]
    seat, _ = house.seat("referring_physician")
    line = {"id": "page-1", "text": HTML}
    first = await referring.ask("chat", line)
    assert first["ok"], first
    heard = await interpreter.told("chat", id="page-1")
    assert (heard["text"], heard["participant"], heard["role"]) == (HTML, seat, "referring_physician")
    assert heard == first["message"]
    again = await referring.ask("chat", line)  # the ack was lost: the page sends it again
    assert again["message"] == first["message"]
    own, _ = house.seat("interpreter")
    kept = (await browser.get(f"/api/seats/{own}/chat")).json["messages"]
    assert kept == [first["message"]]
    mine = await interpreter.ask("chat", line)  # another seat's id of the same name is another line
    assert mine["message"]["participant"] == own
    async with house.server.services.context.database.read() as tx:
        assert len(await chat.of_consultation(tx, house.table.consultation_id)) == 2
        assert await first_broken(tx) is None
        details = [row.detail for row in await tx.execute(audit.select()) if row.action == "chat_said"]
    assert len(details) == 2
    assert not any("text" in str(detail) or "1,5" in str(detail) for detail in details)


async def test_what_nobody_would_see_is_refused(house: House) -> None:
    page = await seated(house, "interpreter")
    for unseen in (" \u202e\n\x07 ", "\u200b\u200b", "\u3164\ufe0f"):
        refused = await page.ask("chat", {"id": "m", "text": unseen})
        assert refused == {"ok": False, "code": "chat_empty"}, ascii(unseen)


async def test_a_line_that_grows_when_it_is_composed_is_cut_to_what_a_line_may_be(house: House) -> None:
    page = await seated(house, "interpreter")
    said = await page.ask("chat", {"id": "m", "text": "\u0958" * MAX_CHARS})
    assert len(said["message"]["text"]) == MAX_CHARS


async def test_a_seat_that_floods_is_stopped_and_a_line_already_kept_is_not_counted(site: Website) -> None:
    seat, _ = site.seat("interpreter")
    for number in range(MESSAGES):
        await site.services.chat.say(seat, None, f"m{number}", "x")
    await site.services.chat.say(seat, None, "m0", "x")
    with pytest.raises(Refused, match="too_many_messages"):
        await site.services.chat.say(seat, None, "one-more", "x")
    await site.services.chat.say(site.seat("referring_physician")[0], None, "mine", "x")


async def test_a_full_chat_says_so(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MAX_MESSAGES", 1)
    seat, _ = site.seat("interpreter")
    await site.services.chat.say(seat, None, "m1", "x")
    with pytest.raises(Refused, match="chat_full"):
        await site.services.chat.say(seat, None, "m2", "x")


async def test_a_seat_reads_it_while_the_consultation_runs_and_not_after(site: Website) -> None:
    seat, token = site.seat("interpreter")
    browser = site.browser()
    await browser.post(f"/api/seats/{seat}/redeem", {"token": token})
    await site.services.chat.say(seat, None, "m1", "still here")
    assert [m["text"] for m in (await messages(browser, seat))] == ["still here"]
    session = await site.services.rooms.open_session(site.table.consultation_id, site.clock())
    await site.services.rooms.end_session(site.table.consultation_id, session.id, "ended", site.clock())
    assert (await browser.get(f"/api/seats/{seat}/chat")).code == "ended"
    with pytest.raises(Refused, match="ended"):
        await site.services.chat.say(seat, None, "m2", "too late")


async def messages(browser: Any, seat: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await browser.get(f"/api/seats/{seat}/chat")).json["messages"]
    return found


async def test_beside_a_recording_each_line_has_its_second_and_reading_is_audited(site: Website) -> None:
    seat, _ = site.seat("referring_physician")
    before = await site.services.chat.say(seat, None, "early", "before anybody came")
    session = await site.services.rooms.open_session(site.table.consultation_id, site.clock())
    site.clock.advance(seconds=65)
    said = await site.services.chat.say(seat, session.id, "m1", "the dose")
    browser = await site.signed_in("reviewer")
    found = (await browser.get(f"/api/recordings/{session.id}/chat")).json
    assert [(m["text"], m["ms"]) for m in found["messages"]] == [
        (before["text"], None),
        ("the dose", said["at_ms"] - session.started_ms),
    ]
    assert 65_000 <= found["messages"][1]["ms"] < 66_000
    assert [place["time_zone"] for place in found["places"]] == ["Asia/Almaty", "Asia/Seoul"]
    async with site.database.read() as tx:
        actions = [row.action for row in await tx.execute(audit.select())]
    assert actions.count("chat_read") == 1
    refused = await (await site.signed_in("interpreter")).get(f"/api/recordings/{session.id}/chat")
    assert (refused.status, refused.code) == (403, "forbidden")
