"""What an interpreter reads out: every line in every language, and what is unreviewed says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fluent.syntax import FluentParser, ast

from server.domain.glossary import LANGUAGES
from tests.unit.test_i18n_catalogues import variables

STATIC = Path(__file__).resolve().parents[2] / "static"
PAGE = (STATIC / "js/room/conduct.js").read_text(encoding="utf-8")
#: No native interpreter has read these: a language leaves this set with the message that says so.
UNREVIEWED = {"kk", "uz", "mn"}
#: What a line of that language has and its neighbours' lines have not.
LETTERS = {
    "ko": r"[가-힣]",
    "ru": r"[а-яё]",
    "kk": r"[әғқңөұүһі]",
    "uz": r"[a-z]",
    "mn": r"[а-яөү]",
    "en": r"[a-z]",
}
OTHERS = {
    "ko": r"[а-яё]",
    "ru": r"[әғқңөұүһі]",
    "kk": r"[ёA-Za-z]",
    "uz": r"[а-яё'’‘]",
    "mn": r"[әғқңұһіA-Za-z]",
}


def listed(name: str) -> list[str]:
    found = re.search(rf"const {name} = Object\.freeze\(\[(.*?)\]\)", PAGE)
    assert found
    return re.findall(r"'([^']+)'", found.group(1))


def script(language: str) -> dict[str, ast.Message]:
    text = (STATIC / "i18n/opening" / f"{language}.ftl").read_text(encoding="utf-8")
    body = FluentParser().parse(text).body
    assert not [entry for entry in body if isinstance(entry, ast.Junk)]
    return {entry.id.name: entry for entry in body if isinstance(entry, ast.Message)}


def words(message: ast.Message) -> str:
    assert message.value is not None
    return "".join(part.value for part in message.value.elements if isinstance(part, ast.TextElement))


def test_there_is_a_script_for_each_language_of_a_consultation_and_the_page_knows_it() -> None:
    files = {path.stem for path in (STATIC / "i18n/opening").iterdir()}
    assert files == set(LANGUAGES)
    assert set(listed("READ_IN")) == files


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_is_there_in_its_order_with_the_same_values(language: str) -> None:
    own = script(language)
    lines = [f"opening-{line}" for line in listed("LINES")]
    assert [name for name in own if name != "opening-review"] == lines
    for name in lines:
        assert variables(own[name]) == ({"name"} if name == "opening-greeting" else set()), name
        said = words(own[name])
        assert re.search(LETTERS[language], said, re.IGNORECASE), said
        wrong = OTHERS.get(language)
        assert wrong is None or not re.search(wrong, said, re.IGNORECASE), said


def test_what_no_native_interpreter_has_reviewed_says_so() -> None:
    pending = {language for language in LANGUAGES if "opening-review" in script(language)}
    assert pending == UNREVIEWED
    assert all(words(script(language)["opening-review"]) == "pending" for language in pending)


def test_no_language_says_what_another_one_says() -> None:
    every = [[words(message) for message in script(language).values()] for language in LANGUAGES]
    said = [line for lines in every for line in lines if line != "pending"]
    assert len(said) == len(set(said))
