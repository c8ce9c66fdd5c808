"""A finaliser that is killed in the middle: the next one keeps what was whole, and the result is the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.recorded import Packet, Person, in_order
from tests.support.studio import Studio, track

ANNA = Person("seat-synthetic-0001")
BORIS = Person("seat-synthetic-0002", (200, 60, 60), 880, delay_ns=90_000_000)


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    studio = Studio(tmp_path)
    studio.session({person.peer: both(person, studio) for person in (ANNA, BORIS)})
    return studio


def both(person: Person, studio: Studio, begin_s: float = 0.5, seconds: float = 4.0) -> list[Packet]:
    wall = studio.wall_ns
    return in_order(person.video(begin_s, seconds, wall), person.audio(begin_s, seconds, wall))


def killed_after(studio: Studio, tracks: int) -> Path:
    """The output of a finaliser that was killed as soon as it had told of so many tracks."""
    studio.generation += 1
    studio.out = studio.root / f"g{studio.generation}"
    child = subprocess.Popen(
        [sys.executable, "-m", "media.finaliser"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin
    assert child.stdout
    child.stdin.write(studio.job(studio.out))
    child.stdin.close()
    told = 0
    while told < tracks:
        told += json.loads(child.stdout.readline())["progress"] == "track"
    child.kill()
    child.wait()
    child.stdout.close()
    assert not (studio.out / "manifest.json").exists()
    return studio.out


def go_on(studio: Studio) -> tuple[dict[str, Any], list[str]]:
    """Run the same job again into the same place; its result and the tracks it found finished."""
    done = subprocess.run(
        [sys.executable, "-m", "media.finaliser"],
        input=studio.job(studio.out),
        capture_output=True,
        timeout=60,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["ok"], done.stderr
    return lines[-1], [line["id"] for line in lines if line.get("kept")]


def hashes(result: dict[str, Any]) -> dict[str, str]:
    return {t["id"]: t["sha256"] for t in result["index"]["tracks"]}


def test_what_was_finished_is_not_made_again_and_the_result_is_the_same(studio: Studio) -> None:
    out = killed_after(studio, 2)
    before = {path.name: path.read_bytes() for path in out.glob("*.webm.sealed")}
    result, kept = go_on(studio)
    assert len(kept) >= 2, "a third may have been finished before the signal came"
    assert all(
        (out / f"{name}.webm.sealed").read_bytes() == before[f"{name}.webm.sealed"] for name in kept[:2]
    )
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ["index.json.sealed", "manifest.json", *(f"{name}.webm.sealed" for name in hashes(result))]
    )
    afresh = studio.finalise()
    assert hashes(afresh) == hashes(result)
    rows = [r["index"]["tracks"] for r in (result, afresh)]
    assert rows[0] == rows[1], "a kept row says the same as a new one"


@pytest.mark.parametrize("what", ["track", "ticket"])
def test_a_finished_track_that_does_not_read_back_is_made_again(studio: Studio, what: str) -> None:
    out = killed_after(studio, 1)
    (name,) = [p.name.split(".")[0] for p in sorted(out.glob("*.ticket.sealed"))][:1]
    path = out / (f"{name}.webm.sealed" if what == "track" else f"{name}.ticket.sealed")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    result, kept = go_on(studio)
    assert name not in kept
    assert hashes(result) == hashes(studio.finalise())


def test_a_journal_that_has_grown_makes_every_track_anew(studio: Studio) -> None:
    killed_after(studio, 2)
    studio.session({ANNA.peer: both(ANNA, studio, 8.0)})
    result, kept = go_on(studio)
    assert kept == []
    assert track(result, ANNA.peer, "audio")["duration_ms"] > 10_000


def test_a_seat_whose_key_has_gone_in_between_leaves_no_track(studio: Studio) -> None:
    out = killed_after(studio, 2)
    assert list(out.glob(f"{ANNA.peer}-*"))
    del studio.keys[ANNA.peer]
    result, _ = go_on(studio)
    assert {t["peer"] for t in result["index"]["tracks"]} == {BORIS.peer}
    assert not list(out.glob(f"{ANNA.peer}-*"))
