"""Playback over real HTTP: any range is the slice, and only for whom it may be."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from server.storage import audit as audit_chain
from server.storage.schema import watch_spans
from server.storage.schema_audit import audit
from tests.integration.playback_rig import PlaybackRig, Profile
from tests.support.journals import CASE, CONSULTATION, RECORDING, SEATS

PATH = f"/api/recordings/{RECORDING}"
TRACK = f"{PATH}/tracks/{SEATS[0]}-camera"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[PlaybackRig]:
    made = await PlaybackRig().open(tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def reviewer(rig: PlaybackRig) -> Profile:
    return await rig.profile("acc-reviewer", ("reviewer",), "follows")


async def test_the_index_joins_people_with_what_was_stored(rig: PlaybackRig, reviewer: Profile) -> None:
    await decline(rig, SEATS[2])
    async with rig.browser(reviewer) as browser, browser.get(PATH) as response:
        assert response.status == 200
        assert response.headers["Cache-Control"] == "private, no-store"
        told = await response.json()
    assert (told["id"], told["state"], told["generation"]) == (RECORDING, "ready", 1)
    assert (told["consultation_id"], told["case_id"], told["chain"]) == (CONSULTATION, CASE, "intact")
    assert [row["participant"] for row in told["declined"]] == [SEATS[2]]
    assert told["declined"][0]["role"] == "interpreter"
    assert {row["id"] for row in told["tracks"]} == {
        f"{seat}-{kind}" for seat in SEATS[:2] for kind in ("audio", "camera")
    }
    for row in told["tracks"]:
        assert row["name"] == f"Synthetic {row['role']}"
        assert row["language"] == "ru"
        assert row["present"]
        assert 0 <= row["offset_ms"] < 500
        assert 3000 < row["duration_ms"] < 6000
        assert row["sync_error_ms"] >= 0
        assert ("width" in row) == (row["kind"] == "camera")


async def decline(rig: PlaybackRig, seat: str) -> None:
    from sqlalchemy import insert

    from server.storage.schema import consents

    async with rig.books.database.write() as tx:
        await tx.execute(
            insert(consents).values(
                id="consent-synthetic-1",
                consultation_id=CONSULTATION,
                seat_id=seat,
                purpose="recording",
                decision="declined",
                persons=["Synthetic"],
                version="1",
                language="ru",
                at_ms=1,
            )
        )


async def test_who_may_watch(rig: PlaybackRig, reviewer: Profile) -> None:
    allowed = [reviewer, await rig.profile("acc-consulting", ("consulting_physician",), "invited")]
    refused = [
        await rig.profile("acc-other-reviewer", ("reviewer",)),
        await rig.profile("acc-other-consult", ("consulting_physician",)),
        await rig.profile("acc-referring", ("referring_physician",)),
        await rig.profile("acc-coordinator", ("coordinator",)),
        await rig.profile("acc-interpreter", ("interpreter",), "follows"),
        await rig.profile("acc-site-admin", ("site_admin",), "follows"),
    ]
    for profile in allowed:
        async with rig.browser(profile) as browser:
            for path in (PATH, TRACK):
                async with browser.get(path) as response:
                    assert response.status == 200, (profile.account, path)
    for profile in [*refused, None]:
        async with rig.browser(profile) as browser:
            for path in (PATH, TRACK, f"{PATH}/tracks/nothing", "/api/recordings/rec_synthetic-0009"):
                async with browser.get(path, headers={"Range": "bytes=0-9"}) as response:
                    body = await response.json()
                    assert response.status in ((403, 404) if profile else (401, 403)), path
                    assert body["error"]["code"] in ("forbidden", "not_found", "sign_in_required")
                    if RECORDING in path:
                        assert response.status != 404
            post = browser.post(f"{PATH}/watched", json={"spans": [[0, 1]]})
            async with post as response:
                assert response.status in (401, 403)


async def test_a_whole_track_is_the_signed_plaintext_and_nobody_may_keep_it(
    rig: PlaybackRig, reviewer: Profile
) -> None:
    whole = await rig.plaintext(f"{SEATS[0]}-camera")
    async with rig.browser(reviewer) as browser, browser.get(TRACK) as response:
        assert response.status == 200
        assert response.headers["Cache-Control"] == "private, no-store"
        assert response.headers["Accept-Ranges"] == "bytes"
        assert response.headers["Content-Type"] == "video/webm"
        assert int(response.headers["Content-Length"]) == len(whole)
        assert await response.read() == whole
    assert whole.startswith(b"\x1aE\xdf\xa3")
    assert hashlib.sha256(whole).hexdigest()[:32] in response.headers["ETag"]


async def test_a_head_request_tells_the_size_and_sends_nothing(rig: PlaybackRig, reviewer: Profile) -> None:
    whole = await rig.plaintext(f"{SEATS[0]}-camera")
    async with rig.browser(reviewer) as browser, browser.head(TRACK) as response:
        assert response.status == 200
        assert int(response.headers["Content-Length"]) == len(whole)
        assert await response.read() == b""


async def test_any_range_is_the_slice(rig: PlaybackRig, reviewer: Profile) -> None:
    whole = await rig.plaintext(f"{SEATS[0]}-camera")
    size = len(whole)
    assert size > 140_000, "more than two sealed segments, or the test shows little"
    edges = st.sampled_from([0, 1, 65479, 65480, 65481, 131_000, 131_001, size - 1, size, size + 1])
    place = st.integers(0, size + 10) | edges
    asked: list[tuple[str, int, int]] = []

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(form=st.sampled_from(["closed", "open", "suffix"]), first=place, last=place)
    def collect(form: str, first: int, last: int) -> None:
        asked.append((form, first, last))

    collect()
    async with rig.browser(reviewer) as browser:
        for form, first, last in asked:
            await check_range(browser, whole, form, first, last)


async def check_range(browser: ClientSession, whole: bytes, form: str, first: int, last: int) -> None:
    size = len(whole)
    header, wanted = {
        "closed": (f"bytes={first}-{last}", (first, min(last + 1, size))),
        "open": (f"bytes={first}-", (first, size)),
        "suffix": (f"bytes=-{first}", (size - min(first, size), size)),
    }[form]
    async with browser.get(TRACK, headers={"Range": header}) as response:
        body = await response.read()
    if form == "closed" and last < first:
        assert (response.status, body) == (200, whole)
    elif wanted[0] >= wanted[1]:
        assert response.status == 416
        assert response.headers["Content-Range"] == f"bytes */{size}"
    else:
        assert response.status == 206
        assert response.headers["Content-Range"] == f"bytes {wanted[0]}-{wanted[1] - 1}/{size}"
        assert body == whole[slice(*wanted)]


async def test_if_range_and_if_none_match_follow_the_validator(rig: PlaybackRig, reviewer: Profile) -> None:
    async with rig.browser(reviewer) as browser:
        async with browser.head(TRACK) as response:
            etag = response.headers["ETag"]
        cases = [
            ({"Range": "bytes=0-9", "If-Range": etag}, 206),
            ({"Range": "bytes=0-9", "If-Range": '"other"'}, 200),
            ({"Range": "bytes=0-9", "If-Range": f"W/{etag}"}, 200),
            ({"Range": "bytes=0-9", "If-Range": "Wed, 21 Oct 2026 07:28:00 GMT"}, 200),
            ({"If-None-Match": etag}, 304),
            ({"If-None-Match": f"W/{etag}", "Range": "bytes=0-9"}, 304),
            ({"If-None-Match": '"other"', "Range": "bytes=0-9"}, 206),
            ({"Range": "bytes=99999999-"}, 416),
        ]
        for headers, status in cases:
            async with browser.get(TRACK, headers=headers) as response:
                assert response.status == status, headers
        async with browser.head(f"{PATH}/tracks/{SEATS[1]}-camera") as response:
            assert response.headers["ETag"] != etag


async def test_tracks_that_are_not_there_are_not_found(rig: PlaybackRig, reviewer: Profile) -> None:
    async with rig.browser(reviewer) as browser:
        for name in ("nothing", "index", "manifest.json", "..%2f..%2fsecrets", f"{SEATS[2]}-camera"):
            async with browser.get(f"{PATH}/tracks/{name}") as response:
                assert response.status == 404, name
        async with browser.get(f"{PATH}/tracks/%00") as response:
            assert (response.status, (await response.json())["error"]["code"]) == (400, "text_refused")


async def test_a_shredded_seat_is_offered_no_more(rig: PlaybackRig, reviewer: Profile) -> None:
    async with rig.browser(reviewer) as browser:
        assert (await browser.get(TRACK, headers={"Range": "bytes=0-9"})).status == 206
        rig.keys.destroy(RECORDING, SEATS[0])
        assert (await browser.get(TRACK, headers={"Range": "bytes=0-9"})).status == 410
        told = await (await browser.get(PATH)).json()
    assert {row["participant"] for row in told["tracks"]} == {SEATS[1]}


async def test_opening_is_audited_once_per_track_and_the_chain_holds(
    rig: PlaybackRig, reviewer: Profile
) -> None:
    async with rig.browser(reviewer) as browser:
        await (await browser.get(PATH)).read()
        for start in range(0, 3000, 1000):
            headers = {"Range": f"bytes={start}-{start + 9}"}
            await (await browser.get(TRACK, headers=headers)).read()
    async with rig.books.database.read() as tx:
        rows = (await tx.execute(select(audit).order_by(audit.c.id))).all()
        assert await audit_chain.first_broken(tx) is None
    told = [(row.action, row.account_id, row.subject_id, row.case_id) for row in rows]
    who = ("acc-reviewer", RECORDING, CASE)
    assert told == [("recording_opened", *who), ("recording_track_opened", *who)]
    assert rows[0].address == "127.0.0.1"


async def test_watched_seconds_are_kept_by_person_and_nonsense_is_refused(
    rig: PlaybackRig, reviewer: Profile
) -> None:
    async with rig.browser(reviewer) as browser:
        for spans in ([[0, 1000], [500, 2000]], [[3000, 99_999_999]]):
            async with browser.post(f"{PATH}/watched", json={"spans": spans}) as response:
                assert response.status == 204
        nonsense: list[object] = [
            {},
            [],
            {"spans": 1},
            {"spans": [[1]]},
            {"spans": [[5, 1]]},
            {"spans": [[-1, 5]]},
            {"spans": [[0.5, 1]]},
            {"spans": [["0", 1]]},
            {"spans": [[0, 1]] * 501},
            {"spans": [[0, 1]], "more": 1},
        ]
        for body in nonsense:
            async with browser.post(f"{PATH}/watched", json=body) as response:
                assert response.status == 400, body
    row = await rig.books.rows.get(RECORDING)
    assert row is not None
    assert await rig.books.rows.watched(RECORDING, reviewer.account) == [(0, 2000), (3000, row.duration_ms)]
    async with rig.books.database.read() as tx:
        assert len((await tx.execute(select(watch_spans))).all()) == 3


async def test_two_readers_at_once_get_what_each_asked_for(rig: PlaybackRig, reviewer: Profile) -> None:
    names = [f"{seat}-{kind}" for seat in SEATS[:2] for kind in ("audio", "camera")]
    wanted = [await rig.plaintext(name) for name in names]

    async def fetch(browser: ClientSession, name: str) -> bytes:
        async with browser.get(f"{PATH}/tracks/{name}") as response:
            return await response.read()

    async with rig.browser(reviewer) as browser:
        got = await asyncio.gather(*(fetch(browser, name) for name in names * 3))
    assert got == wanted * 3
