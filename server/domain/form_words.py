"""The forms' texts in further languages: `forms/words/<language>.toml`, beside the released files.

`[texts]` has the translation of each English text; `[of.<question>]` of those that mean something else there.
`non_answers` and `not_alone` add a language's words to those that `referral.py` refuses.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

LANGUAGES: Final = ("kk", "uz", "mn")


@cache
def _file(language: str) -> Mapping[str, Any]:
    file = resources.files("server.domain").joinpath("forms", "words", f"{language}.toml")
    return tomllib.loads(file.read_bytes().decode())


def words(language: str) -> tuple[Mapping[str, str], Mapping[str, Mapping[str, str]]]:
    """A language's texts: those for anywhere, and those of single questions."""
    return _file(language)["texts"], _file(language)["of"]


def non_answers() -> Sequence[str]:
    """Words that are no answer, in the languages of this file."""
    return [word for language in LANGUAGES for word in _file(language)["non_answers"]]


def not_alone(question: str) -> Sequence[str]:
    """Words that are no answer to this question if nothing else is said."""
    return [word for language in LANGUAGES for word in _file(language)["not_alone"].get(question, ())]


def whole(texts: Mapping[str, str], question: str = "") -> dict[str, str]:
    """A form's text with the languages that stand beside it; one that has none is left out."""
    made = dict(texts)
    for language in LANGUAGES:
        anywhere, single = words(language)
        said = single.get(question, {}).get(texts["en"]) or anywhere.get(texts["en"])
        if said:
            made[language] = said
    return made
