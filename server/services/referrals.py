"""Referrals being written: drafts that save themselves, and the submission that makes a version of one.

A save names the version it saw and brings the answers that changed. Where somebody else changed the same
answer meanwhile, theirs stands, and what was brought is put aside to be chosen: nothing typed is lost.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from server.domain.case import Case
from server.domain.document_kinds import missing
from server.domain.errors import Refused
from server.domain.life import WRITABLE, Guard, State
from server.domain.patient import Alike, Patient, Person, as_json, facts, problems
from server.domain.people import Account
from server.domain.permissions import Role
from server.domain.referral import MAX_FIELDS, Answer, Problem, asked, cleaned, complete
from server.domain.referral import problems as answers_problems
from server.domain.referral_form import Form, form_of, newest
from server.services.case_life import About, move, mover
from server.services.context import Context
from server.services.limiting import Attempts
from server.services.looks import Looks
from server.services.patients import alike_to, patient_told, registered
from server.storage import accounts, audit, cases, documents, patients, referrals
from server.storage.database import Transaction
from server.storage.ids import new_id
from server.storage.referrals import Draft, Version

MAX_ASIDE = 100
SAVES_NOTED_MS = 10 * 60_000
"""One audit entry for somebody's saves of a draft in so long."""


@dataclass(frozen=True, slots=True)
class Save:
    """What a page brings: the version it saw, itself, changed answers, and settled ids of what lay aside."""

    version: int
    editor: str
    answers: Mapping[str, Any]
    settled: tuple[str, ...] = ()
    specialty: str | None = None


class Referrals:
    def __init__(self, context: Context, attempts: Attempts, looks: Looks) -> None:
        self._context = context
        self._attempts = attempts
        self._looks = looks

    async def begin(
        self, account: Account, specialty: str, patient_id: str | None, address: str
    ) -> dict[str, Any]:
        """A case of the account's site, in draft. Raises Refused `not_found`."""
        form = newest(specialty)
        await self._attempts.save("case", account.id)
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            case_id = new_id()
            label = await _next_label(tx, account.site_id, now_ms)
            case = Case(case_id, label, account.site_id, specialty, "", {}, State.DRAFT.value, now_ms)
            await cases.add_case(tx, case)
            if patient_id is None:
                patient = await registered(tx, self._context, account, Person(), address)
            else:
                found = await patients.by_id(tx, patient_id)
                if found is None or found.site_id != account.site_id:
                    raise Refused("not_found")
                patient = found
            await patients.put_in_case(tx, case_id, patient)
            await referrals.put_draft(tx, Draft(case_id, 1, form.id, {}, {}, [], 0, account.id, now_ms))
            await self._noted(tx, account, "case_begun", case_id, address)
        return {"id": case_id, "label": label}

    async def open(self, account: Account, case_id: str, address: str) -> dict[str, Any]:
        """The draft as it stands, or what a new one would begin with. Raises Refused `wrong_state`."""
        async with self._context.database.write() as tx:
            case = await _writable(tx, case_id)
            draft = await _draft(tx, case, account, self._context.now_ms())
            await self._noted(tx, account, "draft_read", case_id, address)
            told = await self._told(tx, account, case, draft)
        return await self._shown(account, told, address)

    async def save(self, account: Account, case_id: str, brought: Save, address: str) -> dict[str, Any]:
        """Raises Refused `wrong_state`, `bad_request`, `too_large`."""
        given = cleaned(brought.answers)
        await self._attempts.save(case_id, account.id)
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            case = await _writable(tx, case_id)
            before = await _draft(tx, case, account, now_ms)
            if brought.version > before.version:
                raise Refused("bad_request")
            after, conflicts = _merged(before, brought, given, account.id, now_ms)
            if after.version != before.version:
                await referrals.put_draft(tx, after)
                if case.state == State.DRAFT:  # nothing was submitted yet: lists show what is being written
                    await referrals.set_case(tx, case_id, specialty=form_of(after.form).specialty)
                stale = now_ms - before.changed_ms > SAVES_NOTED_MS or before.changed_by != account.id
                if stale or before.version <= 1:
                    await self._noted(tx, account, "draft_saved", case_id, address)
            told = await self._told(tx, account, case, after)
        return {**await self._shown(account, told, address), "conflicts": conflicts}

    async def _shown(self, account: Account, told: dict[str, Any], address: str) -> dict[str, Any]:
        """With those who may be the same person as the draft's: they were looked at as well."""
        await self._looks.listed(account, [one["id"] for one in told["patient"]["alike"]], address)
        return told

    async def submit(self, account: Account, case_id: str, version: int, address: str) -> dict[str, Any]:
        """The draft becomes a version that nothing changes any more.

        Raises Refused `wrong_state`, `referral_changed`, `not_verified`, `referral_incomplete` and
        `document_missing` (+ `missing`).
        """
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            case = await _writable(tx, case_id)
            draft = await referrals.draft_of(tx, case_id)
            patient = await patients.of_case(tx, case_id)
            if draft is None or patient is None or draft.version != version:
                raise Refused("referral_changed")
            form = form_of(draft.form)
            found = _problems(form, draft, patient, await alike_to(tx, patient), _today(now_ms, account))
            holds = {Guard.VERIFIED} if account.verified else set()
            if complete(found):
                holds.add(Guard.COMPLETE)
            made = _version(draft, form, patient, account.id, now_ms)
            try:
                about = About(number=made.number, sha256=made.sha256)
                step = await move(tx, now_ms, case, "submit", mover(account, address), holds, about)
            except Refused as refused:
                if refused.code != Guard.COMPLETE:
                    raise
                raise Refused(refused.code, missing=sum(one.blocks for one in found)) from None
            await self._require_documents(tx, case_id, form)
            await referrals.add_version(tx, made)
            await documents.cite(tx, case_id, made.number)
            await referrals.drop_draft(tx, case_id)
            await _name_referring(tx, case, account)
            question = made.answers.get("question")
            await referrals.set_case(
                tx, case_id, specialty=form.specialty, question=question if isinstance(question, str) else ""
            )
        return {"number": made.number, "state": step.now.state.value, "sha256": made.sha256}

    async def _require_documents(self, tx: Transaction, case_id: str, form: Form) -> None:
        required, there = self._context.settings.documents.required, await documents.of_case(tx, case_id)
        if absent := missing(form.specialty, required, there):
            raise Refused("document_missing", missing=len(absent))

    async def _told(self, tx: Transaction, account: Account, case: Case, draft: Draft) -> dict[str, Any]:
        form, patient = form_of(draft.form), await patients.of_case(tx, case.id)
        if patient is None:
            raise Refused("not_found")
        today = _today(self._context.now_ms(), account)
        alike = await alike_to(tx, patient)
        found = _problems(form, draft, patient, alike, today)
        names = await accounts.names(tx, {row["account_id"] for row in draft.aside} | {draft.changed_by})
        events = await referrals.events_of(tx, case.id) if case.state == State.RETURNED else []
        returned = next((event for event in reversed(events) if event.after == State.RETURNED), None)
        return {
            "case": {"id": case.id, "label": case.label, "state": case.state, "specialty": form.specialty},
            "form": form.id,
            "version": draft.version,
            "based_on": draft.based_on,
            "answers": dict(draft.answers),
            "aside": [
                {"id": row["id"], "question": row["question"], "answer": row["answer"], "at_ms": row["at_ms"]}
                | {"by": names.get(row["account_id"], "")}
                for row in draft.aside
            ],
            "changed": {"by": names.get(draft.changed_by, ""), "at_ms": draft.changed_ms},
            "asked": [one.id for one in asked(form, draft.answers, facts(patient.person, today))],
            "problems": [problem_told(one) for one in found],
            "patient": await patient_told(tx, patient, alike),
            "returned": None
            if returned is None
            else {
                "reason": returned.reason,
                "questions": list(returned.questions),
                "words": returned.words,
                "at_ms": returned.at_ms,
            },
        }

    async def _noted(
        self, tx: Transaction, account: Account, action: str, case_id: str, address: str
    ) -> None:
        entry = audit.Entry(action, "case", case_id, address, account_id=account.id, case_id=case_id)
        await audit.append(tx, self._context.now_ms(), entry)


def problem_told(problem: Problem) -> dict[str, Any]:
    return {"question": problem.question, "code": problem.code, "blocks": problem.blocks, **problem.facts}


def _merged(
    before: Draft, brought: Save, given: dict[str, Answer], account_id: str, now_ms: int
) -> tuple[Draft, list[str]]:
    """The draft with what was brought, and the questions where somebody else's newer answer stands."""
    version, conflicts = before.version + 1, list[str]()
    answers, stamps, aside = dict(before.answers), dict(before.stamps), list(before.aside)
    for name, answer in given.items():
        if name in answers and answers[name] == answer:
            continue
        written, editor = stamps.get(name, (0, ""))
        if written > brought.version and editor != brought.editor and answers.get(name) not in ("", []):
            conflicts.append(name)
            row = {
                "id": new_id(),
                "question": name,
                "answer": answer,
                "account_id": account_id,
                "at_ms": now_ms,
            }
            if answer not in ("", []):
                aside.append(row)
            continue
        answers[name], stamps[name] = answer, [version, brought.editor]
    aside = [row for row in aside if row["id"] not in brought.settled]
    if len(answers) > MAX_FIELDS or len(aside) > MAX_ASIDE:
        raise Refused("too_large")
    form = before.form
    if brought.specialty is not None and brought.specialty != form_of(form).specialty:
        form = newest(brought.specialty).id
    changed = (answers, aside, form) != (dict(before.answers), list(before.aside), before.form)
    if not changed and before.version > 0:
        return before, conflicts
    made = replace(
        before, version=version, form=form, answers=answers, stamps=stamps, aside=aside,
        changed_by=account_id, changed_ms=now_ms,
    )  # fmt: skip
    return made, conflicts


async def _name_referring(tx: Transaction, case: Case, account: Account) -> None:
    """Who submits sits in the consultation, unless a colleague of the site is named for it already."""
    named = await cases.invited(tx, case.id)
    if not any(one.site_id == case.site_id and Role.REFERRING_PHYSICIAN in one.roles for one in named):
        await cases.add_person(tx, case.id, account.id, "invited")


async def _writable(tx: Transaction, case_id: str) -> Case:
    case = await cases.by_id(tx, case_id)
    if case is None:
        raise Refused("not_found")
    if case.state not in {state.value for state in WRITABLE}:
        raise Refused("wrong_state")
    return case


async def _draft(tx: Transaction, case: Case, account: Account, now_ms: int) -> Draft:
    """What is being written; else, as version 0, what a draft begins with: the version submitted last."""
    draft = await referrals.draft_of(tx, case.id)
    if draft is not None:
        return draft
    last = await referrals.newest(tx, case.id)
    if last is None:
        return Draft(case.id, 0, newest(_known(case.specialty)).id, {}, {}, [], 0, account.id, now_ms)
    form = newest(form_of(last.form).specialty)
    return Draft(
        case.id, 0, form.id, dict(last.answers), {}, [], last.number, last.submitted_by, last.submitted_ms
    )


def _known(specialty: str) -> str:
    """Cases from before there were forms name specialties of their own."""
    try:
        return newest(specialty).specialty
    except Refused:
        return "general"


def _problems(form: Form, draft: Draft, patient: Patient, alike: list[Alike], today: date) -> list[Problem]:
    found = problems(patient.person, today)
    if alike:
        found.append(Problem("patient.alike", "alike"))
    found += answers_problems(form, draft.answers, facts(patient.person, today), today)
    return [*found, *(Problem(row["question"], "aside") for row in draft.aside)]


def _version(draft: Draft, form: Form, patient: Patient, account_id: str, now_ms: int) -> Version:
    """What is submitted: the answers that the form asks for, and the patient as registered now."""
    kept = {one.id for one in form.questions}
    made = Version(
        draft.case_id,
        draft.based_on + 1,
        form.id,
        form.sha256,
        {name: answer for name, answer in draft.answers.items() if name in kept},
        as_json(patient.person),
        patient.id,
        patient.version,
        "",
        account_id,
        now_ms,
    )
    return replace(made, sha256=fingerprint(made))


def fingerprint(version: Version) -> str:
    """SHA-256 over the version in canonical JSON (sorted keys, no spaces), without its own `sha256`."""
    content = asdict(version) | {"sha256": ""}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


async def _next_label(tx: Transaction, site_id: str, now_ms: int) -> str:
    """To be said aloud: country, year, number. Nothing of the patient."""
    site = (await accounts.all_sites(tx))[site_id]
    prefix = f"{site.country}-{datetime.fromtimestamp(now_ms / 1000, ZoneInfo(site.time_zone)):%y}-"
    return f"{prefix}{await referrals.labels_like(tx, prefix) + 1:04d}"


def _today(now_ms: int, account: Account) -> date:
    """At the account's place: a date of birth or of a picture is a day there."""
    return datetime.fromtimestamp(now_ms / 1000, ZoneInfo(account.time_zone)).date()
