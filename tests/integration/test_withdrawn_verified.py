"""A seat withdrawn from a generation that is damaged: it goes all the same, and nobody calls it missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.journals import RECORDING, SEATS
from tests.support.shredding import Shredding

GONE, STAYS, OTHER = SEATS


@pytest.mark.parametrize("journal", [True, False], ids=["with its journal", "by its manifest alone"])
async def test_a_seat_withdrawn_from_a_damaged_generation_is_verified_as_withdrawn_not_missing(
    tmp_path: Path, journal: bool
) -> None:
    rig = await Shredding.ready(tmp_path)
    folder = tmp_path / "objects" / "recordings" / RECORDING / "g1"
    damaged = folder / f"{STAYS}-camera.webm.sealed"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    if not journal:
        shutil.rmtree(tmp_path / "journal" / RECORDING)
    assert {track["peer"] for track in (await rig.verified())["tracks"]} == set(SEATS), "the positive control"
    await rig.withdraw(GONE)
    assert len(await rig.destroyer.run_waiting()) == 1
    assert (await rig.row()).generation == 1, "it could not be sealed anew"
    assert not list(folder.glob(f"{GONE}-*"))
    report = await rig.verified()
    of_seat = {
        (fault["name"], fault["verdict"])
        for fault in report["faults"]
        if f"/{GONE}" in fault["where"] and "/g1/" in fault["where"]
    }
    assert of_seat == {("withdrawn", "note")}
    grave = [fault for fault in report["faults"] if fault["verdict"] != "note"]
    assert [(fault["name"], Path(fault["where"]).name) for fault in grave] == [
        ("sealed_damaged", damaged.name)
    ]
    assert {track["peer"] for track in report["tracks"]} == {STAYS, OTHER}
    lanes = {(gap["peer"], gap["kind"]) for gap in report["gaps"] if gap["cause"] == "withdrawn"}
    assert lanes == {(GONE, "audio"), (GONE, "camera")}
    assert await rig.plays(f"{OTHER}-camera")
    await rig.close()
