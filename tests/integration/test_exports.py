"""Exports from the request to the file: by whom, with which reason, and what is left when it is ended."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import av
import pytest
from aiohttp import ClientSession, web
from sqlalchemy import select

from server.export.exporting import Exporting
from server.runtime.keystore import ROOM
from server.services.exports import Exports, build_exports
from server.storage import audit as audit_chain
from server.storage.schema import audit
from server.web.exports import EXPORTS
from tests.integration.playback_rig import PlaybackRig, Profile
from tests.support.demo import children
from tests.support.journals import CASE, RECORDING, SEATS
from tests.support.recorded import Person

PATH = f"/api/recordings/{RECORDING}/exports"
LONG_S = 24.0
PLAIN = (b"ftypisom", b"lmvhd", b"B\x82\x84webm", b"\x89PNG\r\n\x1a\n", b"SHA256SUMS", b"OpusHead")


class Rig(PlaybackRig):
    """The playback rig, whose people can be decoded, with exports."""

    kind = Person

    async def add_more(self, app: web.Application) -> None:
        context = self.services.context
        self.exports: Exports = build_exports(context, self.books.rows, self.keys, self.objects)
        app[EXPORTS] = self.exports
        self.exporting = await self.start_queue()

    async def start_queue(self) -> Exporting:
        queue = Exporting(self.services.context, self.exports, self.keys, tries_wait_s=0)
        await queue.start()
        return queue

    async def close(self) -> None:
        await self.exporting.stop()
        await super().close()

    def left(self) -> list[Path]:
        """Files below the place of exports."""
        return [path for path in (self.data / "exports").rglob("*") if path.is_file()]

    def readable(self) -> list[str]:
        """Where below the data directory something of a film, a track or a picture can be read."""
        files = [path for path in self.data.rglob("*") if path.is_file() and "sqlite" not in path.name]
        return [str(path) for path in files if any(mark in path.read_bytes() for mark in PLAIN)]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = await Rig().open(tmp_path, LONG_S)
    yield made
    await made.close()


@pytest.fixture
async def reviewer(rig: Rig) -> Profile:
    return await rig.profile("acc-reviewer", ("reviewer",), "follows")


async def ask(browser: ClientSession, **order: Any) -> dict[str, Any]:
    async with browser.post(PATH, json=order) as response:
        assert response.status == 201, await response.text()
        return dict(await response.json())


async def told(browser: ClientSession, export: str) -> dict[str, Any]:
    async with browser.get(PATH) as response:
        assert response.status == 200
        return next(row for row in (await response.json())["exports"] if row["id"] == export)


async def until(check: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110 - what is waited for is another process's
            await asyncio.sleep(0.05)


async def in_work(browser: ClientSession, export: str) -> int:
    """Waits until the composer is at it; its process."""

    async def working() -> bool:
        return bool((await told(browser, export))["progress"])

    await until(working)
    (pid,) = [pid for pid, line in children(os.getpid()).items() if "media.composer" in line]
    return pid


async def refusal(browser: ClientSession, path: str) -> tuple[int, str]:
    async with browser.get(path) as response:
        return response.status, (await response.json())["error"]["code"]


async def test_a_clip_is_asked_for_made_and_fetched_with_a_reason(rig: Rig, reviewer: Profile) -> None:
    async with rig.browser(reviewer) as browser:
        asked = await ask(browser, kind="clip", from_ms=1000, to_ms=3000, language="ko")
        assert (asked["state"], asked["seats"]) == ("queued", sorted(SEATS[:2]))
        file = f"{PATH}/{asked['id']}/file"
        assert await refusal(browser, f"{file}?reason=treatment") == (410, "export_gone")
        await rig.exporting.idle()
        row = await told(browser, asked["id"])
        assert row["state"] == "ready"
        assert row["expires_at_ms"] > row["made_at_ms"]
        for reason in ("", "?reason=", "?reason=because", "?reason=Treatment"):
            assert await refusal(browser, file + reason) == (400, "reason_missing")
        async with browser.get(f"{file}?reason=second_opinion") as response:
            assert response.status == 200
            assert response.headers["Content-Disposition"].startswith('attachment; filename="hyeopjin-')
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Cache-Control"] == "private, no-store"
            plain = await response.read()
    assert (len(plain), hashlib.sha256(plain).hexdigest()) == (row["bytes"], row["sha256"])
    with av.open(io.BytesIO(plain)) as box:
        assert sum(1 for _ in box.decode(video=0)) == 30
    assert len(rig.left()) == 1
    assert not rig.readable()
    await check_audit(rig, asked["id"])


async def check_audit(rig: Rig, export: str) -> None:
    async with rig.books.database.read() as tx:
        rows = (await tx.execute(select(audit).order_by(audit.c.id))).all()
        assert await audit_chain.first_broken(tx) is None
    who = ("acc-reviewer", export, CASE)
    assert [(row.action, row.account_id, row.subject_id, row.case_id) for row in rows] == [
        ("export_asked", *who),
        ("export_downloaded", *who),
    ]
    assert rows[1].detail == {"recording": RECORDING, "kind": "clip", "reason": "second_opinion"}


async def test_only_those_who_may_watch_may_export(rig: Rig, reviewer: Profile) -> None:
    async with rig.browser(reviewer) as browser:
        export = (await ask(browser, kind="still", from_ms=2000, track=f"{SEATS[0]}-camera"))["id"]
    await rig.exporting.idle()
    refused = [
        await rig.profile("acc-other", ("reviewer", "consulting_physician")),
        await rig.profile("acc-referring", ("referring_physician",)),
        await rig.profile("acc-coordinator", ("coordinator",)),
        await rig.profile("acc-interpreter", ("interpreter",), "follows"),
        await rig.profile("acc-admin", ("site_admin",), "invited"),
        None,
    ]
    for profile in refused:
        async with rig.browser(profile) as browser:
            assert await refusal(browser, PATH) == (403, "forbidden")
            address = f"{PATH}/{export}/file?reason=treatment"
            assert await refusal(browser, address) == (403, "forbidden")
            for path, body in ((PATH, {"kind": "film"}), (f"{PATH}/{export}/cancel", {})):
                async with browser.post(path, json=body) as response:
                    assert response.status == 403
    invited = await rig.profile("acc-consulting", ("consulting_physician",), "invited")
    async with rig.browser(invited) as browser:
        async with browser.get(f"{PATH}/{export}/file?reason=treatment") as response:
            assert (response.status, response.content_type) == (200, "image/png")
        assert await refusal(browser, f"{PATH}/exp_of-somebody-else/file?reason=treatment") == (
            404,
            "not_found",
        )


async def test_nonsense_is_refused(rig: Rig, reviewer: Profile) -> None:
    orders: list[tuple[object, int]] = [
        ({}, 400),
        ({"kind": "everything"}, 400),
        ({"kind": "clip", "from_ms": 3000, "to_ms": 2000}, 400),
        ({"kind": "clip", "from_ms": -1, "to_ms": 2000}, 400),
        ({"kind": "clip", "from_ms": 90_000_000, "to_ms": 90_000_001}, 400),
        ({"kind": "film", "layout": "pile"}, 400),
        ({"kind": "film", "path": "/etc"}, 400),
        ({"kind": "still", "from_ms": 1000, "track": "../../secrets/kek"}, 409),
        ({"kind": "still", "from_ms": 1000, "track": f"{SEATS[2]}-camera"}, 409),
    ]
    async with rig.browser(reviewer) as browser:
        await rig.books.rows.set_state(RECORDING, "recording", 1)
        async with browser.post(PATH, json={"kind": "film"}) as response:
            assert (await response.json())["error"]["code"] == "recording_not_ready"
        await rig.books.rows.set_state(RECORDING, "ready", 1)
        for body, status in orders:
            async with browser.post(PATH, json=body) as response:
                assert response.status == status, body
        waiting = [await ask(browser, kind="film") for _ in range(5)]
        async with browser.post(PATH, json={"kind": "film"}) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (429, "too_many_exports")
        for row in waiting:
            async with browser.post(f"{PATH}/{row['id']}/cancel", json={}) as response:
                assert response.status == 204


async def test_cancelled_in_the_middle_nothing_is_left(rig: Rig, reviewer: Profile) -> None:
    async with rig.browser(reviewer) as browser:
        export = (await ask(browser, kind="film"))["id"]
        pid = await in_work(browser, export)
        assert not rig.readable(), "what is being written can be read"
        async with browser.post(f"{PATH}/{export}/cancel", json={}) as response:
            assert response.status == 204
        await rig.exporting.idle()
        assert (await told(browser, export))["state"] == "cancelled"
    assert pid not in children(os.getpid())
    assert not rig.left()
    assert not rig.readable()
    assert rig.keys.destroyed(export, ROOM)


async def test_a_killed_composer_begins_again_and_nothing_half_is_published(
    rig: Rig, reviewer: Profile
) -> None:
    async with rig.browser(reviewer) as browser:
        export = (await ask(browser, kind="clip", from_ms=0, to_ms=20_000))["id"]
        os.kill(await in_work(browser, export), signal.SIGKILL)
        assert (await told(browser, export))["state"] == "running"
        assert not [path for path in rig.left() if ".scratch" not in path.parts]
        await rig.exporting.idle()
        row = await told(browser, export)
        assert row["state"] == "ready"
        async with browser.get(f"{PATH}/{export}/file?reason=quality") as response:
            assert hashlib.sha256(await response.read()).hexdigest() == row["sha256"]
    assert [path.name for path in rig.left()] == ["export.sealed"]
    assert not rig.readable()


async def test_what_a_stopped_server_left_is_made_after_its_start(rig: Rig, reviewer: Profile) -> None:
    async with rig.browser(reviewer) as browser:
        export = (await ask(browser, kind="film"))["id"]
        pid = await in_work(browser, export)
        await rig.exporting.stop()
        assert pid not in children(os.getpid())
        assert (await told(browser, export))["state"] == "running"
        rig.exporting = await rig.start_queue()
        await rig.exporting.idle()
        assert (await told(browser, export))["state"] == "ready"


async def test_a_seats_withdrawal_takes_its_exports_finished_running_and_waiting(
    rig: Rig, reviewer: Profile
) -> None:
    async with rig.browser(reviewer) as browser:
        own = (await ask(browser, kind="still", from_ms=2000, track=f"{SEATS[1]}-camera"))["id"]
        both = (await ask(browser, kind="clip", from_ms=0, to_ms=1000))["id"]
        await rig.exporting.idle()
        running = (await ask(browser, kind="film"))["id"]
        waiting = (await ask(browser, kind="bundle"))["id"]
        await in_work(browser, running)
        rig.keys.destroy(RECORDING, SEATS[0])
        gone = await rig.exports.destroy_exports_containing(RECORDING, SEATS[0])
        assert set(gone) == {both, running, waiting}
        await rig.exporting.idle()
        for export in gone:
            assert (await told(browser, export))["state"] == "destroyed"
            assert await refusal(browser, f"{PATH}/{export}/file?reason=treatment") == (410, "export_gone")
            assert not rig.keys.seats(export)
        assert (await told(browser, own))["state"] == "ready"
        after = await ask(browser, kind="film")
        assert after["seats"] == [SEATS[1]]
    assert len(rig.left()) == 1


async def test_an_export_expires_with_its_key(rig: Rig, reviewer: Profile) -> None:
    async with rig.browser(reviewer) as browser:
        export = (await ask(browser, kind="still", from_ms=2000, track=f"{SEATS[1]}-camera"))["id"]
        await rig.exporting.idle()
        expires_ms = (await told(browser, export))["expires_at_ms"]
        await rig.exports.tidy(expires_ms - 1)
        assert (await told(browser, export))["state"] == "ready"
        await rig.exports.tidy(expires_ms)
        assert (await told(browser, export))["state"] == "destroyed"
        assert await refusal(browser, f"{PATH}/{export}/file?reason=treatment") == (410, "export_gone")
    assert rig.keys.destroyed(export, ROOM)
    assert not rig.left()
    async with rig.books.database.read() as tx:
        last = (await tx.execute(select(audit).order_by(audit.c.id))).all()[-1]
    assert (last.action, last.case_id, last.detail["cause"]) == ("export_destroyed", CASE, "expired")
