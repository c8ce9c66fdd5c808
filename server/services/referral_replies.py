"""What becomes of a submitted referral: read, returned with a reason, answered, cancelled, reopened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from server.domain.case import Case
from server.domain.errors import Refused
from server.domain.life import Guard, State, moves_from
from server.domain.people import Account
from server.domain.referral import (
    CANCEL_REASONS,
    REOPEN_REASONS,
    RETURN_REASONS,
    clean_text,
    substance,
)
from server.domain.referral_form import form_of
from server.services.case_hours import hour_ahead
from server.services.case_life import About, move, mover
from server.services.context import Context
from server.storage import accounts, audit, cases, patients, referrals
from server.storage.database import Transaction
from server.storage.ids import new_id
from server.storage.referrals import Version, Written

MAX_WORDS = 2_000
MAX_ANSWER = 20_000
LEAST_ANSWER = 20
"""Letters: a written answer is something that somebody can act on."""
PATIENT_QUESTIONS = frozenset(
    f"patient.{name}"
    for name in ("name", "birth_date", "sex", "nationality", "languages", "contact", "guardians")
)
REASONS = {"return": RETURN_REASONS, "cancel": CANCEL_REASONS, "reopen": REOPEN_REASONS}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is done: a code, the questions it is about, and words."""

    code: str
    questions: tuple[str, ...] = ()
    words: str = ""


class Replies:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def read(self, account: Account, case_id: str, address: str) -> dict[str, Any]:
        """Every version with the case's history; the look is audited. Raises Refused `not_found`."""
        async with self._context.database.write() as tx:
            case = await _case(tx, case_id)
            versions = await referrals.versions_of(tx, case_id)
            answers = await referrals.written_of(tx, case_id)
            events = await referrals.events_of(tx, case_id)
            patient = await patients.of_case(tx, case_id)
            who = {one.submitted_by for one in versions} | {one.account_id for one in answers}
            names = await accounts.names(tx, who | {one.account_id for one in events if one.account_id})
            entry = audit.Entry(
                "referral_read", "case", case_id, address, account_id=account.id, case_id=case_id
            )
            await audit.append(tx, self._context.now_ms(), entry)
        return {
            "case": {"id": case.id, "label": case.label, "state": case.state, "specialty": case.specialty},
            "versions": [_version(one, names) for one in versions],
            "answers": [
                {"number": one.number, "text": one.text, "at_ms": one.at_ms}
                | {"by": names.get(one.account_id, "")}
                for one in answers
            ],
            "events": [
                {
                    "move": one.move, "before": one.before, "after": one.after, "role": one.role,
                    "by": names.get(one.account_id or "", ""), "at_ms": one.at_ms, "reason": one.reason,
                    "questions": list(one.questions), "words": one.words, "number": one.number,
                }
                for one in events
            ],
            "synthetic": bool(patient and patient.synthetic),
            "moves": sorted({name for role in account.roles for name in _moves(case, role)}),
        }  # fmt: skip

    async def give_back(
        self, account: Account, case_id: str, number: int, reason: Reason, address: str
    ) -> dict[str, Any]:
        """Raises Refused `referral_changed` (a newer version came), `wrong_state`, `reason_missing`."""
        return await self._moved(account, case_id, "return", reason, address, number)

    async def cancel(self, account: Account, case_id: str, reason: Reason, address: str) -> dict[str, Any]:
        """Raises Refused `wrong_state`, `reason_missing`."""
        return await self._moved(account, case_id, "cancel", reason, address)

    async def reopen(self, account: Account, case_id: str, reason: Reason, address: str) -> dict[str, Any]:
        """Raises Refused `wrong_state`, `reason_missing`."""
        return await self._moved(account, case_id, "reopen", reason, address)

    async def end(self, account: Account, case_id: str, address: str) -> dict[str, Any]:
        """What was broken off was long enough. While people are in the room, the room ends it.

        Raises Refused `wrong_state`.
        """
        async with self._context.database.write() as tx:
            case = await _case(tx, case_id)
            if case.state != State.INTERRUPTED:
                raise Refused("wrong_state")
            now_ms = self._context.now_ms()
            step = await move(tx, now_ms, case, "end", mover(account, address), ())
            await hour_ahead(tx, now_ms, case_id)
            return {"state": step.now.state.value}

    async def answer(
        self, account: Account, case_id: str, number: int, text: str, address: str
    ) -> dict[str, Any]:
        """In writing. Raises Refused `not_verified`, `answer_empty`, `referral_changed`, `wrong_state`."""
        words, now_ms = clean_text(text, MAX_ANSWER).strip(), self._context.now_ms()
        holds = {Guard.VERIFIED} if account.verified else set()
        if substance(words) >= LEAST_ANSWER:
            holds.add(Guard.ANSWER)
        async with self._context.database.write() as tx:
            case = await _case(tx, case_id)
            await _newest(tx, case_id, number)
            by, about = mover(account, address), About(number=number)
            step = await move(tx, now_ms, case, "answer", by, holds, about)
            await referrals.add_written(tx, Written(new_id(), case_id, number, words, account.id, now_ms))
        return {"state": step.now.state.value}

    async def _moved(
        self,
        account: Account,
        case_id: str,
        name: str,
        reason: Reason,
        address: str,
        number: int | None = None,
    ) -> dict[str, Any]:
        words = clean_text(reason.words, MAX_WORDS).strip()
        async with self._context.database.write() as tx:
            case = await _case(tx, case_id)
            if number is not None:
                _require_asked(await _newest(tx, case_id, number), reason.questions)
            about = About(reason.code, reason.questions, words, number)
            holds = {Guard.REASON} if _says_why(name, reason, words) else set()
            step = await move(tx, self._context.now_ms(), case, name, mover(account, address), holds, about)
            return {"state": step.now.state.value}


def _says_why(name: str, reason: Reason, words: str) -> bool:
    """A known code; a return says what is missing, and "other" says itself in words."""
    if reason.code not in REASONS[name]:
        return False
    if name == "return":
        return bool(reason.questions or words) and (reason.code != "other" or bool(words))
    return reason.code != "other" or bool(words)


def _require_asked(version: Version, questions: tuple[str, ...]) -> None:
    known = {one.id for one in form_of(version.form).questions} | PATIENT_QUESTIONS
    if not known.issuperset(questions):
        raise Refused("bad_request")


async def _newest(tx: Transaction, case_id: str, number: int) -> Version:
    found = await referrals.newest(tx, case_id)
    if found is None or found.number != number:
        raise Refused("referral_changed")
    return found


async def _case(tx: Transaction, case_id: str) -> Case:
    case = await cases.by_id(tx, case_id)
    if case is None:
        raise Refused("not_found")
    return case


def _moves(case: Case, role: str) -> list[str]:
    try:
        return moves_from(State(case.state), role)
    except ValueError:
        return []


def _version(version: Version, names: dict[str, str]) -> dict[str, Any]:
    return {
        "number": version.number,
        "form": version.form,
        "answers": dict(version.answers),
        "patient": dict(version.person),
        "by": names.get(version.submitted_by, ""),
        "at_ms": version.submitted_ms,
        "sha256": version.sha256,
    }
