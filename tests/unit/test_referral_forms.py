"""The forms: well made, in three languages, unchanged once released, asking what a specialty must know."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from server.domain.errors import Refused
from server.domain.referral_form import (
    KINDS,
    PATIENT_FACTS,
    SPECIALTIES,
    Condition,
    Form,
    form_of,
    newest,
    told,
)

FOLDER = Path(__file__).parents[2] / "server" / "domain" / "forms"
FORMS = [newest(specialty) for specialty in SPECIALTIES]
SCRIPT = {"ko": r"[가-힣]", "ru": r"[А-Яа-я]", "en": r"[A-Za-z]"}
#: Without which a referral cannot be judged, written down apart from the forms.
EVERYWHERE = {
    "question", "urgency", "diagnosis", "history", "treatment", "allergy", "takes_medicines", "infection",
    "other_illness", "mobility", "own_words", "wish",
}  # fmt: skip
MUST = {
    "oncology": {"histology", "stage", "ecog", "treatment_kinds", "treatment_lines", "imaging_date"},
    "orthopaedics": {"region", "side", "deficit", "red_flags", "imaging_date", "function"},
    "cardiothoracic": {"nyha", "ef", "echo_date", "anticoagulation", "rhythm"},
    "neurosurgery": {"gcs", "pressure", "deficit", "seizures", "imaging_date"},
    "paediatrics": {"weight", "companion", "child_flags", "vaccination", "development"},
    "gynaecology": {"pregnancy", "gestation", "births", "last_period", "cytology", "ultrasound"},
    "ent": {"region", "side", "airway", "audiogram", "endoscopy"},
    "gastroenterology": {"organ", "gi_flags", "endoscopy", "liver_tests", "child_pugh"},
    "urology": {"problem", "side", "uro_flags", "creatinine", "psa"},
    "general": {"system", "findings", "vital_signs", "general_flags"},
}


def conditions(form: Form) -> list[tuple[str, Condition]]:
    return [
        (one.id, condition)
        for one in form.questions
        for condition in [*one.asked_when, *(one.required or ())]
    ]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.id)
def test_a_form_is_well_made(form: Form) -> None:
    names = [one.id for one in form.questions]
    assert len(names) == len(set(names))
    for one in form.questions:
        assert one.kind in KINDS, one.id
        assert one.section in form.sections, one.id
        assert bool(one.choices) is (one.kind in ("choice", "many")), one.id
        assert len({choice.id for choice in one.choices}) == len(one.choices), one.id
        assert set(one.exclusive) <= {choice.id for choice in one.choices}, one.id
        assert re.compile(one.pattern), one.id
    known = {one.id: {choice.id for choice in one.choices} for one in form.questions}
    for name, condition in conditions(form):
        earlier = [*PATIENT_FACTS, *names[: names.index(name)]]
        assert condition.field in earlier, (name, "asks about a question that comes later")
        if choices := known.get(condition.field):
            assert choices.issuperset(condition.one_of + condition.none_of), name


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.id)
def test_every_question_says_in_three_languages_what_it_is_and_why_it_is_asked(form: Form) -> None:
    texts = [(one.id, text) for one in form.questions for text in (one.label, one.why)]
    texts += [("section", text) for text in form.sections.values()] + [("form", form.label)]
    for name, text in texts:
        assert set(text) >= set(SCRIPT), name
        if text["en"] not in ("PSA",):
            assert all(re.search(SCRIPT[language], text[language]) for language in SCRIPT), (name, text)
    for one in form.questions:
        assert len(one.why["en"]) > 15, (one.id, "a reason is a sentence")
        for choice in one.choices:
            assert set(choice.label) >= set(SCRIPT), (one.id, choice.id)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.id)
def test_a_form_asks_what_its_specialty_must_know(form: Form) -> None:
    required = {one.id for one in form.questions if one.required is not None}
    assert required >= EVERYWHERE | MUST[form.specialty]


def test_pregnancy_is_asked_of_women_who_could_be_whatever_the_specialty() -> None:
    for form in FORMS:
        pregnancy = form.question("pregnancy")
        assert pregnancy is not None
        assert {one.field for one in pregnancy.asked_when} == {"patient.sex", "patient.age"}


def test_a_released_form_does_not_change() -> None:
    """Submitted referrals name their form: a change is a new file (forms/README.md)."""
    released = dict(reversed(line.split()) for line in (FOLDER / "released.txt").read_text().splitlines())
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.toml")}
    assert there == released


def test_forms_are_found_by_their_id_and_nothing_else_is() -> None:
    assert form_of("oncology/1") == newest("oncology")
    for wrong in ("oncology/2", "oncology", "common/1", "../oncology/1", "oncology/01", "dentistry/1"):
        with pytest.raises(Refused) as refused:
            form_of(wrong)
        assert refused.value.code == "not_found"


def test_a_page_gets_the_whole_form_but_not_the_rules() -> None:
    page = told(newest("ent"))
    assert page["questions"][0]["id"] == "question"
    assert set(page["questions"][0]["label"]) >= {"en", "ru", "ko"}
    assert [one["id"] for one in page["sections"]] == [
        "question",
        "illness",
        "specialty",
        "background",
        "voice",
    ]
