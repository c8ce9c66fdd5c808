"""The programme's departments: who does what, in which languages, how much. A form and a file change them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final
from zoneinfo import available_timezones

from server.domain.errors import Refused
from server.domain.matching.deciding import one_line
from server.domain.matching.rules import standard
from server.domain.people import Account, Site
from server.domain.referral_form import SPECIALTIES
from server.domain.staff import SPOKEN
from server.services.context import Context
from server.storage import accounts, audit, departments, matches
from server.storage.database import Transaction
from server.storage.departments import DepartmentRow, PhysicianRow
from server.storage.ids import new_id

MAX_NAME: Final = 120
MAX_MONTHLY: Final = 1000
MONTH_MS: Final = 30 * 86_400_000


class ProgrammeError(Exception):
    """A sentence for whoever wrote the file."""


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
            ]
        }

    async def save(
        self, department_id: str | None, form: DepartmentForm, account: Account, address: str
    ) -> str:
        """Add one, or write it anew. Raises Refused `not_found`, `bad_request`."""
        _check(form)
        async with self._context.database.write() as tx:
            if department_id is not None and await departments.by_id(tx, department_id) is None:
                raise Refused("not_found")
            if form.site_id not in await accounts.all_sites(tx):
                raise Refused("bad_request")
            made = department_id or new_id()
            await departments.put(tx, _row(made, form))
            await self._note(tx, "department_saved", made, account, address)
        return made

    async def save_physician(
        self,
        department_id: str,
        physician_id: str | None,
        form: PhysicianForm,
        account: Account,
        address: str,
    ) -> str:
        """Add somebody to a department, or write them anew. Raises Refused `not_found`, `bad_request`."""
        async with self._context.database.write() as tx:
            department = await departments.by_id(tx, department_id)
            if department is None:
                raise Refused("not_found")
            if physician_id is not None:
                known = await departments.physician(tx, physician_id)
                if known is None or known.department_id != department_id:
                    raise Refused("not_found")
            made = physician_id or new_id()
            await departments.put_physician(tx, await _person(tx, made, department_id, form))
            await self._note(tx, "department_saved", department_id, account, address)
        return made

    async def remove_physician(
        self, department_id: str, physician_id: str, account: Account, address: str
    ) -> None:
        """They take no new cases; what was decided stays readable. Raises Refused `not_found`."""
        async with self._context.database.write() as tx:
            known = await departments.physician(tx, physician_id)
            if known is None or known.department_id != department_id:
                raise Refused("not_found")
            await departments.leave(tx, physician_id)
            await self._note(tx, "department_saved", department_id, account, address)

    async def load(self, text: str) -> dict[str, int]:
        """Sites, departments and physicians out of a file (docs/matching.md); again is the same once.

        Raises ProgrammeError.
        """
        programme = parse_programme(text)
        async with self._context.database.write() as tx:
            return await put_programme(tx, programme)

    async def _note(self, tx: Transaction, action: str, subject: str, account: Account, address: str) -> None:
        entry = audit.Entry(action, "department", subject, address, account_id=account.id)
        await audit.append(tx, self._context.now_ms(), entry)


def demo_programme() -> dict[str, Any]:
    """The demo's: 9 hospitals, 12 departments, all marked synthetic."""
    folder = resources.files("server.services.programmes")
    return parse_programme(folder.joinpath("nine_hospitals.toml").read_text(encoding="utf-8"))


async def put_programme(tx: Transaction, programme: dict[str, Any]) -> dict[str, int]:
    """Write a checked file's sites and departments; how many of each."""
    known = await accounts.all_sites(tx)
    for row in programme.get("sites", []):
        if row["id"] not in known:
            await accounts.add_site(tx, Site(row["id"], row["name"], row["time_zone"], row["country"]))
    physicians = 0
    for row in programme.get("departments", []):
        form = _form(row)
        _check(form)
        await departments.put(tx, _row(row["id"], form))
        for number, one in enumerate(row.get("physicians", []), 1):
            who = PhysicianForm(
                one["name"],
                tuple(one.get("places", ())),
                tuple(one.get("languages", ("ko",))),
                one.get("account"),
            )
            await departments.put_physician(tx, await _person(tx, f"{row['id']}-p{number}", row["id"], who))
            physicians += 1
    return {
        "sites": len(programme.get("sites", [])),
        "departments": len(programme.get("departments", [])),
        "physicians": physicians,
    }


def parse_programme(text: str) -> dict[str, Any]:
    """Raises ProgrammeError that names the row."""
    try:
        programme = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProgrammeError(f"not TOML: {error}") from error
    zones = available_timezones()
    sites = {row.get("id") for row in programme.get("sites", [])}
    for row in programme.get("sites", []):
        missing = {"id", "name", "time_zone", "country"} - set(row)
        if missing:
            raise ProgrammeError(f"site {row.get('id', '?')}: no {', '.join(sorted(missing))}")
        if row["time_zone"] not in zones:
            raise ProgrammeError(f"site {row['id']}: there is no time zone {row['time_zone']}")
    for row in programme.get("departments", []):
        missing = {"id", "site", "name", "specialty", "places"} - set(row)
        if missing:
            raise ProgrammeError(f"department {row.get('id', '?')}: no {', '.join(sorted(missing))}")
        if row["site"] not in sites:
            raise ProgrammeError(f"department {row['id']}: there is no site {row['site']}")
        try:
            _check(_form(row))
        except Refused:
            what = f"a specialty, sub-specialty or language is unknown, or monthly is not 1 to {MAX_MONTHLY}"
            raise ProgrammeError(f"department {row['id']}: {what}") from None
    return programme


def _form(row: dict[str, Any]) -> DepartmentForm:
    return DepartmentForm(
        site_id=row["site"],
        name=row["name"],
        specialty=row["specialty"],
        places=tuple(f"{row['specialty']}/{one}" if "/" not in one else one for one in row["places"]),
        languages=tuple(row.get("languages", ("ko",))),
        monthly=row.get("monthly", 10),
        closed=row.get("closed", False),
        synthetic=row.get("synthetic", False),
    )


def _check(form: DepartmentForm) -> None:
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


def _row(department_id: str, form: DepartmentForm) -> DepartmentRow:
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


async def _person(
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
        "has_account": row.account_id is not None,
    }
