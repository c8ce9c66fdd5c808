"""DICOM files in a zip: all of them whose they are, and the order in which they are turned over.

Previews need the order, which takes a look at every file; so it is told once (`order`) and given back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, BinaryIO

from server.decode import archive, dicom
from server.decode.limits import LARGEST_ENTRY_SHOWN, MOST_FRAMES, Unfit

_ONE = re.compile(r"(\d{1,6})(?:-(\d{1,6})|\*(\d{1,6}))?")


def inspect(file: BinaryIO, size: int) -> dict[str, Any]:
    """All of it."""
    packed, listed = archive.entries(file, size)
    found = dicom.Found()
    places: list[tuple[tuple[int, int, int, int, str], int, int]] = []
    largest = (0, 0)
    for number, entry in enumerate(listed):
        with packed.open(entry) as opened:
            start = opened.read(dicom.FIRST_READ)
            if archive.is_archive(start):
                raise Unfit("archive_nested")
            if dicom.directory(start):
                continue
            if start[128:132] != b"DICM":
                raise Unfit("archive_stranger")
            ds = dicom.header(_Again(start, opened))
        shown = dicom.frames(ds)
        turn = found.add(ds, shown)
        if shown:
            places.append(((*turn, dicom.number(ds, "InstanceNumber"), entry.filename), number, shown))
            largest = max(largest, (dicom.number(ds, "Columns"), dicom.number(ds, "Rows")))
    told = found.told()
    if not told["series"]:
        raise Unfit("archive_stranger")
    places.sort()
    pages = sum(shown for _key, _number, shown in places)
    if pages > MOST_FRAMES:
        raise Unfit("document_too_many")
    order = written((number, shown) for _key, number, shown in places)
    return {
        "kind": "dicom",
        "pages": pages,
        "width": largest[0],
        "height": largest[1],
        "dicom": told,
        "order": order,
    }


class _Again:
    """A stream whose first bytes were read already, put back in front of it."""

    def __init__(self, start: bytes, rest: Any) -> None:
        self._start, self._rest = start, rest

    def read(self, length: int) -> bytes:
        if self._start:
            start, self._start = self._start[:length], self._start[length:]
            return start
        return bytes(self._rest.read(length))


def written(places: Iterable[tuple[int, int]]) -> str:
    """Files and frames in order: `3-40,2*12`: files 3 to 40 with one each, then twelve of file 2."""
    runs: list[list[int]] = []
    for number, shown in places:
        if shown == 1 and runs and runs[-1][2] == 1 and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number, shown])
    return ",".join(
        f"{first}*{shown}" if shown > 1 else f"{first}-{last}" if last > first else f"{first}"
        for first, last, shown in runs
    )


def place(order: str, page: int) -> tuple[int, int]:
    """The file and the frame that are page `page`. Raises Unfit."""
    for one in order.split(","):
        match = _ONE.fullmatch(one)
        if match is None:
            raise Unfit("page_unknown")
        first = int(match[1])
        length = int(match[2]) - first + 1 if match[2] else int(match[3] or 1)
        if page < length:
            return (first + page, 0) if match[2] else (first, page)
        page -= max(0, length)
    raise Unfit("page_unknown")


def preview(file: BinaryIO, size: int, page: int, width: int, order: str) -> bytes:
    """A PNG of one picture. Without `order` files follow each other as in the zip."""
    packed, listed = archive.entries(file, size)
    number, frame = place(order, page) if order else (page, 0)
    if number >= len(listed):
        raise Unfit("page_unknown")
    return dicom.preview(archive.unpacked(packed, listed[number], LARGEST_ENTRY_SHOWN), frame, width)
