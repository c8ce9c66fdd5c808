"""Who and what a consultation of a case needs: physicians, an interpreter between them, a room each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from server.domain.appointment import INTERPRETER, ROOM, Pair, pair_of
from server.domain.case import Case
from server.domain.errors import Refused
from server.domain.people import Account, Site
from server.services.availability import Resource, person, place
from server.storage import accounts, appointments, calendars, cases, departments, matches
from server.storage.database import Transaction

REFERRING, CONSULTING = "referring_physician", "consulting_physician"
LOAD_MS = 14 * 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What a coordinator asks for; empty: as the case says.

    `people`: the invited physicians who must be there. `languages`: the two that are interpreted, where they
    are not the physicians' own. `any_field`: an interpreter certified for other specialties will do.
    `interpreter`, `rooms`: these and no others. `urgent`: whatever their working hours and holidays.
    """

    people: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    any_field: bool = False
    interpreter: str | None = None
    rooms: tuple[str, ...] = ()
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Team:
    """`physicians`: all are needed. `interpreters`: one of them, the least booked first. `rooms`: one at each
    site that has rooms."""

    case: Case
    sites: Mapping[str, Site]
    physicians: tuple[tuple[str, Account], ...]  # (role, account)
    languages: Pair | None
    interpreters: tuple[Account, ...]
    rooms: Mapping[str, tuple[Resource, ...]]  # by site

    @property
    def needs(self) -> list[tuple[str, tuple[Resource, ...]]]:
        """(kind, candidates), everything that must be booked."""
        found: list[tuple[str, tuple[Resource, ...]]] = [
            (role, (person(account, self.sites),)) for role, account in self.physicians
        ]
        if self.languages is not None:
            found.append((INTERPRETER, tuple(person(one, self.sites) for one in self.interpreters)))
        return found + [(ROOM, candidates) for candidates in self.rooms.values()]

    @property
    def resources(self) -> dict[str, Resource]:
        return {one.id: one for _, candidates in self.needs for one in candidates}

    @property
    def places(self) -> list[Site]:
        """Where the physicians are, the referring site first."""
        ids = dict.fromkeys([self.case.site_id, *(account.site_id for _, account in self.physicians)])
        return [self.sites[id_] for id_ in ids]


async def team_of(tx: Transaction, case_id: str, wish: Wish, now_ms: int) -> Team:
    """Raises Refused `not_found`, `department_closed`, `nobody_invited`, `interpreter_unfit`,
    `bad_request`.
    """
    case = await cases.by_id(tx, case_id)
    if case is None:
        raise Refused("not_found")
    await _require_open(tx, case_id)
    sites = await accounts.all_sites(tx)
    physicians = _physicians(case, await cases.invited(tx, case_id), wish.people)
    languages = pair_of(wish.languages or [account.language for _, account in physicians])
    interpreters: tuple[Account, ...] = ()
    if languages is not None:
        interpreters = await _interpreters(tx, case, languages, wish, now_ms)
    rooms = await _rooms(tx, sites, [account.site_id for _, account in physicians], wish.rooms)
    return Team(case, sites, physicians, languages, interpreters, rooms)


async def _require_open(tx: Transaction, case_id: str) -> None:
    """A department that was closed sees nobody any more: the case is to be matched anew first."""
    decided = await matches.decided(tx, case_id)
    if decided is None or decided.department_id is None:
        return
    department = await departments.by_id(tx, decided.department_id)
    if department is not None and department.closed:
        raise Refused("department_closed")


def _physicians(
    case: Case, invited: Sequence[Account], people: Sequence[str]
) -> tuple[tuple[str, Account], ...]:
    """The referring ones first, each in one role only."""
    named = [account for account in invited if not people or account.id in people]
    if people and len(named) != len(set(people)):
        raise Refused("bad_request")
    referring = [one for one in named if REFERRING in one.roles and one.site_id == case.site_id]
    consulting = [one for one in named if CONSULTING in one.roles and one not in referring]
    if not referring or not consulting:
        raise Refused("nobody_invited")
    return tuple((REFERRING, one) for one in referring) + tuple((CONSULTING, one) for one in consulting)


async def _interpreters(
    tx: Transaction, case: Case, languages: Pair, wish: Wish, now_ms: int
) -> tuple[Account, ...]:
    known = await calendars.all_interpreters(tx)
    fit = [
        account
        for account in await accounts.of_role(tx, INTERPRETER)
        if account.id in known and known[account.id].fits(languages, case.specialty, any_field=wish.any_field)
    ]
    if wish.interpreter is not None:
        fit = [account for account in fit if account.id == wish.interpreter]
        if not fit:
            raise Refused("interpreter_unfit")
    load = await appointments.booked(tx, [one.id for one in fit], (now_ms, now_ms + LOAD_MS))
    return tuple(sorted(fit, key=lambda one: (len(load.get(one.id, ())), one.id)))


async def _rooms(
    tx: Transaction, sites: Mapping[str, Site], places: Iterable[str], wanted: Sequence[str]
) -> dict[str, tuple[Resource, ...]]:
    ids = list(dict.fromkeys(places))
    open_ones = [room for room in await calendars.rooms_of(tx, ids) if not room.closed]
    found = {id_: [room for room in open_ones if room.site_id == id_] for id_ in ids}
    for id_ in wanted:
        site = next((room.site_id for room in open_ones if room.id == id_), None)
        if site is None:
            raise Refused("bad_request")
        found[site] = [room for room in found[site] if room.id in wanted]
    return {id_: tuple(place(room, sites) for room in rooms) for id_, rooms in found.items() if rooms}
