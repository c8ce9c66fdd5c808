"""What matching reads of a case: the newest submitted version of its referral. Nothing is read of drafts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final

from server.domain.case import Case
from server.domain.matching.assess import Referral
from server.domain.matching.completeness import Missing
from server.domain.referral import Answer, age_in_years
from server.domain.referral_form import Form, Question, form_of
from server.storage import accounts, departments, referrals
from server.storage.database import Transaction

#: Choices that say what it is about; others ask for dangers or habits, and name what is *not* there as well.
TELLING_CHOICES: Final = ("region", "lesion", "problem", "organ", "system", "imaging_kinds")
#: Words about somebody or something else: relatives, medicines, allergies, the patient's own.
NOT_READ: Final = ("family", "medicines", "allergy_which", "companion", "department", "urgency_reason")
#: Dates that are not an examination's.
OTHER_DATES: Final = ("injury_date",)


async def referral_of(tx: Transaction, case: Case, preference: str | None, now_ms: int) -> Referral:
    """`preference`: a hospital, when somebody says so. A case without a submitted version is its question."""
    site = (await accounts.all_sites(tx))[case.site_id]
    version = await referrals.newest(tx, case.id)
    spoken = await departments.languages_at(tx, case.site_id)
    if version is None:
        return Referral(
            specialty=case.specialty,
            fields={"text": case.question},
            age=age_in_years(str(case.patient.get("birth_date", "")), _day(now_ms)),
            languages=spoken,
            preference=preference,
            site_id=case.site_id,
            time_zone=site.time_zone,
        )
    form = form_of(version.form)
    own = [str(language) for language in version.person.get("languages", ())]
    return Referral(
        specialty=form.specialty,
        fields=texts(form, version.answers),
        age=age_in_years(str(version.person.get("birth_date", "")), _day(version.submitted_ms)),
        languages=tuple(dict.fromkeys([*own, *spoken])),
        preference=preference,
        site_id=case.site_id,
        time_zone=site.time_zone,
        established=established(form, version.answers),
    )


def texts(form: Form, answers: Mapping[str, Answer]) -> dict[str, str]:
    """The answers that say what it is, in the form's order; a side condition is said to be one."""
    found: dict[str, str] = {}
    for question in form.questions:
        answer = answers.get(question.id)
        if not answer or question.section == "voice" or question.id in NOT_READ:
            continue
        if question.kind in ("text", "long_text", "date") and isinstance(answer, str):
            found[question.id] = f"Also: {answer}" if question.section == "background" else answer
        elif question.id in TELLING_CHOICES and (said := _chosen(question, answer)):
            found[question.id] = said
    return found


def established(form: Form, answers: Mapping[str, Answer]) -> frozenset[Missing]:
    """What the form asked for in a field of its own and got: no reading of words is needed for it."""
    found = set()
    if answers.get("onset") or answers.get("history"):
        found.add(Missing.COURSE)
    dates = [one for one in form.questions if one.kind == "date" and one.id not in OTHER_DATES]
    if any(answers.get(one.id) for one in dates):
        found |= {Missing.EVIDENCE, Missing.EVIDENCE_DATE}
    return frozenset(found)


def _chosen(question: Question, answer: Answer) -> str:
    chosen = {answer} if isinstance(answer, str) else set(answer or ())
    return ", ".join(
        choice.label["en"] for choice in question.choices if choice.id in chosen and choice.id != "none"
    )


def _day(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()
