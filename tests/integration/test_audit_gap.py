"""An older backup was put back: what is missing is answered for once, and whatever else is wrong is found."""

from __future__ import annotations

import asyncio
import csv
import io
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from server.__main__ import build
from server.commands.audit import exit_code, verified
from server.config import Settings, load_settings
from server.domain.audit_gap import AT_ONCE, Checkpoint, checked_words, details, range_of, told_of, unanswered
from server.domain.errors import Refused
from server.domain.people import Account, Site
from server.domain.trail import GAP_ACKNOWLEDGED
from server.runtime.audit_keeper import AuditKeeper
from server.runtime.keystore import KeyStore
from server.services.audit_chain import Verdict
from server.services.context import Context
from server.storage import accounts, audit
from server.storage.audit import Entry
from server.storage.database import Database
from server.storage.migrate import migrate
from server.storage.schema_audit import audit as table
from tests.support.tampering import tamper
from tests.support.website import Website, website

BEGIN, DAY_MS = 1_764_140_000_000, 86_400_000
OFFICER = "officer@demo.invalid"
WHY = "The disk died; yesterday's backup was restored."


def written(data: Path, days: range, *, checkpoints: bool = True) -> None:
    """Ten entries a day, and where the chain ended in the evening."""
    asyncio.run(_written(data, days, checkpoints))


async def _written(data: Path, days: range, checkpoints: bool) -> None:
    settings, clock = load_settings(None, data_dir=data), [0]
    database = Database(settings.database)
    await migrate(database)
    async with database.write() as tx:
        if await accounts.by_id(tx, "officer") is None:
            await accounts.add_site(tx, Site("site", "Site", "Asia/Seoul", "KR"))
            officer = Account(
                "officer", OFFICER, "Officer", "en", "site", ("privacy_officer",), True, False, "UTC"
            )
            other = Account(
                "other", "other@demo.invalid", "Other", "en", "site", ("coordinator",), True, False, "UTC"
            )
            await accounts.add_account(tx, officer, "x")
            await accounts.add_account(tx, other, "x")
    for day in days:
        for number in range(10):
            clock[0] = BEGIN + day * DAY_MS + number
            async with database.write() as tx:
                await audit.append(tx, clock[0], Entry("case_read", "case", str(day), "", "officer"))
        clock[0] += 1_000
        keeper = AuditKeeper(Context(settings, database, lambda: clock[0]), KeyStore.open(data).signing_key)
        if checkpoints:
            await keeper.stop()
    await database.close()


@pytest.fixture
def restored(once: Path, tmp_path: Path) -> Path:
    shutil.copytree(once, tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five days; then the books of the second evening are put back and the server goes on."""
    folder = tmp_path_factory.mktemp("gap")
    data, backup = folder / "data", folder / "backup"
    data.mkdir()
    written(data, range(2))
    shutil.copytree(data, backup)
    written(data, range(2, 5))
    for name in ("hyeopjin.sqlite3", "hyeopjin.sqlite3-wal", "hyeopjin.sqlite3-shm"):
        (data / name).unlink(missing_ok=True)
        if (backup / name).exists():
            shutil.copy(backup / name, data / name)
    written(data, range(6, 7))
    return data


def verdict(data: Path) -> tuple[int, Verdict]:
    found = asyncio.run(verified(load_settings(None, data_dir=data), [data / "audit"]))
    return exit_code(found), found


def run(data: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(build(), ["audit", *arguments, "--data", str(data)])
    return result.exit_code, result.output


def test_a_gap_after_a_restored_backup_is_acknowledged_by_name_and_verify_ends_well(restored: Path) -> None:
    code, found = verdict(restored)
    assert (code, found.missing_after, found.entries) == (3, 20, 30)
    assert "hyeopjin audit acknowledge" in run(restored, "verify")[1]
    for wrong in (("--by", "other@demo.invalid", "--reason", WHY), ("--by", OFFICER, "--reason", "restored")):
        assert run(restored, "acknowledge", *wrong)[0] == 2
    assert verdict(restored)[0] == 3
    code, told = run(restored, "acknowledge", "--by", OFFICER, "--reason", WHY)
    assert code == 0, told
    code, told = run(restored, "verify")
    assert code == 0, told
    assert "Known gap: entries 21 to 50" in told
    assert "acknowledged by Officer on 20" in told
    assert WHY in told
    assert run(restored, "acknowledge", "--by", OFFICER, "--reason", WHY)[0] == 2, "there is nothing more"
    code, found = verdict(restored)
    assert (found.gaps[0]["kept_to"], found.gaps[0]["lost_to"]) == (20, 50)
    assert found.gaps[0]["to_ms"] == BEGIN + 4 * DAY_MS + 1_009


def test_the_acknowledgement_is_in_the_chain_and_in_the_checkpoint_after_it(restored: Path) -> None:
    assert run(restored, "acknowledge", "--by", OFFICER, "--reason", WHY)[0] == 0
    assert verdict(restored)[0] == 0
    code, text = run(restored, "export", "--by", OFFICER, "--reason", "review")
    assert (code, GAP_ACKNOWLEDGED in text, WHY in text) == (0, True, False)
    tamper(restored / "hyeopjin.sqlite3", f"DELETE FROM audit WHERE action = '{GAP_ACKNOWLEDGED}'")  # noqa: S608
    assert verdict(restored)[0] == 1, "the export that came after it hangs in the air"
    tamper(restored / "hyeopjin.sqlite3", "DELETE FROM audit WHERE id > 30")
    code, found = verdict(restored)
    assert (code, found.gaps) == (3, []), "without it the gap is there again, and its own checkpoint too"


HARM: list[tuple[str, str, int]] = [
    ("an entry is changed", "UPDATE audit SET account_id = 'nobody' WHERE id = 5", 1),
    ("an entry goes", "DELETE FROM audit WHERE id = 15", 1),
    ("what was written since goes", "DELETE FROM audit WHERE id > 24", 3),
    ("the gap is made larger", "DELETE FROM audit WHERE id > 15", 3),
]


@pytest.mark.parametrize(("what", "statement", "expected"), HARM, ids=[row[0] for row in HARM])
def test_a_known_gap_hides_nothing_new(restored: Path, what: str, statement: str, expected: int) -> None:
    assert run(restored, "acknowledge", "--by", OFFICER, "--reason", WHY)[0] == 0
    tamper(restored / "hyeopjin.sqlite3", statement)
    code, found = verdict(restored)
    assert code == expected, (what, found)


def test_a_second_restore_of_the_same_backup_is_a_gap_of_its_own(restored: Path, tmp_path: Path) -> None:
    assert run(restored, "acknowledge", "--by", OFFICER, "--reason", WHY)[0] == 0
    keep = tmp_path / "kept.sqlite3"
    shutil.copy(restored / "hyeopjin.sqlite3", keep)
    written(restored, range(8, 10))
    for name in ("-wal", "-shm"):
        (restored / f"hyeopjin.sqlite3{name}").unlink(missing_ok=True)
    shutil.copy(keep, restored / "hyeopjin.sqlite3")
    code, found = verdict(restored)
    assert code == 3
    assert len(found.gaps) == 1, "the first is known still"
    assert run(restored, "acknowledge", "--by", OFFICER, "--reason", "restored a second time")[0] == 0
    code, found = verdict(restored)
    assert (code, len(found.gaps)) == (0, 2)


def test_what_was_changed_cannot_be_acknowledged(restored: Path) -> None:
    tamper(restored / "hyeopjin.sqlite3", "UPDATE audit SET account_id = 'nobody' WHERE id = 5")
    code, told = run(restored, "acknowledge", "--by", OFFICER, "--reason", WHY)
    assert code == 2
    assert "Nobody can answer for that" in told


def test_a_year_of_checkpoints_is_told_in_entries_that_a_collector_takes_whole() -> None:
    lost = [Checkpoint(number, f"{number:064x}", number * DAY_MS) for number in range(1, 366)]
    gone = range_of(lost, 0, 0)
    told = details(gone, lost, "0" * 64)
    assert len(told) == -(-365 // AT_ONCE)
    assert max(len(str(one["lost"])) for one in told) < 5_000
    gap = told_of("g", "a", 1, told)
    assert gap is not None
    assert unanswered(lost, [gap]) == []
    extra = Checkpoint(400, "f" * 64, 400 * DAY_MS)
    assert unanswered([*lost, extra], [gap]) == [extra]
    assert told_of("g", "a", 1, [{"lost": "x"}]) is None, (
        "an entry of that name that tells nothing hides nothing"
    )
    with pytest.raises(Refused, match="gap_reason"):
        checked_words("restored restored restored")


@pytest.fixture
async def broken_off(tmp_path: Path) -> Any:
    async with website(tmp_path / "data") as site:
        chain, keys = site.services.audit_chain, KeyStore.open(site.settings.data_dir)
        chain.verify_key, chain.places = keys.verify_key, [site.settings.audit_dir]
        officer = await site.signed_in("privacy_officer")
        assert (await officer.get("/api/audit/chain")).json["missing_after"] is None
        keeper = AuditKeeper(site.services.context, keys.signing_key)
        await keeper.checkpoint(at_once=True)
        cut = Cut(site, lambda: asyncio.to_thread(_cut, site.settings))
        yield cut, officer


class Cut:
    def __init__(self, site: Website, cut: Callable[[], Any]) -> None:
        self.site, self.cut = site, cut


def _cut(settings: Settings) -> None:
    tamper(settings.data_dir / "hyeopjin.sqlite3", "DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)")


async def test_a_privacy_officer_sees_and_acknowledges_what_they_saw_on_the_page(broken_off: Any) -> None:
    rig, officer = broken_off
    site: Website = rig.site
    whole = (await officer.post("/api/audit/chain/verify")).json
    assert (whole["broken"], whole["missing_after"], whole["checkpoints"]) == (None, None, 1)
    assert (await officer.post("/api/audit/gaps", {"lost": "0" * 64, "reason": WHY})).code == "audit_whole"
    await rig.cut()
    seen = (await officer.get("/api/audit/chain")).json
    assert seen["missing_after"] == whole["entries"] - 1
    assert (
        await officer.post("/api/audit/gaps", {"lost": seen["lost"], "reason": "oops"})
    ).code == "gap_reason"
    assert (await officer.post("/api/audit/gaps", {"lost": "0" * 64, "reason": WHY})).code == "gap_changed"
    made = await officer.post("/api/audit/gaps", {"lost": seen["lost"], "reason": WHY})
    assert made.status == 201
    after = (await officer.post("/api/audit/chain/verify")).json
    assert (after["missing_after"], after["lost"], after["broken"]) == (None, "", None)
    (gap,) = after["gaps"]
    assert (gap["id"], gap["reason"]) == (made.json["id"], WHY)
    async with site.database.read() as tx:
        row = (await tx.execute(select(table).where(table.c.action == GAP_ACKNOWLEDGED))).one()
    assert WHY not in str(row.detail)
    month = (await officer.post("/api/audit/reviews", {"month": f"{_month(site)}"})).json["id"]
    report = (await officer.get(f"/api/audit/reviews/{month}")).json["report"]
    section = next(one for one in report["sections"] if one["id"] == "gaps")
    assert section["review"] is True
    assert WHY in section["rows"][0]
    text = (await officer.post("/api/audit/export", {"format": "csv", "reason": "review"})).text
    assert GAP_ACKNOWLEDGED in [
        row["action"] for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    ]


def _month(site: Website) -> str:
    return datetime.fromtimestamp(site.clock() / 1000, UTC).strftime("%Y-%m")
