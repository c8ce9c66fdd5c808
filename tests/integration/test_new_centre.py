"""A new centre, department, people and calendars: made and booked within minutes, over HTTP alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from server.domain.patient import as_json, facts
from server.domain.referral_form import newest
from server.services.demo import SEOUL
from tests.support.mailbox import mail_settings, sent, token_of
from tests.support.referrals import ADULT, whole
from tests.support.smtp import Post
from tests.support.website import Browser, Website, website

WEEK = [[[540, 780], [840, 1080]]] * 5 + [[], []]
QUESTION = (
    "Left ureteral stone of 14 mm with hydronephrosis, pain on and off for 6 weeks. CT 2026-11-02. "
    "Is ureteroscopic removal indicated, and what should be prepared before travel?"
)
FRIDAY = datetime(2026, 11, 27, 3, tzinfo=UTC)


@pytest.fixture
async def site(tmp_path: Path, post: Post) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", mail=mail_settings(post)) as made:
        made.clock.turn_to(FRIDAY)
        yield made


async def done(browser: Browser, path: str, body: Any = None) -> Any:
    answer = await browser.post(path, body)
    assert answer.status in (200, 201, 204), (path, answer.text)
    return answer.json


async def joins(
    site: Website, post: Post, admin: Browser, where: str, email: str, role: str, country: str = ""
) -> tuple[str, Browser]:
    """Somebody new: the form, the mail, a password. Id and the browser they are signed in with.

    `country`: who treats enters their licence from there, and the programme has seen it.
    """
    language = "ko" if country == "KR" else "ru"
    form = {"name": "Somebody (synthetic)", "email": email, "language": language, "roles": [role]}
    made = await done(admin, f"/api/sites/{where}/people", form)
    assert made["invited"]
    [(to, message)] = await sent(site, post)
    assert to == email
    browser, password = site.browser(), "ten small words nobody guesses"
    await done(browser, "/api/password/set", {"token": token_of(message), "password": password})
    await done(browser, "/api/sign-in", {"email": to, "password": password})
    person = str(made["id"])
    if country:
        licence = {"number": "0000", "country": country, "institution": "Board (synthetic)", "expires": None}
        await done(browser, f"/api/people/{person}/licence", licence)
        told = await done(admin, f"/api/people/{person}/licence/verify", {"number": "0000", "seen": True})
        assert told["licence_state"] == "verified"
    return person, browser


async def referred(browser: Browser) -> str:
    """A whole referral about an invented patient, submitted."""
    case = (await done(browser, "/api/cases", {"specialty": "urology"}))["id"]
    draft = (await browser.get(f"/api/cases/{case}/draft")).json
    person = {"version": draft["patient"]["version"], "person": as_json(ADULT)}
    await done(browser, f"/api/patients/{draft['patient']['id']}", person)
    answers = whole(newest("urology"), facts(ADULT, date(2026, 11, 26)), {"question": QUESTION})
    saved = await done(
        browser,
        f"/api/cases/{case}/draft",
        {"version": draft["version"], "editor": "page-1", "answers": answers},
    )
    await done(browser, f"/api/cases/{case}/submit", {"version": saved["version"]})
    return str(case)


async def new_centre(admin: Browser) -> tuple[str, str]:
    """Three forms; ids of the site and its room."""
    form = {"name": "Tashkent Demo (synthetic)", "time_zone": "Asia/Tashkent", "country": "UZ"}
    centre = (await done(admin, "/api/sites", form | {"emergency": "103"}))["id"]
    await done(admin, f"/api/calendars/{centre}/hours", {"days": WEEK})
    room = (await done(admin, f"/api/calendars/{centre}/rooms", {"name": "Room 1"}))["id"]
    return centre, room


async def new_department(admin: Browser) -> dict[str, str]:
    """With the surgeon in it; as a match is decided."""
    unit = {
        "hospital": SEOUL,
        "name": "Urology (synthetic)",
        "specialty": "urology",
        "places": ["urology/stones"],
        "languages": ["ko", "ru"],
        "monthly": 5,
    }
    department = (await done(admin, "/api/departments", unit))["id"]
    listed = {"name": "의사 (synthetic)", "languages": ["ko"], "account": "surgeon@demo.invalid"}
    physician = (await done(admin, f"/api/departments/{department}/physicians", listed))["id"]
    return {"department": department, "physician": physician}


async def test_a_new_centre_and_department_take_a_case_and_have_an_hour_booked(
    site: Website, post: Post
) -> None:
    admin, coordinator = await site.signed_in("programme_admin"), await site.signed_in("coordinator")
    centre, room = await new_centre(admin)
    doctor, referring = await joins(
        site, post, admin, centre, "doctor@demo.invalid", "referring_physician", "UZ"
    )
    surgeon, consulting = await joins(
        site, post, admin, SEOUL, "surgeon@demo.invalid", "consulting_physician", "KR"
    )
    voice, interpreter = await joins(site, post, admin, SEOUL, "voice@demo.invalid", "interpreter")
    await done(admin, f"/api/interpreters/{voice}", {"pairs": [["ko", "ru"]], "fields": ["urology"]})
    asked = await new_department(admin)
    # calendars of one's own
    away = {"from": "2026-11-30T00:00", "to": "2026-12-02T00:00"}
    await done(consulting, f"/api/calendars/{surgeon}/absences", away)
    await done(interpreter, f"/api/calendars/{voice}/hours", {"days": WEEK, "time_zone": "America/New_York"})
    feed = (await done(interpreter, "/api/account/feed"))["url"]
    # a case, decided and booked; New York's working day is Seoul's night, so this interpreter works nights
    case = await referred(referring)
    proposal = (await done(coordinator, f"/api/cases/{case}/match", {}))["proposal"]
    choice = asked | {"why": "other", "note": "the new one"}
    await done(coordinator, f"/api/cases/{case}/match/{proposal['id']}", choice)
    search = {"from": "2026-11-30", "days": 5, "minutes": 60}
    none = await done(coordinator, f"/api/cases/{case}/slots", search)
    assert none["slots"] == []
    nights = [[[0, 240]]] * 7
    await done(
        interpreter, f"/api/calendars/{voice}/hours", {"days": nights, "time_zone": "America/New_York"}
    )
    slot = (await done(coordinator, f"/api/cases/{case}/slots", search))["slots"][0]
    assert (slot["interpreter"], [clock["time_zone"] for clock in slot["begins"]]) == (
        voice,
        ["Asia/Tashkent", "Asia/Seoul"],
    )
    assert slot["begins"][1]["local"] >= "2026-12-02", "not while the surgeon is away"
    hour = await done(
        coordinator,
        f"/api/cases/{case}/consultations",
        {"request": "request-1", "starts_at_ms": slot["starts_at_ms"], "minutes": 60},
    )
    assert room in {one["id"] for one in hour["rooms"]}
    assert [seat["account"] for seat in hour["seats"]] == [doctor, surgeon, voice]
    assert "BEGIN:VEVENT" in (await site.browser().get(feed.replace(site.settings.public_url, ""))).text
