"""Booking an hour for a case, moving it, calling it off, and saying that somebody did not come.

Each is one transaction: whoever comes second finds the hour taken, by the check and by the key of
`booked_quarters`. A request that is sent again is answered again, not done again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from server.domain.appointment import (
    BOOKED,
    INTERPRETER,
    NO_SHOW,
    REASONS,
    ROOM,
    SIDES,
    Appointment,
    Why,
    at_hour,
    checked,
    require_missed,
    require_movable,
    span_of,
    why_urgent,
)
from server.domain.calendar import Cause, any_hour, why_not
from server.domain.consultation import UNUSED, Consultation, Seat
from server.domain.errors import Refused
from server.domain.hours import Span
from server.domain.mail import CANCELLED, INVITATION, MOVED
from server.domain.people import Account
from server.domain.permissions import Action, allowed
from server.services.access import relations
from server.services.appointments import told
from server.services.availability import Resource, calendars_of
from server.services.calling_off import called_off
from server.services.case_hours import hour_agreed, hour_gone, hour_moved
from server.services.case_life import Mover, mover
from server.services.context import Context
from server.services.mailing import announce, announce_to_all
from server.services.team import Team, Wish, team_of
from server.storage import appointments, arrivals, audit, cases, consents, consultations, declined, mails
from server.storage import seats as chairs
from server.storage.appointments import TakenError
from server.storage.database import Transaction
from server.storage.ids import hashed, new_id, new_token


@dataclass(frozen=True, slots=True)
class Order:
    """Who asks, from where, and the number that their page gave the request."""

    account: Account
    address: str
    request: str

    @property
    def mover(self) -> Mover:
        return mover(self.account, self.address)


@dataclass(frozen=True, slots=True)
class Hour:
    starts_at_ms: int
    minutes: int
    wish: Wish = field(default_factory=Wish)


class Booking:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def book(self, case_id: str, hour: Hour, order: Order, why: Why | None = None) -> dict[str, Any]:
        """A consultation at this hour, its seats, its interpreter and rooms. An urgent one says why, and
        its room is open at once.

        Raises Refused `not_found`, `department_closed`, `nobody_invited`, `interpreter_unfit`, `hour_past`,
        `hour_taken`, `hour_outside`, `reason_missing`, `request_reused`, `wrong_state`, `bad_request`.
        """
        side, reason = why_urgent(hour.wish.urgent, why)
        now_ms, digest = self._context.now_ms(), _digest("book", case_id, [asdict(hour), why])
        async with self._context.database.write() as tx:
            if (done := await _done_before(tx, order, digest)) is not None:
                return await told(tx, done)
            span = span_of(hour.starts_at_ms, hour.minutes, now_ms, urgent=hour.wish.urgent)
            team = await team_of(tx, case_id, hour.wish, now_ms)
            chosen = await _free(tx, team, span, urgent=hour.wish.urgent)
            bare = Consultation(new_id(), case_id, "scheduled", span[0], span[0], span[1])
            consultation = at_hour(bare, span, now_ms if hour.wish.urgent else None)
            await consultations.add_consultation(tx, consultation)
            await _seat_all(tx, consultation, team, chosen)
            appointment = Appointment(
                consultation.id, span[1], 0, BOOKED, team.languages, order.account.id, now_ms, side, reason
            )
            await appointments.add(tx, appointment)
            await _book(tx, consultation.id, span, chosen)
            detail: dict[str, int | str] = {"starts_at_ms": span[0], "minutes": hour.minutes}
            if hour.wish.any_field:
                detail["any_field"] = 1
            if side and reason:
                detail |= {"urgent": 1, "side": side, "reason": reason}
            await _note(tx, now_ms, "consultation_booked", consultation, order, detail)
            await hour_agreed(tx, now_ms, case_id, order.mover)
            await announce_to_all(tx, consultation, appointment, INVITATION, now_ms)
            await _keep(tx, order, digest, consultation.id, now_ms)
            return await told(tx, consultation.id)

    async def move(
        self, consultation_id: str, hour: Hour, sequence: int, why: Why, order: Order
    ) -> dict[str, Any]:
        """The same consultation at another hour. `why`: (side, reason). Who sat there keeps their seat.

        Raises Refused as `book` does, and `ended`, `under_way`, `hour_changed`.
        """
        side, reason = checked(why[0], SIDES), checked(why[1], REASONS)
        now_ms, digest = (
            self._context.now_ms(),
            _digest("move", consultation_id, [asdict(hour), sequence, *why]),
        )
        async with self._context.database.write() as tx:
            if (done := await _done_before(tx, order, digest)) is not None:
                return await told(tx, done)
            consultation, appointment = await _found(tx, consultation_id)
            require_movable(consultation, appointment, sequence)
            span = span_of(hour.starts_at_ms, hour.minutes, now_ms, urgent=hour.wish.urgent)
            wish = await _as_before(tx, consultation, appointment, hour.wish)
            team = await team_of(tx, consultation.case_id, wish, now_ms)
            chosen = await _free(tx, team, span, but=consultation_id, urgent=wish.urgent)
            moved = at_hour(consultation, span, now_ms if wish.urgent else None)
            before = await _accounts(tx, consultation_id)
            await consultations.move(tx, moved)
            await declined.forget(tx, consultation_id)
            await mails.drop_declined(tx, consultation_id)
            fallen = await _reseat(tx, consultation, team, chosen, now_ms)
            changed = replace(
                appointment, ends_at_ms=span[1], sequence=appointment.sequence + 1,
                languages=team.languages, changed_ms=now_ms, side=side, reason=reason,
            )  # fmt: skip
            await appointments.change(tx, changed)
            await _book(tx, consultation_id, span, chosen)
            detail: dict[str, int | str] = {
                "from_ms": consultation.starts_at_ms, "starts_at_ms": span[0], "minutes": hour.minutes,
                "side": side, "reason": reason, **({"urgent": 1} if wish.urgent else {}),
            }  # fmt: skip
            await _note(tx, now_ms, "consultation_moved", consultation, order, detail)
            await hour_moved(tx, now_ms, consultation.case_id, order.mover, reason)
            await _announce_move(tx, (consultation, moved), appointment, changed, before, now_ms)
            await _keep(tx, order, digest, consultation_id, now_ms)
            answer = await told(tx, consultation_id)
        for credential in fallen:
            await self._context.live.credential_revoked(credential)
        return answer

    async def cancel(self, consultation_id: str, why: Why, order: Order) -> dict[str, Any]:
        """Called off: links die, people and rooms are free. Who is in its room is put out.

        Raises Refused `not_found`, `ended`, `request_reused`, `bad_request`.
        """
        side, reason = checked(why[0], SIDES), checked(why[1], REASONS)
        now_ms, digest = self._context.now_ms(), _digest("cancel", consultation_id, list(why))
        async with self._context.database.write() as tx:
            if (done := await _done_before(tx, order, digest)) is not None:
                return await told(tx, done)
            await _found(tx, consultation_id)
            await called_off(tx, consultation_id, now_ms, side, reason, order.mover)
            await _keep(tx, order, digest, consultation_id, now_ms)
            answer = await told(tx, consultation_id)
        await self._context.live.room_closed(consultation_id, "cancelled")
        return answer

    async def no_show(self, consultation_id: str, missing: Sequence[str], order: Order) -> dict[str, Any]:
        """The hour has come and these seats stayed empty. Raises Refused `not_begun`, or as `cancel`."""
        now_ms, digest = self._context.now_ms(), _digest("no_show", consultation_id, sorted(set(missing)))
        async with self._context.database.write() as tx:
            if (done := await _done_before(tx, order, digest)) is not None:
                return await told(tx, done)
            consultation, appointment = await _found(tx, consultation_id)
            require_missed(consultation, appointment, now_ms)
            seats = {seat.id for seat in await consultations.seats_of(tx, {consultation_id})}
            if not missing or not seats.issuperset(missing):
                raise Refused("bad_request")
            await consultations.set_state(tx, consultation_id, "cancelled", now_ms)
            await appointments.release(tx, consultation_id)
            gone = tuple(sorted(set(missing)))
            await appointments.change(
                tx, replace(appointment, state=NO_SHOW, changed_ms=now_ms, missing=gone)
            )
            await hour_gone(tx, now_ms, consultation.case_id, "no_show", order.mover, "no_show")
            await _note(tx, now_ms, "consultation_missed", consultation, order, {"seats": len(gone)})
            await _keep(tx, order, digest, consultation_id, now_ms)
            answer = await told(tx, consultation_id)
        await self._context.live.room_closed(consultation_id, "cancelled")
        return answer

    async def of_case(self, account: Account, case_id: str) -> tuple[str, list[dict[str, Any]]]:
        """The case's label and its agreed hours that this account may see, newest first.

        Raises Refused `not_found`.
        """
        async with self._context.database.read() as tx:
            case = await cases.by_id(tx, case_id)
            if case is None:
                raise Refused("not_found")
            found = await consultations.of_case(tx, case_id)
            agreed = await appointments.of(tx, [one.id for one in found])
            named = (await cases.relations_of(tx, account.id)).get(case_id, set())
            shown = []
            for one in found:
                seats = await consultations.seats_of(tx, {one.id})
                held = relations(account, case.site_id, named, seats, recent=False)
                if one.id in agreed and allowed(Action.SCHEDULE_READ, account.roles, held):
                    shown.append(await told(tx, one.id))
        return case.label, shown


async def _found(tx: Transaction, consultation_id: str) -> tuple[Consultation, Appointment]:
    """Raises Refused `not_found`: also for a consultation that nobody booked."""
    consultation = await consultations.by_id(tx, consultation_id)
    appointment = (await appointments.of(tx, [consultation_id])).get(consultation_id)
    if consultation is None or appointment is None:
        raise Refused("not_found")
    return consultation, appointment


async def _as_before(
    tx: Transaction, consultation: Consultation, appointment: Appointment, wish: Wish
) -> Wish:
    """Moved are the same physicians with the same languages; interpreter and rooms as wished, else any."""
    booked = (await appointments.bookings_of(tx, [consultation.id])).get(consultation.id, [])
    people = tuple(one.resource_id for one in booked if one.kind not in (INTERPRETER, ROOM))
    return replace(wish, people=people, languages=appointment.languages or ())


async def _free(
    tx: Transaction, team: Team, span: Span, but: str | None = None, *, urgent: bool = False
) -> list[tuple[str, Resource]]:
    """For each need, in order, its first candidate that is free then: (kind, who).

    Raises Refused `hour_taken` where only another booking is in the way, else `hour_outside`.
    """
    known = await calendars_of(tx, team.resources.values(), span, but)
    if urgent:
        known = {id_: any_hour(one) for id_, one in known.items()}
    chosen, taken = [], False
    for kind, candidates in team.needs:
        if not candidates:
            raise Refused("interpreter_unfit")
        causes = [(one, why_not(known[one.id], span)) for one in candidates]
        free = next((one for one, cause in causes if cause is None), None)
        if free is not None:
            chosen.append((kind, free))
        elif any(cause is Cause.BOOKED for _, cause in causes):
            taken = True
        else:
            raise Refused("hour_outside")
    if taken:
        raise Refused("hour_taken")
    return chosen


async def _book(
    tx: Transaction, consultation_id: str, span: Span, chosen: Sequence[tuple[str, Resource]]
) -> None:
    """Raises Refused `hour_taken`: the key of the table has the last word."""
    try:
        await appointments.book(tx, consultation_id, span, {one.id: kind for kind, one in chosen})
    except TakenError:
        raise Refused("hour_taken") from None


async def _seat_all(
    tx: Transaction, consultation: Consultation, team: Team, chosen: Sequence[tuple[str, Resource]]
) -> None:
    """A seat for everybody booked. Nobody is given its link: each takes it signed in."""
    speaks = {account.id: account.language for _, account in team.physicians}
    people = [(kind, one) for kind, one in chosen if kind != ROOM]
    for position, (kind, one) in enumerate(people):
        seat = Seat(
            id=new_id(),
            consultation_id=consultation.id,
            role=kind,
            name=one.name,
            language=speaks.get(one.id) or _interprets(team, one.id),
            site_id=one.site.id,
            account_id=one.id,
            link_state=UNUSED,
        )
        await consultations.add_seat(tx, seat, position, hashed(new_token()))


async def _accounts(tx: Transaction, consultation_id: str) -> set[str]:
    seats = await consultations.seats_of(tx, {consultation_id})
    return {seat.account_id for seat in seats if seat.account_id}


async def _announce_move(
    tx: Transaction,
    consultation: tuple[Consultation, Consultation],
    before: Appointment,
    after: Appointment,
    people: set[str],
    now_ms: int,
) -> None:
    """Who stays is told the new hour, who came new is invited, who is not needed any more is told so."""
    now = await _accounts(tx, after.consultation_id)
    kinds = {id_: MOVED if id_ in people else INVITATION for id_ in sorted(now)}
    await announce(tx, consultation[1], after, kinds, now_ms)
    gone = dict.fromkeys(sorted(people - now), CANCELLED)
    await announce(tx, consultation[0], replace(before, sequence=after.sequence), gone, now_ms)


def _interprets(team: Team, account_id: str) -> str:
    """`ru/ko`: their own language first, in which their pages open."""
    own = {account.id: account.language for account in team.interpreters}.get(account_id)
    return "/".join(sorted(team.languages or (), key=lambda language: language != own))


async def _reseat(
    tx: Transaction,
    consultation: Consultation,
    team: Team,
    chosen: Sequence[tuple[str, Resource]],
    now_ms: int,
) -> list[str]:
    """Another interpreter takes the seat of the one before; ids of the credentials that fall with it.

    Raises Refused `under_way`: whoever sat there has answered about recording, and that answer is theirs.
    """
    interpreter = next((one for kind, one in chosen if kind == INTERPRETER), None)
    seats = await consultations.seats_of(tx, {consultation.id})
    seat = next((one for one in seats if one.role == INTERPRETER), None)
    if interpreter is None or seat is None or seat.account_id == interpreter.id:
        return []
    if seat.id in await consents.newest_by_seat(tx, consultation.id):
        raise Refused("under_way")
    fallen = await chairs.revoke_credentials_of_seat(tx, seat.id, now_ms)
    await arrivals.put(tx, seat.id, None)
    heir = replace(
        seat, name=interpreter.name, site_id=interpreter.site.id, account_id=interpreter.id,
        language=_interprets(team, interpreter.id),
    )  # fmt: skip
    await consultations.reseat(tx, heir, hashed(new_token()))
    return fallen


def _digest(what: str, subject: str, asked: object) -> str:
    """What tells two requests of the same number apart."""
    text = json.dumps([what, subject, asked], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _number(order: Order) -> str:
    """Numbers of one account's pages do not meet another's."""
    return hashlib.sha256(f"{order.account.id} {order.request}".encode()).hexdigest()


async def _done_before(tx: Transaction, order: Order, digest: str) -> str | None:
    """The consultation, if this very request was done. Raises Refused `request_reused` for another one."""
    found = await appointments.request(tx, _number(order))
    if found is None:
        return None
    if found[0] != digest:
        raise Refused("request_reused")
    return found[1]


async def _keep(tx: Transaction, order: Order, digest: str, consultation_id: str, now_ms: int) -> None:
    await appointments.add_request(tx, _number(order), digest, consultation_id, now_ms)


async def _note(
    tx: Transaction,
    now_ms: int,
    action: str,
    consultation: Consultation,
    order: Order,
    detail: dict[str, int | str],
) -> None:
    entry = audit.Entry(
        action=action,
        subject_type="consultation",
        subject_id=consultation.id,
        address=order.address,
        account_id=order.account.id,
        case_id=consultation.case_id,
        detail=detail,
    )
    await audit.append(tx, now_ms, entry)
