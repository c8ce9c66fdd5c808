"""How far apart a picture's key frames lie: where nothing can be sought, and nothing seen after a loss."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence


def key_spacing(keys_ms: Sequence[int], present: Sequence[Sequence[int]]) -> dict[str, object]:
    """{"count", "max_ms", "p95_ms"}: time present from a key frame to the next, to the end of the track, and
    from its start to the first one. All in session ms; absence between two key frames does not count.
    """
    if not present:
        return {"count": len(keys_ms), "max_ms": None, "p95_ms": None}
    points = sorted([present[0][0], *keys_ms, present[-1][1]])
    spans = sorted(_shared(a, b, present) for a, b in itertools.pairwise(points))
    spans = [span for n, span in enumerate(spans) if span or n == len(spans) - 1]
    rank = max(0, math.ceil(0.95 * len(spans)) - 1)
    return {"count": len(keys_ms), "max_ms": spans[-1], "p95_ms": spans[rank]}


def _shared(begin: int, end: int, present: Sequence[Sequence[int]]) -> int:
    return sum(max(0, min(end, high) - max(begin, low)) for low, high in present)


def merged(spans: Iterable[Sequence[int]], hole: int) -> list[list[int]]:
    """Spans of several streams in order of time, those less than `hole` apart as one. After a reload the new
    stream may begin before the old one has ended.
    """
    found: list[list[int]] = []
    for begin, end in sorted(tuple(span) for span in spans):
        if found and begin - found[-1][1] <= hole:
            found[-1][1] = max(end, found[-1][1])
        else:
            found.append([begin, end])
    return found
