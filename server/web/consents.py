"""A patient's consents: looked at and given at their site, and the patient's own way to them."""

from __future__ import annotations

from typing import Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.consent_text import PURPOSES
from server.domain.errors import Refused
from server.domain.person_consent import MAX_DRAWING
from server.services.consent_page import consent_page
from server.services.person_consents import Decision, How
from server.services.probing import Proof
from server.web.errors import parsed
from server.web.guard import credential_or_none
from server.web.keys import ADDRESS, RELATIONS, SERVICES, SIGNED_IN

_LANGUAGE = Field(pattern=r"^[a-z]{2}$")
_PURPOSE = Field(min_length=1, max_length=24)
_CODE = Field(min_length=1, max_length=32)
_STRICT = ConfigDict(extra="forbid", strict=True)


class One(BaseModel):
    model_config = _STRICT
    purpose: str = _PURPOSE
    decision: Literal["granted", "declined"]
    version: int = Field(ge=1, le=10_000)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Give(BaseModel):
    """`name`: typed, or of whom the drawing, the voice or the paper is."""

    model_config = _STRICT
    language: str = _LANGUAGE
    by: Literal["patient", "guardian"]
    name: str = Field(max_length=200)
    method: Literal["typed", "drawn", "read_aloud", "paper"]
    drawing: str = Field(default="", max_length=MAX_DRAWING)
    witness: str = Field(default="", max_length=200)
    document: str = Field(default="", max_length=64)
    decisions: list[One] = Field(min_length=1, max_length=len(PURPOSES))


class Witness(BaseModel):
    model_config = _STRICT
    consents: list[str] = Field(min_length=1, max_length=len(PURPOSES))


class Withdraw(BaseModel):
    model_config = _STRICT
    purpose: str = _PURPOSE


class Own(BaseModel):
    model_config = _STRICT
    code: str = _CODE


class OwnText(BaseModel):
    model_config = _STRICT
    code: str = _CODE
    consent: str = Field(min_length=1, max_length=64)


class OwnWithdraw(BaseModel):
    model_config = _STRICT
    code: str = _CODE
    purpose: str = _PURPOSE


class AtDoor(BaseModel):
    """`token`: of the link, while the page holds no credential of the seat."""

    model_config = _STRICT
    language: str = _LANGUAGE
    token: str | None = Field(default=None, min_length=1, max_length=64)


async def look(request: web.Request) -> web.Response:
    """GET /api/cases/{case}/consents → {patient, required, missing, purposes, seats, policies, papers, …}"""
    return web.json_response(await _page(request))


async def texts(request: web.Request) -> web.Response:
    """GET /api/cases/{case}/consents/texts/{language} → {texts, places}"""
    language = request.match_info["language"]
    if not (len(language) == 2 and language.isascii() and language.isalpha()):
        raise Refused("bad_request")
    found = await request.app[SERVICES].person_consents.texts(request.match_info["case"], language)
    return web.json_response(found)


async def text(request: web.Request) -> web.Response:
    """GET /api/cases/{case}/consents/{consent}/text → {text, places}, as it was given"""
    case, consent = request.match_info["case"], request.match_info["consent"]
    return web.json_response(await request.app[SERVICES].person_consents.text(case, consent))


async def give(request: web.Request) -> web.Response:
    """POST /api/cases/{case}/consents {language, by, name, method, …, decisions} → 201, as `look`"""
    body = await parsed(request, Give)
    how = How(
        body.language, body.by, body.name, body.method, body.drawing, body.witness, body.document
    )  # fmt: skip
    decisions = [Decision(one.purpose, one.decision, one.version, one.sha256) for one in body.decisions]
    if len({one.purpose for one in decisions}) != len(decisions):
        raise Refused("bad_request")
    await request.app[SERVICES].person_consents.give(
        request.match_info["case"], decisions, how, request[SIGNED_IN].account, request[ADDRESS]
    )
    return web.json_response(await _page(request), status=201)


async def witness(request: web.Request) -> web.Response:
    """POST /api/cases/{case}/consents/witness {consents} → as `look`"""
    body = await parsed(request, Witness)
    await request.app[SERVICES].person_consents.witness(
        request.match_info["case"], body.consents, request[SIGNED_IN].account, request[ADDRESS]
    )
    return web.json_response(await _page(request))


async def withdraw(request: web.Request) -> web.Response:
    """POST /api/cases/{case}/consents/withdraw {purpose} → 202, as `look`: on the patient's behalf"""
    body = await parsed(request, Withdraw)
    account = request[SIGNED_IN].account.id
    await request.app[SERVICES].person_consents.withdraw(
        request.match_info["case"], body.purpose, account, request[ADDRESS], account
    )
    return web.json_response(await _page(request), status=202)


async def code(request: web.Request) -> web.Response:
    """POST /api/cases/{case}/consents/code → 201 {code, url, expires_ms}"""
    made = await request.app[SERVICES].patients_way.issue(
        request.match_info["case"], request[SIGNED_IN].account, request[ADDRESS]
    )
    return web.json_response(made, status=201)


async def own(request: web.Request) -> web.Response:
    """POST /api/my/consents {code} → {clinic, purposes, seen, …}"""
    body = await parsed(request, Own)
    return web.json_response(await request.app[SERVICES].patients_way.look(body.code, request[ADDRESS]))


async def own_text(request: web.Request) -> web.Response:
    """POST /api/my/consents/text {code, consent} → {text, places}"""
    body = await parsed(request, OwnText)
    found = await request.app[SERVICES].patients_way.text(body.code, body.consent, request[ADDRESS])
    return web.json_response(found)


async def own_withdraw(request: web.Request) -> web.Response:
    """POST /api/my/consents/withdraw {code, purpose} → 202 {recordings}"""
    body = await parsed(request, OwnWithdraw)
    done = await request.app[SERVICES].patients_way.withdraw(body.code, body.purpose, request[ADDRESS])
    return web.json_response(done, status=202)


async def of_seat(request: web.Request) -> web.Response:
    """POST /api/seats/{seat}/consent-texts {language, token?} → {texts, places, open}: asked at this door"""
    body = await parsed(request, AtDoor)
    seat = request.match_info["seat"]
    proof = Proof(await credential_or_none(request, seat), body.token)
    found = await request.app[SERVICES].seat_texts.read(seat, proof, body.language, request[ADDRESS])
    return web.json_response(found)


async def _page(request: web.Request) -> dict[str, object]:
    context, account = request.app[SERVICES].context, request[SIGNED_IN].account
    case, address = request.match_info["case"], request[ADDRESS]
    return await consent_page(context, account, case, request[RELATIONS], address)
