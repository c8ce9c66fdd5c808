"""Sites and people over HTTP: lists, forms, licences, who leaves. Wrong fields of a form are told by name."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from server.domain.people import Account, Site
from server.domain.second_step import Checked, Why
from server.domain.staff import Licence
from server.web.errors import parsed
from server.web.keys import ADDRESS, SERVICES, SIGNED_IN
from server.web.schedule import order_of

Line = Annotated[str, Field(max_length=400)]
Code = Annotated[str, Field(max_length=40)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class SiteBody(_Body):
    """`time_zone`: IANA. `country`: ISO 3166-1 alpha-2. `emergency`: what is dialled there."""

    name: Line
    time_zone: Line
    country: Line
    address: str = Field("", max_length=2000)
    languages: list[Code] = Field(default_factory=list, max_length=20)
    telephone: Line = ""
    emergency: Line = ""

    def site(self) -> Site:
        return Site(
            "",
            self.name,
            self.time_zone,
            self.country,
            self.address,
            tuple(self.languages),
            self.emergency,
        )


class PersonBody(_Body):
    name: Line
    language: Code
    roles: list[Code] = Field(max_length=20)
    telephone: Line = ""


class NewPerson(PersonBody):
    email: Line


class Address(_Body):
    email: Line


class LicenceBody(_Body):
    """`expires`: the last day it holds, 2027-12-31; null: it does not expire."""

    number: Line
    country: Line
    institution: Line
    expires: Code | None = None


class Seen(_Body):
    """`seen` false: what was said before does not count any more."""

    number: Line
    seen: bool


class SecondStepLost(_Body):
    """Why it is taken away, and how it was made sure that it is they who ask."""

    why: Why
    checked: Checked


def _asked(body: PersonBody, email: str = "") -> Account:
    return Account("", email, body.name, body.language, "", tuple(body.roles), False, False, "UTC")


async def sites(request: web.Request) -> web.Response:
    """GET /api/sites → {sites: [{id, name, country, time_zone, people, rooms, departments, has_hours}]}"""
    return web.json_response(await request.app[SERVICES].sites.listed(request[SIGNED_IN].account))


async def site(request: web.Request) -> web.Response:
    """GET /api/sites/{site}"""
    found = await request.app[SERVICES].sites.look(request[SIGNED_IN].account, request.match_info["site"])
    return web.json_response(found)


async def add_site(request: web.Request) -> web.Response:
    """POST /api/sites → 201, as `site`"""
    body = await parsed(request, SiteBody)
    made = await request.app[SERVICES].sites.save(None, body.site(), body.telephone, order_of(request))
    return web.json_response(made, status=201)


async def edit_site(request: web.Request) -> web.Response:
    """POST /api/sites/{site} → as `site`"""
    body = await parsed(request, SiteBody)
    sites_of = request.app[SERVICES].sites
    made = await sites_of.save(request.match_info["site"], body.site(), body.telephone, order_of(request))
    return web.json_response(made)


async def people(request: web.Request) -> web.Response:
    """GET /api/people → {people: [{id, name, site_id, site, roles, licence_state, licence_needed, left}]}"""
    return web.json_response(await request.app[SERVICES].people.listed(request[SIGNED_IN].account))


async def person(request: web.Request) -> web.Response:
    """GET /api/people/{person}"""
    found = await request.app[SERVICES].people.look(request[SIGNED_IN].account, request.match_info["person"])
    return web.json_response(found)


async def add_person(request: web.Request) -> web.Response:
    """POST /api/sites/{site}/people {name, email, language, roles, telephone?} → 201, `person` + {invited}"""
    body = await parsed(request, NewPerson)
    made = await request.app[SERVICES].people.add(
        request.match_info["site"], _asked(body, body.email), body.telephone, order_of(request)
    )
    return web.json_response(made, status=201)


async def edit_person(request: web.Request) -> web.Response:
    """POST /api/people/{person} {name, language, roles, telephone?} → as `person`"""
    body = await parsed(request, PersonBody)
    made = await request.app[SERVICES].people.save(
        request.match_info["person"], _asked(body), body.telephone, order_of(request)
    )
    return web.json_response(made)


async def invite(request: web.Request) -> web.Response:
    """POST /api/people/{person}/invite → {invited}; false: this server sends no mails"""
    told = await request.app[SERVICES].people.invite(request.match_info["person"], order_of(request))
    return web.json_response(told)


async def readdress(request: web.Request) -> web.Response:
    """POST /api/people/{person}/address {email} → `person` + {invited}: only of who has not begun"""
    body = await parsed(request, Address)
    told = await request.app[SERVICES].people.correct_address(
        request.match_info["person"], body.email, order_of(request)
    )
    return web.json_response(told)


async def enter_licence(request: web.Request) -> web.Response:
    """POST /api/people/{person}/licence {number, country, institution, expires} → as `person`"""
    body = await parsed(request, LicenceBody)
    licence = Licence(
        request.match_info["person"], body.number, body.country, body.institution, body.expires, "", 0
    )
    return web.json_response(await request.app[SERVICES].people.enter_licence(licence, order_of(request)))


async def verify_licence(request: web.Request) -> web.Response:
    """POST /api/people/{person}/licence/verify {number, seen} → as `person`"""
    body = await parsed(request, Seen)
    told = await request.app[SERVICES].people.verify_licence(
        request.match_info["person"], body.number, body.seen, order_of(request)
    )
    return web.json_response(told)


async def leave(request: web.Request) -> web.Response:
    """POST /api/people/{person}/leave → {hours}: still booked ahead"""
    told = await request.app[SERVICES].leaving.leave(request.match_info["person"], order_of(request))
    return web.json_response(told)


async def come_back(request: web.Request) -> web.Response:
    """POST /api/people/{person}/return → 204"""
    await request.app[SERVICES].leaving.come_back(request.match_info["person"], order_of(request))
    return web.Response(status=204)


async def reset_second_step(request: web.Request) -> web.Response:
    """POST /api/people/{person}/second-step/reset {why, checked} → {told}; false: no mail server is set"""
    body = await parsed(request, SecondStepLost)
    told = await request.app[SERVICES].ways_in.second_step_resets.reset(
        request.match_info["person"], request[SIGNED_IN], body.why, body.checked, request[ADDRESS]
    )
    return web.json_response(told)


async def hours_at_risk(request: web.Request) -> web.Response:
    """GET /api/hours-at-risk → {hours: [{consultation, case_id, case_label, begins, role, name, why}]}"""
    return web.json_response(await request.app[SERVICES].leaving.hours_at_risk())
