"""The reserve, the forecast, and that two places on one disk are counted once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from server.config import MB
from server.runtime.disks import DEFAULT_RATE, JOURNAL_SHARE, RESERVE_NAME, Disks
from tests.support.faulty_disk import Faults, FaultyDisk, fault

FLOOR, RESERVE = 8 * MB, 4 * MB


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    return Faults(tmp_path)


def made(tmp_path: Path, faults: Faults) -> Disks:
    places = {name: tmp_path / name for name in ("data", "journal", "objects")}
    for path in places.values():
        path.mkdir(exist_ok=True)
    return Disks(places, FLOOR, RESERVE, FaultyDisk(faults.control))


def test_the_reserve_is_taken_given_back_when_full_and_taken_again(tmp_path: Path, faults: Faults) -> None:
    disks = made(tmp_path, faults)
    reserve = tmp_path / "data" / RESERVE_NAME
    enough = RESERVE + FLOOR + FLOOR // 2
    seen = []
    for free in (enough - 1, enough, FLOOR // 4, FLOOR // 4 - 1, 0, enough - 1, enough):
        faults.set(free=free)
        disks.look()
        seen.append(disks.reserve_held)
        assert disks.numbers()["hyeopjin_recording_reserve_held"] == disks.reserve_held
    assert seen == [False, True, True, False, False, False, True]
    assert reserve.stat().st_size == RESERVE
    assert reserve.stat().st_blocks * 512 >= RESERVE, "it must hold its blocks, not promise them"
    assert not (tmp_path / "journal" / RESERVE_NAME).exists(), "one disk, one reserve"


def test_a_reserve_of_another_size_or_half_written_is_taken_anew(tmp_path: Path, faults: Faults) -> None:
    disks = made(tmp_path, faults)
    (tmp_path / "data" / RESERVE_NAME).write_bytes(b"left by a crash")
    faults.set(fault("before_allocate", error="ENOSPC", times=1))
    disks.look()
    assert not disks.reserve_held
    disks.look()
    assert disks.reserve_held


def test_the_forecast_counts_journal_and_finished_tracks_on_one_disk(tmp_path: Path, faults: Faults) -> None:
    disks = made(tmp_path, faults)
    assert disks.forecast() is None
    faults.set(free=FLOOR + 1_000 * MB)
    disks.look()
    found = disks.forecast()
    assert found is not None
    assert found.seconds == pytest.approx(1_000 * MB / ((1 + JOURNAL_SHARE) * DEFAULT_RATE))
    disks.rate = 1 * MB
    found = disks.forecast()
    assert found is not None
    assert found.seconds == pytest.approx(1_000 / (1 + JOURNAL_SHARE))
    assert disks.numbers()["hyeopjin_recording_room_seconds"] == found.seconds
    faults.set(free=FLOOR - 1)
    disks.look()
    assert disks.numbers()["hyeopjin_recording_room_seconds"] == 0


def test_a_reserve_that_is_to_be_taken_again_is_no_room(tmp_path: Path, faults: Faults) -> None:
    disks = made(tmp_path, faults)
    faults.set(free=FLOOR + RESERVE + 1 * MB)
    disks.rate = 1 * MB
    disks.look()
    found = disks.forecast()
    assert not disks.reserve_held
    assert found is not None
    assert found.seconds == pytest.approx(1 / (1 + JOURNAL_SHARE))


def test_looking_alone_changes_nothing(tmp_path: Path, faults: Faults) -> None:
    disks = made(tmp_path, faults)
    disks.measure()
    assert not disks.reserve_held
    disks.look()
    faults.set(free=0)
    disks.measure()
    assert disks.reserve_held, "doctor beside a server must leave it alone"


def test_a_disk_that_does_not_answer_is_left_out_and_told(tmp_path: Path, faults: Faults) -> None:
    disks = made(tmp_path, faults)
    disks.look()
    faults.set(fault("before_space", "*/journal", error="EIO"))
    disks.look()
    assert "hyeopjin_disk_journal_free_bytes" not in disks.numbers()
    assert "hyeopjin_disk_data_free_bytes" in disks.numbers()
    assert json.dumps(disks.numbers())
