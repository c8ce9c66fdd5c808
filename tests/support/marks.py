"""Looks for what must not be there: marked names in logs and URLs, plaintext media on disk."""

from __future__ import annotations

import base64
import contextlib
import sqlite3
import urllib.parse
from collections.abc import Iterable
from pathlib import Path

DATABASE = "hyeopjin.sqlite3"

# Long enough not to occur in ciphertext by chance; EBML's four bytes count only at a file's start.
MEDIA_MAGICS = {
    "Opus header": b"OpusHead",
    "WebM doctype": b"\x42\x82\x84webm",
    "Matroska codec VP8": b"V_VP8",
    "Matroska codec Opus": b"A_OPUS",
    "VP8 key frame 640x360": b"\x9d\x01\x2a\x80\x02\x68\x01",
    "MP4": b"ftypisom",
    "Ogg page": b"OggS\x00\x02",
}
STARTS = {"EBML": b"\x1a\x45\xdf\xa3", "RIFF": b"RIFF", "y4m": b"YUV4MPEG2"}


def spellings(mark: str) -> dict[str, bytes]:
    """A mark as it may be written: UTF-8, UTF-16, JSON escapes, percent-encoded, base64 (3 alignments)."""
    raw = mark.encode()
    found = {
        "utf-8": raw,
        "utf-16": mark.encode("utf-16-le"),
        "json": mark.encode("unicode_escape"),
        "url": urllib.parse.quote(mark).encode(),
        "form": urllib.parse.quote_plus(mark).encode(),
    }
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + raw)
        inner = whole[4 if shift else 0 : -4]
        if len(inner) >= 12:
            found[f"base64+{shift}"] = inner
    return found


def marks_in_text(texts: Iterable[tuple[str, str]], marks: Iterable[str]) -> list[str]:
    """`where: mark (spelling)` for each mark found in the named texts."""
    found = []
    wanted = [(mark, how, raw) for mark in marks for how, raw in spellings(mark).items()]
    for where, text in texts:
        raw_text = text.encode()
        found += [f"{where}: {mark} ({how})" for mark, how, raw in wanted if raw in raw_text]
    return found


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def marks_on_disk(folder: Path, marks: Iterable[str], leave_out: tuple[str, ...] = (DATABASE,)) -> list[str]:
    """Marks in names or contents of files; the database's own files are left out unless told otherwise."""
    wanted = [(mark, how, raw) for mark in marks for how, raw in spellings(mark).items()]
    found = []
    for path in files_below(folder):
        name = str(path.relative_to(folder))
        content = b"" if path.name.startswith(leave_out) else path.read_bytes()
        found += [
            f"{name}: {mark} ({how})" for mark, how, raw in wanted if raw in content or raw in name.encode()
        ]
    return found


def plain_media(folder: Path) -> list[str]:
    """Files in which media can be read without a key."""
    found = []
    for path in files_below(folder):
        content = path.read_bytes()
        name = path.relative_to(folder)
        found += [f"{name}: {what}" for what, magic in MEDIA_MAGICS.items() if magic in content]
        found += [f"{name}: {what}" for what, magic in STARTS.items() if content.startswith(magic)]
    return found


def consents_of(data: Path, seat: str) -> list[tuple[str, str]]:
    """Each answer of a seat to the recording question, in order: (decision, persons as JSON)."""
    asked = "SELECT decision, persons FROM consents WHERE seat_id = ? ORDER BY at_ms"
    with contextlib.closing(sqlite3.connect(data / DATABASE)) as db:
        return db.execute(asked, (seat,)).fetchall()
