"""What a referral lacks before a coordinator could pass it on; and what an age or a date looks like.

It asks for six things: the age, a condition that points to a department, its course (since when, or what was
done), an examination, that examination's date, and a question. It must not guess what is not there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from server.domain.matching.reading import Place, Reading
from server.domain.matching.rules import OLDEST, Rules
from server.domain.matching.scoring import Score
from server.domain.matching.text import folded, words

#: A date counts for an examination that stands within so many words.
NEAR, SHORT_NEAR = 14, 3


class Missing(StrEnum):
    AGE = "age"
    CONDITION = "condition"
    COURSE = "course"
    EVIDENCE = "evidence"
    EVIDENCE_DATE = "evidence_date"
    QUESTION = "question"


_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?|янв[а-я]*|фев[а-я]*|март[а-я]*|апр[а-я]*|ма[йя]|июн[а-я]*|июл[а-я]*|авг[а-я]*"
    r"|сен[а-я]*|окт[а-я]*|ноя[а-я]*|дек[а-я]*)"
)
_DAY, _YEAR = r"(?:[0-3]?\d)", r"(?:20\d\d|\d\d)"
_DATE: Final = re.compile(
    rf"(?<!\d)(?:20\d\d[-./]\s?[01]?\d(?:[-./]\s?{_DAY})?"  # 2026-09-30, 2026.10
    rf"|{_DAY}[-./][01]?\d[-./]{_YEAR}"  # 30.09.26
    rf"|{_DAY}[\s-]{_MONTH}\b|20\d\d\s?년\s?[01]?\d\s?월|[01]?\d\s?월\s?[0-3]?\d\s?일)"  # 5 Oct, 10월 5일
    rf"|\b{_MONTH}\.?\s(?:20\d\d|{_DAY}(?!\d)|\d\d(?!\d))"  # Oct 9, Sept 2026
    r"|\b(?:yesterday|last week|this week|вчера|на прошлой неделе|на этой неделе)\b|어제|지난주|이번 ?주",
)
#: 05.10 or 10/2: may be a value as well, so only close behind an examination.
_SHORT_DATE: Final = re.compile(rf"(?<![\d.,/]){_DAY}\.[01]\d(?![\d/.])|(?<![\d.,/])1?\d/{_DAY}(?![\d/])")
_SPAN: Final = re.compile(
    r"(?<![\d.,])\d{1,2}(?:[.,]\d)?\s?-?\s?(?:мес|г\b|год|лет|л\b|нед|дн|сут|час|days?\b|d\b|wks?\b|weeks?\b|mo\b|mos\b"
    r"|months?\b|mon\b|yrs?\b|years?\b|y\b|개월|년|주|일간|달)"
    r"|\b(?:полгода|год\b|years|months|weeks|for a (?:year|month|week))|several (?:years|months)|много лет"
    r"|\bone? ?(?:year|month)|\b(?:ten|two|three|four|five|six)\s(?:years|months|weeks)"
    r"|작년|올해|수년|수개월|어릴 때"
)
_SINCE: Final = re.compile(
    rf"\b(?:since|from|с|со|in|в)\s(?:{_MONTH}|birth|рожд|детства|childhood|infancy|весн|осен|лет|зим"
    r"|\d{1,2}х? ?л|january|last|20\d\d)"
    r"|(?<!\d)(?:19[6-9]\d|20[012]\d)\s?(?:г\b|года|년)?(?![-./]?\d)|\d{1,2}월부터|부터"
)
_PERSON = (
    r"(?:мальчик|девочка|девоч|реб(?:енок|енку|\.)?|дитя|пациент(?:ка)?|больной|больная|муж(?:чина)?|жен(?:щина)?"
    r"|male|female|man|woman|boy|girl|pt|patient|child|м|ж|m|f|남아?|여아?|남자|여자|환아)"
)
_UNIT = r"(?:л(?:ет)?\b|г(?:ода?)?\b|y\s?/?\s?o\b|yo\b|yrs?[\s-]old|years?[\s-]old|y\b|세|살)"
_AGES: Final = (
    re.compile(rf"(?<!\w){_PERSON}[\s.,/]*(\d{{1,3}})\s?-?{_UNIT}"),
    re.compile(rf"(?<!\w)(\d{{1,3}})\s?-?{_UNIT}[\s.,]*{_PERSON}(?!\w)"),
    re.compile(r"(?<!\d)(\d{1,3})\s?-?(?:yo\b|y/o\b|yrs?[\s-]old|years?[\s-]old|세)"),
    re.compile(r"(?<!\w)[mfмж]\s?(\d{2})(?!\d)|(?<!\d)(\d{2})\s?[mfмж](?!\w)"),
    re.compile(rf"^\s*(\d{{1,3}})\s?{_UNIT}"),
    re.compile(r"(?:^|[,.(])\s*(\d{1,3})\s?(?:лет|л|года?|г)\s*[,.)]"),
)
_MONTHS_OLD: Final = re.compile(
    r"(?<!\d)(\d{1,2})\s?(?:months?[\s-]old|개월 ?(?:남아|여아|된|아기)"
    r"|мес(?:яцев|\.)? (?:ребен|мальчик|девоч))"
)
_CHILD: Final = re.compile(
    r"\b(?:child|infant|newborn|boy|girl|kid|toddler|ребен|реб\.|мальчик|девочк|младен|новорожд)|소아|남아|여아|신생아|영아"
)


def age_in(text: str) -> int | None:
    """The age somebody wrote into the text, in whole years; None when none is surely an age."""
    low = folded(text)
    if _MONTHS_OLD.search(low):
        return int(_MONTHS_OLD.search(low)[1]) // 12  # type: ignore[index]
    for pattern in _AGES:
        for match in pattern.finditer(low):
            years = int(next(group for group in match.groups() if group))
            if years <= OLDEST:
                return years
    return None


def speaks_of_a_child(text: str) -> bool:
    return bool(_CHILD.search(folded(text)))


def missing(
    reading: Reading, text: str, rules: Rules, ranked: Sequence[Score], age: int | None, question: str = ""
) -> list[Missing]:
    """What to ask for, in the order of the form. `question`: what stands in a field of its own, if any."""
    low = folded(text)
    lacks = []
    if age is None:
        lacks.append(Missing.AGE)
    if not recognised(ranked, rules):
        lacks.append(Missing.CONDITION)
    if not _course(reading, low, age):
        lacks.append(Missing.COURSE)
    exams = reading.any_of("evidence")
    if not exams:
        lacks.append(Missing.EVIDENCE)
    elif not _dated(low, exams):
        lacks.append(Missing.EVIDENCE_DATE)
    if not _asks(reading, question):
        lacks.append(Missing.QUESTION)
    return lacks


def recognised(ranked: Sequence[Score], rules: Rules) -> bool:
    """Whether a condition is named that points somewhere: hints alone do not."""
    if not ranked or ranked[0].points < rules.weights["least"]:
        return False
    return any(spoke.level in ("sure", "strong") for spoke in ranked[0].spoke)


def _course(reading: Reading, low: str, age: int | None) -> bool:
    spans = [match for match in _SPAN.finditer(low) if not _is_age(match.group(), low, match.start(), age)]
    return bool(spans or _SINCE.search(low) or reading.any_of("course"))


def _is_age(span: str, low: str, start: int, age: int | None) -> bool:
    """`58 л` beside the age 58 says how old somebody is, not since when."""
    number = re.match(r"\d+", span)
    if number is None or age is None or int(number[0]) != age or "мес" in span or "개월" in span:
        return False
    return bool(re.search(r"(?:л|г|y|세|살)", span)) and age_in(low[max(0, start - 20) : start + 24]) == age


def _dated(low: str, exams: Sequence[Place]) -> bool:
    """Whether a date stands near an examination."""
    at = [exam.first for exam in exams]
    for pattern, near in ((_DATE, NEAR), (_SHORT_DATE, SHORT_NEAR)):
        number = start = 0
        for match in pattern.finditer(low):
            number += len(words(low[start : match.start()]))
            start = match.start()
            if any(abs(number - exam) <= near for exam in at):
                return True
    return False


def _asks(reading: Reading, question: str) -> bool:
    """Something in particular: a sentence that only asks for help does not."""
    if question.strip(" ?!.") and not Reading(question, reading.rules).any_of("vague"):
        return True
    sentence = [word.sentence for word in reading.words]
    vague = {sentence[place.first] for place in reading.any_of("vague")}
    asking = {sentence[place.first] for place in reading.any_of("question")}
    marked = {word.sentence for word in reading.words if word.asked}
    return bool(asking or marked - vague)
