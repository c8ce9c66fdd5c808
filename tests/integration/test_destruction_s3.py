"""What is destroyed goes from the object store too: finished tracks, and the copies of the journal."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from media.recordstore import manifest as manifests
from media.recordstore.verify import verify_journal
from server.runtime.bucket import Bucket
from server.runtime.generation import MANIFEST, Generation
from server.runtime.segment_copier import SegmentCopier
from server.storage.journals import Journals
from tests.support.journals import RECORDING, SEATS
from tests.support.s3 import S3Server
from tests.support.shredding import Shredding

GONE, STAYS, OTHER = SEATS


@dataclass(slots=True)
class Stored:
    """A finalised recording in a bucket, its segments copied there; what the bucket has of it."""

    rig: Shredding
    bucket: Bucket
    copier: SegmentCopier

    def paths(self) -> list[str]:
        return [entry.path for entry in self.bucket.listing("") if RECORDING in entry.path]

    async def content(self) -> dict[str, bytes]:
        """Every object of the recording, whole."""
        return {path: b"".join([piece async for piece in self.bucket.pieces(path)]) for path in self.paths()}


@pytest.fixture
async def stored(tmp_path: Path, s3: S3Server) -> AsyncIterator[Stored]:
    bucket = s3.bucket(f"run/{secrets.token_hex(4)}")
    rig = await Shredding.record(tmp_path / "data", remote=bucket)
    copier = SegmentCopier(Journals(rig.database), bucket, rig.data / "journal")
    await copier.copy_all()
    yield Stored(rig, bucket, copier)
    await rig.close()


async def test_when_a_period_is_over_nothing_of_the_recording_is_left_in_the_store(stored: Stored) -> None:
    before = stored.paths()
    assert {path.split("/")[0] for path in before} == {"journal", "recordings"}, "the positive control"
    await stored.rig.expire()
    assert stored.paths() == []
    assert (await stored.rig.row()).state == "expired"
    await stored.copier.copy_all()
    assert stored.paths() == [], "a copier that comes late puts nothing back"
    (receipt,) = stored.rig.receipts.all()
    tracks = {f"g1/{seat}-{kind}.webm.sealed" for seat in SEATS for kind in ("audio", "camera")}
    assert tracks <= set(receipt.payload["objects"])


async def test_after_a_withdrawal_nothing_readable_of_that_seat_is_in_the_store(
    stored: Stored, tmp_path: Path
) -> None:
    rig = stored.rig
    keys = rig.keys.keys(RECORDING)
    assert any(f"/{GONE}-" in path for path in stored.paths()), "the positive control"
    await rig.withdraw(GONE)
    assert len(await rig.destroyer.run_waiting()) == 1
    content = await stored.content()
    finished = [path for path in content if path.startswith("recordings/")]
    assert {path.split("/")[2] for path in finished} == {"g2"}
    assert not [path for path in finished if f"/{GONE}" in path]
    generation = await Generation.open(rig.objects, rig.keys, RECORDING, 2)
    await generation.verify()
    assert {track.seat for track in generation.tracks.values()} == {STAYS, OTHER}
    held = await rig.objects.open(RECORDING, 2, MANIFEST)
    signed = manifests.verify(await held.read(0, held.size), rig.keys.verify_key)
    assert {gap["peer"] for gap in signed["withdrawn"]} == {GONE}

    # The copies of the journal: whole, so that the others' chain can be proved, and of the seat noise.
    for path, piece in content.items():
        assert keys[GONE] not in piece, path
        if path.startswith("journal/"):
            (there := tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(piece)
    left = rig.keys.keys(RECORDING)
    room = left.pop("room")
    assert GONE not in left
    told = verify_journal(tmp_path / "journal", RECORDING, left, room)
    assert (told["chain"], told["keyless"]) == ("intact", [GONE])
    assert {track["peer"] for track in told["tracks"]} == {STAYS, OTHER}  # type: ignore[attr-defined]
    assert await rig.plays(f"{STAYS}-camera")
    await rig.expire()
    assert stored.paths() == []
