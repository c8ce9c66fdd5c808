"""`recordings verify`: any byte at all, any length, and with one part or another of the evidence gone."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.runtime.keystore import KeyStore
from tests.support.damage import Place, change_letter, cut, flip, flip_seal, remove
from tests.support.journals import RECORDING
from tests.support.verified import CAMERA, ONE, OTHER, SEG, prepare, report_of, told


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("whole")
    asyncio.run(prepare(data))
    return data


@pytest.fixture
def place(whole: Path, tmp_path: Path) -> Place:
    shutil.copytree(whole, tmp_path / "data")
    return Place(tmp_path / "data")


def stored_files(data: Path) -> list[Path]:
    """Everything that belongs to RECORDING or opens it."""
    folders = [f"journal/{RECORDING}", f"objects/recordings/{RECORDING}", f"keys/{RECORDING}", "secrets"]
    return sorted(path for folder in folders for path in (data / folder).rglob("*") if path.is_file())


def fuzz(data: Path, examples: int) -> None:
    """Change any one byte of any file, ask, put it back."""
    files = stored_files(data)
    assert len(files) >= 15

    @settings(max_examples=examples, deadline=None, derandomize=True, database=None)
    @given(st.integers(0, len(files) - 1), st.floats(0, 1, exclude_max=True), st.integers(1, 255))
    def any_byte(number: int, part: float, mask: int) -> None:
        path = files[number]
        good = path.read_bytes()
        flip(path, int(part * len(good)), mask)
        try:
            report = asyncio.run(report_of(data, RECORDING))
        finally:
            path.write_bytes(good)
        assert report["faults"], path
        assert report["chain"] == "broken"
        below = str(path.relative_to(data))
        assert below.startswith("secrets/") or any(fault["where"] == below for fault in report["faults"])

    any_byte()


def test_any_changed_byte_is_reported_in_its_file(place: Place) -> None:
    fuzz(place.data, 60)


@pytest.mark.long
def test_any_changed_byte_is_reported_in_its_file_a_thousand_times(place: Place) -> None:
    fuzz(place.data, 1000)


@pytest.mark.parametrize("size", [0, 1, 50, 127, 128, 300, -1])
async def test_a_segment_cut_anywhere_is_found(place: Place, size: int) -> None:
    for seat in ("room", ONE):
        cut(place.segment(seat), size)
    report = await report_of(place.data, RECORDING)
    assert report["chain"] == "cut_after_ack"
    named = {fault["where"] for fault in report["faults"] if fault["name"] == "cut_after_ack"}
    assert named == {f"journal/{RECORDING}/1/{seat}.0001.seg" for seat in ("room", ONE)}


async def test_without_the_journal_the_signed_manifest_and_the_tracks_answer(place: Place) -> None:
    remove(place.data / "journal" / RECORDING)
    report = await report_of(place.data, RECORDING)
    assert (report["chain"], report["faults"]) == ("intact", [])
    assert report["checked"]["journal"] is False
    assert (report["checked"]["manifest"], report["checked"]["tracks"]) == (True, 4)
    flip(place.object(CAMERA, 2), 500)
    report = await report_of(place.data, RECORDING)
    assert [told(fault) for fault in report["faults"]] == [
        f"g2/{CAMERA}: header_or_segment 0 = sealed_damaged"
    ]
    assert report["chain"] == "broken"


async def test_without_a_generation_the_journal_answers(place: Place) -> None:
    report = await report_of(place.data, OTHER)
    checked = report["checked"]
    assert (checked["journal"], checked["manifest"], checked["tracks"]) == (True, False, 0)
    assert report["generations"] == []
    camera = next(track for track in report["tracks"] if track["kind"] == "camera")
    assert camera["keys"]["count"] == 2
    assert camera["keys"]["p95_ms"] <= camera["keys"]["max_ms"] <= 2100


async def test_a_destroyed_key_is_noted_and_is_no_fault(place: Place) -> None:
    KeyStore.open(place.data).destroy(RECORDING, ONE)
    report = await report_of(place.data, RECORDING)
    assert report["chain"] == "intact"
    assert {(fault["name"], fault["verdict"]) for fault in report["faults"]} == {
        ("key_destroyed", "note"),
        ("withdrawn", "note"),  # its finished tracks, which an older manifest still lists
    }
    assert report["checked"]["keyless"] == [ONE]
    # without the key the chain still tells
    flip_seal(place.segment(ONE), 1, "ciphertext")
    report = await report_of(place.data, RECORDING)
    assert {told(fault) for fault in report["faults"]} == {
        f"{ONE}.destroyed: key = key_destroyed",
        f"g2/{ONE}-audio.webm.sealed: track = withdrawn",
        f"g2/{ONE}-camera.webm.sealed: track = withdrawn",
        f"{SEG}: seal 1 seal = bad_chain",
    }
    assert report["chain"] == "broken"


async def test_a_generation_that_was_never_committed_is_noted(place: Place) -> None:
    shutil.copytree(place.object("x", 2).parent, place.object("x", 3).parent)
    report = await report_of(place.data, RECORDING)
    assert report["chain"] == "intact"
    assert [(fault["name"], fault["verdict"]) for fault in report["faults"]] == [
        ("generation_uncommitted", "note")
    ]
    assert [(row["generation"], row["state"]) for row in report["generations"]] == [
        (2, "committed"), (3, "uncommitted")
    ]  # fmt: skip


def test_a_second_reader_checks_chains_and_signature_with_the_public_key_alone(place: Place) -> None:
    script = Path(__file__).parents[2] / "docs/examples/check_manifest.py"
    command = [
        sys.executable, str(script), str(place.object("manifest.json", 2)),
        str(place.data / "journal" / RECORDING), str(place.secret("signing.pub")),
    ]  # fmt: skip
    remove(place.data / "keys")
    remove(place.secret("kek"))
    remove(place.secret("signing.key"))
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(told) == 6
    assert all(line.endswith(" as signed") for line in told)
    flip_seal(place.segment(ONE), 1, "ciphertext")
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, f"{SEG} breaks at seal 2" in result.stdout) == (1, True)
    change_letter(place.object("manifest.json", 2), -20)
    assert subprocess.run(command, capture_output=True, text=True).returncode != 0
