"""Calling a consultation off, by whomever: its links die, people and rooms are free, and are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from server.domain import mail
from server.domain.appointment import BOOKED, CANCELLED
from server.domain.consultation import OVER, Consultation, effective_state
from server.domain.errors import Refused
from server.domain.permissions import Role
from server.services.case_hours import hour_gone
from server.services.case_life import Mover
from server.services.mailing import announce_to_all
from server.storage import appointments, audit, consultations, mails
from server.storage.database import Transaction

AT_THE_SERVER: Final = Mover((Role.COORDINATOR,), "")
"""Whoever types a command there does a coordinator's work; no account is known of them."""


async def called_off(
    tx: Transaction,
    consultation_id: str,
    now_ms: int,
    side: str | None = None,
    reason: str | None = None,
    by: Mover = AT_THE_SERVER,
) -> Consultation:
    """`side`, `reason`: None on the command line, which does not ask. The case goes along in any case.

    Raises Refused `not_found`, `ended`.
    """
    consultation = await consultations.by_id(tx, consultation_id)
    if consultation is None:
        raise Refused("not_found")
    if effective_state(consultation, now_ms) in OVER:
        raise Refused("ended")
    await consultations.set_state(tx, consultation_id, "cancelled", now_ms)
    await mails.drop_declined(tx, consultation_id)
    appointment = (await appointments.of(tx, [consultation_id])).get(consultation_id)
    if appointment is not None and appointment.state == BOOKED:
        await appointments.release(tx, consultation_id)
        gone = replace(
            appointment, state=CANCELLED, sequence=appointment.sequence + 1,
            changed_ms=now_ms, side=side, reason=reason,
        )  # fmt: skip
        await appointments.change(tx, gone)
        await announce_to_all(tx, consultation, gone, mail.CANCELLED, now_ms)
        await hour_gone(tx, now_ms, consultation.case_id, "unschedule", by, reason or "other")
    entry = audit.Entry(
        action="consultation_cancelled",
        subject_type="consultation",
        subject_id=consultation_id,
        address=by.address,
        account_id=by.account_id,
        case_id=consultation.case_id,
        detail={} if side is None or reason is None else {"side": side, "reason": reason},
    )
    await audit.append(tx, now_ms, entry)
    return consultation
