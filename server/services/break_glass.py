"""Breaking the glass: with a reason, for one patient, for a limited time, and others are told at once.

What it opens is in the permissions table (`Relation.BREAK_GLASS`); `services/access.py` asks whether it is
open. The reason is somebody's own words, so the chain has its hash and this table the words.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from server.domain.account_mail import GLASS_BROKEN as MAIL
from server.domain.errors import Refused
from server.domain.glass import MINUTE_MS, Glass, checked_reason
from server.domain.people import Account
from server.domain.permissions import Role
from server.domain.trail import GLASS_BROKEN, GLASS_ENDED
from server.services import account_mails
from server.services.context import Context
from server.storage import accounts, audit, break_glass, cases, consultations, patients
from server.storage.database import Transaction
from server.storage.ids import new_id

LISTED: Final = 50
PHYSICIANS: Final = frozenset({Role.REFERRING_PHYSICIAN, Role.CONSULTING_PHYSICIAN})


class BreakGlass:
    def __init__(self, context: Context) -> None:
        self._context = context

    def is_for(self, account: Account) -> bool:
        """Whether the policy lets somebody of these roles."""
        physician = not PHYSICIANS.isdisjoint(account.roles)
        policy = self._context.settings.audit.break_glass_physicians
        return Role.PRIVACY_OFFICER in account.roles or (physician and policy)

    async def begin(self, account: Account, label: str, reason: str, address: str) -> dict[str, Any]:
        """Open a case, named by its label, and its patient's others.

        Raises Refused `forbidden` (a physician, where the policy is otherwise), `glass_reason`, `glass_open`
        (one is open: one patient at a time), `not_found`.
        """
        settings, now_ms = self._context.settings.audit, self._context.now_ms()
        if not self.is_for(account):
            raise Refused("forbidden")
        words = checked_reason(reason, settings.break_glass_words)
        async with self._context.database.write() as tx:
            if await break_glass.open_of(tx, account.id, now_ms) is not None:
                raise Refused("glass_open")
            case_id = await cases.id_of_label(tx, label)
            if case_id is None:
                raise Refused("not_found")
            patient = await patients.of_case(tx, case_id)
            until_ms = now_ms + settings.break_glass_minutes * MINUTE_MS
            glass = Glass(
                new_id(), account.id, case_id, patient.id if patient else None, words, now_ms, until_ms
            )
            await break_glass.add(tx, glass)
            digest = hashlib.sha256(words.encode()).hexdigest()
            await _note(
                tx, now_ms, GLASS_BROKEN, glass, account.id, address, until_ms=until_ms, sha256=digest
            )
            for told in await _to_be_told(tx, glass, account):
                await account_mails.write(tx, told, MAIL, now_ms)
        return {"glass": await self.standing(account)}

    async def end(self, account: Account, glass_id: str, address: str) -> None:
        """One's own; a privacy officer also somebody else's. Raises Refused `not_found`, `glass_over`."""
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            glass = await break_glass.by_id(tx, glass_id)
            own = glass is not None and glass.account_id == account.id
            if glass is None or not (own or Role.PRIVACY_OFFICER in account.roles):
                raise Refused("not_found")
            if not glass.is_open(now_ms):
                raise Refused("glass_over")
            await break_glass.end(tx, glass_id, now_ms)
            await _note(tx, now_ms, GLASS_ENDED, glass, account.id, address)

    async def standing(self, account: Account) -> dict[str, Any] | None:
        """What is open for this account now: every page says so."""
        async with self._context.database.read() as tx:
            glass = await break_glass.open_of(tx, account.id, self._context.now_ms())
            if glass is None:
                return None
            case = await cases.by_id(tx, glass.case_id)
        label = case.label if case else ""
        return {"id": glass.id, "case_id": glass.case_id, "case": label, "until_ms": glass.until_ms}

    async def newest(self) -> dict[str, Any]:
        """`{glasses}` with their reasons, for the privacy officer."""
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:
            found = await break_glass.newest(tx, LISTED)
            people = {one.id: one for one in await accounts.by_ids(tx, {glass.account_id for glass in found})}
            known = await cases.all_by_id(tx, {glass.case_id for glass in found})
        return {
            "glasses": [
                {
                    "id": glass.id,
                    "name": people[glass.account_id].name,
                    "roles": list(people[glass.account_id].roles),
                    "case": known[glass.case_id].label,
                    "reason": glass.reason,
                    "opened_ms": glass.opened_ms,
                    "over_ms": glass.over_ms(),
                    "open": glass.is_open(now_ms),
                }
                for glass in found
            ]
        }


async def end_open(tx: Transaction, account_id: str, by: str | None, address: str, now_ms: int) -> None:
    """Whoever leaves reads no more, nor when they come back within the hour."""
    glass = await break_glass.open_of(tx, account_id, now_ms)
    if glass is not None:
        await break_glass.end(tx, glass.id, now_ms)
        await _note(tx, now_ms, GLASS_ENDED, glass, by, address)


async def is_open(
    tx: Transaction, account_id: str, now_ms: int, case_id: str | None, patient_id: str | None
) -> bool:
    """Whether this account has broken the glass for this case or patient."""
    glass = await break_glass.open_of(tx, account_id, now_ms)
    if glass is None:
        return False
    if case_id is None:
        return patient_id is not None and glass.patient_id == patient_id
    patient = await patients.of_case(tx, case_id)
    return glass.opens(case_id, patient.id if patient else None)


async def _to_be_told(tx: Transaction, glass: Glass, by: Account) -> list[str]:
    """The admins of the case's sites and of the account's own, every coordinator and privacy officer.

    Whoever did it is told as well: it may have been somebody else with their session.
    """
    case = await cases.by_id(tx, glass.case_id)
    sites = {by.site_id, *({case.site_id} if case else ())}
    sites |= {seat.site_id for seat in await consultations.seats_of_case(tx, glass.case_id)}
    admins = [one for one in await accounts.of_role(tx, Role.SITE_ADMIN) if one.site_id in sites]
    everywhere = [
        one for role in (Role.COORDINATOR, Role.PRIVACY_OFFICER) for one in await accounts.of_role(tx, role)
    ]
    return sorted({by.id, *(one.id for one in [*admins, *everywhere])})


async def _note(
    tx: Transaction, now_ms: int, action: str, glass: Glass, by: str | None, address: str, **detail: int | str
) -> None:
    entry = audit.Entry(
        action, "break_glass", glass.id, address,
        account_id=by, case_id=glass.case_id, patient_id=glass.patient_id, detail=detail,
    )  # fmt: skip
    await audit.append(tx, now_ms, entry)
