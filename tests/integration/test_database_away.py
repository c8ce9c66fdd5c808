"""A data directory whose database cannot be opened: a sentence, never a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.demo import TOP


@pytest.mark.parametrize("words", ["recordings verify", "doctor"])
def test_a_database_that_cannot_be_opened_is_said_in_a_sentence(tmp_path: Path, words: str) -> None:
    (tmp_path / "hyeopjin.sqlite3").touch()
    (
        tmp_path / "hyeopjin.sqlite3-journal"
    ).mkdir()  # as with a folder that is read-only: no journal can be made
    done = subprocess.run(
        [sys.executable, "-m", "server", *words.split(), "--data", str(tmp_path)],
        cwd=TOP, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 2
    assert "database cannot be used" in done.stderr
