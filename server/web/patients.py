"""Patients of a site over HTTP. Searches are POST, so that no address holds a name or a date of birth."""

from __future__ import annotations

from typing import Annotated, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.patient import MAX_GUARDIANS, MAX_LANGUAGES, Guardian, Person
from server.web.errors import parsed
from server.web.keys import ADDRESS, SERVICES, SIGNED_IN

Line = Annotated[str, Field(max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class GuardianBody(_Body):
    name: Line = ""
    relation: Line = ""
    phone: Line = ""


class PersonBody(_Body):
    """Whatever is known so far; what is not is empty."""

    names: dict[Literal["latin", "cyrillic", "hangul"], Line] = {}
    birth_date: str = Field("", max_length=10, pattern=r"^[0-9-]{0,10}$")
    sex: Literal["", "female", "male", "other"] = ""
    nationality: str = Field("", pattern=r"^([A-Za-z]{2})?$")
    languages: list[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]] = Field([], max_length=MAX_LANGUAGES)
    contact: dict[Literal["phone", "email", "messenger"], Line] = {}
    guardians: list[GuardianBody] = Field([], max_length=MAX_GUARDIANS)


class ChangedPerson(_Body):
    """`distinct_from`: patients that were looked at and are other people."""

    version: int = Field(ge=1, le=1_000_000)
    person: PersonBody
    distinct_from: list[Annotated[str, Field(max_length=64)]] = Field([], max_length=100)


class Wanted(_Body):
    name: Line = ""
    birth_date: str = Field("", max_length=10)


async def register(request: web.Request) -> web.Response:
    """POST /api/patients {…person} → 201 and the patient, with those who may be the same"""
    body = await parsed(request, PersonBody)
    made = await request.app[SERVICES].patients.register(
        request[SIGNED_IN].account, _person(body), request[ADDRESS]
    )
    return web.json_response(made, status=201)


async def search(request: web.Request) -> web.Response:
    """POST /api/patients/search {name, birth_date} → {patients, found}"""
    body = await parsed(request, Wanted)
    found = await request.app[SERVICES].patients.search(
        request[SIGNED_IN].account, body.name, body.birth_date, request[ADDRESS]
    )
    return web.json_response(found)


async def look(request: web.Request) -> web.Response:
    """GET /api/patients/{patient} → the patient"""
    found = await request.app[SERVICES].patients.read(
        request[SIGNED_IN].account, request.match_info["patient"], request[ADDRESS]
    )
    return web.json_response(found)


async def change(request: web.Request) -> web.Response:
    """POST /api/patients/{patient} {version, person, distinct_from} → the patient"""
    body = await parsed(request, ChangedPerson)
    made = await request.app[SERVICES].patients.change(
        request[SIGNED_IN].account,
        request.match_info["patient"],
        body.version,
        _person(body.person),
        body.distinct_from,
        request[ADDRESS],
    )
    return web.json_response(made)


def _person(body: PersonBody) -> Person:
    return Person(
        {str(script): name for script, name in body.names.items()},
        body.birth_date,
        body.sex,
        body.nationality,
        tuple(body.languages),
        {str(kind): text for kind, text in body.contact.items()},
        tuple(Guardian(one.name, one.relation, one.phone) for one in body.guardians),
    )
