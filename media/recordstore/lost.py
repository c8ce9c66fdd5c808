"""What a lost node took with it: holes of an epoch whose segments were fetched back from their copies.

By ordinals and end marks alone: a number that is not there, a file that was to go on and has no successor.
Pure; it must not guess why anything else is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import layout

NODE_LOST = "node_lost"
FINAL = ("left", "withdrawn", "closed")


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment: its times in ns since the session's start, None when nothing in it could be read."""

    seat: str
    ordinal: int
    span: tuple[int, int] | None
    reason: str


def lost_spans(
    pieces: Sequence[Piece], witnessed: Iterable[str], first_ns: int, until_ns: int
) -> list[tuple[str, int, int]]:
    """(seat, from, to) of what is gone of each seat, the room's file left out. `witnessed`: names of files
    that somebody knows of; `until_ns`: when the epoch was over at the latest.
    """
    lost: list[tuple[str, int, int]] = []
    seats: dict[str, list[Piece]] = {}
    for name in witnessed:
        seats.setdefault((layout.parse_segment_name(name) or ("", 0))[0], [])
    for piece in pieces:
        seats.setdefault(piece.seat, []).append(piece)
    for seat in sorted(seats.keys() - {layout.ROOM, ""}):
        at, due = first_ns, 1
        over = False
        for piece in sorted(seats[seat], key=lambda each: each.ordinal):
            if piece.span is None:
                continue
            if piece.ordinal != due:
                lost.append((seat, at, piece.span[0]))
            at, due, over = piece.span[1], piece.ordinal + 1, piece.reason in FINAL
        if not over and until_ns > at:
            lost.append((seat, at, until_ns))
    return lost
