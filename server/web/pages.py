"""The pages and their static files. They hold no data: everything about people comes from the API."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from aiohttp import web

from server.domain.errors import Refused
from server.domain.permissions import Action
from server.domain.signed_in import Standing
from server.services.access import Subject
from server.services.accounts import SignedIn
from server.web.guard import signed_in_or_none
from server.web.keys import SERVICES

STATIC = Path(__file__).resolve().parents[2] / "static"

#: Only these are given out, as these.
TYPES = {
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
PRIVATE = frozenset({"node_modules", "test", "tests"})

mimetypes.add_type("text/javascript", ".js")


async def front(request: web.Request) -> web.Response:
    there = "/worklist" if await signed_in_or_none(request) else "/signin"
    raise web.HTTPFound(there)


async def signin(_request: web.Request) -> web.StreamResponse:
    return _page("signin")


async def forgot_password(_request: web.Request) -> web.StreamResponse:
    return _page("forgot-password")


async def set_password(_request: web.Request) -> web.StreamResponse:
    return _page("set-password")


async def worklist(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "worklist")


async def case(_request: web.Request) -> web.StreamResponse:
    return _page("case")


async def referral(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "referral")


async def new_referral(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "new-referral")


async def audit(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "audit")


async def sites(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "sites")


async def site(request: web.Request) -> web.StreamResponse:
    return await _closed_page(request, "site", Action.SITE_READ, Subject.SITE)


async def person(request: web.Request) -> web.StreamResponse:
    return await _closed_page(request, "person", Action.PERSON_READ, Subject.PERSON)


async def retention(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "retention")


async def consents(request: web.Request) -> web.StreamResponse:
    return await _closed_page(request, "consents", Action.CONSENT_READ, Subject.CASE)


async def my(_request: web.Request) -> web.StreamResponse:
    return _page("my")


async def policies(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "policies")


async def renderings(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "renderings")


async def self_test(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "self-test")


async def site_checks(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "site-checks")


async def room(_request: web.Request) -> web.StreamResponse:
    return _page("room")


async def review(request: web.Request) -> web.StreamResponse:
    return await _closed_page(request, "review", Action.RECORDING_WATCH, Subject.RECORDING)


async def schedule(request: web.Request) -> web.StreamResponse:
    return await _closed_page(request, "schedule", Action.SCHEDULE_READ, Subject.CASE)


async def glossary(request: web.Request) -> web.StreamResponse:
    return await _closed_page(request, "glossary", Action.GLOSSARY_READ, Subject.CASE)


async def security(request: web.Request) -> web.StreamResponse:
    if await signed_in_or_none(request) is None:
        raise web.HTTPFound("/signin")
    return _page("security")


async def _signed_in_page(request: web.Request, name: str) -> web.StreamResponse:
    signed_in = await signed_in_or_none(request)
    if signed_in is None:
        raise web.HTTPFound("/signin" if name == "worklist" else f"/signin?next={request.path}")
    _set_up_first(signed_in)
    return _page(name)


def _set_up_first(signed_in: SignedIn) -> None:
    """Who must set up a second step is led there: nothing else would open."""
    if signed_in.standing is Standing.UNPROVEN:
        raise web.HTTPFound("/security")


async def _closed_page(
    request: web.Request, name: str, action: Action, subject: Subject
) -> web.StreamResponse:
    """The same page for everybody, but a copied address says 403 at once to who may not read it."""
    status = 403
    signed_in = await signed_in_or_none(request)
    if signed_in is not None:
        _set_up_first(signed_in)
        try:
            access = request.app[SERVICES].access
            await access.require(signed_in.account, action, subject, request.match_info[subject.value])
            status = 200
        except Refused as refused:
            status = refused.status
    return _page(name, status)


async def static(request: web.Request) -> web.StreamResponse:
    """A file under `static/`, by type; with an ETag, so that a page's second visit moves no bytes."""
    path = _static_path(request.match_info["path"])
    if path is None:
        raise web.HTTPNotFound
    return web.FileResponse(
        path, headers={"Content-Type": TYPES[path.suffix], "Cache-Control": "public, no-cache"}
    )


def _static_path(asked: str) -> Path | None:
    """The file, if it may be given out."""
    try:
        path = (STATIC / asked).resolve()
        if not path.is_relative_to(STATIC) or path.suffix not in TYPES or not path.is_file():
            return None
    except (OSError, ValueError):  # a name too long, a null byte
        return None
    parts = path.relative_to(STATIC).parts
    hidden = any(part.startswith(".") or part in PRIVATE for part in parts)
    return None if hidden or len(parts) < 2 else path


async def favicon(_request: web.Request) -> web.StreamResponse:
    for name in ("img/favicon.svg", "img/favicon.ico"):
        if (STATIC / name).is_file():
            return web.FileResponse(STATIC / name, headers={"Content-Type": TYPES[Path(name).suffix]})
    return web.Response(status=204)


def _page(name: str, status: int = 200) -> web.StreamResponse:
    path = STATIC / f"{name}.html"
    if not path.is_file():
        raise web.HTTPNotFound
    headers = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache"}
    return web.FileResponse(path, status=status, headers=headers)
