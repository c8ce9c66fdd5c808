"""A seat's decision on being recorded: stored first, then acted on in the live room.

What the persons at the seat agree to are the texts of `server/domain/consent_text.py`; the patient's own
decisions are kept by purpose too, whether said at the door or before (`person_consents.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from server.domain.consent import Consent, checked_persons
from server.domain.consent_text import readable
from server.domain.consultation import OVER, Consultation, Seat, effective_state
from server.domain.errors import Refused
from server.domain.patient import called
from server.domain.person_consent import (
    GRANTED,
    PATIENT,
    Given,
    is_minor,
    missing,
    names_patient,
    newest_of,
    required,
    state_of,
)
from server.domain.site_policy import Pair
from server.i18n import fallbacks
from server.services.access import seat_and_consultation
from server.services.case_sides import Sides, sides_of, sits_at
from server.services.context import Context, RoomsAwayError
from server.services.recordable import Recordable, keep_later, patients_seats, recordable
from server.storage import audit, cases, consents, consultations, person_consents
from server.storage.database import Transaction
from server.storage.ids import new_id


class Consents:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._acting: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def decide(
        self, seat_id: str, decision: str, persons: Sequence[str], language: str, version: str, address: str
    ) -> Recordable:
        """What it comes to. Raises Refused `consent_outdated`, `consent_missing` (a yes names everybody)."""
        names = checked_persons(decision, persons, version)
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            seat, consultation = await seat_and_consultation(tx, seat_id)
            case = await cases.by_id(tx, consultation.case_id)
            if case is None:
                raise Refused("not_found")
            sides = await sides_of(tx, case)
            newest_one = await consents.newest_of_seat(tx, seat_id)
            before = newest_one is not None and newest_one.patient
            patient = sits_at(seat) or any(names_patient(name, sides.person) for name in names)
            # Two decisions in one millisecond must keep their order.
            at_ms = max(now_ms, newest_one.at_ms + 1) if newest_one else now_ms
            consent = Consent(
                new_id(),
                seat.consultation_id,
                seat_id,
                decision,
                tuple(called(sides.person) if name == PATIENT else name for name in names),
                version,
                language,
                at_ms,
                patient or (before and not names),
                _read_by_them(sides, language) if decision == GRANTED else None,
            )
            await consents.add(tx, consent)
            if sits_at(seat):
                await self._said_by_patient(tx, consent, sides, now_ms)
            entry = audit.Entry(
                action=f"consent_{decision}",
                subject_type="seat",
                subject_id=seat_id,
                address=address,
                seat_id=seat_id,
                case_id=consultation.case_id,
                detail={"version": version, "language": language, "persons": len(consent.persons)},
            )
            await audit.append(tx, now_ms, entry)
        await self.act(consultation.case_id, seat_id)
        return await self.standing(seat_id)

    async def standing(self, seat_id: str) -> Recordable:
        """What a seat's consents come to now. Raises Refused `not_found`."""
        async with self._context.database.read() as tx:
            seat, consultation = await seat_and_consultation(tx, seat_id)
            return (await recordable(tx, consultation, [seat]))[seat_id]

    async def sites_changed(self, case_id: str) -> None:
        """Somebody of another site was asked to join: every seat of the case's rooms is told what that comes
        to, and a running session keeps for the new pair of sites what holds now.
        """
        async with self._context.database.write() as tx:
            case = await cases.by_id(tx, case_id)
            if case is None:
                return
            sides = await sides_of(tx, case)
            for consultation in await self._open(tx, case_id):
                await keep_later(tx, consultation, sides)
        await self.act(case_id, everybody=True)

    async def policy_changed(self, pair: Pair) -> None:
        """Rooms and doors between these sites learn of it; a running session keeps what it began under."""
        async with self._context.database.read() as tx:
            joined = await cases.joined_by(tx, pair)
        for case_id in joined:
            await self.act(case_id, everybody=True)

    async def act(self, case_id: str, seat_id: str = "", *, everybody: bool = False) -> None:
        """Tells the rooms of the case what its consents come to, at this seat and wherever the patient sits,
        and with `everybody` at every seat; their pages look again what is asked of them.

        One after the other, so that an older word never arrives last.
        """
        async with self._acting.setdefault(case_id, asyncio.Lock()):
            rooms, seats = await self._to_tell(case_id, seat_id, everybody=everybody)
            for room, seat, made in seats:
                await self._context.live.consent_changed(
                    room, seat, made.decision, made.grant, made.accompanied
                )
            for room in rooms:
                with contextlib.suppress(RoomsAwayError):  # the next look at the seat reads it
                    await self._context.live.told(room, "asked", {})

    async def _to_tell(
        self, case_id: str, seat_id: str, *, everybody: bool
    ) -> tuple[list[str], list[tuple[str, str, Recordable]]]:
        """Rooms that are open or to be opened, and (room, seat, what it comes to)."""
        told: list[tuple[str, str, Recordable]] = []
        async with self._context.database.read() as tx:
            found = await self._open(tx, case_id)
            concerned = {seat.id for seat in await patients_seats(tx, case_id)} | {seat_id}
            for consultation in found:
                told += await _of_room(tx, consultation, None if everybody else concerned)
        return [consultation.id for consultation in found], told

    async def _open(self, tx: Transaction, case_id: str) -> list[Consultation]:
        now_ms = self._context.now_ms()
        found = await consultations.of_case(tx, case_id)
        return [one for one in found if effective_state(one, now_ms) not in OVER]

    async def _said_by_patient(self, tx: Transaction, consent: Consent, sides: Sides, now_ms: int) -> None:
        """At their own seat a patient of age answers for themselves: yes to what being recorded needs, or no
        to the recording. What they had said before is not said again."""
        known = newest_of(await person_consents.of_case(tx, sides.case.id))
        if consent.decision == GRANTED:
            if is_minor(sides.person, datetime.fromtimestamp(now_ms / 1000, UTC).date()):
                return  # a guardian has to, and not at the door
            purposes = missing(required(sides.countries), known, sides.recipients)
        else:
            said = state_of(known.get("recording"), sides.recipients)
            purposes = ["recording"] if said == GRANTED else []
        for purpose in purposes:
            version, language, sha256 = _text_for(purpose, consent.language)
            given = Given(
                new_id(), sides.case.id, purpose, consent.decision, version, language, sha256,
                sides.places(self._context), "typed", "patient",
                consent.persons[0] if consent.persons else called(sides.person), "", "", "", "",
                consent.seat_id, _after(known.get(purpose), now_ms),
            )  # fmt: skip
            await person_consents.add(tx, given)


async def _of_room(
    tx: Transaction, consultation: Consultation, concerned: set[str] | None
) -> list[tuple[str, str, Recordable]]:
    """`concerned` None: every seat."""
    seats: list[Seat] = await consultations.seats_of(tx, {consultation.id})
    asked = [seat for seat in seats if concerned is None or seat.id in concerned]
    found = await recordable(tx, consultation, asked)
    return [(consultation.id, seat, made) for seat, made in found.items() if made.decision != "undecided"]


def _read_by_them(sides: Sides, language: str) -> Mapping[str, tuple[int, str, str]]:
    return {purpose: _text_for(purpose, language) for purpose in required(sides.countries)}


def _text_for(purpose: str, language: str) -> tuple[int, str, str]:
    """The text that a page in this language shows: version, language, hash."""
    text = readable(purpose, fallbacks(language))
    return text.version, text.language, text.sha256


def _after(before: Given | None, now_ms: int) -> int:
    return max(now_ms, before.at_ms + 1) if before else now_ms
