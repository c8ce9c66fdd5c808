"""Lines of a session's time line about interpretation, from the difference of two documents. Pure.

Each is a word of at most 32 characters and a seat; `docs/interpretation.md` lists them. So no transition can
forget one. Must not: say what anybody said.
"""

from __future__ import annotations

from dataclasses import replace

from signaling.commands import Note
from signaling.document import RoomDocument
from signaling.interpretation import Interpretation
from signaling.prebrief import prebrief
from signaling.seat import Seat
from signaling.voices import without_interpreter

MAX_CHARS = 32


def lines(before: RoomDocument, after: RoomDocument) -> list[Note]:
    """What has changed. A session that begins is told how it begins, where that is not as ever."""
    session = after.session
    if session is None:
        return []
    if before.session != session:
        before = replace(
            before,
            interpretation=Interpretation(),
            seats=tuple(_unsaid(seat) for seat in after.seats),
        )
    found = _of_room(before, after)
    for seat in after.seats:
        old = before.seat(seat.id) or Seat(facts=seat.facts)
        found += [(what, seat.id) for what in _of_seat(old, seat)]
    return [Note(session, what[:MAX_CHARS], seat_id) for what, seat_id in found]


def _of_room(before: RoomDocument, after: RoomDocument) -> list[tuple[str, str | None]]:
    old, new = before.interpretation, after.interpretation
    if old == new and before.seats == after.seats:
        return []
    found: list[tuple[str, str | None]] = []
    if new.mode != old.mode:
        found.append((f"mode:{new.mode}", None))
    if new.active != old.active:
        found.append(("renders", new.active))
    if old.muted and new.muted != old.muted:
        found.append(("unsilenced", old.muted))
    if new.muted and new.muted != old.muted:
        found.append(("silenced", new.muted))
    if new.handover and new.handover != old.handover:
        found.append(("handover_asked", new.handover.by))
    if (new.floor, new.floor_by) != (old.floor, old.floor_by):
        found.append((f"floor:{new.floor_by}", new.floor))
    fallback = without_interpreter(after)
    if fallback != without_interpreter(before):
        found.append((f"fallback:{'on' if fallback else 'off'}", None))
    among_themselves = prebrief(after)
    if among_themselves != prebrief(before):
        found.append((f"prebrief:{'on' if among_themselves else 'off'}", None))
    return found


def _unsaid(seat: Seat) -> Seat:
    """As a session's first lines take a seat to have been. Of one that waits at first both are said: that it
    does, and that it need not."""
    return Seat(facts=seat.facts, out=seat.facts.waits and not seat.out)


def _of_seat(old: Seat, new: Seat) -> list[str]:
    found: list[str] = []
    if new.direction != old.direction and new.direction is not None:
        found.append(f"direction:{new.direction.source}>{new.direction.target}")
    if new.hearing != old.hearing and new.hearing is not None:
        found.append(f"hearing:{new.hearing}")
    if new.listens != old.listens:
        found.append(f"listen:{new.listens or ''}")
    if new.partner != old.partner:
        found.append(f"partner:{'on' if new.partner else 'off'}")
    if new.out != old.out:
        found.append("step_out" if new.out else "step_in")
    return found
