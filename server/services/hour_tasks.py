"""What agreed hours want of somebody: consents before them, mails that did not arrive, nobody who came."""

from __future__ import annotations

from collections.abc import Sequence

from server.domain.appointment import MAX_AHEAD_MS as FAR_MS
from server.domain.consultation import OVER, Consultation, effective_state
from server.domain.life import State
from server.domain.people import Account, Site
from server.domain.permissions import Action, Relation, allowed
from server.domain.task import AHEAD_MS, NEAR_MS, PASSED_MS, Task
from server.services.case_ready import lacking
from server.services.case_sides import sides_of
from server.services.two_clocks import clocks
from server.storage import (
    accounts,
    appointments,
    cases,
    consultations,
    declined,
    mails,
    meetings,
    waiting,
)
from server.storage.database import Transaction


async def hour_tasks(tx: Transaction, account: Account, now_ms: int) -> list[Task]:
    chases = allowed(Action.SCHEDULE_WRITE, account.roles, ())
    found = await _consents(tx, account, chases, now_ms)
    if chases:
        found += await _passed(tx, now_ms)
        found += await _mails(tx, now_ms)
        found += await _declined(tx, now_ms)
    return found


async def _consents(tx: Transaction, account: Account, chases: bool, now_ms: int) -> list[Task]:
    """For the site where the patient is, as soon as it is near; for a coordinator from the day before."""
    gives = allowed(Action.CONSENT_GIVE, account.roles, {Relation.OWN_SITE})
    if not gives and not chases:
        return []
    near = await consultations.around(tx, now_ms, now_ms + (AHEAD_MS if gives else NEAR_MS))
    ahead = [one for one in near if effective_state(one, now_ms) not in OVER]
    by_case = await cases.all_by_id(tx, {one.case_id for one in ahead})
    tasks: dict[str, Task] = {}
    for one in ahead:  # by start: a case's next hour comes first
        case = by_case[one.case_id]
        own = gives and case.site_id == account.site_id
        if case.id in tasks or not (own or (chases and one.starts_at_ms - now_ms <= NEAR_MS)):
            continue
        sides = await sides_of(tx, case)
        found = await lacking(tx, sides)
        if found is not None:
            why, purposes = found
            begins = clocks(one.starts_at_ms, [sides.referring, *sides.consulting])
            tasks[case.id] = Task(
                why, due_ms=one.starts_at_ms, case=case.id, label=case.label, lacking=purposes, begins=begins
            )
    return list(tasks.values())


async def _passed(tx: Transaction, now_ms: int) -> list[Task]:
    """Hours that went by without anybody meeting, of cases that wait for one."""
    hours = await waiting.hours_since(tx, (State.SCHEDULED, State.READY), now_ms - PASSED_MS)
    last = {id_: one for id_, found in hours.items() if (one := _last_gone(found, now_ms)) is not None}
    met = await meetings.met(tx, {one.id for one in last.values()})
    by_case = await cases.all_by_id(tx, set(last))
    return [
        Task("hour_passed", since_ms=one.closes_at_ms, case=id_, label=by_case[id_].label)
        for id_, one in last.items()
        if one.id not in met
    ]


def _last_gone(hours: Sequence[Consultation], now_ms: int) -> Consultation | None:
    """The last one that was not called off; None while another is ahead or runs."""
    if any(effective_state(one, now_ms) not in OVER for one in hours):
        return None
    return next((one for one in reversed(hours) if one.state != "cancelled"), None)


async def _declined(tx: Transaction, now_ms: int) -> list[Task]:
    """Somebody has said that they cannot come."""
    ahead = {one.id: one for one, _ in await appointments.beginning_between(tx, now_ms, now_ms + FAR_MS)}
    gone = await declined.of_hours(tx, ahead)
    by_case = await cases.all_by_id(tx, {ahead[id_].case_id for id_, _ in gone})
    people = {one.id: one.name for one in await accounts.by_ids(tx, {one.account_id for _, one in gone})}
    places = await _places(tx, {id_ for id_, _ in gone})
    return [
        Task(
            "declined", one.at_ms, ahead[id_].starts_at_ms, case=ahead[id_].case_id,
            label=by_case[ahead[id_].case_id].label, about=one.account_id, name=people[one.account_id],
            begins=clocks(ahead[id_].starts_at_ms, places[id_]), reason=one.reason,
        )
        for id_, one in gone
    ]  # fmt: skip


async def _mails(tx: Transaction, now_ms: int) -> list[Task]:
    """Somebody of an hour ahead was not reached: their address was refused for good."""
    ahead = {one.id: one for one, _ in await appointments.beginning_between(tx, now_ms, now_ms + AHEAD_MS)}
    states = await mails.states_of(tx, ahead)
    refused = {id_: found["refused"] for id_, found in states.items() if found.get("refused")}
    if not refused:
        return []
    by_case = await cases.all_by_id(tx, {ahead[id_].case_id for id_ in refused})
    places = await _places(tx, set(refused))
    return [
        Task(
            "mail_refused", due_ms=ahead[id_].starts_at_ms, case=ahead[id_].case_id,
            label=by_case[ahead[id_].case_id].label, count=count,
            begins=clocks(ahead[id_].starts_at_ms, places[id_]),
        )
        for id_, count in refused.items()
    ]  # fmt: skip


async def _places(tx: Transaction, consultation_ids: set[str]) -> dict[str, list[Site]]:
    """Where the physicians of each are."""
    sites = await accounts.all_sites(tx)
    found: dict[str, dict[str, Site]] = {id_: {} for id_ in consultation_ids}
    for seat in await consultations.seats_of(tx, consultation_ids):
        if seat.role != "interpreter":
            found[seat.consultation_id][seat.site_id] = sites[seat.site_id]
    return {id_: list(there.values()) for id_, there in found.items()}
