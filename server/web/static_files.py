"""The files of the pages, made for thin lines: packed, asked for all at once instead of module after
module, and kept by browsers for ever under an address that changes with every release.

An address `/static/<release>/…` never changes what it says, so a browser need not ask again; `/static/…`
without it gives the same bytes and is asked about at each use. What the files say is read once in a process:
who edits a page starts the server again.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web

STATIC: Final = Path(__file__).resolve().parents[2] / "static"

#: Only these are given out, as these.
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".ftl": "text/plain; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
PACKED: Final = frozenset({".css", ".ftl", ".html", ".js", ".json", ".map", ".mjs", ".svg", ".txt"})
PRIVATE: Final = frozenset({"node_modules", "test", "tests"})
FOR_EVER: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "public, no-cache"

RELEASE: Final = re.compile(r"([0-9a-f]{12})/(.+)", re.DOTALL)
IMPORT: Final = re.compile(rb"""^(?:import|export)\s+(?:[^;'"]*?\bfrom\s+)?['"]([^'"]+)['"]""", re.MULTILINE)
#: The classic script of each page's head, which names the page's module.
START: Final = re.compile(
    rb"""^[ \t]*<script [^>]*data-page="/static/([^"]+)"[^>]*></script>""", re.MULTILINE
)


@dataclass(frozen=True)
class Text:
    """A file of words as it is sent, plain and packed (RFC 1952)."""

    plain: bytes
    packed: bytes
    tag: str


def allowed(asked: str) -> Path | None:
    """The file of this path under `/static/`, if it may be given out."""
    try:
        path = (STATIC / asked).resolve()
        if not path.is_relative_to(STATIC) or path.suffix not in TYPES or not path.is_file():
            return None
    except (OSError, ValueError):  # a name too long, a null byte
        return None
    parts = path.relative_to(STATIC).parts
    hidden = any(part.startswith(".") or part in PRIVATE for part in parts)
    return None if hidden or len(parts) < 2 else path


@cache
def release() -> str:
    """Twelve hex digits over all that the pages are made of; instances of one release agree on them."""
    digest = hashlib.sha256()
    for path in _everything():
        content = path.read_bytes()
        digest.update(f"{path.relative_to(STATIC)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def _everything() -> list[Path]:
    found: list[Path] = []
    for folder, inner, names in os.walk(STATIC):
        inner[:] = [name for name in inner if name not in PRIVATE and not name.startswith(".")]
        found += [Path(folder, name) for name in names if Path(name).suffix in {*TYPES, ".html"}]
    return sorted(found)


def prepare() -> None:
    """Reads and packs everything, so that no file of a later release is ever sent as one of this. A quarter
    of a second the first time in a process: not for an event loop.
    """
    for path in _everything():
        if path.suffix in PACKED:
            text(path)


def modules(page: Path) -> list[Path]:
    """A module and all that it imports, nearest first: the order in which they are wanted."""
    found = [page]
    for module in found:  # grows while it is walked
        for name in IMPORT.findall(module.read_bytes()):
            asked = name.decode()
            path = STATIC / asked.removeprefix("/static/") if asked.startswith("/") else module.parent / asked
            if path.resolve() not in found and path.is_file():  # else the browser says which one is missing
                found.append(path.resolve())
    return found


@cache
def text(path: Path) -> Text:
    """A file of words, its addresses those of this release."""
    plain = path.read_bytes()
    if path.suffix == ".html":
        plain = START.sub(_with_preloads, plain)
    if path.suffix in {".css", ".html", ".js", ".mjs"}:
        plain = plain.replace(b"/static/", f"/static/{release()}/".encode())
    return Text(plain, gzip.compress(plain, 6, mtime=0), hashlib.sha256(plain).hexdigest()[:32])


def _with_preloads(start: re.Match[bytes]) -> bytes:
    names = (module.relative_to(STATIC).as_posix() for module in modules(STATIC / start[1].decode()))
    links = "".join(f'    <link rel="modulepreload" href="/static/{name}" />\n' for name in names)
    return links.encode() + start[0]


def send(request: web.Request, asked: str) -> web.StreamResponse:
    """The answer for this path under `/static/`.

    Raises:
        web.HTTPNotFound: there is no such file, or it is not for browsers.
    """
    named = RELEASE.fullmatch(asked)
    path = allowed(named[2] if named else asked)
    if path is None:
        raise web.HTTPNotFound
    # Another release's address (a tab left open, an instance not yet renewed) must not be kept as that one.
    kept = FOR_EVER if named and named[1] == release() else ASK_AGAIN
    headers: dict[str, str] = {hdrs.CONTENT_TYPE: TYPES[path.suffix], hdrs.CACHE_CONTROL: kept}
    return (
        _words(request, path, headers) if path.suffix in PACKED else web.FileResponse(path, headers=headers)
    )


def send_page(request: web.Request, name: str, status: int = 200) -> web.StreamResponse:
    """The page of this name; a browser asks about it each time."""
    path = STATIC / f"{name}.html"
    if not path.is_file():
        raise web.HTTPNotFound
    headers: dict[str, str] = {hdrs.CONTENT_TYPE: "text/html; charset=utf-8", hdrs.CACHE_CONTROL: "no-cache"}
    return _words(request, path, headers, status)


def _words(request: web.Request, path: Path, headers: dict[str, str], status: int = 200) -> web.Response:
    words = text(path)
    headers |= {hdrs.ETAG: f'W/"{words.tag}"', hdrs.VARY: hdrs.ACCEPT_ENCODING}
    if status == 200 and any(tag.value == words.tag for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    if not _takes_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, "")):
        return web.Response(body=words.plain, status=status, headers=headers)
    return web.Response(body=words.packed, status=status, headers={**headers, hdrs.CONTENT_ENCODING: "gzip"})


def _takes_gzip(accepted: str) -> bool:
    """Whether this Accept-Encoding (RFC 9110, section 12.5.3) names gzip and does not refuse it."""
    codings = (part.replace(" ", "").lower().partition(";") for part in accepted.split(","))
    return any(name == "gzip" and not re.fullmatch(r"q=0(\.0*)?", weight) for name, _, weight in codings)
