"""The pages. They hold no data: everything about people comes from the API."""

from __future__ import annotations

from aiohttp import web

from server.domain.errors import Refused
from server.domain.permissions import Action
from server.domain.signed_in import Standing
from server.services.access import Subject
from server.services.accounts import SignedIn
from server.web.guard import signed_in_or_none
from server.web.keys import SERVICES
from server.web.static_files import send, send_page


async def front(request: web.Request) -> web.Response:
    there = "/worklist" if await signed_in_or_none(request) else "/signin"
    raise web.HTTPFound(there)


async def signin(request: web.Request) -> web.StreamResponse:
    return send_page(request, "signin")


async def forgot_password(request: web.Request) -> web.StreamResponse:
    return send_page(request, "forgot-password")


async def set_password(request: web.Request) -> web.StreamResponse:
    return send_page(request, "set-password")


async def worklist(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "worklist")


async def case(request: web.Request) -> web.StreamResponse:
    return send_page(request, "case")


async def referral(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "referral")


async def new_referral(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "new-referral")


async def audit(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "audit")


async def sites(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "sites")


async def site(request: web.Request) -> web.StreamResponse:
    return await _closed_page(request, "site", Action.SITE_READ, Subject.SITE)


async def person(request: web.Request) -> web.StreamResponse:
    return await _closed_page(request, "person", Action.PERSON_READ, Subject.PERSON)


async def retention(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "retention")


async def consents(request: web.Request) -> web.StreamResponse:
    return await _closed_page(request, "consents", Action.CONSENT_READ, Subject.CASE)


async def my(request: web.Request) -> web.StreamResponse:
    return send_page(request, "my")


async def policies(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "policies")


async def renderings(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "renderings")


async def self_test(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "self-test")


async def site_checks(request: web.Request) -> web.StreamResponse:
    return await _signed_in_page(request, "site-checks")


async def room(request: web.Request) -> web.StreamResponse:
    return send_page(request, "room")


async def review(request: web.Request) -> web.StreamResponse:
    return await _closed_page(request, "review", Action.RECORDING_WATCH, Subject.RECORDING)


async def schedule(request: web.Request) -> web.StreamResponse:
    return await _closed_page(request, "schedule", Action.SCHEDULE_READ, Subject.CASE)


async def glossary(request: web.Request) -> web.StreamResponse:
    return await _closed_page(request, "glossary", Action.GLOSSARY_READ, Subject.CASE)


async def security(request: web.Request) -> web.StreamResponse:
    if await signed_in_or_none(request) is None:
        raise web.HTTPFound("/signin")
    return send_page(request, "security")


async def _signed_in_page(request: web.Request, name: str) -> web.StreamResponse:
    signed_in = await signed_in_or_none(request)
    if signed_in is None:
        raise web.HTTPFound("/signin" if name == "worklist" else f"/signin?next={request.path}")
    _set_up_first(signed_in)
    return send_page(request, name)


def _set_up_first(signed_in: SignedIn) -> None:
    """Who must set up a second step is led there: nothing else would open."""
    if signed_in.standing is Standing.UNPROVEN:
        raise web.HTTPFound("/security")


async def _closed_page(
    request: web.Request, name: str, action: Action, subject: Subject
) -> web.StreamResponse:
    """The same page for everybody, but a copied address says 403 at once to who may not read it."""
    status = 403
    signed_in = await signed_in_or_none(request)
    if signed_in is not None:
        _set_up_first(signed_in)
        try:
            access = request.app[SERVICES].access
            await access.require(signed_in.account, action, subject, request.match_info[subject.value])
            status = 200
        except Refused as refused:
            status = refused.status
    return send_page(request, name, status)


async def static(request: web.Request) -> web.StreamResponse:
    return send(request, request.match_info["path"])


async def favicon(request: web.Request) -> web.StreamResponse:
    return send(request, "img/favicon.svg")
