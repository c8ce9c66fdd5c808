"""The consultations of the day as one account may see them, and the page of one case.

Answers are plain JSON values; times are instants, places bring their zone, and the pages make local times.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.domain.case import Case
from server.domain.consultation import Consultation, Seat, effective_state, is_joinable
from server.domain.errors import Refused
from server.domain.people import Account, Site
from server.domain.permissions import Action, Relation, Role, allowed
from server.services.access import drafts_elsewhere, listed_name, recently_seated, relations
from server.services.context import Context, RoomsAwayError
from server.services.looks import Looks
from server.services.site_checks import is_ahead, ready_for, standings
from server.storage import accounts, audit, cases, consultations, declined, glossary, patients
from server.storage.declined import Declined
from server.storage.recordings import RecordingRow, Recordings

BACK_MS = 12 * 3_600_000
AHEAD_MS = 36 * 3_600_000
GLOSSARIES = 200
"""Listed at once, of the newest cases."""


class Worklist:
    def __init__(self, context: Context, recordings: Recordings, looks: Looks) -> None:
        self._context = context
        self._recordings = recordings
        self._looks = looks

    async def today(self, account: Account, address: str, ahead_ms: int = AHEAD_MS) -> dict[str, Any]:
        """`{now_ms, consultations: […]}`: the last 12 and the next 36 hours, anywhere's today.

        Whoever is told a patient's name by it has looked at them, which is audited.
        """
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:
            found = await consultations.around(tx, now_ms - BACK_MS, now_ms + ahead_ms)
            seats = await consultations.seats_of(tx, {row.id for row in found})
            by_case = await cases.all_by_id(tx, {row.case_id for row in found})
            named = await cases.relations_of(tx, account.id)
            sites = await accounts.all_sites(tx)
            recent = await recently_seated(tx, account.id, set(by_case), now_ms)
            checks = await standings(tx, sites, now_ms)
            gone = await declined.of_seats(tx, [seat.id for seat in seats])
            about = await patients.ids_of_cases(tx, set(by_case))
        rows, named_here = [], set()
        for consultation in found:
            case = by_case[consultation.case_id]
            around = [seat for seat in seats if seat.consultation_id == consultation.id]
            named_so = named.get(case.id, set())
            held = relations(account, case.site_id, named_so, around, recent=case.id in recent)
            if allowed(Action.SCHEDULE_READ, account.roles, held):
                row = await self._row(account, consultation, case, around, sites, held)
                row |= _declined(row["my_seat"], consultation, gone, now_ms)
                if is_ahead(consultation, now_ms):
                    row["readiness"] = ready_for(account, around, sites, checks)
                rows.append(row)
                if any(seat["role"] == Role.PATIENT and seat["name"] for seat in row["seats"]):
                    named_here |= {about[case.id]} if case.id in about else set()
        await self._looks.listed(account, named_here, address)
        return {"now_ms": now_ms, "consultations": rows}

    async def glossaries(self, account: Account) -> dict[str, Any]:
        """`{cases: [{id, label, terms}], found}`: whose glossary they may read, today or not."""
        async with self._context.database.read() as tx:
            named = await cases.relations_of(tx, account.id)
            recent = await recently_seated(tx, account.id, None, self._context.now_ms())
            labels = await cases.labels(tx)
            kept_back = await drafts_elsewhere(
                tx, account, [(case_id, site_id, state) for case_id, _, site_id, state in labels]
            )
            found = []
            for case_id, label, site_id, _ in labels:
                named_so = named.get(case_id, set())
                held = relations(account, site_id, named_so, [], recent=case_id in recent)
                if case_id not in kept_back and allowed(Action.GLOSSARY_READ, account.roles, held):
                    found.append((case_id, label))
            shown = found[:GLOSSARIES]
            terms = await glossary.counts(tx, [case_id for case_id, _ in shown])
        rows = [{"id": case_id, "label": label, "terms": terms.get(case_id, 0)} for case_id, label in shown]
        return {"cases": rows, "found": len(found)}

    async def case_page(
        self, account: Account, case_id: str, held: frozenset[Relation], address: str
    ) -> dict[str, Any]:
        """The case with its consultations and recordings; the look is audited. Raises Refused `not_found`.

        `held`: how the account stands to it.
        """
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            case = await cases.by_id(tx, case_id)
            if case is None:
                raise Refused("not_found")
            found = await consultations.of_case(tx, case_id)
            seats = await consultations.seats_of(tx, {row.id for row in found})
            sites = await accounts.all_sites(tx)
            checks = await standings(tx, sites, now_ms)
            entry = audit.Entry("case_read", "case", case_id, address, account_id=account.id, case_id=case_id)
            await audit.append(tx, now_ms, entry)
        rows = []
        for consultation in found:
            around = [seat for seat in seats if seat.consultation_id == consultation.id]
            row = await self._row(account, consultation, case, around, sites, held)
            if is_ahead(consultation, now_ms):
                row["readiness"] = ready_for(account, around, sites, checks)
            rows.append(row)
        return {
            "case": {
                "id": case.id,
                "label": case.label,
                "patient": case.patient,
                "specialty": case.specialty,
                "question": case.question,
                "site": sites[case.site_id].name,
                "state": case.state,
            },
            "now_ms": now_ms,
            "consultations": rows,
            "recordings": await self._recordings_of(account, case_id, None, held),
        }

    async def _row(
        self,
        account: Account,
        consultation: Consultation,
        case: Case,
        seats: list[Seat],
        sites: dict[str, Site],
        held: frozenset[Relation],
    ) -> dict[str, Any]:
        now_ms = self._context.now_ms()
        try:
            present = await self._context.live.presence(consultation.id)
        except RoomsAwayError:
            present = set()
        mine = next((seat.id for seat in seats if seat.account_id == account.id), None)
        place_ids = dict.fromkeys([case.site_id, *(seat.site_id for seat in seats)])
        row: dict[str, Any] = {
            "id": consultation.id,
            "case_id": case.id,
            "case_label": case.label,
            "case_readable": allowed(Action.CASE_READ, account.roles, held),
            "glossary_readable": allowed(Action.GLOSSARY_READ, account.roles, held),
            "specialty": case.specialty if allowed(Action.SPECIALTY_READ, account.roles, held) else None,
            "state": effective_state(consultation, now_ms),
            "starts_at_ms": consultation.starts_at_ms,
            "opens_at_ms": consultation.opens_at_ms,
            "closes_at_ms": consultation.closes_at_ms,
            "places": [{"site": sites[id_].name, "time_zone": sites[id_].time_zone} for id_ in place_ids],
            "seats": [
                {
                    "id": seat.id,
                    "role": seat.role,
                    "name": listed_name(seat, account, held),
                    "language": seat.language,
                    "mine": seat.account_id == account.id,
                    "present": seat.id in present,
                }
                for seat in seats
            ],
            "my_seat": mine,
            "joinable": mine is not None and is_joinable(consultation, now_ms),
        }
        if allowed(Action.RECORDING_LIST, account.roles, held):
            row["recordings"] = await self._recordings_of(account, case.id, consultation.id, held)
        return row

    async def _recordings_of(
        self, account: Account, case_id: str, consultation_id: str | None, held: frozenset[Relation]
    ) -> list[dict[str, Any]]:
        if not allowed(Action.RECORDING_LIST, account.roles, held):
            return []
        watchable = allowed(Action.RECORDING_WATCH, account.roles, held)
        return [
            _recording(row, watchable)
            for row in await self._recordings.of_case(case_id)
            if consultation_id is None or row.consultation_id == consultation_id
        ]


def _declined(
    mine: str | None, consultation: Consultation, gone: Mapping[str, Declined], now_ms: int
) -> dict[str, Any]:
    """Whether the reader may still say that they cannot come, and why they did."""
    ahead = mine is not None and consultation.state == "scheduled" and now_ms < consultation.starts_at_ms
    said = gone.get(mine) if mine else None
    return {"declinable": ahead, "declined": said.reason if said else None}


def _recording(row: RecordingRow, watchable: bool) -> dict[str, Any]:
    return {
        "id": row.id,
        "consultation_id": row.consultation_id,
        "started_at_ms": row.started_ms,
        "duration_ms": row.duration_ms,
        "state": row.state,
        "waits_for": row.waits_for,
        "watchable": watchable,
    }
