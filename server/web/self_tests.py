"""A site's self-test over HTTP: begun, its figures step by step, the line it measures, earlier ones."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.web.errors import parsed
from server.web.keys import ADDRESS, SERVICES, SIGNED_IN

MOST_MS = 10 * 365 * 86_400_000
Problem = Literal["denied", "missing", "busy", "ended", "insecure", "other"]
Decibels = Annotated[float, Field(ge=-200, le=10)]
Percent = Annotated[float, Field(ge=0, le=100)]
Rate = Annotated[float, Field(ge=0, le=1_000_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, allow_inf_nan=False)


class Begin(_Body):
    """`away`: whoever asks is not at their site."""

    device: str = Field("", max_length=60)
    away: bool = False


class BrowserFigures(_Body):
    engine: Literal["chrome", "edge", "firefox", "safari", "other"]
    version: int = Field(ge=0, le=10_000)
    clock_ms: int = Field(ge=-MOST_MS, le=MOST_MS)


class CameraFigures(_Body):
    """`problem`: it did not open; then nothing else is known. `lines`: the picture's shorter side."""

    problem: Problem | None = None
    lines: int | None = Field(None, ge=0, le=10_000)
    frames_per_s: float | None = Field(None, ge=0, le=240)
    brightness: float | None = Field(None, ge=0, le=255)


class MicrophoneFigures(_Body):
    problem: Problem | None = None
    silence_db: Decibels = -200.0
    speech_db: Decibels = -200.0
    clipped_pct: Percent = 0.0


class PathFigures(_Body):
    """`relay` null: there is none to try."""

    udp: bool
    tcp: bool
    relay: bool | None


class LineFigures(_Body):
    """`problem`: nothing was measured."""

    problem: Literal["unconnected", "unavailable"] | None = None
    up_kbps: Rate = 0.0
    down_kbps: Rate = 0.0
    loss_up_pct: Percent = 0.0
    loss_down_pct: Percent = 0.0
    round_trip_ms: float | None = Field(None, ge=0, le=600_000)


class LoopFigures(_Body):
    """What was played back: `relay` = as others hear it, `here` = recorded on this computer."""

    problem: Literal["silent"] | None = None
    via: Literal["relay", "here"] = "here"
    returned_db: Decibels | None = None
    heard: bool = False


FIGURES: Final[dict[str, type[_Body]]] = {
    "browser": BrowserFigures,
    "camera": CameraFigures,
    "microphone": MicrophoneFigures,
    "path": PathFigures,
    "line": LineFigures,
    "loop": LoopFigures,
}


class Answered(_Body):
    peer: Literal["sends", "receives"]
    offer_id: str = Field(min_length=1, max_length=128)
    sdp: str = Field(min_length=1, max_length=65_536)


async def begin(request: web.Request) -> web.Response:
    """POST /api/self-tests {device, away} → 201 {id, now_ms, line_s, steps}"""
    body = await parsed(request, Begin)
    account = request[SIGNED_IN].account
    device = " ".join(body.device.split())
    made = await request.app[SERVICES].self_tests.begin(account, device, request[ADDRESS], away=body.away)
    return web.json_response(made, status=201)


async def probe(request: web.Request) -> web.Response:
    """POST /api/self-tests/{test}/probe → {sdps, ice_servers, now_ms}"""
    account, test = request[SIGNED_IN].account, request.match_info["test"]
    return web.json_response(await request.app[SERVICES].self_tests.probe(account, test))


async def line(request: web.Request) -> web.Response:
    """POST /api/self-tests/{test}/line → {offers: {sends, receives}, seconds}"""
    account, test = request[SIGNED_IN].account, request.match_info["test"]
    return web.json_response(await request.app[SERVICES].self_tests.line(account, test))


async def answer(request: web.Request) -> web.Response:
    """POST /api/self-tests/{test}/line/answer {peer, offer_id, sdp} → 204"""
    body = await parsed(request, Answered)
    account, test = request[SIGNED_IN].account, request.match_info["test"]
    await request.app[SERVICES].self_tests.answer(account, test, body.peer, body.offer_id, body.sdp)
    return web.Response(status=204)


async def step(request: web.Request) -> web.Response:
    """POST /api/self-tests/{test}/steps/{step} {figures} → {verdict, findings, whole, relay_fault?}"""
    name = request.match_info["step"]
    if name not in FIGURES:
        raise web.HTTPNotFound
    body = await parsed(request, FIGURES[name])
    account, test = request[SIGNED_IN].account, request.match_info["test"]
    told = await request.app[SERVICES].self_tests.step(
        account, test, name, body.model_dump(), request[ADDRESS]
    )
    return web.json_response(told)


async def of_site(request: web.Request) -> web.Response:
    """GET /api/sites/{site}/self-tests → {now_ms, site, rooms, tests}, newest first"""
    return web.json_response(await request.app[SERVICES].self_tests.of_site(request.match_info["site"]))


async def board(request: web.Request) -> web.Response:
    """GET /api/site-checks → {now_ms, sites}"""
    return web.json_response(await request.app[SERVICES].site_checks.board())
