"""How large a document and what comes of it may be, and the one error that a decoder raises."""

from __future__ import annotations

SMALL = 16 * 1024 * 1024
"""A document up to here is read whole, once; a larger one in ranges."""
MOST_PIXELS = 64_000_000
"""Of a picture that is decoded whole: 256 MB in the worst of forms."""
MOST_JPEG_PIXELS = 256_000_000
"""A JPEG is decoded at an eighth, a quarter or half of its size."""
MOST_PAGES = 5_000
MOST_FRAMES = 20_000
MOST_ENTRIES = 10_000
MOST_EXPANSION = 10
MOST_EXPANDED = 4 * 1024**3
LARGEST_ENTRY_SHOWN = 256 * 1024 * 1024
LONGEST_FILM_S = 24 * 3600
NARROWEST, WIDEST = 16, 2048
"""Widths of previews, in pixels."""
TALLEST = 4
"""A preview is at most so many times as tall as it was asked to be wide."""


class Unfit(Exception):  # noqa: N818 - what the document is
    """The document is refused (`code` as in `Inspection.refusal`), or page_unknown, or no_preview."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def height_for(width: int) -> int:
    """The tallest a preview of `width` may be."""
    return width * TALLEST
