"""`hyeopjin audit`: verify with its exit codes, export, and every entry to a collector on a real socket."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from server.__main__ import build
from server.commands.audit import exit_code, verified
from server.commands.certificate import self_signed
from server.config import load_settings
from server.domain.people import Account, Site
from server.runtime.audit_keeper import AuditKeeper
from server.runtime.keystore import KeyStore
from server.services.context import Context
from server.storage import accounts, audit
from server.storage.audit import Entry
from server.storage.database import Database
from server.storage.migrate import migrate
from tests.support.collectors import collector
from tests.support.tampering import tamper
from tests.unit.test_syslog import GRAMMAR

OFFICER = "officer@demo.invalid"
ENTRIES = 12


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with some entries and one checkpoint after two thirds of them, one at the end."""
    data = tmp_path_factory.mktemp("audit") / "data"
    data.mkdir()
    asyncio.run(_prepare(data))
    return data


async def _prepare(data: Path) -> None:
    database = Database(load_settings(None, data_dir=data).database)
    await migrate(database)
    day_ms = 86_400_000
    clock = [1_764_140_000_000]
    keeper = AuditKeeper(
        Context(load_settings(None, data_dir=data), database, lambda: clock[0]),
        KeyStore.open(data).signing_key,
    )
    async with database.write() as tx:
        await accounts.add_site(tx, Site("site", "=Site+1", "Asia/Seoul", "KR"))
        officer = Account(
            "officer", OFFICER, "@Officer", "en", "site", ("privacy_officer",), True, False, "UTC"
        )
        await accounts.add_account(tx, officer, "x")
    for number in range(1, ENTRIES + 1):
        async with database.write() as tx:
            detail: dict[str, int | str] = {"reason": "treatment"} if number == 3 else {}
            entry = Entry(
                "case_read", "case", str(number), "198.51.100.7", "officer", None, None, detail, "p-1"
            )
            await audit.append(tx, clock[0] + number, entry)
        if number == 8:
            assert await keeper.checkpoint()
            clock[0] += 1_000
            assert not await keeper.checkpoint(), "it is soon enough after the last"
            clock[0] += day_ms
    await keeper.stop()
    await database.close()


@pytest.fixture
def data(whole: Path, tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(whole, tmp_path / "data")
    return tmp_path / "data"


def run(data: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(build(), ["audit", *arguments, "--data", str(data)])
    return result.exit_code, result.stdout


def verdict(data: Path, *more: Path) -> dict[str, Any]:
    """As the command finds it, without its own start."""
    found = asyncio.run(verified(load_settings(None, data_dir=data), [data / "audit", *more]))
    return {"code": exit_code(found), **asdict(found)}


def test_verify_says_that_it_is_whole_or_where_it_is_not(data: Path, whole: Path) -> None:
    books = data / "hyeopjin.sqlite3"
    found = verdict(data)
    assert (found["code"], found["entries"], found["checkpoints"], found["guarded"]) == (0, ENTRIES, 2, True)
    assert run(data, "verify", "--json")[0] == 0
    tamper(books, "UPDATE audit SET account_id = 'somebody' WHERE id = 5")
    assert (verdict(data)["code"], verdict(data)["broken"]) == (1, 5)
    tamper(books, "UPDATE audit SET account_id = 'officer' WHERE id = 5", "DELETE FROM audit WHERE id = 9")
    assert (verdict(data)["code"], verdict(data)["broken"]) == (1, 10)
    tamper(books, "DELETE FROM audit WHERE id >= 10")
    found = verdict(data)
    assert (found["code"], found["broken"], found["missing_after"]) == (3, None, 8), "the end is gone"
    assert "after 8 are missing" in run(data, "verify")[1]

    newest = sorted((data / "audit").iterdir())[-1]
    newest.unlink()
    assert verdict(data)["code"] == 0, "who has the files can hide it"
    assert verdict(data, whole / "audit")["code"] == 3, "but not at a second place"
    first = next((data / "audit").iterdir())
    first.write_bytes(first.read_bytes().replace(b"payload", b"payloae"))
    assert (verdict(data)["code"], verdict(data)["unsigned"]) == (4, [first.name])
    assert CliRunner().invoke(build(), ["audit", "verify", "--data", str(data / "none")]).exit_code == 2


def test_a_server_that_goes_on_after_the_end_was_cut_off_does_not_hide_it(data: Path) -> None:
    settings = load_settings(None, data_dir=data)
    last = 1_764_140_000_000 + 86_400_000 + 1_000
    tamper(data / "hyeopjin.sqlite3", "DELETE FROM audit WHERE id > 9")

    async def goes_on() -> None:
        database = Database(settings.database)
        keeper = AuditKeeper(
            Context(settings, database, lambda: last + 5_000), KeyStore.open(data).signing_key
        )
        for number in range(5):  # more than were cut off
            async with database.write() as tx:
                await audit.append(tx, last, Entry("case_read", "case", str(number), "198.51.100.7"))
            await keeper.checkpoint(at_once=True)
        await database.close()

    asyncio.run(goes_on())
    found = verdict(data)
    assert (found["code"], found["missing_after"], found["checkpoints"]) == (3, 8, 3)
    asyncio.run(goes_on())
    assert verdict(data)["checkpoints"] == 3, "what follows is replaced as ever"


def test_an_export_is_a_file_without_formulas_or_lines_that_verify_elsewhere_and_is_audited(
    data: Path,
) -> None:
    asked = ("--by", OFFICER, "--reason", "authority")
    code, text = run(data, "export", "--format", "json", *asked)
    assert code == 0
    before = "0" * 64
    lines = [json.loads(line) for line in text.splitlines()]
    assert len(lines) == ENTRIES, "not the entry that tells of it"
    for line in lines:  # as docs/audit.md says
        hashed = {key: value for key, value in line.items() if key not in ("number", "prev_hash", "hash")}
        whole = json.dumps(hashed, sort_keys=True, separators=(",", ":"))
        assert line["prev_hash"] == before
        before = hashlib.sha256(f"{before}\n{whole}".encode()).hexdigest()
        assert line["hash"] == before

    code, text = run(data, "export", *asked)
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["action"] for row in rows] == ["case_read"] * ENTRIES + ["audit_exported"]
    assert (rows[0]["name"], rows[0]["site"], rows[2]["reason"]) == ("'@Officer", "'=Site+1", "treatment")
    code, text = run(data, "export", "--format", "syslog", "--to", "2025-11-26", *asked)
    assert [bool(GRAMMAR.fullmatch(line)) for line in text.splitlines()] == [True] * 8
    assert run(data, "export", "--by", OFFICER, "--reason", "curiosity")[0] == 2
    assert run(data, "export", "--by", "nobody@demo.invalid", "--reason", "authority")[0] == 2
    assert run(data, "export", "--format", "xml", *asked)[0] == 2
    assert verdict(data)["code"] == 0


@pytest.mark.parametrize("scheme", ["udp", "tcp", "tls"])
def test_every_entry_reaches_a_collector_once_and_what_it_missed_when_it_is_back(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    pair = self_signed(tmp_path, "localhost") if scheme == "tls" else None
    with collector(scheme, pair) as one:
        monkeypatch.setenv("HYEOPJIN_AUDIT__SYSLOG", one.url)
        if pair:
            assert run(data, "send")[0] == 1, "a certificate that nobody vouches for"
            monkeypatch.setenv("HYEOPJIN_AUDIT__SYSLOG_CA", str(pair[0]))
        code, out = run(data, "send")
        assert (code, out.split()[0]) == (0, str(ENTRIES))
        told = one.messages(ENTRIES)
        assert run(data, "send")[1].split()[0] == "0"
    found = [GRAMMAR.fullmatch(line) for line in told]
    assert all(found), told
    assert [re_id(line) for line in told] == [str(number) for number in range(1, ENTRIES + 1)]
    assert 'patient="p-1"' in told[2]
    assert 'd.reason="treatment"' in told[2]
    assert run(data, "export", "--by", OFFICER, "--reason", "archive")[0] == 0
    if scheme != "udp":
        assert run(data, "send")[0] == 1, "nobody listens"
    with collector(scheme, pair) as again:
        monkeypatch.setenv("HYEOPJIN_AUDIT__SYSLOG", again.url)
        assert run(data, "send")[0] == 0
        assert re_id(again.messages(1)[0]) == str(ENTRIES + 1)


def re_id(line: str) -> str:
    return line.split(' id="', 1)[1].split('"', 1)[0]
