"""Interpreters' hours out of the books: as a coordinator's file, and on the command line."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from server.services.hours import COLUMNS
from server.storage import audit as chain
from server.storage.schema import seats
from server.storage.schema_audit import audit
from tests.support.demo import TOP
from tests.support.website import Website, website

SEOUL = ZoneInfo("Asia/Seoul")
BEGIN = round(datetime(2026, 11, 25, 23, 30, tzinfo=SEOUL).timestamp() * 1000)
MINUTE = 60_000


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data") as made:
        rooms, (seat, _) = made.services.rooms, made.seat("interpreter")
        session = await rooms.open_session(made.table.consultation_id, BEGIN)
        for minute, what in ((0, "joined"), (20, "away"), (20.2, "back"), (75, "left")):
            await rooms.note(session.id, BEGIN + round(minute * MINUTE), what, seat)
        await rooms.end_session(made.table.consultation_id, session.id, "ended", BEGIN + 80 * MINUTE)
        yield made


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


async def test_a_night_is_two_rows_in_the_sites_zone_and_one_in_another(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    answer = await browser.get("/api/interpreter-hours?from=2026-11-25&to=2026-11-26")
    assert answer.headers["Content-Disposition"].endswith('"interpreter-hours-2026-11-25-2026-11-26.csv"')
    rows = table(answer.text)
    assert tuple(rows[0]) == COLUMNS
    assert [(r["date"], r["time_zone"], r["minutes"], r["from"], r["to"]) for r in rows] == [
        ("2026-11-25", "Asia/Seoul", "30.0", "2026-11-25T23:30:00+09:00", "2026-11-26T00:00:00+09:00"),
        ("2026-11-26", "Asia/Seoul", "45.0", "2026-11-26T00:00:00+09:00", "2026-11-26T00:45:00+09:00"),
    ]
    assert rows[0]["account"] == "interpreter@demo.invalid"
    utc = await browser.get("/api/interpreter-hours?from=2026-11-25&to=2026-11-26&zone=UTC")
    assert [(r["date"], r["minutes"]) for r in table(utc.text)] == [("2026-11-25", "75.0")]
    only = await browser.get("/api/interpreter-hours?from=2026-11-26&to=2026-11-26")
    assert [r["date"] for r in table(only.text)] == ["2026-11-26"]
    async with site.database.read() as tx:
        rows = [row for row in await tx.execute(audit.select()) if row.action == "hours_exported"]
        assert await chain.first_broken(tx) is None
    assert [row.address for row in rows] == 3 * ["127.0.0.1"]


async def test_days_that_are_none_and_a_name_that_is_a_formula_do_no_harm(site: Website) -> None:
    browser = await site.signed_in("coordinator")
    for query in ("", "?from=x&to=y", "?from=2026-11-26&to=2026-11-25", "?from=2026-01-01&to=2028-01-01"):
        assert (await browser.get(f"/api/interpreter-hours{query}")).code == "bad_request", query
    for query in ("?from=0001-01-01&to=0001-01-02", "?from=9999-12-30&to=9999-12-31"):
        assert (await browser.get(f"/api/interpreter-hours{query}")).code == "bad_request", query
    bad = await browser.get("/api/interpreter-hours?from=2026-11-25&to=2026-11-26&zone=../etc/passwd")
    assert bad.code == "bad_request"
    async with site.database.write() as tx:
        await tx.execute(seats.update().where(seats.c.role == "interpreter").values(name="=1+1"))
    answer = await browser.get("/api/interpreter-hours?from=2026-11-25&to=2026-11-26")
    assert {row["interpreter"] for row in table(answer.text)} == {"'=1+1"}


async def test_the_command_prints_the_same_rows(site: Website) -> None:
    def run(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "server", "interpreter-hours", "--data", str(site.settings.data_dir)]
        return subprocess.run([*command, *more], capture_output=True, text=True, cwd=TOP)

    done = run("--from", "2026-11-25", "--to", "2026-11-26")
    assert done.returncode == 0, done.stderr
    assert [(r["date"], r["minutes"]) for r in table(done.stdout)] == [
        ("2026-11-25", "30.0"),
        ("2026-11-26", "45.0"),
    ]
    wrong = run("--from", "2026-11-26", "--to", "yesterday")
    assert (wrong.returncode, "2026-11-01" in wrong.stderr) == (2, True)
