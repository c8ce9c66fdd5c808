"""A site's self-test over HTTP: who may, what is judged and kept, and what the relay is not given for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from server.domain.errors import Refused
from server.domain.self_test import STEPS
from server.services.demo import ALMATY, PEOPLE, ROOMS, SEOUL
from server.storage import calendars
from server.storage.calendars import SiteRoom
from server.storage.schema_audit import audit
from tests.support.website import Answer, Browser, Website, website
from tests.unit.test_self_test import GOOD

ROOM = ROOMS[ALMATY]


class Relay:
    """Stands where the media plane is: gives offers, remembers what was asked of it."""

    def __init__(self) -> None:
        self.full = False
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.answered: list[tuple[str, str]] = []

    async def open(self, life_s: float) -> tuple[str, dict[str, Any]]:
        if self.full:
            raise Refused("self_test_full", retry_after_s=round(life_s))
        self.opened.append(f"room{len(self.opened)}")
        offer = {"connection": "c", "offer_id": "o", "sdp": "v=0", "ice_restart": False, "tracks": []}
        return self.opened[-1], {"sends": offer, "receives": offer}

    async def answer(self, name: str, peer: str, connection: str, offer_id: str, sdp: str) -> None:
        self.answered.append((name, peer))

    async def close(self, name: str) -> None:
        self.closed.append(name)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data") as made:
        made.services.self_tests.lines = Relay()
        yield made


def relay(site: Website) -> Relay:
    found = site.services.self_tests.lines
    assert isinstance(found, Relay)
    return found


async def begin(browser: Browser, device: str = "Room 3", **more: Any) -> str:
    answer = await browser.post("/api/self-tests", {"device": device, **more})
    assert answer.status == 201, answer.text
    made: str = answer.json["id"]
    return made


async def tell(browser: Browser, test: str, step: str, **change: Any) -> Answer:
    return await browser.post(f"/api/self-tests/{test}/steps/{step}", {**GOOD[step], **change})


async def all_steps(browser: Browser, device: str = "Room 3", **bad: dict[str, Any]) -> Answer:
    test = await begin(browser, device)
    for step in STEPS:
        answer = await tell(browser, test, step, **bad.get(step, {}))
        assert answer.status == 200, answer.text
    return answer


async def test_a_test_is_judged_step_by_step_and_kept_with_who_where_and_when(site: Website) -> None:
    browser = await site.signed_in("site_operator")
    answer = await all_steps(browser, microphone={"speech_db": -70.0})
    assert answer.json["whole"] == "red"
    kept = (await browser.get(f"/api/sites/{ALMATY}/self-tests")).json
    (test,) = kept["tests"]
    assert (test["device"], test["verdict"]) == ("Room 3", "red")
    assert test["who"] == next(one.name for one in PEOPLE if one.role == "site_operator")
    microphone = test["steps"]["microphone"]
    assert microphone["findings"][0] == {"code": "microphone_silent", "verdict": "red", "value": -70.0}
    assert microphone["figures"]["silence_db"] == GOOD["microphone"]["silence_db"]
    async with site.database.read() as tx:
        rows = (await tx.execute(select(audit).where(audit.c.subject_id == ALMATY))).all()
    assert [(row.action, row.detail) for row in rows] == [
        ("self_test_begun", {}),
        ("self_test_done", {"verdict": "red"}),
    ]
    assert (await tell(browser, test["id"], "loop")).code == "self_test_over"


async def test_somebody_elses_test_looks_like_none(site: Website) -> None:
    own = await begin(await site.signed_in("site_operator"))
    other = await site.signed_in("referring_physician")
    for path in ("probe", "line", "steps/path"):
        body = GOOD["path"] if path.startswith("steps") else {}
        assert (await other.post(f"/api/self-tests/{own}/{path}", body)).code == "not_found"
    answered = {"peer": "sends", "offer_id": "o", "sdp": "v=0"}
    assert (await other.post(f"/api/self-tests/{own}/line/answer", answered)).code == "not_found"
    assert relay(site).opened == []


async def test_a_sites_history_is_its_own_peoples_and_the_coordinators(site: Website) -> None:
    await all_steps(await site.signed_in("site_operator"))
    coordinator = await site.signed_in("coordinator")
    assert len((await coordinator.get(f"/api/sites/{ALMATY}/self-tests")).json["tests"]) == 1
    seoul = await site.signed_in("consulting_physician")
    assert (await seoul.get(f"/api/sites/{ALMATY}/self-tests")).code == "forbidden"
    assert (await seoul.get(f"/api/sites/{SEOUL}/self-tests")).json["tests"] == []
    assert (await seoul.get("/api/sites/nowhere/self-tests")).code == "not_found"


async def test_the_board_has_the_next_hours_sites_first_and_shows_what_was_never_tested(
    site: Website,
) -> None:
    coordinator = await site.signed_in("coordinator")
    rows = (await coordinator.get("/api/site-checks")).json["sites"]
    assert rows[0]["upcoming"]
    assert {(row["verdict"], row["why"]) for row in rows} == {("red", "never")}
    assert [bool(row["upcoming"]) for row in rows] == sorted(
        (bool(row["upcoming"]) for row in rows), reverse=True
    )
    operator = await site.signed_in("site_operator")
    await all_steps(operator)
    assert await standing_of(coordinator) == ("red", "elsewhere"), "it is none of its rooms"
    await begin(operator, ROOM)
    assert await standing_of(coordinator) == ("red", "unfinished")
    await all_steps(operator, ROOM)
    assert await standing_of(coordinator) == ("green", "tested")
    await all_steps(operator, "a telephone", camera={"brightness": 1.0})
    away = await begin(operator, ROOM, away=True)
    assert await standing_of(coordinator) == ("green", "tested"), "nobody at home turns it red"
    assert (await operator.get(f"/api/sites/{ALMATY}/self-tests")).json["tests"][0]["away"] is True
    assert away
    site.clock.advance(hours=24 * 8)
    assert await standing_of(await site.signed_in("coordinator")) == ("amber", "stale")


async def test_a_room_that_is_not_in_order_is_named_beside_one_that_is(site: Website) -> None:
    second = SiteRoom("second", ALMATY, "Second room", False)
    async with site.database.write() as tx:
        await calendars.put_room(tx, second)
    await all_steps(await site.signed_in("site_operator"), ROOM)
    await all_steps(await site.signed_in("referring_physician"), "second room", camera={"brightness": 1.0})
    coordinator = await site.signed_in("coordinator")
    rows = (await coordinator.get("/api/site-checks")).json["sites"]
    row = next(row for row in rows if row["site"]["id"] == ALMATY)
    assert (row["verdict"], row["device"]) == ("green", ROOM)
    (other,) = row["others"]
    assert (other["device"], other["verdict"]) == ("second room", "red")
    assert other["who"] == next(one.name for one in PEOPLE if one.role == "referring_physician")


async def standing_of(coordinator: Browser) -> tuple[str, str]:
    rows = (await coordinator.get("/api/site-checks")).json["sites"]
    return next((row["verdict"], row["why"]) for row in rows if row["site"]["id"] == ALMATY)


async def test_an_hour_to_come_shows_whether_its_sites_are_ready(site: Website) -> None:
    await all_steps(await site.signed_in("site_operator"), ROOM)
    for role, sites in (("referring_physician", 1), ("coordinator", 2), ("privacy_officer", 0)):
        browser = await site.signed_in(role)
        (row,) = (await browser.get("/api/worklist")).json["consultations"]
        ready = row["readiness"]
        assert len(ready) >= sites, role
        assert bool(ready) is bool(sites), role
        if role == "referring_physician":
            assert [(one["own"], one["verdict"], one["wants_test"]) for one in ready] == [
                (True, "green", False)
            ]
        if role == "coordinator":
            assert {one["verdict"] for one in ready} == {"green", "red"}


async def test_the_relay_is_given_to_one_test_of_an_account_and_taken_back(site: Website) -> None:
    browser = await site.signed_in("site_operator")
    first = await begin(browser)
    offers = (await browser.post(f"/api/self-tests/{first}/line")).json["offers"]
    assert offers.keys() == {"sends", "receives"}
    answered = {"peer": "receives", "offer_id": "o", "sdp": "v=0"}
    assert (await browser.post(f"/api/self-tests/{first}/line/answer", answered)).status == 204
    assert relay(site).answered == [("room0", "receives")]
    second = await begin(browser)
    assert relay(site).closed == ["room0"], "the one before ends"
    assert (await browser.post(f"/api/self-tests/{first}/line/answer", answered)).code == "self_test_over"
    assert (await browser.post(f"/api/self-tests/{second}/line/answer", answered)).code == "wrong_state"
    await browser.post(f"/api/self-tests/{second}/line")
    await tell(browser, second, "line")
    assert relay(site).closed == ["room0", "room1"], "measured: it is given back"


async def test_a_site_measures_two_lines_at_once_and_no_third_until_one_is_over(site: Website) -> None:
    people = [await site.signed_in(role) for role in ("consulting_physician", "coordinator", "reviewer")]
    tests = [await begin(browser) for browser in people]
    asked = [
        await browser.post(f"/api/self-tests/{test}/line")
        for browser, test in zip(people, tests, strict=True)
    ]
    assert [answer.status for answer in asked] == [200, 200, 429]
    assert asked[2].code == "self_test_site_busy"
    assert asked[2].json["error"]["retry_after_s"] > 0
    await tell(people[0], tests[0], "line")
    assert (await people[2].post(f"/api/self-tests/{tests[2]}/line")).status == 200
    site.clock.advance(seconds=60)
    other = await site.signed_in("site_admin")
    assert (await other.post(f"/api/self-tests/{await begin(other)}/line")).status == 200, (
        "forgotten ones end"
    )


async def test_a_full_server_says_so_and_keeps_nothing_of_the_attempt(site: Website) -> None:
    browser = await site.signed_in("site_operator")
    test = await begin(browser)
    relay(site).full = True
    for _ in range(4):
        answer = await browser.post(f"/api/self-tests/{test}/line")
        assert (answer.status, answer.code) == (503, "self_test_full")
    relay(site).full = False
    for _ in range(3):
        assert (await browser.post(f"/api/self-tests/{test}/line")).status == 200
    assert (await browser.post(f"/api/self-tests/{test}/line")).code == "too_many_attempts"


async def test_ten_tests_in_five_minutes_are_enough(site: Website) -> None:
    browser = await site.signed_in("site_operator")
    answers = [await browser.post("/api/self-tests", {"device": ""}) for _ in range(11)]
    assert [answer.status for answer in answers] == [201] * 10 + [429]


async def test_figures_of_a_test_that_is_over_are_refused(site: Website) -> None:
    browser = await site.signed_in("site_operator")
    test = await begin(browser)
    site.clock.advance(seconds=601)
    assert (await tell(browser, test, "camera")).code == "self_test_over"


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("camera", {"brightness": 300}),
    ("camera", {"problem": "tired"}),
    ("microphone", {"speech_db": "loud"}),
    ("path", {"udp": 1}),
    ("line", {"loss_up_pct": 101}),
    ("line", {"up_kbps": -1}),
    ("loop", {"more": 1}),
    ("browser", {"engine": "netscape"}),
]


async def test_figures_outside_their_bounds_are_refused(site: Website) -> None:
    browser = await site.signed_in("site_operator")
    test = await begin(browser)
    for step, change in WRONG:
        assert (await tell(browser, test, step, **change)).code == "bad_request", (step, change)
    assert (await browser.post(f"/api/self-tests/{test}/steps/shoes", {})).status == 404
