"""axe-core over every page of the product, as who uses it sees it: nothing serious, nothing critical."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pytest
from playwright.sync_api import Page, Playwright

from server.services.demo import CASE_ID, SEOUL
from tests.support import decode
from tests.support.accessible import findings
from tests.support.browsers import Crowd, Person
from tests.support.demo import TOP, Demo, running
from tests.support.fakes import GREEN, RED
from tests.support.furnished import furnish
from tests.support.story import end, join, sign_in, wait_ready, wait_stored

pytestmark = [pytest.mark.browser, pytest.mark.long]

#: Page (its file under static/) → who looks at it, and where.
SIGNED_IN = {
    "worklist": ("coordinator", "/worklist"),
    "case": ("coordinator", f"/cases/{CASE_ID}"),
    "schedule": ("coordinator", f"/cases/{CASE_ID}/schedule"),
    "glossary": ("interpreter", f"/cases/{CASE_ID}/glossary"),
    "referral": ("referring_physician", f"/cases/{CASE_ID}/referral"),
    "new-referral": ("referring_physician", "/referrals/new"),
    "consents": ("referring_physician", f"/cases/{CASE_ID}/consents"),
    "policies": ("privacy_officer", "/policies"),
    "renderings": ("interpreter", "/renderings"),
    "retention": ("privacy_officer", "/retention"),
    "audit": ("privacy_officer", "/audit"),
    "self-test": ("site_operator", "/self-test"),
    "site-checks": ("coordinator", "/site-checks"),
    "sites": ("programme_admin", "/sites"),
    "site": ("programme_admin", f"/sites/{SEOUL}"),
    "person": ("programme_admin", "/people/{person}"),
    "security": ("referring_physician", "/security"),
}
STRANGERS = {
    "signin": "/signin",
    "forgot-password": "/forgot-password",
    "set-password": "/set-password",
    "my": "/my",
}
#: Pages with data in them, and what is pressed there one after the other: each time it is looked at.
OPENED = (
    ("referring_physician", "/worklist", ()),
    ("referring_physician", f"/cases/{CASE_ID}", ("document-look", "pages-close")),
    ("referring_physician", f"/cases/{CASE_ID}/consents", ("consent-withdraw", "give-code")),
    ("referring_physician", "/cases/{asked_back}/referral", ()),
    ("referring_physician", "/cases/{draft}/referral", ("submit",)),
    ("site_operator", "/self-test", ()),
    ("site_operator", f"/cases/{CASE_ID}", ()),
    ("coordinator", "/worklist", ()),
    ("coordinator", "/cases/{new}", ("act-return",)),
    ("coordinator", "/cases/{new}", ("match-propose",)),
    ("coordinator", f"/cases/{CASE_ID}/schedule", ("hour-cancel",)),
    (
        "coordinator",
        f"/cases/{CASE_ID}/schedule",
        ("hour-move", "schedule-urgent", "schedule-find", "slot-move"),
    ),
    ("coordinator", "/site-checks", ()),
    ("privacy_officer", "/worklist", ()),
    ("privacy_officer", "/audit", ("view-review", "review-open", "view-glass")),
    ("programme_admin", "/worklist", ()),
    ("programme_admin", "/people/{person}", ("licence-open", "leave")),
)
IN_THE_ROOM = {"room", "review"}
SIZES = ((1440, 900), (390, 844))


@dataclass
class House:
    demo: Demo
    crowd: Crowd
    looker: Person

    def as_role(self, role: str) -> Page:
        """A page of this account, with cookies of its own."""
        self.looker.context = self.looker.profile("ru")
        return sign_in(self.looker, self.demo, role)


@pytest.fixture(scope="module")
def house(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("accessible")
    with running(folder / "demo") as demo, Crowd(playwright, folder) as crowd:
        yield House(demo, crowd, crowd.person(None, "ru"))


def somebody(page: Page) -> str:
    """A person with an account, where the reader may know of one."""
    people = (
        page.request.get(page.url.replace(page.evaluate("location.pathname"), "/api/people"))
        .json()
        .get("people", [{"id": ""}])
    )
    return str(people[0]["id"])


def look(page: Page) -> list[str]:
    """On a wide and on a narrow screen, once nothing moves and nothing loads any more."""
    found = []
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_load_state("networkidle")
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.wait_for_timeout(300)
        found += [f"{width}: {one}" for one in findings(page)]
    return found


def test_every_page_is_looked_at() -> None:
    pages = {path.stem for path in (TOP / "static").glob("*.html")}
    assert pages == SIGNED_IN.keys() | STRANGERS.keys() | IN_THE_ROOM


def test_no_page_keeps_anybody_out(house: House) -> None:
    found: dict[str, list[str]] = {}
    page = house.looker.page()
    for name, path in STRANGERS.items():
        page.goto(house.demo.base_url + path)
        found[name] = look(page)
    for role in sorted({role for role, _ in SIGNED_IN.values()}):
        page = house.as_role(role)
        for name, (whose, path) in SIGNED_IN.items():
            if whose == role:
                page.goto(house.demo.base_url + path.format(person=somebody(page)))
                found[name] = look(page)
    assert not any(found.values()), "\n".join(f"{name} {one}" for name, all_ in found.items() for one in all_)


def test_the_room_from_its_door_to_the_review_keeps_nobody_out(house: House) -> None:
    demo, crowd = house.demo, house.crowd
    door = house.looker.page()
    door.goto(demo.seat("interpreter")["room_url"])
    door.get_by_test_id("consent-accept").wait_for()
    found = {"door": look(door)}
    other = join(crowd.person(RED), demo, "referring_physician")
    chair = join(crowd.person(GREEN), demo, "consulting_physician")
    wait_stored(chair, 2)
    found["room"] = look(chair.page)
    chair.page.get_by_test_id("settings").click()
    found["settings"] = look(chair.page)
    other.page.close()
    chair.page.keyboard.press("Escape")
    end(chair)
    recording = decode.recordings(demo.data)[0]
    page = house.as_role("reviewer")
    wait_ready(demo, page, recording)
    page.goto(f"{demo.base_url}/review/{recording}")
    page.get_by_test_id("review-play").wait_for()
    found["review"] = look(page)
    assert not any(found.values()), "\n".join(f"{name} {one}" for name, all_ in found.items() for one in all_)


def test_no_page_with_data_and_nothing_that_opens_keeps_anybody_out(house: House) -> None:
    there = asdict(furnish(house.demo))
    found: dict[str, list[str]] = {}
    mine = house.looker.page()
    mine.goto(there["my"])
    mine.get_by_test_id("my-withdraw").first.click()
    found["my"] = look(mine)
    mine.close()
    role, page = "", mine
    for whose, path, pressed in OPENED:
        if whose != role:
            role, page = whose, house.as_role(whose)
        page.goto(house.demo.base_url + path.format(**there))
        page.locator("main h1").first.wait_for()
        if not pressed:
            found[f"{whose} {path}"] = look(page)
        for one in pressed:
            page.get_by_test_id(one).locator("visible=true").first.click()
            found[f"{whose} {path} {one}"] = look(page)
    assert not any(found.values()), "\n".join(f"{name} {one}" for name, all_ in found.items() for one in all_)
