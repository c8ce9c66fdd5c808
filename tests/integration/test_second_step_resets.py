"""Somebody lost their telephone: a second step taken away by who keeps them, on the page and by command."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.storage import accounts
from server.storage import audit as chain
from server.storage.schema_audit import audit
from tests.support.mailbox import mail_settings, sent, words
from tests.support.signing import App, password_only, with_app
from tests.support.smtp import Post
from tests.support.website import Browser, Website, website

TOP = Path(__file__).resolve().parents[2]
ROLE = "consulting_physician"
LOST = {"why": "lost", "checked": "known_number"}


@pytest.fixture
async def site(tmp_path: Path, post: Post) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", mail=mail_settings(post), second_step_roles=(ROLE,)) as made:
        yield made


async def id_of(site: Website, role: str) -> str:
    async with site.database.read() as tx:
        found = await accounts.by_email(tx, site.password(role)[0])
    assert found
    return found[0].id


async def path_to(site: Website, role: str) -> str:
    return f"/api/people/{await id_of(site, role)}"


async def entries(site: Website) -> list[tuple[str | None, str, dict[str, Any]]]:
    async with site.database.read() as tx:
        assert await chain.first_broken(tx) is None
        rows = await tx.execute(audit.select().where(audit.c.action == "second_step_reset"))
        return [(row.account_id, row.subject_id, row.detail) for row in rows]


async def with_a_step(site: Website, role: str) -> tuple[Browser, App]:
    browser = await site.signed_in(role)
    return browser, await with_app(site, browser)


async def test_a_lost_second_step_is_taken_away_and_a_new_one_is_asked_for(site: Website, post: Post) -> None:
    doctor, old = await with_a_step(site, ROLE)
    seat, _ = site.seat(ROLE)
    assert (await doctor.post(f"/api/seats/{seat}/take")).status == 200
    half, _ = await password_only(site, ROLE)
    await sent(site, post)
    admin, theirs = await site.signed_in("site_admin"), await path_to(site, ROLE)
    shown = (await admin.get(theirs)).json
    assert shown["second_step"] == ["totp", "recovery"]
    assert "person.second_step" in shown["may"]
    assert (await admin.post(f"{theirs}/second-step/reset", LOST)).json == {"told": True}
    assert (await doctor.get("/api/me")).status == 401, "every browser of theirs is signed out"
    assert (await doctor.get(f"/api/seats/{seat}")).code == "no_credential"
    assert (await half.post("/api/sign-in/code", {"code": old.next_code()})).code == "step_over"
    assert (await admin.get(theirs)).json["second_step"] == []
    [(to, news)] = await sent(site, post)
    assert to == site.password(ROLE)[0]
    assert "2단계 로그인" in words(news), "in their language, not in the admin's"
    # the password alone lets them in to set up a new one, and to nothing else
    again, _ = await password_only(site, ROLE)
    assert (await again.get("/api/me")).json["account"]["standing"] == "unproven"
    assert (await again.get("/api/worklist")).code == "second_step_required"
    assert (await again.get("/worklist")).headers["Location"] == "/security"
    new = await with_app(site, again)
    assert (await again.get("/api/worklist")).status == 200
    late, _ = await password_only(site, ROLE)
    assert (await late.post("/api/sign-in/code", {"code": old.next_code()})).code == "code_refused"
    assert (await late.post("/api/sign-in/code", {"code": old.recovery[0]})).code == "code_refused"
    assert (await late.post("/api/sign-in/code", {"code": new.next_code()})).status == 200
    detail = {**LOST, "had": "totp recovery"}
    assert await entries(site) == [(await id_of(site, "site_admin"), await id_of(site, ROLE), detail)]


async def test_nobody_takes_away_their_own_nor_that_of_somebody_above_them_or_elsewhere(
    site: Website,
) -> None:
    admin, _ = await with_a_step(site, "site_admin")  # Seoul's
    programme = await site.signed_in("programme_admin")
    for browser, role, code in (
        (admin, "site_admin", "own_account"),
        (admin, "coordinator", "role_above"),
        (admin, "programme_admin", "role_above"),
        (admin, "referring_physician", "forbidden"),
        (programme, "programme_admin", "own_account"),
        (programme, "reviewer", "second_step_none"),
    ):
        answer = await browser.post(f"{await path_to(site, role)}/second-step/reset", LOST)
        assert answer.code == code, role
    for role in ("coordinator", "privacy_officer", "referring_physician", "interpreter", "reviewer"):
        browser = await site.signed_in(role)
        answer = await browser.post(f"{await path_to(site, 'site_admin')}/second-step/reset", LOST)
        assert answer.code in ("forbidden", "not_found"), role
        seen = await browser.get(await path_to(site, "site_admin"))
        assert seen.json.get("second_step") is None, "nor is it told whether there is one"
    wanted = await site.browser().post(f"{await path_to(site, 'reviewer')}/second-step/reset", LOST)
    assert wanted.code == "sign_in_required"
    assert (await admin.get("/api/account/security")).json["totp"]
    assert await entries(site) == []


async def test_it_needs_a_reason_and_who_does_it_shows_that_it_is_they(site: Website) -> None:
    await with_a_step(site, ROLE)
    admin, theirs = await site.signed_in("programme_admin"), await path_to(site, ROLE)
    for wrong in ({}, {"why": "lost"}, LOST | {"why": "because"}, LOST | {"checked": ""}):
        assert (await admin.post(f"{theirs}/second-step/reset", wrong)).code == "bad_request"
    site.clock.advance(seconds=10 * 60)
    assert (await admin.post(f"{theirs}/second-step/reset", LOST)).code == "proof_required"
    _, password = site.password("programme_admin")
    assert (await admin.post("/api/account/prove", {"password": password})).status == 204
    assert (await admin.post(f"{theirs}/second-step/reset", LOST)).status == 200
    assert (await admin.post(f"{theirs}/second-step/reset", LOST)).code == "second_step_none"
    assert len(await entries(site)) == 1


async def test_the_command_line_does_the_same(site: Website, post: Post) -> None:
    doctor, _ = await with_a_step(site, ROLE)
    await sent(site, post)

    async def run(*more: str) -> tuple[int | None, str]:
        command = ["-m", "server", "user", "reset-second-step", site.password(ROLE)[0], *more]
        data = ["--data", str(site.settings.data_dir)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, *data, cwd=TOP, stderr=asyncio.subprocess.PIPE
        )
        _, said = await process.communicate()
        return process.returncode, said.decode()

    assert (await run("--why", "bored", "--checked", "in_person"))[0] == 2
    assert await run("--why", "stolen", "--checked", "in_person") == (0, "")
    assert (await doctor.get("/api/me")).status == 401
    assert [to for to, _ in await sent(site, post)] == [site.password(ROLE)[0]]
    detail = {"why": "stolen", "checked": "in_person", "had": "totp recovery"}
    assert await entries(site) == [(None, await id_of(site, ROLE), detail)]
    code, said = await run("--why", "stolen", "--checked", "in_person")
    assert (code, said.strip()) == (2, "This account has no second step.")
