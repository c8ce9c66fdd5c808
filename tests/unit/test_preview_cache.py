"""Pictures of pages: sealed under the document's key, bounded, gone with the document, and never needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from media.recordstore.disk import DISK, Disk, Space
from server.runtime.document_store import DocumentGoneError, DocumentStore
from server.runtime.keystore import KeyStore
from server.runtime.preview_cache import SPARE, PreviewCache
from tests.unit.test_documents import CASE, DOCUMENT, OTHER, written

KEY = bytes(range(32))
PICTURE = b"\x89PNG a picture of a page, which is marked SYNTHETIC" * 20


class Full(Disk):
    """With so much room."""

    def __init__(self, free: int) -> None:
        self.free = free

    def space(self, directory: Path) -> Space:
        return Space(10 * SPARE, self.free)


def cache(folder: Path, limit: int = 100_000, disk: Disk = DISK, floor: int = 0) -> PreviewCache:
    return PreviewCache(folder / "previews", disk, limit, floor)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder / "previews")) for path in (folder / "previews").glob("*/*"))


def test_a_picture_is_found_again_by_page_and_width_also_after_a_restart(tmp_path: Path) -> None:
    one = cache(tmp_path)
    assert one.find(DOCUMENT, 0, 512, KEY) is None
    one.keep(DOCUMENT, 0, 512, KEY, PICTURE)
    for held in (one, cache(tmp_path)):
        assert held.find(DOCUMENT, 0, 512, KEY) == PICTURE
        assert held.find(DOCUMENT, 1, 512, KEY) is None
        assert held.find(DOCUMENT, 0, 256, KEY) is None
        assert held.find(OTHER, 0, 512, KEY) is None
    assert (one.hits, one.made) == (1, 1)


def test_nothing_of_a_picture_lies_in_the_clear_and_another_key_opens_nothing(tmp_path: Path) -> None:
    cache(tmp_path).keep(DOCUMENT, 0, 512, KEY, PICTURE)
    (path,) = (tmp_path / "previews").glob("*/*")
    assert b"SYNTHETIC" not in path.read_bytes()
    assert cache(tmp_path).find(DOCUMENT, 0, 512, bytes(32)) is None


@pytest.mark.parametrize("damage", [b"", b"short", PICTURE * 4])
def test_what_is_damaged_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    one = cache(tmp_path)
    one.keep(DOCUMENT, 0, 512, KEY, PICTURE)
    (path,) = (tmp_path / "previews").glob("*/*")
    path.write_bytes(damage)
    assert one.find(DOCUMENT, 0, 512, KEY) is None
    assert files(tmp_path) == []
    one.keep(DOCUMENT, 0, 512, KEY, PICTURE)
    assert one.find(DOCUMENT, 0, 512, KEY) == PICTURE


def test_one_page_is_not_taken_for_another(tmp_path: Path) -> None:
    one = cache(tmp_path)
    one.keep(DOCUMENT, 0, 512, KEY, PICTURE)
    folder = tmp_path / "previews" / DOCUMENT
    (folder / "0-512.sealed").rename(folder / "1-512.sealed")
    assert one.find(DOCUMENT, 1, 512, KEY) is None


def test_what_was_looked_at_longest_ago_goes_first(tmp_path: Path) -> None:
    one = cache(tmp_path, limit=9_000)
    for page in range(9):
        one.keep(DOCUMENT, page, 512, KEY, PICTURE)
        one.find(DOCUMENT, 0, 512, KEY)
    assert one.held_bytes <= 9_000
    assert one.find(DOCUMENT, 0, 512, KEY) == PICTURE, "it is looked at all the time"
    assert one.find(DOCUMENT, 1, 512, KEY) is None
    assert one.find(DOCUMENT, 8, 512, KEY) == PICTURE
    assert sum(path.stat().st_size for path in (tmp_path / "previews").glob("*/*")) == one.held_bytes


def test_no_picture_takes_room_that_a_recording_needs_nor_much_of_the_whole(tmp_path: Path) -> None:
    size = len(PICTURE)
    for disk, floor, kept in ((Full(SPARE + size), 0, True), (Full(SPARE + size), 1, False)):
        one = cache(tmp_path / str(kept), disk=disk, floor=floor)
        (tmp_path / str(kept)).mkdir()
        one.keep(DOCUMENT, 0, 512, KEY, PICTURE)
        assert (one.find(DOCUMENT, 0, 512, KEY) is not None) is kept
    large = cache(tmp_path, limit=8 * size - 1)
    large.keep(DOCUMENT, 0, 512, KEY, PICTURE)
    assert files(tmp_path) == []
    off = cache(tmp_path, limit=0)
    off.keep(DOCUMENT, 0, 512, KEY, PICTURE)
    assert off.find(DOCUMENT, 0, 512, KEY) is None


def test_what_a_killed_server_was_writing_is_cleared_away(tmp_path: Path) -> None:
    one = cache(tmp_path)
    one.keep(DOCUMENT, 0, 512, KEY, PICTURE)
    (tmp_path / "previews" / DOCUMENT / "1-512.sealed.tmp").write_bytes(b"half")
    again = cache(tmp_path)
    again.keep(DOCUMENT, 2, 512, KEY, PICTURE)
    assert files(tmp_path) == [f"{DOCUMENT}/0-512.sealed", f"{DOCUMENT}/2-512.sealed"]


async def test_the_pictures_go_with_the_document_and_none_is_kept_of_one_that_is_gone(tmp_path: Path) -> None:
    store = DocumentStore(tmp_path / "documents", KeyStore.open(tmp_path), preview_bytes=100_000)
    parts = written(store, b"bytes")
    written(store, b"other", document=OTHER)
    for document in (DOCUMENT, OTHER):
        store.keep_preview_now(CASE, document, 0, 512, PICTURE)
        assert store.preview_now(CASE, document, 0, 512) == PICTURE
    assert store.left_now(DOCUMENT)
    await store.destroy(CASE, DOCUMENT, parts)
    store.keep_preview_now(CASE, DOCUMENT, 0, 512, PICTURE)
    assert not store.left_now(DOCUMENT)
    assert files(tmp_path) == [f"{OTHER}/0-512.sealed"]
    with pytest.raises(DocumentGoneError, match="document_destroyed"):
        store.preview_now(CASE, DOCUMENT, 0, 512)
