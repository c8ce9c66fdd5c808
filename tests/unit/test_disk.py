"""The disk seam: what the real one promises, and that the faulty one does what its control file says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from media.recordstore.disk import DISK
from media.recordstore.sealed import SealedReader, seal_bytes
from tests.support.faulty_disk import PHASES, Faults, FaultyDisk, fault

KEY, ASSOCIATED = b"k" * 32, b"test"
TOP = Path(__file__).parents[2]
CHILD = """
import sys
from pathlib import Path
from tests.support.faulty_disk import FaultyDisk
disk, home = FaultyDisk(Path(sys.argv[1])), Path(sys.argv[2])
disk.make_directories(home / "made", home)
kept = disk.create(home / "made" / "kept", append=True)
kept.write(b"synced.."); kept.datasync(); disk.sync_directory(home / "made")
kept.write(b"unsynced")
lost = disk.create(home / "made" / "lost.tmp"); lost.write_at(b"x" * 8, 0); lost.sync(); lost.close()
disk.rename(home / "made" / "lost.tmp", home / "made" / "lost")
print("written", flush=True)
sys.stdin.read()
disk.sync_directory(home / "made")
"""


def child(faults: Faults, home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(faults.control), str(home)],
        cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def test_a_file_is_created_once_and_private(tmp_path: Path) -> None:
    file = DISK.create(tmp_path / "f", append=True)
    file.write(b"ab")
    file.datasync()
    file.close()
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        DISK.create(tmp_path / "f")
    DISK.make_directories(tmp_path / "a" / "b", tmp_path)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    space = DISK.space(tmp_path)
    assert 0 < space.free <= space.total


@pytest.mark.parametrize(
    "phase",
    ["before_create", "in_write", "after_write", "before_datasync", "in_datasync", "in_rename", "after_sync"],
)
def test_a_process_is_killed_in_the_phase_that_was_named(tmp_path: Path, phase: str) -> None:
    faults = Faults(tmp_path)
    faults.set(fault(phase, kill=True))
    process = child(faults, tmp_path)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL
    (line,) = faults.log()
    assert (line["phase"], line["did"], line["pid"]) == (phase, "kill", process.pid)
    kept = tmp_path / "made" / "kept"
    sizes = {"in_write": 4, "after_write": 8, "before_datasync": 8, "in_datasync": 8}
    if phase in sizes:
        assert kept.stat().st_size == sizes[phase]
    elif phase != "before_create":
        assert kept.read_bytes() == b"synced..unsynced"


@pytest.mark.parametrize(("torn", "left"), [(0.0, b"synced.."), (0.5, b"synced..unsy")])
def test_power_loss_takes_what_was_not_synced_and_nothing_else(
    tmp_path: Path, torn: float, left: bytes
) -> None:
    faults = Faults(tmp_path)
    process = child(faults, tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    faults.cut(torn)
    assert process.wait(10) == -signal.SIGKILL
    process.communicate()
    assert (tmp_path / "made" / "kept").read_bytes() == left
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["kept"], "a name without its directory"
    assert [line["did"] for line in faults.log()] == ["power"]


def test_what_was_synced_outlives_the_power(tmp_path: Path) -> None:
    faults = Faults(tmp_path)
    faults.set(fault("after_sync_directory", "*/made", power=True, skip=1))
    process = child(faults, tmp_path)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL
    assert (tmp_path / "made" / "lost").read_bytes() == b"x" * 8
    assert (tmp_path / "made" / "kept").read_bytes() == b"synced.."


def test_errors_meet_one_file_only_and_end_when_told(tmp_path: Path) -> None:
    faults = Faults(tmp_path)
    disk = FaultyDisk(faults.control)
    good, bad = disk.create(tmp_path / "good"), disk.create(tmp_path / "bad")
    faults.set(fault("before_write", "*/bad", error="EIO", skip=1, times=1), free=7)
    bad.write(b"a")
    with pytest.raises(OSError, match="EIO"):
        bad.write(b"b")
    bad.write(b"c")
    good.write(b"d")
    assert disk.space(tmp_path).free == 7
    faults.set(fault("in_write", error="ENOSPC"))
    with pytest.raises(OSError, match="ENOSPC"):
        good.write(b"1234")
    faults.set()
    good.write(b"!")
    assert disk.space(tmp_path).free > 7
    for file in (good, bad):
        file.close()
    assert ((tmp_path / "good").read_bytes(), (tmp_path / "bad").read_bytes()) == (b"d12!", b"ac")
    assert [line["did"] for line in faults.log()] == ["EIO", "ENOSPC"]


def test_a_slow_disk_holds_up_the_caller_alone(tmp_path: Path) -> None:
    faults = Faults(tmp_path)
    disk = FaultyDisk(faults.control)
    file = disk.create(tmp_path / "f")
    faults.set(fault("before_datasync", block_s=60, times=1))
    slow = threading.Thread(target=file.datasync)
    slow.start()
    while not faults.log():
        time.sleep(0.01)
    disk.create(tmp_path / "g").close()
    assert slow.is_alive(), "the other one did not wait for it"
    faults.set()
    slow.join()
    file.close()


@pytest.mark.parametrize("phase", ["in_write_at", "before_sync", "before_rename", "before_sync_directory"])
def test_a_finished_file_that_meets_a_full_disk_is_not_there(tmp_path: Path, phase: str) -> None:
    faults = Faults(tmp_path)
    disk = FaultyDisk(faults.control)
    home = tmp_path / "out"
    home.mkdir()
    faults.set(fault(phase, error="ENOSPC"))
    with pytest.raises(OSError, match="ENOSPC"):
        seal_bytes(home / "f", KEY, ASSOCIATED, os.urandom(200_000), disk)
    # Only what was renamed already has a name, and it is whole.
    for path in home.iterdir():
        assert phase in ("before_rename", "before_sync_directory")
        with SealedReader(path, KEY, ASSOCIATED) as reader:
            assert reader.size == 200_000
    faults.set()
    seal_bytes(home / "g", KEY, ASSOCIATED, b"whole", disk)
    with SealedReader(home / "g", KEY, ASSOCIATED) as reader:
        assert reader.read(0, 9) == b"whole"


def test_every_phase_has_a_name_of_its_own() -> None:
    assert len(PHASES) == len(set(PHASES))
    with pytest.raises(AssertionError):
        fault("during_lunch")
