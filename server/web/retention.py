"""Keeping and destroying over HTTP: the privacy officer's list and holds, withdrawal, receipts."""

from __future__ import annotations

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field

from server.services.kept import keeping_of, receipt_of
from server.services.periods import periods_of
from server.web.errors import parsed
from server.web.keys import ADDRESS, RELATIONS, SERVICES, SIGNED_IN


class Reason(BaseModel):
    """A code of the fixed lists in `server/domain/retention.py`."""

    model_config = ConfigDict(extra="forbid", strict=True)
    reason: str = Field(min_length=1, max_length=32)


class Class(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str = Field(min_length=1, max_length=24)
    reason: str = Field(min_length=1, max_length=32)


class Years(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    years: int = Field(ge=1, le=100)
    reason: str = Field(min_length=1, max_length=32)


async def overview(request: web.Request) -> web.Response:
    return web.json_response(await request.app[SERVICES].retention.overview())


async def hold(request: web.Request) -> web.Response:
    told = await parsed(request, Reason)
    made = await request.app[SERVICES].retention.hold(
        request.match_info["case"], told.reason, request[SIGNED_IN].account.id, request[ADDRESS]
    )
    return web.json_response({"hold": made.id}, status=201)


async def lift(request: web.Request) -> web.Response:
    told = await parsed(request, Reason)
    await request.app[SERVICES].retention.lift(
        request.match_info["hold"], told.reason, request[SIGNED_IN].account.id, request[ADDRESS]
    )
    return web.Response(status=204)


async def classify(request: web.Request) -> web.Response:
    told = await parsed(request, Class)
    until_ms = await request.app[SERVICES].retention.classify(
        request.match_info["recording"],
        told.name,
        told.reason,
        request[SIGNED_IN].account.id,
        request[ADDRESS],
    )
    return web.json_response({"kept_until_ms": until_ms})


async def extend(request: web.Request) -> web.Response:
    told = await parsed(request, Years)
    until_ms = await request.app[SERVICES].retention.extend(
        request.match_info["recording"],
        told.years,
        told.reason,
        request[SIGNED_IN].account.id,
        request[ADDRESS],
    )
    return web.json_response({"kept_until_ms": until_ms})


async def periods(request: web.Request) -> web.Response:
    context = request.app[SERVICES].context
    return web.json_response(await periods_of(context, request.match_info["case"]))


async def keeping(request: web.Request) -> web.Response:
    account, case = request[SIGNED_IN].account, request.match_info["case"]
    context = request.app[SERVICES].context
    return web.json_response(await keeping_of(context, account, case, request[RELATIONS]))


async def receipt(request: web.Request) -> web.Response:
    """The signed envelope, to be kept by whoever asked."""
    number = request.match_info["receipt"]
    envelope = await receipt_of(request.app[SERVICES].context, request.match_info["case"], number)
    return receipt_file(envelope, number)


def receipt_file(envelope: bytes, number: str) -> web.Response:
    """A receipt to be kept; `number` is one that was found."""
    headers = {hdrs.CONTENT_DISPOSITION: f'attachment; filename="receipt-{int(number)}.json"'}
    return web.Response(body=envelope, content_type="application/json", headers=headers)


async def withdraw(request: web.Request) -> web.Response:
    told = await parsed(request, Reason)
    account = request[SIGNED_IN].account.id
    made = await request.app[SERVICES].withdrawals.withdraw(
        request.match_info["recording"],
        request.match_info["seat"],
        told.reason,
        account,
        request[ADDRESS],
        account=account,
    )
    return web.json_response({"state": made.state}, status=202)
