"""Documents of a case over HTTP: the wire of docs/documents.md.

Bytes come in as they come (`PATCH`), and go out piece by piece, opened on the way; before every piece the
right is asked again, as in playback. What was uploaded is served as an attachment, in a sandbox, under a name
that says nothing of anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, Final

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from server.decode import wire
from server.decode.inspection import SUFFIX
from server.domain.documents import Document, Viewer
from server.domain.errors import Refused
from server.domain.people import Account
from server.domain.permissions import Action, Relation, allowed
from server.playback.lease import Lease
from server.playback.ranges import (
    ByteRange,
    RangeNotSatisfiableError,
    none_match,
    parse_range,
    range_applies,
)
from server.runtime.document_store import DocumentGoneError, DocumentReader
from server.services.access import Subject
from server.services.document_uploads import BrokenOffError, Uploads, Wish
from server.services.documents import Change, Documents
from server.web.errors import parsed
from server.web.guard import asking, signed_in_or_none
from server.web.keys import RELATIONS, SERVICES, SIGNED_IN
from server.web.protection import UPLOADED
from server.web.sending import not_satisfiable, send

PIECE: Final = 256 * 1024
SEND: Final = 128 * 1024
LEASE_BYTES: Final = 1024 * 1024
SILENCE_S: Final = 60.0
"""So long a PATCH may bring nothing."""
SANDBOX: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"
NO_STORE: Final[dict[str, str]] = {hdrs.CACHE_CONTROL: "private, no-store"}
Size = Annotated[int, Field(ge=0, le=2**50)]
Word = Annotated[str, Field(pattern=r"^[a-z_]{1,24}$")]


@dataclass(frozen=True, slots=True)
class DocumentParts:
    """The use cases behind these routes."""

    documents: Documents
    uploads: Uploads


DOCUMENTS: web.AppKey[DocumentParts] = web.AppKey("documents", DocumentParts)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class NewDocument(_Body):
    name: str = Field(min_length=1, max_length=1000)
    size: Size
    kind: Word
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    visibility: Word = "case"
    patient_copy: bool = False
    request: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,64}$")] = ""


class Confirmation(_Body):
    same: bool


class Changed(_Body):
    kind: Word | None = None
    visibility: Word | None = None
    patient_copy: bool | None = None


class Withdrawal(_Body):
    reason: str = Field(max_length=32)
    words: str = Field("", max_length=4000)


# Each of the handlers stands behind DOCUMENT_READ or DOCUMENT_ADD with Subject.CASE.


async def listed(request: web.Request) -> web.Response:
    """GET /api/cases/{case}/documents"""
    viewer = _viewer(request)
    adds = allowed(Action.DOCUMENT_ADD, viewer.roles, viewer.relations)
    told = await request.app[DOCUMENTS].documents.listed(viewer, asking(request), adds=adds)
    return web.json_response(told, headers=NO_STORE)


async def begin(request: web.Request) -> web.Response:
    """POST /api/cases/{case}/documents {name, size, kind, …} → 201 and the document"""
    body, parts = await parsed(request, NewDocument), request.app[DOCUMENTS]
    viewer = _viewer(request)
    wish = Wish(
        body.name, body.size, body.kind, body.sha256, body.visibility, body.patient_copy, body.request,
        viewer.side,
    )  # fmt: skip
    row = await parts.uploads.begin(wish, asking(request))
    told = await parts.documents.begun(viewer, row)
    return web.json_response(told, status=201, headers=NO_STORE)


async def offset(request: web.Request) -> web.Response:
    """GET, HEAD …/{document}/upload → where to go on"""
    row = await request.app[DOCUMENTS].uploads.state(_document(request), asking(request))
    told = {"state": row.state.value, "offset": row.received, "size": row.size}
    return web.json_response(told, headers={**NO_STORE, **_offset_headers(row)})


async def receive(request: web.Request) -> web.Response:
    """PATCH …/{document}/upload → 204 and the offset that is kept now"""
    start = request.headers.get("Upload-Offset", "")
    if request.content_type != UPLOADED or not (start.isascii() and start.isdigit() and len(start) < 18):
        raise Refused("upload_type")
    uploads = request.app[DOCUMENTS].uploads
    lease = Lease(_adder(request), size=LEASE_BYTES)
    row = await uploads.receive(_document(request), int(start), _pieces(request, lease), asking(request))
    return web.Response(status=204, headers={**NO_STORE, **_offset_headers(row)})


async def cancel(request: web.Request) -> web.Response:
    """POST …/{document}/upload/cancel → 204"""
    await request.app[DOCUMENTS].uploads.cancel(_document(request), asking(request))
    return web.Response(status=204)


async def look(request: web.Request) -> web.Response:
    """GET …/{document} → the document with its details; audited"""
    told = await request.app[DOCUMENTS].documents.look(_viewer(request), _document(request), asking(request))
    return web.json_response(told, headers=NO_STORE)


async def page(request: web.Request) -> web.Response:
    """GET …/{document}/pages/{page}?width= → a picture; audited"""
    number, width = request.match_info["page"], request.query.get("width", "1024")
    if not all(text.isascii() and text.isdigit() and len(text) < 8 for text in (number, width)):
        raise Refused("bad_request")
    made = await request.app[DOCUMENTS].documents.preview(
        _viewer(request), _document(request), int(number), int(width), asking(request)
    )
    kind = "image/png" if made.startswith(wire.PNG) else "image/jpeg"
    headers = {**NO_STORE, hdrs.CONTENT_TYPE: kind, **_fenced()}
    return web.Response(body=made, headers=headers)


async def confirm(request: web.Request) -> web.Response:
    """POST …/{document}/confirm {same} → the document"""
    body = await parsed(request, Confirmation)
    told = await request.app[DOCUMENTS].documents.confirm(
        _viewer(request), _document(request), asking(request), same=body.same
    )
    return web.json_response(told, headers=NO_STORE)


async def change(request: web.Request) -> web.Response:
    """POST …/{document}/change {kind?, visibility?, patient_copy?} → the document"""
    body = await parsed(request, Changed)
    wanted = Change(body.kind, body.visibility, body.patient_copy)
    told = await request.app[DOCUMENTS].documents.change(
        _viewer(request), _document(request), wanted, asking(request)
    )
    return web.json_response(told, headers=NO_STORE)


async def withdraw(request: web.Request) -> web.Response:
    """POST …/{document}/withdraw {reason, words?} → the document"""
    body = await parsed(request, Withdrawal)
    told = await request.app[DOCUMENTS].documents.withdraw(
        _viewer(request), _document(request), body.reason, body.words, asking(request)
    )
    return web.json_response(told, headers=NO_STORE)


async def content(request: web.Request) -> web.StreamResponse:
    """GET, HEAD …/{document}/content?reason=: 200, 206, 304 or 416 (RFC 9110); audited"""
    viewer, reason = _viewer(request), request.query.get("reason", "")
    row, reader = await request.app[DOCUMENTS].documents.open(
        viewer, _document(request), reason, asking(request)
    )
    try:
        etag = f'"{row.sha256}"'
        headers = {**NO_STORE, **_fenced(), **_download_headers(row), hdrs.ETAG: etag}
        if none_match(request.headers.get(hdrs.IF_NONE_MATCH), etag):
            return web.Response(status=304, headers=headers)
        span: ByteRange | None = None
        if range_applies(request.headers.get(hdrs.IF_RANGE), etag):
            try:
                span = parse_range(request.headers.get(hdrs.RANGE), reader.size)
            except RangeNotSatisfiableError:
                return not_satisfiable(reader.size)
        response = web.StreamResponse(status=200 if span is None else 206, headers=headers)
        if span is not None:
            response.headers[hdrs.CONTENT_RANGE] = span.content_range
        span = span or ByteRange(0, reader.size, reader.size)
        response.content_length = span.length
        return await send(request, response, _opened(request, reader, span), DocumentGoneError)
    finally:
        reader.close()


async def _opened(request: web.Request, reader: DocumentReader, span: ByteRange) -> AsyncIterator[bytes]:
    """What goes out, while the right is held."""
    lease = Lease(_asker(request), size=LEASE_BYTES)
    for start in range(span.start, span.end, SEND):
        chunk = await reader.read(start, min(SEND, span.end - start))
        await lease.hold(len(chunk))
        yield chunk


def _asker(request: web.Request) -> Callable[[], Coroutine[Any, Any, None]]:
    """As at the start, from the books: session, role, relation or the document may be gone."""

    async def ask_again() -> None:
        viewer = await _still(request, Action.DOCUMENT_READ)
        case = request.match_info["case"]
        await request.app[DOCUMENTS].documents.still_there(viewer, _document(request), case)

    return ask_again


def _adder(request: web.Request) -> Callable[[], Coroutine[Any, Any, Viewer]]:
    """The same for who brings something; of the document itself the books are asked with every part."""
    return lambda: _still(request, Action.DOCUMENT_ADD)


async def _still(request: web.Request, action: Action) -> Viewer:
    """Who is signed in now, and may. Raises Refused."""
    signed_in = await signed_in_or_none(request)
    if signed_in is None:
        raise Refused("sign_in_required")
    access, case = request.app[SERVICES].access, request.match_info["case"]
    found = await access.require(signed_in.account, action, Subject.CASE, case)
    return _seen_as(signed_in.account, found.relations)


async def _pieces(request: web.Request, lease: Lease) -> AsyncIterator[bytes]:
    """The body as it comes, while the lease holds. Raises BrokenOffError when it ends before its time."""
    held = bytearray()
    try:
        while True:
            async with asyncio.timeout(SILENCE_S):
                came = await request.content.readany()
            if not came:
                break
            await lease.hold(len(came))
            held += came
            if len(held) >= PIECE:
                yield bytes(held)
                held.clear()
    except (ConnectionError, web.RequestPayloadError, TimeoutError):
        if held:
            yield bytes(held)
        raise BrokenOffError from None
    if held:
        yield bytes(held)


def _viewer(request: web.Request) -> Viewer:
    return _seen_as(request[SIGNED_IN].account, request[RELATIONS])


def _seen_as(account: Account, relations: frozenset[Relation]) -> Viewer:
    return Viewer(account.id, account.roles, relations, account.site_id)


def _document(request: web.Request) -> str:
    return request.match_info["document"]


def _offset_headers(row: Document) -> dict[str, str]:
    return {"Upload-Offset": str(row.received), "Upload-Length": str(row.size)}


def _fenced() -> dict[str, str]:
    """What a stranger's bytes are served with: nothing of them runs, nobody else's page has them."""
    return {
        "Content-Security-Policy": SANDBOX,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Accel-Buffering": "no",
    }


def _download_headers(row: Document) -> dict[str, str]:
    name = f"hyeopjin-{row.id[:8]}{SUFFIX.get(row.media_type, '.bin')}"
    return {
        hdrs.CONTENT_TYPE: row.media_type or "application/octet-stream",
        hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"',
        hdrs.ACCEPT_RANGES: "bytes",
    }
