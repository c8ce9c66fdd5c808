"""Every route against every role: generated from the routes and the permissions table."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.domain.permissions import (
    BY_SEAT_CREDENTIAL,
    GUESTS,
    PERMISSIONS,
    Relation,
    Role,
    allowed,
    is_open,
)
from server.domain.renderings import Flag
from server.services.access import Subject
from server.services.demo import CASE_ID, PEOPLE, SEOUL
from server.services.demo_referral import PATIENT_ID
from server.storage import accounts, renderings
from server.web.guard import Route
from server.web.routes import ROUTES
from tests.support.website import Browser, Website, website

ROLES = [person.role for person in PEOPLE]
R = Relation

SITES = {person.role: person.site_id for person in PEOPLE}

#: How each of the demo's people stands to the demo case, written down by hand.
STANDING = {
    "referring_physician": {R.OWN_SITE, R.SITE_TAKES_PART, R.INVITED, R.OWN_SEAT, R.RECENT_SEAT},
    "site_operator": {R.OWN_SITE, R.SITE_TAKES_PART},
    "consulting_physician": {R.INVITED, R.OWN_SEAT, R.RECENT_SEAT, R.SITE_TAKES_PART},
    "interpreter": {R.OWN_SEAT, R.RECENT_SEAT, R.SITE_TAKES_PART},
    "coordinator": {R.SITE_TAKES_PART},
    "reviewer": {R.FOLLOWS, R.SITE_TAKES_PART},
    "site_admin": {R.SITE_TAKES_PART},
    "programme_admin": {R.SITE_TAKES_PART},
    "privacy_officer": {R.SITE_TAKES_PART},
}
CLOSED = [route for route in ROUTES if not is_open(route.action)]
BY_ACCOUNT = [route for route in CLOSED if route.action not in BY_SEAT_CREDENTIAL]
BY_SEAT = [route for route in CLOSED if route.action in BY_SEAT_CREDENTIAL]


def name(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data") as made:
        yield made


async def recording_of(site: Website) -> str:
    session = await site.services.rooms.open_session(site.table.consultation_id, site.clock())
    seat, _ = site.seat("interpreter")
    reviewer = next(person.email for person in PEOPLE if person.role == "reviewer")
    async with site.services.context.database.write() as tx:
        found = await accounts.by_email(tx, reviewer)
        assert found
        await renderings.add(tx, Flag("flag", session.id, seat, 0, 1, "ru", "ko", "?", found[0].id, 1))
    return session.id


async def path_of(site: Website, route: Route, recording: str, seat_role: str) -> str:
    return route.path.format(
        case=CASE_ID,
        recording=recording,
        track="none",
        export="none",
        seat=site.seat(seat_role)[0],
        session="unknown",
        hold="unknown",
        glass="unknown",
        flag="flag",
        receipt="1",
        patient=PATIENT_ID,
        specialty="oncology",
        term="unknown",
        document="unknown",
        page="0",
        calendar=SEOUL,
        consultation="unknown",
        absence="unknown",
        interpreter="unknown",
        proposal="unknown",
        department="unknown",
        physician="unknown",
        site=SEOUL,
        person=await reviewer(site),
        test="unknown",
        step="path",
        consent="unknown",
        language="ru",
    )


async def reviewer(site: Website) -> str:
    email, _ = site.password("reviewer")
    async with site.database.read() as tx:
        found = await accounts.by_email(tx, email)
    assert found
    return found[0].id


async def ask(browser: Browser, route: Route, path: str) -> tuple[int, str | None]:
    answer = await browser.ask(route.method, path, json={} if route.method == "POST" else None)
    return answer.status, answer.code


def test_every_route_has_a_row_of_the_permissions_table() -> None:
    assert all(route.action in PERMISSIONS and PERMISSIONS[route.action] for route in ROUTES)
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_a_route_about_something_names_it_in_its_path() -> None:
    for route in ROUTES:
        if route.subject is not Subject.NONE:
            assert f"{{{route.subject.value}}}" in route.path, name(route)
        elif not is_open(route.action):
            assert all(relations == {R.ANY} for relations in PERMISSIONS[route.action].values()), name(route)


async def test_a_stranger_gets_nothing_behind_any_closed_route(site: Website) -> None:
    recording = await recording_of(site)
    stranger = site.browser()
    for route in CLOSED:
        status, code = await ask(stranger, route, await path_of(site, route, recording, "interpreter"))
        expected = "no_credential" if route.action in BY_SEAT_CREDENTIAL else route.stranger
        assert (status in (401, 403), code) == (True, expected), name(route)


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_gets_exactly_what_its_rows_say(site: Website, role: str) -> None:
    recording = await recording_of(site)
    for route in BY_ACCOUNT:
        browser = await site.signed_in(role)  # one route may sign it out
        for seat_role in ("referring_physician", "interpreter") if "{seat}" in route.path else ("",):
            standing = STANDING[role]
            if route.subject is Subject.SEAT:
                standing = {R.OWN_SEAT} if seat_role == role else set()
                if SITES[seat_role] == SITES[role]:
                    standing.add(R.SEAT_OF_OWN_SITE)
            if route.subject is Subject.CALENDAR:
                standing = {R.CALENDAR_OF_OWN_SITE} if SITES[role] == SEOUL else set()
            if route.subject in (Subject.SITE, Subject.PERSON):  # Seoul, and its reviewer
                standing = {R.AT_OWN_SITE} if SITES[role] == SEOUL else set()
                if route.subject is Subject.PERSON and role == "reviewer":
                    standing.add(R.SELF)
            if route.subject is Subject.PATIENT:
                standing = standing & {R.OWN_SITE}
            if route.subject is Subject.FLAG:
                standing = {R.OWN_SEAT} if role == "interpreter" else set()
            path = await path_of(site, route, recording, seat_role or "interpreter")
            status, code = await ask(browser, route, path)
            if allowed(route.action, (role,), standing):
                assert status not in (401, 403), (name(route), role, code)
            else:
                assert (status, code) == (403, "forbidden"), (name(route), role)


@pytest.mark.parametrize("route", BY_SEAT, ids=name)
async def test_a_seat_cookie_opens_its_own_seat_only(site: Website, route: Route) -> None:
    browser = site.browser()
    seat, token = site.seat("interpreter")
    assert (await browser.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200
    own, own_code = await ask(browser, route, await path_of(site, route, "x", "interpreter"))
    other, code = await ask(browser, route, await path_of(site, route, "x", "referring_physician"))
    if allowed(route.action, ("interpreter",), {R.OWN_SEAT}):
        assert own not in (401, 403)
    else:
        assert (own, own_code) == (403, "forbidden")
    assert (other, code) == (401, "no_credential")


async def test_a_seat_cookie_under_another_seats_name_proves_nothing(site: Website) -> None:
    browser = site.browser()
    seat, token = site.seat("interpreter")
    await browser.post(f"/api/seats/{seat}/redeem", {"token": token})
    other = site.seat("consulting_physician")[0]
    stolen = {"Cookie": f"seat-{other}={browser.cookies()[f'seat-{seat}']}"}
    assert (await site.browser().get(f"/api/seats/{other}", headers=stolen)).code == "no_credential"


async def test_the_worklist_shows_each_role_what_it_may_see(site: Website) -> None:
    for role in ROLES:
        browser = await site.signed_in(role)
        rows = (await browser.get("/api/worklist")).json["consultations"]
        if role == "programme_admin":
            assert rows == []
            continue
        assert len(rows) == 1
        seated = role in ("referring_physician", "consulting_physician", "interpreter")
        assert rows[0]["joinable"] is seated
        assert (rows[0]["my_seat"] is not None) is seated
        may_list = allowed_to_list(role)
        assert ("recordings" in rows[0]) is may_list, role
        assert (rows[0]["specialty"] is None) is (role in ("site_admin", "site_operator", "privacy_officer"))


def allowed_to_list(role: str) -> bool:
    return role in ("referring_physician", "consulting_physician", "coordinator", "reviewer")


async def test_nothing_of_the_patient_is_in_the_worklist(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    text = (await browser.get("/api/worklist")).text
    assert "1968-04-12" not in text
    assert "birth_date" not in text


def test_people_roles_and_ways_to_come_are_all_the_roles() -> None:
    assert set(ROLES) | {Role.ANYONE, Role.SIGNED_IN, *GUESTS} == set(Role)
