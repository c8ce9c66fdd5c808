"""Which department of which hospital, and who there: points added up, each with its reason in words.

A reason is the id of a message with arguments: pages say it in the reader's language. It must not read
a referral's text: `assess.py` has done that. `now` and calendars are arguments.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

from server.domain.appointment import Interpreter, pair_of
from server.domain.matching.assess import Assessment, Referral
from server.domain.matching.scoring import Score
from server.domain.week import Week, office_hours

MOST_TERMS: Final = 3
SHOWN: Final = 8  # departments in a proposal


@dataclass(frozen=True, slots=True)
class Physician:
    id: str
    name: str
    places: frozenset[str]  # sub-specialties of their own; empty: all of the department's
    languages: tuple[str, ...]
    open_cases: int = 0


@dataclass(frozen=True, slots=True)
class Department:
    id: str
    hospital_id: str
    hospital: str
    specialty: str
    places: frozenset[str]  # specialty/sub-specialty; what it really does
    languages: tuple[str, ...]
    time_zone: str
    monthly: int  # cases it takes in a month
    open_cases: int = 0
    hours: Week = field(default_factory=office_hours)
    physicians: tuple[Physician, ...] = ()


@dataclass(frozen=True, slots=True)
class Around:
    """What is known beside the referral and the departments."""

    week: date  # any day of the week whose working hours are compared
    site_hours: Week = field(default_factory=office_hours)
    site_zone: str | None = None  # None: as the referral says
    interpreters: tuple[Interpreter, ...] = ()
    seen_patient: frozenset[str] = frozenset()  # departments
    similar: Mapping[str, int] = field(default_factory=dict)  # department → cases of the sub-specialty


@dataclass(frozen=True, slots=True)
class Reason:
    """`message` is a Fluent id; `points` say how much it moved, below zero: it speaks against."""

    message: str
    points: float
    args: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ranked:
    department: Department
    physician: Physician | None
    place: str
    points: float
    reasons: tuple[Reason, ...]


@cache
def points_table() -> Mapping[str, float]:
    text = resources.files("server.domain.matching").joinpath("ranking.toml").read_text(encoding="utf-8")
    return {name: float(value) for name, value in tomllib.loads(text).items()}


def rank(
    referral: Referral, found: Assessment, departments: Iterable[Department], around: Around
) -> list[Ranked]:
    """The best first. Empty where nothing was recognised or nobody does it: a coordinator looks by hand."""
    fitting = _fitting(found.scores)
    if not fitting:
        return []
    rows = []
    for department in departments:
        score = _best(department, fitting)
        if score is None:
            continue
        physician = _physician(department, score.place, referral)
        reasons = _reasons(referral, fitting, score, department, physician, around)
        points = round(sum(reason.points for reason in reasons), 1)
        rows.append(Ranked(department, physician, score.place, points, tuple(reasons)))
    return sorted(rows, key=lambda row: (-row.points, row.department.id))[:SHOWN]


def _fitting(scores: Sequence[Score]) -> list[Score]:
    if not scores:
        return []
    least = scores[0].points * points_table()["neighbour"]
    return [score for score in scores if score.points >= least]


def _best(department: Department, fitting: Sequence[Score]) -> Score | None:
    """What of the referral the department does: a sub-specialty of its own before the specialty around it."""
    own = [score for score in fitting if score.place in department.places]
    if own:
        return own[0]
    around = [score for score in fitting if score.place.split("/")[0] == department.specialty]
    return around[0] if around else None


def _physician(department: Department, place: str, referral: Referral) -> Physician | None:
    able = [one for one in department.physicians if not one.places or place in one.places]
    wanted = set(referral.languages)
    return min(able, key=lambda one: (not wanted & set(one.languages), one.open_cases, one.id), default=None)


def _reasons(
    referral: Referral,
    fitting: Sequence[Score],
    score: Score,
    department: Department,
    physician: Physician | None,
    around: Around,
) -> list[Reason]:
    table = points_table()
    terms = [spoke.term for spoke in score.spoke if spoke.weight > 0][:MOST_TERMS]
    exact = score.place in department.places
    reasons = [
        Reason(
            "match-reason-condition",
            round(table["condition"] * score.points / fitting[0].points, 1),
            {"terms": ", ".join(terms)},
        ),
        Reason(
            "match-reason-sub-specialty" if exact else "match-reason-specialty-only",
            table["sub_specialty" if exact else "specialty_only"],
            {"place": score.place},
        ),
        _language(referral, department, physician, around),
        _load(department),
        _hours(referral, department, around),
    ]
    if referral.preference == department.hospital_id:
        reasons.append(Reason("match-reason-preference", table["preference"]))
    if department.id in around.seen_patient:
        reasons.append(Reason("match-reason-seen-patient", table["earlier_patient"]))
    if similar := around.similar.get(department.id, 0):
        share = min(1.0, similar / table["similar_enough"])
        reasons.append(
            Reason("match-reason-similar", round(table["earlier_similar"] * share, 1), {"count": similar})
        )
    return reasons


def _language(
    referral: Referral, department: Department, physician: Physician | None, around: Around
) -> Reason:
    table = points_table()
    spoken = {*department.languages, *(physician.languages if physician else ())}
    shared = [language for language in referral.languages if language in spoken]
    if shared:
        return Reason(
            "match-reason-language-direct", table["language_direct"], {"languages": ", ".join(shared)}
        )
    for message, points, any_field in (
        ("match-reason-language-interpreter", table["language_interpreter"], False),
        ("match-reason-language-uncertified", table["language_uncertified"], True),
    ):
        pair = _interpreted(referral, department, around, any_field=any_field)
        if pair:
            return Reason(message, points, {"pair": pair})
    return Reason("match-reason-language-none", table["language_none"])


def _interpreted(
    referral: Referral, department: Department, around: Around, *, any_field: bool
) -> str | None:
    """The first pair that some interpreter joins, as it is shown."""
    for mine in referral.languages:
        for theirs in department.languages:
            pair = pair_of((mine, theirs))
            if pair and any(
                one.fits(pair, department.specialty, any_field=any_field) for one in around.interpreters
            ):
                return f"{mine} – {theirs}"
    return None


def _load(department: Department) -> Reason:
    table = points_table()
    args: dict[str, str | int] = {"open": department.open_cases, "monthly": department.monthly}
    if department.open_cases >= department.monthly:
        return Reason("match-reason-load-full", table["load_full"], args)
    free = 1 - department.open_cases / department.monthly
    return Reason("match-reason-load", round(table["load_free"] * free, 1), args)


def _hours(referral: Referral, department: Department, around: Around) -> Reason:
    table = points_table()
    minutes = shared_minutes(
        around.site_hours,
        around.site_zone or referral.time_zone,
        department.hours,
        department.time_zone,
        around.week,
    )
    hours = minutes // 60
    if not hours:
        return Reason("match-reason-hours-none", table["hours_none"])
    share = min(1.0, hours / table["hours_enough"])
    return Reason("match-reason-hours", round(table["hours"] * share, 1), {"hours": hours})


def shared_minutes(one: Week, one_zone: str, other: Week, other_zone: str, week: date) -> int:
    """Minutes in that week (Monday to Sunday at the first place) when both work; clocks as they really go."""
    monday = week - timedelta(days=week.weekday())
    mine = _spans(one, one_zone, [monday + timedelta(days=n) for n in range(7)])
    theirs = _spans(other, other_zone, [monday + timedelta(days=n) for n in range(-1, 8)])
    seconds = 0.0
    for start, end in mine:
        for begin, stop in theirs:
            seconds += max(0.0, (min(end, stop) - max(start, begin)).total_seconds())
    return int(seconds // 60)


def _spans(hours: Week, zone: str, days: Sequence[date]) -> list[tuple[datetime, datetime]]:
    where = ZoneInfo(zone)

    def instant(day: date, minute: int) -> datetime:
        at = datetime.combine(day, time(), tzinfo=where) + timedelta(minutes=minute)  # wall clock
        return at.astimezone(UTC)

    return [
        (instant(day, start), instant(day, end)) for day in days for start, end in hours.parts(day.weekday())
    ]
