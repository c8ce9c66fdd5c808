"""Makes the monthly report out of the audit: sections of plain rows, those first that ask for a look.

Columns are named by the kind of their values: `…_ms` instants, `role`, `reason`, the rest words and numbers.
It holds names of staff and labels of cases, nothing of a patient.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from server.domain.case import Case
from server.domain.people import Account, Site
from server.domain.permissions import Relation, Role
from server.domain.review import Standing, belongs, month_ms, within_hours
from server.domain.trail import SIGN_IN_FAILED, is_copy, is_look
from server.storage import accounts, audit_gaps, audit_reviews, audit_trail, break_glass, calendars, cases
from server.storage.audit_trail import Filter, Written
from server.storage.calendars import Hours
from server.storage.database import Transaction

Cell = str | int | None
SECTIONS: Final = ("glass", "gaps", "unrelated", "outside", "copies", "failed", "overview")
COLUMNS: Final = (
    "at_ms", "site", "name", "role", "case", "words", "minutes", "looks", "patients", "first_ms", "last_ms",
    "action", "reason", "address", "tries", "people", "copies", "outside", "unrelated",
)  # fmt: skip
"""Pages and files have words for these."""
FORGOTTEN: Final = 5
"""So many failed sign-ins of one account from one address are somebody who forgot a password."""


@dataclass(slots=True)
class _Books:
    """All that a look is judged by."""

    people: dict[str, Account]
    sites: dict[str, Site]
    cases: dict[str, Case]
    hours: dict[str, Hours]
    moved: dict[str, list[int]]
    seated: dict[tuple[str, str], list[int]]
    named: dict[tuple[str, str], set[str]]
    seats: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def who(self, account_id: str | None) -> tuple[str, str, str]:
        """Site, name, roles."""
        account = self.people.get(account_id or "")
        if account is None:
            return "", "", ""
        return self.sites[account.site_id].name, account.name, " ".join(account.roles)

    def label(self, case_id: str | None) -> str:
        case = self.cases.get(case_id or "")
        return case.label if case else ""

    def outside(self, row: Written) -> bool:
        account = self.people.get(row.entry.account_id or "")
        if account is None:
            return False
        own = self.hours.get(account.id) or self.hours.get(account.site_id)
        site = self.sites[account.site_id]
        zone = (own.time_zone if own else None) or site.time_zone
        return not within_hours(row.at_ms, own.week if own else None, zone, self.seats[account.id])

    def unrelated(self, row: Written) -> bool:
        account, case = self.people.get(row.entry.account_id or ""), self.cases.get(row.entry.case_id or "")
        if account is None or case is None:
            return False
        key = (account.id, case.id)
        how, seats = self.named.get(key, set()), self.seated.get(key, [])
        works = bool(how or seats) or account.site_id == case.site_id or Role.COORDINATOR in account.roles
        standing = Standing(works, Relation.FOLLOWS in how, seats)
        return not belongs(row.at_ms, standing, self.moved.get(case.id, []))


async def report(tx: Transaction, month: str, now_ms: int) -> dict[str, Any]:
    """`{month, from_ms, to_ms, so_far, sections: [{id, review, columns, rows}]}`."""
    from_ms, to_ms = month_ms(month)
    looks, failed = [], []
    async for row in audit_trail.oldest_first(tx, Filter(from_ms=from_ms, to_ms=to_ms)):
        if row.entry.action == SIGN_IN_FAILED:
            failed.append(row)
        elif is_look(row.entry.action):
            looks.append(row)
    books = await _books(tx, [*looks, *failed])
    sections = [
        await _glass(tx, books, from_ms, to_ms, looks),
        await _gaps(tx, books, from_ms, to_ms),
        _by_person("unrelated", books, [row for row in looks if books.unrelated(row)], cases=True),
        _by_person("outside", books, [row for row in looks if books.outside(row)], cases=False),
        _copies(books, [row for row in looks if is_copy(row.entry.action)]),
        _failed(books, failed),
        _overview(books, looks),
    ]
    return {
        "month": month,
        "from_ms": from_ms,
        "to_ms": to_ms,
        "so_far": now_ms < to_ms,
        "sections": sections,
    }


async def _books(tx: Transaction, rows: Sequence[Written]) -> _Books:
    people = await accounts.by_ids(tx, {row.entry.account_id for row in rows if row.entry.account_id})
    about = {row.entry.case_id for row in rows if row.entry.case_id}
    ids = {one.id for one in people}
    books = _Books(
        people={one.id: one for one in people},
        sites=await accounts.all_sites(tx),
        cases=await cases.all_by_id(tx, about),
        hours=await calendars.hours_of(tx, ids | {one.site_id for one in people}),
        moved=await audit_reviews.moved(tx, about),
        seated=await audit_reviews.seated(tx, ids),
        named=await audit_reviews.named(tx, ids),
    )
    for (account_id, _), instants in books.seated.items():
        books.seats[account_id] += instants
    return books


def _section(name: str, columns: Sequence[str], rows: list[list[Cell]], *, review: bool) -> dict[str, Any]:
    if name not in SECTIONS or not set(COLUMNS).issuperset(columns):
        raise ValueError(f"{name}: no words for a section or column of this name")
    return {"id": name, "review": review and bool(rows), "columns": list(columns), "rows": rows}


def _overview(books: _Books, looks: Sequence[Written]) -> dict[str, Any]:
    """Who looked at how many patients, by site and role."""
    groups: dict[tuple[str, str], list[Written]] = defaultdict(list)
    for row in looks:
        site, _, roles = books.who(row.entry.account_id)
        groups[site, roles].append(row)
    rows: list[list[Cell]] = []
    for (site, roles), found in sorted(groups.items()):
        subjects = {row.entry.patient_id or row.entry.case_id for row in found} - {None}
        rows.append(
            [
                site, roles, len({row.entry.account_id for row in found}), len(subjects), len(found),
                sum(is_copy(row.entry.action) for row in found),
                sum(books.outside(row) for row in found), sum(books.unrelated(row) for row in found),
            ]
        )  # fmt: skip
    columns = ("site", "role", "people", "patients", "looks", "copies", "outside", "unrelated")
    return _section("overview", columns, rows, review=False)


def _by_person(name: str, books: _Books, found: Sequence[Written], *, cases: bool) -> dict[str, Any]:
    """One row for each person (and case): how often, first and last."""
    groups: dict[tuple[str, ...], list[Written]] = defaultdict(list)
    for row in found:
        label = (books.label(row.entry.case_id),) if cases else ()
        groups[(*books.who(row.entry.account_id), *label)].append(row)
    rows: list[list[Cell]] = []
    for key, these in sorted(groups.items()):
        patients = len({row.entry.patient_id or row.entry.case_id for row in these} - {None})
        counted: list[Cell] = [len(these)] if cases else [len(these), patients]
        rows.append([*key, *counted, these[0].at_ms, these[-1].at_ms])
    columns = [
        "site",
        "name",
        "role",
        *(["case"] if cases else []),
        "looks",
        *([] if cases else ["patients"]),
    ]
    return _section(name, [*columns, "first_ms", "last_ms"], rows, review=True)


def _copies(books: _Books, found: Sequence[Written]) -> dict[str, Any]:
    rows: list[list[Cell]] = []
    for row in found:
        one = row.entry
        reason = str(one.detail.get("reason", ""))
        rows.append([row.at_ms, *books.who(one.account_id), books.label(one.case_id), one.action, reason])
    columns = ("at_ms", "site", "name", "role", "case", "action", "reason")
    return _section("copies", columns, rows, review=True)


async def _glass(
    tx: Transaction, books: _Books, from_ms: int, to_ms: int, looks: Sequence[Written]
) -> dict[str, Any]:
    """Each breaking with its words and how much was read while it was open."""
    found = await break_glass.between(tx, from_ms, to_ms)
    books.people |= {one.id: one for one in await accounts.by_ids(tx, {glass.account_id for glass in found})}
    books.cases |= await cases.all_by_id(tx, {glass.case_id for glass in found})
    rows: list[list[Cell]] = []
    for glass in found:
        read = sum(
            row.entry.account_id == glass.account_id
            and glass.opened_ms <= row.at_ms < glass.over_ms()
            and glass.opens(row.entry.case_id or "", row.entry.patient_id)
            for row in looks
        )
        minutes = round((glass.over_ms() - glass.opened_ms) / 60_000)
        who, label = books.who(glass.account_id), books.label(glass.case_id)
        rows.append([glass.opened_ms, *who, label, glass.reason, minutes, read])
    columns = ("at_ms", "site", "name", "role", "case", "words", "minutes", "looks")
    return _section("glass", columns, rows, review=True)


async def _gaps(tx: Transaction, books: _Books, from_ms: int, to_ms: int) -> dict[str, Any]:
    """Entries that are missing, as they were answered for in that month."""
    found = [gap for gap in await audit_gaps.every(tx) if from_ms <= gap.made_ms < to_ms]
    books.people |= {one.id: one for one in await accounts.by_ids(tx, {gap.account_id for gap in found})}
    rows: list[list[Cell]] = [
        [gap.made_ms, *books.who(gap.account_id), gap.reason, gap.range.from_ms, gap.range.to_ms]
        for gap in found
    ]
    columns = ("at_ms", "site", "name", "role", "words", "first_ms", "last_ms")
    return _section("gaps", columns, rows, review=True)


def _failed(books: _Books, found: Sequence[Written]) -> dict[str, Any]:
    """By account and address; few of them are somebody who mistyped a password."""
    counted = Counter((row.entry.account_id or "", row.entry.address) for row in found)
    rows: list[list[Cell]] = [
        [*books.who(account_id), address, number]
        for (account_id, address), number in sorted(counted.items(), key=lambda each: (-each[1], each[0]))
    ]
    told = _section("failed", ("site", "name", "role", "address", "tries"), rows, review=True)
    return {**told, "review": any(number > FORGOTTEN for number in counted.values())}
