"""A document on its way to a scanner is a zip that every unpacker reads, and the doctor's sample one too."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator

import pytest

from server.commands.scan_check import TEST_FILE, LargeSample
from server.runtime.scan_wrap import OVERHEAD, wrapped


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 700])
async def test_a_wrapped_document_is_a_zip_with_it_as_it_is(data: bytes) -> None:
    whole = b"".join([piece async for piece in wrapped(pieces(data, 1000), len(data))])
    assert len(whole) == len(data) + OVERHEAD
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert [archive.read(one) for one in archive.infolist()] == [data]


@pytest.mark.parametrize("size", [1000, 65_536, 1_000_003])
async def test_the_doctors_sample_is_a_zip_of_that_size_with_the_test_file_last(size: int) -> None:
    sample = LargeSample(size)
    whole = b"".join([await sample.read(at, 7777) for at in range(0, size, 7777)])
    assert len(whole) == size == sample.size
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert archive.read("eicar.com") == TEST_FILE
    assert whole == await sample.read(0, size)
