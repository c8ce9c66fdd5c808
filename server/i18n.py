"""The Fluent catalogue that the pages use too, for what the server prints. A missing text shows its id."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fluent.runtime import FluentBundle, FluentResource

FOLDER = Path(__file__).resolve().parents[1] / "static" / "i18n"
LANGUAGES = ("ko", "ru", "kk", "uz", "mn", "en")
#: Who reads a language reads these too, before English; static/js/languages.js says the same.
NEAREST = {"kk": ("ru",), "uz": ("ru",), "mn": ("ru",)}


@cache
def _bundle(language: str) -> FluentBundle:
    bundle = FluentBundle([language], use_isolating=False)
    file = FOLDER / f"{language}.ftl"
    if file.is_file():
        bundle.add_resource(FluentResource(file.read_text(encoding="utf-8")))
    return bundle


def fallbacks(language: str) -> tuple[str, ...]:
    """The language itself, then those that are read where it has no text."""
    return tuple(dict.fromkeys((language, *NEAREST.get(language, ()), "en")))


def value_text(language: str, prefix: str, value: str) -> str:
    """What a code is called, e.g. `act-case-read`; as pages do, `…-other` for one that nobody knows."""
    message = f"{prefix}-{value.replace('_', '-')}"
    known = any(_bundle(each).has_message(message) for each in fallbacks(language))
    return text(language, message if known else f"{prefix}-other")


def text(language: str, message: str, **values: str | int) -> str:
    """The message in this language, else in the next that its readers know, else its id."""
    for each in fallbacks(language):
        bundle = _bundle(each)
        if bundle.has_message(message):
            pattern = bundle.get_message(message).value
            if pattern is not None:
                return str(bundle.format_pattern(pattern, values)[0])
    return message
