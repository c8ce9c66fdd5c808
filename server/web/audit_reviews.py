"""The monthly review of the audit: made, read, taken as a file, signed."""

from __future__ import annotations

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.errors import Refused
from server.i18n import LANGUAGES
from server.services.audit_reviews import LONGEST_REMARKS
from server.web.errors import parsed
from server.web.keys import ADDRESS, SERVICES, SIGNED_IN

TYPES = {"html": "text/html", "csv": "text/csv"}


class Month(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    month: str = Field(max_length=7)


class Signature(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    remarks: str = Field("", max_length=LONGEST_REMARKS)


async def listed(request: web.Request) -> web.Response:
    """GET /api/audit/reviews → {reviews: [{id, month, made_ms, so_far, to_review, signed_ms, …}]}"""
    return web.json_response(await request.app[SERVICES].audit_reviews.listed())


async def make(request: web.Request) -> web.Response:
    """POST /api/audit/reviews {month} → {id}"""
    body = await parsed(request, Month)
    account = request[SIGNED_IN].account
    made = await request.app[SERVICES].audit_reviews.make(body.month, account.id, request[ADDRESS])
    return web.json_response({"id": made.id})


async def look(request: web.Request) -> web.Response:
    """GET /api/audit/reviews/{review} → {…, report, sha256}"""
    return web.json_response(await request.app[SERVICES].audit_reviews.look(request.match_info["review"]))


async def sign(request: web.Request) -> web.Response:
    """POST /api/audit/reviews/{review}/sign {sha256, remarks}"""
    body = await parsed(request, Signature)
    account = request[SIGNED_IN].account
    await request.app[SERVICES].audit_reviews.sign(
        request.match_info["review"], body.sha256, body.remarks, account.id, request[ADDRESS]
    )
    return web.Response(status=204)


async def file(request: web.Request) -> web.Response:
    """GET /api/audit/reviews/{review}/file?format=html|csv&language=…"""
    kind, language = request.query.get("format", ""), request.query.get("language", "en")
    if kind not in TYPES or language not in LANGUAGES:
        raise Refused("bad_request")
    account = request[SIGNED_IN].account
    review, content = await request.app[SERVICES].audit_reviews.file(
        request.match_info["review"], kind, language, account.time_zone, account.id, request[ADDRESS]
    )
    headers = {
        hdrs.CONTENT_TYPE: f"{TYPES[kind]}; charset=utf-8",
        hdrs.CONTENT_DISPOSITION: f'attachment; filename="hyeopjin-audit-{review.month}.{kind}"',
    }
    return web.Response(body=content, headers=headers)
