"""Every route against every role: generated from the routes and the permissions table."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from server.domain.people import Account, Site
from server.domain.permissions import (
    BY_SEAT_CREDENTIAL,
    GUESTS,
    PERMISSIONS,
    Action,
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
from tests.support.website import CHEAP, Browser, Website, website

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
BY_RELATION = [
    route for route in BY_ACCOUNT if any(held != {R.ANY} for held in PERMISSIONS[route.action].values())
]
BY_SEAT = [route for route in CLOSED if route.action in BY_SEAT_CREDENTIAL]


def name(route: Route) -> str:
    return f"{route.method} {route.path}"


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
        review="unknown",
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
        passkey="unknown",
        site=SEOUL,
        person=await reviewer(site),
        test="unknown",
        step="path",
        consent="unknown",
        language="ru",
    )


_reviewers: dict[int, str] = {}


async def reviewer(site: Website) -> str:
    if id(site.database) in _reviewers:
        return _reviewers[id(site.database)]
    email, _ = site.password("reviewer")
    async with site.database.read() as tx:
        found = await accounts.by_email(tx, email)
    assert found
    _reviewers.clear()
    _reviewers[id(site.database)] = found[0].id
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


@dataclass(frozen=True)
class Asker:
    """Somebody with one role, and how they stand to the demo's case, site, seats, people and patient."""

    role: str
    site: str = "elsewhere"
    case: frozenset[Relation] = frozenset()
    own_seat: bool = False  # the demo's seat of that role is theirs
    is_reviewer: bool = False  # the demo's reviewer themselves

    def stands(self, route: Route, seat_role: str) -> set[Relation]:
        """To what this route is about, written down by hand."""
        held: set[Relation] = set()
        if route.subject is Subject.SEAT:
            held |= {R.OWN_SEAT} if self.own_seat and seat_role == self.role else set()
            held |= {R.SEAT_OF_OWN_SITE} if SITES[seat_role] == self.site else set()
        elif route.subject is Subject.CALENDAR:
            held |= {R.CALENDAR_OF_OWN_SITE} if self.site == SEOUL else set()
        elif route.subject in (Subject.SITE, Subject.PERSON):  # Seoul, and its reviewer
            held |= {R.AT_OWN_SITE} if self.site == SEOUL else set()
            held |= {R.SELF} if route.subject is Subject.PERSON and self.is_reviewer else set()
        elif route.subject is Subject.PATIENT:
            held |= self.case & {R.OWN_SITE, R.BREAK_GLASS}
        elif route.subject is Subject.FLAG:
            held |= {R.OWN_SEAT} if self.own_seat and self.role == "interpreter" else set()
        else:
            held |= self.case
        return held


async def wrong(
    site: Website,
    asker: Asker,
    recording: str,
    again: Callable[[], Awaitable[Browser]],
    routes: Sequence[Route] = BY_RELATION,
) -> list[str]:
    """What these routes answer otherwise than the table says. `again`: signs in anew."""
    found = []
    browser = await again()
    for route in routes:
        for seat_role in (
            ("referring_physician", "interpreter") if "{seat}" in route.path else ("interpreter",)
        ):
            status, code = await ask(browser, route, await path_of(site, route, recording, seat_role))
            may = allowed(route.action, (asker.role,), asker.stands(route, seat_role))
            if (status in (401, 403)) if may else ((status, code) != (403, "forbidden")):
                found.append(f"{asker.role} {name(route)} {seat_role}: {status} {code}, may: {may}")
        if route.action is Action.SIGN_OUT:
            browser = await again()
    return found


async def test_a_stranger_gets_nothing_behind_any_closed_route(site: Website) -> None:
    recording = await recording_of(site)
    stranger = site.browser()
    for route in CLOSED:
        status, code = await ask(stranger, route, await path_of(site, route, recording, "interpreter"))
        expected = "no_credential" if route.action in BY_SEAT_CREDENTIAL else route.stranger
        assert (status in (401, 403), code) == (True, expected), name(route)


async def test_each_role_gets_exactly_what_its_rows_say_of_its_own_case(site: Website) -> None:
    recording = await recording_of(site)
    found = []
    for role in ROLES:
        seated = R.OWN_SEAT in STANDING[role]
        asker = Asker(role, SITES[role], frozenset(STANDING[role]), seated, role == "reviewer")
        again = partial(site.signed_in, role)
        found += await wrong(site, asker, recording, again, BY_ACCOUNT)
    assert not found, "\n".join(found)


async def test_who_stands_to_nothing_gets_what_needs_no_relation_and_what_broken_glass_opens(
    site: Website,
) -> None:
    recording = await recording_of(site)
    found = []
    async with site.database.write() as tx:
        await accounts.add_site(tx, Site("elsewhere", "Elsewhere (synthetic)", "Asia/Tashkent", "UZ"))
        for role in ROLES:
            account = Account(
                f"far-{role}", f"{role}@far.invalid", "Far", "en", "elsewhere", (role,), True, False, "UTC"
            )
            await accounts.add_account(tx, account, CHEAP.hash("far away"))
    policy = site.settings.audit.model_copy(update={"break_glass_physicians": True})
    site.services.context.settings = site.settings.model_copy(update={"audit": policy})
    for role in ROLES:
        again = partial(far, site, role)
        found += await wrong(site, Asker(role), recording, again)
        if not allowed(Action.BREAK_GLASS, (role,), ()):
            continue
        browser = await again()
        opened = await browser.post(
            "/api/break-glass", {"case": "DEMO-0001", "reason": "one two three four five"}
        )
        assert opened.status == 200, opened.text
        broken = Asker(role, case=frozenset({R.BREAK_GLASS}))
        found += [f"glass: {line}" for line in await wrong(site, broken, recording, again)]
    assert not found, "\n".join(found)


async def far(site: Website, role: str) -> Browser:
    browser = site.browser()
    body = {"email": f"{role}@far.invalid", "password": "far away"}
    assert (await browser.post("/api/sign-in", body)).status == 200
    return browser


async def test_an_interpreter_of_long_ago_keeps_the_seat_and_loses_the_case(site: Website) -> None:
    recording = await recording_of(site)
    async with site.database.write() as tx:
        await tx.exec_driver_sql("UPDATE consultations SET state = 'ended', ended_ms = closes_at_ms")
    site.clock.advance(hours=24 * 60)
    again = partial(site.signed_in, "interpreter")
    held = frozenset(STANDING["interpreter"]) - {R.RECENT_SEAT}
    asker = Asker("interpreter", SITES["interpreter"], held, own_seat=True)
    found = await wrong(site, asker, recording, again)
    assert not found, "\n".join(found)


async def test_a_link_opens_its_own_seat_only_as_the_role_of_the_seat_may(tmp_path: Path) -> None:
    found = []
    async with website(tmp_path / "data", patient=True) as site:
        recording = await recording_of(site)
        for role in ("referring_physician", "consulting_physician", "interpreter", "patient"):
            browser = site.browser()
            seat, token = site.seat(role)
            assert (await browser.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200
            other = "interpreter" if role != "interpreter" else "patient"
            for route in CLOSED:
                told = await ask(browser, route, await path_of(site, route, recording, role))
                if route.action not in BY_SEAT_CREDENTIAL:
                    right = told[1] == route.stranger
                elif allowed(route.action, (role,), {R.OWN_SEAT}):
                    right = told[0] not in (401, 403)
                else:
                    right = told == (403, "forbidden")
                if not right:
                    found.append(f"{role} {name(route)}: {told}")
                if route.action in BY_SEAT_CREDENTIAL:
                    told = await ask(browser, route, await path_of(site, route, recording, other))
                    if told != (401, "no_credential"):
                        found.append(f"{role} at {other}'s {name(route)}: {told}")
    assert not found, "\n".join(found)


async def test_the_running_server_has_no_address_that_is_not_in_the_table(site: Website) -> None:
    assert site.runner is not None
    served = {
        (route.method, route.resource.canonical)
        for route in site.runner.app.router.routes()
        if route.method != "HEAD" and route.resource is not None
    }
    listed = {(route.method, re.sub(r"\{(\w+):[^}]*\}", r"{\1}", route.path)) for route in ROUTES}
    assert served == listed


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
