"""Exports over HTTP: asked for, listed, cancelled, and fetched once a reason was given.

A file is opened piece by piece on its way out, and before every piece the right is asked again, as in
playback. Its name says nothing of anybody.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from media.recordstore.sealed import SealedError
from server.domain.errors import Refused
from server.domain.permissions import Action
from server.export.making import ENDINGS, TYPES
from server.export.plan import Order
from server.playback.lease import Lease
from server.runtime.objects import ObjectError
from server.services.access import Subject
from server.services.exports import ExportReader, Exports
from server.services.follow_up import Looking
from server.web.errors import parsed
from server.web.guard import asking, kept_back, signed_in_or_none
from server.web.keys import SERVICES, SIGNED_IN
from server.web.sending import send

EXPORTS: web.AppKey[Exports] = web.AppKey("exports", Exports)
NO_STORE: dict[str, str] = {hdrs.CACHE_CONTROL: "private, no-store"}
MOST_MS = 48 * 3_600_000


class Asked(BaseModel):
    """Times in ms since the recording's start; `track` for a still."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Literal["film", "clip", "still", "bundle"]
    layout: Literal["grid", "speaker"] = "grid"
    language: Literal["ko", "ru", "kk", "uz", "mn", "en"] = "en"
    from_ms: int = Field(0, ge=0, le=MOST_MS)
    to_ms: int = Field(0, ge=0, le=MOST_MS)
    track: str = Field("", max_length=160)
    teaching: bool = False


# Each of the handlers stands behind the row Action.RECORDING_EXPORT with Subject.RECORDING.


async def listed(request: web.Request) -> web.Response:
    """GET /api/recordings/{recording}/exports → {exports: […], newest first, bundle_key}."""
    service, recording = request.app[EXPORTS], request.match_info["recording"]
    told = {
        "exports": await service.listed(recording, await kept_back(request, recording)),
        "bundle_key": service.bundle_key,
    }
    return web.json_response(told, headers=NO_STORE)


async def ask(request: web.Request) -> web.Response:
    """POST /api/recordings/{recording}/exports {kind, …} → 201 and the export."""
    asked = await parsed(request, Asked)
    zone = request[SIGNED_IN].account.time_zone
    times = (asked.from_ms, asked.to_ms)
    order = Order(asked.kind, asked.layout, asked.language, zone, *times, asked.track, asked.teaching)
    service, recording = request.app[EXPORTS], request.match_info["recording"]
    closed = await kept_back(request, recording)
    row = await service.ask(recording, order, asking(request), closed)
    return web.json_response(service.described(row, closed), status=201, headers=NO_STORE)


async def cancel(request: web.Request) -> web.Response:
    """POST /api/recordings/{recording}/exports/{export}/cancel → 204; a finished one is destroyed."""
    await request.app[EXPORTS].cancel(
        request.match_info["recording"], request.match_info["export"], asking(request)
    )
    return web.Response(status=204)


async def file(request: web.Request) -> web.StreamResponse:
    """GET /api/recordings/{recording}/exports/{export}/file?reason=…: the plaintext, as an attachment."""
    recording, export = request.match_info["recording"], request.match_info["export"]
    reason = request.query.get("reason", "")
    closed = await kept_back(request, recording)
    reader = await request.app[EXPORTS].open(recording, export, reason, asking(request), closed)
    ending = ENDINGS[reader.row.kind]
    headers: dict[str, str] = {
        **NO_STORE,
        hdrs.CONTENT_TYPE: TYPES[ending],
        hdrs.CONTENT_DISPOSITION: f'attachment; filename="hyeopjin-{export[:8]}.{ending}"',
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Accel-Buffering": "no",
    }
    response = web.StreamResponse(headers=headers)
    response.content_length = reader.size
    return await send(request, response, _pieces(request, reader), SealedError, ObjectError)


async def _pieces(request: web.Request, reader: ExportReader) -> AsyncIterator[bytes]:
    """While the right is held."""
    lease = Lease(lambda: _ask_again(request))
    for number in reader.places():
        chunk = await reader.piece(number)
        await lease.hold(len(chunk))
        yield chunk


async def _ask_again(request: web.Request) -> None:
    signed_in = await signed_in_or_none(request)
    if signed_in is None:
        raise Refused("sign_in_required")
    recording, export = request.match_info["recording"], request.match_info["export"]
    access = request.app[SERVICES].access
    found = await access.require(signed_in.account, Action.RECORDING_EXPORT, Subject.RECORDING, recording)
    closed = await kept_back(request, recording, Looking(signed_in.account.roles, found.relations))
    await request.app[EXPORTS].still_there(recording, export, closed)
