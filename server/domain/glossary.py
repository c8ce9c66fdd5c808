"""A case's glossary: terms in six languages, how they are cleaned, compared and found. Pure.

It must not know who may do what, nor any file format (`server/domain/glossary_file.py`).
"""

from __future__ import annotations

import unicodedata
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from server.domain.errors import Refused

LANGUAGES: Final = ("ko", "ru", "kk", "uz", "mn", "en")
MAX_TEXT: Final = 200
MAX_NOTE: Final = 500
MAX_TERMS: Final = 2_000
"""In one case: a glossary, not a dictionary."""
MAX_QUERY: Final = 100

#: Letters that no decomposition takes back to the one that a neighbour's keyboard has.
_LETTERS: Final = str.maketrans(
    {
        "ә": "а", "ғ": "г", "қ": "к", "ң": "н", "ө": "о", "ұ": "у", "ү": "у", "һ": "х", "і": "и", "ҳ": "х",
        "є": "е", "ґ": "г", "ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe",
        **dict.fromkeys("'`\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u2018\u2019\u201b\u2032", ""),
    }
)  # fmt: skip

#: What word processors leave between letters, unseen: soft hyphen, zero-width space and joiner, mark.
_DROPPED: Final = dict.fromkeys((0x00AD, 0x200B, 0x2060, 0xFEFF))


class WrongText(Exception):  # noqa: N818 - it is turned into a refusal or a file's problem
    """A text that cannot be a term: `control`, `too_long` or `empty`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Wording:
    """What a term says: texts by language, none of them empty, and a note for those who work with it."""

    texts: Mapping[str, str] = field(repr=False)
    note: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Term:
    """One entry of a case's glossary as it stands. `confirmed_by` is an account: a verified physician's."""

    id: str
    case_id: str
    version: int
    wording: Wording
    confirmed_by: str | None
    confirmed_ms: int | None
    changed_ms: int

    @property
    def texts(self) -> Mapping[str, str]:
        return self.wording.texts

    @property
    def note(self) -> str:
        return self.wording.note

    def reworded(self, wording: Wording, now_ms: int) -> Term:
        """The next version; confirmed no more when a text has changed."""
        stays = keeps_confirmation(self.wording, wording)
        by, at_ms = (self.confirmed_by, self.confirmed_ms) if stays else (None, None)
        return Term(self.id, self.case_id, self.version + 1, wording, by, at_ms, now_ms)


def cleaned(text: str, most: int) -> str:
    """One line, composed (NFC), without control and direction characters. Raises WrongText."""
    spaced = text.translate(_DROPPED).replace("\r\n", " ").replace("\n", " ").replace("\t", " ")
    words = " ".join(spaced.split())
    if len(words) > 4 * most:  # no four characters compose to less than one; marks without end take minutes
        raise WrongText("too_long")
    line = " ".join(unicodedata.normalize("NFC", words).split())
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn") for letter in line):
        raise WrongText("control")
    if len(line) > most:
        raise WrongText("too_long")
    return line


def wording_of(texts: Mapping[str, str], note: str) -> Wording:
    """What somebody typed as a term. Raises WrongText; `empty`: not one language has a text."""
    made = {language: cleaned(texts[language], MAX_TEXT) for language in LANGUAGES if texts.get(language)}
    made = {language: text for language, text in made.items() if text}
    if not made:
        raise WrongText("empty")
    return Wording(made, cleaned(note, MAX_NOTE))


def require_wording(texts: Mapping[str, str], note: str) -> Wording:
    """Raises Refused `bad_request` or `term_empty`."""
    try:
        return wording_of(texts, note)
    except WrongText as wrong:
        raise Refused("term_empty" if wrong.reason == "empty" else "bad_request") from None


def folded(text: str) -> str:
    """As it is searched: without case, accents, ё/е, Kazakh, Mongolian and Uzbek letters, apostrophes.

    Hangul stays taken apart (NFKD), so that a syllable half typed already finds the whole one.
    """
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(letter for letter in apart if unicodedata.category(letter) != "Mn")
    return " ".join(bare.translate(_LETTERS).split())


def search_text(wording: Wording) -> str:
    """All texts folded, one a line with a line's end before and after each: a prefix follows a line's end."""
    lines = [folded(wording.texts[language]) for language in LANGUAGES if language in wording.texts]
    return "\n" + "\n".join(lines) + "\n"


def rank(lines: str, query: str) -> int:
    """How well a term's `search_text` answers a folded query: 0 begins, 1 a word begins, 2 elsewhere."""
    if "\n" + query in lines:
        return 0
    return 1 if " " + query in lines else 2


def in_order(found: Iterable[tuple[str, Term]], query: str) -> list[Term]:
    """(search text, term) pairs, the best answers first; the same order whatever the database."""
    ranked = sorted(found, key=lambda pair: (rank(pair[0], query) if query else 0, pair[0], pair[1].id))
    return [term for _, term in ranked]


def keeps_confirmation(before: Wording, after: Wording) -> bool:
    """What a physician confirmed are the texts; the note may change beside them."""
    return dict(before.texts) == dict(after.texts)


def keys_of(wording: Wording) -> list[tuple[str, str]]:
    """(language, folded text) of every text."""
    return [(name, folded(wording.texts[name])) for name in LANGUAGES if name in wording.texts]


class Known:
    """A glossary's terms, to be found by what a file says: each is found once.

    A text is a term that there is already when they agree in the first of `LANGUAGES` that both have: one
    English word may be two in Korean. Terms lie by their languages, so that however many say the same in one
    of them, one look for each set of languages is enough.
    """

    def __init__(self, terms: Iterable[Term]) -> None:
        self._terms: dict[tuple[str, ...], dict[tuple[str, str], deque[tuple[int, Term]]]] = {}
        self._found: set[str] = set()
        for number, term in enumerate(terms):
            keys = keys_of(term.wording)
            texts = self._terms.setdefault(tuple(name for name, _ in keys), {})
            for key in keys:
                texts.setdefault(key, deque()).append((number, term))

    def take(self, wording: Wording) -> Term | None:
        """Of several the one that agrees in the earliest language, then the first of the glossary."""
        said = dict(keys_of(wording))
        near: list[tuple[int, int, Term]] = []
        for languages, texts in self._terms.items():
            both = next((name for name in said if name in languages), None)
            waiting = None if both is None else texts.get((both, said[both]))
            while waiting and waiting[0][1].id in self._found:
                waiting.popleft()
            if both is not None and waiting:
                near.append((LANGUAGES.index(both), *waiting[0]))
        if not near:
            return None
        term = min(near, key=lambda one: one[:2])[2]
        self._found.add(term.id)
        return term
