"""Which passwords are taken: long enough and not one of the first that somebody would try. Pure.

NIST SP 800-63B, 5.1.1.2: a least length, a list of common and expected ones, no composition, no expiry.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib import resources
from typing import Final

SHORTEST: Final = 12
LONGEST: Final = 256
LEFT_OVER: Final = 6
"""So many characters must be left once everything expected is taken out."""
_RUNS: Final = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
_OWN: Final = ("hyeopjin", "협진")


def normalised(password: str) -> str:
    """NFKC: the same keys give the same password on every system, Hangul above all."""
    return unicodedata.normalize("NFKC", password)


def weakness(password: str, *about: str) -> str | None:
    """A refusal's code, or None. `about`: what a stranger knows of its owner, as address and name."""
    text = normalised(password)
    if len(text) < SHORTEST:
        return "password_short"
    folded = text.casefold()
    if _repeats(folded) or _runs(folded):
        return "password_common"
    for word in sorted({*_words(), *_known(about)}, key=len, reverse=True):
        folded = folded.replace(word, "")
    return "password_common" if len(folded) < LEFT_OVER else None


def _repeats(text: str) -> bool:
    """A few characters, or one short piece again and again."""
    return len(set(text)) <= 3 or any(
        (text[:size] * len(text)).startswith(text) for size in range(1, LEFT_OVER)
    )


def _runs(text: str) -> bool:
    """A row of the keyboard or of the alphabet, either way."""
    return any(text in run or text in run[::-1] for run in _RUNS)


def _known(about: tuple[str, ...]) -> set[str]:
    pieces = {
        piece
        for each in about
        for piece in "".join(c if c.isalnum() else " " for c in normalised(each).casefold()).split()
    }
    return {piece for piece in pieces if len(piece) >= 3}


@cache
def _words() -> frozenset[str]:
    text = resources.files("server.domain").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    lines = (normalised(line.strip()).casefold() for line in text.splitlines())
    return frozenset((*_OWN, *(line for line in lines if line and not line.startswith("#"))))
