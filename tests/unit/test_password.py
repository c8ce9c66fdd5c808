"""Which passwords are taken."""

from __future__ import annotations

import unicodedata

import pytest

from server.domain.password import SHORTEST, weakness


@pytest.mark.parametrize("text", ["", "short", "eleven char", "비밀번호비밀번호"])
def test_a_password_has_twelve_characters(text: str) -> None:
    assert weakness(text) == "password_short"
    assert SHORTEST == 12


@pytest.mark.parametrize(
    "text",
    [
        "password1234",
        "Password2026!",
        "P@ssw0rd1234",
        "qwertyuiop12",
        "qwertyuiopasdf",
        "abcdefghijklm",
        "mlkjihgfedcba",
        "123456789012",
        "9876543210987",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "x7qx7qx7qx7qx7q",
        "1qaz2wsx3edc",
        "пароль123456",
        "йцукенгшщзхъ",
        "gfhjkm123456",
        "qlalfqjsgh1234",
        "비밀번호비밀번호1234",
        "hyeopjin2026",
        "HyeopJinHyeopJin",
        "Құпиясөз2026",
    ],
)
def test_what_is_tried_first_is_refused(text: str) -> None:
    assert weakness(text) == "password_common"


def test_ones_own_name_and_address_are_refused() -> None:
    about = ("aigerim.demova@demo.invalid", "Айгерим Демова")
    for text in ("aigerimdemova1", "Демова-Айгерим", "demova@demo.invalid"):
        assert weakness(text, *about) == "password_common", text
        assert weakness(text) is None or "demo" in text


@pytest.mark.parametrize(
    "text",
    [
        "correct horse battery staple",
        "лошадь под зонтом поёт",
        "우산을 쓴 말이 노래한다",
        "onlylowercaseletters",
        "739104658213",
        "password of my grandmother",
        "🐎☂️🎶🍊🧦🪨🛶🧭🪁🫖🪵🪜",
    ],
)
def test_nothing_is_asked_of_what_it_is_made_of(text: str) -> None:
    assert weakness(text) is None


def test_the_same_keys_give_the_same_length_however_a_system_composes_hangul() -> None:
    composed = "협진협진을하자"
    assert weakness(composed) == weakness(unicodedata.normalize("NFD", composed)) == "password_short"
