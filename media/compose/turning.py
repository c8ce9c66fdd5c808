"""How a phone was held: from when on pictures must be turned clockwise, and turning them.

A picture is turned as late as possible: when it has its size in the film already, or is a still. It must not
decode anything.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from PIL import Image

from .canvas import Patch, Rect, Scaler

_AGAINST_THE_CLOCK = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}
"""Degrees clockwise -> Pillow's name, which counts the other way."""
GRAIN_MS = 1.5
"""The index and a file's own times are each rounded to a millisecond; two frames are further apart."""


class Rotations:
    """A track's `rotations` as the index has them: [from ms, degrees], in order of time."""

    def __init__(self, rows: Sequence[Sequence[int]] = ()) -> None:
        ordered = sorted((int(from_ms), int(degrees) % 360) for from_ms, degrees in rows)
        self._from = [from_ms for from_ms, _ in ordered]
        self._degrees = [degrees for _, degrees in ordered]
        if any(degrees and degrees not in _AGAINST_THE_CLOCK for degrees in self._degrees):
            raise ValueError("rotation")

    def at(self, frame_ms: float) -> int:
        """By how many degrees the frame of that session time is to be turned clockwise: 0, 90, 180, 270."""
        past = bisect_right(self._from, frame_ms + GRAIN_MS)
        return self._degrees[past - 1] if past else 0


def fit_upright(scaler: Scaler, frame: Any, degrees: int, rect: Rect) -> tuple[Patch, Rect]:
    """The frame, turned, at its largest inside `rect`, and where it lies."""
    if not degrees:
        return scaler.fit(frame, rect)
    width, height = frame.width, frame.height
    sideways = degrees % 180 != 0
    place = rect.inside(height, width) if sideways else rect.inside(width, height)
    lying = Rect(0, 0, place.h, place.w) if sideways else Rect(0, 0, place.w, place.h)
    return _turned(scaler.resize(frame, lying.w, lying.h), degrees), place


def _turned(patch: Patch, degrees: int) -> Patch:
    planes = []
    for (data, line_size), half in zip(patch.planes, (1, 2, 2), strict=True):
        size = (patch.w // half, patch.h // half)
        plane = Image.frombuffer("L", size, bytes(data), "raw", "L", line_size, 1)
        turned = plane.transpose(_AGAINST_THE_CLOCK[degrees])
        planes.append((memoryview(turned.tobytes()), turned.width))
    w, h = (patch.h, patch.w) if degrees % 180 else (patch.w, patch.h)
    return Patch(w, h, planes)


def upright(image: Image.Image, degrees: int) -> Image.Image:
    """A whole picture, turned clockwise."""
    return image.transpose(_AGAINST_THE_CLOCK[degrees]) if degrees else image
