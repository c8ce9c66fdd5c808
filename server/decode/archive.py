"""A zip, by its table of contents: nothing is unpacked before all of it was found decent.

It must not write a file anywhere. `zipfile` reads no more of an entry than the table of contents states, so
a table that lies cannot make more of it than it admits.
"""

from __future__ import annotations

import io
import stat
import zipfile
from encodings import cp437
from pathlib import PurePosixPath
from typing import BinaryIO

from server.decode.limits import MOST_ENTRIES, MOST_EXPANDED, MOST_EXPANSION, Unfit

__all__ = ["cp437", "entries", "is_archive", "unpacked"]

_ENCRYPTED = 0x1
_LOCAL_HEADER = 30
_ARCHIVES = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"\x28\xb5\x2f\xfd",
    b"MSCF",
)
_LITTER = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}
"""What file managers leave in folders by themselves."""


def entries(file: BinaryIO, size: int) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    """The files in it that count, in the order of the table of contents. Raises Unfit."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError):
        raise Unfit("document_damaged") from None
    listed = archive.infolist()
    if len(listed) > MOST_ENTRIES:
        raise Unfit("document_too_many")
    for entry in listed:
        _decent(entry)
    expanded = sum(entry.file_size for entry in listed)
    if expanded > MOST_EXPANDED or expanded > MOST_EXPANSION * size:
        raise Unfit("archive_expands")
    _apart(listed, archive.start_dir)
    wanted = [e for e in listed if not e.is_dir() and not _LITTER & set(PurePosixPath(e.filename).parts)]
    if not wanted:
        raise Unfit("document_empty")
    return archive, wanted


def _decent(entry: zipfile.ZipInfo) -> None:
    name = entry.orig_filename.replace("\\", "/")
    parts = name.split("/")
    if name.startswith("/") or ":" in parts[0] or ".." in parts or "\0" in name or len(name) > 1000:
        raise Unfit("archive_path")
    mode = entry.external_attr >> 16
    if entry.create_system == 3 and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Unfit("archive_path")
    if entry.flag_bits & _ENCRYPTED:
        raise Unfit("document_locked")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unfit("document_kind")
    if entry.compress_type == zipfile.ZIP_STORED and entry.file_size != entry.compress_size:
        raise Unfit("document_damaged")


def _apart(listed: list[zipfile.ZipInfo], end: int) -> None:
    """No two entries share bytes: a small zip that unpacks for ever is made of such."""
    reached = 0
    for entry in sorted(listed, key=lambda e: e.header_offset):
        if entry.header_offset < reached:
            raise Unfit("archive_expands")
        reached = entry.header_offset + _LOCAL_HEADER + entry.compress_size
    if reached > end:
        raise Unfit("document_damaged")


def is_archive(start: bytes) -> bool:
    """Whether a file in it is an archive itself."""
    return start.startswith(_ARCHIVES)


def unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> BinaryIO:
    """One file of it in memory. Raises Unfit where it is larger than `most`."""
    if entry.file_size > most:
        raise Unfit("document_too_heavy")
    with archive.open(entry) as packed:
        return io.BytesIO(packed.read())
