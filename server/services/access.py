"""Finds out how somebody stands to a thing, and asks the permissions table. Knows no HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from server.domain.case import Case
from server.domain.consultation import Consultation, Seat, is_recent, require_link_alive
from server.domain.errors import Refused
from server.domain.life import State
from server.domain.people import Account
from server.domain.permissions import Action, Relation, Role, allowed
from server.services.break_glass import is_open as glass_open
from server.services.context import Context
from server.services.owners import owner_of
from server.storage import accounts, cases, consultations, patients, presence, referrals, renderings, sessions
from server.storage import seats as chairs
from server.storage.database import Transaction
from server.storage.ids import hashed


class Subject(StrEnum):
    """What an action is about."""

    NONE = "none"
    CASE = "case"
    RECORDING = "recording"
    SEAT = "seat"
    CALENDAR = "calendar"  # a person's, a site's or a room's
    PATIENT = "patient"  # registered at a site
    SITE = "site"
    PERSON = "person"  # with an account
    FLAG = "flag"  # on a rendering: its seat is the interpreter's


@dataclass(frozen=True, slots=True)
class Found:
    """The case behind a subject and how the account stands to it."""

    case_id: str
    relations: frozenset[Relation]
    kept_back: bool = False  # the case is a draft of another site


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, from where, about whose case: once they may."""

    account: str
    address: str
    case_id: str


class Access:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def require(self, account: Account, action: Action, subject: Subject, subject_id: str) -> Found:
        """Raises Refused `not_found` (there is no such thing, or not for them yet) or `forbidden`."""
        async with self._context.database.read() as tx:
            found = await self._find(tx, account, subject, subject_id)
        if found is None:
            raise Refused("not_found")
        if not allowed(action, account.roles, found.relations):
            raise Refused("forbidden")
        if found.kept_back:
            raise Refused("not_found")
        return found

    async def _find(
        self, tx: Transaction, account: Account, subject: Subject, subject_id: str
    ) -> Found | None:
        if subject is Subject.FLAG:
            flag = await renderings.by_id(tx, subject_id)
            return None if flag is None else await self._find(tx, account, Subject.SEAT, flag.seat_id)
        if subject is Subject.CALENDAR:
            return await _calendar(tx, account, subject_id)
        if subject is Subject.SITE:
            there = subject_id in await accounts.all_sites(tx)
            return Found("", at_site(account, subject_id)) if there else None
        if subject is Subject.PERSON:
            other = await accounts.by_id(tx, subject_id)
            return None if other is None else Found("", to_person(account, other))
        if subject is Subject.PATIENT:
            patient = await patients.by_id(tx, subject_id)
            own = patient is not None and patient.site_id == account.site_id
            if patient is None:
                return None
            related = {Relation.OWN_SITE} if own else set()
            if await glass_open(tx, account.id, self._context.now_ms(), None, patient.id):
                related.add(Relation.BREAK_GLASS)
            return Found("", frozenset(related))
        if subject is Subject.SEAT:
            seat = await consultations.seat_by_id(tx, subject_id)
            if seat is None:
                return None
            held = {Relation.OWN_SEAT} if seat.account_id == account.id else set()
            if seat.site_id == account.site_id:
                held.add(Relation.SEAT_OF_OWN_SITE)
            consultation = await consultations.by_id(tx, seat.consultation_id)
            return Found(consultation.case_id if consultation else "", frozenset(held))
        case_id: str | None = subject_id
        if subject is Subject.RECORDING:
            session = await sessions.by_id(tx, subject_id)
            consultation = await consultations.by_id(tx, session.consultation_id) if session else None
            case_id = consultation.case_id if consultation else None
        case = await cases.by_id(tx, case_id) if case_id else None
        return None if case is None else await self._of_case(tx, account, case)

    async def _of_case(self, tx: Transaction, account: Account, case: Case) -> Found:
        seats = await consultations.seats_of_case(tx, case.id)
        named = (await cases.relations_of(tx, account.id)).get(case.id, set())
        recent = await recently_seated(tx, account.id, {case.id}, self._context.now_ms())
        kept_back = await drafts_elsewhere(tx, account, [(case.id, case.site_id, case.state)])
        held = relations(account, case.site_id, named, seats, recent=bool(recent))
        if await glass_open(tx, account.id, self._context.now_ms(), case.id, None):
            held |= {Relation.BREAK_GLASS}
        return Found(case.id, held, bool(kept_back))


async def _calendar(tx: Transaction, account: Account, owner_id: str) -> Found | None:
    """No case is behind it."""
    try:
        owner = await owner_of(tx, owner_id)
    except Refused:
        return None
    held = {Relation.OWN_CALENDAR} if owner_id == account.id else set()
    if owner.site.id == account.site_id:
        held.add(Relation.CALENDAR_OF_OWN_SITE)
    return Found("", frozenset(held))


def relations(
    account: Account, case_site: str, named: set[str], seats: list[Seat], *, recent: bool
) -> frozenset[Relation]:
    """How an account stands to a case (or one of its consultations, whose seats are given).

    `recent`: the case is among those of `recently_seated`.
    """
    held = {Relation(name) for name in named}
    if recent:
        held.add(Relation.RECENT_SEAT)
    if account.site_id == case_site:
        held |= {Relation.OWN_SITE, Relation.SITE_TAKES_PART}
    if any(seat.site_id == account.site_id for seat in seats):
        held.add(Relation.SITE_TAKES_PART)
    if any(seat.account_id == account.id for seat in seats):
        held.add(Relation.OWN_SEAT)
    return frozenset(held)


def at_site(account: Account, site_id: str) -> frozenset[Relation]:
    """How an account stands to a site, or to somebody of it."""
    return frozenset({Relation.AT_OWN_SITE} if account.site_id == site_id else ())


def to_person(account: Account, other: Account) -> frozenset[Relation]:
    own = frozenset({Relation.SELF} if other.id == account.id else ())
    return own | at_site(account, other.site_id)


async def recently_seated(
    tx: Transaction, account_id: str, case_ids: set[str] | None, now_ms: int
) -> set[str]:
    """Those of these cases (None: all) in which a seat of theirs is to come, runs, or was sat in lately."""
    found = await presence.consultations_of(tx, account_id, case_ids)
    return {consultation.case_id for consultation, sat in found if is_recent(consultation, sat, now_ms)}


async def drafts_elsewhere(
    tx: Transaction, account: Account, found: Iterable[tuple[str, str, str]]
) -> set[str]:
    """Of these (case, site, state) those that another site never submitted: they are that site's only.

    One that was given up as a draft stays so, and when it is taken up again, until it is submitted.
    """
    elsewhere = [(case_id, state) for case_id, site_id, state in found if site_id != account.site_id]
    drafts = {case_id for case_id, state in elsewhere if state == State.DRAFT}
    given_up = {case_id for case_id, state in elsewhere if state in (State.CANCELLED, State.REOPENED)}
    return drafts | await referrals.never_submitted(tx, given_up) if given_up else drafts


def listed_name(seat: Seat, account: Account, held: frozenset[Relation]) -> str:
    """A seat's name in a list that also those read who must not learn who the patient is: "" then."""
    hidden = seat.role == Role.PATIENT and not allowed(Action.PATIENT_NAME, account.roles, held)
    return "" if hidden else seat.name


async def seat_and_consultation(tx: Transaction, seat_id: str) -> tuple[Seat, Consultation]:
    """Raises Refused `not_found`."""
    seat = await consultations.seat_by_id(tx, seat_id)
    consultation = await consultations.by_id(tx, seat.consultation_id) if seat else None
    if seat is None or consultation is None:
        raise Refused("not_found")
    return seat, consultation


async def behind_link(
    tx: Transaction, seat_id: str, token: str, now_ms: int
) -> tuple[Seat, Consultation, str]:
    """The seat that a link leads to, and the link's state. Raises Refused `link_unknown`, `link_dead`.

    A seat that is none and a token that is not its own look alike.
    """
    try:
        seat, consultation = await seat_and_consultation(tx, seat_id)
    except Refused:
        raise Refused("link_unknown") from None
    state = await chairs.link_state(tx, seat_id, hashed(token))
    if state is None:
        raise Refused("link_unknown")
    require_link_alive(consultation, seat, now_ms)
    return seat, consultation, state
