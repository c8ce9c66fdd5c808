"""The glossary over HTTP, by an account on a case or by a seat in its room: one set of handlers for both.

Searches are POST, so that no address holds what somebody looked for. A list has an ETag: it
is sent again only when a term has changed. A page keeps it in its memory, a browser nowhere (`no-store`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Annotated, Literal

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.domain.errors import Refused
from server.domain.glossary import LANGUAGES, MAX_NOTE, MAX_QUERY, MAX_TEXT
from server.domain.glossary_file import MAX_BYTES
from server.domain.people import Account
from server.domain.permissions import Action, Relation, allowed
from server.playback.ranges import none_match
from server.services.glossary import Actor
from server.storage.glossary import Hand
from server.web.errors import parsed
from server.web.keys import ADDRESS, CASE_ID, RELATIONS, SEAT_CREDENTIAL, SERVICES, SIGNED_IN

MAX_FILE_BODY = 2 * MAX_BYTES  # base64 and the rest
SEPARATORS = {"comma": ",", "semicolon": ";"}
Version = Annotated[int, Field(ge=1, le=1_000_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Wanted(_Body):
    query: str = Field(max_length=MAX_QUERY)


class NewTerm(_Body):
    texts: dict[Literal["ko", "ru", "kk", "uz", "mn", "en"], str] = Field(max_length=len(LANGUAGES))
    note: str = Field("", max_length=4 * MAX_NOTE)


class ChangedTerm(NewTerm):
    version: Version


class OneVersion(_Body):
    version: Version


class File(_Body):
    """`file` in base64, as it lies on the disk. Without `seen` it is only looked at."""

    file: str = Field(max_length=MAX_FILE_BODY)
    seen: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")


# Every handler stands behind GLOSSARY_* with Subject.CASE, or SEAT_GLOSSARY_* with Subject.SEAT.


async def listed(request: web.Request) -> web.Response:
    """GET …/glossary → {case_label, may?: […], terms: […], found, total}; 304 when it is what the page has.

    `may` (an account's only): `write`, `confirm`, so that a page offers nothing in vain.
    """
    found = await request.app[SERVICES].glossary.listed(await _actor(request))
    signed_in = request.get(SIGNED_IN)
    if signed_in is not None:
        found["may"] = _may(signed_in.account, request[RELATIONS])
    response = web.json_response(found)
    body = response.body if isinstance(response.body, bytes) else b""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if none_match(request.headers.get(hdrs.IF_NONE_MATCH), etag):
        response = web.Response(status=304)
    response.headers[hdrs.ETAG] = etag
    return response


async def search(request: web.Request) -> web.Response:
    """POST …/glossary/search {query} → {terms: […], found, total}, the best answers first."""
    body = await parsed(request, Wanted)
    return web.json_response(await request.app[SERVICES].glossary.find(await _actor(request), body.query))


async def history(request: web.Request) -> web.Response:
    """GET …/glossary/history, …/glossary/{term}/history → {states: […]}, newest first."""
    actor = await _actor(request)
    term = request.match_info.get("term")
    return web.json_response(await request.app[SERVICES].glossary_history.of(actor, term))


async def add(request: web.Request) -> web.Response:
    """POST …/glossary {texts, note} → 201 and the term."""
    body = await parsed(request, NewTerm)
    made = await request.app[SERVICES].glossary.add(await _actor(request), _texts(body), body.note)
    return web.json_response(made, status=201)


async def edit(request: web.Request) -> web.Response:
    """POST …/glossary/{term} {version, texts, note} → the term."""
    body = await parsed(request, ChangedTerm)
    made = await request.app[SERVICES].glossary.edit(
        await _actor(request), request.match_info["term"], body.version, _texts(body), body.note
    )
    return web.json_response(made)


async def confirm(request: web.Request) -> web.Response:
    """POST …/glossary/{term}/confirm {version} → the term."""
    body = await parsed(request, OneVersion)
    made = await request.app[SERVICES].glossary.confirm(
        await _actor(request), request.match_info["term"], body.version
    )
    return web.json_response(made)


async def delete(request: web.Request) -> web.Response:
    """POST …/glossary/{term}/delete {version} → 204"""
    body = await parsed(request, OneVersion)
    actor = await _actor(request)
    await request.app[SERVICES].glossary.delete(actor, request.match_info["term"], body.version)
    return web.Response(status=204)


async def bring(request: web.Request) -> web.Response:
    """POST …/glossary/file {file, seen?} → what it would do, or with `seen` what it did."""
    actor = await _actor(request)
    try:
        body = File.model_validate_json(await request.clone(client_max_size=MAX_FILE_BODY).read())
        data = base64.b64decode(body.file, validate=True)
    except (ValidationError, UnicodeDecodeError, binascii.Error, ValueError):
        raise Refused("bad_request") from None
    files = request.app[SERVICES].glossary_files
    done = await (files.look(actor, data) if body.seen is None else files.take(actor, data, body.seen))
    return web.json_response(done)


async def take(request: web.Request) -> web.Response:
    """GET …/glossary/file?separator=comma or semicolon: the whole glossary as CSV, an attachment."""
    separator = SEPARATORS.get(request.query.get("separator", "comma"))
    if separator is None:
        raise Refused("bad_request")
    data = await request.app[SERVICES].glossary_files.write(await _actor(request), separator)
    headers = {
        hdrs.CACHE_CONTROL: "private, no-store",
        hdrs.CONTENT_TYPE: "text/csv; charset=utf-8",
        hdrs.CONTENT_DISPOSITION: 'attachment; filename="hyeopjin-glossary.csv"',
    }
    return web.Response(body=data, headers=headers)


def _texts(body: NewTerm) -> dict[str, str]:
    """Blank ones are no texts; length is asked after cleaning, within reason."""
    if any(len(text) > 4 * MAX_TEXT for text in body.texts.values()):
        raise Refused("bad_request")
    return {str(language): text for language, text in body.texts.items()}


def _may(account: Account, relations: frozenset[Relation]) -> list[str]:
    may = ["write"] if allowed(Action.GLOSSARY_WRITE, account.roles, relations) else []
    if account.verified and allowed(Action.GLOSSARY_CONFIRM, account.roles, relations):
        may.append("confirm")
    return may


async def _actor(request: web.Request) -> Actor:
    """Whoever the guard let through. Raises Refused `not_open`, `ended` for a seat."""
    address = request.get(ADDRESS, "")
    credential = request.get(SEAT_CREDENTIAL)
    if credential is not None:
        seat_id = request.match_info["seat"]
        return await request.app[SERVICES].glossary.seated(seat_id, credential, address)
    account = request[SIGNED_IN].account
    return Actor(request[CASE_ID], address, Hand(account_id=account.id), account.verified)
