"""Invited by mail, a forgotten password set anew: through a real mail server, over the real routes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy

from server.domain.errors import Refused
from server.domain.people import Account
from server.services.demo import ALMATY, CASE_ID, PATIENT
from server.storage import accounts
from server.storage.schema import accounts as table
from server.storage.schema_audit import audit
from server.storage.schema_sign_in import account_mails, reset_requests
from tests.support.demo import TOP
from tests.support.mailbox import mail_settings, sent, token_of, words
from tests.support.smtp import Post
from tests.support.statements import statements
from tests.support.website import Website, website

NEW = "лошадь под зонтом поёт"
PHYSICIAN = "referring.physician@demo.invalid"
GUEST = Account(
    "new-account", "new@demo.invalid", "Новая (synthetic)", "ru", ALMATY, ("reviewer",), False, False, ""
)


@pytest.fixture
async def site(tmp_path: Path, post: Post) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", mail=mail_settings(post)) as made:
        async with made.database.write() as tx:
            await accounts.add_account(tx, GUEST)
        yield made


async def audited(site: Website) -> list[str]:
    async with site.database.read() as tx:
        return list((await tx.execute(sqlalchemy.select(audit.c.action).order_by(audit.c.id))).scalars())


async def signs_in(site: Website, email: str, password: str) -> int:
    return (await site.browser().post("/api/sign-in", {"email": email, "password": password})).status


async def reset_link(site: Website, post: Post) -> str:
    assert (await site.browser().post("/api/password/forgot", {"email": PHYSICIAN})).status == 202
    [(to, message)] = await sent(site, post)
    assert to == PHYSICIAN
    return token_of(message)


async def test_somebody_invited_sets_a_password_by_the_mailed_link_and_signs_in(
    site: Website, post: Post
) -> None:
    await site.services.invitations.invite(GUEST.id, by="")
    [(to, message)] = await sent(site, post)
    assert to == GUEST.email
    assert "учётная запись" in message["Subject"]
    token = token_of(message)
    browser = site.browser()
    told = await browser.post("/api/password/link", {"token": token})
    assert told.json == {"kind": "invitation", "email": GUEST.email, "language": "ru"}
    assert (await browser.post("/api/password/set", {"token": token, "password": NEW})).status == 204
    assert await signs_in(site, GUEST.email, NEW) == 200
    again = await browser.post("/api/password/set", {"token": token, "password": NEW + "!"})
    assert (again.status, again.code) == (410, "password_link_dead")
    assert await signs_in(site, GUEST.email, NEW + "!") == 401
    assert await sent(site, post) == [], "who sets the first password needs no news of it"
    with pytest.raises(Refused, match="invited_already"):
        await site.services.invitations.invite(GUEST.id, by="")
    assert {"account_invited", "password_set"} <= set(await audited(site))


async def test_an_account_without_a_password_lets_nobody_in(site: Website) -> None:
    for password in ("nobody has this password", accounts.NO_PASSWORD or " ", GUEST.email):
        assert await signs_in(site, GUEST.email, password) == 401


async def test_an_invitation_works_for_seven_days_and_the_newest_one_only(site: Website, post: Post) -> None:
    await site.services.invitations.invite(GUEST.id, by="")
    [(_, first)] = await sent(site, post)
    await site.services.invitations.invite(GUEST.id, by="")
    [(_, second)] = await sent(site, post)
    browser = site.browser()
    assert (await browser.post("/api/password/link", {"token": token_of(first)})).code == "password_link_dead"
    site.clock.advance(hours=7 * 24 - 1)
    assert (await browser.post("/api/password/link", {"token": token_of(second)})).status == 200
    site.clock.advance(hours=1)
    dead = await browser.post("/api/password/set", {"token": token_of(second), "password": NEW})
    assert dead.code == "password_link_dead"
    await browser.post("/api/password/forgot", {"email": GUEST.email})
    [(_, third)] = await sent(site, post)
    told = await browser.post("/api/password/link", {"token": token_of(third)})
    assert told.json["kind"] == "invitation", "who never had a password is invited again"


async def test_a_reset_sets_a_password_ends_all_sessions_and_tells_the_person(
    site: Website, post: Post
) -> None:
    old = await site.signed_in("referring_physician")
    seat, _ = site.seat("referring_physician")
    assert (await old.post(f"/api/seats/{seat}/take")).status == 200
    token = await reset_link(site, post)
    _, password = site.password("referring_physician")
    assert (await old.get("/api/me")).status == 200, "asking alone changes nothing"
    assert await signs_in(site, PHYSICIAN, password) == 200
    done = await site.browser().post("/api/password/set", {"token": token, "password": NEW})
    assert done.status == 204
    assert (await old.get("/api/me")).status == 401
    assert (await old.get(f"/api/seats/{seat}")).code == "no_credential"
    assert await signs_in(site, PHYSICIAN, password) == 401
    assert await signs_in(site, PHYSICIAN, NEW) == 200
    [(to, news)] = await sent(site, post)
    assert to == PHYSICIAN
    assert "http" not in words(news)
    assert "изменён" in words(news)
    site.clock.advance(hours=1)
    assert await sent(site, post) == []


async def test_a_password_set_on_the_command_line_ends_the_mailed_links_and_seats_with_the_sessions(
    site: Website, post: Post
) -> None:
    old = await site.signed_in("referring_physician")
    seat, _ = site.seat("referring_physician")
    assert (await old.post(f"/api/seats/{seat}/take")).status == 200
    token = await reset_link(site, post)
    run = [
        sys.executable,
        "-m",
        "server",
        "user",
        "password",
        "--data",
        str(site.settings.data_dir),
        PHYSICIAN,
    ]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*run, cwd=TOP, stdin=pipe, stderr=pipe)
    _, said = await process.communicate(f"{NEW}\n".encode())
    assert process.returncode == 0, said.decode()
    assert (await old.get("/api/me")).status == 401
    assert (await old.get(f"/api/seats/{seat}")).code == "no_credential"
    dead = await site.browser().post("/api/password/set", {"token": token, "password": NEW + "!"})
    assert dead.code == "password_link_dead", "whoever holds the mail sets no other"
    assert await signs_in(site, PHYSICIAN, NEW) == 200


async def test_a_reset_works_for_half_an_hour(site: Website, post: Post) -> None:
    token = await reset_link(site, post)
    site.clock.advance(seconds=29 * 60)
    assert (await site.browser().post("/api/password/link", {"token": token})).status == 200
    site.clock.advance(seconds=60)
    dead = await site.browser().post("/api/password/set", {"token": token, "password": NEW})
    assert dead.code == "password_link_dead"


async def test_a_weak_password_is_refused_and_the_link_stays(site: Website, post: Post) -> None:
    token = await reset_link(site, post)
    browser = site.browser()
    for password, code in (("short", "password_short"), ("referring.physician", "password_common")):
        answer = await browser.post("/api/password/set", {"token": token, "password": password})
        assert (answer.status, answer.code) == (400, code)
    assert (await browser.post("/api/password/set", {"token": token, "password": NEW})).status == 204


async def test_a_stranger_learns_nothing_from_asking_for_a_reset(site: Website, post: Post) -> None:
    """The same answer after the same work: what the books are asked does not depend on the address."""
    found = []
    for email in (PHYSICIAN, "nobody@demo.invalid", GUEST.email):
        with statements(site) as seen:
            answer = await site.browser().post("/api/password/forgot", {"email": email})
        found.append((answer.status, answer.text, seen))
    assert found[0] == found[1] == found[2]
    assert found[0][:2] == (202, "{}")
    assert "reset_requests" in "".join(found[0][2])
    assert "accounts" not in "".join(found[0][2])
    assert {to for to, _ in await sent(site, post)} == {PHYSICIAN, GUEST.email}
    async with site.database.read() as tx:
        assert (await tx.execute(sqlalchemy.select(reset_requests))).all() == [], "no address stays"


async def test_resets_are_limited_by_account_and_by_address(site: Website, post: Post) -> None:
    for number in range(4):
        answer = await site.browser(f"192.0.2.{number}").post("/api/password/forgot", {"email": PHYSICIAN})
        assert answer.status == (202 if number < 3 else 429)
        unknown = await site.browser(f"192.0.2.{number}").post(
            "/api/password/forgot", {"email": "n@demo.invalid"}
        )
        assert unknown.status == answer.status, "the same for an address that is nobody's"
    assert len(await sent(site, post)) == 1, "one mail, the newest"
    for number in range(21):
        email = f"somebody-{number}@demo.invalid"
        answer = await site.browser("198.51.100.7").post("/api/password/forgot", {"email": email})
        assert answer.status == (202 if number < 20 else 429)
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_disabled_account_gets_no_link_and_its_links_die(site: Website, post: Post) -> None:
    token = await reset_link(site, post)
    async with site.database.write() as tx:
        found = await accounts.by_email(tx, PHYSICIAN)
        assert found
        await accounts.set_disabled(tx, found[0].id, True)
    dead = await site.browser().post("/api/password/set", {"token": token, "password": NEW})
    assert dead.code == "password_link_dead"
    await site.browser().post("/api/password/forgot", {"email": PHYSICIAN})
    assert await sent(site, post) == []
    with pytest.raises(Refused, match="not_found"):
        await site.services.invitations.invite(found[0].id, by="")


async def test_the_books_keep_no_link_that_could_be_used(site: Website, post: Post) -> None:
    await site.services.invitations.invite(GUEST.id, by="")
    async with site.database.read() as tx:
        assert (await tx.execute(sqlalchemy.select(account_mails.c.token_hash))).scalar_one() is None
    [(_, message)] = await sent(site, post)
    async with site.database.read() as tx:
        row = (await tx.execute(sqlalchemy.select(account_mails))).one()
    assert token_of(message) not in str(row)
    assert row.token_hash


@pytest.mark.parametrize("token", ["", "x", "a" * 101, "\ud800", "%23", 5, None])
async def test_a_made_up_link_sets_nothing(site: Website, token: object) -> None:
    answer = await site.browser().post("/api/password/set", {"token": token, "password": NEW})
    assert answer.code in ("bad_request", "password_link_dead")


async def test_a_link_with_a_zero_character_is_refused_before_it_is_looked_for(site: Website) -> None:
    answer = await site.browser().post("/api/password/set", {"token": "\u0000", "password": NEW})
    assert answer.code == "text_refused"


async def test_mails_are_in_their_readers_language_and_without_a_word_of_a_patient(
    site: Website, post: Post
) -> None:
    subjects = {}
    for language in ("en", "ko", "ru"):
        async with site.database.write() as tx:
            await tx.execute(
                sqlalchemy.update(table).where(table.c.email == PHYSICIAN).values(language=language)
            )
        token = await reset_link(site, post)
        site.clock.advance(seconds=1)
        await site.browser().post("/api/password/set", {"token": token, "password": f"{NEW} {language}"})
        [(_, news)] = await sent(site, post)
        subjects[language] = news["Subject"]
        for mark in (CASE_ID, PATIENT.name, "patient", "환자", "пациент", "mail-account"):
            assert mark not in words(news) + news["Subject"]
        await site.services.attempts._limiter.storage.reset()
    assert len(set(subjects.values())) == 3


async def test_the_command_line_makes_an_account_without_a_password_and_invites(
    site: Website, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in mail_settings(post).items():
        monkeypatch.setenv(f"HYEOPJIN_MAIL__{name.upper()}", str(value))
    run = [sys.executable, "-m", "server", "user", "invite", "--data", str(site.settings.data_dir)]
    for email, code in ((GUEST.email, 0), (PHYSICIAN, 2), ("nobody@demo.invalid", 2)):
        process = await asyncio.create_subprocess_exec(*run, email, cwd=TOP, stderr=asyncio.subprocess.PIPE)
        _, said = await process.communicate()
        assert process.returncode == code, said.decode()
    assert [to for to, _ in await sent(site, post)] == [GUEST.email]
