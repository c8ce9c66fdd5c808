"""The second reader in docs/examples, written from the document alone, reads what the recorder writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from media.recordstore.index import Journal
from tests.support.recorded import RECORDING, Person, in_order
from tests.support.studio import ROOM_KEY, Studio

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "unseal.py"
ANNA = Person("seat-synthetic-0001")


def unseal(path: Path, key: bytes) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(EXAMPLE), str(path), key.hex()], capture_output=True, text=True, cwd=path.parent
    )


def test_an_outsider_reads_every_packet_of_a_real_segment(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    wall = studio.wall_ns
    studio.session({ANNA.peer: in_order(ANNA.video(0.5, 3, wall), ANNA.audio(0.5, 3, wall))})
    (path,) = studio.files(ANNA.peer)
    done = unseal(path, studio.keys[ANNA.peer])
    assert done.returncode == 0, done.stderr
    told = [line.split() for line in done.stdout.splitlines()]
    with Journal(studio.journal, RECORDING, [1], studio.keys, ROOM_KEY) as journal:
        packets = {s.kind: journal.packets(s) for s in journal.survey(None).streams}
        sizes = {kind: [len(packet) for *_, packet in found] for kind, found in packets.items()}
    assert {kind for _, kind, _ in told} == {"audio", "camera"}
    for kind, found in sizes.items():
        assert [int(size) for _, told_kind, size in told if told_kind == kind] == found
    assert unseal(path, os.urandom(32)).returncode != 0
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert unseal(path, studio.keys[ANNA.peer]).returncode != 0
