"""A patient's consents by purpose: given at their site, witnessed, withdrawn, and what they come to.

Each decision is stored first and acted on in the live rooms after (`consent.py`). A withdrawn recording is
destroyed like one that was withdrawn at the seat (`withdrawal.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from server.domain.case import Case
from server.domain.consent_text import PURPOSES, as_json, readable, text_of, texts
from server.domain.documents import Document, Side, State
from server.domain.errors import Refused
from server.domain.people import Account
from server.domain.person_consent import (
    GRANTED,
    METHODS,
    WITHDRAWN,
    Given,
    Places,
    checked_drawing,
    checked_giver,
    checked_text,
    checked_witness,
    newest_of,
)
from server.i18n import fallbacks
from server.services.case_ready import settle
from server.services.case_sides import Sides, sides_of
from server.services.consent import Consents
from server.services.context import Context
from server.services.recordable import patients_seats
from server.services.teaching import fall_back_of
from server.services.withdrawal import Withdrawals
from server.storage import audit, cases, documents, person_consents, sessions
from server.storage.database import Transaction
from server.storage.ids import new_id


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no to one purpose, in the version that was shown."""

    purpose: str
    decision: str
    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class How:
    """Who gives it, and in which way."""

    language: str
    by: str
    name: str = field(repr=False)
    method: str = "typed"
    drawing: str = field(default="", repr=False)
    witness: str = field(default="", repr=False)
    document_id: str = ""


class PersonConsents:
    def __init__(self, context: Context, deciding: Consents, withdrawals: Withdrawals) -> None:
        texts()  # a text that is not as released stops the start
        self._context = context
        self._deciding = deciding
        self._withdrawals = withdrawals

    async def texts(self, case_id: str, language: str) -> dict[str, Any]:
        """What the patient is asked now, in this language where there is one. Raises Refused `not_found`."""
        async with self._context.database.read() as tx:
            sides = await sides_of(tx, await _case(tx, case_id))
        return texts_told(sides, language, self._context)

    async def text(self, case_id: str, consent_id: str) -> dict[str, Any]:
        """The text as it was agreed to, whatever is asked for now. Raises Refused `not_found`."""
        async with self._context.database.read() as tx:
            return given_text(await person_consents.of_case(tx, case_id), consent_id)

    async def give(
        self, case_id: str, decisions: Sequence[Decision], how: How, account: Account, address: str
    ) -> None:
        """Each purpose for itself; a yes and a no are kept alike.

        Raises Refused: as the checks of `domain/person_consent.py`, `recipient_unknown` (a transfer to a
        hospital that nobody has chosen yet), `paper_missing` (no scanned consent of this case), `not_found`.
        """
        if how.method not in METHODS or not decisions:
            raise Refused("bad_request")
        now_ms = self._context.now_ms()
        today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
        async with self._context.database.write() as tx:
            sides = await sides_of(tx, await _case(tx, case_id))
            name, relation = checked_giver(sides.person, how.by, how.name, today)
            drawing = checked_drawing(how.method, how.drawing)
            witness = checked_witness(how.method, how.witness, name)
            if how.method == "paper":
                await _require_paper(tx, case_id, how.document_id)
            known = newest_of(await person_consents.of_case(tx, case_id))
            for one in decisions:
                sha256 = checked_text(one.purpose, one.version, how.language, one.sha256, one.decision)
                transfer = one.purpose == "transfer_abroad" and one.decision == GRANTED
                if transfer and not sides.consulting:
                    raise Refused("recipient_unknown")
                before = known.get(one.purpose)
                given = Given(
                    new_id(), case_id, one.purpose, one.decision, one.version, how.language, sha256,
                    sides.places(self._context), how.method, how.by, name, relation, drawing, witness,
                    how.document_id if how.method == "paper" else "", account.id,
                    max(now_ms, before.at_ms + 1) if before else now_ms,
                )  # fmt: skip
                known[one.purpose] = given
                await _keep(tx, given, now_ms, address, account.id)
            await fall_back_of(tx, self._context, case_id, account.id, address)
            await settle(tx, now_ms, case_id)
        await self._deciding.act(case_id)

    async def witness(self, case_id: str, ids: Sequence[str], account: Account, address: str) -> None:
        """Somebody else heard it being read and answered. Raises Refused `not_found`, `witness_self`."""
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            known = {one.id: one for one in await person_consents.of_case(tx, case_id)}
            for each in dict.fromkeys(ids):
                given = known.get(each)
                if given is None or given.method != "read_aloud" or given.witnessed_by:
                    raise Refused("not_found")
                if given.recorded_by == account.id:
                    raise Refused("witness_self")
                await person_consents.add_witness(tx, each, account.id, now_ms)
                entry = audit.Entry(
                    "consent_witnessed", "consent", each, address,
                    account_id=account.id, case_id=case_id, detail={"purpose": given.purpose},
                )  # fmt: skip
                await audit.append(tx, now_ms, entry)
            await settle(tx, now_ms, case_id)
        await self._deciding.act(case_id)

    async def withdraw(
        self, case_id: str, purpose: str, by: str, address: str, account: str | None = None
    ) -> int:
        """From now on it does not count. `by`: the account, or the patient's own link.

        How many recordings of the patient are to be destroyed for it. Raises Refused `not_given`.
        """
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            before = newest_of(await person_consents.of_case(tx, case_id)).get(purpose)
            if before is None or before.decision != GRANTED:
                raise Refused("not_given")
            gone = replace(
                before, id=new_id(), decision=WITHDRAWN, recorded_by=by, witnessed_by="",
                witnessed_ms=None, at_ms=max(now_ms, before.at_ms + 1),
            )  # fmt: skip
            await _keep(tx, gone, now_ms, address, account)
            await fall_back_of(tx, self._context, case_id, account, address)
            await settle(tx, now_ms, case_id)
            asked = await self._destroy(tx, case_id, by, address, account) if purpose == "recording" else []
        await self._deciding.act(case_id)
        for seat, goes_on in dict(asked).items():
            await self._withdrawals.decline(seat, goes_on, address)
        return len(asked)

    async def _destroy(
        self, tx: Transaction, case_id: str, by: str, address: str, account: str | None
    ) -> list[tuple[str, str]]:
        """Asks for all recordings of the patient, with the decision or not at all.

        Of each the seat, and what `Withdrawals.decline` wants to know.
        """
        asked = []
        for recording, seat in await _recordings_of(tx, case_id):
            try:
                _, goes_on = await self._withdrawals.ask(
                    tx, recording, seat, "consent_withdrawn", by, address, account=account
                )
                asked.append((seat, goes_on))
            except Refused as refused:
                if refused.code not in ("withdrawn_already", "destroyed", "not_found"):
                    raise
        return asked


def texts_told(
    sides: Sides, language: str, context: Context, purposes: Sequence[str] | None = None
) -> dict[str, Any]:
    """The newest text of each of these purposes (None: of all), and what fills its holes."""
    read = fallbacks(language)
    found = [as_json(readable(purpose, read)) for purpose in purposes or PURPOSES]
    return {"texts": found, "places": places_told(sides.places(context))}


def given_text(given: Sequence[Given], consent_id: str) -> dict[str, Any]:
    """Raises Refused `not_found`."""
    one = next((each for each in given if each.id == consent_id), None)
    if one is None:
        raise Refused("not_found")
    told = as_json(text_of(one.purpose, one.version, one.language))
    return {"text": told, "places": places_told(one.places)}


def places_told(places: Places) -> dict[str, Any]:
    """For a page: sites by name, countries as codes that it writes out in the text's language."""
    return {
        "clinic": places.clinic,
        "recipients": list(places.recipients),
        "countries": list(places.countries),
        "years": places.years,
    }


async def _require_paper(tx: Transaction, case_id: str, document_id: str) -> None:
    """Raises Refused `paper_missing`."""
    if document_id not in {paper.id for paper in await papers_of(tx, case_id)}:
        raise Refused("paper_missing")


async def papers_of(tx: Transaction, case_id: str) -> list[Document]:
    """Scanned consents among the documents of the case."""
    found = await documents.of_case(tx, case_id)
    return [one for one in found if _is_paper(one)]


def _is_paper(one: Document) -> bool:
    return (one.kind, one.state, one.side) == ("consent", State.READY, Side.REFERRING)


async def _case(tx: Transaction, case_id: str) -> Case:
    case = await cases.by_id(tx, case_id)
    if case is None:
        raise Refused("not_found")
    return case


async def _keep(tx: Transaction, given: Given, now_ms: int, address: str, account: str | None) -> None:
    await person_consents.add(tx, given)
    entry = audit.Entry(
        f"patient_consent_{given.decision}",
        "consent",
        given.id,
        address,
        account_id=account,
        case_id=given.case_id,
        detail={
            "purpose": given.purpose,
            "version": given.version,
            "language": given.language,
            "method": given.method,
            "by": given.by,
        },
    )
    await audit.append(tx, now_ms, entry)


async def _recordings_of(tx: Transaction, case_id: str) -> list[tuple[str, str]]:
    """(recording, seat) wherever the patient sat."""
    return [
        (session.id, seat.id)
        for seat in await patients_seats(tx, case_id)
        for session in await sessions.of_consultation(tx, seat.consultation_id)
    ]
