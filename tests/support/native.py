"""Both ways of the packet path for one suite: Python's, and the compiled one."""

from __future__ import annotations

import functools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from media.ice.endpoint import Drain as DrainPort
from media.ice.hub import IceHub
from media.native.build import build, compiled
from media.native.drain import Drain
from media.native.library import Library, load, of_library

WAYS = ("python", "native")

Make = Callable[[IceHub], DrainPort] | None


@functools.cache
def library() -> Library:
    """The compiled path of the source as it is here; tests need a compiler anyway."""
    found = load()
    if found is None:
        assert build(), "no C compiler"
        load.cache_clear()
        found = load()
    assert found is not None
    return found


@functools.cache
def plain_library() -> Library:
    """The form for machines without Python's headers."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "libdrain.so"
        assert compiled(shutil.which("cc") or "", made)
        return of_library(made)


def drain(way: str) -> Make:
    """What `IceHub.open` takes as `drain`; "plain" is the native way without Python's headers."""
    if way == "python":
        return None
    return functools.partial(Drain, library() if way == "native" else plain_library())
