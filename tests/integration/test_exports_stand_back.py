"""A film must not disturb a consultation: it begins when the rooms are empty, and takes only idle time."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from server.export.exporting import LONGEST_WAIT_MS
from server.storage.schema import exports
from tests.integration.exporting_rig import ExportsRig, ask, in_work, told, until
from tests.integration.playback_rig import Profile
from tests.support.journals import SEATS


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[ExportsRig]:
    made = await ExportsRig().open(tmp_path, 4.0)
    yield made
    await made.close()


@pytest.fixture
async def reviewer(rig: ExportsRig) -> Profile:
    return await rig.profile("acc-reviewer", ("reviewer",), "follows")


async def test_while_somebody_is_in_a_room_films_wait_and_what_costs_little_does_not(
    rig: ExportsRig, reviewer: Profile
) -> None:
    rig.somebody_in_a_room = True
    async with rig.browser(reviewer) as browser:
        film = (await ask(browser, kind="film"))["id"]
        clip = (await ask(browser, kind="clip", from_ms=0, to_ms=1000))["id"]
        bundle = (await ask(browser, kind="bundle"))["id"]
        still = (await ask(browser, kind="still", from_ms=2000, track=f"{SEATS[0]}-camera"))["id"]

        async def both_made() -> bool:
            return {(await told(browser, one))["state"] for one in (bundle, still)} == {"ready"}

        async def held_back() -> bool:
            rows = [await told(browser, one) for one in (film, clip)]
            return all(row["state"] == "queued" and row["waits_for_rooms"] for row in rows)

        await until(both_made)
        await until(held_back)
        rig.somebody_in_a_room = False
        await rig.exporting.idle()
        for one in (film, clip):
            row = await told(browser, one)
            assert (row["state"], row["waits_for_rooms"]) == ("ready", False)


async def test_a_film_that_waited_long_begins_all_the_same(rig: ExportsRig, reviewer: Profile) -> None:
    rig.somebody_in_a_room = True
    async with rig.browser(reviewer) as browser:
        film = (await ask(browser, kind="clip", from_ms=0, to_ms=1000))["id"]
        asked_ms = (await told(browser, film))["made_at_ms"]
        async with rig.books.database.write() as tx:
            await tx.execute(update(exports).values(made_ms=asked_ms - LONGEST_WAIT_MS))
        rig.exporting.nudge()
        await rig.exporting.idle()
        assert (await told(browser, film))["state"] == "ready"


async def test_a_film_takes_only_what_nobody_else_wants(rig: ExportsRig, reviewer: Profile) -> None:
    async with rig.browser(reviewer) as browser:
        composer = await in_work(browser, (await ask(browser, kind="film"))["id"])
        threads = [int(each) for each in os.listdir(f"/proc/{composer}/task")]
        assert {os.sched_getscheduler(each) for each in threads} == {os.SCHED_IDLE}
        assert os.sched_getscheduler(0) == os.SCHED_OTHER
        await rig.exporting.idle()
