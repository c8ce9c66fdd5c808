"""What people write to each other, as it is kept."""

from __future__ import annotations

import pytest

from signaling.wording import cleaned


def test_a_line_is_composed_and_rid_of_what_turns_or_controls_the_text() -> None:
    assert cleaned("e\u0301\r\nb\x00\u202ec\u2066") == "\u00e9\nbc"
    assert cleaned("\ud800x") == "x"


@pytest.mark.parametrize("text", ["👩\u200d⚕️ 협진", "?", "5", "→", "ㅎ", "می\u200cخواهم", "Oʻzbekiston"])
def test_what_is_seen_stays_as_it_was_written(text: str) -> None:
    assert cleaned(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "\u200b",
        "\ufeff\u2060",
        "\u200d\ufe0f",
        "\u3164",
        "\u115f\u1160",
        "\u2800",
        "\u00ad",
        "\u2028",
    ],
    ids=ascii,
)
def test_a_line_of_which_nothing_is_seen_is_empty(text: str) -> None:
    assert cleaned(text) == ""
