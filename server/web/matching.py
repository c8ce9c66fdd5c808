"""Which hospital, over HTTP: proposals and decisions, the programme's departments, the rules."""

from __future__ import annotations

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.errors import Refused
from server.domain.matching.rules import standard
from server.domain.referral_form import SPECIALTIES
from server.services.departments import MAX_MONTHLY, MAX_NAME, DepartmentForm, PhysicianForm
from server.web.errors import parsed
from server.web.keys import ADDRESS, SERVICES, SIGNED_IN

_MOST_PLACES = 80


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Wish(_Body):
    preference: str | None = Field(None, max_length=64)  # a hospital the patient asked for


class Choice(_Body):
    department: str = Field(min_length=1, max_length=64)
    physician: str | None = Field(None, min_length=1, max_length=64)
    why: str | None = Field(None, max_length=16)
    note: str = Field("", max_length=2000)


class DepartmentBody(_Body):
    hospital: str = Field(min_length=1, max_length=64)
    name: str = Field(min_length=1, max_length=MAX_NAME)
    specialty: str = Field(max_length=24)
    places: list[str] = Field(max_length=_MOST_PLACES)
    languages: list[str] = Field(max_length=12)
    monthly: int = Field(ge=1, le=MAX_MONTHLY)
    closed: bool = False


class PhysicianBody(_Body):
    name: str = Field(min_length=1, max_length=MAX_NAME)
    places: list[str] = Field(default_factory=list, max_length=_MOST_PLACES)
    languages: list[str] = Field(max_length=12)
    account: str | None = Field(None, max_length=254)  # e-mail address


class Closing(_Body):
    closed: bool


# Handlers of a case stand behind MATCH with Subject.CASE.


async def look(request: web.Request) -> web.Response:
    """GET …/match → {chosen, proposal, decided}"""
    return web.json_response(await request.app[SERVICES].matching.look(request.match_info["case"]))


async def propose(request: web.Request) -> web.Response:
    """POST …/match {preference?} → 201, as `look`."""
    body = await parsed(request, Wish)
    made = await request.app[SERVICES].matching.propose(
        request.match_info["case"], body.preference, request[SIGNED_IN].account, request[ADDRESS]
    )
    return web.json_response(made, status=201)


async def decide(request: web.Request) -> web.Response:
    """POST …/match/{proposal} {department, physician?, why?, note?} → as `look`."""
    body = await parsed(request, Choice)
    told = await request.app[SERVICES].matching.decide(
        request.match_info["case"],
        request.match_info["proposal"],
        body.department,
        body.physician,
        body.why,
        body.note,
        request[SIGNED_IN].account,
        request[ADDRESS],
    )
    return web.json_response(told)


async def departments(request: web.Request) -> web.Response:
    """GET /api/departments → {departments: […]}"""
    return web.json_response(await request.app[SERVICES].departments.listed())


async def add_department(request: web.Request) -> web.Response:
    """POST /api/departments → 201 {id}"""
    return web.json_response({"id": await _save(request, None)}, status=201)


async def edit_department(request: web.Request) -> web.Response:
    """POST /api/departments/{department} → {id}"""
    return web.json_response({"id": await _save(request, request.match_info["department"])})


async def add_physician(request: web.Request) -> web.Response:
    """POST /api/departments/{department}/physicians → 201 {id}"""
    return web.json_response({"id": await _save_physician(request, None)}, status=201)


async def edit_physician(request: web.Request) -> web.Response:
    """POST /api/departments/{department}/physicians/{physician} → {id}"""
    return web.json_response({"id": await _save_physician(request, request.match_info["physician"])})


async def remove_physician(request: web.Request) -> web.Response:
    """POST /api/departments/{department}/physicians/{physician}/remove → 204; takes no new cases there."""
    department, physician = request.match_info["department"], request.match_info["physician"]
    service, account = request.app[SERVICES].departments, request[SIGNED_IN].account
    await service.remove_physician(department, physician, account, request[ADDRESS])
    return web.Response(status=204)


async def close_department(request: web.Request) -> web.Response:
    """POST /api/departments/{department}/closed {closed} → 204"""
    body = await parsed(request, Closing)
    service, account = request.app[SERVICES].departments, request[SIGNED_IN].account
    await service.set_closed(request.match_info["department"], body.closed, account, request[ADDRESS])
    return web.Response(status=204)


async def ahead(request: web.Request) -> web.Response:
    """GET …/ahead, also of one physician there → {cases, hours: [{begins, case_id, case_label}]}"""
    service, account = request.app[SERVICES].departments, request[SIGNED_IN].account
    found = await service.ahead(
        request.match_info["department"], request.match_info.get("physician"), account
    )
    return web.json_response(found)


async def rules(request: web.Request) -> web.Response:
    """GET /api/matching/rules/{specialty} → {specialty, places: [{place, ages, terms: {level: […]}}]}"""
    specialty = request.match_info["specialty"]
    if specialty not in SPECIALTIES:
        raise Refused("not_found")
    known = standard()
    return web.json_response(
        {
            "specialty": specialty,
            "digest": known.digest,
            "weights": dict(known.weights),
            "places": [
                {
                    "place": rule.place,
                    "ages": list(rule.ages),
                    "instead_of": list(rule.instead_of),
                    "terms": {level: [term.text for term in terms] for level, terms in rule.terms.items()},
                }
                for rule in known.rules
                if rule.specialty == specialty
            ],
        }
    )


async def _save(request: web.Request, department: str | None) -> str:
    body = await parsed(request, DepartmentBody)
    form = DepartmentForm(
        site_id=body.hospital,
        name=body.name,
        specialty=body.specialty,
        places=tuple(body.places),
        languages=tuple(body.languages),
        monthly=body.monthly,
        closed=body.closed,
    )
    service = request.app[SERVICES].departments
    return await service.save(department, form, request[SIGNED_IN].account, request[ADDRESS])


async def _save_physician(request: web.Request, physician: str | None) -> str:
    body = await parsed(request, PhysicianBody)
    service, department = request.app[SERVICES].departments, request.match_info["department"]
    account, address = request[SIGNED_IN].account, request[ADDRESS]
    form = PhysicianForm(body.name, tuple(body.places), tuple(body.languages), body.account)
    return await service.save_physician(department, physician, form, account, address)
