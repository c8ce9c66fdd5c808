"""A destruction whose process is SIGKILLed at any step is not called done, and is done by the next start."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from server.domain.retention import DAY_MS
from server.runtime.destruction import SEAT_STEPS, WHOLE_STEPS
from server.storage import audit, destructions
from tests.support.demo import TOP
from tests.support.journals import RECORDING, SEATS
from tests.support.shredding import ENDED_MS, Shredding

GONE, STAYS = SEATS[:2]


def steps(every: tuple[str, ...], *short: str) -> list[object]:
    """Some of them in every run, all of them in the long one."""
    return [step if step in short else pytest.param(step, marks=pytest.mark.long) for step in every]


async def killed_at(data: Path, step: str) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.killed_destroyer", str(data), step, cwd=TOP
    )
    return await asyncio.wait_for(process.wait(), 60)


async def not_told(rig: Shredding, seat: str) -> None:
    """The books do not say done, and no audit entry says that it is destroyed."""
    assert (await rig.destruction(seat)).state != destructions.DONE
    async with rig.database.read() as tx:
        assert await audit.hashes_told(tx) == set()


@pytest.mark.parametrize("step", steps(SEAT_STEPS, "keys", "commit"))
async def test_a_withdrawal_killed_at_any_step_resumes(tmp_path: Path, step: str) -> None:
    rig = await Shredding.ready(tmp_path)
    await rig.withdraw(GONE)
    await rig.close()
    assert await killed_at(tmp_path, step) == -signal.SIGKILL
    rig = await Shredding(tmp_path).open()
    await not_told(rig, GONE)
    await rig.learn()
    assert len(await rig.destroyer.run_waiting()) == 1
    (receipt,) = rig.receipts.all()
    assert receipt.faults == ()
    assert (await rig.destruction(GONE)).receipt_hash == receipt.hash
    assert receipt.payload["objects"] == [f"g1/{GONE}-audio.webm.sealed", f"g1/{GONE}-camera.webm.sealed"]
    assert rig.keys.is_gone(RECORDING, GONE)
    assert len(rig.objects.generations(RECORDING)) == 1
    assert await rig.plays(f"{STAYS}-camera")
    assert not list((tmp_path / "objects" / ".scratch").glob("*"))
    await rig.close()


@pytest.mark.parametrize("step", steps(WHOLE_STEPS, "journal", "books"))
async def test_an_expiry_killed_at_any_step_resumes(tmp_path: Path, step: str) -> None:
    rig = await Shredding.ready(tmp_path)
    await rig.services.retention.reckon()
    rig.now_ms = ENDED_MS + 6 * 366 * DAY_MS
    (due,) = await rig.services.retention.due(rig.now_ms)
    assert await rig.services.retention.expire(due)
    await rig.close()
    assert await killed_at(tmp_path, step) == -signal.SIGKILL
    rig = await Shredding(tmp_path).open()
    await not_told(rig, "")
    await rig.learn()
    await rig.destroyer.run_waiting()
    (receipt,) = rig.receipts.all()
    assert receipt.faults == ()
    assert {key["seat"] for key in receipt.payload["keys"]} == {*SEATS, "room"}
    assert all(rig.keys.is_gone(RECORDING, seat) for seat in (*SEATS, "room"))
    assert rig.objects.generations(RECORDING) == []
    assert not (tmp_path / "journal" / RECORDING).exists()
    assert (await rig.row()).state == "expired"
    await rig.close()
