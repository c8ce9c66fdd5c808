"""Faults that a test puts into a process it starts, from outside."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Starving:
    """Takes one track away from the recorder of a server that was started with `env`."""

    order: Path

    @property
    def env(self) -> dict[str, str]:
        before = os.environ.get("PYTHONPATH")
        path = str(FOLDER) if not before else f"{FOLDER}{os.pathsep}{before}"
        return {"HYEOPJIN_TEST_STARVE": str(self.order), "PYTHONPATH": path}

    @contextlib.contextmanager
    def of(self, peer: str, kind: str) -> Iterator[None]:
        """For the length of a block."""
        written = self.order.with_suffix(".new")
        written.write_text(f"{peer} {kind}")
        written.replace(self.order)
        try:
            yield
        finally:
            self.order.unlink()
