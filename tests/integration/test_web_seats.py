"""Seat links, taking, knocking and consent on the real web front."""

from __future__ import annotations

import asyncio

from server.domain.consent import CONSENT_VERSION
from server.storage import audit, destructions
from tests.support.tampering import tamper
from tests.support.website import Website


async def test_exactly_one_of_fifty_parallel_redeems_wins(site: Website) -> None:
    seat, token = site.seat("interpreter")
    browsers = [site.browser() for _ in range(50)]
    answers = await asyncio.gather(
        *(browser.post(f"/api/seats/{seat}/redeem", {"token": token}) for browser in browsers)
    )
    assert sorted(answer.status for answer in answers) == [200] + [409] * 49
    assert {answer.code for answer in answers} == {None, "link_used"}
    assert sum(bool(browser.cookies()) for browser in browsers) == 1


async def test_looking_at_the_page_spends_nothing(site: Website) -> None:
    seat, token = site.seat("interpreter")
    for _ in range(3):
        assert (await site.browser().get(f"/room/{seat}")).status == 200
    assert (await site.browser().post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200


async def test_three_links_in_one_profile_are_three_seats(site: Website) -> None:
    browser = site.browser()
    roles = ("referring_physician", "consulting_physician", "interpreter")
    for role in roles:
        seat, token = site.seat(role)
        answer = await browser.post(f"/api/seats/{seat}/redeem", {"token": token})
        assert answer.json == {"room_url": f"{site.settings.public_url}/room/{seat}"}
    assert set(browser.cookies()) == {f"seat-{site.seat(role)[0]}" for role in roles}
    for role in roles:
        assert (await browser.get(f"/api/seats/{site.seat(role)[0]}")).json["seat"]["role"] == role


async def test_a_browser_that_sits_may_send_its_used_link_again(site: Website) -> None:
    seat, token = site.seat("interpreter")
    browser = site.browser()
    for _ in range(2):
        assert (await browser.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200


async def test_a_wrong_token_an_unknown_seat_and_another_seats_token_look_alike(site: Website) -> None:
    seat, _ = site.seat("interpreter")
    for path, token in ((seat, "A" * 22), ("B" * 22, "A" * 22), (seat, site.seat("referring_physician")[1])):
        answer = await site.browser().post(f"/api/seats/{path}/redeem", {"token": token})
        assert (answer.status, answer.code) == (404, "link_unknown")


async def test_a_link_dies_with_its_consultation(site: Website) -> None:
    session = await site.services.rooms.open_session(site.table.consultation_id, site.clock())
    await site.services.rooms.end_session(site.table.consultation_id, session.id, "ended", site.clock())
    seat, token = site.seat("interpreter")
    answer = await site.browser().post(f"/api/seats/{seat}/redeem", {"token": token})
    assert (answer.status, answer.code) == (410, "link_dead")


async def test_a_link_dies_when_the_window_has_closed(site: Website) -> None:
    site.clock.advance(hours=25)
    seat, token = site.seat("interpreter")
    answer = await site.browser().post(f"/api/seats/{seat}/redeem", {"token": token})
    assert (answer.status, answer.code) == (410, "link_dead")


async def test_before_the_window_nobody_sits_down(site: Website) -> None:
    site.clock.advance(hours=-2)
    seat, token = site.seat("interpreter")
    answer = await site.browser().post(f"/api/seats/{seat}/redeem", {"token": token})
    assert (answer.status, answer.code) == (409, "not_open")
    assert isinstance(answer.json["error"]["opens_at_ms"], int)
    site.clock.advance(hours=2)
    assert (await site.browser().post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200


async def test_an_account_takes_its_own_seat_from_whoever_came_by_link(site: Website) -> None:
    seat, token = site.seat("consulting_physician")
    guest = site.browser()
    await guest.post(f"/api/seats/{seat}/redeem", {"token": token})
    physician = await site.signed_in("consulting_physician")
    for _ in range(2):  # clicking join twice is no harm
        assert (await physician.post(f"/api/seats/{seat}/take")).status == 200
    assert (await physician.get(f"/api/seats/{seat}")).status == 200
    assert (await guest.get(f"/api/seats/{seat}")).code == "no_credential"


async def test_only_an_account_makes_a_seat_verified_and_able_to_admit(site: Website) -> None:
    view = site.services.rooms.view
    seat, token = site.seat("consulting_physician")
    await site.browser().post(f"/api/seats/{seat}/redeem", {"token": token})
    by_link = next(each for each in (await view(site.table.consultation_id)).seats if each.id == seat)
    assert (by_link.verified, "admit" in by_link.abilities, "end" in by_link.abilities) == (
        False,
        False,
        True,
    )
    physician = await site.signed_in("consulting_physician")
    await physician.post(f"/api/seats/{seat}/take")
    by_account = next(each for each in (await view(site.table.consultation_id)).seats if each.id == seat)
    assert (by_account.verified, "admit" in by_account.abilities) == (True, True)


async def test_the_link_of_ones_own_seat_opened_signed_in_is_verified(site: Website) -> None:
    physician = await site.signed_in("referring_physician")
    seat, token = site.seat("referring_physician")
    await physician.post(f"/api/seats/{seat}/redeem", {"token": token})
    view = await site.services.rooms.view(site.table.consultation_id)
    assert next(each for each in view.seats if each.id == seat).verified


async def test_an_admitted_knock_ends_the_first_credential(site: Website) -> None:
    seat, token = site.seat("referring_physician")
    first, second = site.browser(), site.browser()
    await first.post(f"/api/seats/{seat}/redeem", {"token": token})
    knock = await second.post(f"/api/seats/{seat}/knock", {"token": token, "name": " Vera \u202e Demo "})
    assert knock.status == 201
    assert (await second.get(f"/api/seats/{seat}/knock")).json == {"state": "waiting"}
    view = await site.services.rooms.view(site.table.consultation_id)
    assert [(each.id, each.name) for each in view.knocks] == [(knock.json["knock"], "Vera Demo")]
    admitting = site.seat("consulting_physician")[0]
    await site.services.knocks.answer(site.table.consultation_id, knock.json["knock"], True, admitting)
    assert (await first.get(f"/api/seats/{seat}")).code == "no_credential"
    assert (await second.get(f"/api/seats/{seat}/knock")).json == {"state": "admitted"}
    assert (await second.get(f"/api/seats/{seat}")).status == 200
    assert (await second.get(f"/api/seats/{seat}/knock")).json == {"state": "admitted"}


async def test_a_refused_knock_brings_no_seat(site: Website) -> None:
    seat, token = site.seat("referring_physician")
    first, second = site.browser(), site.browser()
    await first.post(f"/api/seats/{seat}/redeem", {"token": token})
    knock = (await second.post(f"/api/seats/{seat}/knock", {"token": token, "name": "A"})).json["knock"]
    await site.services.knocks.answer(site.table.consultation_id, knock, False, seat)
    await site.services.knocks.answer(site.table.consultation_id, knock, True, seat)  # too late
    assert (await second.get(f"/api/seats/{seat}/knock")).json == {"state": "refused"}
    assert (await second.get(f"/api/seats/{seat}")).code == "no_credential"
    assert (await first.get(f"/api/seats/{seat}")).status == 200


async def test_one_knocks_only_with_the_used_link_and_not_without_end(site: Website) -> None:
    seat, token = site.seat("referring_physician")
    body = {"token": token, "name": "A"}
    assert (await site.browser().post(f"/api/seats/{seat}/knock", body)).code == "link_unused"
    await site.browser().post(f"/api/seats/{seat}/redeem", {"token": token})
    unknown = {"token": "A" * 22, "name": "A"}
    assert (await site.browser().post(f"/api/seats/{seat}/knock", unknown)).code == "link_unknown"
    codes = [(await site.browser().post(f"/api/seats/{seat}/knock", body)).code for _ in range(7)]
    assert codes == [None] * 5 + ["too_many_knocks"] * 2
    assert (await site.browser().get(f"/api/seats/{seat}/knock")).code == "knock_unknown"


async def test_consent_names_everybody_and_the_newest_counts(site: Website) -> None:
    seat, token = site.seat("referring_physician")
    browser = site.browser()
    await browser.post(f"/api/seats/{seat}/redeem", {"token": token})
    body = {"decision": "granted", "persons": [], "language": "ru", "version": CONSENT_VERSION}
    path = f"/api/seats/{seat}/consent"
    assert (await browser.post(path, body)).code == "consent_missing"
    assert (await browser.post(path, body | {"persons": ["A"], "version": "old"})).code == "consent_outdated"
    assert (await browser.post(path, body | {"persons": ["A", "B"]})).json["decision"] == "granted"
    assert (await browser.get(f"/api/seats/{seat}")).json["consent"]["persons"] == ["A", "B"]
    view = await site.services.rooms.view(site.table.consultation_id)
    granted = next(each for each in view.seats if each.id == seat)
    assert (granted.consent, granted.grant is not None) == ("granted", True)
    assert (await browser.post(path, body | {"decision": "declined"})).status == 200
    view = await site.services.rooms.view(site.table.consultation_id)
    declined = next(each for each in view.seats if each.id == seat)
    assert (declined.consent, declined.grant) == ("declined", None)
    others = {each.consent for each in view.seats if each.id != seat}
    assert others == {"undecided"}


async def test_a_no_is_taken_whatever_version_of_the_text_it_answers(site: Website) -> None:
    seat, token = site.seat("referring_physician")
    browser = site.browser()
    await browser.post(f"/api/seats/{seat}/redeem", {"token": token})
    body = {"decision": "declined", "persons": [], "language": "ru", "version": "an older one"}
    said = await browser.post(f"/api/seats/{seat}/consent", body)
    assert said.json["decision"] == "declined"


async def test_who_sits_there_may_have_destroyed_what_was_recorded_so_far(site: Website) -> None:
    seat, token = site.seat("referring_physician")
    browser = site.browser()
    await browser.post(f"/api/seats/{seat}/redeem", {"token": token})
    session = await site.services.rooms.open_session(site.table.consultation_id, site.clock())
    path = f"/api/seats/{seat}/destroy"
    assert (await site.browser().post(path, {})).code == "no_credential"
    assert (await browser.post(path, {})).json == {"recordings": 1}
    assert (await browser.post(path, {})).json == {"recordings": 0}
    async with site.services.context.database.read() as tx:
        assert await destructions.blocked(tx, session.id) == {seat}


async def test_every_act_is_in_an_audit_chain_that_shows_tampering(site: Website) -> None:
    seat, token = site.seat("interpreter")
    await site.browser("198.51.100.7").post(f"/api/seats/{seat}/redeem", {"token": token})
    reviewer = await site.signed_in("reviewer")
    await reviewer.get("/api/cases/demo-case-000000001")
    async with site.database.read() as tx:
        assert await audit.first_broken(tx) is None
        rows = (await tx.exec_driver_sql("SELECT action, address, case_id FROM audit ORDER BY id")).all()
    assert ("seat_taken", "198.51.100.7", "demo-case-000000001") in [tuple(row) for row in rows]
    assert "case_read" in [row[0] for row in rows]
    tamper(
        site.settings.data_dir / "hyeopjin.sqlite3", "UPDATE audit SET address = '203.0.113.1' WHERE id = 2"
    )
    async with site.database.read() as tx:
        assert await audit.first_broken(tx) == 2
