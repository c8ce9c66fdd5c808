"""Old backups put back: what was destroyed stays closed, and the restored books learn that it was.

Each case restores for real: a tar of the data directory without keys/, secrets/ and receipts/, or of keys/
alone, over a directory in which something was destroyed meanwhile.
"""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import pytest

from media.recordstore.verify import verify_journal
from server.domain.errors import Refused
from server.runtime.generation import Generation, GenerationError
from server.runtime.keystore import KeyStoreError
from server.storage import destructions
from tests.support.journals import RECORDING, SEATS
from tests.support.shredding import Shredding, backup_of

GONE, STAYS, OTHER = SEATS


async def refusal(rig: Shredding, track: str) -> str:
    with pytest.raises(Refused) as refused:
        await rig.playback.track(RECORDING, track)
    return refused.value.code


async def test_an_old_data_backup_opens_nothing_of_a_withdrawn_seat(tmp_path: Path) -> None:
    rig = await Shredding.ready(tmp_path)
    with backup_of(tmp_path) as restore:
        await rig.withdraw(GONE)
        await rig.destroyer.run_waiting()
        number = rig.receipts.all()[0].number
        await rig.close()
        restore()
    rig = await Shredding(tmp_path).open()
    assert (await rig.row()).generation == 1
    assert f"{GONE}-audio.webm.sealed" in rig.objects.names(RECORDING, 1), "the old objects are back"
    # before anything is reconciled: no way in
    assert await refusal(rig, f"{GONE}-audio") == "withdrawn"
    old = await Generation.open(rig.objects, rig.keys, RECORDING, 1)
    with pytest.raises(GenerationError, match="key_destroyed"):
        await old.track(f"{GONE}-camera")
    with pytest.raises(KeyStoreError, match="key_destroyed"):
        rig.keys.seat_key(RECORDING, GONE)
    told = verify_journal(tmp_path / "journal", RECORDING, rig.keys.keys(RECORDING), None)
    assert told["chain"] == "intact"
    assert not [track for track in told["tracks"] if track["peer"] == GONE]  # type: ignore[attr-defined]
    assert await rig.plays(f"{STAYS}-audio"), "the positive control: a seat that was not destroyed"
    # and the books learn
    learned = await rig.learn()
    assert (learned.keys, learned.destructions, learned.receipts) == (0, 1, 0)
    await rig.destroyer.run_waiting()
    row = await rig.destruction(GONE)
    assert (row.state, row.receipt_number) == (destructions.DONE, number)
    assert len(rig.receipts.all()) == 1, "no second receipt for one destruction"
    assert not [name for name in rig.objects.names(RECORDING, 2) if name.startswith(GONE)]
    assert await rig.plays(f"{OTHER}-camera")
    assert (await rig.learn()).destructions == 0
    await rig.close()


async def test_an_old_data_backup_of_an_expired_recording_is_destroyed_again(tmp_path: Path) -> None:
    rig = await Shredding.ready(tmp_path)
    with backup_of(tmp_path) as restore:
        await rig.expire()
        assert (await rig.row()).state == "expired"
        late = rig.now_ms
        await rig.close()
        restore()
    rig = await Shredding(tmp_path).open()
    rig.now_ms = late
    assert (await rig.row()).state == "ready"
    for seat in SEATS:
        assert await refusal(rig, f"{seat}-audio") == "destroyed"
    with pytest.raises(GenerationError, match="key_destroyed"):
        await Generation.open(rig.objects, rig.keys, RECORDING, 1)
    await rig.learn()
    assert (await rig.row()).state == "expired"
    await rig.destroyer.run_waiting()
    assert rig.objects.generations(RECORDING) == []
    assert not (tmp_path / "journal" / RECORDING).exists()
    assert (await rig.destruction()).state == destructions.DONE
    await rig.finalise()  # it has nothing to do, and does not run in circles
    assert (await rig.row()).state == "expired"
    await rig.close()


async def test_the_finaliser_refuses_a_restored_recording_once_and_does_not_go_round(tmp_path: Path) -> None:
    """Without reconciliation, on purpose: the books of a moment before the finaliser had run."""
    rig = await Shredding.record(tmp_path / "a", 2, finalised=False)
    with backup_of(rig.data) as restore:
        await rig.expire()
        await rig.close()
        restore()
    rig = await Shredding(tmp_path / "a").open()
    await rig.finalise()
    row = await rig.row()
    assert (row.state, row.error_code, row.generation) == ("failed", "key_destroyed", 0)
    await rig.learn()
    assert (await rig.row()).state == "expired"
    await rig.close()


async def test_an_old_key_store_is_destroyed_again_by_the_receipts(tmp_path: Path) -> None:
    rig = await Shredding.ready(tmp_path)
    with backup_of(tmp_path, "keys") as restore:
        await rig.withdraw(GONE)
        await rig.destroyer.run_waiting()
        await rig.close()
        restore()
    rig = await Shredding(tmp_path).open()
    assert rig.keys.existing_key(RECORDING, GONE) is not None, "the key is back, its mark is not"
    assert await refusal(rig, f"{GONE}-audio") == "withdrawn", "the books still know"
    learned = await rig.learn()
    assert (learned.keys, learned.destructions) == (1, 1)
    assert rig.keys.is_gone(RECORDING, GONE)
    await rig.destroyer.run_waiting()
    assert (await rig.destruction(GONE)).state == destructions.DONE
    await rig.close()


async def test_old_data_and_an_old_key_store_together_are_caught_by_the_receipts(tmp_path: Path) -> None:
    rig = await Shredding.ready(tmp_path)
    with backup_of(tmp_path) as restore_data, backup_of(tmp_path, "keys") as restore_keys:
        await rig.withdraw(GONE)
        await rig.destroyer.run_waiting()
        await rig.close()
        restore_data()
        restore_keys()
    rig = await Shredding(tmp_path).open()
    assert await rig.plays(f"{GONE}-audio"), "what only the receipts can undo"
    learned = await rig.learn()
    assert (learned.keys, learned.destructions) == (1, 1)
    assert await refusal(rig, f"{GONE}-audio") == "withdrawn"
    await rig.destroyer.run_waiting()
    assert not [name for name in rig.objects.names(RECORDING, 2) if name.startswith(GONE)]
    await rig.close()


async def test_lost_receipts_come_back_from_the_books_and_lost_books_from_the_tombstones(
    tmp_path: Path,
) -> None:
    rig = await Shredding.ready(tmp_path)
    await rig.withdraw(GONE)
    await rig.destroyer.run_waiting()
    (receipt,) = rig.receipts.all()
    (tmp_path / "receipts" / "00000001.json").unlink()
    assert (await rig.learn()).receipts == 1
    assert rig.receipts.all() == [receipt]
    await rig.close()

    other = await Shredding.ready(tmp_path / "cut-short")
    with backup_of(other.data) as restore:
        await asyncio.to_thread(other.keys.destroy, RECORDING, GONE)  # and then the machine died for good
        await other.close()
        restore()
    other = await Shredding(other.data).open()
    assert (await other.learn()).destructions == 1
    await other.destroyer.run_waiting()
    (made,) = other.receipts.all()
    assert (made.payload["reason"], made.payload["seat"]) == ("relearned", GONE)
    await other.close()


async def test_a_forged_receipt_destroys_nothing(tmp_path: Path) -> None:
    rig = await Shredding.ready(tmp_path)
    await rig.withdraw(GONE)
    await rig.destroyer.run_waiting()
    path = tmp_path / "receipts" / "00000001.json"
    envelope = json.loads(path.read_bytes())
    told = json.loads(base64.b64decode(envelope["payload"]))
    told["keys"] = [{"seat": STAYS, "fingerprint": None}]
    envelope["payload"] = base64.b64encode(json.dumps(told).encode()).decode()
    path.write_bytes(json.dumps(envelope).encode())
    await rig.learn()
    assert rig.keys.existing_key(RECORDING, STAYS) is not None
    assert "receipt_unsigned" in rig.receipts.all()[0].faults
    await rig.close()


def test_the_tar_of_the_tests_has_no_keys(tmp_path: Path) -> None:
    for name in ("keys", "secrets", "receipts", "objects"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    with backup_of(tmp_path) as restore:
        for name in ("keys", "objects"):
            (tmp_path / name / "file").write_text("newer")
        restore()
    assert (tmp_path / "keys" / "file").read_text() == "newer"
    assert (tmp_path / "objects" / "file").read_text() == "objects"
