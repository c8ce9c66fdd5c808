"""What a patient's decisions come to, and what is refused before one is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from server.domain import person_consent as pc
from server.domain.consent_text import newest, text_of
from server.domain.errors import Refused
from server.domain.patient import Guardian, Person
from server.domain.site_policy import NOT_REQUIRED, REQUIRED, Policy, checked, default, requires_physician

TODAY = date(2026, 11, 26)
SEOUL = ("site-seoul",)
PLACES = pc.Places("Clinic", ("Hospital",), ("KR",), 10, SEOUL)
GROWN = Person(names={"latin": "Aigul Testova", "cyrillic": "Айгуль Тестова"}, birth_date="1980-01-01")
CHILD = replace(GROWN, birth_date="2012-01-01", guardians=(Guardian("Ержан Тестов", "father", "+7 0"),))


def given(purpose: str = "recording", decision: str = pc.GRANTED, at_ms: int = 1, **more: object) -> pc.Given:
    made = pc.Given(
        f"id{at_ms}", "case", purpose, decision, newest(purpose), "ru", "0", PLACES, "typed", "patient",
        "Aigul", "", "", "", "", "account", at_ms,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def test_being_recorded_needs_transfer_abroad_only_where_two_countries_take_part() -> None:
    assert pc.required(["KZ", "KZ"]) == ("consultation", "recording")
    assert pc.required(["KZ", "KR"]) == ("consultation", "recording", "transfer_abroad")


@pytest.mark.parametrize(
    ("one", "state"),
    [
        (None, "undecided"),
        (given(), "granted"),
        (given(decision=pc.DECLINED), "declined"),
        (given(decision=pc.WITHDRAWN), "withdrawn"),
        (given(version=newest("recording") - 1), "outdated"),
        (given(method="read_aloud"), "unwitnessed"),
        (given(method="read_aloud", witnessed_by="a2"), "granted"),
        (given("transfer_abroad"), "granted"),
        (given("transfer_abroad", places=replace(PLACES, recipient_ids=())), "outdated"),
        (given(places=replace(PLACES, recipient_ids=())), "granted"),
    ],
)
def test_only_a_yes_to_the_text_and_the_recipients_of_today_counts(one: pc.Given | None, state: str) -> None:
    assert pc.state_of(one, SEOUL) == state
    if one is not None:
        assert (pc.missing([one.purpose], {one.purpose: one}, SEOUL) == []) is (state == "granted")


def test_the_newest_decision_of_a_purpose_counts_whatever_was_said_before() -> None:
    kept = pc.newest_of([given(at_ms=2, decision=pc.WITHDRAWN), given(at_ms=1), given("teaching", at_ms=3)])
    assert kept["recording"].decision == pc.WITHDRAWN
    assert pc.missing(["recording", "teaching", "consultation"], kept, SEOUL) == ["recording", "consultation"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (pc.PATIENT, True),
        ("Тестова Айгуль", True),
        ("AIGUL TESTOVA", True),
        ("Aigul", False),
        ("Somebody Else", False),
    ],
)
def test_a_patient_named_at_a_door_is_known_by_the_name_in_any_script(name: str, found: bool) -> None:
    assert pc.names_patient(name, GROWN) is found


def test_a_grown_patient_speaks_for_themselves_and_a_minor_by_a_registered_guardian() -> None:
    assert pc.checked_giver(GROWN, "patient", " Aigul  T. ", TODAY) == ("Aigul T.", "")
    assert pc.checked_giver(CHILD, "guardian", "Ержан Тестов", TODAY) == ("Ержан Тестов", "father")
    for person, by, name, code in (
        (CHILD, "patient", "Aigul", "guardian_needed"),
        (CHILD, "guardian", "A stranger", "guardian_unknown"),
        (GROWN, "guardian", "Ержан Тестов", "guardian_unknown"),
        (GROWN, "patient", "\u202e ", "name_missing"),
        (GROWN, "neighbour", "A", "bad_request"),
    ):
        with pytest.raises(Refused, match=code):
            pc.checked_giver(person, by, name, TODAY)


DRAWN = "M10 10L20 20L30 10L40 20L50 10"


def test_a_drawn_name_is_lines_and_nothing_else() -> None:
    assert pc.checked_drawing("drawn", DRAWN) == DRAWN
    assert pc.checked_drawing("typed", DRAWN) == "", "not kept where it is not asked for"
    long = "M1 1" + "L1000 400" * 1500
    for drawing in ("", "M1 1", DRAWN + '"/><script>', DRAWN + "A1 1", DRAWN + "L-1 2", long):
        with pytest.raises(Refused, match="drawing_refused"):
            pc.checked_drawing("drawn", drawing)


def test_a_witness_is_somebody_named_who_is_not_the_giver() -> None:
    assert pc.checked_witness("read_aloud", "Nurse N", "Aigul") == "Nurse N"
    assert pc.checked_witness("typed", "Nurse N", "Aigul") == ""
    for name in ("", "AIGUL"):
        with pytest.raises(Refused, match="witness_missing"):
            pc.checked_witness("read_aloud", name, "Aigul")


def test_a_yes_is_to_the_very_text_of_today_and_a_no_to_any() -> None:
    text = text_of("recording", newest("recording"), "ru")
    assert pc.checked_text("recording", text.version, "ru", text.sha256, pc.GRANTED) == text.sha256
    assert pc.checked_text("recording", text.version, "ru", "0" * 64, pc.DECLINED) == text.sha256
    with pytest.raises(Refused, match="consent_outdated"):
        pc.checked_text("recording", text.version, "ru", "0" * 64, pc.GRANTED)
    for purpose, version, decision, code in (
        ("gossip", 1, pc.GRANTED, "bad_request"),
        ("recording", 1, pc.WITHDRAWN, "bad_request"),
        ("recording", 99, pc.GRANTED, "not_found"),
    ):
        with pytest.raises(Refused, match=code):
            pc.checked_text(purpose, version, "ru", text.sha256, decision)


def test_a_pair_that_nobody_decided_about_gets_the_strictest_and_of_several_the_strictest_holds() -> None:
    loose = Policy(("a", "b"), 1, NOT_REQUIRED, "direct_care")
    assert default(("a", "b")).seat_rule == REQUIRED
    assert requires_physician([])
    assert not requires_physician([loose])
    assert requires_physician([loose, default(("a", "c"))])
    for rule, basis in (("maybe", "direct_care"), (REQUIRED, "none")):
        with pytest.raises(Refused, match="bad_request"):
            checked(rule, basis)
