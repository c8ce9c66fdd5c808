"""Whatever is sent to whatever route: a refusal with a code, never a 500, an echo or a traceback."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.domain.errors import STATUS_BY_CODE
from server.web.routes import ROUTES
from tests.support.website import Browser, Website, website

MARK = "MARKED"
BODIES: list[bytes] = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b'"' + MARK.encode() + b'"',
    b"1e999",
    b'{"token": null, "name": 5}',
    b'{"token": "\\ud800", "name": "\\udc00"}',
    b'{"token": "\\u0000", "name": "\\u0000\\u202e"}',
    json.dumps({"token": MARK, "name": MARK * 50}).encode(),
    json.dumps({"email": MARK, "password": "\x00"}).encode(),
    json.dumps(
        {"decision": MARK, "persons": [MARK] * 9, "language": "../..", "version": "'; DROP TABLE"}
    ).encode(),
    json.dumps({"spans": [[-1, 10**30]]}).encode(),
    json.dumps({"spans": [["a"], {}, None]}).encode(),
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b"\x00\xff" * 100,
]
IDS = [
    "x",
    "A" * 22,
    "%00",
    "..%2f..",
    "%F0%9F%92%A9",
    "'%20OR%201=1--",
    "a" * 3_000,
    "css/%00.css",
    "css/" + "a" * 3_000 + ".css",
]
POSTS = sorted({route.path for route in ROUTES if route.method == "POST"})
GETS = sorted({route.path for route in ROUTES if route.method == "GET" and "{" in route.path})


def fill(path: str, known: dict[str, str], other: str) -> str:
    """A route's path with each {place} filled: what is known of it, else `other`."""
    return re.sub(r"\{(\w+)[^}]*\}", lambda place: known.get(place[1], other), path)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data", signin_per_address=100_000, signin_per_account=100_000) as made:
        yield made


async def everybody(site: Website) -> list[Browser]:
    """A stranger, and a physician who also sits in the room."""
    physician = await site.signed_in("consulting_physician")
    seat, token = site.seat("consulting_physician")
    await physician.post(f"/api/seats/{seat}/redeem", {"token": token})
    return [site.browser(), physician]


def check(answer: Any, what: str) -> None:
    # Without a media worker, as here, a page that asks for its path is told so: 503.
    assert answer.status < 500 or answer.code == "not_ready", (what, answer.status)
    assert MARK not in answer.text, what
    assert "Traceback" not in answer.text, what
    if answer.status >= 400 and not what.startswith("GET /room") and answer.json is not None:
        assert answer.code in STATUS_BY_CODE, (what, answer.text)


async def test_hostile_bodies_are_refused_by_every_route(site: Website) -> None:
    seat, _ = site.seat("consulting_physician")
    session = await site.services.rooms.open_session(site.table.consultation_id, site.clock())
    for browser in await everybody(site):
        for path in POSTS:
            if path == "/api/sign-out":
                continue
            filled = fill(path, {"seat": seat, "recording": session.id}, "none")
            for body in BODIES:
                answer = await browser.ask(
                    "POST", filled, data=body, headers={"Content-Type": "application/json"}
                )
                check(answer, f"POST {path} {body[:40]!r}")


@pytest.mark.parametrize("path", GETS)
async def test_hostile_ids_are_refused_by_every_route(site: Website, path: str) -> None:
    for browser in await everybody(site):
        for each in IDS:
            filled = f"/static/{each}" if path.startswith("/static") else fill(path, {}, each)
            check(await browser.get(filled), f"GET {path} {each[:20]}")


async def test_hostile_cookies_prove_nothing(site: Website) -> None:
    seat, _ = site.seat("consulting_physician")
    for value in ("", "x", "a" * 4_000, '"', "a=b; c", "%00"):
        headers = {"Cookie": f"session={value}; seat-{seat}={value}"}
        assert (await site.browser().get("/api/me", headers=headers)).status in (400, 401)
        assert (await site.browser().get(f"/api/seats/{seat}", headers=headers)).status in (400, 401)


MALFORMED: list[bytes] = [
    b"MARKED-rubbish\r\n\r\n",
    b"GET /MARKED\x01 HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nMARKED bad header\r\n\r\n",
    b"GET /" + b"MARKED" * 3000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"MARKED" * 3000 + b"\r\n\r\n",
    b"GET http://[MARKED HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /api/sign-in HTTP/1.1\r\nHost: a\r\nContent-Length: MARKED\r\n\r\n",
    b"POST /api/sign-in HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\nMARKED",
    b"POST /api/sign-in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nMARKED\r\n",
    b"POST /api/sign-in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    b"Content-Encoding: gzip\r\nContent-Length: 6\r\n\r\nMARKED",
    b"GET /x HTTP/1.1\r\nHost: a\r\nExpect: MARKED\r\n\r\n",
    b"CONNECT MARKED:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /api/me HTTP/1.1\r\nHost: a\r\nCookie: session=MARKED\xff\r\n\r\n",
    b"POST /api/sign-in/code HTTP/1.1\r\nHost: a\r\nCookie: sign-in=MARKED\xff\r\n"
    b'Content-Type: application/json\r\nContent-Length: 17\r\n\r\n{"code":"MARKED"}',
]


@pytest.mark.parametrize("sent", MALFORMED, ids=lambda sent: repr(sent[:24]))
async def test_what_is_no_http_is_refused_like_anything_else(
    site: Website, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    host, port = site.address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode()
    length = int(next(line for line in head.split("\r\n") if line.startswith("Content-Length")).split()[1])
    body = json.loads(await reader.readexactly(length))
    writer.close()
    assert 400 <= int(head.split()[1]) < 500, head
    assert body["error"]["code"] in STATUS_BY_CODE
    assert MARK not in head + json.dumps(body)
    for header in ("Content-Security-Policy: ", "X-Content-Type-Options: nosniff", "Server: hyeopjin"):
        assert header in head
    ours = [record for record in caplog.records if not record.name.startswith("asyncio")]
    assert not any(MARK in record.getMessage() or "127.0.0.1" in record.getMessage() for record in ours)
    assert not any(record.levelname == "ERROR" for record in ours)


async def test_an_expectation_that_is_met_still_is(site: Website) -> None:
    host, port = site.address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /api/sign-in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    )
    assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 100")
    writer.write(b"{}")
    await reader.readline()
    assert b" 400 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()


@pytest.mark.parametrize("path", ["/api/worklist?days=", "/api/account/audit?before="])
async def test_a_number_in_an_address_that_is_out_of_bounds_is_refused_however_it_is_written(
    site: Website, path: str
) -> None:
    browser = await site.signed_in("coordinator")
    assert (await browser.get(f"{path}31")).status == 200
    for number in ("", "0", "-1", "x", "\u0663", "0001" + "9" * 30, "000" + "9" * 4400):
        assert (await browser.get(path + number)).code == "bad_request", number[:8]
    if path.endswith("days="):
        for number in ("32", "00011"):
            assert (await browser.get(path + number)).code == "bad_request", number
