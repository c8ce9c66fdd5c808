"""The texts people agree to: complete, as released, and in every language with the same things said."""

from __future__ import annotations

from typing import Any

import pytest

from server.domain.consent_text import (
    _HOLE,
    LEAST_LANGUAGES,
    PURPOSES,
    Text,
    as_json,
    languages,
    newest,
    read,
    text_of,
    texts,
)
from server.domain.errors import Refused


def holes(text: Text) -> dict[str, set[str]]:
    parts = {"title": text.title, "summary": text.summary, "body": " ".join(text.body), **text.items}
    return {name: set(_HOLE.findall(words)) for name, words in parts.items()}


def test_every_version_of_every_purpose_can_be_read_in_the_languages_of_both_sides() -> None:
    for purpose in PURPOSES:
        for version in range(1, newest(purpose) + 1):
            assert set(LEAST_LANGUAGES) <= set(languages(purpose, version)), (purpose, version)


@pytest.mark.parametrize("key", sorted(texts()), ids=str)
def test_a_text_says_the_same_things_as_the_english_one(key: tuple[str, int, str]) -> None:
    text, english = texts()[key], text_of(key[0], key[1], "en")
    assert list(text.items) == list(english.items)
    assert len(text.body) == len(english.body)
    assert holes(text) == holes(english), "the same places filled in the same parts"
    assert all(words.strip() for words in (text.title, text.summary, *text.body, *text.items.values()))
    if key[2] != "en":
        assert text.summary != english.summary


def test_nobody_has_reviewed_a_text_who_is_not_said_to_have() -> None:
    assert not any(text.reviewed for text in texts().values()), "name who did in docs/consents.md first"


GOOD: dict[str, Any] = {
    "purpose": "teaching", "version": 1, "language": "en", "reviewed": False, "title": "T",
    "summary": "S {clinic}", "body": ["B"],
    "items": dict.fromkeys(("recipient", "country", "items", "purpose", "period", "refuse"), "w"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("teaching-2.en.toml", {}, "name"),
        ("other-1.en.toml", {"purpose": "other"}, "purpose"),
        ("teaching-1.en.toml", {"items": {"refuse": "w"}}, "items"),
        ("teaching-1.en.toml", {"summary": "{patient}"}, "placeholder"),
    ],
)
def test_a_file_that_is_not_as_agreed_is_named_with_its_fault(
    name: str, change: dict[str, Any], said: str
) -> None:
    assert read("teaching-1.en.toml", GOOD, "0").title == "T"
    with pytest.raises(ValueError, match=said):
        read(name, GOOD | change, "0")


def test_a_page_gets_a_text_whole_and_a_text_that_is_none_is_refused() -> None:
    told = as_json(text_of("transfer_abroad", 1, "ru"))
    assert [name for name, _ in told["items"]] == [
        "recipient", "country", "items", "purpose", "method", "period", "refuse"
    ]  # fmt: skip
    with pytest.raises(Refused, match="not_found"):
        text_of("recording", 99, "en")
