"""The audit: one's own entries, a site's sign-ins, a privacy officer's search."""

from __future__ import annotations

from typing import Literal

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

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


def _before(request: web.Request) -> int | None:
    given = request.query.get("before")
    return None if given is None else whole_number(given, 1, MAX_NUMBER)
