"""Proposing hospitals for a case, and deciding on one. The rules are `server/domain/matching/`.

Nothing of the referral's words is kept with a proposal nor told to the audit chain: message ids, terms of the
rules, numbers and codes.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from server.domain.case import Case
from server.domain.errors import Refused
from server.domain.life import Guard
from server.domain.matching.assess import Assessment, assess
from server.domain.matching.deciding import Decision, decide, fingerprint
from server.domain.matching.ranking import Around, Department, Physician, Ranked, rank
from server.domain.matching.rules import standard
from server.domain.people import Account
from server.domain.week import office_hours
from server.services.case_life import About, may, move, mover
from server.services.consent import Consents
from server.services.context import Context
from server.services.referral_text import referral_of
from server.storage import accounts, audit, calendars, cases, departments, matches
from server.storage.database import Transaction
from server.storage.ids import new_id
from server.storage.matches import Proposal

MONTH_MS: Final = 30 * 86_400_000
SHOWN_PLACES: Final = 3
SHOWN_TERMS: Final = 5


class Matching:
    def __init__(self, context: Context, deciding: Consents) -> None:
        self._context = context
        self._deciding = deciding

    async def propose(
        self, case_id: str, preference: str | None, account: Account, address: str
    ) -> dict[str, Any]:
        """Read the referral and rank the departments. Raises Refused `not_found`, `bad_request`."""
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:
            case = await _case(tx, case_id)
            referral = await referral_of(tx, case, preference, now_ms)
        rules = standard()
        found = await asyncio.to_thread(assess, referral, rules)  # some ten milliseconds of reading
        async with self._context.database.write() as tx:
            sites = await accounts.all_sites(tx)
            if preference is not None and preference not in sites:
                raise Refused("bad_request")
            choice = await _choice(tx, now_ms)
            ranked = rank(referral, found, choice, await self._around(tx, case, found, now_ms))
            made = Proposal(
                id=new_id(),
                case_id=case_id,
                fingerprint=fingerprint(referral),
                rules=rules.digest,
                found=_found(found),
                ranked=[_ranked(row) for row in ranked],
                made_by=account.id,
                made_ms=now_ms,
            )
            await matches.add(tx, made)
            detail: dict[str, int | str] = {"departments": len(ranked), "missing": len(found.missing)}
            await self._note(tx, "match_proposed", made.id, case_id, account, address, detail)
            return await self._told(tx, made, case)

    async def look(self, case_id: str) -> dict[str, Any]:
        """`{proposal, decided}`: the newest one, and the newest decided one. Raises Refused `not_found`."""
        async with self._context.database.read() as tx:
            case = await _case(tx, case_id)
            return await self._told(tx, await matches.newest(tx, case_id), case)

    async def decide(
        self,
        case_id: str,
        proposal_id: str,
        department_id: str,
        physician_id: str | None,
        why: str | None,
        note: str,
        account: Account,
        address: str,
    ) -> dict[str, Any]:
        """Accept the first or override it.

        Raises Refused `not_found`, `wrong_state`, `match_changed`, `match_decided`, `match_missing`,
        `match_reason`, `bad_request`.
        """
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            case = await _case(tx, case_id)
            made = await matches.newest(tx, case_id)
            if made is None:
                raise Refused("not_found")
            if not (may(case, "match") or may(case, "rematch")):
                raise Refused("wrong_state")
            if made.id != proposal_id or not await self._current(tx, made, case):
                raise Refused("match_changed")
            if made.decided_ms is not None:
                raise Refused("match_decided")
            await _offered(tx, department_id, physician_id)
            order = [row["department"] for row in made.ranked]
            decision = decide(order, made.found["missing"], department_id, physician_id, why, note)
            if not await matches.close(tx, made.id, decision, account.id, now_ms):
                raise Refused("match_decided")
            await _invite(tx, case_id, physician_id)
            await self._move(tx, case, decision, account, address)
            action = "match_overridden" if decision.overrides else "match_accepted"
            place = order.index(department_id) + 1 if department_id in order else 0
            detail: dict[str, int | str] = {"department": department_id, "rank": place, "why": why or ""}
            await self._note(tx, action, made.id, case_id, account, address, detail)
            told = await self._told(tx, await matches.newest(tx, case_id), case)
        await self._deciding.sites_changed(case_id)
        return told

    async def _move(
        self, tx: Transaction, case: Case, decision: Decision, account: Account, address: str
    ) -> None:
        """On in its life, once somebody is asked; before that it stays where it is."""
        asked = await cases.invited(tx, case.id)
        if not any("consulting_physician" in one.roles for one in asked):
            return
        by, now_ms = mover(account, address), self._context.now_ms()
        if may(case, "match"):
            await move(tx, now_ms, case, "match", by, {Guard.INVITED})
        else:
            reason = About(reason=decision.why or "proposed")
            await move(tx, now_ms, case, "rematch", by, {Guard.INVITED, Guard.REASON}, reason)

    async def _around(self, tx: Transaction, case: Case, found: Assessment, now_ms: int) -> Around:
        places = [score.place for score in found.scores[:1]]
        own = (await calendars.hours_of(tx, [case.site_id])).get(case.site_id)
        return Around(
            week=datetime.fromtimestamp(now_ms / 1000, UTC).date(),
            site_hours=own.week if own else office_hours(),
            site_zone=own.time_zone if own else None,
            interpreters=tuple((await calendars.all_interpreters(tx)).values()),
            seen_patient=frozenset(await matches.departments_of(tx, [case.id])),
            similar=await matches.similar(tx, case.site_id, places, case.id),
        )

    async def _current(self, tx: Transaction, made: Proposal, case: Case) -> bool:
        now = await referral_of(tx, case, None, made.made_ms)
        return fingerprint(now) == made.fingerprint

    async def _told(self, tx: Transaction, made: Proposal | None, case: Case) -> dict[str, Any]:
        done = await matches.decided(tx, case.id)
        return {
            "chosen": case.specialty,
            "proposal": None
            if made is None
            else {
                "id": made.id,
                "made_ms": made.made_ms,
                "outdated": not await self._current(tx, made, case),
                "decided": made.decided_ms is not None,
                "ranked": made.ranked,
                **made.found,
            },
            "decided": None if done is None else await _decided(tx, done),
        }

    async def _note(
        self,
        tx: Transaction,
        action: str,
        subject: str,
        case_id: str,
        account: Account,
        address: str,
        detail: dict[str, int | str],
    ) -> None:
        entry = audit.Entry(
            action, "match", subject, address, account_id=account.id, case_id=case_id, detail=detail
        )
        await audit.append(tx, self._context.now_ms(), entry)


async def _case(tx: Transaction, case_id: str) -> Case:
    case = await cases.by_id(tx, case_id)
    if case is None:
        raise Refused("not_found")
    return case


async def _choice(tx: Transaction, now_ms: int) -> list[Department]:
    """Departments that take new cases, with what they have this month."""
    loads = await matches.loads(tx, now_ms - MONTH_MS)
    people: dict[str, list[Physician]] = {}
    for one in await departments.physicians(tx):
        busy = sum(count for (_, physician), count in loads.items() if physician == one.id)
        people.setdefault(one.department_id, []).append(
            Physician(one.id, one.name, frozenset(one.places), one.languages, busy)
        )
    rows = [row for row in await departments.everyone(tx) if not row.closed]
    hours = await calendars.hours_of(tx, {owner for row in rows for owner in (row.id, row.site_id)})
    standing = {row.id: hours.get(row.id) or hours.get(row.site_id) for row in rows}
    return [
        Department(
            id=row.id,
            hospital_id=row.site_id,
            hospital=row.hospital,
            specialty=row.specialty,
            places=frozenset(row.places),
            languages=row.languages,
            time_zone=(own.time_zone if (own := standing[row.id]) else None) or row.time_zone,
            hours=own.week if own else office_hours(),
            monthly=row.monthly,
            open_cases=sum(count for (department, _), count in loads.items() if department == row.id),
            physicians=tuple(people.get(row.id, ())),
        )
        for row in rows
    ]


async def _offered(tx: Transaction, department_id: str, physician_id: str | None) -> None:
    """A department that takes cases, and a physician of it. Raises Refused `bad_request`."""
    department = await departments.by_id(tx, department_id)
    if department is None or department.closed:
        raise Refused("bad_request")
    if physician_id is not None:
        physician = await departments.physician(tx, physician_id)
        if physician is None or physician.left or physician.department_id != department_id:
            raise Refused("bad_request")


async def _invite(tx: Transaction, case_id: str, physician_id: str | None) -> None:
    """Who was decided on may open the case, if they have an account."""
    physician = await departments.physician(tx, physician_id) if physician_id else None
    if physician is None or physician.account_id is None:
        return
    named = (await cases.relations_of(tx, physician.account_id)).get(case_id, set())
    if "invited" not in named:
        await cases.add_person(tx, case_id, physician.account_id, "invited")


async def _decided(tx: Transaction, done: Proposal) -> dict[str, Any]:
    department = await departments.by_id(tx, done.department_id or "")
    physician = await departments.physician(tx, done.physician_id) if done.physician_id else None
    by = await accounts.by_id(tx, done.decided_by or "")
    return {
        "proposal": done.id,
        "department": done.department_id,
        "hospital": department.hospital if department else "",
        "name": department.name if department else "",
        "physician": physician.name if physician else None,
        "why": done.why,
        "note": done.note,
        "by": by.name if by else "",
        "at_ms": done.decided_ms,
    }


def _found(found: Assessment) -> dict[str, Any]:
    """What was recognised, as it is kept and told: places with the terms of the rules that spoke for them."""
    return {
        "places": [
            {
                "place": score.place,
                "points": score.points,
                "terms": [spoke.term for spoke in score.spoke if spoke.weight > 0][:SHOWN_TERMS],
            }
            for score in found.scores[:SHOWN_PLACES]
        ],
        "missing": [str(one) for one in found.missing],
        "red_flags": list(found.red_flags),
        "close": found.close,
    }


def _ranked(row: Ranked) -> dict[str, Any]:
    return {
        "department": row.department.id,
        "hospital": row.department.hospital,
        "hospital_id": row.department.hospital_id,
        "specialty": row.department.specialty,
        "place": row.place,
        "physician": {"id": row.physician.id, "name": row.physician.name} if row.physician else None,
        "points": row.points,
        "reasons": [asdict(reason) for reason in row.reasons],
    }
