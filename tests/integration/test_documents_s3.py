"""Finished documents move to the object store, also after it was away; are read and go from there."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from server.domain.documents import Part
from server.runtime.document_store import DocumentGoneError, DocumentStore
from server.runtime.keystore import KeyStore
from server.services.demo import CASE_ID
from server.storage import documents
from tests.support.s3 import S3Server, s3_server
from tests.support.uploads import BASE, ByFirstBytes, brought, checked, pdf
from tests.support.website import Browser, Website, website

CASE, DOCUMENT = "case-0000000000000001", "document-000000000001"


async def test_parts_move_out_are_read_in_ranges_and_are_destroyed_there_too(tmp_path: Path) -> None:
    with s3_server() as s3:
        bucket = s3.bucket("documents-test")
        store = DocumentStore(tmp_path / "documents", KeyStore.open(tmp_path), remote=bucket)
        pieces, parts = [bytes([n + 1]) * 200_000 for n in range(3)], list[Part]()
        for number, piece in enumerate(pieces, 1):
            writer = await asyncio.to_thread(store.begin_now, CASE, DOCUMENT, number)
            await asyncio.to_thread(writer.write, piece)
            parts.append(await asyncio.to_thread(writer.commit, 200_000 * (number - 1)))
        assert await store.move_out(CASE, DOCUMENT, parts[:1])
        assert await store.move_out(CASE, DOCUMENT, parts), "what a kill left half done is gone on with"
        assert not (tmp_path / "documents" / DOCUMENT).exists()
        reader = await asyncio.to_thread(store.reader_now, CASE, DOCUMENT, parts)
        whole = b"".join(pieces)
        for start, length in ((0, 600_000), (199_990, 20), (399_999, 5), (599_999, 9)):
            assert await reader.read(start, length) == whole[start : start + length]
        reader.close()
        lying = await asyncio.to_thread(bucket.listing, "documents")
        assert len(lying) == 3
        await bucket.delete(f"documents/{DOCUMENT}/{parts[1].file}")
        reader = await asyncio.to_thread(store.reader_now, CASE, DOCUMENT, parts)
        assert await reader.read(0, 200_000) == pieces[0]
        with pytest.raises(DocumentGoneError, match="document_damaged"):
            await reader.read(200_000, 1)
        reader.close()
        await store.destroy(CASE, DOCUMENT, parts)
        assert await asyncio.to_thread(bucket.listing, "documents") == []
        with pytest.raises(DocumentGoneError, match="document_destroyed"):
            await asyncio.to_thread(store.reader_now, CASE, DOCUMENT, parts)


async def told(site: Website, name: str) -> float:
    """A number of /metrics."""
    lines = (await site.browser().get("/metrics")).text.splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split(" ")[1])


async def whole(browser: Browser, document: str) -> str:
    async with browser._http.get(f"{BASE}/{document}/content?reason=treatment") as answer:
        return hashlib.sha256(await answer.read()).hexdigest()


async def moved(site: Website) -> None:
    assert site.documents is not None
    await site.documents.checks.moves.turn()


def lying(s3: S3Server) -> int:
    return len(s3.bucket("documents-test").listing("documents"))


async def test_what_the_store_could_not_take_waits_here_and_is_moved_when_it_is_back(tmp_path: Path) -> None:
    with s3_server() as s3:
        bucket = s3.bucket("documents-test")
        async with website(tmp_path / "data", decoder=ByFirstBytes(), remote=bucket) as site:
            lp = await site.signed_in("referring_physician")
            s3.stop()
            first = await brought(site, lp, pdf(300_000))
            await moved(site)
            second = await brought(site, lp, pdf(200_000, seed=1))
            ready = (await site.browser().get("/readyz")).json
            assert "documents_moved" in ready["degraded"]
            failures = "hyeopjin_documents_move_failures"
            assert await told(site, failures) == 1
            for _ in range(3):
                await moved(site)  # not before its time
            assert (await told(site, failures), await told(site, "hyeopjin_documents_to_move")) == (1, 2)
            site.clock.advance(seconds=31)
            await moved(site)
            assert await told(site, failures) == 2
            assert await told(site, "hyeopjin_documents_to_move_oldest_seconds") >= 31
            for document, size, seed in ((first, 300_000, 0), (second, 200_000, 1)):
                assert await whole(lp, document) == hashlib.sha256(pdf(size, seed)).hexdigest(), "from here"

            await asyncio.to_thread(s3.start)
            site.clock.advance(seconds=31)
            await moved(site)
            assert lying(s3) == 0, "twice as long after the second time"
            site.clock.advance(seconds=31)
            await moved(site)
            assert lying(s3) == 2
            assert list(site.settings.documents_dir.iterdir()) == []
            for name in (failures, "hyeopjin_documents_to_move"):
                assert await told(site, name) == 0
            assert await told(site, "hyeopjin_documents_moved") == 2
            assert "documents_moved" not in (await site.browser().get("/readyz")).json["degraded"]
            for document, size, seed in ((first, 300_000, 0), (second, 200_000, 1)):
                assert await whole(lp, document) == hashlib.sha256(pdf(size, seed)).hexdigest(), "from there"


@pytest.mark.long
async def test_a_name_that_is_taken_there_does_not_stop_the_others(tmp_path: Path) -> None:
    with s3_server() as s3:
        bucket = s3.bucket("documents-test")
        async with website(tmp_path / "data", decoder=ByFirstBytes(), remote=bucket) as site:
            lp = await site.signed_in("referring_physician")
            stuck = await brought(site, lp, pdf(1000))
            part = next((site.settings.documents_dir / stuck).iterdir())
            await bucket.put_new(f"documents/{stuck}/{part.stem}", b"something else")
            free = await brought(site, lp, pdf(2000))
            await moved(site)
            assert [path.name for path in site.settings.documents_dir.iterdir()] == [stuck]
            assert await told(site, "hyeopjin_documents_to_move") == 1
            assert (await site.browser().get("/readyz")).json["degraded"] == [], "the store answers"
            assert await whole(lp, stuck) == hashlib.sha256(pdf(1000)).hexdigest()
            assert await whole(lp, free) == hashlib.sha256(pdf(2000)).hexdigest()


@pytest.mark.long
async def test_what_is_destroyed_while_it_waits_is_never_put_there(tmp_path: Path) -> None:
    with s3_server() as s3:
        bucket = s3.bucket("documents-test")
        async with website(tmp_path / "data", decoder=ByFirstBytes(), remote=bucket) as site:
            lp = await site.signed_in("referring_physician")
            s3.stop()
            document = await brought(site, lp, pdf(1000))
            await moved(site)
            async with site.database.read() as tx:
                parts = await documents.parts_of(tx, document)
            await lp.post(f"{BASE}/{document}/withdraw", {"reason": "wrong_file"})
            await checked(site)
            assert not (site.settings.documents_dir / document).exists()
            await asyncio.to_thread(s3.start)
            store = DocumentStore(
                site.settings.documents_dir, KeyStore.open(site.settings.data_dir), remote=bucket
            )
            (site.settings.documents_dir / document).mkdir()
            (site.settings.documents_dir / document / f"{parts[0].file}.sealed").write_bytes(
                b"as if it came late"
            )
            assert await store.move_out(CASE_ID, document, parts) is False
            await checked(site)
            await moved(site)
            assert lying(s3) == 0
