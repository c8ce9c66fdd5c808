"""Moves a case by the table of `server/domain/life.py`: state, history and audit entry in one transaction.

Every change of a case's state goes through `move`. Who may ask is decided before (routes) and once more by
the row of the table; whether a guard holds is what the caller found out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from server.domain.case import Case
from server.domain.errors import Refused
from server.domain.life import SYSTEM, Guard, Standing, State, Step, apply, rows
from server.domain.people import Account
from server.storage import audit, referrals
from server.storage.database import Transaction
from server.storage.referrals import Event


@dataclass(frozen=True, slots=True)
class Mover:
    """Who moves it, in which roles, from where. Without an account: the room, the clock, a typed command."""

    roles: tuple[str, ...]
    address: str
    account_id: str | None = None


#: What happens by itself.
BY_ITSELF: Final = Mover((SYSTEM,), "")


@dataclass(frozen=True, slots=True)
class About:
    """What a move says beside itself: a reason's code, which questions, in words, which version."""

    reason: str = ""
    questions: tuple[str, ...] = ()
    words: str = ""
    number: int | None = None
    sha256: str = ""


def mover(account: Account, address: str) -> Mover:
    return Mover(account.roles, address, account.id)


def may(case: Case, name: str) -> bool:
    """Whether the table has this move from where the case stands, by somebody, if everything held."""
    return case.state in set(State) and bool(rows(name, State(case.state)))


async def move(
    tx: Transaction,
    now_ms: int,
    case: Case,
    name: str,
    by: Mover,
    holds: Iterable[Guard],
    about: About = About(),
) -> Step:
    """Raises Refused as `life.apply` does."""
    step = apply(await standing_of(tx, case), name, by.roles, holds)
    await referrals.set_case(tx, case.id, state=step.now.state.value)
    event = Event(
        case.id,
        now_ms,
        name,
        step.was.state.value,
        step.now.state.value,
        step.by,
        by.account_id,
        about.reason,
        about.questions,
        about.words,
        about.number,
    )
    await referrals.add_event(tx, event)
    detail = dict(step.detail)
    if about.reason:
        detail["reason"] = about.reason
    if about.questions:
        detail["questions"] = len(about.questions)
    if about.number is not None:
        detail["number"] = about.number
    if about.sha256:
        detail["sha256"] = about.sha256
    entry = audit.Entry(
        action=step.move.audit,
        subject_type="case",
        subject_id=case.id,
        address=by.address,
        account_id=by.account_id,
        case_id=case.id,
        detail=detail,
    )
    await audit.append(tx, now_ms, entry)
    return step


async def standing_of(tx: Transaction, case: Case) -> Standing:
    """Where it stands by the table. Raises Refused `wrong_state` for a state that the table does not know."""
    try:
        state = State(case.state)
    except ValueError:
        raise Refused("wrong_state") from None
    if state is not State.EMERGENCY:
        return Standing(state)
    entered = [event for event in await referrals.events_of(tx, case.id) if event.after == state.value]
    return Standing(state, State(entered[-1].before) if entered else None)
