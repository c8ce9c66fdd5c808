"""Stands before every handler: proves who asks and reads the permissions table. Handlers decide nothing."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import web

from server.domain.errors import Refused
from server.domain.permissions import (
    BY_SEAT_CREDENTIAL,
    Action,
    Relation,
    allowed,
    is_open,
)
from server.domain.signed_in import WHILE_LOCKED, WHILE_UNPROVEN, Standing
from server.services.access import Asking, Subject, seat_and_consultation
from server.services.accounts import SignedIn
from server.services.follow_up import Looking, Withheld, withheld_from
from server.storage.audit import Entry
from server.storage.seats import Credential
from server.web.cookies import seat_cookie_name, session_cookie_name
from server.web.keys import (
    ADDRESS,
    CASE_ID,
    RELATIONS,
    SEAT_CREDENTIAL,
    SERVICES,
    SETTINGS,
    SIGNED_IN,
    Handler,
)
from server.web.shown import SHOWS

SHOWN: Final = (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT)
"""Answers that hold what was asked for; a page that has it already (304) is shown nothing."""


@dataclass(frozen=True, slots=True)
class Route:
    """One URL with its permission row. `subject` is found under the path's placeholder of the same name.

    `per_minute`: so often an account or a seat may ask; 0 = as often as it likes.
    """

    method: str
    path: str
    handler: Handler
    action: Action
    subject: Subject = Subject.NONE
    stranger: str = "sign_in_required"  # what somebody without a session is told
    per_minute: int = 0


def guarded(route: Route) -> Handler:
    """The handler behind its check. Raises Refused as `authorise` does, `text_refused` (a zero character in
    the address), `too_many_attempts`."""

    shows = SHOWS.get(f"{route.method} {route.path}")

    async def guard(request: web.Request) -> web.StreamResponse:
        if any("\0" in part for part in (*request.match_info.values(), *request.query.values())):
            raise Refused("text_refused")
        await authorise(request, route)
        if route.per_minute:
            signed_in = request.get(SIGNED_IN)
            who = request.match_info["seat"] if signed_in is None else signed_in.account.id
            await request.app[SERVICES].attempts.route(route.path, who, route.per_minute)
        response = await route.handler(request)
        if shows and response.status in SHOWN:
            await _note_look(request, route, shows)
        return response

    return guard


async def _note_look(request: web.Request, route: Route, shows: str) -> None:
    signed_in, case_id = request.get(SIGNED_IN), request[CASE_ID]
    address = request.get(ADDRESS, "")
    if signed_in is None:
        seat = request.match_info["seat"]
        entry = Entry(shows, "case", case_id, address, seat_id=seat, case_id=case_id)
        await request.app[SERVICES].looks.note(entry, shows, seat)
        return
    account, kind = signed_in.account.id, route.subject
    about = case_id if kind is Subject.CASE else request.match_info[kind.value]
    entry = Entry(shows, kind.value, about, address, account_id=account, case_id=case_id)
    await request.app[SERVICES].looks.note(entry, shows, account, about)


async def authorise(request: web.Request, route: Route) -> None:
    """Raises Refused. May be called again during a long answer: everything is looked up afresh."""
    if is_open(route.action):
        return
    if route.action in BY_SEAT_CREDENTIAL:
        await _by_seat(request, route)
        return
    signed_in = await signed_in_or_none(request)
    if signed_in is None:
        raise Refused(route.stranger)
    require_standing(signed_in, route.action)
    request[SIGNED_IN] = signed_in
    if route.subject is not Subject.NONE:
        access = request.app[SERVICES].access
        found = await access.require(
            signed_in.account, route.action, route.subject, request.match_info[route.subject.value]
        )
        request[CASE_ID] = found.case_id
        request[RELATIONS] = found.relations
    elif not allowed(route.action, signed_in.account.roles, ()):
        raise Refused("forbidden")


def require_standing(signed_in: SignedIn, action: Action) -> None:
    """Raises Refused `locked`, `second_step_required`."""
    if signed_in.standing is Standing.LOCKED and action not in WHILE_LOCKED:
        raise Refused("locked")
    if signed_in.standing is Standing.UNPROVEN and action not in WHILE_UNPROVEN:
        raise Refused("second_step_required")


async def fully_signed_in_or_none(request: web.Request) -> SignedIn | None:
    """As `signed_in_or_none`; a locked or half-way browser proves nobody."""
    signed_in = await signed_in_or_none(request)
    return signed_in if signed_in and signed_in.standing is Standing.FULL else None


async def signed_in_or_none(request: web.Request) -> SignedIn | None:
    """The account behind the session cookie, if it still proves one."""
    secret = request.cookies.get(session_cookie_name(request.app[SETTINGS]))
    return await request.app[SERVICES].accounts.authenticate(secret)


def asking(request: web.Request) -> Asking:
    """The account that was let through."""
    address = request.get(ADDRESS, request.remote or "")
    return Asking(request[SIGNED_IN].account.id, address, request[CASE_ID])


def looking(request: web.Request) -> Looking:
    """How the account that was let through stands to what it looks at."""
    return Looking(request[SIGNED_IN].account.roles, request[RELATIONS])


async def kept_back(request: web.Request, recording: str, looker: Looking | None = None) -> Withheld:
    """What of a recording is not for who was let through, or for `looker`, who was found again meanwhile."""
    context = request.app[SERVICES].context
    return await withheld_from(context.database, recording, looker or looking(request), context.now_ms())


async def credential_or_none(request: web.Request, seat_id: str) -> Credential | None:
    """The live credential behind this seat's cookie."""
    secret = request.cookies.get(seat_cookie_name(request.app[SETTINGS], seat_id))
    return await request.app[SERVICES].seats.credential(seat_id, secret)


async def _by_seat(request: web.Request, route: Route) -> None:
    seat_id = request.match_info["seat"]
    credential = await credential_or_none(request, seat_id)
    if credential is None:
        raise Refused("no_credential")
    async with request.app[SERVICES].context.database.read() as tx:
        seat, consultation = await seat_and_consultation(tx, seat_id)
    if not allowed(route.action, (seat.role,), (Relation.OWN_SEAT,)):
        raise Refused("forbidden")
    request[SEAT_CREDENTIAL] = credential
    request[CASE_ID] = consultation.case_id
