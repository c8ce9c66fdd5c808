"""Texts as pictures for films: name plates, panels, the line with the times. Hangul, Cyrillic, Latin.

The fonts are those of the pages (`static/vendor`, Noto Sans and Noto Sans KR, OFL), which come in slices of
Unicode ranges: each sign is drawn from the slice that has it. It must not decide what is said.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

VENDOR = Path(__file__).resolve().parents[2] / "static" / "vendor"
BOLD, PLAIN = 650, 450
PLATE_GROUND, PANEL_GROUND, BAR_GROUND = (5, 9, 11), (18, 29, 34), (11, 20, 24)
WHITE, SOFT, AMBER = (255, 255, 255), (200, 215, 221), (255, 196, 87)
BAR_WIDTH, BAR_HEIGHT = 1280, 36
DIGITS = "0123456789:"
CELL = 14
_FACE = re.compile(r"@font-face\s*{([^}]*)}")
_FAMILY = re.compile(r"font-family:\s*([^;]+);")
_FILE = re.compile(r"url\(([^)]+)\)")
_RANGE = re.compile(r"U\+([0-9A-Fa-f]+)(?:-([0-9A-Fa-f]+))?")
Paint = tuple[int, int, int]


class FontsMissingError(Exception):
    """The set-up has not bundled the fonts. `code`: fonts_missing."""

    code = "fonts_missing"


@dataclass(frozen=True, slots=True)
class Words:
    """A run of text in one style."""

    text: str
    weight: int = PLAIN
    paint: Paint = WHITE


@cache
def _slices() -> tuple[tuple[Path, tuple[tuple[int, int], ...]], ...]:
    try:
        css = (VENDOR / "fonts.css").read_text(encoding="utf-8")
    except OSError as error:
        raise FontsMissingError from error
    families: dict[str, list[tuple[Path, tuple[tuple[int, int], ...]]]] = {}
    for face in _FACE.findall(css):
        file, family = _FILE.search(face), _FAMILY.search(face)
        if file is None or family is None or "unicode-range" not in face:
            continue
        spans = _RANGE.findall(face.split("unicode-range", 1)[1])
        ranges = tuple((int(low, 16), int(high or low, 16)) for low, high in spans)
        families.setdefault(family[1], []).append((VENDOR / file[1], ranges))
    # Where ranges of one family overlap, the last rule counts (CSS Fonts 4, 5.2).
    return tuple(each for slices in families.values() for each in reversed(slices))


@cache
def _slice_of(sign: str) -> Path | None:
    code = ord(sign)
    for path, ranges in _slices():
        if any(low <= code <= high for low, high in ranges):
            return path
    return None


@cache
def _font(path: Path, size: int, weight: int) -> ImageFont.FreeTypeFont:
    try:
        font = ImageFont.truetype(str(path), size)
        font.set_variation_by_axes([weight])
    except OSError as error:
        raise FontsMissingError from error
    return font


def _runs(words: Words, size: int) -> list[tuple[str, ImageFont.FreeTypeFont]]:
    runs: list[tuple[str, Path]] = []
    for sign in words.text:
        path = _slice_of(sign) or (runs[-1][1] if runs else _slices()[0][0])
        if sign == " " and runs:
            path = runs[-1][1] if _slice_of(sign) is None else path
        if runs and runs[-1][1] == path:
            runs[-1] = (runs[-1][0] + sign, path)
        else:
            runs.append((sign, path))
    return [(text, _font(path, size, words.weight)) for text, path in runs]


def width_of(words: Words, size: int) -> int:
    """Pixels."""
    return round(sum(font.getlength(text) for text, font in _runs(words, size)))


def draw(image: Image.Image, x: int, base: int, words: Words, size: int) -> int:
    """Draws on the base line at `base`; the x where it ends."""
    pen, at = ImageDraw.Draw(image), float(x)
    for text, font in _runs(words, size):
        pen.text((at, base), text, font=font, fill=words.paint, anchor="ls")
        at += font.getlength(text)
    return round(at)


def fitted(words: Words, size: int, width: int) -> Words:
    """The words, cut with an ellipsis to what fits."""
    if width_of(words, size) <= width:
        return words
    text = words.text
    while text and width_of(Words(text + "…", words.weight), size) > width:
        text = text[:-1]
    return Words(text.rstrip() + "…", words.weight, words.paint)


def plate(name: str, role: str, size: int = 20, widest: int = 600) -> bytes:
    """A name plate as PNG: who, and what they are there."""
    pad = 12
    who = fitted(Words(name, BOLD), size, widest - 2 * pad)
    parts = [who]
    left = widest - 2 * pad - width_of(who, size) - pad
    if role and left > 60:
        parts.append(fitted(Words(role, PLAIN, SOFT), size - 3, left))
    widths = [width_of(part, size if n == 0 else size - 3) for n, part in enumerate(parts)]
    image = Image.new("RGB", (_even(sum(widths) + pad * (len(parts) + 1)), 36), PLATE_GROUND)
    x = pad
    for n, part in enumerate(parts):
        x = draw(image, x, 25, part, size if n == 0 else size - 3) + pad
    return _png(image)


def panel(lines: list[Words], size: int = 24, widest: int = 560) -> bytes:
    """Centred lines on the panel's ground, as PNG."""
    rows = [fitted(line, size, widest) for line in lines]
    widths = [width_of(row, size) for row in rows]
    image = Image.new("RGB", (_even(max(widths, default=2) + 2), 40 * max(1, len(rows))), PANEL_GROUND)
    for n, (row, width) in enumerate(zip(rows, widths, strict=True)):
        draw(image, (image.width - width) // 2, 40 * n + 29, row, size)
    return _png(image)


@dataclass(frozen=True, slots=True)
class BarPictures:
    """The line below without its clocks, the strip of digits, and where the clocks go."""

    picture: bytes
    digits: bytes
    wall_x: int
    session_x: int


def bar(date: str, zone: str, session: str, right: list[Words]) -> BarPictures:
    """`date` before the wall clock and `zone` after it, `session` before the session's clock; `right`: at the
    end.
    """
    image = Image.new("RGB", (BAR_WIDTH, BAR_HEIGHT), BAR_GROUND)
    base, size = 25, 18
    wall_x = _even(draw(image, 12, base, Words(date, PLAIN, SOFT), size) + 11)
    x = draw(image, wall_x + 8 * CELL + 8, base, Words(zone, PLAIN, SOFT), size)
    session_x = _even(draw(image, x + 32, base, Words(session, PLAIN, SOFT), size) + 11)
    end = BAR_WIDTH - 12
    for words in reversed(right):
        shown = fitted(words, size, max(0, end - session_x - 9 * CELL))
        end -= width_of(shown, size)
        draw(image, end, base, shown, size)
        end -= 20
    strip = Image.new("RGB", (CELL * len(DIGITS), BAR_HEIGHT), BAR_GROUND)
    for n, sign in enumerate(DIGITS):
        one = Words(sign, BOLD)
        draw(strip, n * CELL + (CELL - width_of(one, 20)) // 2, base, one, 20)
    return BarPictures(_png(image), _png(strip), wall_x, session_x)


def _even(value: int) -> int:
    return value + value % 2


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
