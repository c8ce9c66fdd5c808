"""The rules of matching as a coordinator wrote them: `rules/*.toml` and `words.toml`, read and checked.

It must not judge a referral: `scoring.py` does. A rule that cannot be read stops the start with a sentence.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Final

from server.domain.matching.text import Vocabulary, folded, has_hangul, stem, words
from server.domain.referral_form import SPECIALTIES

LEVELS: Final = ("sure", "strong", "hint", "against")
LANGUAGES: Final = ("en", "ru", "ko")
OLDEST: Final = 120
CHILD: Final = 17  # up to this age


class RuleError(Exception):
    """A sentence for whoever edits the rules."""


@dataclass(frozen=True, slots=True)
class Term:
    """One word or name out of a rule. For Hangul `stems` is empty and `solid` is searched."""

    text: str
    stems: tuple[str, ...]
    solid: str  # without spaces, folded
    capitals: bool  # only when typed in capitals

    @property
    def hangul(self) -> bool:
        return not self.stems


@dataclass(frozen=True, slots=True)
class Rule:
    """What speaks for one sub-specialty (`oncology/breast`) and against it, and for whom it is."""

    place: str
    terms: Mapping[str, tuple[Term, ...]]  # level → terms
    ages: tuple[int, int] = (0, OLDEST)
    instead_of: tuple[str, ...] = ()  # places whose children come here, in the order of their names

    @property
    def specialty(self) -> str:
        return self.place.split("/")[0]

    @property
    def for_children(self) -> bool:
        return self.ages[1] <= CHILD


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything: the rules, the words about words, and the vocabulary that both make."""

    rules: tuple[Rule, ...]
    weights: Mapping[str, float]
    cues: Mapping[str, tuple[Term, ...]]  # "negation.before", "beside", "evidence", "red.cord", …
    vocabulary: Vocabulary = field(repr=False)
    digest: str = ""  # SHA-256 of the files: by which rules something was judged

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(rule.place for rule in self.rules)


def term(text: str) -> Term:
    """Raises RuleError for one that no text could hold."""
    if has_hangul(text):
        return Term(text, (), "".join(word.text for word in words(text)), capitals=False)
    parts = tuple(stem(word.text) for word in words(text))
    if not parts:
        raise RuleError(f"{text!r} holds no word")
    solid = "".join(parts)
    return Term(text, parts, solid, capitals=len(text) > 1 and text.isupper())


def _terms(where: str, rows: object) -> tuple[Term, ...]:
    """`{en: […], ru: […], ko: […]}` as terms, each once."""
    if not isinstance(rows, Mapping) or not set(rows) <= set(LANGUAGES):
        raise RuleError(f"{where}: give lists for {', '.join(LANGUAGES)}")
    found: dict[str, Term] = {}
    for language, texts in rows.items():
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise RuleError(f"{where}.{language}: a list of words in quotation marks")
        for text in texts:
            found.setdefault(text if text.isupper() else folded(text), term(text))
    return tuple(found.values())


def _rule(place: str, row: Mapping[str, Any]) -> Rule:
    unknown = set(row) - {*LEVELS, "ages", "instead_of"}
    if unknown:
        raise RuleError(
            f"{place}: {', '.join(sorted(unknown))} is none of {', '.join(LEVELS)}, ages, instead_of"
        )
    low, high = row.get("ages", (0, OLDEST))
    if not 0 <= low <= high <= OLDEST:
        raise RuleError(f"{place}: ages run from the youngest to the oldest, 0 to {OLDEST}")
    levels = {level: _terms(f"{place}.{level}", row.get(level, {})) for level in LEVELS}
    if not levels["sure"]:
        raise RuleError(f"{place}: nothing is sure")
    return Rule(place, levels, (low, high), tuple(row.get("instead_of", ())))


def parse(files: Mapping[str, str], about_words: str) -> Rules:
    """`files`: specialty → the text of its file. Raises RuleError."""
    rows: dict[str, Mapping[str, Any]] = {}
    try:
        for specialty, text in files.items():
            rows |= {f"{specialty}/{name}": row for name, row in tomllib.loads(text).items()}
        about = tomllib.loads(about_words)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"not TOML: {error}") from error
    rules = []
    for place, row in rows.items():
        shared = row.get("shared_with", place)
        if shared not in rows:
            raise RuleError(f"{place}: there is no {shared}")
        rules.append(_rule(place, rows[shared]))
    rules = _joined(rules)
    weights = {name: float(value) for name, value in about.pop("weights").items()}
    ordinary = [
        word.text for texts in about.pop("ordinary", {}).values() for text in texts for word in words(text)
    ]
    cues = dict(_cues(about))
    texts = "\0".join([*(files[name] for name in sorted(files)), about_words])
    digest = hashlib.sha256(texts.encode()).hexdigest()
    return Rules(tuple(rules), weights, cues, Vocabulary(_known(rules, cues), ordinary), digest)


def _joined(rules: list[Rule]) -> list[Rule]:
    """`instead_of` with its stars opened. Raises RuleError for a place that is none."""
    places = [rule.place for rule in rules]
    made = []
    for rule in rules:
        taken: set[str] = set()
        for wanted in rule.instead_of:
            found = {p for p in places if p == wanted or (wanted[-2:] == "/*" and p.startswith(wanted[:-1]))}
            if not found:
                raise RuleError(f"{rule.place}: instead_of names {wanted}, which is no place")
            taken |= found
        made.append(Rule(rule.place, rule.terms, rule.ages, tuple(sorted(taken))))
    return made


def _cues(about: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, tuple[Term, ...]]]:
    for name, row in about.items():
        if set(row) <= set(LANGUAGES):
            yield before + name, _terms(before + name, row)
        else:
            yield from _cues(row, f"{before}{name}.")


def _known(rules: list[Rule], cues: Mapping[str, tuple[Term, ...]]) -> Iterator[str]:
    for group in (*(terms for rule in rules for terms in rule.terms.values()), *cues.values()):
        for each in group:
            if not each.hangul:
                yield from (word.text for word in words(each.text))


@cache
def standard() -> Rules:
    """The rules this product comes with."""
    folder = resources.files("server.domain.matching")
    files = {
        name: folder.joinpath("rules", f"{name}.toml").read_text(encoding="utf-8") for name in SPECIALTIES
    }
    return parse(files, folder.joinpath("words.toml").read_text(encoding="utf-8"))
