"""Python runs this before anything else where this folder is on PYTHONPATH: a fault for a worker under test.

While the file that HYEOPJIN_TEST_STARVE names holds `PEER KIND`, packets of that one track never enter the
recorder, although the relay has them and forwards them. The product knows nothing of it: the method is
wrapped when its module has been imported.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

MODULE = "media.recorder"
LOOK_EVERY_S = 0.05


class Starve:
    """The recorder's way in, with a gate that the file opens and shuts."""

    def __init__(self, whole: Any, order: Path) -> None:
        self._whole, self._order = whole, order
        self._looked, self._starved = -1.0, ""

    def rtp(self, recorder: Any, peer: str, kind: str, *more: Any) -> None:
        now = time.monotonic()
        if now - self._looked > LOOK_EVERY_S:
            self._looked = now
            self._starved = self._order.read_text() if self._order.exists() else ""
        if self._starved != f"{peer} {kind}":
            self._whole(recorder, peer, kind, *more)


class Loader(importlib.abc.Loader):
    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        recorder = vars(module)["RoomRecorder"]
        gate = Starve(recorder.rtp, Path(os.environ["HYEOPJIN_TEST_STARVE"]))
        recorder.rtp = lambda self, *args: gate.rtp(self, *args)


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = Loader(spec.loader)
        return spec


if "HYEOPJIN_TEST_STARVE" in os.environ:
    sys.meta_path.insert(0, Finder())
