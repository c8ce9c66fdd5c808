"""Mails of agreed hours through a real mail server: to whom, in which words, and what they never say."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import icalendar
import pytest

from server.commands import mail_check
from server.config import ConfigError, load_settings
from server.mail_settings import MailServer
from server.runtime.mailer import Mailer
from server.services.demo import CASE_ID, PEOPLE
from server.storage import cases
from server.storage.schema import accounts
from server.storage.schema_mails import mails
from tests.integration.test_booking import (
    account,
    book,
    change,
    move,
    second_interpreter,
    slots,
)
from tests.support.demo import TOP
from tests.support.smtp import Post, only
from tests.support.statements import statements
from tests.support.website import Website, website

SENDER = "consult@example.org"
NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)
EVERYBODY = {
    f"{role}@demo.invalid" for role in ("referring.physician", "consulting.physician", "interpreter")
}
SCRIPTS = {
    "referring.physician@demo.invalid": "Телеконсультация",
    "consulting.physician@demo.invalid": "원격 협진",
    "interpreter@demo.invalid": "Телеконсультация",
}


@pytest.fixture
async def site(tmp_path: Path, post: Post) -> AsyncIterator[Website]:
    mail = {"host": "127.0.0.1", "port": post.port, "security": "plain", "sender": SENDER}
    async with website(tmp_path / "data", mail=mail) as made:
        made.clock.turn_to(NOW)
        yield made


def mailer(site: Website) -> Mailer:
    return Mailer(site.services.context, site.services.mailing)


async def later(site: Website, **ahead: float) -> int:
    site.clock.ahead_ms += round(timedelta(**ahead).total_seconds() * 1000)
    return await mailer(site).tick()


def invited(message: EmailMessage) -> icalendar.Event:
    part = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
    text = part.get_content()
    parsed = icalendar.Calendar.from_ical(text)
    assert part.get_param("method") == parsed["METHOD"]
    [event] = parsed.walk("VEVENT")
    event["X-METHOD"] = parsed["METHOD"]
    return event


def words(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return f"{message['Subject']}\n{body.get_content()}"


async def test_everybody_is_invited_in_their_language_and_told_of_a_move_and_of_the_end(
    site: Website, post: Post
) -> None:
    coordinator = await site.signed_in("coordinator")
    other = await second_interpreter(site)
    first = await account(site, "interpreter")
    found = (await slots(coordinator))["slots"]
    hour = (await book(coordinator, found[0]["starts_at_ms"], interpreter=first)).json
    assert await mailer(site).tick() == 3
    taken = post.taken()
    assert {to for to, _ in taken} == EVERYBODY
    for to, message in taken:
        event = invited(message)
        assert (event["X-METHOD"], event["SEQUENCE"]) == ("REQUEST", 0)
        assert round(event["DTSTART"].dt.timestamp() * 1000) == found[0]["starts_at_ms"]
        assert event["ATTENDEE"] == f"mailto:{to}"
        assert event["ORGANIZER"] == f"mailto:{SENDER}"
        assert str(event["SUMMARY"]) == SCRIPTS[to]
        text = words(message)
        assert SCRIPTS[to] in text
        assert "(Asia/Almaty, UTC+05:00)" in text
        assert "(Asia/Seoul, UTC+09:00)" in text
        own = await account_of(site, to)
        seat = next(one["id"] for one in hour["seats"] if one["account"] == own)
        assert f"{site.settings.public_url}/room/{seat}\n" in text
        assert "#" not in text, "no right is in a mail"
        assert (message["Auto-Submitted"], message["From"]) == ("auto-generated", SENDER)
    moved = await move(coordinator, hour, found[1]["starts_at_ms"], interpreter=other)
    assert moved.status == 200
    assert await later(site, seconds=1) == 4
    kinds = {to: invited(message) for to, message in post.taken()}
    assert {to: (event["X-METHOD"], event["SEQUENCE"]) for to, event in kinds.items()} == {
        "referring.physician@demo.invalid": ("REQUEST", 1),
        "consulting.physician@demo.invalid": ("REQUEST", 1),
        "other@demo.invalid": ("REQUEST", 1),
        "interpreter@demo.invalid": ("CANCEL", 1),
    }
    assert len({str(event["UID"]) for event in kinds.values()}) == 1
    gone = kinds["interpreter@demo.invalid"]
    assert round(gone["DTSTART"].dt.timestamp() * 1000) == found[0]["starts_at_ms"], "the hour they knew"
    why = {"request": "cancel-01", "side": "patient", "reason": "illness"}
    assert (await change(coordinator, hour, "cancel", **why)).json["mails"] == {"sent": 7, "waiting": 3}
    assert await later(site, seconds=1) == 3
    ends = {to: invited(message) for to, message in post.taken()}
    assert set(ends) == {*EVERYBODY, "other@demo.invalid"} - {"interpreter@demo.invalid"}
    assert {(event["X-METHOD"], event["SEQUENCE"], event["STATUS"]) for event in ends.values()} == {
        ("CANCEL", 2, "CANCELLED")
    }
    assert await later(site, hours=1) == 0, "each once"


async def account_of(site: Website, address: str) -> str:
    return await account(site, address.split("@")[0].replace(".", "_"))


async def test_nothing_of_the_patient_is_in_any_mail_or_feed(site: Website, post: Post) -> None:
    coordinator = await site.signed_in("coordinator")
    start = (await slots(coordinator))["slots"][0]["starts_at_ms"]
    hour = (await book(coordinator, start)).json
    await mailer(site).tick()
    for wait in (timedelta(0), timedelta(hours=8)):  # D-3 has passed at booking; then D-1 and H-1
        site.clock.turn_to(datetime.fromtimestamp(start / 1000, UTC) - timedelta(hours=9) + wait)
        await mailer(site).tick()
    why = {"request": "cancel-01", "side": "patient", "reason": "illness"}
    browser = await site.signed_in("referring_physician")
    url = (await browser.post("/api/account/feed")).json["url"]
    texts = [(await browser.get(url.removeprefix(site.settings.public_url))).text]
    coordinator = await site.signed_in("coordinator")
    assert (await change(coordinator, hour, "cancel", **why)).status == 200
    await mailer(site).tick()
    for _, message in post.taken():
        # What is drawn by lot (a boundary, an id) may hold any four digits.
        headers = [(k, v) for k, v in message.items() if k not in ("Content-Type", "Message-ID")]
        texts.append(words(message) + str(headers))
        texts += [p.get_content() for p in message.walk() if p.get_content_type() == "text/calendar"]
    assert len(texts) > 15
    async with site.database.read() as tx:
        case = await cases.by_id(tx, CASE_ID)
    assert case
    names = [person.name for person in PEOPLE]
    sites = ["Clinic", "Hospital", "synthetic"]
    secrets = [
        str(case.patient["name"]),
        "1968",
        case.label,
        case.id,
        case.specialty,
        "illness",
        *names,
        *sites,
    ]
    for text in texts:
        assert not [secret for secret in secrets if secret.lower() in text.lower()], text


async def test_nothing_is_lost_while_the_mail_server_is_down_and_stale_news_is_not_sent(
    site: Website, post: Post
) -> None:
    await post.close()
    coordinator = await site.signed_in("coordinator")
    found = (await slots(coordinator))["slots"]
    hour = (await book(coordinator, found[0]["starts_at_ms"])).json
    assert await mailer(site).tick() == 0
    async with site.database.read() as tx:
        rows = (await tx.execute(mails.select())).all()
    assert [(row.state, row.attempts, row.error) for row in rows] == [("waiting", 1, "unreachable")] * 3
    assert {row.next_ms - row.made_ms >= 60_000 for row in rows} == {True}
    assert await mailer(site).tick() == 0, "not again before its time"
    moved = (await move(coordinator, hour, found[1]["starts_at_ms"])).json
    assert moved["mails"] == {"stale": 3, "waiting": 3}
    await post.open()
    assert await later(site, minutes=2) == 3
    assert {invited(message)["SEQUENCE"] for _, message in post.taken()} == {1}
    # A server that takes nothing now is asked again; one that never takes an address is believed.
    post.answer = "451 try again"
    again = (await move(coordinator, moved, found[2]["starts_at_ms"])).json
    assert await later(site, seconds=1) == 0
    post.answer = "250 OK"
    post.refuse = {"consulting.physician@demo.invalid": "550 no such user"}
    assert await later(site, minutes=3) == 2
    shown = (await coordinator.get(f"/api/cases/{CASE_ID}/schedule")).json["appointments"]
    assert shown[0]["mails"] == {"sent": 5, "stale": 3, "refused": 1}
    assert again["sequence"] == 2


async def test_an_address_that_no_mail_can_be_sent_to_keeps_nobody_elses(site: Website, post: Post) -> None:
    await post.close()
    await post.open(enable_SMTPUTF8=False)
    wrong = {"interpreter": "(a@example.org", "referring.physician": "ä@example.org"}
    async with site.database.write() as tx:
        for name, address in wrong.items():
            who = accounts.c.email == f"{name}@demo.invalid"
            await tx.execute(accounts.update().where(who).values(email=address))
    coordinator = await site.signed_in("coordinator")
    start = (await slots(coordinator))["slots"][0]["starts_at_ms"]
    assert (await book(coordinator, start)).status == 201
    assert await mailer(site).tick() == 1
    assert [to for to, _ in post.taken()] == ["consulting.physician@demo.invalid"]
    async with site.database.read() as tx:
        rows = (await tx.execute(mails.select().where(mails.c.state == "refused"))).all()
    assert {row.error for row in rows} == {"recipient_unwritable", "recipient_unsupported"}


async def test_what_waits_past_its_hour_is_not_sent(site: Website, post: Post) -> None:
    await post.close()
    coordinator = await site.signed_in("coordinator")
    start = (await slots(coordinator))["slots"][0]["starts_at_ms"]
    assert (await book(coordinator, start)).status == 201
    await mailer(site).tick()
    await post.open()
    site.clock.turn_to(datetime.fromtimestamp(start / 1000, UTC))
    assert await mailer(site).tick() == 0
    assert post.taken() == []
    shown = await (await site.signed_in("coordinator")).get(f"/api/cases/{CASE_ID}/schedule")
    assert [set(one["mails"]) for one in shown.json["appointments"]] == [{"stale"}]


async def test_without_a_mail_server_nothing_waits_for_ever(site: Website) -> None:
    site.services.context.settings = site.settings.model_copy(update={"mail": MailServer()})
    coordinator = await site.signed_in("coordinator")
    start = (await slots(coordinator))["slots"][0]["starts_at_ms"]
    assert (await book(coordinator, start)).json["mails"] == {"waiting": 3}
    assert await mailer(site).tick() == 0
    site.clock.turn_to(datetime.fromtimestamp(start / 1000, UTC))
    await mailer(site).tick()
    shown = await (await site.signed_in("coordinator")).get(f"/api/cases/{CASE_ID}/schedule")
    assert [set(one["mails"]) for one in shown.json["appointments"]] == [{"stale"}]


async def test_reminders_come_three_days_one_day_and_one_hour_before_each_once(
    site: Website, post: Post
) -> None:
    coordinator = await site.signed_in("coordinator")
    start = (await slots(coordinator, **{"from": "2026-12-03"}))["slots"][0]["starts_at_ms"]
    hour = (await book(coordinator, start)).json
    await mailer(site).tick()
    post.taken()
    begin = datetime.fromtimestamp(start / 1000, UTC)
    counted = []
    for hours in (73, 72, 71, 25, 24, 23, 2, 1, 0.5, 0):
        site.clock.turn_to(begin - timedelta(hours=hours) + timedelta(seconds=1))
        with statements(site) as seen:
            await mailer(site).tick()
        told = post.taken()
        counted.append((hours, len(told), "BEGIN IMMEDIATE" in seen))
        asked = [f"{site.settings.public_url}/self-test\n" in words(message) for _, message in told]
        assert asked == [hours == 24] * len(told), "the day before, by who has no green test"
    assert [n for _, n, _ in counted] == [0, 3, 0, 0, 3, 0, 0, 3, 0, 0], counted
    assert [wrote for *_, wrote in counted] == [n > 0 for _, n, _ in counted], "a look alone keeps no writer"
    # Moved on, it is reminded of again, of the new hour; called off, no more.
    site.clock.turn_to(begin - timedelta(hours=2))
    coordinator = await site.signed_in("coordinator")
    moved = (await move(coordinator, hour, start + 24 * 3_600_000)).json
    await mailer(site).tick()
    post.taken()
    site.clock.turn_to(begin + timedelta(seconds=1))
    await mailer(site).tick()
    told = post.taken()
    assert len(told) == 3
    assert all(not part.is_multipart() for _, part in told), "a reminder is no second invitation"
    coordinator = await site.signed_in("coordinator")
    why = {"request": "cancel-01", "side": "patient", "reason": "illness"}
    assert (await change(coordinator, moved, "cancel", **why)).status == 200
    await mailer(site).tick()
    post.taken()
    site.clock.turn_to(begin + timedelta(hours=23, seconds=1))
    await mailer(site).tick()
    assert post.taken() == []


async def test_a_calendar_feed_shows_ones_own_hours_until_it_is_revoked(site: Website) -> None:
    coordinator = await site.signed_in("coordinator")
    start = (await slots(coordinator))["slots"][0]["starts_at_ms"]
    hour = (await book(coordinator, start)).json
    vera = await site.signed_in("interpreter")
    assert (await vera.get("/api/account/feed")).json == {"made_at_ms": None}
    made = (await vera.post("/api/account/feed")).json["url"].removeprefix(site.settings.public_url)
    stranger = site.browser()
    answer = await stranger.get(made)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "private, no-store")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    [event] = icalendar.Calendar.from_ical(answer.text).walk("VEVENT")
    assert round(event["DTSTART"].dt.timestamp() * 1000) == start
    assert str(event["UID"]).split("@")[0] == hour["consultation"]
    why = {"request": "cancel-01", "side": "patient", "reason": "illness"}
    assert (await change(coordinator, hour, "cancel", **why)).status == 200
    [event] = icalendar.Calendar.from_ical((await stranger.get(made)).text).walk("VEVENT")
    assert (event["STATUS"], event["SEQUENCE"]) == ("CANCELLED", 1)
    renewed = (await vera.post("/api/account/feed")).json["url"].removeprefix(site.settings.public_url)
    assert (await stranger.get(made)).code == "not_found", "the one before is dead"
    assert (await vera.post("/api/account/feed/revoke")).status == 204
    assert (await stranger.get(renewed)).code == "not_found"
    assert (await vera.post("/api/account/feed/revoke")).code == "not_found"
    answers = await asyncio.gather(*(stranger.get(renewed) for _ in range(12)))
    assert "too_many_attempts" in {answer.code for answer in answers}


async def test_doctor_tells_of_the_mail_server_and_of_what_waits(
    site: Website, post: Post, tmp_path: Path
) -> None:
    secret = tmp_path / "password"
    secret.write_text("right\n")

    def told(**mail: object) -> tuple[str, str, str]:
        given = {"host": "127.0.0.1", "port": post.port, "security": "plain", "sender": SENDER} | mail
        return mail_check.check(load_settings(None, data_dir=site.settings.data_dir, mail=given))

    def run() -> list[dict[str, str]]:
        command = [sys.executable, "-m", "server", "doctor", "--json", "--data", str(site.settings.data_dir)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=TOP)
        found: list[dict[str, str]] = json.loads(done.stdout)
        return found

    ok = await asyncio.to_thread(told)
    assert ok[:2] == ("green", "ok")
    coordinator = await site.signed_in("coordinator")
    start = (await slots(coordinator))["slots"][0]["starts_at_ms"]
    assert (await book(coordinator, start)).status == 201
    [none] = [one for one in await asyncio.to_thread(run) if one["check"] == "mail"]
    assert (none["state"], none["code"]) == ("yellow", "not_configured")
    assert none["detail"].startswith("3 waiting")
    await post.close()
    down = await asyncio.to_thread(told)
    assert down[:2] == ("red", "unreachable")
    await post.open(**only("consult", "right"))
    inside = await asyncio.to_thread(told, username="consult", password_file=str(secret))
    assert inside[0] != "red"
    secret.write_text("wrong")
    outside = await asyncio.to_thread(told, username="consult", password_file=str(secret))
    assert outside[:2] == ("red", "sign_in_refused")


def test_a_mail_server_far_away_is_spoken_to_with_tls(tmp_path: Path) -> None:
    for wrong in (
        {"host": "smtp.example.org", "sender": SENDER, "security": "plain"},
        {"host": "smtp.example.org", "sender": "nobody"},
        {"host": "smtp.example.org"},
        {"host": "smtp.example.org\r\n", "sender": SENDER},
    ):
        with pytest.raises(ConfigError, match="mail"):
            load_settings(None, data_dir=tmp_path, mail=wrong)
    load_settings(None, data_dir=tmp_path, mail={"host": "smtp.example.org", "sender": SENDER})
