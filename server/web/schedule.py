"""The schedule of a case over HTTP: find an hour, book, move, call off, say who did not come."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.appointment import MAX_MINUTES, MIN_MINUTES, REASONS, SIDES
from server.domain.errors import Refused
from server.services.booking import Hour, Order
from server.services.finding import MAX_DAYS, Search
from server.services.team import Wish
from server.web.errors import parsed
from server.web.keys import ADDRESS, SERVICES, SIGNED_IN

Id = Annotated[str, Field(min_length=1, max_length=64)]
Language = Literal["ko", "ru", "kk", "uz", "mn", "en"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class _Wishes(_Body):
    """See `server/services/team.py`."""

    people: list[Id] = Field([], max_length=8)
    languages: list[Language] = Field([], max_length=2)
    any_field: bool = False
    interpreter: Id | None = None
    rooms: list[Id] = Field([], max_length=8)
    urgent: bool = False

    @property
    def wish(self) -> Wish:
        return Wish(
            tuple(self.people), tuple(self.languages), self.any_field, self.interpreter, tuple(self.rooms),
            self.urgent,
        )  # fmt: skip


class Wanted(_Wishes):
    first: str = Field(alias="from", max_length=10)
    days: int = Field(14, ge=1, le=MAX_DAYS)
    minutes: int = Field(ge=MIN_MINUTES, le=MAX_MINUTES)
    moving: Id | None = None


class Booked(_Wishes):
    """`request`: the page's own number for this wish; sent again with it, it is done once."""

    request: str = Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")
    starts_at_ms: int = Field(ge=0, le=2**53)
    minutes: int = Field(ge=MIN_MINUTES, le=MAX_MINUTES)

    @property
    def hour(self) -> Hour:
        return Hour(self.starts_at_ms, self.minutes, self.wish)


class BookedNew(Booked):
    """`side` and `reason`: of an urgent one."""

    side: Literal[SIDES] | None = None  # type: ignore[valid-type]
    reason: Literal[REASONS] | None = None  # type: ignore[valid-type]


class Moved(Booked):
    sequence: int = Field(ge=0, le=1_000_000)
    side: Literal[SIDES]  # type: ignore[valid-type]
    reason: Literal[REASONS]  # type: ignore[valid-type]


class Cancelled(_Body):
    request: str = Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")
    side: Literal[SIDES]  # type: ignore[valid-type]
    reason: Literal[REASONS]  # type: ignore[valid-type]


class Missed(_Body):
    request: str = Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")
    seats: list[Id] = Field(min_length=1, max_length=16)


class CannotCome(_Body):
    """`reason` null: they can after all."""

    reason: Literal[REASONS] | None  # type: ignore[valid-type]


async def decline(request: web.Request) -> web.Response:
    """POST /api/seats/{seat}/decline {reason} → 204, by who has the seat"""
    body = await parsed(request, CannotCome)
    account = request[SIGNED_IN].account
    await request.app[SERVICES].declining.say(
        request.match_info["seat"], body.reason, account, request[ADDRESS]
    )
    return web.Response(status=204)


async def of_case(request: web.Request) -> web.Response:
    """GET /api/cases/{case}/schedule → {now_ms, case_label, appointments}, newest first"""
    services = request.app[SERVICES]
    label, found = await services.booking.of_case(request[SIGNED_IN].account, request.match_info["case"])
    now_ms = services.context.now_ms()
    return web.json_response({"now_ms": now_ms, "case_label": label, "appointments": found})


async def slots(request: web.Request) -> web.Response:
    """POST /api/cases/{case}/slots {from, days, minutes, …} → the best hours first, or what is in the way"""
    body = await parsed(request, Wanted)
    try:
        first = date.fromisoformat(body.first)
    except ValueError:
        raise Refused("bad_request") from None
    search = Search(first, body.days, body.minutes, body.wish, body.moving)
    return web.json_response(await request.app[SERVICES].finding.slots(request.match_info["case"], search))


async def book(request: web.Request) -> web.Response:
    """POST /api/cases/{case}/consultations {request, starts_at_ms, minutes, …} → 201 and the agreed hour"""
    body = await parsed(request, BookedNew)
    why = (body.side, body.reason) if body.side and body.reason else None
    made = await request.app[SERVICES].booking.book(
        request.match_info["case"], body.hour, order_of(request, body.request), why
    )
    return web.json_response(made, status=201)


async def move(request: web.Request) -> web.Response:
    """POST /api/consultations/{consultation}/move {…, sequence, side, reason} → the agreed hour"""
    body = await parsed(request, Moved)
    made = await request.app[SERVICES].booking.move(
        request.match_info["consultation"],
        body.hour,
        body.sequence,
        (body.side, body.reason),
        order_of(request, body.request),
    )
    return web.json_response(made)


async def cancel(request: web.Request) -> web.Response:
    """POST /api/consultations/{consultation}/cancel {request, side, reason} → what was agreed"""
    body = await parsed(request, Cancelled)
    made = await request.app[SERVICES].booking.cancel(
        request.match_info["consultation"], (body.side, body.reason), order_of(request, body.request)
    )
    return web.json_response(made)


async def no_show(request: web.Request) -> web.Response:
    """POST /api/consultations/{consultation}/no-show {request, seats} → what was agreed"""
    body = await parsed(request, Missed)
    made = await request.app[SERVICES].booking.no_show(
        request.match_info["consultation"], body.seats, order_of(request, body.request)
    )
    return web.json_response(made)


def order_of(request: web.Request, number: str = "") -> Order:
    """Whoever the guard let through."""
    return Order(request[SIGNED_IN].account, request[ADDRESS], number)
