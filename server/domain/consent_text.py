"""What people agree to or refuse: texts by purpose, version and language. Data (`consent_texts/`), read once.

What the files' keys mean is in `consent_texts/README.md`. It must not decide who has agreed.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from server.domain.errors import Refused

PURPOSES: Final = ("consultation", "recording", "transfer_abroad", "follow_up_review", "teaching")
#: What the law wants to be seen at once, in the order it is shown; `method` is a transfer's alone.
ITEMS: Final = ("recipient", "country", "items", "purpose", "method", "period", "refuse")
PLACEHOLDERS: Final = frozenset({"clinic", "recipient", "country", "years"})
#: Every version is there in these.
LEAST_LANGUAGES: Final = ("en", "ko", "ru", "kk", "uz", "mn")
_NAME = re.compile(r"([a-z_]+)-([1-9][0-9]*)\.([a-z]{2})\.toml")
_HOLE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Text:
    """One text as it is shown. `sha256`: of its file; `reviewed`: by a native medical and legal reviewer."""

    purpose: str
    version: int
    language: str
    reviewed: bool
    title: str
    summary: str
    body: tuple[str, ...]
    items: Mapping[str, str]
    sha256: str


@cache
def texts() -> Mapping[tuple[str, int, str], Text]:
    """Every text by (purpose, version, language). Raises ValueError for one that is not as released."""
    folder = resources.files("server.domain").joinpath("consent_texts")
    lines = folder.joinpath("released.txt").read_text(encoding="utf-8").splitlines()
    released = {name: digest for digest, name in (line.split() for line in lines)}
    found = {}
    for file in folder.iterdir():
        if not file.name.endswith(".toml"):
            continue
        content = file.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if released.pop(file.name, None) != digest:
            raise ValueError(f"consent text {file.name} is not the one that was released")
        text = read(file.name, tomllib.loads(content.decode()), digest)
        found[text.purpose, text.version, text.language] = text
    if released:
        raise ValueError(f"released consent texts are missing: {', '.join(sorted(released))}")
    return found


def read(name: str, content: Mapping[str, Any], digest: str) -> Text:
    """One file. Raises ValueError with what is wrong with it."""
    named = _NAME.fullmatch(name)
    text = Text(
        content["purpose"],
        content["version"],
        content["language"],
        content["reviewed"],
        content["title"],
        content["summary"],
        tuple(content["body"]),
        dict(content["items"]),
        digest,
    )
    if named is None or named.groups() != (text.purpose, str(text.version), text.language):
        raise ValueError(f"{name}: its name does not say what it holds")
    if text.purpose not in PURPOSES:
        raise ValueError(f"{name}: no such purpose")
    needed = [item for item in ITEMS if item != "method" or text.purpose == "transfer_abroad"]
    if list(text.items) != needed:
        raise ValueError(f"{name}: [items] must be {', '.join(needed)}, in this order")
    holes = {
        hole for words in (text.title, text.summary, *text.body, *text.items.values())
        for hole in _HOLE.findall(words)
    }  # fmt: skip
    if not holes <= PLACEHOLDERS:
        raise ValueError(f"{name}: unknown placeholder {', '.join(sorted(holes - PLACEHOLDERS))}")
    return text


@cache
def newest(purpose: str) -> int:
    """The version that is asked for now."""
    return max(version for kind, version, _ in texts() if kind == purpose)


def languages(purpose: str, version: int) -> list[str]:
    """In which it can be read."""
    return sorted(language for kind, number, language in texts() if (kind, number) == (purpose, version))


def readable(purpose: str, wanted: Sequence[str]) -> Text:
    """The text that is asked for now, in the first of these languages that there is, else in English."""
    version = newest(purpose)
    known = languages(purpose, version)
    return text_of(purpose, version, next((each for each in wanted if each in known), "en"))


def text_of(purpose: str, version: int, language: str) -> Text:
    """Raises Refused `not_found`."""
    found = texts().get((purpose, version, language))
    if found is None:
        raise Refused("not_found")
    return found


def as_json(text: Text) -> dict[str, Any]:
    """As pages get it: with its holes, which they fill from the `places` beside it."""
    return {
        "purpose": text.purpose,
        "version": text.version,
        "language": text.language,
        "reviewed": text.reviewed,
        "title": text.title,
        "summary": text.summary,
        "body": list(text.body),
        "items": [[name, words] for name, words in text.items.items()],
        "sha256": text.sha256,
    }
