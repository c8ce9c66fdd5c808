"""Which questions are asked, what is missing, and that "pain" cannot be submitted."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.errors import Refused
from server.domain.referral import (
    Answer,
    Problem,
    age_in_years,
    asked,
    clean_text,
    cleaned,
    complete,
    problems,
    substance,
)
from server.domain.referral_form import SPECIALTIES, newest
from tests.support.referrals import TODAY, WOMAN, whole


def found(specialty: str, answers: dict[str, Answer], **facts: str | int) -> dict[str, Problem]:
    known = {f"patient.{name}": value for name, value in facts.items()} or WOMAN
    return {one.question: one for one in problems(newest(specialty), answers, known, TODAY)}


@pytest.mark.parametrize("specialty", SPECIALTIES)
@pytest.mark.parametrize("word", ["pain", "Боль.", "통증", "pain pain pain", "боль, боль!", "  Headache "])
def test_pain_alone_cannot_be_submitted(specialty: str, word: str) -> None:
    form = newest(specialty)
    texts = {one.id: word for one in form.questions if one.kind in ("text", "long_text")}
    missing = problems(form, texts, WOMAN, TODAY)
    assert not complete(missing)
    assert {one.question for one in missing} >= {"question", "diagnosis", "history", "urgency", "allergy"}
    rest = whole(form, WOMAN) | {"diagnosis": word}
    assert [one.question for one in problems(form, rest, WOMAN, TODAY)] == ["diagnosis"]


@pytest.mark.parametrize("specialty", SPECIALTIES)
@pytest.mark.parametrize("age", [1, 8, 40, 70])
@pytest.mark.parametrize("sex", ["female", "male"])
def test_a_whole_referral_can_be_submitted_and_without_any_required_answer_it_cannot(
    specialty: str, age: int, sex: str
) -> None:
    form, facts = newest(specialty), {"patient.sex": sex, "patient.age": age}
    answers = whole(form, facts)
    assert problems(form, answers, facts, TODAY) == []
    for question in asked(form, answers, facts):
        rest = {name: answer for name, answer in answers.items() if name != question.id}
        missing = [one.question for one in problems(form, rest, facts, TODAY)]
        if question.required is not None:
            assert question.id in missing


@given(st.sampled_from(SPECIALTIES), st.data())
def test_no_answers_whatever_break_the_check(specialty: str, data: st.DataObject) -> None:
    form = newest(specialty)
    names = st.sampled_from([one.id for one in form.questions])
    texts = ["", " ", "yes", "none", "55", "2026-11-01", "1e999", "…", "pain", "\u0665", "a" * 99]
    choices = st.lists(st.sampled_from(["none", "mri", "hiv", "x"]), max_size=3)
    value = st.none() | st.sampled_from(texts) | choices
    answers = data.draw(st.dictionaries(names, value, max_size=12))
    missing = problems(form, answers, WOMAN, TODAY)
    shown = {one.id for one in asked(form, answers, WOMAN)}
    assert {one.question for one in missing} <= shown
    assert len({one.question for one in missing}) == len(missing)


def test_questions_follow_from_answers() -> None:
    form = newest("oncology")
    assert "treatment_lines" not in {one.id for one in asked(form, {"treatment_kinds": ["none"]}, WOMAN)}
    assert "treatment_lines" in {one.id for one in asked(form, {"treatment_kinds": ["surgery"]}, WOMAN)}
    assert "histology_date" not in {one.id for one in asked(form, {"histology": None}, WOMAN)}
    assert "histology_date" in {one.id for one in asked(form, {"histology": "adenocarcinoma"}, WOMAN)}


def test_a_question_that_is_not_asked_asks_no_other() -> None:
    form = newest("neurosurgery")
    answers: dict[str, Answer] = {"anticoagulation": "warfarin", "deficit": ["motor"], "region": "knee"}
    ortho = {one.id for one in asked(newest("orthopaedics"), answers, WOMAN)}
    assert "deficit_detail" not in ortho, "the knee has no level of the spine"
    assert "inr" not in {one.id for one in asked(form, answers, WOMAN)}


def test_pregnancy_is_asked_by_sex_and_age() -> None:
    for sex, age, expected in (("female", 11, False), ("female", 12, True), ("female", 55, True),
                               ("female", 56, False), ("male", 30, False)):  # fmt: skip
        facts = {"patient.sex": sex, "patient.age": age}
        assert ("pregnancy" in {one.id for one in asked(newest("general"), {}, facts)}) is expected, facts


def test_the_week_of_a_pregnancy_is_asked_where_there_is_one() -> None:
    form = newest("gynaecology")
    # pregnancy is asked after the specialty's own questions, so its follow-up stands after it
    names = [one.id for one in form.questions]
    assert names.index("gestation") > names.index("pregnancy")
    assert "gestation" in {one.id for one in asked(form, {"pregnancy": "yes"}, WOMAN)}
    assert "gestation" not in {one.id for one in asked(form, {"pregnancy": "no"}, WOMAN)}


@pytest.mark.parametrize(
    ("question", "answer", "code"),
    [
        ("urgency", "tomorrow", "not_a_choice"),
        ("urgency", ["days"], "not_a_choice"),
        ("infection", ["none", "hiv"], "contradicts"),
        ("infection", "hiv", "not_a_choice"),
        ("ecog", "5", "not_a_choice"),
        ("histology_date", "2026-13-01", "not_a_date"),
        ("histology_date", "01.02.2026", "not_a_date"),
        ("histology_date", "2027-01-01", "in_future"),
        ("histology_date", "0001-01-01", "not_a_date"),
        ("icd10", "lungs", "not_a_code"),
        ("question", "What now?", "too_thin"),
        ("question", "очень очень очень очень очень очень очень очень", "too_thin"),
        ("histology", "нет", "no_answer"),
        ("histology", "...", "no_answer"),
        ("histology", "N/A", "no_answer"),
        ("own_words", "해당 없음", "no_answer"),
        ("ecog", None, "missing"),
        ("question", None, "missing"),
    ],
)
def test_what_is_no_answer_is_said_to_be_none(question: str, answer: Answer, code: str) -> None:
    answers = whole(newest("oncology"), WOMAN) | {question: answer}
    assert found("oncology", answers)[question].code == code


def test_numbers_are_taken_as_people_type_them_and_held_against_what_can_be() -> None:
    answers = whole(newest("cardiothoracic"), WOMAN, {"lesion": "valve"})
    for good in ("55", " 55 ", "55.5", "55,5"):
        assert "ef" not in found("cardiothoracic", answers | {"ef": good})
    for wrong, code in (
        ("550", "out_of_range"),
        ("4", "out_of_range"),
        ("55 %", "not_a_number"),
        ("1e3", "not_a_number"),
    ):
        assert found("cardiothoracic", answers | {"ef": wrong})["ef"].code == code
    assert found("cardiothoracic", answers | {"ef": "550"})["ef"].facts == {"min": 5, "max": 90}


def test_not_known_is_an_answer_where_the_form_says_so() -> None:
    answers = whole(newest("oncology"), WOMAN) | {"histology": None, "stage": None, "own_words": None}
    assert found("oncology", answers) == {}


def test_none_is_an_answer_where_the_form_says_so() -> None:
    assert found("oncology", whole(newest("oncology"), WOMAN) | {"metastases": "нет"}) == {}


def test_an_old_picture_is_mentioned_and_does_not_block() -> None:
    answers = whole(newest("neurosurgery"), WOMAN, {"imaging_kinds": ["mri"]}) | {
        "imaging_date": "2026-01-01"
    }
    (old,) = found("neurosurgery", answers).values()
    assert (old.question, old.code, old.blocks) == ("imaging_date", "old", False)
    assert complete([old])


def test_a_word_said_again_says_no_more_and_a_syllable_of_hangul_says_more() -> None:
    assert substance("pain") == substance("PAIN pain, Pain!") == 4
    assert substance("위암 수술") == 10
    assert substance(" .,- ") == 0


def test_text_keeps_its_lines_and_loses_what_cannot_be_seen() -> None:
    assert clean_text("one\r\ntwo\u202e\x00\ufeff") == "one\ntwo"
    with pytest.raises(Refused):
        clean_text("x" * 10_001)


def test_answers_off_the_wire_are_kept_whatever_they_say_if_they_are_answers() -> None:
    given = {"ef": "fifty", "region": "", "infection": ["a", "a", "b"], "stage": None}
    assert cleaned(given) == {"ef": "fifty", "region": "", "infection": ["a", "b"], "stage": None}
    for wrong in ({"Bad Name": "x"}, {"x" * 41: "x"}, {"a": ["x y"]}, {"a": ["x"] * 41}):
        with pytest.raises(Refused):
            cleaned(wrong)


@pytest.mark.parametrize(
    ("born", "age"),
    [
        ("2008-11-26", 18),
        ("2008-11-27", 17),
        ("2026-11-26", 0),
        ("2026-11-27", None),
        ("2026-02-30", None),
        ("", None),
    ],
)
def test_somebody_is_a_year_older_on_their_birthday(born: str, age: int | None) -> None:
    assert age_in_years(born, TODAY) == age
    assert age_in_years("2004-02-29", date(2022, 2, 28)) == 17
