"""A picture being put together: planar YUV 4:2:0 in memory, rectangles copied in row by row.

Everything painted is opaque and lies on even coordinates. It must not know what it shows.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import av
from av.video.reformatter import VideoReformatter
from PIL import Image

Colour = tuple[int, int, int]
"""Y, U, V in BT.601, limited range, as cameras and VP8 have it."""
GROUND: Colour = (26, 132, 124)
PANEL: Colour = (38, 132, 123)


@dataclass(frozen=True, slots=True)
class Rect:
    """In pixels; all four are even."""

    x: int
    y: int
    w: int
    h: int

    def inside(self, width: int, height: int) -> Rect:
        """The largest rectangle of the given proportions within this one, centred."""
        scale = min(self.w / max(1, width), self.h / max(1, height))
        w, h = _even(max(2.0, width * scale)), _even(max(2.0, height * scale))
        return Rect(self.x + _even((self.w - w) / 2), self.y + _even((self.h - h) / 2), w, h)


def _even(value: float) -> int:
    return int(value) & ~1


@dataclass(frozen=True, slots=True)
class Patch:
    """An opaque picture in planes: bytes and bytes per row of Y, U and V."""

    w: int
    h: int
    planes: Sequence[tuple[memoryview, int]]

    @classmethod
    def of_frame(cls, frame: Any) -> Patch:
        """A frame in yuv420p."""
        planes = [(memoryview(plane), plane.line_size) for plane in frame.planes]
        return cls(frame.width & ~1, frame.height & ~1, planes)

    @classmethod
    def of_png(cls, png: bytes, width: int | None = None, scale: float = 1.0) -> Patch:
        """A PNG made smaller by `scale` and then cut to `width`."""
        with Image.open(io.BytesIO(png)) as opened:
            image = opened.convert("RGB")
        w, h = max(2, _even(image.width * scale)), max(2, _even(image.height * scale))
        if (w, h) != image.size:
            image = image.resize((w, h), Image.Resampling.LANCZOS)
        if width is not None and width < w:
            image = image.crop((0, 0, _even(width), h))
        picture: Any = av.VideoFrame
        frame = picture.from_image(image).reformat(
            format="yuv420p", dst_colorspace="ITU601", dst_color_range="MPEG"
        )
        return cls.of_frame(frame)


class Canvas:
    """Width and height are even."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        half = (width // 2) * (height // 2)
        self._planes = (bytearray(width * height), bytearray(half), bytearray(half))
        self.fill(Rect(0, 0, width, height), GROUND)

    def fill(self, rect: Rect, colour: Colour) -> None:
        """One colour."""
        for plane, value, (x, y, w, h, stride) in zip(self._planes, colour, self._places(rect), strict=True):
            row = bytes((value,)) * w
            for line in range(y, y + h):
                start = line * stride + x
                plane[start : start + w] = row

    def paint(self, patch: Patch, x: int, y: int, within: Rect | None = None) -> None:
        """A patch with its upper left corner there, cut off at the end of `within`."""
        end_x = within.x + within.w if within else self.width
        end_y = within.y + within.h if within else self.height
        rect = Rect(x, y, max(0, min(patch.w, end_x - x)), max(0, min(patch.h, end_y - y)))
        for plane, place, (data, line_size) in zip(
            self._planes, self._places(rect), patch.planes, strict=True
        ):
            left, top, w, h, stride = place
            for line in range(h):
                start, source = (top + line) * stride + left, line * line_size
                plane[start : start + w] = data[source : source + w]

    def _places(self, rect: Rect) -> Sequence[tuple[int, int, int, int, int]]:
        half = (rect.x // 2, rect.y // 2, rect.w // 2, rect.h // 2, self.width // 2)
        return ((rect.x, rect.y, rect.w, rect.h, self.width), half, half)

    def frame(self) -> Any:
        """A copy as a frame."""
        frame = av.VideoFrame(self.width, self.height, "yuv420p")
        for plane, data, width in zip(
            frame.planes, self._planes, (self.width, self.width // 2, self.width // 2), strict=True
        ):
            if plane.line_size == width:
                plane.update(bytes(data))
                continue
            padded = bytearray(plane.buffer_size)
            for line in range(len(data) // width):
                start = line * plane.line_size
                padded[start : start + width] = data[line * width : (line + 1) * width]
            plane.update(bytes(padded))
        return frame


class Scaler:
    """Fits frames of changing sizes into a rectangle; keeps what the last conversion needed."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def fit(self, frame: Any, rect: Rect) -> tuple[Patch, Rect]:
        """The frame at its largest inside `rect`, and where it lies."""
        place = rect.inside(frame.width, frame.height)
        return self.resize(frame, place.w, place.h), place

    def resize(self, frame: Any, width: int, height: int) -> Patch:
        """The frame at exactly that size; both are even."""
        small = self._reformatter.reformat(
            frame, width=width, height=height, format="yuv420p", interpolation="BILINEAR"
        )
        return Patch.of_frame(small)
