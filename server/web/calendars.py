"""Calendars over HTTP: hours, absences, rooms of a site, what interpreters interpret."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.errors import Refused
from server.domain.week import DAY_MINUTES, DAYS, MAX_PARTS
from server.web.errors import parsed
from server.web.keys import SERVICES
from server.web.schedule import Id, Language, order_of

Minute = Annotated[int, Field(ge=0, le=DAY_MINUTES)]
Part = Annotated[list[Minute], Field(min_length=2, max_length=2)]
Day = Annotated[list[Part], Field(max_length=MAX_PARTS)]
Pair = Annotated[list[Language], Field(min_length=2, max_length=2)]
LOCAL = r"^\d{4}-\d\d-\d\dT\d\d:\d\d$"


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class NewHours(_Body):
    """Monday first, minutes since midnight. null: the site's hold again."""

    days: Annotated[list[Day], Field(min_length=DAYS, max_length=DAYS)] | None
    time_zone: str | None = Field(None, max_length=64)


class NewAbsence(_Body):
    """By the clock on the owner's wall: 2026-12-01T00:00; the end is not included."""

    begin: str = Field(alias="from", pattern=LOCAL)
    end: str = Field(alias="to", pattern=LOCAL)


class NewRoom(_Body):
    room: Id | None = None
    name: str = Field(max_length=400)
    closed: bool = False


class Interprets(_Body):
    pairs: list[Pair] = Field(max_length=15)
    fields: list[Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")]] = Field(max_length=40)


async def look(request: web.Request) -> web.Response:
    """GET /api/calendars/{calendar}"""
    return web.json_response(await request.app[SERVICES].calendars.of(request.match_info["calendar"]))


async def set_hours(request: web.Request) -> web.Response:
    """POST /api/calendars/{calendar}/hours {days, time_zone} → 204"""
    body = await parsed(request, NewHours)
    await request.app[SERVICES].calendars.set_hours(
        request.match_info["calendar"], body.days, body.time_zone, order_of(request)
    )
    return web.Response(status=204)


async def add_absence(request: web.Request) -> web.Response:
    """POST /api/calendars/{calendar}/absences {from, to} → 201 {id}"""
    body = await parsed(request, NewAbsence)
    try:
        span = datetime.fromisoformat(body.begin), datetime.fromisoformat(body.end)
    except ValueError:
        raise Refused("bad_request") from None
    made = await request.app[SERVICES].calendars.add_absence(
        request.match_info["calendar"], *span, order_of(request)
    )
    return web.json_response({"id": made}, status=201)


async def remove_absence(request: web.Request) -> web.Response:
    """POST /api/calendars/{calendar}/absences/{absence}/delete → 204"""
    await request.app[SERVICES].calendars.remove_absence(
        request.match_info["calendar"], request.match_info["absence"], order_of(request)
    )
    return web.Response(status=204)


async def put_room(request: web.Request) -> web.Response:
    """POST /api/calendars/{calendar}/rooms {room?, name, closed} → 201 {id}; the calendar is a site's"""
    body = await parsed(request, NewRoom)
    made = await request.app[SERVICES].calendars.put_room(
        request.match_info["calendar"], body.room, body.name, body.closed, order_of(request)
    )
    return web.json_response({"id": made}, status=201)


async def interpreters(request: web.Request) -> web.Response:
    """GET /api/interpreters → {interpreters: [{id, name, pairs, fields}]}"""
    return web.json_response({"interpreters": await request.app[SERVICES].calendars.interpreters()})


async def interprets(request: web.Request) -> web.Response:
    """POST /api/interpreters/{interpreter} {pairs, fields} → 204"""
    body = await parsed(request, Interprets)
    await request.app[SERVICES].calendars.interprets(
        request.match_info["interpreter"], body.pairs, body.fields, order_of(request)
    )
    return web.Response(status=204)
