"""Who was in a room together, by its time line: one after the other is not together."""

from __future__ import annotations

import pytest

from server.domain.meeting import Note, all_took_leave, held, together

ROLES = {
    "K": "consulting_physician",
    "L": "referring_physician",
    "I": "interpreter",
    "P": "patient",
}


def line(words: str) -> list[Note]:
    """`K+` joins, `K-` leaves by a word, `K?` is away, `K!` is gone, `P<` steps in, `P>` steps out."""
    what = {
        "+": "joined", "-": "left", "?": "away", "!": "gone", "<": "step_in", ">": "step_out", "~": "back",
    }  # fmt: skip
    return [Note(what[word[1]], word[0], ROLES[word[0]], at) for at, word in enumerate(words.split())]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("K+", False),
        ("K+ I+", False),
        ("L+ I+ K+", True),
        ("K+ L+ I+ I-", True),
        ("K+ K- L+", False),
        ("K+ K? L+", True),  # their seat is kept, they may be back
        ("K+ K? K! L+", False),
        ("K+ K? K~ L+", True),
        ("K+ L+ L>", False),  # stepped out
        ("K+ L+ L> L<", True),
        ("P+ K+", False),  # waits outside
        ("P+ P> K+", False),
        ("P+ P> K+ P<", True),
        ("P< K+", False),  # nobody sits there
    ],
)
def test_both_sides_are_inside_at_once_or_not(words: str, expected: bool) -> None:
    assert together(line(words))[-1] is expected


def test_with_a_patients_seat_it_is_the_consultation_once_they_were_let_in() -> None:
    notes = line("K+ L+ P+ P> P< P- L-")
    assert held(notes, {"P"}) == [False, False, False, False, True, True, False]
    assert held(notes, ()) == together(notes) == [False, True, True, True, True, True, False]
    assert held([], {"P"}) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [("", False), ("K+ L+ K- L-", True), ("K+ L+ K- L!", False), ("K+ K?", False), ("K+ P+ P> P- K-", True)],
)
def test_who_took_leave_said_so(words: str, expected: bool) -> None:
    assert all_took_leave(line(words)) is expected
