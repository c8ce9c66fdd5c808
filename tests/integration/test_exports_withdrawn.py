"""Consent withdrawn or a period over, by the page's own requests: what becomes of exports in any state."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession
from sqlalchemy import update

from server.runtime.document_store import DocumentStore
from server.runtime.keystore import ROOM
from server.runtime.retention_parts import RetentionParts, retention_parts
from server.storage.schema import sessions
from tests.integration.exporting_rig import LONG_S, PATH, ExportsRig, ask, in_work, refusal, told
from tests.support.demo import children
from tests.support.journals import CASE, RECORDING, SEATS, STARTED_MS, Noisy

GONE, STAYS = SEATS[:2]
ENDED_MS = STARTED_MS + 60_000
LONG_AGO_MS = 1_000_000_000_000  # 2001: every period that begins then is over


class Rig(ExportsRig):
    """With the runner that destroys, which a test runs by hand."""

    parts: RetentionParts

    async def start(self, data: Path, seconds: float) -> Rig:
        await self.open(data, seconds)
        context = self.services.context
        documents = DocumentStore(context.settings.documents_dir, self.keys)
        self.parts = retention_parts(
            context, self.services.retention, self.keys, self.objects, self.exports.destroy_of, documents
        )
        await self.ended(ENDED_MS)
        self.physician = await self.profile("acc-referring", ("referring_physician",))
        self.reviewer = await self.profile("acc-reviewer", ("reviewer",), "follows")
        return self

    async def ended(self, at_ms: int) -> None:
        async with self.books.database.write() as tx:
            await tx.execute(update(sessions).values(ended_ms=at_ms, emptied_ms=at_ms))

    async def withdraw(self) -> None:
        """As the page of the case does it: for who sat at a seat of that site."""
        path = f"/api/recordings/{RECORDING}/seats/{GONE}/withdraw"
        async with (
            self.browser(self.physician) as browser,
            browser.post(path, json={"reason": "consent_withdrawn"}) as response,
        ):
            assert response.status == 202, await response.text()

    async def destroy(self) -> list[str]:
        """One run of the runner; the exports that the newest receipt names."""
        assert await self.parts.runner.tick(self.services.context.now_ms())
        receipt = self.parts.receipts.all()[-1]
        assert receipt.faults == ()
        return list(receipt.payload["exports"])

    async def expire(self) -> list[str]:
        """The period of the recording is over."""
        await self.ended(LONG_AGO_MS)
        return await self.destroy()


class Carrying(Rig):
    """Much to carry, nothing to look at."""

    kind = Noisy


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = await Rig().start(tmp_path, 4.0)
    yield made
    await made.close()


async def fetched(browser: ClientSession, export: str) -> bytes:
    async with browser.get(f"{PATH}/{export}/file?reason=treatment") as response:
        assert response.status == 200
        return await response.read()


async def test_film_and_bundle_go_with_a_seat_by_the_receipt_and_the_still_of_another_stays(rig: Rig) -> None:
    async with rig.browser(rig.reviewer) as browser:
        film = (await ask(browser, kind="film"))["id"]
        bundle = (await ask(browser, kind="bundle"))["id"]
        still = (await ask(browser, kind="still", from_ms=2000, track=f"{STAYS}-camera"))["id"]
        await rig.exporting.idle()
        for export in (film, bundle, still):
            assert await fetched(browser, export), "the positive control"
        await rig.withdraw()
        for export in (film, bundle):  # from this moment, before anything is destroyed
            assert await refusal(browser, f"{PATH}/{export}/file?reason=treatment") == (410, "export_gone")
            assert rig.keys.existing_key(export, ROOM) is not None
        assert await rig.destroy() == sorted([film, bundle])
        for export in (film, bundle):
            assert (await told(browser, export))["state"] == "destroyed"
            assert await refusal(browser, f"{PATH}/{export}/file?reason=treatment") == (410, "export_gone")
            assert rig.keys.is_gone(export, ROOM)
        assert [path.parts[-3] for path in rig.left()] == [still]
        assert (await fetched(browser, still)).startswith(b"\x89PNG")
        assert (await ask(browser, kind="film"))["seats"] == [STAYS]
        await rig.exporting.idle()


@pytest.fixture
async def busy_rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = await Rig().start(tmp_path, LONG_S)
    yield made
    await made.close()


@pytest.mark.parametrize("what", ["a seat", "a seat under a hold", "the recording"])
async def test_a_film_in_work_ends_with_what_it_shows(busy_rig: Rig, what: str) -> None:
    rig = busy_rig
    async with rig.browser(rig.reviewer) as browser:
        film = (await ask(browser, kind="film"))["id"]
        composer = await in_work(browser, film)
        if what == "the recording":
            await rig.expire()
        elif what == "a seat":
            await rig.withdraw()
        else:
            await rig.services.retention.hold(CASE, "dispute", "account-officer", "192.0.2.7")
            await rig.withdraw()
        async with asyncio.timeout(20):
            await rig.exporting.idle()
        assert composer not in children(os.getpid())
        assert (await told(browser, film))["state"] == "destroyed"
        assert await refusal(browser, f"{PATH}/{film}/file?reason=treatment") == (410, "export_gone")
    assert rig.keys.is_gone(film, ROOM)
    assert not rig.left()
    assert not rig.readable()


@pytest.mark.parametrize("what", ["a seat", "the recording"])
async def test_a_download_on_its_way_breaks_off(tmp_path: Path, what: str) -> None:
    rig = Carrying()
    await rig.start(tmp_path, 12.0)
    try:
        async with rig.browser(rig.reviewer) as browser:
            bundle = (await ask(browser, kind="bundle"))["id"]
            await rig.exporting.idle()
            whole = len(await fetched(browser, bundle))
            assert whole > 1_500_000, "more than what may be under way"
            assert await cut_short(rig, browser, bundle, what) < whole
    finally:
        await rig.close()


async def cut_short(rig: Rig, browser: ClientSession, export: str, what: str) -> int:
    """How much came of a download in the middle of which its right ended."""
    got = 0
    async with browser.get(f"{PATH}/{export}/file?reason=treatment") as response:
        assert response.status == 200
        got += len(await response.content.readexactly(10_000))
        await (rig.withdraw() if what == "a seat" else rig.expire())
        try:
            async for piece in response.content.iter_any():
                got += len(piece)
        except ClientError:
            return got
    raise AssertionError("it came whole")
