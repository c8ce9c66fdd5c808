"""What lies in the receipts' folder and is no receipt."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from server.runtime.receipts import Receipts


@pytest.mark.parametrize(
    "make",
    [os.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.write_text("[]")],
)
def test_what_is_no_receipt_is_malformed_and_nobody_waits_for_it(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "00000001.json")
    receipts = Receipts(tmp_path, b"k" * 32)
    (found,) = receipts.all()
    assert (found.number, found.faults) == (1, ("receipt_malformed",))
    assert receipts.of("a-destruction") is None
