"""No key and nonce are ever used twice, however often a recorder is killed and started again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from media.recordstore import layout
from media.recordstore.reader import SegmentReader
from tests.support.damage import seals_of
from tests.support.demo import TOP
from tests.support.recorded import RECORDING
from tests.support.recorders import KEYS, ROOM_KEY, SEATS


def pairs(path: Path) -> list[tuple[bytes, bytes]]:
    """(key, nonce) of every whole seal of a file; that they are those is proved by opening each."""
    seat = path.name.split(".")[0]
    with SegmentReader(path, KEYS.get(seat, ROOM_KEY)) as reader:
        opened = [seal.index for seal in reader.seals() if seal.plain is not None]
        header = reader.report.header
        if header is None:
            return []
        assert not reader.report.damaged
        assert (header.recording, header.seat) == (RECORDING, seat)
    key = layout.segment_key(KEYS.get(seat, ROOM_KEY), header)
    data = path.read_bytes()
    whole = [at for at, size in seals_of(path) if at + size <= len(data)]
    nonces = [bytes(4) + data[at + 12 : at + 20] for at in whole]
    assert nonces == [layout.nonce(index) for index in opened]
    return [(key, nonce) for nonce in nonces]


def killed(root: Path, kills: int, seed: int) -> None:
    command = [sys.executable, "-m", "tests.support.recorders", str(root), str(kills), str(seed)]
    subprocess.run(command, cwd=TOP, check=True, timeout=300)
    files = sorted((root / RECORDING).rglob("*.seg"))
    assert len(files) >= 2 * kills, "each start has made its own files"
    found = [pair for path in files for pair in pairs(path)]
    assert len(found) > len(files)
    assert len(set(found)) == len(found)
    assert {path.name.split(".")[0] for path in files} == {layout.ROOM, *SEATS}
    by_place = {(path.parent.name, path.name) for path in files}
    assert any(name.endswith(".0002.seg") for _, name in by_place), "an epoch was taken up again"


def test_no_pair_of_key_and_nonce_repeats_over_ten_kills(tmp_path: Path) -> None:
    killed(tmp_path, 10, 1)


@pytest.mark.long
def test_no_pair_of_key_and_nonce_repeats_over_a_hundred_kills(tmp_path: Path) -> None:
    killed(tmp_path, 100, 2)
