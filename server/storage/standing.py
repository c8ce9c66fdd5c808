"""How a running session stands, by its own time line: what the room's document says while there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.storage.schema import session_notes

STEP_OUT, STEP_IN = "step_out", "step_in"
MODE, HEARING, DIRECTION, LISTEN = "mode", "hearing", "direction", "listen"


@dataclass(frozen=True, slots=True)
class Standing:
    """`out`: seats that have stepped out, or wait; `let_in`: those that ever came in again, or need not wait;
    `hearing`, `directions`, `listens`: by seat, the last that was chosen."""

    out: frozenset[str] = frozenset()
    let_in: frozenset[str] = frozenset()
    mode: str = "consecutive"
    hearing: Mapping[str, str] = field(default_factory=dict)
    directions: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    listens: Mapping[str, str] = field(default_factory=dict)


async def standing_of(tx: AsyncConnection, session_id: str) -> Standing:
    """The last word on each counts."""
    kinds = (session_notes.c.what.startswith(f"{kind}:") for kind in (MODE, HEARING, DIRECTION, LISTEN))
    words = or_(session_notes.c.what.in_((STEP_OUT, STEP_IN)), *kinds)
    query = select(session_notes).where(session_notes.c.session_id == session_id, words)
    steps: dict[str, str] = {}
    let_in: set[str] = set()
    last: dict[tuple[str, str], str] = {}
    for row in (await tx.execute(query.order_by(session_notes.c.id))).all():
        kind, _, value = row.what.partition(":")
        if kind in (STEP_OUT, STEP_IN):
            steps[row.seat_id] = kind
            let_in |= {row.seat_id} if kind == STEP_IN else set()
        else:
            last[kind, row.seat_id or ""] = value
    ways = {seat: value.partition(">") for (kind, seat), value in last.items() if kind == DIRECTION}
    return Standing(
        out=frozenset(seat for seat, word in steps.items() if word == STEP_OUT),
        let_in=frozenset(let_in),
        mode=last.get((MODE, ""), "consecutive"),
        hearing={seat: value for (kind, seat), value in last.items() if kind == HEARING},
        directions={seat: (source, target) for seat, (source, _, target) in ways.items()},
        listens={seat: value for (kind, seat), value in last.items() if kind == LISTEN and value},
    )
