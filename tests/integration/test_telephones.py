"""Whom to telephone when sound and picture fail: set on the command line, shown to who sits."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy import func, select
from typer.testing import CliRunner

from server.__main__ import build
from server.services.demo import ALMATY, SEOUL, SITES, TELEPHONES
from server.storage.schema_audit import audit
from tests.support.website import Website

NAMES = {site.id: site.name for site in SITES}


async def numbers(site: Website) -> dict[str, str | None]:
    """Role -> number, as the interpreter's page has them."""
    seat, token = site.seat("interpreter")
    browser = site.browser()
    await browser.post(f"/api/seats/{seat}/redeem", {"token": token})
    answer = await browser.get(f"/api/seats/{seat}")
    return {one["role"]: one["telephone"] for one in answer.json["seats"]}


def run(site: Website, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(build(), ["phone", *words, "--data", str(site.settings.data_dir)])
    return done.exit_code, done.output


async def test_a_physician_is_reached_at_the_site_and_an_interpreter_at_their_own_number(
    site: Website,
) -> None:
    assert await numbers(site) == {
        "referring_physician": TELEPHONES[ALMATY],
        "consulting_physician": TELEPHONES[SEOUL],
        "interpreter": TELEPHONES["interpreter"],
    }


async def test_numbers_are_given_and_taken_on_the_command_line_and_the_change_is_in_the_audit(
    site: Website,
) -> None:
    changes = [
        ("site", NAMES[ALMATY], "+7 000 111 2222"),
        ("account", "Interpreter@demo.invalid", ""),
        ("account", "consulting.physician@demo.invalid", "+82 10 0000 0000"),
    ]
    for change in changes:
        assert (await asyncio.to_thread(run, site, *change))[0] == 0
    assert await numbers(site) == {
        "referring_physician": "+7 000 111 2222",
        "consulting_physician": TELEPHONES[SEOUL],
        "interpreter": TELEPHONES[SEOUL],
    }
    for wrong in (
        ("site", "Nowhere", "+7 000 111 2222"),
        ("account", "x@demo.invalid", ""),
        ("site", "x", "12"),
    ):
        code, said = await asyncio.to_thread(run, site, *wrong)
        assert code == 2
        assert said.strip()
        assert "Traceback" not in said
    async with site.database.read() as tx:
        query = select(func.count()).where(audit.c.action == "telephone_changed")
        assert (await tx.execute(query)).scalar_one() == len(changes)


def test_a_directory_that_is_none_is_named_and_not_made(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    words = ["phone", "site", "x", "+7 000 111 2222", "--data", str(nowhere)]
    done = CliRunner().invoke(build(), words)
    assert (done.exit_code, done.output) == (2, f"There is no Hyeopjin data directory at {nowhere}.\n")
    assert not nowhere.exists()
