"""Reads a referral's text as words: three languages in two alphabets and Hangul, endings, cuts, typos.

It must not know any medicine: which words count is in the rules. Nothing here keeps or logs what it reads.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

#: From how many letters on a word may be misspelt: by one letter, by two.
ONE_TYPO, TWO_TYPOS = 6, 9
#: From how many letters on a word that ends in a full stop is read as the beginning of a longer one.
CUT = 4
#: A longer one is no misspelt word of ours; trying its letters would take minutes.
LONGEST = 30

_WORD: Final = re.compile(r"[a-zа-яәғқңөұүһі0-9]+|[가-힣]+|[.,;:?!\n()]")
_HANGUL: Final = re.compile(r"[가-힣]")
_CYRILLIC: Final = re.compile(r"[а-яәғқңөұүһі]")
_LATIN: Final = re.compile(r"[a-z]")

# Letters that look the same in both alphabets: whoever types fast does not change the keyboard.
_ALIKE = dict(zip("aceopxyktmhbu", "асеорхуктмнви", strict=True))
_TO_CYRILLIC: Final = str.maketrans(_ALIKE)
_TO_LATIN: Final = str.maketrans({v: k for k, v in _ALIKE.items()})

_LETTERS = "a b v g d e z i i k l m n o p r s t u f h c ch sh sh - i - e iu ia"
_LATIN_OF: Final = dict(
    zip(
        "абвгдезийклмнопрстуфхцчшщъыьэюя",
        _LETTERS.split(" "),
        strict=True,
    )
) | {"ж": "zh", "ъ": "", "ь": ""}
_ENDINGS = (  # the longest first
    "иями ями ами ого ему ому его ыми ими иях ях ах ией ием ию ия ии ие ий ый ой ей ая яя ое ее ые ую юю ом"
    " ем ам ям ых их ым им ов ев ью ья ье а я о е ы и у ю ь й"
)
_RU_ENDINGS: Final = tuple(_ENDINGS.split(" "))
_SQUEEZE: Final = (
    ("shch", "sh"), ("sch", "sh"), ("kh", "h"), ("ts", "c"), ("tz", "c"), ("ya", "ia"), ("ja", "ia"),
    ("yu", "iu"), ("ju", "iu"), ("yo", "e"), ("y", "i"), ("j", "i"), ("x", "h"), ("ii", "i"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """One word as typed (lower case) with the number of its sentence and of its clause in the whole text."""

    text: str = field(repr=False)
    sentence: int
    clause: int
    cut: bool = False  # a full stop follows
    capitals: bool = False  # typed in capitals: an abbreviation
    asked: bool = False  # its sentence ends with a question mark that is not in brackets


def folded(text: str) -> str:
    """Lower case, one form of each letter: ё is е, wide letters are narrow, Hangul is composed."""
    return unicodedata.normalize("NFKC", text).lower().replace("ё", "е").replace("’", "'")


def words(text: str) -> list[Word]:
    """The words of a text, in order. A full stop ends a sentence only before a capital letter."""
    plain = unicodedata.normalize("NFKC", text)
    found: list[Word] = []
    sentence = clause = bracket = 0
    low = folded(plain)
    # `lower` keeps the length for our alphabets; where it does not, capitals are not looked at.
    capitals = plain if len(plain) == len(low) else low
    for match in _WORD.finditer(low):
        piece = match.group()
        if piece in ".,;:?!\n()":
            if piece == "." and found and low[match.start() - 1 : match.start()].isalnum():
                last = found[-1]
                found[-1] = replace(last, cut=True)
            bracket += {"(": 1, ")": -1}.get(piece, 0)
            if piece == "?" and bracket <= 0:
                _ask(found, sentence)
            after = capitals[match.end() : match.end() + 2].strip()
            if piece in ";?!\n" or (piece == "." and after[:1].isupper()):
                sentence += 1
            if piece != "." or after[:1].isupper():
                clause += 1
            continue
        typed = capitals[match.start() : match.end()]
        found.append(
            Word(_one_alphabet(piece), sentence, clause, capitals=len(piece) > 1 and typed.isupper())
        )
    return found


def _ask(found: list[Word], sentence: int) -> None:
    for number in range(len(found) - 1, -1, -1):
        if found[number].sentence != sentence:
            return
        found[number] = replace(found[number], asked=True)


def _one_alphabet(word: str) -> str:
    """`тepaпия` with Latin e, p, a → Cyrillic; a lone Cyrillic letter in a Latin word → Latin."""
    cyrillic, latin = len(_CYRILLIC.findall(word)), len(_LATIN.findall(word))
    if not cyrillic or not latin:
        return word
    return word.translate(_TO_CYRILLIC if cyrillic >= latin else _TO_LATIN)


def stem(word: str) -> str:
    """The word without its ending. Russian: the longest that leaves three letters; English: plural s."""
    if _CYRILLIC.search(word):
        for ending in _RU_ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) >= 3:
                return word[: -len(ending)]
        return word
    if word.isascii() and len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def in_latin(word: str) -> str:
    """A Russian word as people without a Cyrillic keyboard write it, squeezed to one spelling."""
    return squeezed("".join(_LATIN_OF.get(letter, letter) for letter in word))


def squeezed(word: str) -> str:
    for before, after in _SQUEEZE:
        word = word.replace(before, after)
    return word


_LATIN_ENDINGS: Final = frozenset(in_latin(ending) for ending in _RU_ENDINGS) | {""}


_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
_SOUNDS = "ао еи иы ея эе сз тд бп гк жш кх вф ea ei iy sc ck sz td bp gk vf vb ou ie"


def _pairs() -> Iterator[tuple[str, str]]:
    """Letters that are taken for each other: neighbours on a keyboard, and alike to the ear."""
    for row in _ROWS:
        yield from pairwise(row)
    for upper, lower in (*pairwise(_ROWS[:3]), *pairwise(_ROWS[3:])):
        for place, letter in enumerate(lower):
            yield from ((letter, upper[near]) for near in (place, place + 1) if near < len(upper))
    yield from ((pair[0], pair[1]) for pair in _SOUNDS.split(" "))


_CONFUSED: Final = frozenset(pair for one in _pairs() for pair in (one, one[::-1]))


def distance(one: str, other: str, most: int) -> int:
    """Damerau's: letters added, lost, changed, two swapped; `most + 1` as soon as it is more.

    A letter becomes only one that it may be taken for: "мокрота" is no "микротия".
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(other, 1):
            change = 0 if letter == wanted else 1 if (letter, wanted) in _CONFUSED else 2
            cost = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + change)
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def begins_nearly(text: str, wanted: str) -> bool:
    """Whether it begins with what is wanted, or would but for one letter changed, added, lost, or swapped."""
    right = 0
    while text[right : right + 1] == wanted[right : right + 1] != "":
        right += 1
    rest, missing = text[right:], wanted[right:]
    lost, swapped = missing[1:], missing[1::-1] + missing[2:]
    return rest[1:].startswith((missing[1:], missing)) or rest.startswith((lost, swapped))


def _shortened(word: str, most: int) -> set[str]:
    """The word, and what is left of it without one (or two) letters."""
    found = {word}
    for _ in range(most):
        found |= {short[:gone] + short[gone + 1 :] for short in found for gone in range(len(short))}
    return found


def allowed_typos(letters: int) -> int:
    return 2 if letters >= TWO_TYPOS else 1 if letters >= ONE_TYPO else 0


class Vocabulary:
    """Every word that some rule knows, found again in whatever way it was typed."""

    def __init__(self, known: Iterable[str], ordinary: Iterable[str] = ()) -> None:
        self._ordinary = {stem(word) for word in ordinary}
        letters: dict[str, int] = {}
        for word in known:
            bare = stem(word)
            letters[bare] = max(letters.get(bare, 0), len(word))
        self._letters = letters
        self._sorted = sorted(letters)
        self._latin: dict[str, set[str]] = {}
        self._near: dict[str, set[str]] = {}
        for each, length in letters.items():
            if _CYRILLIC.search(each) and len(each) >= CUT:
                self._latin.setdefault(in_latin(each), set()).add(each)
            for short in _shortened(each, min(allowed_typos(length), allowed_typos(len(each) + 1))):
                if short != each:
                    self._near.setdefault(short, set()).add(each)

    def meant(self, word: Word) -> frozenset[str]:
        """The known stems that a typed word can be. Exact beats cut beats Latin beats typo."""
        return frozenset(self._meant(word.text, word.cut))

    def _meant(self, text: str, cut: bool) -> set[str]:
        bare = stem(text)
        if bare in self._letters:
            found = {bare}
            return found | self._begun(text) if cut and len(text) >= CUT else found
        if cut and len(text) >= CUT and (found := self._begun(text)):
            return found
        if bare in self._ordinary:
            return set()
        if text.isascii() and text.isalpha() and (found := self._from_latin(text)):
            return found
        return self._misspelt(bare, len(text))

    def _begun(self, text: str) -> set[str]:
        start = bisect_left(self._sorted, text)
        found = set()
        for each in self._sorted[start:]:
            if not each.startswith(text):
                break
            found.add(each)
        return found

    def _from_latin(self, text: str) -> set[str]:
        plain = squeezed(text)
        for end in range(len(plain), CUT - 1, -1):
            if plain[end:] in _LATIN_ENDINGS and (found := self._latin.get(plain[:end])):
                return set(found)
        return set()

    def _misspelt(self, bare: str, length: int) -> set[str]:
        most = min(allowed_typos(length), allowed_typos(len(bare) + 1))
        if not most or len(bare) > LONGEST or not bare.isalpha():
            return set()
        close: dict[int, set[str]] = {}
        for short in _shortened(bare, most):
            candidates = self._near.get(short, set()) | ({short} & self._letters.keys())
            for each in candidates:
                may = min(most, allowed_typos(self._letters[each]))
                if each[0] == bare[0] and (far := distance(bare, each, may)) <= may:
                    close.setdefault(far, set()).add(each)
        return close[min(close)] if close else set()


def has_hangul(text: str) -> bool:
    return bool(_HANGUL.search(text))
