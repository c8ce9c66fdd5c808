"""`hyeopjin recordings`: whole is whole, and every kind of damage is found; with and without the server."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from server.__main__ import build
from server.runtime.finalising import Finalising, FinalisingOptions
from server.runtime.keystore import KeyStore
from server.runtime.objects import Objects
from tests.support.journals import (
    CONSULTATION,
    RECORDING,
    SEATS,
    add_session,
    make_books,
    people,
    record,
    tear,
)

OTHER = "rec_synthetic-0002"
SHAPE = {"recording", "chain", "stored", "gaps", "tracks", "faults", "generations", "checked"}


async def _prepare(data: Path, finalised: bool) -> None:
    books = await make_books(data)
    keys = KeyStore.open(data)
    heads = await record(data, keys, people(2), seconds=4)
    await books.rows.add_heads(RECORDING, 1, heads)
    if finalised:
        queue = Finalising(
            books.rows, keys, Objects(data / "objects"), FinalisingOptions(data / "journal", 0)
        )
        await queue.start()
        await queue.idle()
        await queue.stop()
    await books.database.close()


def prepare(data: Path, finalised: bool = True) -> Path:
    asyncio.run(_prepare(data, finalised))
    return data


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(build(), ["recordings", *arguments, "--data", str(data)])


def verify(data: Path) -> tuple[int, dict[str, Any]]:
    result = run(data, "verify", RECORDING, "--json")
    return result.exit_code, json.loads(result.stdout)


def test_a_whole_recording_is_intact_and_exits_with_zero(tmp_path: Path) -> None:
    code, report = verify(prepare(tmp_path))
    assert code == 0
    assert set(report) == SHAPE
    assert (report["recording"], report["chain"], report["gaps"]) == (RECORDING, "intact", [])
    assert len(report["tracks"]) == 4
    (span,) = report["stored"]
    assert span[1] - span[0] > 3000


def test_the_list_names_ids_and_states_and_no_person(tmp_path: Path) -> None:
    result = run(prepare(tmp_path), "list", "--json")
    (row,) = json.loads(result.stdout)
    assert (row["id"], row["state"], row["generation"]) == (RECORDING, "ready", 1)
    assert row["consultation_id"] == CONSULTATION
    assert "Synthetic" not in result.stdout


def test_all_gives_an_array_and_a_session_without_media_is_empty(tmp_path: Path) -> None:
    prepare(tmp_path)

    async def add_empty() -> None:
        from server.storage.database import Database

        database = Database(f"sqlite+aiosqlite:///{tmp_path / 'hyeopjin.sqlite3'}")
        async with database.write() as tx:
            await add_session(tx, OTHER, 1)
        await database.close()

    asyncio.run(add_empty())
    result = run(tmp_path, "verify", "--all", "--json")
    assert result.exit_code == 0
    assert {row["recording"]: row["chain"] for row in json.loads(result.stdout)} == {
        RECORDING: "intact",
        OTHER: "empty",
    }


def test_before_finalising_the_journal_alone_answers(tmp_path: Path) -> None:
    code, report = verify(prepare(tmp_path, finalised=False))
    assert (code, report["chain"], len(report["tracks"])) == (0, "intact", 4)


def test_a_flipped_byte_in_the_journal_breaks_the_chain(tmp_path: Path) -> None:
    prepare(tmp_path)
    path = next((tmp_path / "journal").rglob(f"{SEATS[0]}.*.seg"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    code, report = verify(tmp_path)
    assert (code, report["chain"]) == (1, "broken")


def test_a_removed_segment_is_a_cut_after_it_was_acknowledged(tmp_path: Path) -> None:
    prepare(tmp_path)
    next((tmp_path / "journal").rglob(f"{SEATS[1]}.*.seg")).unlink()
    code, report = verify(tmp_path)
    assert (code, report["chain"]) == (1, "cut_after_ack")


def test_a_journal_cut_everywhere_is_found_by_the_database(tmp_path: Path) -> None:
    prepare(tmp_path, finalised=False)
    tear(tmp_path, octets=3000)
    code, report = verify(tmp_path)
    assert (code, report["chain"]) == (1, "cut_after_ack")


@pytest.mark.parametrize("name", [f"{SEATS[0]}-camera.webm.sealed", "index.json.sealed", "manifest.json"])
@pytest.mark.parametrize("how", ["flip", "cut", "gone"])
def test_damage_to_what_was_published_is_found(tmp_path: Path, name: str, how: str) -> None:
    prepare(tmp_path)
    path = next((tmp_path / "objects").rglob(name))
    if how == "gone":
        path.unlink()
    elif how == "cut":
        os.truncate(path, path.stat().st_size - 1000)
    else:
        content = bytearray(path.read_bytes())
        content[len(content) // 3] ^= 1
        path.write_bytes(content)
    result = run(tmp_path, "verify", RECORDING, "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["chain"]) == (1, "broken")
    assert set(report) == SHAPE
    assert f"{RECORDING}: " in result.stderr


def test_a_destroyed_key_is_no_fault(tmp_path: Path) -> None:
    prepare(tmp_path)
    KeyStore.open(tmp_path).destroy(RECORDING, SEATS[0])
    code, report = verify(tmp_path)
    assert (code, report["chain"]) == (0, "intact")


def test_without_the_journal_the_signed_manifest_answers(tmp_path: Path) -> None:
    prepare(tmp_path)
    for path in (tmp_path / "journal").rglob("*.seg"):
        path.unlink()
    code, report = verify(tmp_path)
    assert (code, report["chain"], len(report["tracks"])) == (0, "intact", 4)


def test_an_unknown_recording_and_a_foreign_directory_exit_with_two(tmp_path: Path) -> None:
    assert run(tmp_path / "nothing", "list").exit_code == 2
    prepare(tmp_path)
    assert run(tmp_path, "verify", "rec_synthetic-0009").exit_code == 2


def test_the_answer_reads_only(tmp_path: Path) -> None:
    prepare(tmp_path)

    def seen() -> dict[str, bytes]:
        return {
            str(path.relative_to(tmp_path)): path.read_bytes()
            for path in sorted(tmp_path.rglob("*"))
            if path.is_file() and not path.name.startswith("hyeopjin.sqlite3")
        }

    before = seen()
    assert verify(tmp_path)[0] == 0
    assert seen() == before
