"""Seats: take, redeem a link, knock, look, consent."""

from __future__ import annotations

from typing import Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.consent import MAX_PERSONS
from server.services.seat_page import seat_page
from server.services.seat_past import receipt_of_seat, seat_past
from server.services.seats import Seated
from server.web.cookies import SEAT_LIFE_S, knock_cookie_name, seat_cookie_name, set_cookie
from server.web.errors import parsed
from server.web.guard import credential_or_none, fully_signed_in_or_none
from server.web.keys import ADDRESS, SERVICES, SETTINGS, SIGNED_IN
from server.web.retention import receipt_file

KNOCK_LIFE_S = 3600


class Redeem(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    token: str = Field(min_length=1, max_length=64)


class KnockAt(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    token: str = Field(min_length=1, max_length=64)
    name: str = Field(min_length=1, max_length=200)


class Decide(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    decision: Literal["granted", "declined"]
    persons: list[str] = Field(max_length=MAX_PERSONS)
    language: str = Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,4})?$")
    version: str = Field(min_length=1, max_length=32)


async def take(request: web.Request) -> web.Response:
    seat_id = request.match_info["seat"]
    held = await credential_or_none(request, seat_id)
    seated = await request.app[SERVICES].seats.take(seat_id, request[SIGNED_IN], request[ADDRESS], held)
    return _seated(request, seated)


async def redeem(request: web.Request) -> web.Response:
    body = await parsed(request, Redeem)
    seat_id = request.match_info["seat"]
    seated = await request.app[SERVICES].seats.redeem(
        seat_id,
        body.token,
        request[ADDRESS],
        held=await credential_or_none(request, seat_id),
        signed_in=await fully_signed_in_or_none(request),
    )
    return _seated(request, seated)


async def knock(request: web.Request) -> web.Response:
    body = await parsed(request, KnockAt)
    settings, seat_id = request.app[SETTINGS], request.match_info["seat"]
    knocked = await request.app[SERVICES].knocks.knock(seat_id, body.token, body.name, request[ADDRESS])
    response = web.json_response({"knock": knocked.id}, status=201)
    name = knock_cookie_name(settings, seat_id)
    set_cookie(response, settings, name, knocked.secret, KNOCK_LIFE_S, "Strict")
    return response


async def knock_state(request: web.Request) -> web.Response:
    settings, seat_id = request.app[SETTINGS], request.match_info["seat"]
    secret = request.cookies.get(knock_cookie_name(settings, seat_id))
    found = await request.app[SERVICES].knocks.state(seat_id, secret, request[ADDRESS])
    response = web.json_response({"state": found.state})
    if found.secret:
        name = seat_cookie_name(settings, seat_id)
        set_cookie(response, settings, name, found.secret, SEAT_LIFE_S, "Strict")
    return response


async def look(request: web.Request) -> web.Response:
    page = await seat_page(request.app[SERVICES].context, request.match_info["seat"])
    return web.json_response(page)


async def consent(request: web.Request) -> web.Response:
    body = await parsed(request, Decide)
    made = await request.app[SERVICES].consents.decide(
        request.match_info["seat"],
        body.decision,
        body.persons,
        body.language,
        body.version,
        request[ADDRESS],
    )
    return web.json_response({"decision": made.decision, "missing": list(made.missing)})


async def destroy(request: web.Request) -> web.Response:
    asked = await request.app[SERVICES].withdrawals.withdraw_seat(
        request.match_info["seat"], request[ADDRESS]
    )
    return web.json_response({"recordings": len(asked)})


async def past(request: web.Request) -> web.Response:
    return web.json_response(await seat_past(request.app[SERVICES].context, request.match_info["seat"]))


async def receipt(request: web.Request) -> web.Response:
    """The signed envelope of what was destroyed of this seat."""
    seat, number = request.match_info["seat"], request.match_info["receipt"]
    return receipt_file(await receipt_of_seat(request.app[SERVICES].context, seat, number), number)


def _seated(request: web.Request, seated: Seated) -> web.Response:
    settings = request.app[SETTINGS]
    response = web.json_response({"room_url": f"{settings.public_url}/room/{seated.seat.id}"})
    if seated.secret:
        name = seat_cookie_name(settings, seated.seat.id)
        set_cookie(response, settings, name, seated.secret, SEAT_LIFE_S, "Strict")
    return response
