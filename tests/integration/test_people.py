"""Sites and people over HTTP: forms told wrong by field, roles, licences and what they open, leaving."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from server.services.demo import ALMATY, CASE_ID, SEOUL
from server.storage import account_mails, accounts
from server.storage import audit as chain
from server.storage.schema_audit import audit
from tests.support.website import Browser, Website, website

PERSON = {
    "name": "Нурлан Синтетический",
    "email": "Nurlan@demo.invalid ",
    "language": "ru",
    "roles": ["referring_physician"],
}
LICENCE = {"number": "KZ-000", "country": "KZ", "institution": "Board (synthetic)", "expires": "2026-12-31"}
NOON = datetime(2026, 11, 27, 3, tzinfo=UTC)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", at=NOON) as made:
        yield made


async def id_of(site: Website, role: str) -> str:
    async with site.database.read() as tx:
        found = await accounts.by_email(tx, site.password(role)[0])
    assert found
    return found[0].id


async def actions(site: Website, *names: str) -> list[tuple[str, dict[str, Any]]]:
    async with site.database.read() as tx:
        assert await chain.first_broken(tx) is None
        rows = [(row.action, row.detail) for row in await tx.execute(audit.select().order_by(audit.c.id))]
    return [row for row in rows if row[0] in names]


async def test_a_site_is_a_form_that_says_what_is_wrong_with_each_field(site: Website) -> None:
    admin = await site.signed_in("programme_admin")
    good = {
        "name": "Bishkek Demo (synthetic)",
        "time_zone": "Asia/Bishkek",
        "country": "KG",
        "address": "1 Demo street",
        "languages": ["ky", "ru"],
        "telephone": "+996 000 000 000",
        "emergency": "103",
    }
    wrongs: tuple[tuple[Mapping[str, Any], Mapping[str, str]], ...] = (
        ({"name": " ", "time_zone": "Mars/Olympus"}, {"name": "empty", "time_zone": "zone"}),
        ({"time_zone": "localtime", "country": "Kyrgyzstan"}, {"time_zone": "zone", "country": "country"}),
        ({"telephone": "103", "emergency": "call us"}, {"telephone": "telephone", "emergency": "emergency"}),
        ({"name": "x" * 121, "languages": ["klingon"]}, {"name": "long", "languages": "language"}),
        ({"name": "Seoul Demo Hospital (synthetic)"}, {"name": "taken"}),
    )
    for wrong, told in wrongs:
        answer = await admin.post("/api/sites", good | wrong)
        assert (answer.status, answer.code) == (400, "form_refused")
        assert answer.json["error"]["fields"] == told
    made = await admin.post("/api/sites", good)
    assert made.status == 201, made.text
    assert {key: made.json[key] for key in good} == good
    assert made.json["holidays_known"]
    changed = await admin.post(f"/api/sites/{made.json['id']}", good | {"emergency": "112"})
    assert changed.json["emergency"] == "112"
    listed = (await admin.get("/api/sites")).json["sites"]
    row = next(one for one in listed if one["id"] == made.json["id"])
    assert (row["people"], row["rooms"], row["has_hours"]) == (0, 0, False), "what it still needs"
    assert await actions(site, "site_added", "site_changed") == [("site_added", {}), ("site_changed", {})]


async def test_a_site_admin_keeps_their_own_site_and_its_people_only(site: Website) -> None:
    admin = await site.signed_in("site_admin")  # Seoul's
    assert [one["id"] for one in (await admin.get("/api/sites")).json["sites"]] == [SEOUL]
    assert (await admin.post(f"/api/sites/{ALMATY}", {})).code == "forbidden"
    assert (await admin.post(f"/api/sites/{ALMATY}/people", PERSON)).code == "forbidden"
    for above in ("coordinator", "privacy_officer", "programme_admin"):
        asked = PERSON | {"roles": ["interpreter", above]}
        assert (await admin.post(f"/api/sites/{SEOUL}/people", asked)).code == "role_above"
        theirs = f"/api/people/{await id_of(site, above)}"
        assert (await admin.post(theirs, {"name": "x", "language": "ko", "roles": []})).code == "role_above"
        assert (await admin.post(f"{theirs}/leave")).code == "role_above"
        assert (await admin.post(f"{theirs}/licence", LICENCE)).code == "role_above"
    made = await admin.post(f"/api/sites/{SEOUL}/people", PERSON | {"roles": ["consulting_physician"]})
    assert made.status == 201, made.text
    assert made.json["email"] == "nurlan@demo.invalid"
    assert made.json["may"] == ["person.write", "licence.write", "person.leave", "person.second_step"]
    assert (await admin.post(f"/api/people/{made.json['id']}/licence/verify", {})).code == "forbidden"
    people = (await admin.get("/api/people")).json["people"]
    assert {one["site_id"] for one in people} == {SEOUL}
    assert made.json["id"] in {one["id"] for one in people}


async def test_a_person_is_a_form_too_invited_and_cannot_sign_in_before_they_set_a_password(
    site: Website,
) -> None:
    admin = await site.signed_in("programme_admin")
    path = f"/api/sites/{ALMATY}/people"
    for wrong, told in (
        ({"email": "nobody"}, {"email": "email"}),
        ({"email": site.password("reviewer")[0].upper()}, {"email": "taken"}),
        ({"name": "\n", "language": "tlh"}, {"name": "empty", "language": "language"}),
        ({"roles": []}, {"roles": "roles"}),
        ({"roles": ["patient"]}, {"roles": "roles"}),
        ({"telephone": "12"}, {"telephone": "telephone"}),
    ):
        answer = await admin.post(path, PERSON | wrong)
        assert (answer.code, answer.json["error"]["fields"]) == ("form_refused", told)
    assert (await admin.post("/api/sites/unknown/people", PERSON)).code == "not_found"
    made = await admin.post(path, PERSON)
    assert not made.json["invited"], "this server has no mail server"
    assert (made.json["licence_state"], made.json["has_password"]) == ("none", False)
    for guess in ("nobody has this password", "!"):
        tried = {"email": "nurlan@demo.invalid", "password": guess}
        assert (await site.browser().post("/api/sign-in", tried)).code == "sign_in_refused"
    assert (await admin.post(f"/api/people/{made.json['id']}/invite")).json == {"invited": False}
    other = await id_of(site, "reviewer")
    assert (await admin.post(f"/api/people/{other}/invite")).code == "invited_already"
    assert await actions(site, "account_added", "account_invited") == [
        ("account_added", {"roles": "referring_physician"}),
        ("account_invited", {}),
        ("account_invited", {}),
    ]
    async with site.database.read() as tx:
        [mail] = await account_mails.due(tx, site.clock(), 10)
    assert (mail.account_id, mail.kind) == (made.json["id"], "invitation"), "the first one is void"


async def test_an_address_is_corrected_until_somebody_has_begun_and_then_stays(site: Website) -> None:
    admin, local = await site.signed_in("programme_admin"), await site.signed_in("site_admin")
    made = (await admin.post(f"/api/sites/{ALMATY}/people", PERSON | {"email": "nurlam@demo.invalid"})).json
    path = f"/api/people/{made['id']}/address"
    for email, told in (("nobody", "email"), (site.password("reviewer")[0], "taken"), (" ", "empty")):
        answer = await admin.post(path, {"email": email})
        assert (answer.code, answer.json["error"]["fields"]) == ("form_refused", {"email": told})
    right = {"email": "Nurlan@demo.invalid"}
    corrected = await admin.post(path, right)
    assert (corrected.json["email"], corrected.json["invited"]) == ("nurlan@demo.invalid", False)
    async with site.database.read() as tx:
        [mail] = await account_mails.due(tx, site.clock(), 10)
    assert mail.account_id == made["id"], "one invitation waits, the one to the wrong address is void"
    begun = f"/api/people/{await id_of(site, 'consulting_physician')}/address"
    assert (await local.post(begun, right)).code == "address_begun", "who reads its mails sets its password"
    assert (await local.post(path, right)).code == "forbidden"
    above = f"/api/people/{await id_of(site, 'coordinator')}/address"
    assert (await local.post(above, right)).code in ("role_above", "forbidden")
    own = f"/api/people/{await id_of(site, 'programme_admin')}/address"
    assert (await admin.post(own, right)).code == "own_account"
    assert await actions(site, "account_changed") == [("account_changed", {"address": "corrected"})]


async def test_roles_change_at_once_and_the_books_say_from_what_to_what(site: Website) -> None:
    admin = await site.signed_in("programme_admin")
    operator, person = await site.signed_in("site_operator"), await id_of(site, "site_operator")
    assert (await operator.post("/api/cases", {})).code == "forbidden"
    body = {"name": "Оператор", "language": "ru", "roles": ["site_operator", "referring_physician"]}
    assert (await admin.post(f"/api/people/{person}", body)).json["roles"] == body["roles"]
    assert (await operator.post("/api/cases", {})).code == "bad_request", "may now"
    changes = {"from": "site_operator", "to": "site_operator referring_physician"}
    assert await actions(site, "account_changed") == [("account_changed", changes)]
    own = await id_of(site, "programme_admin")
    for roles, code in ((["coordinator", "programme_admin"], "own_account"), (["programme_admin"], None)):
        answer = await admin.post(f"/api/people/{own}", {"name": "me", "language": "ko", "roles": roles})
        assert answer.code == code, "one's own name, not one's own roles"


async def test_an_unverified_physician_takes_no_seat_and_submits_nothing_until_somebody_saw_the_licence(
    site: Website,
) -> None:
    admin, doctor = await site.signed_in("programme_admin"), await site.signed_in("referring_physician")
    person, (seat, _) = await id_of(site, "referring_physician"), site.seat("referring_physician")
    mine = f"/api/people/{person}"
    assert (await doctor.get(mine)).json["licence_state"] == "verified"
    wrong = LICENCE | {"number": "", "expires": "2026-11-26"}
    fields = (await doctor.post(f"{mine}/licence", wrong)).json["error"]["fields"]
    assert fields == {"number": "empty", "expires": "past"}
    entered = await doctor.post(f"{mine}/licence", LICENCE)
    assert (entered.json["licence_state"], entered.json["licence"]["verified_by"]) == ("unverified", None)
    assert (await doctor.post(f"/api/seats/{seat}/take")).code == "not_verified"
    assert (await doctor.post(f"/api/cases/{CASE_ID}/answer", {})).code == "forbidden"
    # who verifies says which number they saw
    other = {"number": "KZ-001", "seen": True}
    assert (await admin.post(f"{mine}/licence/verify", other)).code == "licence_changed"
    seen = {"number": "KZ-000", "seen": True}
    told = (await admin.post(f"{mine}/licence/verify", seen)).json
    assert (told["licence_state"], told["licence"]["verified_by"]) == ("verified", "정데모 (synthetic)")
    assert told["licence"]["verified_ms"] == pytest.approx(site.clock(), abs=60_000)
    assert (await doctor.post(f"/api/seats/{seat}/take")).status == 200
    assert (await doctor.post(f"{mine}/licence", LICENCE)).json["licence_state"] == "verified", "the same"
    # taken back
    told = (await admin.post(f"{mine}/licence/verify", seen | {"seen": False})).json
    assert told["licence_state"] == "unverified"
    names = ("licence_entered", "licence_verified", "licence_unverified")
    assert [name for name, _ in await actions(site, *names)] == list(names)


async def test_a_licence_that_expires_counts_no_more_from_the_next_morning_there(site: Website) -> None:
    admin, person = await site.signed_in("programme_admin"), await id_of(site, "referring_physician")
    mine, (seat, _) = f"/api/people/{person}", site.seat("referring_physician")
    await admin.post(f"{mine}/licence", LICENCE | {"expires": "2026-11-27"})
    assert (await admin.post(f"{mine}/licence/verify", {"number": "KZ-000", "seen": True})).status == 200
    midnight = datetime(2026, 11, 27, 19, tzinfo=UTC)  # Almaty is at +05:00
    site.clock.ahead_ms += round(midnight.timestamp() * 1000) - site.clock() - 60_000
    doctor = await site.signed_in("referring_physician")
    assert (await doctor.get(mine)).json["licence_state"] == "verified"
    site.clock.advance(seconds=61)
    assert (await doctor.get(mine)).json["licence_state"] == "expired"
    assert (await doctor.post(f"/api/seats/{seat}/take")).code == "not_verified"
    admin = await site.signed_in("programme_admin")
    answer = await admin.post(f"{mine}/licence/verify", {"number": "KZ-000", "seen": True})
    assert answer.code == "licence_expired"


async def test_nobody_verifies_their_own_licence(site: Website) -> None:
    admin, own = await site.signed_in("programme_admin"), await id_of(site, "programme_admin")
    assert (await admin.post(f"/api/people/{own}/licence", LICENCE)).json["licence_state"] == "unverified"
    seen = {"number": "KZ-000", "seen": True}
    assert (await admin.post(f"/api/people/{own}/licence/verify", seen)).code == "own_account"


async def test_what_somebody_interprets_is_a_form_and_the_books_say_what_was_ticked(site: Website) -> None:
    coordinator, person = await site.signed_in("coordinator"), await id_of(site, "interpreter")
    path, form = f"/api/interpreters/{person}", {"pairs": [["uz", "kk"], ["ko", "ru"]], "fields": ["urology"]}
    assert (await coordinator.post(path, form)).status == 204
    told = (await coordinator.get(f"/api/people/{person}")).json
    assert (told["pairs"], told["fields"]) == ([["kk", "uz"], ["ko", "ru"]], ["urology"])
    for wrong in ({"pairs": [["ko", "ar"]]}, {"pairs": [["ko"]]}, {"fields": ["Heart surgery"]}):
        assert (await coordinator.post(path, form | wrong)).code == "bad_request"
    other = f"/api/interpreters/{await id_of(site, 'reviewer')}"
    assert (await coordinator.post(other, form)).code == "not_found"
    assert (await (await site.signed_in("interpreter")).post(path, form)).code == "forbidden"
    detail = {"pairs": "kk-uz ko-ru", "fields": "urology"}
    assert await actions(site, "interpreter_set") == [("interpreter_set", detail)]


async def booked(site: Website, coordinator: Browser) -> int:
    asked = {"from": "2026-11-30", "days": 5, "minutes": 60}
    slots = (await coordinator.post(f"/api/cases/{CASE_ID}/slots", asked)).json["slots"]
    body = {"request": "request-1", "starts_at_ms": slots[0]["starts_at_ms"], "minutes": 60}
    assert (await coordinator.post(f"/api/cases/{CASE_ID}/consultations", body)).status == 201
    starts: int = slots[0]["starts_at_ms"]
    return starts


async def test_who_leaves_is_cut_off_at_once_and_what_they_were_booked_for_is_flagged(site: Website) -> None:
    admin, coordinator = await site.signed_in("programme_admin"), await site.signed_in("coordinator")
    doctor, person = await site.signed_in("consulting_physician"), await id_of(site, "consulting_physician")
    (seat, token), by_link = site.seat("consulting_physician"), site.browser()
    await booked(site, coordinator)
    feed = (await doctor.post("/api/account/feed")).json["url"].replace(site.settings.public_url, "")
    assert (await by_link.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200
    assert (await coordinator.get("/api/hours-at-risk")).json == {"hours": []}
    left = await admin.post(f"/api/people/{person}/leave")
    assert left.json == {"hours": 1}
    assert (await doctor.get("/api/me")).code == "sign_in_required"
    assert (await by_link.get(f"/api/seats/{seat}")).code == "no_credential"
    answer = await site.browser().post(f"/api/seats/{seat}/redeem", {"token": token})
    assert answer.code == "link_dead"
    assert (await site.browser().get(feed)).code == "not_found"
    email, password = site.password("consulting_physician")
    again = await site.browser().post("/api/sign-in", {"email": email, "password": password})
    assert again.code == "sign_in_refused"
    [row] = (await coordinator.get("/api/hours-at-risk")).json["hours"]
    assert (row["role"], row["why"], row["case_id"]) == ("consulting_physician", "left", CASE_ID)
    assert [clock["time_zone"] for clock in row["begins"]] == ["Asia/Almaty", "Asia/Seoul"]
    # and back: they sign in, the hour is theirs; feeds and links are made anew
    assert (await admin.post(f"/api/people/{person}/return")).status == 204
    assert (await coordinator.get("/api/hours-at-risk")).json == {"hours": []}
    doctor = await site.signed_in("consulting_physician")
    assert (await doctor.post(f"/api/seats/{seat}/take")).status == 200
    assert (await site.browser().get(feed)).code == "not_found"
    assert await actions(site, "account_left", "account_returned") == [
        ("account_left", {"hours": 1}),
        ("account_returned", {}),
    ]
    own = await id_of(site, "programme_admin")
    assert (await admin.post(f"/api/people/{own}/leave")).code == "own_account"


async def test_an_hour_after_a_physicians_licence_runs_out_is_flagged(site: Website) -> None:
    admin, coordinator = await site.signed_in("programme_admin"), await site.signed_in("coordinator")
    await booked(site, coordinator)  # on 30 November
    mine = f"/api/people/{await id_of(site, 'consulting_physician')}/licence"
    seen = {"number": "KZ-000", "seen": True}
    for expires, flagged in (("2026-11-29", True), ("2026-12-31", False)):
        assert (await admin.post(mine, LICENCE | {"expires": expires})).status == 200
        assert (await admin.post(f"{mine}/verify", seen)).status == 200
        rows = (await coordinator.get("/api/hours-at-risk")).json["hours"]
        assert [row["why"] for row in rows] == (["licence"] if flagged else [])


async def test_the_emergency_number_of_each_place_is_on_the_card_for_when_all_else_fails(
    site: Website,
) -> None:
    admin, browser = await site.signed_in("programme_admin"), site.browser()
    seat, token = site.seat("consulting_physician")
    now = (await admin.get(f"/api/sites/{ALMATY}")).json
    keys = ("name", "time_zone", "country", "address", "languages", "telephone")
    body = {key: now[key] for key in keys} | {"emergency": "112"}
    assert (await admin.post(f"/api/sites/{ALMATY}", body)).status == 200
    assert (await browser.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200
    seats = (await browser.get(f"/api/seats/{seat}")).json["seats"]
    assert {one["role"]: one["emergency"] for one in seats} == {
        "referring_physician": "112",
        "consulting_physician": "119",
        "interpreter": "119",
    }
