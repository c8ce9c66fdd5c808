"""An authenticator app as a second step: set up, asked for, replayed, lost, removed; required of a role."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.storage import accounts
from tests.support.mailbox import mail_settings, sent, words
from tests.support.signing import App, password_only, with_app
from tests.support.smtp import Post
from tests.support.website import Browser, Website, website

ROLE = "consulting_physician"
NEW = "우산을 쓴 말이 노래한다"


@pytest.fixture
async def site(tmp_path: Path, post: Post) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", mail=mail_settings(post)) as made:
        yield made


async def set_up(site: Website) -> tuple[Browser, App]:
    browser = await site.signed_in(ROLE)
    return browser, await with_app(site, browser)


async def test_after_the_password_a_code_is_asked_for_and_the_password_alone_opens_nothing(
    site: Website,
) -> None:
    _, app = await set_up(site)
    browser, half = await password_only(site, ROLE)
    assert half.json == {"ways": ["totp", "recovery"]}
    assert set(browser.cookies()) == {"sign-in"}
    assert (await browser.get("/api/me")).status == 401
    stolen = {"Cookie": f"session={browser.cookies()['sign-in']}"}
    assert (await site.browser().get("/api/me", headers=stolen)).status == 401
    done = await browser.post("/api/sign-in/code", {"code": app.next_code()})
    assert (done.status, done.json["account"]["roles"]) == (200, [ROLE])
    assert set(browser.cookies()) == {"session"}
    assert (await browser.get("/api/me")).json["account"]["standing"] == "full"


async def test_a_code_is_taken_once_even_within_its_half_minute(site: Website) -> None:
    _, app = await set_up(site)
    code = app.next_code()
    for expected in (200, 403):
        browser, _ = await password_only(site, ROLE)
        assert (await browser.post("/api/sign-in/code", {"code": code})).status == expected
    browser, _ = await password_only(site, ROLE)
    assert (await browser.post("/api/sign-in/code", {"code": app.code(-1)})).code == "code_refused"


async def test_wrong_codes_are_counted_and_then_the_password_is_asked_for_again(site: Website) -> None:
    _, app = await set_up(site)
    browser, _ = await password_only(site, ROLE)
    for _ in range(5):
        assert (await browser.post("/api/sign-in/code", {"code": "000000"})).code == "code_refused"
    refused = await browser.post("/api/sign-in/code", {"code": app.next_code()})
    assert refused.code == "step_over"
    other, _ = await password_only(site, ROLE)
    limited = await other.post("/api/sign-in/code", {"code": app.code()})
    assert limited.code == "too_many_attempts"
    await site.services.attempts._limiter.storage.reset()
    assert (await other.post("/api/sign-in/code", {"code": app.code()})).status == 200


async def test_a_second_step_is_not_asked_for_for_ever_nor_of_somebody_else(site: Website) -> None:
    _, app = await set_up(site)
    assert (await site.browser().post("/api/sign-in/code", {"code": app.code()})).code == "step_over"
    browser, _ = await password_only(site, ROLE)
    site.clock.advance(seconds=5 * 60)
    assert (await browser.post("/api/sign-in/code", {"code": app.next_code()})).code == "step_over"
    again, _ = await password_only(site, ROLE)
    secret = again.cookies()["sign-in"]
    assert (await again.post("/api/sign-in/code", {"code": app.next_code()})).status == 200
    replayed = {"Cookie": f"sign-in={secret}"}
    late = await site.browser().post("/api/sign-in/code", {"code": app.next_code()}, headers=replayed)
    assert late.code == "step_over"


async def test_a_recovery_code_is_taken_once_and_its_owner_is_told(site: Website, post: Post) -> None:
    browser, app = await set_up(site)
    assert len(set(app.recovery)) == 10
    await sent(site, post)
    code = app.recovery[3]
    for given, expected in ((code.lower().replace("-", " "), 200), (code, 403)):
        other, _ = await password_only(site, ROLE)
        assert (await other.post("/api/sign-in/code", {"code": given})).status == expected
    [(to, news)] = await sent(site, post)
    assert to == site.password(ROLE)[0]
    assert code not in words(news)
    assert (await browser.get("/api/account/security")).json["recovery_left"] == 9
    made = await browser.post("/api/account/recovery-codes")
    assert len(made.json["codes"]) == 10
    other, _ = await password_only(site, ROLE)
    assert (await other.post("/api/sign-in/code", {"code": app.recovery[0]})).code == "code_refused"


async def test_no_secret_lies_open_in_the_books(site: Website) -> None:
    _, app = await set_up(site)
    with sqlite3.connect(site.settings.data_dir / "hyeopjin.sqlite3") as books:
        dump = "\n".join(books.iterdump())
    books.close()
    for secret in (app.secret.hex(), app.secret.decode("latin-1"), *app.recovery):
        assert secret not in dump
        assert secret.replace("-", "") not in dump
    assert (site.settings.secrets_dir / "sign_in_key").stat().st_mode & 0o777 == 0o600


async def test_a_secret_moved_to_another_account_opens_nothing(site: Website) -> None:
    sealed = await site.services.ways_in.second_steps._box.seal(b"x" * 20, "one")
    assert await site.services.ways_in.second_steps._box.open(sealed, "one") == b"x" * 20
    assert await site.services.ways_in.second_steps._box.open(sealed, "two") is None


async def test_ways_in_are_changed_only_by_who_has_lately_shown_whose_browser_it_is(site: Website) -> None:
    browser, app = await set_up(site)
    site.clock.advance(seconds=10 * 60)
    for path, body in (
        ("totp", {}),
        ("totp/confirm", {"code": app.code()}),
        ("totp/remove", {}),
        ("recovery-codes", {}),
        ("password", {"password": "a rather long sentence"}),
    ):
        assert (await browser.post(f"/api/account/{path}", body)).code == "proof_required", path
    assert (await browser.post("/api/account/prove", {"password": "wrong"})).code == "proof_refused"
    _, password = site.password(ROLE)
    assert (await browser.post("/api/account/prove", {"password": password})).status == 204
    assert (await browser.post("/api/account/totp/remove")).status == 204
    _, whole = await password_only(site, ROLE)
    assert whole.json["account"]


async def test_an_app_counts_only_once_a_code_of_it_was_seen(site: Website) -> None:
    browser = await site.signed_in(ROLE)
    begun = await browser.post("/api/account/totp")
    assert {"secret", "address", "qr"} == set(begun.json)
    assert (await browser.post("/api/account/totp/confirm", {"code": "000000"})).code == "code_refused"
    _, whole = await password_only(site, ROLE)
    assert "account" in whole.json, "nobody is locked out by half a set-up"
    await with_app(site, browser)
    assert (await browser.post("/api/account/totp")).code == "second_step_set"


async def test_a_new_password_ends_the_other_browsers_and_tells_the_person(site: Website, post: Post) -> None:
    other, browser = await site.signed_in(ROLE), await site.signed_in(ROLE)
    email, _ = site.password(ROLE)
    weak = await browser.post("/api/account/password", {"password": "password1234"})
    assert weak.code == "password_common"
    assert (
        await browser.post("/api/account/password", {"password": "우산을 쓴 말이 노래한다"})
    ).status == 204
    assert (await browser.get("/api/me")).status == 200
    assert (await other.get("/api/me")).status == 401
    [(to, news)] = await sent(site, post)
    assert (to, "비밀번호가 변경" in words(news)) == (email, True)
    again = await site.browser().post("/api/sign-in", {"email": email, "password": "우산을 쓴 말이 노래한다"})
    assert again.status == 200


async def test_all_other_browsers_are_ended_at_once_with_the_seats_they_took(site: Website) -> None:
    other, browser = await site.signed_in(ROLE), await site.signed_in(ROLE)
    seat, _ = site.seat(ROLE)
    assert (await other.post(f"/api/seats/{seat}/take")).status == 200
    assert len((await browser.get("/api/account/sessions")).json["sessions"]) == 2
    assert (await browser.post("/api/account/sessions/revoke-others")).status == 204
    assert (await other.get("/api/me")).status == 401
    assert (await other.get(f"/api/seats/{seat}")).code == "no_credential"
    [left] = (await browser.get("/api/account/sessions")).json["sessions"]
    assert left["current"]


async def test_a_role_that_must_show_a_second_step_can_do_nothing_before_it_has_one(
    tmp_path: Path,
) -> None:
    async with website(tmp_path / "data", second_step_roles=(ROLE,)) as site:
        browser = await site.signed_in(ROLE)
        seat, token = site.seat(ROLE)
        me = await browser.get("/api/me")
        assert (me.json["account"]["standing"], me.json["abilities"]) == ("unproven", [])
        assert (await browser.get("/api/worklist")).code == "second_step_required"
        assert (await browser.post(f"/api/seats/{seat}/take")).code == "second_step_required"
        assert (await browser.get("/worklist")).headers["Location"] == "/security"
        assert (await browser.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200
        async with site.database.read() as tx:
            session = (await browser.get("/api/account/sessions")).json["sessions"][0]["id"]
            assert await accounts.by_email(tx, site.password(ROLE)[0])
        assert session, "by a link they come like anybody; not as a verified physician"
        app = await with_app(site, browser)
        assert (await browser.get("/api/worklist")).status == 200
        assert (await browser.post("/api/account/totp/remove")).code == "second_step_needed"
        other, half = await password_only(site, ROLE)
        assert half.json["ways"] == ["totp", "recovery"]
        assert (await other.post("/api/sign-in/code", {"code": app.next_code()})).status == 200
        assert (await other.get("/api/worklist")).status == 200
        assert (await (await site.signed_in("interpreter")).get("/api/worklist")).status == 200
