"""Signing in by an organisation's own OpenID provider, and every way in which one may lie or fail."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from server.commands import provider_check
from server.config import ConfigError, load_settings
from server.services.context import unix_ms
from server.storage import accounts
from tests.support.provider import CLIENT, SECRET, STRANGER, Mock, provider
from tests.support.signing import with_app
from tests.support.website import Answer, Browser, Website, website

ROLE = "consulting_physician"


@pytest.fixture
async def mock() -> AsyncIterator[Mock]:
    async with provider(unix_ms) as made:
        yield made


@pytest.fixture
async def site(tmp_path: Path, mock: Mock) -> AsyncIterator[Website]:
    folder = tmp_path / "data"
    oidc = {"issuer": mock.issuer, "client_id": CLIENT, "label": "Example Hospital"}
    async with website(folder, oidc=oidc) as made:
        (folder / "secrets" / "oidc_client_secret").write_text(SECRET + "\n")
        mock.clock = made.clock
        mock.claims = {"sub": "s-1", "email": made.password(ROLE)[0].upper(), "email_verified": True}
        yield made


async def away(browser: Browser, **body: str) -> str:
    begun = await browser.post("/api/sign-in/provider", body)
    assert begun.status == 200, begun.text
    return str(begun.json["location"])


async def back(browser: Browser, brought: dict[str, str]) -> dict[str, str]:
    """What the sign-in page is told."""
    answer: Answer = await browser.get("/sign-in/provider?" + urlencode(brought))
    assert answer.status == 303, answer.text
    page = urlsplit(answer.headers["Location"])
    assert page.path == "/signin"
    return dict(parse_qsl(page.query))


async def through(site: Website, mock: Mock, **body: str) -> tuple[Browser, dict[str, str]]:
    browser = site.browser()
    return browser, await back(browser, mock.signs_in(await away(browser, **body)))


async def is_in(browser: Browser) -> bool:
    return (await browser.get("/api/me")).status == 200


def rows(site: Website, query: str) -> list[Any]:
    with sqlite3.connect(site.settings.data_dir / "hyeopjin.sqlite3") as books:
        found = books.execute(query).fetchall()
    books.close()
    return found


async def test_an_account_is_found_by_its_verified_address_once_and_then_by_the_subject(
    site: Website, mock: Mock
) -> None:
    assert (await site.browser().get("/api/sign-in/ways")).json == {"provider": "Example Hospital"}
    browser, told = await through(site, mock, next="/schedule")
    assert told == {"next": "/schedule"}
    me = (await browser.get("/api/me")).json["account"]
    assert me["roles"] == [ROLE]
    assert set(browser.cookies()) == {"session"}
    mock.claims = {"sub": "s-1", "email": "another@example.invalid", "aud": [CLIENT, "x"], "azp": CLIENT}
    for algorithm in ("ES256", "EdDSA"):
        mock.algorithm = algorithm
        again, _ = await through(site, mock)
        assert (await again.get("/api/me")).json["account"]["id"] == me["id"]
    assert rows(site, "SELECT count(*) FROM audit WHERE action = 'provider_linked'") == [(1,)]
    mails = rows(site, "SELECT account_id FROM account_mails WHERE kind = 'provider_linked'")
    assert mails == [(me["id"],)], "and its owner is told"


LIES: dict[str, dict[str, Any]] = {
    "nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "expired": {"exp": unix_ms() // 1000 - 3600},
    "no end": {"exp": None},
    "of long ago": {"iat": unix_ms() // 1000 - 3600},
    "of tomorrow": {"iat": unix_ms() // 1000 + 86400},
    "audience": {"aud": "another"},
    "audiences": {"aud": [CLIENT, "another"]},
    "issuer": {"iss": "https://another.invalid"},
    "no subject": {"sub": None},
    "a number for a subject": {"sub": 5},
    "a zero character": {"sub": "s-\x001"},
    "too long a subject": {"sub": "s" * 256},
}


async def test_a_token_that_lies_signs_nobody_in(site: Website, mock: Mock) -> None:
    right, passed = dict(mock.claims), []
    for name, lie in LIES.items():
        mock.claims = right | lie
        browser, told = await through(site, mock)
        passed += [] if told == {"problem": "provider_refused"} and not await is_in(browser) else [name]
    assert not passed
    failed = rows(site, "SELECT count(*) FROM audit WHERE action = 'sign_in_failed'")
    assert failed == [(len(LIES),)]
    mock.claims = right
    mock.algorithm = "none"
    assert (await through(site, mock))[1] == {"problem": "provider_refused"}
    mock.algorithm, mock.key = "RS256", STRANGER
    assert (await through(site, mock))[1] == {"problem": "provider_refused"}
    mock.key = None
    assert await is_in((await through(site, mock))[0])


async def test_only_the_browser_that_went_comes_back_once_and_soon(site: Website, mock: Mock) -> None:
    browser = site.browser()
    brought = mock.signs_in(await away(browser))
    assert await back(site.browser(), brought) == {"problem": "step_over"}  # another browser
    other = site.browser()
    await away(other)
    assert await back(other, brought) == {"problem": "step_over"}  # another state
    held = {"sign-in": browser.cookies()["sign-in"]}
    assert await back(browser, brought) == {}
    assert await is_in(browser)
    replay = site.browser()
    replay._http.cookie_jar.update_cookies(held)
    assert await back(replay, brought) == {"problem": "step_over"}
    spent = mock.signs_in(await away(replay)) | {"code": brought["code"]}
    assert await back(replay, spent) == {"problem": "provider_refused"}  # the provider knows it
    late = site.browser()
    brought = mock.signs_in(await away(late))
    site.clock.advance(seconds=5 * 60)
    assert await back(late, brought) == {"problem": "step_over"}
    mixed = site.browser()
    brought = mock.signs_in(await away(mixed)) | {"iss": "https://another.invalid"}
    assert await back(mixed, brought) == {"problem": "provider_refused"}
    for each in (other, late, replay, mixed):
        assert not await is_in(each)


async def test_nobody_gets_an_account_or_somebody_elses_by_it(site: Website, mock: Mock) -> None:
    right = dict(mock.claims)
    for email in ("nobody@example.invalid", site.password(ROLE)[0]):
        for verified in (False, "true", None):
            mock.claims = right | {"email": email, "email_verified": verified}
            assert (await through(site, mock))[1] == {"problem": "provider_unverified"}
    before = rows(site, "SELECT count(*) FROM accounts")
    mock.claims = right | {"email": "nobody@example.invalid"}
    told = (await through(site, mock, next="/audit"))[1]
    assert told == {"problem": "provider_unknown", "next": "/audit"}, "a second try leads there as well"
    assert rows(site, "SELECT count(*) FROM accounts") == before
    mock.claims = right
    assert await is_in((await through(site, mock))[0])
    mock.claims = right | {"sub": "s-2"}  # the address was given to somebody else
    assert (await through(site, mock))[1] == {"problem": "provider_unknown"}


async def test_a_suspended_account_is_not_opened_by_subject_nor_by_address(site: Website, mock: Mock) -> None:
    browser, _ = await through(site, mock)
    account_id = (await browser.get("/api/me")).json["account"]["id"]
    async with site.database.write() as tx:
        await accounts.set_disabled(tx, account_id, True)
    assert (await through(site, mock))[1] == {"problem": "provider_unknown"}
    mock.claims |= {"sub": "s-2"}
    assert (await through(site, mock))[1] == {"problem": "provider_unknown"}


async def test_second_steps_are_asked_for_unless_the_providers_are_accepted(
    site: Website, mock: Mock
) -> None:
    settings = site.settings.model_copy(update={"second_step_roles": (ROLE,)})
    site.services.context.settings = settings
    mock.claims |= {"amr": ["pwd", "mfa"], "acr": "high"}
    browser, told = await through(site, mock)
    assert (await browser.get("/api/me")).json["account"]["standing"] == "unproven"
    app = await with_app(site, browser)
    browser, told = await through(site, mock, next="/worklist")
    assert told == {"ways": "totp.recovery", "next": "/worklist"}
    assert not await is_in(browser)
    assert (await browser.post("/api/sign-in/code", {"code": app.next_code()})).status == 200
    for accepted, standing in (
        ({"accepted_amr": ("mfa",)}, "full"),
        ({"accepted_acr": ("high",)}, "full"),
        ({"accepted_amr": ("hwk",), "accepted_acr": ("higher",)}, None),
    ):
        oidc = settings.oidc.model_copy(update=accepted)
        site.services.context.settings = settings.model_copy(update={"oidc": oidc})
        browser, _ = await through(site, mock)
        me = await browser.get("/api/me")
        assert (me.json["account"]["standing"] if me.status == 200 else None) == standing


async def test_a_provider_that_is_down_or_says_too_much_is_told_as_such(tmp_path: Path) -> None:
    async with provider(unix_ms) as mock:
        oidc = {"issuer": mock.issuer, "client_id": CLIENT}
        async with website(tmp_path / "data", oidc=oidc) as site:
            for described in (
                {"issuer": "https://another.invalid"},
                {"token_endpoint": "http://login.example.invalid/token"},
                {"jwks_uri": "ftp://127.0.0.1/keys"},
                {"authorization_endpoint": None},
                {"padding": "x" * 300_000},
            ):
                mock.described = described
                refused = await site.browser().post("/api/sign-in/provider", {})
                assert (refused.status, refused.code) == (503, "provider_down"), described
            mock.described = {}
            found = await asyncio.to_thread(provider_check.check, site.settings)
            assert found[:2] == ("yellow", "public_client")
            (site.settings.secrets_dir / "oidc_client_secret").write_text(SECRET)
            assert (await asyncio.to_thread(provider_check.check, site.settings))[:2] == ("green", "ok")
            browser = site.browser()
            brought = mock.signs_in(await away(browser))
            mock.described = {"issuer": "gone"}
            assert (await asyncio.to_thread(provider_check.check, site.settings))[1] == "provider_down"
            await mock.stop()
            assert await back(browser, brought) == {"problem": "provider_down"}


async def test_without_a_provider_there_is_no_button_and_no_way(tmp_path: Path) -> None:
    async with website(tmp_path / "data") as site:
        browser = site.browser()
        assert (await browser.get("/api/sign-in/ways")).json == {"provider": None}
        assert (await browser.post("/api/sign-in/provider", {})).code == "not_found"
        assert await back(browser, {"code": "c", "state": "s"}) == {"problem": "not_found"}
        assert provider_check.check(site.settings)[:2] == ("grey", "not_configured")


async def test_asking_is_counted_per_address(site: Website) -> None:
    site.services.attempts._address = type(site.services.attempts._address)(2)
    browser = site.browser("203.0.113.9")
    for _ in range(2):
        await away(browser)
    assert (await browser.post("/api/sign-in/provider", {})).code == "too_many_attempts"
    assert await back(browser, {"code": "c", "state": "s"}) == {"problem": "too_many_attempts"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://login.example.org"},
        {"issuer": "https://login.example.org?x"},
        {"issuer": "https://login.example.org", "client_id": ""},
    ],
)
def test_a_provider_without_https_or_a_client_stops_the_start(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        load_settings(None, oidc={"client_id": CLIENT} | wrong)
