"""What people are told of a document, and why they may not open it. It only reads the books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from server.domain import document_patient as patient_in
from server.domain.document_period import is_closed
from server.domain.documents import Document, State, Viewer, changes, opens, withdraws
from server.domain.errors import Refused
from server.domain.patient import Patient
from server.storage import accounts, document_periods, documents, patients
from server.storage.database import Transaction

GONE: Final = frozenset({State.WITHDRAWN, State.REFUSED, State.EXPIRED, State.CANCELLED, State.ENDED})


@dataclass(frozen=True, slots=True)
class Around:
    """What a document is told with: who is meant by ids, what it went out with, the case's patient, and
    whether the patient has taken back the consent to send documents abroad.
    """

    names: dict[str, str]
    cited: dict[str, list[int]]
    patient: Patient | None
    withdrawn: bool


async def around(tx: Transaction, case_id: str, rows: Sequence[Document]) -> Around:
    who = {row.made_by for row in rows} | {row.withdrawn_by for row in rows if row.withdrawn_by}
    asked = any(row.state is State.CONFIRM for row in rows)
    return Around(
        await accounts.names(tx, who),
        await documents.cited(tx, case_id),
        await patients.of_case(tx, case_id) if asked else None,
        await document_periods.withdrawn_ms(tx, case_id) is not None,
    )


def told(row: Document, viewer: Viewer, about: Around, left_ms: int) -> dict[str, Any]:
    """As docs/documents.md has it. `left_ms`: how long an unfinished upload waits for the next byte."""
    withdrawn = None if row.withdrawn_ms is None else {
        "reason": row.withdrawn_reason, "words": row.withdrawn_words,
        "by": about.names.get(row.withdrawn_by, ""), "at_ms": row.withdrawn_ms,
        "destroyed": row.destroyed_ms is not None,
    }  # fmt: skip
    sent = was_sent(row, about.cited)
    closed = about.withdrawn and is_closed(viewer, row)
    may = _may(row, viewer, sent=sent, closed=closed)
    return {
        "id": row.id, "name": row.name, "size": row.size, "kind": row.kind, "side": row.side.value,
        "visibility": row.visibility, "patient_copy": row.patient_copy,
        "state": row.state.value, "offset": row.received,
        "by": {"name": about.names.get(row.made_by, ""), "own": row.made_by == viewer.account},
        "at_ms": row.made_ms, "ready_ms": row.ready_ms,
        "expires_ms": row.touched_ms + left_ms if row.state is State.UPLOADING else None,
        "ended_ms": row.destroyed_ms if row.state is State.ENDED else None,
        "sha256": row.sha256, "media_type": row.media_type, "form": row.form,
        "pages": row.pages if may["download"] else 0, "scan": row.scan, "refused": row.refused or None,
        "submitted": bool(about.cited.get(row.id)), "sent": sent, "withdrawn": withdrawn, "closed": closed,
        "confirm": _asked(row, about.patient) if may["confirm"] else None,
        "may": may,
    }  # fmt: skip


async def require_open(tx: Transaction, viewer: Viewer, row: Document) -> None:
    """Raises Refused: document_gone, document_quarantined, document_waiting, transfer_withdrawn."""
    if not opens(viewer, row):
        raise Refused(_why_not(row))
    if is_closed(viewer, row) and await document_periods.withdrawn_ms(tx, row.case_id) is not None:
        raise Refused("transfer_withdrawn")


def was_sent(row: Document, cited: Mapping[str, list[int]]) -> bool:
    """With a referral, or to the referring site: others may have acted on it."""
    return bool(cited.get(row.id)) or row.shared_ms is not None


def _may(row: Document, viewer: Viewer, *, sent: bool, closed: bool) -> dict[str, bool]:
    opened, may_change = opens(viewer, row) and not closed, changes(viewer, row)
    return {
        "look": opened and row.pages > 0,
        "download": opened,
        "confirm": may_change and row.state is State.CONFIRM,
        "change": may_change and row.state in (State.CHECKING, State.CONFIRM, State.READY),
        "withdraw": withdraws(viewer, row, sent=sent),
        "resume": row.made_by == viewer.account and row.state is State.UPLOADING,
    }


def _asked(row: Document, patient: Patient | None) -> dict[str, Any]:
    found = patient_in.found(row.patients)
    if patient is None:
        return {"found": found, "registered": {"names": [], "birth_date": "", "sex": ""}, "differs": []}
    return {
        "found": found,
        "registered": patient_in.registered(patient.person),
        "differs": patient_in.differs(found, patient.person),
    }


def _why_not(row: Document) -> str:
    if row.destroy or row.state in GONE:
        return "document_gone"
    return "document_quarantined" if row.state is State.QUARANTINED else "document_waiting"
