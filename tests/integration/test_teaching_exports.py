"""A file for teaching names nobody, needs the patient's yes to be asked for and fetched, and has one use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.integration.exporting_rig import PATH, ExportsRig, ask, refusal, told
from tests.support.followed import PATIENTS, patient_sits, says

STILL: dict[str, Any] = {"kind": "still", "from_ms": 1000, "track": f"{PATIENTS}-camera"}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[ExportsRig]:
    made = await ExportsRig().open(tmp_path, seconds=2.0)
    await patient_sits(made.services)
    yield made
    await made.close()


async def refused(browser: ClientSession, **order: Any) -> tuple[int, str]:
    async with browser.post(PATH, json=STILL | order) as response:
        return response.status, (await response.json())["error"]["code"]


async def test_a_file_for_teaching_is_made_and_fetched_only_while_the_patient_agrees(rig: ExportsRig) -> None:
    reviewer = await rig.profile("acc-reviewer", ("reviewer",), "follows")
    coordinator = await rig.profile("acc-coordinator", ("coordinator",))
    async with rig.browser(reviewer) as browser, rig.browser(coordinator) as other:
        assert await refused(browser, teaching=True) == (409, "teaching_missing")
        await says(rig.services, "granted", "teaching")
        assert await refused(other, teaching=True) == (403, "forbidden")
        assert await refused(browser, teaching=True, kind="bundle") == (400, "bad_request")
        made, plain = await ask(browser, **STILL, teaching=True), await ask(browser, **STILL)
        await rig.exporting.idle()
        assert (await told(browser, made["id"]))["teaching"]
        file, for_care = f"{PATH}/{made['id']}/file?reason=", f"{PATH}/{plain['id']}/file?reason="
        for path in (f"{file}treatment", f"{for_care}teaching"):
            assert await refusal(browser, path) == (400, "reason_missing"), path
        async with browser.get(f"{file}teaching") as response:
            picture = await response.read()
        assert picture.startswith(b"\x89PNG")
        assert PATIENTS.encode() not in picture
        await says(rig.services, "withdrawn", "teaching")
        assert await refusal(browser, f"{file}teaching") == (409, "teaching_missing")
        async with browser.get(f"{for_care}treatment") as response:
            assert PATIENTS.encode() in await response.read(), "for care it stays, and says whose track it is"
