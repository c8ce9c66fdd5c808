"""Patients: what is missing, and who may be registered twice, across three scripts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.names import alike, sounds
from server.domain.patient import (
    Guardian,
    Patient,
    Person,
    as_json,
    called,
    cleaned,
    facts,
    found_alike,
    from_json,
    near_dates,
    problems,
    summary,
)
from tests.support.referrals import ADULT, CHILD, TODAY


def patient(
    name: str, person: Person = ADULT, site: str = "almaty", distinct: tuple[str, ...] = ()
) -> Patient:
    return Patient(name, site, 1, person, distinct, True, 0, 0)


def named(born: str, **names: str) -> Person:
    return replace(ADULT, names=names, birth_date=born)


SAME = [
    ("Нурлан Ахметов", "Nurlan Akhmetov", "AHMETOV, Nurlan", "누를란 아흐메토프"),
    ("Әлия Қожа", "Aliya Qozha", "Aliya Kozha", "알리야 코자"),
    ("Сергей Иванов", "Sergey Ivanov", "Ivanov Sergei", "세르게이 이바노프"),
    ("Гульнора Тухтаева", "Gʻulnora Toʻxtayeva", "Gulnora Tukhtaeva"),
    ("Чулуунбаатар Болд", "Chuluunbaatar Bold", "출룬바타르 볼드"),
    ("Ким Мин Су", "Kim Min-su", "김민수", "MIN SU KIM"),
    ("Александр Цой", "Alexander Tsoy", "Aleksandr Tsoi"),
]


@pytest.mark.parametrize("spellings", SAME)
def test_a_name_is_known_again_in_another_script_and_order(spellings: tuple[str, ...]) -> None:
    for one in spellings:
        for other in spellings:
            assert alike(sounds(one), sounds(other)) == 2, (one, other)


def test_other_names_are_other_names() -> None:
    for one, other in (
        ("Иванов Пётр", "Петров Иван"),
        ("Нурлан Ахметов", "Айгуль Серик"),
        ("김민수", "박지영"),
    ):
        assert alike(sounds(one), sounds(other)) == 0
    assert alike(sounds(""), sounds("")) == 0


@given(st.text(max_size=60))
def test_any_name_is_like_itself_or_says_nothing(name: str) -> None:
    key = sounds(name)
    assert alike(key, key) == (2 if key else 0)


def test_who_may_be_registered_twice_is_found_and_the_surest_stands_first() -> None:
    one = patient("one")
    twin = patient("twin", named("1970-05-04", latin="Daulet Akhmetov"))
    again = patient("again", named("1970-05-04", hangul="누를란 아흐메토프"))
    mistyped = patient("mistyped", named("1970-04-05", cyrillic="Нурлан Ахметов"))
    others = [
        twin, mistyped, again, one,
        patient("elsewhere", again.person, site="seoul"),
        patient("namesake", named("1951-01-01", latin="Nurlan Akhmetov")),
        patient("same day", named("1970-05-04", latin="Bolat Serik")),
    ]  # fmt: skip
    found = found_alike(one, others)
    assert [(one.patient.id, one.sure) for one in found] == [
        ("again", True),
        ("twin", False),
        ("mistyped", False),
    ]


def test_who_was_said_to_be_another_person_is_not_shown_again() -> None:
    again = patient("again")
    assert found_alike(patient("one", distinct=("again",)), [again]) == []
    assert found_alike(patient("one"), [replace(again, distinct_from=("one",))]) == []
    assert found_alike(patient("one"), [again])


def test_without_a_date_of_birth_nobody_is_like_anybody() -> None:
    assert found_alike(patient("one", named("", latin="Nurlan Akhmetov")), [patient("again")]) == []


def test_a_date_is_near_when_one_key_or_the_order_was_wrong() -> None:
    near = near_dates("1970-05-04")
    assert {"1970-05-04", "1970-04-05", "1970-05-14", "1971-05-04"} <= near
    assert "1970-06-05" not in near
    for written in ("1970", "", "19700504", "1970-W19-1", "1970-W19", "1970-124"):
        assert near_dates(written) == frozenset(), written


def test_a_whole_registration_misses_nothing() -> None:
    assert problems(ADULT, TODAY) == []
    assert problems(CHILD, TODAY) == []


def test_what_is_missing_of_a_patient_is_said_one_by_one() -> None:
    assert [one.question for one in problems(Person(), TODAY)] == [
        "patient.name", "patient.birth_date", "patient.sex", "patient.nationality", "patient.languages",
        "patient.contact",
    ]  # fmt: skip
    for born in ("1899-01-01", "2027-01-01", "1970-02-30", "04.05.1970", "19700504"):
        (wrong,) = problems(replace(ADULT, birth_date=born), TODAY)
        assert (wrong.question, wrong.code) == ("patient.birth_date", "not_a_date")


def test_a_minor_has_a_guardian_who_can_be_reached() -> None:
    for guardians in ((), (Guardian("Somebody", "mother", ""),), (Guardian("", "mother", "+7"),)):
        (missing,) = problems(replace(CHILD, guardians=guardians), TODAY)
        assert missing.question == "patient.guardians"
    assert problems(replace(CHILD, guardians=(), birth_date="2008-11-26"), TODAY) == []


def test_a_registration_is_kept_as_it_was_typed_but_for_what_cannot_be_seen() -> None:
    typed = replace(
        ADULT,
        names={"latin": "  Nurlan \u202e Akhmetov ", "klingon": "x", "hangul": ""},
        nationality="kz",
        languages=("ru", "ru"),
        guardians=(Guardian(), Guardian(" A ", "", "")),
    )
    made = cleaned(typed)
    assert made.names == {"latin": "Nurlan Akhmetov"}
    assert (made.nationality, made.languages, made.guardians) == ("KZ", ("ru",), (Guardian("A"),))
    assert cleaned(made) == made
    assert from_json(as_json(made)) == made


def test_a_case_shows_the_passports_name_first() -> None:
    assert called(ADULT) == "Nurlan Akhmetov"
    assert called(named("", hangul="김민수", cyrillic="Ким Мин Су")) == "Ким Мин Су"
    assert called(Person()) == ""
    assert summary(patient("one"))["synthetic"] is True


def test_a_form_may_ask_for_sex_and_age() -> None:
    assert facts(ADULT, TODAY) == {"patient.sex": "male", "patient.age": 56}
    assert facts(Person(), TODAY) == {}
