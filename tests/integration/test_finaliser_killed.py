"""SIGKILL of the finaliser in each phase of its writing, and of the server in each phase of publishing.

Whatever was there when it died: nothing half-written is ever the recording's generation, and the next run
gives the same plaintext and a recording without a fault.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from server.config import Settings
from server.runtime.keystore import KeyStore
from server.storage.database import Database
from server.storage.recordings import Recordings
from tests.support.demo import TOP, until
from tests.support.faulty_disk import Faults, fault
from tests.support.journals import RECORDING, make_books, people, record
from tests.support.verified import report_of

TRACK, INDEX, MANIFEST = "*.webm.sealed.tmp", "*index.json.sealed.tmp", "*manifest.json.tmp"
CHILD = [
    ("before_create", TRACK), ("before_write_at", TRACK), ("in_write_at", TRACK), ("after_write_at", TRACK),
    ("before_sync", TRACK), ("in_sync", TRACK), ("after_sync", TRACK), ("before_rename", TRACK),
    ("in_rename", TRACK), ("after_rename", TRACK), ("before_rename", INDEX), ("in_rename", INDEX),
    ("after_rename", INDEX), ("before_write", MANIFEST), ("in_write", MANIFEST), ("in_sync", MANIFEST),
    ("before_rename", MANIFEST), ("in_rename", MANIFEST), ("after_rename", MANIFEST),
    ("after_sync_directory", "*/.scratch/*"),
]  # fmt: skip
PUBLISHING = [
    ("before_sync_path", "*"), ("after_sync_path", "*"), ("before_link", "*.webm.sealed"),
    ("after_link", "*.webm.sealed"), ("before_link", "*manifest.json"), ("after_link", "*manifest.json"),
    ("before_sync_directory", "*/g1"), ("after_sync_directory", "*/g1"),
]  # fmt: skip


async def _prepare(data: Path) -> None:
    books = await make_books(data)
    heads = await record(data, KeyStore.open(data), people(2), seconds=3)
    await books.rows.add_heads(RECORDING, 1, heads)
    await books.database.close()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A data directory with a journal to be finalised, and the hashes that come of it."""
    data = tmp_path_factory.mktemp("recorded")
    asyncio.run(_prepare(data))
    calm = tmp_path_factory.mktemp("calm")
    shutil.copytree(data, calm / "data")
    assert run(calm / "data", Faults(calm)).wait(60) == 0
    return data, asyncio.run(hashes(calm / "data"))


async def hashes(data: Path) -> dict[str, str]:
    """SHA-256 of each track's plaintext, by the committed index."""
    database = Database(Settings(data_dir=data).database)
    try:
        row = await Recordings(database).get(RECORDING)
        assert row is not None
        assert row.index is not None
        assert (row.state, row.epochs_finalised) == ("ready", 1)
        return {track["id"]: track["sha256"] for track in row.index["tracks"]}
    finally:
        await database.close()


def run(data: Path, faults: Faults) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.support.finalising_process", str(faults.control), str(data)]
    return subprocess.Popen(command, cwd=TOP, stderr=subprocess.DEVNULL)


def check(data: Path, wanted: dict[str, str]) -> None:
    """Ready, without a fault, and the same sound and pictures."""
    report = asyncio.run(report_of(data, RECORDING))
    assert (report["chain"], report["faults"]) == ("intact", [])
    assert [row["state"] for row in report["generations"]] == ["committed"]
    assert report["checked"]["tracks"] == len(wanted) == 4
    assert asyncio.run(hashes(data)) == wanted


def half_done(data: Path) -> None:
    """What a kill left: either no generation yet, or a whole one."""
    report = asyncio.run(report_of(data, RECORDING))
    assert report["chain"] == "intact"
    assert {fault["verdict"] for fault in report["faults"]} <= {"note"}
    manifests = list((data / "objects" / "recordings").rglob("manifest.json"))
    for manifest in manifests:
        names = {path.name for path in manifest.parent.iterdir()}
        assert {f"{name}.webm.sealed" for name in ALL} | {"index.json.sealed"} <= names


ALL: set[str] = set()


def killed_child(
    folder: Path, recorded: tuple[Path, dict[str, str]], seed: int, phase: str, file: str
) -> None:
    """The finaliser dies once in this phase; the queue goes on by itself."""
    data, wanted = folder / "data", recorded[1]
    ALL.update(wanted)
    shutil.copytree(recorded[0], data)
    faults = Faults(folder)
    skip = random.Random(seed).randrange(2) if file == TRACK else 0
    faults.set(fault(phase, file, kill=True, skip=skip))
    process = run(data, faults)
    until(f"the finaliser dies {phase}", lambda: bool(faults.log()), 30, 0.01)
    faults.set()
    assert faults.log()[0]["phase"] == phase
    assert process.wait(60) == 0
    check(data, wanted)


def killed_server(folder: Path, recorded: tuple[Path, dict[str, str]], phase: str, file: str) -> None:
    """The server dies in this phase of publishing; the next start goes on."""
    data, wanted = folder / "data", recorded[1]
    ALL.update(wanted)
    shutil.copytree(recorded[0], data)
    faults = Faults(folder)
    faults.set(fault(phase, file, kill=True))
    assert run(data, faults).wait(60) == -9
    assert faults.log()[-1]["phase"] == phase
    faults.set()
    half_done(data)
    assert run(data, faults).wait(60) == 0
    check(data, wanted)


def killed_in_commit(folder: Path, recorded: tuple[Path, dict[str, str]], seed: int) -> None:
    """The server dies at a random moment between the last object and the end of the transaction."""
    data, wanted = folder / "data", recorded[1]
    ALL.update(wanted)
    shutil.copytree(recorded[0], data)
    faults = Faults(folder)
    process = run(data, faults)
    manifest = data / "objects" / "recordings" / RECORDING / "g1" / "manifest.json"
    until("the manifest is there", manifest.exists, 60, 0.002)
    time.sleep(random.Random(seed).random() * 0.08)
    process.kill()
    process.wait()
    half_done(data)
    assert run(data, faults).wait(60) == 0
    check(data, wanted)


@pytest.mark.parametrize(("phase", "file"), [("in_sync", TRACK), ("before_rename", MANIFEST)])
def test_a_killed_finaliser_is_run_again_to_the_same_result(
    tmp_path: Path, recorded: tuple[Path, dict[str, str]], phase: str, file: str
) -> None:
    killed_child(tmp_path, recorded, 1, phase, file)


@pytest.mark.long
@pytest.mark.parametrize(("phase", "file"), CHILD, ids=[" ".join(case) for case in CHILD])
def test_a_finaliser_killed_in_any_phase_is_run_again_to_the_same_result(
    tmp_path: Path, recorded: tuple[Path, dict[str, str]], phase: str, file: str
) -> None:
    killed_child(tmp_path, recorded, 2, phase, file)


def test_a_server_killed_while_it_publishes_goes_on_at_the_next_start(
    tmp_path: Path, recorded: tuple[Path, dict[str, str]]
) -> None:
    killed_server(tmp_path, recorded, "before_link", "*manifest.json")


@pytest.mark.long
@pytest.mark.parametrize(("phase", "file"), PUBLISHING, ids=[" ".join(case) for case in PUBLISHING])
def test_a_server_killed_in_any_phase_of_publishing_goes_on_at_the_next_start(
    tmp_path: Path, recorded: tuple[Path, dict[str, str]], phase: str, file: str
) -> None:
    killed_server(tmp_path, recorded, phase, file)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8))
def test_a_server_killed_while_it_commits_a_generation_goes_on_at_the_next_start(
    tmp_path: Path, recorded: tuple[Path, dict[str, str]], seed: int
) -> None:
    killed_in_commit(tmp_path, recorded, seed)
