"""Signing in, cookies, headers, foreign origins, wrong bodies, static files, health."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from pathlib import Path

import argon2
import pytest

from server.web.static_files import release
from tests.support.website import Website, website


async def test_signing_in_and_out(site: Website) -> None:
    browser = await site.signed_in("reviewer")
    me = (await browser.get("/api/me")).json
    assert me["account"]["roles"] == ["reviewer"]
    assert me["account"]["time_zone"] == "Asia/Seoul"
    assert "recording.watch" in me["abilities"]
    kept = browser.cookies()["session"]
    assert (await browser.post("/api/sign-out")).status == 204
    again = await site.browser().get("/api/me", headers={"Cookie": f"session={kept}"})
    assert (again.status, again.code) == (401, "sign_in_required")


async def test_unknown_account_and_wrong_password_answer_alike(site: Website) -> None:
    email, _ = site.password("reviewer")
    answers = []
    for who in (email, "nobody@demo.invalid"):
        answer = await site.browser().post("/api/sign-in", {"email": who, "password": "wrong wrong wrong"})
        answers.append((answer.status, answer.text))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401


async def test_an_unknown_account_costs_the_same_work(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the parameters of what is really reckoned: such short times are the machine's other work."""
    passwords, asked = site.services.passwords, []
    stored, verify = await passwords.hash("right right right"), passwords._verify

    def seen(of: str, word: str) -> bool:
        asked.append(argon2.extract_parameters(of))
        return verify(of, word)

    monkeypatch.setattr(passwords, "_verify", seen)
    for of in (stored, None):
        assert not await passwords.matches(of, "wrong wrong wrong")
    assert len(asked) == 2
    assert asked[0] == asked[1]


async def test_guessing_one_account_from_one_address_is_stopped_early(site: Website) -> None:
    email, password = site.password("reviewer")
    browser = site.browser("203.0.113.5")
    for _ in range(5):
        assert (await browser.post("/api/sign-in", {"email": email, "password": "wrong"})).status == 401
    refused = await browser.post("/api/sign-in", {"email": email.upper(), "password": password})
    assert (refused.status, refused.code) == (429, "too_many_attempts")
    assert int(refused.headers["Retry-After"]) == refused.json["error"]["retry_after_s"] >= 1
    # The person elsewhere, and others behind the same address, are not locked out.
    assert (await site.signed_in("reviewer", "198.51.100.9")) is not None
    assert (await site.signed_in("interpreter", "203.0.113.5")) is not None


async def test_thirty_people_behind_one_address_sign_in_within_a_minute(site: Website) -> None:
    began = time.monotonic()
    roles = ([account.role for account in site.table.accounts] * 5)[:30]
    browsers = await asyncio.gather(*(site.signed_in(role, "203.0.113.77") for role in roles))
    assert len(browsers) == 30
    assert time.monotonic() - began < 60


async def test_one_address_has_a_cap_all_the_same(tmp_path: Path) -> None:
    async with website(tmp_path / "data", signin_per_address=8) as site:
        codes = []
        for number in range(10):
            body = {"email": f"p{number}@demo.invalid", "password": "x"}
            codes.append((await site.browser("203.0.113.9").post("/api/sign-in", body)).code)
        assert codes == ["sign_in_refused"] * 8 + ["too_many_attempts"] * 2


async def test_sessions_are_listed_and_revoked(site: Website) -> None:
    first, second = await site.signed_in("coordinator"), await site.signed_in("coordinator")
    listed = (await first.get("/api/account/sessions")).json["sessions"]
    assert [session["current"] for session in listed].count(True) == 1
    other = next(session["id"] for session in listed if not session["current"])
    stranger = await site.signed_in("reviewer")
    assert (await stranger.post(f"/api/account/sessions/{other}/revoke")).code == "not_found"
    assert (await first.post(f"/api/account/sessions/{other}/revoke")).status == 204
    assert (await second.get("/api/me")).code == "sign_in_required"
    assert (await first.get("/api/me")).status == 200


async def test_revoking_a_session_takes_the_seats_taken_with_it(site: Website) -> None:
    seat, _ = site.seat("interpreter")
    browser = await site.signed_in("interpreter")
    await browser.post(f"/api/seats/{seat}/take")
    assert (await browser.get(f"/api/seats/{seat}")).status == 200
    await browser.post("/api/sign-out")
    assert (await browser.get(f"/api/seats/{seat}")).code == "no_credential"


async def test_a_session_ends_by_age(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    site.clock.advance(hours=12.1)
    assert (await browser.get("/api/me")).code == "sign_in_required"


async def test_secrets_are_stored_hashed(site: Website) -> None:
    seat, token = site.seat("interpreter")
    browser = await site.signed_in("coordinator")
    await browser.post(f"/api/seats/{seat}/redeem", {"token": token})
    await site.database.close()
    stored = b"".join(path.read_bytes() for path in site.settings.data_dir.glob("hyeopjin.sqlite3*"))
    for secret in (token, *browser.cookies().values(), site.password("coordinator")[1]):
        assert secret.encode() not in stored


async def test_cookies_on_plain_localhost(site: Website) -> None:
    email, password = site.password("reviewer")
    answer = await site.browser().post("/api/sign-in", {"email": email, "password": password})
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("session=")
    assert all(part in cookie for part in ("HttpOnly", "Path=/", "SameSite=Lax"))
    assert "Secure" not in cookie


async def test_cookies_and_headers_under_https(tmp_path: Path) -> None:
    from server.config import load_settings
    from server.web.protection import security_headers

    async with website(tmp_path / "data") as site:
        email, password = site.password("reviewer")
        settings = load_settings(None, public_url="https://tele.example.invalid")
        await site.restart_under("https://tele.example.invalid")
        origin = {"Origin": "https://tele.example.invalid"}
        answer = await site.browser().post(
            "/api/sign-in", {"email": email, "password": password}, headers=origin
        )
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-session=")
        assert all(part in cookie for part in ("HttpOnly", "Path=/", "SameSite=Lax", "Secure"))
        assert "Domain" not in cookie
        seat, token = site.seat("interpreter")
        answer = await site.browser().post(f"/api/seats/{seat}/redeem", {"token": token}, headers=origin)
        assert answer.headers["Set-Cookie"].startswith(f"__Host-seat-{seat}=")
        assert "SameSite=Strict" in answer.headers["Set-Cookie"]
        assert "Strict-Transport-Security" in security_headers(settings)


async def test_every_answer_carries_the_strict_headers(site: Website) -> None:
    for path in ("/signin", "/api/me", "/healthz", "/nowhere", "/static/css/nowhere.css"):
        headers = (await site.browser().get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert f"ws{site.settings.public_url.removeprefix('http')}" in policy
        assert "unsafe" not in policy
        assert "*" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "camera=(self)" in headers["Permissions-Policy"]
    assert (await site.browser().get("/api/me")).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_foreign_pages_cannot_change_anything(site: Website, headers: dict[str, str]) -> None:
    browser = await site.signed_in("reviewer")
    answer = await browser.post("/api/sign-out", headers=headers)
    assert (answer.status, answer.code) == (403, "cross_site")
    assert (await browser.get("/api/me")).status == 200


async def test_our_own_pages_can(site: Website) -> None:
    browser = await site.signed_in("reviewer")
    own = {"Origin": site.settings.public_url, "Sec-Fetch-Site": "same-origin"}
    assert (await browser.post("/api/sign-out", headers=own)).status == 204


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"data": "email=a&password=b"}, "json_only"),
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, "bad_request"),
        ({"data": b"\xff\xfe", "headers": {"Content-Type": "application/json"}}, "bad_request"),
        ({"data": b"[" * 30_000, "headers": {"Content-Type": "application/json"}}, "bad_request"),
        ({"json": {"email": "MARKED@x", "password": 7}}, "bad_request"),
        ({"json": {"email": "a", "password": "b", "extra": "MARKED"}}, "bad_request"),
        ({"json": {"email": "a" * 300, "password": "MARKED"}}, "bad_request"),
        ({"json": {"email": "a", "password": "b" * 70_000}}, "too_large"),
        ({}, "bad_request"),
    ],
)
async def test_a_wrong_body_is_refused_without_an_echo(
    site: Website, sent: dict[str, object], code: str
) -> None:
    answer = await site.browser().ask("POST", "/api/sign-in", **sent)
    assert answer.code == code
    assert "MARKED" not in answer.text


async def test_an_unexpected_error_tells_nothing(
    site: Website, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.log import without_exception_text

    browser = await site.signed_in("coordinator")

    async def broken(*_: object) -> None:
        raise RuntimeError("MARKED patient in an exception")

    monkeypatch.setattr(type(site.services.worklist), "today", broken)
    with caplog.at_level(logging.DEBUG):
        answer = await browser.get("/api/worklist")
    assert (answer.status, answer.json) == (
        500,
        {"error": {"code": "internal", "message_id": "error-internal"}},
    )
    record = next(record for record in caplog.records if record.name == "hyeopjin.web")
    event = without_exception_text(None, "error", {"event": record.msg, "exc_info": record.exc_info})
    assert "MARKED" not in str(event)
    assert "RuntimeError" in str(event)


async def test_unknown_urls_and_methods_are_json_refusals(site: Website) -> None:
    assert (await site.browser().get("/api/nothing")).code == "not_found"
    wrong = await site.browser().ask("DELETE", "/api/me")
    assert (wrong.status, wrong.code) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    "path", ["../server/app.py", "%2e%2e/pyproject.toml", "package.json", "node_modules/x.js", "js", "x/.git"]
)
async def test_static_gives_out_nothing_else(site: Website, path: str) -> None:
    assert (await site.browser().get(f"/static/{path}")).status == 404


async def test_a_static_file_is_sent_once(site: Website) -> None:
    browser = site.browser()
    first = await browser.get("/static/i18n/en.ftl")
    assert first.status == 200
    assert first.headers["Content-Type"] == "text/plain; charset=utf-8"
    again = await browser.get("/static/i18n/en.ftl", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.text) == (304, "")


async def test_a_file_under_its_release_is_kept_for_ever_and_under_another_is_not(site: Website) -> None:
    browser = site.browser()
    plain = await browser.get("/static/css/base.css")
    assert plain.headers["Cache-Control"] == "public, no-cache"
    for named, kept in (
        (release(), "public, max-age=31536000, immutable"),
        ("0" * 12, "public, no-cache"),
    ):
        file = await browser.get(f"/static/{named}/css/base.css")
        assert (file.status, file.text, file.headers["Cache-Control"]) == (200, plain.text, kept)
        for private in ("package.json", "node_modules/x.js", "../pyproject.toml", f"{named}/css/base.css"):
            assert (await browser.get(f"/static/{named}/{private}")).status == 404


async def test_words_are_packed_for_who_can_unpack_them(site: Website) -> None:
    browser = site.browser()
    for path in ("/static/i18n/ru.ftl", "/signin"):
        packed = await browser.get(path, headers={"Accept-Encoding": "gzip"})
        plain = await browser.get(path, headers={"Accept-Encoding": "identity"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"])
        assert packed.text == plain.text
        assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
        assert packed.headers["ETag"] == plain.headers["ETag"]


async def test_a_page_unchanged_is_not_sent_again_but_a_refusal_is(site: Website) -> None:
    stranger = site.browser()
    tag = {"If-None-Match": (await stranger.get("/signin")).headers["ETag"]}
    assert (await stranger.get("/signin", headers=tag)).status == 304
    session = await site.services.rooms.open_session(site.table.consultation_id, site.clock())
    refused = await stranger.get(f"/review/{session.id}")
    tag = {"If-None-Match": refused.headers["ETag"]}
    assert refused.status == (await stranger.get(f"/review/{session.id}", headers=tag)).status == 403


async def test_pages_lead_strangers_to_sign_in(site: Website) -> None:
    stranger, reviewer = site.browser(), await site.signed_in("reviewer")
    assert (await stranger.get("/")).headers["Location"] == "/signin"
    assert (await stranger.get("/worklist")).headers["Location"] == "/signin"
    assert (await reviewer.get("/")).headers["Location"] == "/worklist"
    assert (await reviewer.get("/worklist")).status == 200


async def test_a_copied_review_address_is_refused(site: Website) -> None:
    session = await site.services.rooms.open_session(site.table.consultation_id, site.clock())
    reviewer = await site.signed_in("reviewer")
    assert (await reviewer.get(f"/review/{session.id}")).status == 200
    for other in (site.browser(), await site.signed_in("interpreter")):
        for path in (
            f"/review/{session.id}",
            f"/api/recordings/{session.id}",
            f"/api/recordings/{session.id}/tracks/a",
        ):
            assert (await other.get(path)).status == 403, path


async def test_health_and_metrics_answer_without_ids(site: Website) -> None:
    browser = site.browser()
    seat, _ = site.seat("interpreter")
    await browser.get(f"/api/seats/{seat}")
    assert (await browser.get("/healthz")).status == 200
    text = (await browser.get("/metrics")).text
    assert 'route="/api/seats/{seat}",status="401"' in text
    assert seat not in text


async def test_a_local_key_is_a_sessions_own_and_gone_with_it(site: Website) -> None:
    one, other = await site.signed_in("referring_physician"), await site.signed_in("referring_physician")
    key = (await one.get("/api/account/local-key")).json["key"]
    assert len(base64.urlsafe_b64decode(key)) == 32
    assert (await one.get("/api/account/local-key")).json["key"] == key
    assert (await other.get("/api/account/local-key")).json["key"] != key
    assert (await one.post("/api/sign-out")).status == 204
    assert (await one.get("/api/account/local-key")).code == "sign_in_required"
    async with site.database.read() as tx:
        kept = [row[0] for row in (await tx.exec_driver_sql("SELECT key FROM local_keys")).all()]
    assert key not in kept
    assert len(kept) == 1
