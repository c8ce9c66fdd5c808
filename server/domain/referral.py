"""A referral's answers: which questions are asked, what is missing, and why it does not do. Pure.

An answer is a text (numbers and dates too, as they were typed), a list of choices, or None: "not known, or
not done", where the question allows that. It must not know who writes, nor where answers are kept.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from server.domain.errors import Refused
from server.domain.referral_form import Condition, Form, Question

Answer = str | list[str] | None
Facts = Mapping[str, str | int]

MAX_TEXT: Final = 10_000
MAX_FIELDS: Final = 200
MAX_CHOICES: Final = 40
HANGUL_WEIGHT: Final = 2.5
"""A syllable says about as much as so many letters."""
OLDEST: Final = date(1900, 1, 1)

#: Why a referral is returned: codes, to be counted; what is meant stands beside it in words.
RETURN_REASONS: Final = ("incomplete", "unclear", "documents", "wrong_specialty", "not_for_us", "other")
CANCEL_REASONS: Final = ("patient_declined", "treated_elsewhere", "died", "mistake", "other")
REOPEN_REASONS: Final = ("new_findings", "complication", "further_question", "mistake", "other")


@dataclass(frozen=True, slots=True)
class Problem:
    """`code` says what is wrong with the answer to `question`; one that does not block is only mentioned."""

    question: str
    code: str
    facts: Mapping[str, int | float] = field(default_factory=dict)
    blocks: bool = True


def asked(form: Form, answers: Mapping[str, Answer], facts: Facts) -> list[Question]:
    """The questions that are asked now, in the form's order."""
    found: list[Question] = []
    known: dict[str, Answer | int] = dict(facts)
    for question in form.questions:
        if not all(_holds(condition, known) for condition in question.asked_when):
            continue
        found.append(question)
        if question.id in answers:
            known[question.id] = answers[question.id]
    return found


def problems(form: Form, answers: Mapping[str, Answer], facts: Facts, today: date) -> list[Problem]:
    """What keeps these answers from being submitted, in the form's order; empty when nothing does."""
    questions = asked(form, answers, facts)
    known: dict[str, Answer | int] = dict(facts)
    known |= {one.id: answers[one.id] for one in questions if one.id in answers}
    found: list[Problem] = []
    for question in questions:
        answer = answers.get(question.id, "")
        needed = question.required is not None and all(_holds(one, known) for one in question.required)
        problem = _problem(form, question, answer, needed, question.id in answers, today)
        if problem is not None:
            found.append(problem)
    return found


def complete(found: list[Problem]) -> bool:
    return not any(problem.blocks for problem in found)


def substance(text: str) -> float:
    """How much a text says, in letters: each word once, so that a word repeated says no more."""
    words = set(re.findall(r"\w+", unicodedata.normalize("NFC", text).casefold()))
    return sum(HANGUL_WEIGHT if "가" <= letter <= "힣" else 1 for word in words for letter in word)


def cleaned(answers: Mapping[str, Any]) -> dict[str, Answer]:
    """Answers off the wire, without unseen control and direction marks. Raises Refused `bad_request`.

    What a question would not take (a word for a number, a choice of another form) is kept: it was typed.
    """
    made: dict[str, Answer] = {}
    for name, answer in answers.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
            raise Refused("bad_request")
        if isinstance(answer, list):
            if len(answer) > MAX_CHOICES or not all(re.fullmatch(r"[a-z0-9_]{1,40}", one) for one in answer):
                raise Refused("bad_request")
            made[name] = list(dict.fromkeys(answer))
        else:
            made[name] = None if answer is None else clean_text(answer)
    return made


def clean_text(text: str, most: int = MAX_TEXT) -> str:
    """Several lines as typed; NFC. Raises Refused `bad_request` when it is too long."""
    kept = "".join(
        letter
        for letter in text.replace("\r\n", "\n").replace("\r", "\n")
        if letter in "\n\t\u200c\u200d" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    made = unicodedata.normalize("NFC", kept)
    if len(made) > most:
        raise Refused("bad_request")
    return made


def day_of(text: str) -> date | None:
    """A day as `2026-11-26`; None for what is no day, or one written otherwise."""
    if not re.fullmatch(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*", text):
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def age_in_years(birth_date: str, today: date) -> int | None:
    """Whole years; None when there is no such date, or it lies ahead."""
    born = day_of(birth_date)
    if born is None or born > today:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _holds(condition: Condition, known: Mapping[str, Answer | int]) -> bool:
    value = known.get(condition.field, "")
    if condition.filled is not None and (value not in ("", None, [])) is not condition.filled:
        return False
    if condition.filled is None and value in ("", None, []):
        return False
    chosen = set(value) if isinstance(value, list) else {str(value)}
    if condition.one_of and chosen.isdisjoint(condition.one_of):
        return False
    if not chosen.isdisjoint(condition.none_of):
        return False
    if condition.above is None and condition.below is None:
        return True
    number = _number(str(value))
    if number is None:
        return False
    return (condition.above is None or number > condition.above) and (
        condition.below is None or number < condition.below
    )


def _problem(
    form: Form, question: Question, answer: Answer, needed: bool, given: bool, today: date
) -> Problem | None:
    name = question.id
    if answer is None and given:
        return None if question.not_known or not needed else Problem(name, "missing")
    if not answer or (isinstance(answer, str) and not answer.strip()):
        return Problem(name, "missing") if needed else None
    if question.kind == "many":
        return _wrong_choices(question, answer)
    if not isinstance(answer, str):
        return Problem(name, "not_a_choice")
    if question.kind == "choice":
        known = {choice.id for choice in question.choices}
        return None if answer in known else Problem(name, "not_a_choice")
    if question.kind == "number":
        return _wrong_number(question, answer)
    if question.kind == "date":
        return _wrong_date(question, answer, today)
    return _wrong_text(form, question, answer, needed)


def _wrong_choices(question: Question, answer: Answer) -> Problem | None:
    known = {choice.id for choice in question.choices}
    if not isinstance(answer, list) or not known.issuperset(answer):
        return Problem(question.id, "not_a_choice")
    if len(answer) > 1 and not set(question.exclusive).isdisjoint(answer):
        return Problem(question.id, "contradicts")
    return None


def _wrong_number(question: Question, answer: str) -> Problem | None:
    number = _number(answer)
    if number is None:
        return Problem(question.id, "not_a_number")
    least, most = question.least_value, question.most_value
    if (least is not None and number < least) or (most is not None and number > most):
        limits = {"min": least, "max": most}
        return Problem(question.id, "out_of_range", {k: v for k, v in limits.items() if v is not None})
    return None


def _wrong_date(question: Question, answer: str, today: date) -> Problem | None:
    day = day_of(answer)
    if day is None or day < OLDEST:
        return Problem(question.id, "not_a_date")
    if day > today:
        return Problem(question.id, "in_future")
    old = (today - day).days
    if question.fresh_days and old > question.fresh_days:
        return Problem(question.id, "old", {"days": old}, blocks=False)
    return None


def _wrong_text(form: Form, question: Question, answer: str, needed: bool) -> Problem | None:
    if question.pattern and not re.fullmatch(question.pattern, answer.strip()):
        return Problem(question.id, "not_a_code")
    if not needed:
        return None
    plain = re.sub(r"[\s.,;:!]+", " ", unicodedata.normalize("NFC", answer).casefold()).strip()
    words = re.findall(r"\w+", plain)
    is_none = plain in form.non_answers or not words
    if is_none and not (question.none_ok and words):
        return Problem(question.id, "no_answer")
    if question.not_alone and set(words) <= set(question.not_alone):
        return Problem(question.id, "symptom_only")
    if not is_none and substance(answer) < question.least:
        return Problem(question.id, "too_thin", {"least": question.least})
    return None


def _number(text: str) -> float | None:
    if not re.fullmatch(r"\s*-?[0-9]{1,9}([.,][0-9]{1,6})?\s*", text):
        return None
    number = float(text.replace(",", "."))
    return number if math.isfinite(number) else None
