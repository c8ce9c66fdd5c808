"""Referrals over HTTP: forms, drafts, submission, and what becomes of a submitted one."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from server.domain.errors import Refused
from server.domain.referral import MAX_FIELDS
from server.domain.referral_form import SPECIALTIES, form_of, newest, told
from server.services.referral_replies import MAX_ANSWER, MAX_WORDS, Reason
from server.services.referrals import Save
from server.web.errors import parsed
from server.web.keys import ADDRESS, SERVICES, SIGNED_IN

MAX_DRAFT_BODY = 256 * 1024
Number = Annotated[int, Field(ge=0, le=1_000_000)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Code = Annotated[str, Field(pattern=r"^[a-z_]{1,32}$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class NewCase(_Body):
    specialty: Code
    patient: Id | None = None


class ChosenPatient(_Body):
    patient: Id


class DraftSave(_Body):
    version: Number
    editor: Id
    answers: dict[str, str | list[str] | None] = Field(max_length=MAX_FIELDS)
    settled: list[Id] = Field([], max_length=100)
    specialty: Code | None = None


class Submission(_Body):
    version: Number


class Why(_Body):
    """`questions`: ids of the form's, or `patient.…`; only a return has them and `number`."""

    reason: str = Field(max_length=32)
    words: str = Field("", max_length=2 * MAX_WORDS)


class Return(Why):
    number: Number
    questions: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,48}$")]] = Field(
        [], max_length=MAX_FIELDS
    )


class WrittenAnswer(_Body):
    number: Number
    text: str = Field(max_length=2 * MAX_ANSWER)


async def forms(_request: web.Request) -> web.Response:
    """GET /api/referral-forms → {forms: [{specialty, version, label}]}"""
    found = [newest(specialty) for specialty in SPECIALTIES]
    rows = [{"specialty": one.specialty, "version": one.version, "label": dict(one.label)} for one in found]
    return web.json_response({"forms": rows})


async def form(request: web.Request) -> web.Response:
    """GET /api/referral-forms/{specialty}[?version=…] → the form, with an ETag."""
    specialty, version = request.match_info["specialty"], request.query.get("version")
    found = newest(specialty) if version is None else form_of(f"{specialty}/{version}")
    body = json.dumps(told(found), ensure_ascii=False).encode()
    etag = hashlib.sha256(body).hexdigest()[:32]
    if request.headers.get(hdrs.IF_NONE_MATCH) == f'"{etag}"':
        response = web.Response(status=304)
    else:
        response = web.Response(body=body, content_type="application/json", charset="utf-8")
    response.etag = etag
    response.headers[hdrs.CACHE_CONTROL] = "private, no-cache"
    return response


async def waiting(request: web.Request) -> web.Response:
    """GET /api/cases → {now_ms, cases}: what waits for the account."""
    return web.json_response(await request.app[SERVICES].case_list.waiting(request[SIGNED_IN].account))


async def begin(request: web.Request) -> web.Response:
    """POST /api/cases {specialty, patient?} → 201 {id, label}"""
    body = await parsed(request, NewCase)
    made = await request.app[SERVICES].referrals.begin(
        request[SIGNED_IN].account, body.specialty, body.patient, request[ADDRESS]
    )
    return web.json_response(made, status=201)


# Every handler below stands behind its action with Subject.CASE.


async def choose_patient(request: web.Request) -> web.Response:
    """POST /api/cases/{case}/patient {patient} → the patient"""
    body = await parsed(request, ChosenPatient)
    made = await request.app[SERVICES].patients.put_in_case(
        request[SIGNED_IN].account, request.match_info["case"], body.patient, request[ADDRESS]
    )
    return web.json_response(made)


async def draft(request: web.Request) -> web.Response:
    """GET /api/cases/{case}/draft → the draft"""
    found = await request.app[SERVICES].referrals.open(
        request[SIGNED_IN].account, request.match_info["case"], request[ADDRESS]
    )
    return web.json_response(found)


async def save(request: web.Request) -> web.Response:
    """POST /api/cases/{case}/draft {version, editor, answers, settled?, specialty?} → the draft, conflicts"""
    try:
        body = DraftSave.model_validate_json(await request.clone(client_max_size=MAX_DRAFT_BODY).read())
    except (ValidationError, UnicodeDecodeError):
        raise Refused("bad_request") from None
    brought = Save(body.version, body.editor, body.answers, tuple(body.settled), body.specialty)
    made = await request.app[SERVICES].referrals.save(
        request[SIGNED_IN].account, request.match_info["case"], brought, request[ADDRESS]
    )
    return web.json_response(made)


async def submit(request: web.Request) -> web.Response:
    """POST /api/cases/{case}/submit {version} → 201 {number, state, sha256}"""
    body = await parsed(request, Submission)
    made = await request.app[SERVICES].referrals.submit(
        request[SIGNED_IN].account, request.match_info["case"], body.version, request[ADDRESS]
    )
    return web.json_response(made, status=201)


async def read(request: web.Request) -> web.Response:
    """GET /api/cases/{case}/referral → versions, answers, events, and the moves one may make"""
    found = await request.app[SERVICES].replies.read(
        request[SIGNED_IN].account, request.match_info["case"], request[ADDRESS]
    )
    return web.json_response(found)


async def give_back(request: web.Request) -> web.Response:
    """POST /api/cases/{case}/return {number, reason, questions, words} → {state}"""
    body = await parsed(request, Return)
    reason = Reason(body.reason, tuple(body.questions), body.words)
    made = await request.app[SERVICES].replies.give_back(
        request[SIGNED_IN].account, request.match_info["case"], body.number, reason, request[ADDRESS]
    )
    return web.json_response(made)


async def answer(request: web.Request) -> web.Response:
    """POST /api/cases/{case}/answer {number, text} → 201 {state}"""
    body = await parsed(request, WrittenAnswer)
    made = await request.app[SERVICES].replies.answer(
        request[SIGNED_IN].account, request.match_info["case"], body.number, body.text, request[ADDRESS]
    )
    return web.json_response(made, status=201)


async def cancel(request: web.Request) -> web.Response:
    """POST /api/cases/{case}/cancel {reason, words} → {state}"""
    body = await parsed(request, Why)
    made = await request.app[SERVICES].replies.cancel(
        request[SIGNED_IN].account,
        request.match_info["case"],
        Reason(body.reason, (), body.words),
        request[ADDRESS],
    )
    return web.json_response(made)


async def end(request: web.Request) -> web.Response:
    """POST /api/cases/{case}/end → {state}"""
    made = await request.app[SERVICES].replies.end(
        request[SIGNED_IN].account, request.match_info["case"], request[ADDRESS]
    )
    return web.json_response(made)


async def reopen(request: web.Request) -> web.Response:
    """POST /api/cases/{case}/reopen {reason, words} → {state}"""
    body = await parsed(request, Why)
    made = await request.app[SERVICES].replies.reopen(
        request[SIGNED_IN].account,
        request.match_info["case"],
        Reason(body.reason, (), body.words),
        request[ADDRESS],
    )
    return web.json_response(made)
