"""A patient's word on follow-up review, over HTTP: their lanes are kept back and stay, all others play."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from server.domain.chat import ChatMessage
from server.domain.glass import Glass
from server.domain.site_policy import Policy
from server.services.follow_up import NOBODY, Looking, withheld_from
from server.storage import break_glass, chat, site_policies
from server.storage import sessions as stored_sessions
from server.storage.schema import cases, sessions
from tests.integration.exporting_rig import PATH, ExportsRig, ask, refusal, told
from tests.integration.playback_rig import PlaybackRig, Profile
from tests.support.followed import OTHERS, PATIENTS, patient_sits, says
from tests.support.journals import CASE, RECORDING, SITE

API = f"/api/recordings/{RECORDING}"
DAY_MS = 86_400_000


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[ExportsRig]:
    made = await ExportsRig().open(tmp_path, seconds=3.0)
    await patient_sits(made.services)
    yield made
    await made.close()


async def ended(rig: PlaybackRig, days_ago: float) -> None:
    at_ms = rig.services.context.now_ms() - int(days_ago * DAY_MS)
    async with rig.books.database.write() as tx:
        await tx.execute(update(sessions).values(ended_ms=at_ms, emptied_ms=at_ms))


async def stands(rig: PlaybackRig, state: str) -> None:
    async with rig.books.database.write() as tx:
        await tx.execute(update(cases).values(state=state))


async def shown(rig: PlaybackRig, who: Profile) -> tuple[set[str], dict[str, str]]:
    """Whose lanes are told, and whose are kept back for which reason."""
    async with rig.browser(who) as browser, browser.get(API) as response:
        assert response.status == 200
        body = await response.json()
    back = {row["participant"]: row["code"] for row in body["withheld"]}
    return {row["participant"] for row in body["tracks"]}, back


async def plays(rig: PlaybackRig, who: Profile, seat: str) -> tuple[int, str]:
    async with rig.browser(who) as browser, browser.get(f"{API}/tracks/{seat}-audio") as response:
        if response.status == 200:
            return 200, str(len(await response.read()) > 0)
        return response.status, (await response.json())["error"]["code"]


OPEN = ({PATIENTS, OTHERS}, {})
CLOSED = ({OTHERS}, {PATIENTS: "follow_up_refused"})
REFUSED = (403, "follow_up_refused")


async def reviewer(rig: PlaybackRig) -> Profile:
    return await rig.profile("acc-reviewer", ("reviewer",), "follows")


async def consultant(rig: PlaybackRig) -> Profile:
    return await rig.profile("acc-consulting", ("consulting_physician",), "invited")


async def test_whoever_follows_sees_and_hears_the_patient_only_as_the_patient_lets_them(
    rig: ExportsRig,
) -> None:
    who = await reviewer(rig)
    assert await shown(rig, who) == OPEN, "nothing was asked: what was read before recording named them"
    for decision, lanes, answer in (
        ("declined", CLOSED, REFUSED),
        ("granted", OPEN, (200, "True")),
        ("withdrawn", CLOSED, REFUSED),
    ):
        await says(rig.services, decision)
        assert (await shown(rig, who), await plays(rig, who, PATIENTS)) == (lanes, answer), decision
        assert await plays(rig, who, OTHERS) == (200, "True"), decision
    assert await rig.plaintext(f"{PATIENTS}-audio"), "kept back, and not destroyed"


async def test_what_is_kept_back_is_told_by_kind_and_time_and_not_offered(rig: ExportsRig) -> None:
    who = await reviewer(rig)
    await says(rig.services, "declined")
    async with rig.browser(who) as browser, browser.get(API) as response:
        rows = (await response.json())["withheld"]
    assert [row["kind"] for row in rows] == ["audio", "camera"]
    assert {row["name"] for row in rows} == {"Synthetic referring_physician"}
    assert all(row["from"] < row["to"] for row in rows)


async def test_a_consulting_physician_looks_for_the_consultation_until_it_is_over(rig: ExportsRig) -> None:
    who = await consultant(rig)
    await says(rig.services, "declined")
    await ended(rig, 29)
    assert await shown(rig, who) == OPEN
    await ended(rig, 31)
    assert (await shown(rig, who), await plays(rig, who, PATIENTS)) == (CLOSED, REFUSED)
    await stands(rig, "in_korea")
    assert await shown(rig, who) == OPEN, "they treat the patient now"
    await ended(rig, 1)
    await stands(rig, "follow_up")
    assert (await shown(rig, who), await plays(rig, who, PATIENTS)) == (CLOSED, REFUSED)
    await says(rig.services, "granted")
    assert await shown(rig, who) == OPEN


async def test_broken_glass_is_no_follow_up_and_opens_with_its_own_reason(rig: ExportsRig) -> None:
    who = await rig.profile("acc-privacy", ("privacy_officer",))
    await says(rig.services, "declined")
    assert await plays(rig, who, PATIENTS) == (403, "forbidden")
    now_ms = rig.services.context.now_ms()
    async with rig.books.database.write() as tx:
        glass = Glass("glass-1", who.account, CASE, None, "a synthetic emergency", now_ms, now_ms + DAY_MS)
        await break_glass.add(tx, glass)
    assert (await shown(rig, who), await plays(rig, who, PATIENTS)) == (OPEN, (200, "True"))


async def test_who_may_not_watch_at_all_is_told_that_and_nothing_of_the_patients_word(
    rig: ExportsRig,
) -> None:
    await says(rig.services, "declined")
    for number, roles in enumerate((("coordinator",), ("referring_physician",), ("reviewer",))):
        who = await rig.profile(f"acc-wrong-{number}", roles)
        assert await plays(rig, who, PATIENTS) == (403, "forbidden"), roles


async def test_where_the_patient_is_treated_from_afar_silence_closes_and_sessions_keep_their_basis(
    rig: ExportsRig,
) -> None:
    who = await reviewer(rig)
    direct = Policy((SITE, "elsewhere"), 1, "not_required", "direct_care")
    async with rig.books.database.write() as tx:
        await site_policies.keep(tx, RECORDING, [direct])
    unasked = {PATIENTS: "follow_up_unasked"}
    assert await shown(rig, who) == ({OTHERS}, unasked)
    assert await plays(rig, who, PATIENTS) == (403, "follow_up_unasked")
    await says(rig.services, "granted")
    assert await shown(rig, who) == OPEN


async def test_an_export_has_nothing_of_who_is_kept_back_and_an_older_one_is_not_handed_out(
    rig: ExportsRig,
) -> None:
    who, invited = await reviewer(rig), await consultant(rig)
    async with rig.browser(who) as browser, rig.browser(invited) as theirs:
        before = await ask(browser, kind="bundle")
        assert before["seats"] == [PATIENTS, OTHERS]
        await rig.exporting.idle()
        await says(rig.services, "declined")
        file = f"{PATH}/{before['id']}/file?reason=treatment"
        assert await refusal(browser, file) == REFUSED
        assert (await told(browser, before["id"]))["withheld"] == "follow_up_refused"
        assert (await told(theirs, before["id"]))["withheld"] is None, "their consultation is not over"
        async with theirs.get(file) as response:
            assert response.status == 200
        after = await ask(browser, kind="bundle")
        assert after["seats"] == [OTHERS]
        await rig.exporting.idle()
        assert (await told(browser, after["id"]))["state"] == "ready", "made without the patient's lanes"
        still: dict[str, Any] = {"kind": "still", "from_ms": 2000, "track": f"{PATIENTS}-camera"}
        async with browser.post(PATH, json=still) as response:
            assert (response.status, (await response.json())["error"]["code"]) == REFUSED


async def test_an_operators_command_is_nobodys_consultation(rig: ExportsRig) -> None:
    await says(rig.services, "declined")
    now_ms = rig.services.context.now_ms()
    database = rig.books.database
    assert dict(await withheld_from(database, RECORDING, NOBODY, now_ms)) == {PATIENTS: "follow_up_refused"}
    interpreter = Looking(("interpreter",), frozenset())
    assert set(await withheld_from(database, RECORDING, interpreter, now_ms)) == {PATIENTS}
    assert await withheld_from(database, "unknown", NOBODY, now_ms) == {}


async def test_what_was_written_at_the_patients_seat_stays_back_with_its_lanes(rig: ExportsRig) -> None:
    who, room = await reviewer(rig), await consultation_of(rig)
    async with rig.books.database.write() as tx:
        for n, seat in enumerate((PATIENTS, OTHERS, PATIENTS)):
            await chat.add(tx, ChatMessage(f"line-{n}", room, RECORDING, seat, f"c{n}", f"said {n}", 5 + n))

    async def read() -> tuple[list[str], int]:
        async with rig.browser(who) as browser, browser.get(f"{API}/chat") as response:
            body = await response.json()
        return [one["text"] for one in body["messages"]], body["withheld"]

    assert await read() == (["said 0", "said 1", "said 2"], 0)
    await says(rig.services, "declined")
    assert await read() == (["said 1"], 2)
    await says(rig.services, "granted")
    assert await read() == (["said 0", "said 1", "said 2"], 0)


async def consultation_of(rig: PlaybackRig) -> str:
    async with rig.books.database.read() as tx:
        session = await stored_sessions.by_id(tx, RECORDING)
    assert session is not None
    return session.consultation_id
