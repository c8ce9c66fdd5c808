"""The forms' texts in further languages: `forms/words/<language>.toml`, beside the released files.

`[texts]` has the translation of each English text; `[of.<question>]` of those that mean something else there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

LANGUAGES: Final = ("kk", "uz", "mn")


@cache
def words(language: str) -> tuple[Mapping[str, str], Mapping[str, Mapping[str, str]]]:
    """A language's texts: those for anywhere, and those of single questions."""
    file = resources.files("server.domain").joinpath("forms", "words", f"{language}.toml")
    data = tomllib.loads(file.read_bytes().decode())
    return data.get("texts", {}), data.get("of", {})


def whole(texts: Mapping[str, str], question: str = "") -> dict[str, str]:
    """A form's text with the languages that stand beside it; one that has none is left out."""
    made = dict(texts)
    for language in LANGUAGES:
        anywhere, single = words(language)
        said = single.get(question, {}).get(texts["en"]) or anywhere.get(texts["en"])
        if said:
            made[language] = said
    return made
