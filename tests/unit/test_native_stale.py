"""A compiled packet path that was left over from another version of the source."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from media.native import library

OTHER = 'const char *hj_source(void) { return "0123456789abcdef"; }'
"""Whatever else it has is laid out otherwise."""


def test_what_is_left_over_from_another_version_is_not_called_and_python_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = tmp_path / "libdrain.so"
    source = tmp_path / "other.c"
    source.write_text(OTHER)
    compiler = shutil.which("cc")
    assert compiler, "no C compiler"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(made), str(source)], check=True)
    monkeypatch.setattr(library, "MODULE", tmp_path / "none.so")
    monkeypatch.setattr(library, "RESULT", made)
    assert library.load.__wrapped__() is None
    assert "run deploy/setup.sh" in caplog.text
