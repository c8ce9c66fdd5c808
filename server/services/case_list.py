"""What waits for somebody: cases by whose turn it is, and tasks; why, by when. Nothing of the patient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from server.domain.case import Case
from server.domain.life import State
from server.domain.people import Account, Site
from server.domain.permissions import Action, Relation, Role, allowed
from server.services.access import drafts_elsewhere, relations
from server.services.context import Context
from server.services.tasks import tasks_of
from server.storage import accounts, cases, referrals, waiting
from server.storage.referrals import Event, Version

DAY_MS = 86_400_000
#: Whose turn it is when a case stands there, how they must stand to it, and the word for why.
TURNS: Final = (
    (State.RETURNED, Role.REFERRING_PHYSICIAN, Relation.OWN_SITE, "returned"),
    (State.ANSWERED, Role.REFERRING_PHYSICIAN, Relation.OWN_SITE, "answered"),
    (State.DRAFT, Role.REFERRING_PHYSICIAN, Relation.OWN_SITE, "draft"),
    (State.REOPENED, Role.REFERRING_PHYSICIAN, Relation.OWN_SITE, "reopened"),
    (State.SUBMITTED, Role.COORDINATOR, Relation.ANY, "new"),
    (State.REOPENED, Role.COORDINATOR, Relation.ANY, "reopened"),
    (State.MATCHED, Role.CONSULTING_PHYSICIAN, Relation.INVITED, "asked"),
    (State.MATCHED, Role.COORDINATOR, Relation.ANY, "matched"),
    (State.SCHEDULED, Role.REFERRING_PHYSICIAN, Relation.OWN_SITE, "scheduled"),
    (State.NO_SHOW, Role.COORDINATOR, Relation.ANY, "no_show"),
    (State.INTERRUPTED, Role.COORDINATOR, Relation.ANY, "interrupted"),
)
#: By when a referral is to be looked at, after it was submitted: the form's `urgency`.
DUE_DAYS: Final = {"days": 3, "week": 14, "month": 30}
NOT_DUE: Final = 2**62


class CaseList:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def waiting(self, account: Account) -> dict[str, Any]:
        """`{now_ms, cases: [{id, label, specialty, state, why, since_ms, due_ms, …}], tasks: [Task]}`, due
        first. What a booked hour wants is a task of its own."""
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:
            wanted = {state.value for state, role, _, _ in TURNS if role in account.roles}
            named = await cases.relations_of(tx, account.id)
            waits = []
            for case in await cases.in_states(tx, wanted):
                held = relations(account, case.site_id, named.get(case.id, set()), [], recent=False)
                why = _why(account, case.state, held)
                if why is not None and allowed(Action.REFERRAL_READ, account.roles, held):
                    waits.append((case, why))
            all_of_them = [(case.id, case.site_id, case.state) for case, _ in waits]
            kept_back = await drafts_elsewhere(tx, account, all_of_them)
            waits = [(case, why) for case, why in waits if case.id not in kept_back]
            ids = {case.id for case, _ in waits}
            sites = await accounts.all_sites(tx)
            last = await referrals.last_events(tx, ids)
            drafted = await referrals.drafted(tx, ids)
            versions = await referrals.newest_of(tx, ids)
            booked = await waiting.hours_of(tx, {case.id for case, why in waits if why == "scheduled"})
            tasks = await tasks_of(tx, account, now_ms)
        rows = [
            _row(case, why, sites[case.site_id], versions.get(case.id), last.get(case.id), drafted)
            for case, why in waits
            if case.id not in booked and not _is_answered_in_writing(why, versions.get(case.id))
        ]
        rows.sort(key=lambda row: (row["due_ms"] or NOT_DUE, row["since_ms"]))
        tasks.sort(key=lambda task: (task.due_ms or NOT_DUE, task.since_ms or 0))
        return {"now_ms": now_ms, "cases": rows, "tasks": [task.as_json() for task in tasks]}


def _why(account: Account, state: str, held: frozenset[Relation]) -> str | None:
    """The first turn of this account's roles; None: it is somebody else's."""
    for standing, role, relation, why in TURNS:
        if standing == state and role in account.roles and relation in {*held, Relation.ANY}:
            return why
    return None


def _is_answered_in_writing(why: str, newest: Version | None) -> bool:
    """It wants no hour."""
    return why == "matched" and newest is not None and newest.answers.get("wish") == "written"


def _row(
    case: Case, why: str, site: Site, newest: Version | None, event: Event | None, drafted: Mapping[str, int]
) -> dict[str, Any]:
    urgency = str(newest.answers.get("urgency") or "") if newest else ""
    days = None if why == "scheduled" else DUE_DAYS.get(urgency)
    return {
        "id": case.id,
        "label": case.label,
        "specialty": case.specialty,
        "state": case.state,
        "site": site.name,
        "time_zone": site.time_zone,
        "why": why,
        "since_ms": event.at_ms if event else drafted.get(case.id, case.created_ms),
        "due_ms": newest.submitted_ms + days * DAY_MS if newest and days else None,
        "urgency": urgency,
        "returns": event.reason if event and why == "returned" else "",
    }
