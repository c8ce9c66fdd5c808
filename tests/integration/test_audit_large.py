"""A hundred thousand entries taken out as a file: what is held in memory does not grow with them."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import insert

from server.config import load_settings
from server.domain.people import Account, Site
from server.runtime.keystore import KeyStore
from server.storage import accounts, audit
from server.storage.audit import Entry
from server.storage.database import Database
from server.storage.migrate import migrate
from server.storage.schema_audit import audit as table
from tests.unit.test_syslog import GRAMMAR

pytestmark = pytest.mark.long

ENTRIES = 100_000
AT_ONCE = 5_000
MOST_MORE_MB = 16
"""Held by an export of all of them above one of none: buffers, not entries."""
BEGIN = 1_764_140_000_000
OFFICER = "officer@demo.invalid"
HARM = '=HYPERLINK("http://evil.invalid")'


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("large") / "data"
    data.mkdir()
    asyncio.run(_fill(data))
    KeyStore.open(data)
    return data


async def _fill(data: Path) -> None:
    database = Database(load_settings(None, data_dir=data).database)
    await migrate(database)
    async with database.write() as tx:
        await accounts.add_site(tx, Site("site", HARM, "Asia/Seoul", "KR"))
        officer = Account("officer", OFFICER, HARM, "en", "site", ("privacy_officer",), True, False, "UTC")
        await accounts.add_account(tx, officer, "x")
    before = audit.FIRST
    for first in range(1, ENTRIES + 1, AT_ONCE):
        rows = []
        for number in range(first, first + AT_ONCE):
            entry = Entry(
                "document_downloaded", "document", f"document-{number}", "198.51.100.7", "officer", None,
                f"case-{number % 500}", {"reason": "treatment", "kind": HARM}, f"patient-{number % 500}",
            )  # fmt: skip
            hash_ = audit.chained(before, BEGIN + number, entry)
            values = {name: getattr(entry, name) for name in Entry.__slots__}
            rows.append(
                {
                    "at_ms": BEGIN + number,
                    "version": audit.VERSION,
                    "prev_hash": before,
                    "hash": hash_,
                    **values,
                }
            )
            before = hash_
        async with database.write() as tx:
            await tx.execute(insert(table), rows)
    await database.close()


def taken(data: Path, out: Path, kind: str, *more: str) -> tuple[float, float]:
    """Seconds, and the process's own peak in MB."""
    code = (
        "import resource, sys; from server.__main__ import main; sys.argv[0] = 'hyeopjin'\n"
        "try: main()\n"
        "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    asked = [
        "audit",
        "export",
        "--by",
        OFFICER,
        "--reason",
        "archive",
        "--format",
        kind,
        "--data",
        str(data),
        *more,
    ]
    began = time.monotonic()
    with out.open("wb") as file:
        done = subprocess.run(
            [sys.executable, "-c", code, *asked],
            stdout=file,
            stderr=subprocess.PIPE,
            check=True,
            env=os.environ,
        )
    return time.monotonic() - began, int(done.stderr.split()[-1]) / 1024


@pytest.mark.parametrize("kind", ["csv", "json", "syslog"])
def test_an_export_of_a_hundred_thousand_entries_holds_a_few_hundred(
    books: Path, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / f"audit.{kind}"
    _, none_mb = taken(books, out, kind, "--from", "2030-01-01")
    seconds, all_mb = taken(books, out, kind)
    size_mb = out.stat().st_size / 1e6
    print(f"{kind}: {size_mb:.0f} MB in {seconds:.1f} s, peak {all_mb:.0f} MB ({none_mb:.0f} MB for none)")  # noqa: T201
    assert all_mb - none_mb < MOST_MORE_MB
    numbers = 0
    with out.open(encoding="utf-8-sig", newline="") as file:
        if kind == "csv":
            for row in csv.DictReader(file):
                assert row["name"] in ("", "'" + HARM)
                numbers += 1
        for line in file if kind == "json" else ():
            numbers += bool(json.loads(line)["hash"])
        for line in file if kind == "syslog" else ():
            numbers += bool(GRAMMAR.fullmatch(line.rstrip("\n")))
    assert numbers >= ENTRIES
