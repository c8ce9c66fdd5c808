"""Exports from the request to the file: by whom, with which reason, and what is left when it is ended."""

from __future__ import annotations

import hashlib
import io
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest
from sqlalchemy import select

from server.runtime.keystore import ROOM
from server.storage import audit as audit_chain
from server.storage.schema_audit import audit
from tests.integration.exporting_rig import PATH, ExportsRig, ask, in_work, refusal, told
from tests.integration.playback_rig import Profile
from tests.support.demo import children
from tests.support.journals import CASE, RECORDING, SEATS


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[ExportsRig]:
    made = await ExportsRig().open(tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def reviewer(rig: ExportsRig) -> Profile:
    return await rig.profile("acc-reviewer", ("reviewer",), "follows")


async def test_a_clip_is_asked_for_made_and_fetched_with_a_reason(rig: ExportsRig, reviewer: Profile) -> None:
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


async def check_audit(rig: ExportsRig, export: str) -> None:
    async with rig.books.database.read() as tx:
        rows = (await tx.execute(select(audit).order_by(audit.c.id))).all()
        assert await audit_chain.first_broken(tx) is None
    who = ("acc-reviewer", export, CASE)
    assert [(row.action, row.account_id, row.subject_id, row.case_id) for row in rows] == [
        ("export_asked", *who),
        ("export_downloaded", *who),
    ]
    assert rows[1].detail == {"recording": RECORDING, "kind": "clip", "reason": "second_opinion"}


async def test_only_those_who_may_watch_may_export(rig: ExportsRig, reviewer: Profile) -> None:
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


async def test_nonsense_is_refused(rig: ExportsRig, reviewer: Profile) -> None:
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


async def test_cancelled_in_the_middle_nothing_is_left(rig: ExportsRig, reviewer: Profile) -> None:
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
    rig: ExportsRig, reviewer: Profile
) -> None:
    async with rig.browser(reviewer) as browser:
        export = (await ask(browser, kind="clip", from_ms=0, to_ms=10_000))["id"]
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


async def test_what_a_stopped_server_left_is_made_after_its_start(rig: ExportsRig, reviewer: Profile) -> None:
    async with rig.browser(reviewer) as browser:
        export = (await ask(browser, kind="clip", from_ms=0, to_ms=10_000))["id"]
        pid = await in_work(browser, export)
        await rig.exporting.stop()
        assert pid not in children(os.getpid())
        assert (await told(browser, export))["state"] == "running"
        rig.exporting = await rig.start_queue()
        await rig.exporting.idle()
        assert (await told(browser, export))["state"] == "ready"


async def test_a_seats_withdrawal_takes_its_exports_finished_running_and_waiting(
    rig: ExportsRig, reviewer: Profile
) -> None:
    async with rig.browser(reviewer) as browser:
        own = (await ask(browser, kind="still", from_ms=2000, track=f"{SEATS[1]}-camera"))["id"]
        both = (await ask(browser, kind="clip", from_ms=0, to_ms=1000))["id"]
        await rig.exporting.idle()
        running = (await ask(browser, kind="film"))["id"]
        waiting = (await ask(browser, kind="bundle"))["id"]
        await in_work(browser, running)
        rig.keys.destroy(RECORDING, SEATS[0])
        gone = await rig.exports.destroy_of(RECORDING, SEATS[0])
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


async def test_an_export_expires_with_its_key(rig: ExportsRig, reviewer: Profile) -> None:
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
