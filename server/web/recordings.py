"""Recordings over HTTP: the index, byte ranges of tracks decrypted on the way out, what was watched.

A response is sealed media opened piece by piece; nothing of it is cached anywhere (`private, no-store`),
and every piece waits for the right to be asked again (`server.playback.lease`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.errors import Refused
from server.domain.permissions import Action
from server.playback.lease import Lease, Pace
from server.playback.playback import MAX_SPANS, Opening, Playback, seat_of
from server.playback.ranges import (
    ByteRange,
    RangeNotSatisfiableError,
    none_match,
    parse_range,
    range_applies,
)
from server.runtime.generation import GenerationError, TrackReader
from server.services.access import Subject
from server.services.follow_up import Looking, require_open
from server.web.cookies import session_cookie_name
from server.web.errors import parsed
from server.web.guard import kept_back, signed_in_or_none
from server.web.keys import ADDRESS, CASE_ID, SERVICES, SETTINGS, SIGNED_IN
from server.web.sending import not_satisfiable, send

PLAYBACK: web.AppKey[Playback] = web.AppKey("playback", Playback)

PACE = 4
"""A response runs at least this many times faster than the track plays."""


class Watched(BaseModel):
    """Spans in ms since the recording's start."""

    model_config = ConfigDict(extra="forbid", strict=True)

    spans: list[tuple[int, int]] = Field(max_length=MAX_SPANS)


# Each of the three handlers stands behind the row Action.RECORDING_WATCH with Subject.RECORDING.


async def recording(request: web.Request) -> web.Response:
    """GET /api/recordings/{recording}: what there is to watch; opening it is audited."""
    recording_id = request.match_info["recording"]
    described = await request.app[PLAYBACK].describe(recording_id, await kept_back(request, recording_id))
    await _note(request, "recording_opened", "")
    return web.json_response(described, headers={hdrs.CACHE_CONTROL: "private, no-store"})


async def track(request: web.Request) -> web.StreamResponse:
    """GET, HEAD /api/recordings/{recording}/tracks/{track}: 200, 206, 304 or 416 (RFC 9110)."""
    recording_id, track_id = request.match_info["recording"], request.match_info["track"]
    require_open(await kept_back(request, recording_id), [seat_of(track_id)])
    reader = await request.app[PLAYBACK].track(recording_id, track_id)
    headers = _headers(reader)
    if none_match(request.headers.get(hdrs.IF_NONE_MATCH), reader.etag):
        return web.Response(status=304, headers=headers)
    span: ByteRange | None = None
    if range_applies(request.headers.get(hdrs.IF_RANGE), reader.etag):
        try:
            span = parse_range(request.headers.get(hdrs.RANGE), reader.size)
        except RangeNotSatisfiableError:
            return not_satisfiable(reader.size)
    await _note(request, "recording_track_opened", reader.track.id)
    response = web.StreamResponse(status=200 if span is None else 206, headers=headers)
    if span is not None:
        response.headers[hdrs.CONTENT_RANGE] = span.content_range
    span = span or ByteRange(0, reader.size, reader.size)
    response.content_length = span.length
    return await send(request, response, _pieces(request, reader, span), GenerationError)


async def watched(request: web.Request) -> web.Response:
    """POST /api/recordings/{recording}/watched {spans: [[from_ms, to_ms], …]} → 204"""
    told = await parsed(request, Watched)
    account = request[SIGNED_IN].account.id
    await request.app[PLAYBACK].note_watched(request.match_info["recording"], account, told.spans)
    return web.Response(status=204)


async def _ask_again(request: web.Request, seat: str) -> None:
    """As at the start, from the books: the session may be revoked, role, relation or consent gone."""
    signed_in = await signed_in_or_none(request)
    if signed_in is None:
        raise Refused("sign_in_required")
    access, recording_id = request.app[SERVICES].access, request.match_info["recording"]
    found = await access.require(signed_in.account, Action.RECORDING_WATCH, Subject.RECORDING, recording_id)
    looker = Looking(signed_in.account.roles, found.relations)
    require_open(await kept_back(request, recording_id, looker), [seat])
    await request.app[PLAYBACK].require_playable(recording_id, seat)


async def _note(request: web.Request, action: str, what: str) -> None:
    signed_in = request[SIGNED_IN]
    address = request.get(ADDRESS, request.remote or "")
    opening = Opening(
        action=action,
        recording=request.match_info["recording"],
        track=what,
        account=signed_in.account.id,
        session=signed_in.session.id,
        address=address,
        case_id=request[CASE_ID],
    )
    await request.app[PLAYBACK].note_opened(opening)


def _headers(reader: TrackReader) -> dict[str, str]:
    return {
        hdrs.CONTENT_TYPE: "audio/webm" if reader.track.kind == "audio" else "video/webm",
        hdrs.ACCEPT_RANGES: "bytes",
        hdrs.CACHE_CONTROL: "private, no-store",
        hdrs.ETAG: reader.etag,
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Accel-Buffering": "no",  # a proxy must not take more than the browser asked for
    }


async def _pieces(request: web.Request, reader: TrackReader, span: ByteRange) -> AsyncIterator[bytes]:
    """While the right is held, and not much faster than it is played."""
    secret = request.cookies.get(session_cookie_name(request.app[SETTINGS]), "")
    seat = reader.track.seat
    key, asked = (secret, request.match_info["recording"], seat), request.app[PLAYBACK].asked
    lease = Lease(lambda: asked.of(key, lambda: _ask_again(request, seat)))
    pace = Pace(reader.bytes_per_second * PACE)
    async for chunk in reader.chunks(span.start, span.end):
        if (wait_s := pace.wait_s(len(chunk))) > 0:
            await asyncio.sleep(wait_s)
        await lease.hold(len(chunk))
        began = time.monotonic()
        yield chunk
        pace.waited_for_reader(time.monotonic() - began)
