"""Retention in the books: dating, classes, extension, holds; and what is told to whom."""

from __future__ import annotations

import pytest

from server.domain.errors import Refused
from server.domain.retention import DAY_MS
from server.services.demo import CASE_ID
from server.storage import audit, holds
from server.storage.journals import Journals
from tests.support.website import Website

ADDRESS, OFFICER = "192.0.2.1", "officer-account-0001"


async def recorded(site: Website, *, end: bool = True) -> str:
    rooms, room = site.services.rooms, site.table.consultation_id
    session = await rooms.open_session(room, site.clock())
    if end:
        await rooms.end_session(room, session.id, "emptied", site.clock())
    return session.id


async def told(site: Website, recording: str) -> dict[str, object]:
    (row,) = [row for row in await site.services.retention.listed() if row["recording"] == recording]
    return dict(row)


async def test_a_recording_is_dated_from_the_end_of_its_session(site: Website) -> None:
    running = await recorded(site, end=False)
    await site.services.retention.reckon()
    assert (await told(site, running))["state"] == "running"
    await site.services.rooms.end_session(site.table.consultation_id, running, "emptied", site.clock())
    assert await site.services.retention.reckon() == 1
    row = await told(site, running)
    days = (int(str(row["kept_until_ms"])) - site.clock()) / DAY_MS
    assert 1826 <= days <= 1829, "five years to the day, from the end of today"
    assert row["state"] == "kept"
    assert await site.services.retention.reckon() == 0


async def test_another_class_and_an_extension_move_the_date_and_are_audited(site: Website) -> None:
    recording, retention = await recorded(site), site.services.retention
    await retention.reckon()
    five = int(str((await told(site, recording))["kept_until_ms"]))
    ten = await retention.classify(recording, "chart", "content", OFFICER, ADDRESS)
    longer = await retention.extend(recording, 2, "continued_treatment", OFFICER, ADDRESS)
    assert ten is not None
    assert longer is not None
    assert 5 * 365 <= (ten - five) / DAY_MS <= 5 * 366
    assert 2 * 365 <= (longer - ten) / DAY_MS <= 2 * 366
    with pytest.raises(Refused, match="extension_spent"):
        await retention.extend(recording, 1, "continued_treatment", OFFICER, ADDRESS)
    with pytest.raises(Refused, match="bad_request"):
        await retention.classify(recording, "for_ever", "content", OFFICER, ADDRESS)
    assert await audit.check(site.database) is None


async def test_a_due_recording_waits_for_the_last_of_two_holds(site: Website) -> None:
    recording, retention = await recorded(site), site.services.retention
    journals = Journals(site.database)
    await retention.reckon()
    site.clock.advance(hours=24 * 366 * 5 + 48)
    assert [row.recording_id for row in await retention.due(site.clock())] == [recording]
    first = await retention.hold(CASE_ID, "dispute", OFFICER, ADDRESS)
    second = await retention.hold(CASE_ID, "authority", OFFICER, ADDRESS)
    assert await retention.due(site.clock()) == []
    assert await journals.held(recording)
    await retention.lift(first.id, "settled", OFFICER, ADDRESS)
    assert (await told(site, recording))["state"] == "held"
    with pytest.raises(Refused, match="not_held"):
        await retention.lift(first.id, "settled", OFFICER, ADDRESS)
    await retention.lift(second.id, "mistake", OFFICER, ADDRESS)
    assert not await journals.held(recording)
    assert len(await retention.due(site.clock())) == 1
    async with site.database.read() as tx:
        assert [hold.lift_reason for hold in await holds.of_case(tx, CASE_ID)] == ["settled", "mistake"]
    counts = await retention.counts()
    assert (counts["hyeopjin_retention_due"], counts["hyeopjin_retention_overdue"]) == (1, 1)


async def test_what_will_go_is_announced_and_names_nothing_clinical(site: Website) -> None:
    recording, retention = await recorded(site), site.services.retention
    await retention.reckon()
    assert (await retention.overview())["upcoming"] == []
    site.clock.advance(hours=24 * (365 * 5 - 30))
    shown = await retention.overview()
    (row,) = shown["upcoming"]
    assert (row["recording"], row["state"], row["case_label"]) == (recording, "warned", "DEMO-0001")
    assert set(row["zones"]) == {"Asia/Almaty", "Asia/Seoul"}
    assert "orthopaedics" not in str(shown)


async def test_a_hold_needs_a_case_and_a_known_reason(site: Website) -> None:
    for case, reason, code in (("nobody", "dispute", "not_found"), (CASE_ID, "because", "bad_request")):
        with pytest.raises(Refused, match=code):
            await site.services.retention.hold(case, reason, OFFICER, ADDRESS)
