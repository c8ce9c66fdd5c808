"""Names across scripts: whether Нурлан Ахметов, Nurlan Akhmetov and 누를란 아흐메토프 may be one name. Pure.

By the consonants that survive all three spellings. Hangul has neither f, v, z nor clusters, Kazakh and Uzbek
have letters that Russian lacks, passports write each in several ways; what differs only in that is the same
key. It errs towards "perhaps the same": what it finds is shown to somebody who decides, never acted upon.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from itertools import permutations
from typing import Final

_CYRILLIC: Final = {
    "б": "b", "в": "v", "г": "g", "ғ": "g", "д": "d", "ж": "j", "з": "z", "й": "", "к": "k", "қ": "k",
    "л": "l", "м": "m", "н": "n", "ң": "n", "п": "p", "р": "r", "с": "s", "т": "t", "ф": "f", "х": "h",
    "һ": "h", "ҳ": "h", "ц": "s", "ч": "j", "ш": "s", "щ": "s", "ў": "", "ќ": "k",
}  # fmt: skip
_INITIALS: Final = (
    "g", "gg", "n", "d", "dd", "r", "m", "b", "bb", "s", "ss", "", "j", "jj", "c", "k", "t",
    "p", "h",
)  # fmt: skip
_FINALS: Final = (
    "", "g", "gg", "gs", "n", "nj", "nh", "d", "l", "lg", "lm", "lb", "ls", "lt",
    "lp", "lh", "m", "b", "bs", "s", "ss", "ng", "j", "c", "k", "t", "p", "h",
)  # fmt: skip
#: Spellings of one sound, the longer ones first; the sounds that a neighbour's script cannot tell apart.
_SPELLINGS: Final = (
    ("shch", "s"), ("dzh", "j"), ("kh", "h"), ("gh", "g"), ("zh", "j"), ("ch", "j"), ("sh", "s"), ("ts", "s"),
    ("tz", "s"), ("ph", "f"), ("ck", "k"), ("ks", "k"), ("ng", "n"), ("x", "k"), ("q", "k"), ("w", ""),
    (
    "c", "j"), ("f", "p"), ("v", "p"), ("b", "p"), ("z", "j"), ("g", "k"), ("h", "k"), ("d", "t"), ("l", "r"),
)  # fmt: skip
MOST_JOINED: Final = 4
_KEPT: Final = frozenset("kntrmpsj")
_SILENT: Final = frozenset(["oglu", "ogly", "kizi", "kyzy", "qizi", "uly"])
"""Son or daughter of, as some passports write it and others leave out."""


def sounds(name: str) -> frozenset[str]:
    """A key for each word of a name; the order of family name and given name does not matter."""
    apart = unicodedata.normalize("NFKC", name).casefold()
    words = "".join(letter if letter.isalpha() else " " for letter in _joined(apart)).split()
    return frozenset(key for key in map(_key, words) if key)


def alike(one: frozenset[str], other: frozenset[str]) -> int:
    """2: every word of the shorter name is in the longer one; 1: some are; 0: none, or nothing to compare."""
    if not one or not other:
        return 0
    fewer, more = sorted((one, other), key=len)
    if fewer <= more:
        return 2
    if not _joined_up(one).isdisjoint(_joined_up(other)):  # Hangul writes a whole name as one word
        return 2
    return 1 if fewer & more else 0


def _joined_up(words: frozenset[str]) -> set[str]:
    """The words written together, in any order; of a long name none."""
    return {_once("".join(order)) for order in permutations(words)} if len(words) <= MOST_JOINED else set()


def _joined(text: str) -> str:
    return "".join(letter for letter in text if letter not in "'`ʻʼ’‘´ьъ-")


def _key(word: str) -> str:
    if word in _SILENT:
        return ""
    plain = "".join(_letter(letter) for letter in word)
    bare = "".join(
        letter for letter in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(letter)
    )
    for spelling, sound in _SPELLINGS:
        bare = bare.replace(spelling, sound)
    return _once(letter for letter in bare if letter in _KEPT) or "-"  # vowels alone: «Ия» is a name too


def _once(letters: Iterable[str]) -> str:
    made = ""
    for letter in letters:
        if not made.endswith(letter):
            made += letter
    return made


def _letter(letter: str) -> str:
    if "가" <= letter <= "힣":
        initial, rest = divmod(ord(letter) - 0xAC00, 21 * 28)
        return _INITIALS[initial] + "a" + _FINALS[rest % 28]
    if "\u0400" <= letter <= "\u052f":
        return _CYRILLIC.get(letter, "a")
    return letter
