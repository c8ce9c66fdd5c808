"""A seat's page asks how it gets to the media port, and tells what it found."""

from __future__ import annotations

from typing import Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.services.probing import Proof
from server.storage.path_checks import PathCheck
from server.web.errors import parsed
from server.web.guard import credential_or_none
from server.web.keys import ADDRESS, SERVICES

Token = Field(default=None, min_length=1, max_length=64)
MOST_MS = 10 * 365 * 86_400_000


class Ask(BaseModel):
    """`token`: of the link, while the page holds no credential of the seat."""

    model_config = ConfigDict(extra="forbid", strict=True)
    token: str | None = Token


class Found(BaseModel):
    """What worked; `relay` null: there is none to try. `clock_ms`: the page's clock less the server's."""

    model_config = ConfigDict(extra="forbid", strict=True)
    token: str | None = Token
    path: Literal["udp", "tcp", "relay", "none"]
    udp: bool
    tcp: bool
    relay: bool | None
    clock_ms: int = Field(ge=-MOST_MS, le=MOST_MS)


async def probe(request: web.Request) -> web.Response:
    body = await parsed(request, Ask)
    seat = request.match_info["seat"]
    proof = await _proof(request, body.token)
    return web.json_response(await request.app[SERVICES].probing.probe(seat, proof, request[ADDRESS]))


async def result(request: web.Request) -> web.Response:
    body = await parsed(request, Found)
    found = PathCheck(body.path, body.udp, body.tcp, body.relay, body.clock_ms)
    seat, proof = request.match_info["seat"], await _proof(request, body.token)
    fault = await request.app[SERVICES].probing.keep(seat, proof, found, request[ADDRESS])
    return web.json_response({"relay_fault": fault})


async def _proof(request: web.Request, token: str | None) -> Proof:
    return Proof(await credential_or_none(request, request.match_info["seat"]), token)
