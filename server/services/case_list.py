"""What waits for somebody: cases by whose turn it is, why, and by when. Nothing of the patient."""

from __future__ import annotations

from typing import Any, Final

from server.domain.life import State
from server.domain.people import Account
from server.domain.permissions import Action, Relation, Role, allowed
from server.services.access import drafts_elsewhere, relations
from server.services.context import Context
from server.storage import accounts, cases, referrals

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
)
#: By when a referral is to be looked at, after it was submitted: the form's `urgency`.
DUE_DAYS: Final = {"days": 3, "week": 14, "month": 30}
NOT_DUE: Final = 2**62


class CaseList:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def waiting(self, account: Account) -> dict[str, Any]:
        """`{now_ms, cases: [{id, label, specialty, state, why, since_ms, due_ms, …}]}`, due first."""
        async with self._context.database.read() as tx:
            wanted = {state.value for state, role, _, _ in TURNS if role in account.roles}
            named = await cases.relations_of(tx, account.id)
            waiting = []
            for case in await cases.in_states(tx, wanted):
                held = relations(account, case.site_id, named.get(case.id, set()), [], recent=False)
                why = _why(account, case.state, held)
                if why is not None and allowed(Action.REFERRAL_READ, account.roles, held):
                    waiting.append((case, why))
            all_of_them = [(case.id, case.site_id, case.state) for case, _ in waiting]
            kept_back = await drafts_elsewhere(tx, account, all_of_them)
            waiting = [(case, why) for case, why in waiting if case.id not in kept_back]
            ids = {case.id for case, _ in waiting}
            sites = await accounts.all_sites(tx)
            last = await referrals.last_events(tx, ids)
            drafted = await referrals.drafted(tx, ids)
            versions = await referrals.newest_of(tx, ids)
        rows = []
        for case, why in waiting:
            newest, event = versions.get(case.id), last.get(case.id)
            if why == "matched" and newest and newest.answers.get("wish") == "written":
                continue  # no hour is to be found
            urgency = str(newest.answers.get("urgency") or "") if newest else ""
            days = None if why == "scheduled" else DUE_DAYS.get(urgency)
            rows.append(
                {
                    "id": case.id,
                    "label": case.label,
                    "specialty": case.specialty,
                    "state": case.state,
                    "site": sites[case.site_id].name,
                    "time_zone": sites[case.site_id].time_zone,
                    "why": why,
                    "since_ms": event.at_ms if event else drafted.get(case.id, case.created_ms),
                    "due_ms": newest.submitted_ms + days * DAY_MS if newest and days else None,
                    "urgency": urgency,
                    "returns": event.reason if event and why == "returned" else "",
                }
            )
        rows.sort(key=lambda row: (row["due_ms"] or NOT_DUE, row["since_ms"]))
        return {"now_ms": self._context.now_ms(), "cases": rows}


def _why(account: Account, state: str, held: frozenset[Relation]) -> str | None:
    """The first turn of this account's roles; None: it is somebody else's."""
    for standing, role, relation, why in TURNS:
        if standing == state and role in account.roles and relation in {*held, Relation.ANY}:
            return why
    return None
