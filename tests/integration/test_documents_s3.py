"""Finished documents move to the object store, are read from there, and go from there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from server.domain.documents import Part
from server.runtime.document_store import DocumentGoneError, DocumentStore
from server.runtime.keystore import KeyStore
from tests.support.s3 import s3_server

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
        assert await store.move_out(DOCUMENT, parts[:1])
        assert await store.move_out(DOCUMENT, parts), "what a kill left half done is gone on with"
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
