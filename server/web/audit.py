"""The audit: one's own entries, a site's sign-ins, a privacy officer's search, whether it is whole."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.glass import LONGEST_REASON
from server.services.trail import Asked
from server.web.errors import parsed, whole_number
from server.web.keys import ADDRESS, SERVICES, SIGNED_IN

MAX_NUMBER = 2**31 - 1


class Wanted(BaseModel):
    """`account`: an e-mail address or id; `case`: a label or id, and its patient's other cases with it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    account: str = Field("", max_length=254)
    case: str = Field("", max_length=64)
    action: str = Field("", max_length=48, pattern="^[a-z_]*$")
    from_ms: int | None = Field(None, ge=0, le=2**53)
    to_ms: int | None = Field(None, ge=0, le=2**53)

    def asked(self) -> Asked:
        return Asked(self.account.strip(), self.case.strip(), self.action, self.from_ms, self.to_ms)


class Export(Wanted):
    format: Literal["csv", "json"]
    reason: str = Field(max_length=24)


class Search(Wanted):
    before: int | None = Field(None, ge=1, le=MAX_NUMBER)


class Acknowledged(BaseModel):
    """`lost`: what the asker was shown, as the chain's state told it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    lost: str = Field(pattern="^[0-9a-f]{64}$")
    reason: str = Field(max_length=LONGEST_REASON)


async def own(request: web.Request) -> web.Response:
    """GET /api/account/audit[?before=…] → {entries, next}"""
    account = request[SIGNED_IN].account
    return web.json_response(await request.app[SERVICES].trail.own(account, _before(request)))


async def logins(request: web.Request) -> web.Response:
    """GET /api/audit/logins[?before=…] → {entries, next}"""
    account = request[SIGNED_IN].account
    return web.json_response(await request.app[SERVICES].trail.logins(account, _before(request)))


async def search(request: web.Request) -> web.Response:
    """POST /api/audit/search {account, case, action, from_ms, to_ms, before} → {entries, next}"""
    body = await parsed(request, Search)
    account = request[SIGNED_IN].account
    trail = request.app[SERVICES].trail
    return web.json_response(await trail.search(account, body.asked(), body.before, request[ADDRESS]))


async def export(request: web.Request) -> web.StreamResponse:
    """POST /api/audit/export {format, reason, …as search} → the file"""
    body = await parsed(request, Export)
    exports = request.app[SERVICES].trail_exports
    account = request[SIGNED_IN].account
    wanted = await exports.begin(body.asked(), body.format, body.reason, account.id, request[ADDRESS])
    kind, ending = ("text/csv", "csv") if body.format == "csv" else ("application/x-ndjson", "jsonl")
    response = web.StreamResponse(
        headers={
            hdrs.CONTENT_TYPE: f"{kind}; charset=utf-8",
            hdrs.CONTENT_DISPOSITION: f'attachment; filename="hyeopjin-audit.{ending}"',
        }
    )
    await response.prepare(request)
    async for piece in exports.pieces(wanted, body.format):
        await response.write(piece)
    await response.write_eof()
    return response


async def chain(request: web.Request) -> web.Response:
    """GET /api/audit/chain → {entries, checkpoints, newest_ms, missing_after, lost, gaps, …}"""
    return web.json_response(asdict(await request.app[SERVICES].audit_chain.verdict(whole=False)))


async def verify(request: web.Request) -> web.Response:
    """POST /api/audit/chain/verify → the same, every entry hashed again: `broken` is the first wrong one"""
    return web.json_response(asdict(await request.app[SERVICES].audit_chain.verdict(whole=True)))


async def acknowledge(request: web.Request) -> web.Response:
    """POST /api/audit/gaps {lost, reason} → 201 {id}"""
    body = await parsed(request, Acknowledged)
    account = request[SIGNED_IN].account
    gap = await request.app[SERVICES].audit_chain.acknowledge(
        body.lost, body.reason, account.id, request[ADDRESS]
    )
    return web.json_response({"id": gap.id}, status=201)


def _before(request: web.Request) -> int | None:
    given = request.query.get("before")
    return None if given is None else whole_number(given, 1, MAX_NUMBER)
