"""Both ways of the packet path for one suite: Python's, and the compiled one."""

from __future__ import annotations

import functools
from collections.abc import Callable

from media.ice.endpoint import Drain as DrainPort
from media.ice.hub import IceHub
from media.native.build import build
from media.native.drain import Drain
from media.native.library import Library, load

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


def drain(way: str) -> Make:
    """What `IceHub.open` takes as `drain`."""
    return None if way == "python" else functools.partial(Drain, library())
