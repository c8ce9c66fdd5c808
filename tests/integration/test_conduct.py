"""The interpreter's opening through the whole server: who may, kept once, and that it blocks nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.asides import asides_of
from server.storage.audit import first_broken
from server.storage.schema import session_notes
from server.storage.schema_audit import audit
from signaling.asides import Conduct, Sitting
from signaling.store import MemoryRoomStore
from tests.integration.test_live_rooms import JOIN, House, inhabited

ALL = ["introduction", "hearing", "identity", "languages", "confidentiality"]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with inhabited(tmp_path, session_grace_s=2) as made:
        yield made


async def test_each_step_is_kept_once_with_who_and_when_and_everybody_is_told(house: House) -> None:
    browsers = {role: await house.by_link(role) for role in ("interpreter", "consulting_physician")}
    pages = {role: await house.socket(browser, role) for role, browser in browsers.items()}
    for page in pages.values():
        assert (await page.ask("join", JOIN))["ok"]
    interpreter, physician = pages["interpreter"], pages["consulting_physician"]
    await physician.told("snapshot", state="live")
    refused = await physician.ask("conduct", {"steps": ["identity"], "outcome": "done"})
    assert refused == {"ok": False, "code": "forbidden"}

    skipped = {"steps": ALL, "outcome": "skipped", "reason": "emergency"}
    assert (await interpreter.ask("conduct", skipped))["ok"]
    assert (await interpreter.ask("conduct", {"steps": ["identity"], "outcome": "done"}))["ok"]
    assert (await interpreter.ask("conduct", skipped))["ok"]  # late, or sent twice: what is done stays done
    told = await physician.told("conduct")
    own, _ = house.seat("interpreter")
    assert {(s["step"], s["outcome"], s["reason"]) for s in told["steps"]} == {
        ("identity", "done", None),
        *((step, "skipped", "emergency") for step in ALL if step != "identity"),
    }
    assert {step["participant"] for step in told["steps"]} == {own}
    seat, _ = house.seat("consulting_physician")
    read = (await browsers["consulting_physician"].get(f"/api/seats/{seat}/conduct")).json
    assert read["steps"] == told["steps"]

    async with house.server.services.context.database.read() as tx:
        assert await first_broken(tx) is None
        actions = [row.action for row in await tx.execute(audit.select())]
        notes = [row.what for row in await tx.execute(session_notes.select())]
    assert (actions.count("conduct_skipped"), actions.count("conduct_confirmed")) == (5, 1)
    # Nobody consents, so nothing is recorded: the time line of the recording is not written on.
    assert not any(what.startswith("conduct_") for what in notes)
    reviewer = await house.signed_in("reviewer")
    beside = (await reviewer.get(f"/api/recordings/{told['steps'][0]['session']}/conduct")).json["steps"]
    assert [(s["step"], s["ms"] >= 0, bool(s["name"])) for s in beside] == [
        (s["step"], True, True) for s in told["steps"]
    ]


async def test_what_is_told_again_is_no_news_for_the_time_line(house: House) -> None:
    services, (seat, _) = house.server.services, house.seat("interpreter")
    session = await services.rooms.open_session(house.table.consultation_id, services.context.now_ms())
    now = Sitting("room", session.id, seat, recording=True, recorded=True)
    asides = asides_of(services, MemoryRoomStore())
    for steps, outcome, reason in (
        (["hearing", "identity", "hearing"], "skipped", "no_time"),
        (["identity"], "done", None),
        (["hearing", "identity"], "skipped", "emergency"),
        (["identity"], "done", None),
    ):
        message = Conduct.model_validate({"steps": steps, "outcome": outcome, "reason": reason})
        await asides._handlers["conduct"](now, message)
    async with services.context.database.read() as tx:
        notes = [row.what for row in await tx.execute(session_notes.select())]
    assert [what for what in notes if what.startswith("conduct_")] == [
        "conduct_hearing", "conduct_identity", "conduct_identity",
    ]  # fmt: skip
