"""Bringing a document: in pieces, over cuts and restarts, within limits, sealed as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from server.documents import documents_of
from server.runtime.keystore import KeyStore
from server.web.documents import DOCUMENTS
from tests.support.faulty_disk import Faults, FaultyDisk, fault
from tests.support.postgres import PostgresServer
from tests.support.uploads import (
    BASE,
    BYTES,
    ByFirstBytes,
    begun,
    brought,
    checked,
    cut,
    kept,
    pdf,
    sent,
    told,
    uploaded,
)
from tests.support.website import Browser, Website, website

MB = 1024 * 1024


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", decoder=ByFirstBytes()) as made:
        yield made


async def until_kept(browser: Browser, document: str, least: int) -> int:
    """What is kept, once it is at least so much: the server notices a cut in its own time."""
    for _ in range(500):
        if (found := await kept(browser, document)) >= least:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"no more than {found} bytes were kept")


async def test_a_file_sent_in_pieces_comes_back_as_it_was_with_its_hash(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    data = pdf(300_000)
    made = await begun(lp, data, sha256=hashlib.sha256(data).hexdigest())
    assert (made["state"], made["offset"], made["may"]["resume"]) == ("uploading", 0, True)
    at = 0
    for size in (1, 99_999, 100_000, 100_000):
        answer = await sent(lp, made["id"], data[at : at + size], at)
        at += size
        assert (answer.status, answer.headers["Upload-Offset"]) == (204, str(at)), answer.text
    assert (await told(lp, made["id"]))["state"] == "checking"
    await checked(site)
    ready = await told(lp, made["id"])
    assert (ready["state"], ready["media_type"], ready["pages"]) == ("ready", "application/pdf", 2)
    assert ready["sha256"] == hashlib.sha256(data).hexdigest()
    assert ready["scan"] == "not_scanned"
    whole = await raw(lp, f"{BASE}/{made['id']}/content?reason=treatment")
    assert whole == data


async def raw(browser: Browser, path: str) -> bytes:
    async with browser._http.get(path) as response:
        assert response.status == 200
        return await response.read()


async def test_a_broken_line_keeps_what_came_and_the_upload_goes_on_from_there(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    data = pdf(3 * MB)
    made = await begun(lp, data)
    await cut(lp, made["id"], data[:MB], 0, len(data))
    at = await until_kept(lp, made["id"], MB - 512 * 1024)
    assert at <= MB
    await cut(lp, made["id"], data[at : at + 1000], at, len(data) - at)
    refused = await sent(lp, made["id"], data, 0)
    assert (refused.status, refused.code, refused.json["error"]["offset"]) == (409, "upload_offset", at)
    assert (await sent(lp, made["id"], data[at:], at)).status == 204
    await checked(site)
    assert (await told(lp, made["id"]))["sha256"] == hashlib.sha256(data).hexdigest()
    over = await sent(lp, made["id"], b"more", len(data))
    assert (over.status, over.code) == (409, "upload_over")


async def test_who_is_signed_out_meanwhile_sends_no_more(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    data = pdf(6 * MB)
    made = await begun(lp, data)
    out = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield data[: 2 * MB]
        await out.wait()
        for start in range(2 * MB, 6 * MB, 64 * 1024):
            yield data[start : start + 64 * 1024]

    headers = {**BYTES, "Upload-Offset": "0"}
    sending = asyncio.ensure_future(
        lp.ask("PATCH", f"{BASE}/{made['id']}/upload", data=body(), headers=headers)
    )
    assert (await lp.post("/api/sign-out")).status in (200, 204)
    out.set()
    with contextlib.suppress(aiohttp.ClientError):  # it is told in the middle of sending
        assert (await sending).code == "sign_in_required"
    assert await kept(await site.signed_in("referring_physician"), made["id"]) <= 4 * MB


async def test_an_upload_goes_on_after_a_restart_of_the_server(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    data = pdf(500_000)
    made = await begun(lp, data)
    assert (await sent(lp, made["id"], data[:200_000])).status == 204
    await site.stop()
    await site.listen()
    assert await kept(lp, made["id"]) == 200_000
    head = await lp.ask("HEAD", f"{BASE}/{made['id']}/upload")
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == ("200000", "500000")
    assert (await sent(lp, made["id"], data[200_000:], 200_000)).status == 204
    await checked(site)
    assert (await told(lp, made["id"]))["sha256"] == hashlib.sha256(data).hexdigest()


async def test_two_connections_that_both_go_on_do_not_mix(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    data = pdf(400_000)
    made = await begun(lp, data)
    answers = await asyncio.gather(*(sent(lp, made["id"], data[:200_000]) for _ in range(4)))
    assert sorted(one.status for one in answers) == [204, 409, 409, 409]
    assert {one.code for one in answers} == {None, "upload_offset"}
    assert await kept(lp, made["id"]) == 200_000
    assert (await sent(lp, made["id"], data[200_000:], 200_000)).status == 204
    await checked(site)
    assert (await told(lp, made["id"]))["sha256"] == hashlib.sha256(data).hexdigest()
    assert len(list((site.settings.documents_dir / made["id"]).iterdir())) == 2


@pytest.mark.long
async def test_on_postgresql_it_is_the_same(tmp_path: Path, postgres: PostgresServer) -> None:
    url = await postgres.migrated()
    async with website(tmp_path / "data", decoder=ByFirstBytes(), database_url=url) as site:
        await test_two_connections_that_both_go_on_do_not_mix(site)
        await test_what_is_not_what_was_announced_is_refused_and_its_bytes_are_gone(site)


async def test_nothing_lies_in_the_clear_and_no_name_is_in_a_path(site: Website, tmp_path: Path) -> None:
    lp = await site.signed_in("referring_physician")
    data = pdf(200_000)
    document = await brought(site, lp, data, name="Akhmetov Nurlan 1970.pdf")
    lying = [path for path in site.settings.documents_dir.rglob("*") if path.is_file()]
    assert lying
    for path in lying:
        content = path.read_bytes()
        assert b"%PDF" not in content
        assert data[1000:1032] not in content
        assert "Akhmetov" not in str(path)
    assert (await told(lp, document))["name"] == "Akhmetov Nurlan 1970.pdf"


async def test_what_is_not_what_was_announced_is_refused_and_its_bytes_are_gone(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    wrong = await brought(site, lp, pdf(1000), sha256="0" * 64)
    strange = await brought(site, lp, b"MZ a program")
    codes = {"document_different": wrong, "document_kind": strange}
    for code, document in codes.items():
        row = await told(lp, document)
        assert (row["state"], row["refused"], row["may"]["download"]) == ("refused", code, False)
        assert not (site.settings.documents_dir / document).exists()
        gone = await lp.get(f"{BASE}/{document}/content?reason=treatment")
        assert (gone.status, gone.code) == (410, "document_gone")


async def test_what_cannot_be_taken_is_refused_with_a_code(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    for body, code in (
        ({"size": 0}, "document_empty"),
        ({"size": 2**42}, "document_too_large"),
        ({"kind": "gossip"}, "bad_request"),
        ({"visibility": "everybody"}, "bad_request"),
        ({"name": "///"}, "bad_request"),
        ({"sha256": "xyz"}, "bad_request"),
    ):
        answer = await lp.post(BASE, {"name": "a.pdf", "size": 5, "kind": "report", **body})
        assert answer.code == code, body
    made = await begun(lp, pdf(1000))
    path = f"{BASE}/{made['id']}/upload"
    for headers in ({}, {"Upload-Offset": "0"}, {**BYTES}, {**BYTES, "Upload-Offset": "-1"}):
        answer = await lp.ask("PATCH", path, data=b"x", headers=headers)
        assert answer.status == 415, headers
    too_much = await sent(lp, made["id"], pdf(2000))
    assert (too_much.status, too_much.code) == (400, "bad_request")
    assert await kept(lp, made["id"]) == 0
    other = await site.signed_in("site_operator")
    assert (await sent(other, made["id"], pdf(1000))).code == "not_found", "only who began it goes on"


async def test_asking_twice_begins_once_and_limits_hold(tmp_path: Path) -> None:
    limits = {"uploads_per_account": 2, "max_case_gb": 1, "max_case_files": 3}
    async with website(tmp_path / "data", decoder=ByFirstBytes(), documents=limits) as site:
        lp = await site.signed_in("referring_physician")
        first = await begun(lp, pdf(1000), request="page-1-file-1")
        assert (await begun(lp, pdf(1000), request="page-1-file-1"))["id"] == first["id"]
        other = {"name": "b.pdf", "size": 7, "kind": "report", "request": "page-1-file-1"}
        assert (await lp.post(BASE, other)).code == "request_reused"
        assert (await lp.post(BASE, {**other, "size": 2**30, "request": "x"})).code == "documents_full"
        await begun(lp, pdf(1000))
        assert (await lp.post(BASE, {**other, "request": "y"})).code == "too_many_uploads"
        assert (await lp.post(f"{BASE}/{first['id']}/upload/cancel")).status == 204
        assert (await sent(lp, first["id"], pdf(1000))).code == "upload_over"
        await uploaded(lp, pdf(1000))
        lo = await site.signed_in("site_operator")
        await uploaded(lo, pdf(1000))
        assert (await lo.post(BASE, {**other, "request": "z"})).code == "documents_full"


async def test_an_upload_that_nobody_goes_on_with_expires_and_leaves_nothing(site: Website) -> None:
    lp = await site.signed_in("referring_physician")
    data = pdf(200_000)
    made = await begun(lp, data)
    assert (await sent(lp, made["id"], data[:100_000])).status == 204
    site.clock.advance(hours=71)
    await checked(site)
    lp = await site.signed_in("referring_physician")
    assert (await told(lp, made["id"]))["state"] == "uploading"
    site.clock.advance(hours=2)
    await checked(site)
    assert (await told(lp, made["id"]))["state"] == "expired"
    assert not (site.settings.documents_dir / made["id"]).exists()
    assert (await sent(lp, made["id"], data[100_000:], 100_000)).code == "upload_over"


async def test_a_full_disk_says_so_and_loses_nothing_that_was_kept(site: Website, tmp_path: Path) -> None:
    faults = Faults(tmp_path)
    keys = await asyncio.to_thread(KeyStore.open, site.settings.data_dir)
    disk = FaultyDisk(faults.control)
    site.documents = documents_of(site.services.context, keys, disk=disk, decoder=ByFirstBytes())
    assert site.runner is not None
    site.runner.app._state[DOCUMENTS] = site.documents.parts
    lp = await site.signed_in("referring_physician")
    data = pdf(600_000)
    made = await begun(lp, data)
    assert (await sent(lp, made["id"], data[:200_000])).status == 204
    for full in (fault("before_write_at", error="ENOSPC"), fault("before_sync", error="ENOSPC")):
        faults.set(full)
        answer = await sent(lp, made["id"], data[200_000:], 200_000)
        assert (answer.status, answer.code) == (507, "storage_full")
        assert await kept(lp, made["id"]) == 200_000
        assert len(list((site.settings.documents_dir / made["id"]).iterdir())) == 1
    faults.set(free=100)
    assert (await sent(lp, made["id"], data[200_000:], 200_000)).code == "storage_full"
    assert (await lp.post(BASE, {"name": "a", "size": 9, "kind": "report"})).code == "storage_full"
    faults.set()
    assert (await sent(lp, made["id"], data[200_000:], 200_000)).status == 204
    await checked(site)
    assert (await told(lp, made["id"]))["sha256"] == hashlib.sha256(data).hexdigest()


async def test_what_the_disk_does_not_give_now_is_judged_later_and_what_is_damaged_is_refused(
    site: Website,
) -> None:
    lp = await site.signed_in("referring_physician")
    first, second = await uploaded(lp, pdf(1000)), await uploaded(lp, pdf(1000, 1))
    (part,) = (site.settings.documents_dir / first).iterdir()
    aside = part.rename(site.settings.documents_dir / "aside")
    part.mkdir()  # reading it is an error of the system, not of the bytes
    (other,) = (site.settings.documents_dir / second).iterdir()
    other.write_bytes(bytes(200) + other.read_bytes()[200:])
    await checked(site)
    assert (await told(lp, first))["state"] == "checking"
    assert (await told(lp, second))["refused"] == "document_damaged"
    part.rmdir()
    aside.rename(part)
    site.clock.advance(hours=0.1)
    await checked(site)
    assert (await told(lp, first))["state"] == "ready"
