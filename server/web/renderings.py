"""What was rendered, over HTTP: lanes and pairs for who watches, flags, and an interpreter's few seconds."""

from __future__ import annotations

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.errors import Refused
from server.domain.renderings import MAX_CHARS
from server.playback.flags import Flags
from server.playback.interpretation import Interpretations
from server.playback.ranges import ByteRange, RangeNotSatisfiableError, parse_range
from server.web.errors import parsed, refusal
from server.web.guard import asking, kept_back, looking
from server.web.keys import SIGNED_IN

INTERPRETATIONS: web.AppKey[Interpretations] = web.AppKey("interpretations", Interpretations)
FLAGS: web.AppKey[Flags] = web.AppKey("flags", Flags)
NO_STORE: dict[str, str] = {hdrs.CACHE_CONTROL: "private, no-store"}
MOST_MS = 48 * 3_600_000


class NewFlag(BaseModel):
    """The rendering as `interpretation` told it; times in ms since the recording's start."""

    model_config = ConfigDict(extra="forbid", strict=True)

    participant: str = Field(max_length=64)
    from_ms: int = Field(ge=0, le=MOST_MS)
    to_ms: int = Field(ge=0, le=MOST_MS)
    comment: str = Field(max_length=2 * MAX_CHARS)


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(max_length=2 * MAX_CHARS)


async def interpretation(request: web.Request) -> web.Response:
    """GET /api/recordings/{recording}/interpretation: who speaks what, pairs, changes, flags."""
    recording = request.match_info["recording"]
    closed = await kept_back(request, recording)
    told = await request.app[INTERPRETATIONS].of(recording, closed)
    flags = await request.app[FLAGS].of_recording(recording, told["pairs"], closed)
    return web.json_response(told | {"flags": flags}, headers=NO_STORE)


async def flag(request: web.Request) -> web.Response:
    """POST /api/recordings/{recording}/flags {participant, from_ms, to_ms, comment} → 201 and the flag."""
    told = await parsed(request, NewFlag)
    recording = request.match_info["recording"]
    made = await request.app[FLAGS].add(
        recording,
        told.participant,
        (told.from_ms, told.to_ms),
        told.comment,
        asking(request),
        await kept_back(request, recording),
    )
    return web.json_response(made, status=201, headers=NO_STORE)


async def own(request: web.Request) -> web.Response:
    """GET /api/flags: on the asking interpreter's own renderings."""
    flags = await request.app[FLAGS].of_account(request[SIGNED_IN].account.id)
    return web.json_response({"flags": flags}, headers=NO_STORE)


async def look(request: web.Request) -> web.Response:
    """GET /api/flags/{flag}: with what may be heard around it."""
    told = await request.app[FLAGS].look(request.match_info["flag"], looking(request), asking(request))
    return web.json_response(told, headers=NO_STORE)


async def answer(request: web.Request) -> web.Response:
    """POST /api/flags/{flag}/answer {text} → the flag."""
    told = await parsed(request, Answer)
    made = await request.app[FLAGS].answer(request.match_info["flag"], told.text, asking(request))
    return web.json_response(made, headers=NO_STORE)


async def clip(request: web.Request) -> web.Response:
    """GET, HEAD /api/flags/{flag}/tracks/{track}?from_ms&to_ms: those seconds alone; 200, 206 or 416."""
    plain = await request.app[FLAGS].clip(
        request.match_info["flag"],
        request.match_info["track"],
        _ms(request, "from_ms"),
        _ms(request, "to_ms"),
        looking(request),
    )
    headers: dict[str, str] = {
        **NO_STORE,
        hdrs.CONTENT_TYPE: "audio/webm",
        hdrs.ACCEPT_RANGES: "bytes",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    try:
        span = parse_range(request.headers.get(hdrs.RANGE), len(plain))
    except RangeNotSatisfiableError:
        response = refusal("range_not_satisfiable")
        response.headers[hdrs.CONTENT_RANGE] = f"bytes */{len(plain)}"
        return response
    whole = ByteRange(0, len(plain), len(plain))
    part = span or whole
    if span is not None:
        headers[hdrs.CONTENT_RANGE] = span.content_range
    return web.Response(
        body=plain[part.start : part.end], status=200 if span is None else 206, headers=headers
    )


def _ms(request: web.Request, name: str) -> int | None:
    told = request.query.get(name)
    if told is None:
        return None
    if not (told.isascii() and told.isdigit() and len(told) <= 10):
        raise Refused("bad_request")
    return int(told)
