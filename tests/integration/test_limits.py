"""How often a page may read: more than anybody needs, less than a machine would."""

from __future__ import annotations

from server.services.demo import CASE_ID
from server.web.routes import CLIPS, READS, ROUTES, TYPED
from tests.support.website import Browser, Website

CASE = "/api/cases/{case}"
SEAT = "/api/seats/{seat}"
LIMITED = {
    ("GET", f"{SEAT}/chat"): READS,
    ("GET", f"{SEAT}/conduct"): READS,
    ("GET", f"{SEAT}/arrivals"): READS,
    ("GET", f"{SEAT}/glossary"): READS,
    ("GET", f"{SEAT}/glossary/history"): READS,
    ("POST", f"{SEAT}/glossary/search"): TYPED,
    ("GET", f"{CASE}/glossary"): READS,
    ("POST", f"{CASE}/glossary/search"): TYPED,
    ("GET", "/api/flags"): READS,
}


async def seated(site: Website, role: str) -> tuple[Browser, str]:
    browser, (seat, token) = site.browser(), site.seat(role)
    assert (await browser.post(f"/api/seats/{seat}/redeem", {"token": token})).status == 200
    return browser, seat


async def asked(browser: Browser, method: str, path: str) -> tuple[int, str | None]:
    body = {"query": "척추"}
    answer = await (browser.get(path) if method == "GET" else browser.post(path, body))
    if answer.status == 429:
        assert int(answer.headers["Retry-After"]) >= 1
    return answer.status, answer.code


async def test_who_reads_as_fast_as_a_machine_is_told_to_wait_and_nobody_else_is(site: Website) -> None:
    seated_one, seat = await seated(site, "interpreter")
    other, other_seat = await seated(site, "referring_physician")
    account = await site.signed_in("interpreter")
    account_id = (await account.get("/api/me")).json["account"]["id"]
    for (method, path), limit in LIMITED.items():
        by_seat = path.startswith(SEAT)
        who, browser = (seat, seated_one) if by_seat else (account_id, account)
        place = path.format(seat=seat, case=CASE_ID)
        for _ in range(limit - 1):
            await site.services.attempts.route(path, who, limit)
        assert await asked(browser, method, place) == (200, None), path
        assert await asked(browser, method, place) == (429, "too_many_attempts"), path
        if by_seat:
            assert (await asked(other, method, path.format(seat=other_seat)))[0] == 200, path


async def test_a_page_that_falls_and_comes_back_every_two_seconds_never_meets_a_limit(site: Website) -> None:
    browser, seat = await seated(site, "interpreter")
    for _ in range(30):
        for path in ("chat", "conduct", "arrivals", "glossary"):
            assert (await browser.get(f"/api/seats/{seat}/{path}")).status == 200


def test_everything_that_is_read_by_a_seat_or_cuts_sound_has_a_limit() -> None:
    limits = {(route.method, route.path): route.per_minute for route in ROUTES}
    assert {key: limits[key] for key in LIMITED} == LIMITED
    assert limits["GET", "/api/flags/{flag}/tracks/{track}"] == CLIPS
    assert limits["GET", "/api/flags/{flag}"] == READS
