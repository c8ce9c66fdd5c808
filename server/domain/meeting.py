"""Who was in a room together, by a session's time line. Pure.

A consultation is held while both sides are inside at once: somebody who is asked, and who asks or is asked
about. Where a patient has a seat of their own, the professionals are among themselves until the patient was
let in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

JOINED, LEFT, STEP_OUT, STEP_IN = "joined", "left", "step_out", "step_in"
ARRIVED: Final = frozenset({JOINED, "back", "replaced"})
GONE: Final = frozenset({LEFT, "gone", "removed", "revoked"})
SILENT: Final = "away"  # the line is lost, or the page closed: the seat is kept for half a minute
WORDS: Final = (*sorted(ARRIVED | GONE), SILENT, STEP_OUT, STEP_IN)


@dataclass(frozen=True, slots=True)
class Note:
    """A line of the time line: what happened at which seat, whose role it is, when."""

    what: str
    seat: str
    role: str
    at_ms: int


def both_sides(roles: Collection[str]) -> bool:
    return "consulting_physician" in roles and not {"referring_physician", "patient"}.isdisjoint(roles)


def together(notes: Iterable[Note]) -> list[bool]:
    """After each note, whether both sides are inside."""
    return [both_sides(roles) for roles, _ in _inside(notes)]


def held(notes: Iterable[Note], waiting: Collection[str]) -> list[bool]:
    """The same, and that it is the consultation: `waiting` are the patients' seats, who come in later."""
    return [
        both_sides(roles) and (not waiting or not let_in.isdisjoint(waiting))
        for roles, let_in in _inside(notes)
    ]


def all_took_leave(notes: Sequence[Note]) -> bool:
    """Whether everybody who came has left by a word of their own: no line was lost, no page just closed."""
    last = {note.seat: note.what for note in notes if note.what not in (STEP_OUT, STEP_IN)}
    return bool(last) and set(last.values()) == {LEFT}


def _inside(notes: Iterable[Note]) -> Iterator[tuple[set[str], set[str]]]:
    """After each note: the roles of who is inside, and the seats that ever came in from outside."""
    present: dict[str, str] = {}
    out: set[str] = set()
    let_in: set[str] = set()
    for note in notes:
        if note.what in ARRIVED:
            present[note.seat] = note.role
        elif note.what in GONE:
            present.pop(note.seat, None)
        elif note.what == STEP_OUT:
            out.add(note.seat)
        elif note.what == STEP_IN:
            out.discard(note.seat)
            let_in.add(note.seat)
        waits = {seat for seat, role in present.items() if role == "patient"} - let_in
        yield {role for seat, role in present.items() if seat not in out | waits}, let_in
