"""A document is what its first bytes say."""

from __future__ import annotations

import subprocess
import sys

import pytest

from server.decode import kinds
from server.decode.inspection import SUFFIX, Inspection
from tests.support import documents

KINDS = {
    "application/pdf": documents.pdf,
    "image/jpeg": documents.jpeg,
    "image/png": documents.png,
    "image/heic": documents.heic,
    "application/dicom": documents.dicom,
    "application/zip": lambda: documents.zipped({"a": b"1"}),
    "video/mp4": documents.film,
    "video/quicktime": lambda: documents.film("mov"),
    "video/webm": lambda: documents.film("webm", "libvpx"),
}


@pytest.mark.parametrize("media_type", KINDS)
def test_each_kind_that_is_taken_is_known_by_its_beginning(media_type: str) -> None:
    assert kinds.media_type(KINDS[media_type]()[: kinds.HEAD]) == media_type
    assert media_type in SUFFIX
    assert Inspection(media_type=media_type).suffix == SUFFIX[media_type]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"MZ\x90\0",
        b"<html><script>",
        b"<svg xmlns=",
        b"#!/bin/sh",
        b"GIF89a",
        b"II*\0",
        b"Rar!\x1a\x07",
        b"7z\xbc\xaf\x27\x1c",
        b"\0\0\0\x1cftypavif",
        b"\x1aE\xdf\xa3" + b"\x42\x82\x88matroska",
        b"x%PDF-1.7",
        b"RIFF\0\0\0\0WEBP",
        bytes(132),
    ],
)
def test_nothing_else_is(head: bytes) -> None:
    assert kinds.media_type(head.ljust(kinds.HEAD, b" ")) == ""


def test_the_parent_knows_no_library_that_decodes() -> None:
    found = subprocess.run(
        [sys.executable, "-c", "import sys, server.decode.decoder; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert "server.decode.wire" in found
    assert not {"pypdfium2", "pi_heif", "pydicom", "gdcm", "PIL", "av", "numpy"} & set(found)
