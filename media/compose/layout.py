"""Where the tiles of a film lie, and who is the one that speaks. Pure arithmetic, ms and pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .canvas import Rect

WIDTH, HEIGHT, FPS = 1280, 720, 15
BAR = 36
"""The line with the times, at the bottom."""
AREA = Rect(0, 0, WIDTH, HEIGHT - BAR)
STRIP = 256
STRIP_TILE = 144
EDGE = 4

LOUDER = 1.6
"""Somebody else must be so many times as loud as the one shown ..."""
TAKES_MS = 600
"""... for so long, to be shown instead; ..."""
STAYS_MS = 2000
"""... and whoever came to be shown stays at least so long."""
FLOOR = 200.0
"""Mean magnitude of 16-bit samples below which nobody speaks (about -44 dBFS)."""
SMOOTH = 0.35


def grid(count: int, area: Rect = AREA) -> list[Rect]:
    """Equal tiles in rows, the last row centred."""
    if count == 0:
        return []
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    w, h = area.w // columns & ~1, area.h // rows & ~1
    found = []
    for n in range(count):
        row, column = divmod(n, columns)
        here = min(columns, count - row * columns)
        left = area.x + ((area.w - here * w) // 2 & ~1) + column * w
        found.append(_shrunk(Rect(left, area.y + row * h, w, h)))
    return found


def speaker(count: int, active: int, area: Rect = AREA) -> list[Rect]:
    """The active one large, the others in a strip at the right, in their order."""
    if count <= 1:
        return grid(count, area)
    h = min(STRIP_TILE, area.h // (count - 1)) & ~1
    top = area.y + ((area.h - h * (count - 1)) // 2 & ~1)
    main = _shrunk(Rect(area.x, area.y, area.w - STRIP, area.h))
    others = [
        _shrunk(Rect(area.x + area.w - STRIP, top + n * h, STRIP, h), EDGE // 2) for n in range(count - 1)
    ]
    return [*others[:active], main, *others[active:]]


def _shrunk(rect: Rect, by: int = EDGE) -> Rect:
    return Rect(rect.x + by, rect.y + by, rect.w - 2 * by, rect.h - 2 * by)


class Speaking:
    """Who is shown large: by loudness, with hysteresis, so that a cough changes nothing."""

    def __init__(self, count: int) -> None:
        self.active = 0
        self._levels = [0.0] * count
        self._since_ms = -math.inf
        self._rival: int | None = None
        self._rival_since_ms = 0.0

    def hear(self, levels: Sequence[float], now_ms: float) -> int:
        """Mean magnitudes by tile (0 where there is no voice) → index of the active tile."""
        self._levels = [old + SMOOTH * (new - old) for old, new in zip(self._levels, levels, strict=True)]
        if not self._levels:
            return 0
        loudest = max(range(len(self._levels)), key=self._levels.__getitem__)
        level = self._levels[loudest]
        if loudest == self.active or level < FLOOR or level < LOUDER * self._levels[self.active]:
            self._rival = None
            return self.active
        if self._rival != loudest:
            self._rival, self._rival_since_ms = loudest, now_ms
        if now_ms - self._rival_since_ms >= TAKES_MS and now_ms - self._since_ms >= STAYS_MS:
            self.active, self._since_ms, self._rival = loudest, now_ms, None
        return self.active
