"""The steps people take, by test ids: open a link, consent, join, leave, end, sign in, open a recording.

Each step waits for what it leads to; nothing here judges media.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.support.browsers import Person
from tests.support.demo import Demo, until
from tests.support.fakes import Voice

JOIN_TIMEOUT = 20_000


@dataclass
class Guest:
    """Somebody in a room: their browser, page and seat."""

    person: Person
    page: Page
    role: str
    seat: str

    @property
    def voice(self) -> Voice:
        assert self.person.voice is not None
        return self.person.voice

    def light(self) -> tuple[str, int]:
        """(data-state, data-stored-until in ms or 0) of the recording light."""
        element = self.page.get_by_test_id("recording-light")
        return (
            element.get_attribute("data-state") or "",
            int(element.get_attribute("data-stored-until") or 0),
        )


def come_in(page: Page, url: str, accept: bool = True) -> None:
    """Opens a link, answers the consent question and joins; returns once the own tile is there."""
    page.goto(url)
    answer_and_join(page, accept)


def answer_and_join(page: Page, accept: bool = True) -> None:
    """At the door: answers the consent question and joins; returns once the own tile is there."""
    page.get_by_test_id("consent-accept" if accept else "consent-decline").click()
    page.get_by_test_id("join").click()
    page.locator("[data-testid=tile]").first.wait_for(timeout=JOIN_TIMEOUT)


def join(person: Person, demo: Demo, role: str, accept: bool = True) -> Guest:
    """Takes a role's seat by its link in a new page of the person's browser."""
    page = person.page()
    come_in(page, demo.seat(role)["room_url"], accept)
    return Guest(person, page, role, demo.seat_id(role))


def join_signed_in(person: Person, demo: Demo, role: str) -> Guest:
    """Signs in and takes the account's own seat from the worklist: verified, unlike one who has a link."""
    page = sign_in(person, demo, role)
    page.get_by_test_id("worklist-row").first.locator("button").first.click()
    page.wait_for_url("**/room/**")
    answer_and_join(page)
    return Guest(person, page, role, demo.seat_id(role))


def wait_recording(guest: Guest, timeout: float = 20.0) -> int:
    """Waits until the light says that something is stored; returns the time it names, in ms."""

    def check() -> int | None:
        state, until_ms = guest.light()
        return until_ms if state == "recording" else None

    return until("the light says recording", check, timeout)


def wait_stored(guest: Guest, seconds: float) -> int:
    """Waits until that much more has been acknowledged as stored; returns the last acknowledged time."""
    start = wait_recording(guest)
    goal = start + int(seconds * 1000)
    until(f"{seconds} s more stored", lambda: guest.light()[1] >= goal, seconds + 15)
    return guest.light()[1]


def end(guest: Guest) -> None:
    """The chair ends the consultation for everybody."""
    guest.page.get_by_test_id("end-consultation").click()
    guest.page.get_by_test_id("over").wait_for(timeout=15_000)


def sign_in(person: Person, demo: Demo, role: str) -> Page:
    """Signs in with an account of the role and arrives at the worklist."""
    account = demo.account(role)
    page = person.page()
    page.goto(f"{demo.base_url}/signin")
    page.locator("input[type=email]").fill(account["email"])
    page.locator("input[type=password]").fill(account["password"])
    page.locator("form button").click()
    page.wait_for_url("**/worklist")
    return page


def wait_ready(demo: Demo, page: Page, recording: str, timeout: float = 120.0) -> float:
    """Waits until a signed-in page is told that the recording is ready; returns the seconds it took."""
    began = time.monotonic()
    address = f"{demo.base_url}/api/recordings/{recording}"
    until("recording ready", lambda: page.request.get(address).json().get("state") == "ready", timeout, 0.3)
    return time.monotonic() - began
