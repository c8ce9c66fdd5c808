"""What needs an account now besides the turn of a case: each kind for whose work it is, nothing clinical."""

from __future__ import annotations

from typing import Final

from server.domain.people import Account
from server.domain.permissions import Action, allowed
from server.domain.review import month_ms
from server.domain.staff import LICENSED, licence_state
from server.domain.task import INVITED_MS, LICENCE_ENDS_MS, REVIEW_WITHIN_MS, Task, month_before
from server.services.access import at_site
from server.services.hour_tasks import hour_tasks
from server.storage import accounts, cases, renderings, staff, waiting
from server.storage.database import Transaction

LISTED: Final = 20
"""Of one kind at once, the oldest: the others come when these are done."""


async def tasks_of(tx: Transaction, account: Account, now_ms: int) -> list[Task]:
    return [
        *await hour_tasks(tx, account, now_ms),
        *await _documents(tx, account),
        *await _flags(tx, account),
        *await _licences(tx, account, now_ms),
        *await _own_licence(tx, account, now_ms),
        *await _invited(tx, account, now_ms),
        *await _audit_review(tx, account, now_ms),
    ]


async def _documents(tx: Transaction, account: Account) -> list[Task]:
    """Those that they brought: whose study it is, or what the scanner found."""
    found = await waiting.documents_by(tx, account.id)
    labels = {
        one.id: one.label for one in (await cases.all_by_id(tx, {one.case_id for one in found})).values()
    }
    return [
        Task(f"document_{one.state}", since_ms=one.since_ms, case=one.case_id, label=labels[one.case_id],
            count=one.count)
        for one in found
    ]  # fmt: skip


async def _flags(tx: Transaction, account: Account) -> list[Task]:
    """Renderings of theirs that somebody doubts."""
    if not allowed(Action.RENDERING_OWN, account.roles, ()):
        return []
    open_ones = [one for one in await renderings.of_account(tx, account.id) if one.answered_ms is None]
    since = min((one.made_ms for one in open_ones), default=None)
    return [Task("flags", since_ms=since, count=len(open_ones))] if open_ones else []


async def _licences(tx: Transaction, account: Account, now_ms: int) -> list[Task]:
    """Entered and not seen by anybody yet, or run out."""
    if not allowed(Action.LICENCE_VERIFY, account.roles, ()):
        return []
    people = [one for one in await staff.everybody(tx) if not one.disabled and LICENSED & set(one.roles)]
    licences = await staff.licences_of(tx, {one.id for one in people})
    tasks = []
    for one in people:
        state = licence_state(one, licences.get(one.id), now_ms)
        if state == "unverified":
            tasks.append(Task("licence", licences[one.id].entered_ms, about=one.id, name=one.name))
        elif state == "expired":
            tasks.append(Task("licence_expired", one.verified_until_ms, about=one.id, name=one.name))
    return sorted(tasks, key=lambda task: (task.since_ms or 0, task.about))[:LISTED]


async def _own_licence(tx: Transaction, account: Account, now_ms: int) -> list[Task]:
    """Who treats and would be let into no seat soon, or is not now."""
    if not LICENSED & set(account.roles):
        return []
    licence = (await staff.licences_of(tx, {account.id})).get(account.id)
    until = account.verified_until_ms
    state = licence_state(account, licence, now_ms)
    over = until is not None and until <= now_ms  # then who is signed in counts as not verified already
    if over or state in ("none", "expired"):
        return [Task("own_licence", about=account.id)]
    if state == "verified" and until is not None and until - now_ms < LICENCE_ENDS_MS:
        return [Task("own_licence_ends", due_ms=until, about=account.id)]
    return []


async def _invited(tx: Transaction, account: Account, now_ms: int) -> list[Task]:
    """People of theirs who were invited days ago and never came."""
    if not allowed(Action.PERSON_WRITE, account.roles, at_site(account, account.site_id)):
        return []
    found = [one for one in await waiting.never_came(tx) if one.sent_ms < now_ms - INVITED_MS]
    people = {one.id: one for one in await accounts.by_ids(tx, {one.account_id for one in found})}
    return [
        Task("invited", one.sent_ms, one.expires_ms, about=one.account_id, name=people[one.account_id].name)
        for one in found
        if allowed(Action.PERSON_WRITE, account.roles, at_site(account, people[one.account_id].site_id))
    ][:LISTED]


async def _audit_review(tx: Transaction, account: Account, now_ms: int) -> list[Task]:
    """Last month's report, read and signed within two weeks."""
    if not allowed(Action.AUDIT_REVIEW, account.roles, ()):
        return []
    month = month_before(now_ms)
    _, over_ms = month_ms(month)
    if not await waiting.was_audited(tx, over_ms) or await waiting.is_reviewed(tx, month, over_ms):
        return []
    return [Task("audit_review", over_ms, over_ms + REVIEW_WITHIN_MS, label=month)]
