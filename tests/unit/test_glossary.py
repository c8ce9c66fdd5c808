"""Terms of a glossary: how they are cleaned, found and told apart."""

from __future__ import annotations

import json
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.errors import Refused
from server.domain.glossary import (
    MAX_NOTE,
    MAX_TEXT,
    Known,
    Term,
    Wording,
    WrongText,
    cleaned,
    folded,
    in_order,
    keeps_confirmation,
    require_wording,
    search_text,
    wording_of,
)

#: Read by the pages' own test too: what is typed and what it must find are the same on both sides.
FOLDING = json.loads((Path(__file__).parents[1] / "data" / "folding.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("typed", "text"), FOLDING["found"])
def test_what_is_typed_finds_the_term(typed: str, text: str) -> None:
    assert folded(typed) in search_text(Wording({"en": text}))
    assert folded(unicodedata.normalize("NFD", typed)) == folded(typed)
    assert folded(unicodedata.normalize("NFC", text)) == folded(unicodedata.normalize("NFD", text))


@pytest.mark.parametrize(("typed", "text"), FOLDING["not_found"])
def test_what_is_another_word_is_not_found(typed: str, text: str) -> None:
    assert folded(typed) not in search_text(Wording({"en": text}))


@pytest.mark.parametrize(("text", "bare"), FOLDING["folded"])
def test_folding_is_what_the_pages_fold(text: str, bare: str) -> None:
    assert folded(text) == unicodedata.normalize("NFKD", bare)


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.text(max_size=60))
def test_a_text_is_cleaned_to_one_composed_line_or_refused(text: str) -> None:
    try:
        line = cleaned(text, MAX_TEXT)
    except WrongText as wrong:
        assert wrong.reason == "control"  # noqa: PT017 - either may come of it
        return
    assert line == unicodedata.normalize("NFC", line) == line.strip()
    assert not any(unicodedata.category(letter).startswith("C") for letter in line)
    assert cleaned(line, MAX_TEXT) == line


def test_a_text_may_not_turn_the_direction_of_what_follows_nor_be_endless() -> None:
    with pytest.raises(WrongText, match="control"):
        cleaned("\u202egnirts", MAX_TEXT)
    with pytest.raises(WrongText, match="too_long"):
        cleaned("a" * (MAX_TEXT + 1), MAX_TEXT)
    with pytest.raises(WrongText, match="too_long"):
        wording_of({"en": "stent"}, "a" * (MAX_NOTE + 1))
    assert cleaned("  spinal\u00a0ste\u00adnosis \n", MAX_TEXT) == "spinal stenosis"


def test_a_term_has_a_text_in_one_language_at_least() -> None:
    with pytest.raises(Refused) as refused:
        require_wording({"ko": "  ", "ru": ""}, "note")
    assert refused.value.code == "term_empty"
    with pytest.raises(Refused) as refused:
        require_wording({"ko": "\x00"}, "")
    assert refused.value.code == "bad_request"
    assert require_wording({"ko": "척추", "ru": " "}, "").texts == {"ko": "척추"}


def term(number: int, text: str) -> tuple[str, Term]:
    wording = Wording({"en": text})
    return search_text(wording), Term(f"t{number}", "case", 1, wording, None, None, 0)


def test_what_begins_so_comes_before_a_word_within_and_that_before_a_piece_of_one() -> None:
    found = [term(1, "foreshorten"), term(2, "a short leg"), term(3, "shortness"), term(4, "short bowel")]
    assert [one.id for one in in_order(found, "short")] == ["t4", "t3", "t2", "t1"]
    assert [one.id for one in in_order(found, "")] == ["t2", "t1", "t4", "t3"]


def test_a_confirmation_is_of_the_texts_and_not_of_the_note() -> None:
    before = Wording({"ko": "척추", "ru": "позвоночник"}, "")
    assert keeps_confirmation(before, Wording(dict(before.texts), "as the surgeon says it"))
    assert not keeps_confirmation(before, Wording({**before.texts, "en": "spine"}, ""))


def same_term(one: Wording, other: Wording) -> bool:
    return Known([Term("t1", "case", 1, one, None, None, 0)]).take(other) is not None


def test_one_english_word_for_two_korean_ones_is_two_terms() -> None:
    a_cold = Wording({"ko": "감기", "en": "cold"})
    assert not same_term(a_cold, Wording({"ko": "추위", "en": "cold"}))
    assert same_term(a_cold, Wording({"en": "Cold"}))
    assert same_term(a_cold, Wording({"ko": "감기", "en": "common cold"}))
    assert not same_term(a_cold, Wording({"ru": "простуда"}))


def test_each_term_is_found_once_and_however_many_say_the_same_it_takes_no_time() -> None:
    everywhere = dict.fromkeys(("ru", "kk", "uz", "mn", "en"), "same")
    terms = [
        Term(f"t{number}", "case", 1, Wording({"ko": f"{number}", **everywhere}), None, None, 0)
        for number in range(2_000)
    ]
    known, began = Known(terms), time.process_time()
    assert {known.take(Wording({"ko": f"another {number}", **everywhere})) for number in range(1_000)} == {
        None
    }
    assert time.process_time() - began < 5, "one by one it was minutes, and the server stood"
    for number in range(3):
        found = known.take(Wording(everywhere))
        assert found is not None
        assert found.id == f"t{number}"


@pytest.mark.parametrize("most", [MAX_TEXT, MAX_NOTE])
def test_marks_without_end_are_too_long_before_they_are_put_in_order(most: int) -> None:
    began = time.process_time()
    with pytest.raises(WrongText, match="too_long"):
        cleaned("a" + "\u0301\u0323" * 60_000, most)
    assert time.process_time() - began < 2, "composing them takes minutes"
    greek = unicodedata.normalize("NFD", "\u1f82" * most)
    assert (len(greek), cleaned(greek, most)) == (4 * most, "\u1f82" * most)
