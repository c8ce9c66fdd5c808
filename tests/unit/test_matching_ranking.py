"""Among departments that know the condition, each thing that should move the order does, and says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from server.domain.appointment import Interpreter
from server.domain.matching.assess import Assessment, Referral, assess
from server.domain.matching.ranking import Around, Department, Physician, rank, shared_minutes
from server.domain.matching.rules import standard
from server.domain.week import office_hours

WEEK = date(2026, 11, 24)
REFERRAL = Referral(
    "general",
    {"text": "Ulcerative colitis since 2024. Colonoscopy 2026-10-03. Which biologic?"},
    age=30,
    languages=("ru", "kk"),
    time_zone="Asia/Almaty",
)
FOUND = assess(REFERRAL, standard())
PLAIN = Department(
    id="d1",
    hospital_id="h1",
    hospital="Hospital 1 (synthetic)",
    specialty="gastroenterology",
    places=frozenset({"gastroenterology/ibd"}),
    languages=("ko",),
    time_zone="Asia/Seoul",
    monthly=20,
    open_cases=5,
)
RUSSIAN = frozenset({("ko", "ru")})
AROUND = Around(WEEK, interpreters=(Interpreter("i", RUSSIAN, frozenset({"gastroenterology"})),))


def ids(department: Department, referral: Referral = REFERRAL, around: Around = AROUND) -> dict[str, float]:
    [row] = rank(referral, FOUND, [department], around)
    return {reason.message.removeprefix("match-reason-"): reason.points for reason in row.reasons}


def first(*departments: Department, referral: Referral = REFERRAL, around: Around = AROUND) -> str:
    return rank(referral, FOUND, departments, around)[0].department.id


def test_the_condition_the_sub_specialty_the_interpreter_the_load_and_the_hours_are_named() -> None:
    assert set(ids(PLAIN)) == {"condition", "sub-specialty", "language-interpreter", "load", "hours"}


def test_the_very_sub_specialty_comes_before_the_specialty_around_it() -> None:
    around = replace(PLAIN, id="a0", places=frozenset({"gastroenterology/endoscopy"}))
    assert first(around, PLAIN) == "d1"
    assert "specialty-only" in ids(around)


def test_another_specialty_is_not_proposed_at_all() -> None:
    heart = replace(PLAIN, specialty="cardiothoracic", places=frozenset({"cardiothoracic/valve"}))
    assert rank(REFERRAL, FOUND, [heart], AROUND) == []


def test_a_physician_who_speaks_the_patients_language_comes_before_an_interpreter() -> None:
    speaks = replace(PLAIN, id="d2", physicians=(Physician("p", "Physician", frozenset(), ("ko", "ru")),))
    assert first(PLAIN, speaks) == "d2"
    assert "language-direct" in ids(speaks)


def test_no_common_language_and_no_interpreter_speaks_against() -> None:
    assert ids(PLAIN, around=Around(WEEK))["language-none"] < 0


def test_an_interpreter_certified_for_other_fields_only_counts_less() -> None:
    other = Around(WEEK, interpreters=(Interpreter("i", RUSSIAN, frozenset({"ent"})),))
    assert 0 < ids(PLAIN, around=other)["language-uncertified"] < ids(PLAIN)["language-interpreter"]


def test_a_full_department_falls_behind_and_says_so() -> None:
    full = replace(PLAIN, id="a0", open_cases=20)
    assert first(full, PLAIN) == "d1"
    assert ids(full)["load-full"] < 0


def test_no_shared_working_hours_speak_against() -> None:
    night = replace(PLAIN, id="a0", hours=office_hours(0, 3))
    assert first(night, PLAIN) == "d1"
    assert ids(night)["hours-none"] < 0


def test_the_patients_own_wish_decides_between_equals_but_not_against_the_condition() -> None:
    wished = replace(PLAIN, id="z9", hospital_id="h9")
    wish = replace(REFERRAL, preference="h9")
    assert first(PLAIN, wished, referral=wish) == "z9"
    assert "preference" in ids(wished, wish)
    other = replace(wished, places=frozenset({"gastroenterology/endoscopy"}), open_cases=20)
    assert first(PLAIN, other, referral=wish) == "d1"


def test_earlier_cases_count() -> None:
    other = replace(PLAIN, id="z9")
    assert first(PLAIN, other, around=replace(AROUND, seen_patient=frozenset({"z9"}))) == "z9"
    assert first(PLAIN, other, around=replace(AROUND, similar={"z9": 3})) == "z9"
    assert ids(other, around=replace(AROUND, similar={"z9": 1}))["similar"] < 4


def test_the_physician_knows_the_sub_specialty_and_has_fewest_cases() -> None:
    able = frozenset({"gastroenterology/ibd"})
    people = (
        Physician("p1", "One", frozenset({"gastroenterology/endoscopy"}), ("ko", "ru")),
        Physician("p2", "Two", able, ("ko",), open_cases=4),
        Physician("p3", "Three", able, ("ko",), open_cases=1),
    )
    [row] = rank(REFERRAL, FOUND, [replace(PLAIN, physicians=people)], AROUND)
    assert row.physician is not None
    assert row.physician.id == "p3"


def test_nothing_recognised_proposes_nobody() -> None:
    assert rank(REFERRAL, Assessment(None, (), (), (), close=False), [PLAIN], AROUND) == []


def test_shared_hours_follow_the_clocks_of_that_week() -> None:
    day = office_hours()
    assert shared_minutes(day, "Asia/Seoul", day, "Asia/Seoul", WEEK) == 5 * 9 * 60
    # Almaty was at +6 until 1 March 2024 and is at +5 since: an hour less is shared with Seoul.
    before = shared_minutes(day, "Asia/Almaty", day, "Asia/Seoul", date(2024, 2, 21))
    after = shared_minutes(day, "Asia/Almaty", day, "Asia/Seoul", date(2024, 3, 13))
    assert (before, after) == (5 * 6 * 60, 5 * 5 * 60)
    assert shared_minutes(day, "America/New_York", day, "Asia/Seoul", WEEK) == 0
    assert shared_minutes(day, "Asia/Kathmandu", day, "Asia/Seoul", WEEK) == 5 * (5 * 60 + 45)
