"""The programme's departments: who does what, in which languages, how much. A form or a file changes them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from server.domain.errors import Refused
from server.domain.matching.deciding import one_line
from server.domain.matching.rules import standard
from server.domain.people import Account
from server.domain.permissions import Action, allowed
from server.domain.referral_form import SPECIALTIES
from server.domain.staff import SPOKEN
from server.services.context import Context
from server.services.department_ahead import ahead_of, told
from server.storage import accounts, audit, departments, matches
from server.storage.database import Transaction
from server.storage.departments import DepartmentRow, PhysicianRow
from server.storage.ids import new_id

MAX_NAME: Final = 120
MAX_MONTHLY: Final = 1000
MONTH_MS: Final = 30 * 86_400_000


@dataclass(frozen=True, slots=True)
class PhysicianForm:
    name: str = field(repr=False)
    places: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("ko",)
    account_email: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class DepartmentForm:
    site_id: str
    name: str
    specialty: str
    places: tuple[str, ...]
    languages: tuple[str, ...]
    monthly: int
    closed: bool = False
    synthetic: bool = False


class Departments:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def listed(self) -> dict[str, Any]:
        """Hospitals with their departments and physicians, and how full they are."""
        async with self._context.database.read() as tx:
            rows = await departments.everyone(tx)
            people = await departments.physicians(tx)
            loads = await matches.loads(tx, self._context.now_ms() - MONTH_MS)
        return {
            "places": {
                specialty: [place for place in standard().places if place.startswith(f"{specialty}/")]
                for specialty in SPECIALTIES
            },
            "departments": [
                {
                    "id": row.id,
                    "hospital_id": row.site_id,
                    "hospital": row.hospital,
                    "name": row.name,
                    "specialty": row.specialty,
                    "places": list(row.places),
                    "languages": list(row.languages),
                    "monthly": row.monthly,
                    "open": sum(count for (one, _), count in loads.items() if one == row.id),
                    "closed": row.closed,
                    "synthetic": row.synthetic,
                    "physicians": [_physician(one) for one in people if one.department_id == row.id],
                }
                for row in rows
            ],
        }

    async def save(
        self, department_id: str | None, form: DepartmentForm, account: Account, address: str
    ) -> str:
        """Add one, or write it anew. Raises Refused `not_found`, `bad_request`, `department_booked`."""
        check(form)
        async with self._context.database.write() as tx:
            if department_id is not None:
                before = await required(tx, department_id)
                if form.closed and not before.closed:
                    await self._require_free(tx, department_id)
            if form.site_id not in await accounts.all_sites(tx):
                raise Refused("bad_request")
            made = department_id or new_id()
            await departments.put(tx, row_of(made, form))
            await self._note(tx, "department_saved", made, account, address)
        return made

    async def ahead(self, department_id: str, physician_id: str | None, account: Account) -> dict[str, Any]:
        """What is still to come there, for whoever thinks of closing it or of taking this physician out.

        Raises Refused `not_found`.
        """
        async with self._context.database.read() as tx:
            await required(tx, department_id)
            one = None if physician_id is None else await required_physician(tx, department_id, physician_id)
            found = await ahead_of(tx, department_id, self._context.now_ms(), one)
            return await told(tx, found, named=allowed(Action.CASE_READ, account.roles, ()))

    async def set_closed(self, department_id: str, closed: bool, account: Account, address: str) -> None:
        """It takes no new cases, or does again; a second time is the same.

        Raises Refused `not_found`, `department_booked` (with how many `hours`).
        """
        async with self._context.database.write() as tx:
            row = await required(tx, department_id)
            if row.closed == closed:
                return
            if closed:
                await self._require_free(tx, department_id)
            await departments.put(tx, replace(row, closed=closed))
            action = "department_closed" if closed else "department_opened"
            await self._note(tx, action, department_id, account, address)

    async def save_physician(
        self,
        department_id: str,
        physician_id: str | None,
        form: PhysicianForm,
        account: Account,
        address: str,
    ) -> str:
        """Add somebody to a department, or write them anew; an account once given stays theirs.

        Raises Refused `not_found`, `bad_request`, `physician_listed` (this account is there already).
        """
        async with self._context.database.write() as tx:
            await required(tx, department_id)
            made = await physician_of(tx, physician_id or new_id(), department_id, form)
            if physician_id is not None:
                known = await required_physician(tx, department_id, physician_id)
                made = replace(made, account_id=made.account_id or known.account_id)
            others = [
                one.account_id
                for one in await departments.physicians(tx)
                if one.department_id == department_id and one.id != made.id
            ]
            if made.account_id is not None and made.account_id in others:
                raise Refused("physician_listed")
            await departments.put_physician(tx, made)
            await self._note(tx, "department_saved", department_id, account, address)
        return made.id

    async def remove_physician(
        self, department_id: str, physician_id: str, account: Account, address: str
    ) -> None:
        """They take no new cases; what was decided stays readable.

        Raises Refused `not_found`, `physician_booked` (with how many `hours`).
        """
        async with self._context.database.write() as tx:
            one = await required_physician(tx, department_id, physician_id)
            ahead = await ahead_of(tx, department_id, self._context.now_ms(), one)
            if ahead.hours:
                raise Refused("physician_booked", hours=len(ahead.hours))
            await departments.leave(tx, physician_id)
            detail: dict[str, int | str] = {"physician": physician_id, "cases": len(ahead.cases)}
            await self._note(tx, "physician_removed", department_id, account, address, detail)

    async def _require_free(self, tx: Transaction, department_id: str) -> None:
        """Raises Refused `department_booked`."""
        ahead = await ahead_of(tx, department_id, self._context.now_ms())
        if ahead.hours:
            raise Refused("department_booked", hours=len(ahead.hours))

    async def _note(
        self,
        tx: Transaction,
        action: str,
        subject: str,
        account: Account,
        address: str,
        detail: dict[str, int | str] | None = None,
    ) -> None:
        entry = audit.Entry(
            action, "department", subject, address, account_id=account.id, detail=detail or {}
        )
        await audit.append(tx, self._context.now_ms(), entry)


async def required(tx: Transaction, department_id: str) -> DepartmentRow:
    """Raises Refused `not_found`."""
    found = await departments.by_id(tx, department_id)
    if found is None:
        raise Refused("not_found")
    return found


async def required_physician(tx: Transaction, department_id: str, physician_id: str) -> PhysicianRow:
    """One who has not been taken out. Raises Refused `not_found`."""
    found = await departments.physician(tx, physician_id)
    if found is None or found.department_id != department_id or found.left:
        raise Refused("not_found")
    return found


def check(form: DepartmentForm) -> None:
    """Raises Refused `bad_request`."""
    places = set(standard().places)
    good = (
        0 < len(one_line(form.name)) <= MAX_NAME
        and form.specialty in SPECIALTIES
        and form.places
        and set(form.places) <= places
        and form.languages
        and set(form.languages) <= set(SPOKEN)
        and 1 <= form.monthly <= MAX_MONTHLY
    )
    if not good:
        raise Refused("bad_request")


def row_of(department_id: str, form: DepartmentForm) -> DepartmentRow:
    return DepartmentRow(
        id=department_id,
        site_id=form.site_id,
        name=one_line(form.name),
        specialty=form.specialty,
        places=form.places,
        languages=form.languages,
        monthly=form.monthly,
        closed=form.closed,
        synthetic=form.synthetic,
    )


async def physician_of(
    tx: Transaction, physician_id: str, department_id: str, form: PhysicianForm
) -> PhysicianRow:
    """Raises Refused `bad_request`: no name, an unknown place or language, no physician's account."""
    good = (
        0 < len(one_line(form.name)) <= MAX_NAME
        and set(form.places) <= set(standard().places)
        and set(form.languages) <= set(SPOKEN)
    )
    account_id = None
    if form.account_email:
        found = await accounts.by_email(tx, form.account_email)
        good = good and found is not None and "consulting_physician" in found[0].roles
        account_id = found[0].id if found else None
    if not good:
        raise Refused("bad_request")
    return PhysicianRow(
        physician_id, department_id, one_line(form.name), form.places, form.languages, account_id
    )


def _physician(row: PhysicianRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "places": list(row.places),
        "languages": list(row.languages),
        "account_id": row.account_id,
    }
