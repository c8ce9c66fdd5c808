"""Answers that a form takes: what a referral of each specialty needs and no more. All of it is invented."""

from __future__ import annotations

from datetime import date

from server.domain.patient import Guardian, Person
from server.domain.referral import Answer, Facts, asked
from server.domain.referral_form import Form, Question

TODAY = date(2026, 11, 26)
WOMAN: Facts = {"patient.sex": "female", "patient.age": 40}
WORDS = (
    "Synthetic words for a test: first seen in spring, slowly worse since then, examined twice by two "
    "colleagues; nothing of it is real."
)
ADULT = Person(
    names={"latin": "Nurlan Akhmetov", "cyrillic": "Нурлан Ахметов"},
    birth_date="1970-05-04",
    sex="male",
    nationality="KZ",
    languages=("kk", "ru"),
    contact={"phone": "+7 000 000 0100"},
)
CHILD = Person(
    names={"latin": "Aliya Qozha"},
    birth_date="2022-05-04",
    sex="female",
    nationality="KZ",
    languages=("kk",),
    contact={"phone": "+7 000 000 0101"},
    guardians=(Guardian("Әлия Қожа", "mother", "+7 000 000 0101"),),
)


def answer_to(question: Question) -> Answer:
    """One that does: the last choice, a whole sentence, a day not long ago."""
    if question.kind == "choice":
        return question.choices[-1].id
    if question.kind == "many":
        return [question.choices[-1].id]
    if question.kind == "number":
        return str(question.least_value if question.least_value is not None else 1)
    if question.kind == "date":
        return "2026-11-01"
    return "M51.1" if question.pattern else WORDS


def whole(form: Form, facts: Facts, given: dict[str, Answer] | None = None) -> dict[str, Answer]:
    """Every question that is asked, answered; `given` stays as it is."""
    answers = dict(given or {})
    while missing := [one for one in asked(form, answers, facts) if one.id not in answers]:
        answers[missing[0].id] = answer_to(missing[0])
    return answers
