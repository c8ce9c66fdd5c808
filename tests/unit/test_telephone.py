"""Telephone numbers are kept as people write them, and only such as can be dialled from abroad."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.telephone import MAX_LENGTH, telephone


@pytest.mark.parametrize("text", ["+82 2 000 0000", "+7(000)0000001", "+998-00-0000000", " +82  20000000 "])
def test_what_can_be_dialled_from_abroad_is_kept(text: str) -> None:
    assert telephone(text).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    "text", ["", "02 000 0000", "+82", "+82 2 ext 5", "+" + "1" * 16, "+8200000000; 1", "１２３４５６７"]
)
def test_what_cannot_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\+82"):
        telephone(text)


@given(st.text(max_size=60))
def test_any_text_is_kept_short_or_refused(text: str) -> None:
    try:
        number = telephone(text)
    except ValueError:
        return
    assert len(number) <= MAX_LENGTH
    assert number.startswith("+")
    assert telephone(number) == number
