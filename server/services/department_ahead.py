"""What a department, or one physician of it, still has ahead: open cases, and hours booked for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from server.domain.calendar import DAY_MS
from server.domain.consultation import Consultation, Seat, effective_state
from server.services.two_clocks import clocks
from server.storage import accounts, appointments, cases, consultations, matches
from server.storage.database import Transaction
from server.storage.departments import PhysicianRow

AHEAD_MS: Final = 400 * DAY_MS
"""As far ahead as anything is booked."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """`cases`: ids of those going there that are not over; `hours`: booked for them, by start, with seats."""

    cases: tuple[str, ...]
    hours: tuple[tuple[Consultation, tuple[Seat, ...]], ...]


async def ahead_of(
    tx: Transaction, department_id: str, now_ms: int, physician: PhysicianRow | None = None
) -> Ahead:
    """`physician`: theirs alone, by what was decided and by who sits there."""
    going = await matches.going_to(tx, department_id)
    found = await appointments.beginning_between(tx, now_ms - DAY_MS, now_ms + AHEAD_MS)
    hours = [one for one, _ in found if one.case_id in going and effective_state(one, now_ms) == "scheduled"]
    seats = await consultations.seats_of(tx, {one.id for one in hours})
    around = [(one, tuple(seat for seat in seats if seat.consultation_id == one.id)) for one in hours]
    if physician is None:
        return Ahead(tuple(going), tuple(around))
    theirs = {id_ for id_, who in going.items() if who == physician.id}
    sits = [
        (one, sitting)
        for one, sitting in around
        if one.case_id in theirs
        or any(seat.account_id and seat.account_id == physician.account_id for seat in sitting)
    ]
    return Ahead(tuple(sorted(theirs | {one.case_id for one, _ in sits})), tuple(sits))


async def told(tx: Transaction, ahead: Ahead, *, named: bool) -> dict[str, Any]:
    """`{cases: number, hours: [{begins, case_id, case_label}]}`; `named`: to whom cases may be named."""
    sites = await accounts.all_sites(tx)
    by_case = await cases.all_by_id(tx, {one.case_id for one, _ in ahead.hours})
    return {
        "cases": len(ahead.cases),
        "hours": [
            {
                "begins": clocks(one.starts_at_ms, [sites[id_] for id_ in _places(sitting)]),
                "case_id": one.case_id if named else None,
                "case_label": by_case[one.case_id].label if named else None,
            }
            for one, sitting in ahead.hours
        ],
    }


def _places(seats: Iterable[Seat]) -> list[str]:
    return list(dict.fromkeys(seat.site_id for seat in seats if seat.role != "interpreter"))
