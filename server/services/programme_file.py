"""A whole programme out of a file (docs/matching.md, docs/people.md): sites with their hours and rooms, the
people of them, departments. What is there already under the same id or address is written anew or left alone.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any, Final

from server.domain.appointment import Interpreter, pair_of
from server.domain.errors import FormRefused, Refused
from server.domain.people import Account, Site
from server.domain.staff import Licence, checked_licence, checked_person, checked_site, zones
from server.domain.week import Week, week_of
from server.i18n import LANGUAGES
from server.services.context import Context
from server.services.departments import (
    MAX_MONTHLY,
    DepartmentForm,
    PhysicianForm,
    check,
    physician_of,
    row_of,
)
from server.storage import accounts, audit, calendars, departments, staff
from server.storage.calendars import Hours, SiteRoom
from server.storage.database import Transaction
from server.storage.ids import new_id

WEEKDAYS: Final = (0, 1, 2, 3, 4)


class ProgrammeError(Exception):
    """A sentence for whoever wrote the file."""


async def load(context: Context, text: str) -> dict[str, int]:
    """Sites, people, departments and physicians; again is the same once. Raises ProgrammeError."""
    programme = parse_programme(text)
    async with context.database.write() as tx:
        return await put_programme(tx, programme, context.now_ms())


def shipped(name: str) -> dict[str, Any]:
    """One that comes with the product, marked synthetic: `nine_hospitals`, `twenty_centres`."""
    folder = resources.files("server.services.programmes")
    return parse_programme(folder.joinpath(f"{name}.toml").read_text(encoding="utf-8"))


async def put_programme(tx: Transaction, programme: dict[str, Any], now_ms: int) -> dict[str, int]:
    """Write a checked file's contents; how many there are of each."""
    known = await accounts.all_sites(tx)
    hours = await calendars.hours_of(tx, [row["id"] for row in programme.get("sites", [])])
    for row in programme.get("sites", []):
        if row["id"] not in known:
            await accounts.add_site(tx, _site(row))
        if "hours" in row and row["id"] not in hours:
            await calendars.put_hours(tx, row["id"], Hours(_week(row), None), now_ms)
        for number, room in enumerate(row.get("rooms", ()), 1):
            if await calendars.room_by_id(tx, f"{row['id']}-r{number}") is None:
                await calendars.put_room(tx, SiteRoom(f"{row['id']}-r{number}", row["id"], room, False))
    for row in programme.get("people", []):
        await _put_person(tx, row, now_ms)
    physicians = 0
    for row in programme.get("departments", []):
        await departments.put(tx, row_of(row["id"], _form(row)))
        for number, one in enumerate(row.get("physicians", []), 1):
            who = PhysicianForm(
                one["name"],
                tuple(one.get("places", ())),
                tuple(one.get("languages", ("ko",))),
                one.get("account"),
            )
            made = await physician_of(tx, f"{row['id']}-p{number}", row["id"], who)
            await departments.put_physician(tx, made)
            physicians += 1
    counts = {name: len(programme.get(name, [])) for name in ("sites", "people", "departments")}
    return {name: count for name, count in counts.items() if count or name != "people"} | {
        "physicians": physicians
    }


async def _put_person(tx: Transaction, row: dict[str, Any], now_ms: int) -> None:
    """An account without a password; who has this address already keeps what they have."""
    account = checked_person(_account(row), LANGUAGES)
    if await accounts.by_email(tx, account.email) is not None:
        return
    await accounts.add_account(tx, account, accounts.NO_PASSWORD)
    await audit.append(tx, now_ms, audit.Entry("account_added", "account", account.id, ""))
    if "licence" in row:
        site = (await accounts.all_sites(tx))[account.site_id]
        await staff.put_licence(tx, checked_licence(_licence(row, account.id), site.time_zone, now_ms))
    if "pairs" in row:
        found = [pair_of(pair) for pair in row["pairs"]]
        pairs = frozenset(pair for pair in found if pair)
        await calendars.put_interpreter(tx, Interpreter(account.id, pairs, frozenset(row.get("fields", ()))))


def parse_programme(text: str) -> dict[str, Any]:
    """Raises ProgrammeError that names the row."""
    try:
        programme = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProgrammeError(f"not TOML: {error}") from error
    sites = {row.get("id") for row in programme.get("sites", [])}
    for row in programme.get("sites", []):
        _has(row, "site", "id", "name", "time_zone", "country")
        if row["time_zone"] not in zones():
            raise ProgrammeError(f"site {row['id']}: there is no time zone {row['time_zone']}")
        try:
            checked_site(_site(row), "", ())
            _week(row)
        except (FormRefused, ValueError) as error:
            raise ProgrammeError(f"site {row['id']}: {_words(error)}") from None
    for row in programme.get("people", []):
        _has(row, "person", "email", "name", "site", "roles", "language")
        _at(row, "person", row["email"], sites)
        try:
            checked_person(_account(row), LANGUAGES)
            for pair in row.get("pairs", ()):
                pair_of(pair)
        except Refused as error:
            raise ProgrammeError(f"person {row['email']}: {_words(error)}") from None
    for row in programme.get("departments", []):
        _has(row, "department", "id", "site", "name", "specialty", "places")
        _at(row, "department", row["id"], sites)
        try:
            check(_form(row))
        except Refused:
            what = f"a specialty, sub-specialty or language is unknown, or monthly is not 1 to {MAX_MONTHLY}"
            raise ProgrammeError(f"department {row['id']}: {what}") from None
    return programme


def _has(row: dict[str, Any], what: str, *names: str) -> None:
    missing = set(names) - set(row)
    if missing:
        raise ProgrammeError(
            f"{what} {row.get('id', row.get('email', '?'))}: no {', '.join(sorted(missing))}"
        )


def _at(row: dict[str, Any], what: str, name: str, sites: set[Any]) -> None:
    if row["site"] not in sites:
        raise ProgrammeError(f"{what} {name}: there is no site {row['site']}")


def _words(error: Exception) -> str:
    if isinstance(error, FormRefused):
        return ", ".join(f"{name} ({what})" for name, what in error.fields.items()) + " cannot be used"
    return "a pair of languages is none" if isinstance(error, Refused) else str(error)


def _site(row: dict[str, Any]) -> Site:
    return Site(
        row["id"],
        row["name"],
        row["time_zone"],
        row["country"],
        row.get("address", ""),
        tuple(row.get("languages", ())),
        row.get("emergency", ""),
    )


def _week(row: dict[str, Any]) -> Week:
    """`hours` on `days` (Monday is 0; without them Monday to Friday). Raises ValueError."""
    days = row.get("days", WEEKDAYS)
    return week_of([row.get("hours", []) if day in days else [] for day in range(7)])


def _account(row: dict[str, Any]) -> Account:
    return Account(
        new_id(),
        row["email"],
        row["name"],
        row["language"],
        row["site"],
        tuple(row["roles"]),
        False,
        False,
        "UTC",
    )


def _licence(row: dict[str, Any], account_id: str) -> Licence:
    given = row["licence"]
    return Licence(
        account_id, given["number"], given["country"], given["institution"], given.get("expires"), "", 0
    )


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
