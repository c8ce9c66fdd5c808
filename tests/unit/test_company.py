"""The seat rule, as transcripts of a room: who is recorded while somebody is there who needs company."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signaling import commands as cm
from signaling import events as ev
from signaling import interpreting_events as ie
from signaling.document import new_document
from signaling.plan import plan_of
from signaling.ports import RoomSeed
from signaling.view import recording_of, snapshot_of
from tests.support.rooms import CONSULTING, INTERPRETER, REFERRING, ROOM, seat
from tests.support.stage import Stage

PATIENT = "seat-patient-1"
ABLE = {"join", "end", "step_out"}


def seeds(*, verified: bool, rule: bool = True, beside: bool = False) -> RoomSeed:
    """`beside`: the patient sits at the referring physician's seat too."""
    return RoomSeed(
        seats=(
            replace(
                seat(REFERRING, "referring_physician", ABLE, 2),
                accompanies=verified,
                accompanied=rule and beside,
            ),
            seat(CONSULTING, "consulting_physician", ABLE, 1),
            seat(INTERPRETER, "interpreter", {"join"}),
            replace(seat(PATIENT, "patient", {"join"}), accompanied=rule),
        )
    )


def room(*here: str, verified: bool = True, rule: bool = True, beside: bool = False) -> Stage:
    seed = seeds(verified=verified, rule=rule, beside=beside)
    return Stage(new_document(ROOM, seed), seed=seed).live(*here)


def recorded(stage: Stage) -> set[str]:
    plan = plan_of(stage.document)
    assert plan is not None
    return {one for one, peer in plan.peers.items() if peer.grant is not None}


EVERYBODY = {REFERRING, CONSULTING, PATIENT}


def test_a_patient_is_recorded_in_the_company_of_a_verified_physician_and_everybody_with_them() -> None:
    assert recorded(room(REFERRING, CONSULTING, PATIENT)) == EVERYBODY
    assert recorded(room(CONSULTING, PATIENT)) == set()
    assert recorded(room(REFERRING, CONSULTING, PATIENT, verified=False)) == set()
    assert recorded(room(REFERRING, CONSULTING, verified=False)) == {REFERRING, CONSULTING}, "no patient"


def test_the_rule_switched_off_records_whoever_consents() -> None:
    assert recorded(room(CONSULTING, PATIENT, rule=False)) == {CONSULTING, PATIENT}


def test_a_patient_beside_the_physician_needs_that_physician_to_be_verified() -> None:
    assert recorded(room(REFERRING, CONSULTING, beside=True)) == {REFERRING, CONSULTING}
    assert recorded(room(REFERRING, CONSULTING, beside=True, verified=False)) == set()


def test_recording_stops_when_the_physician_leaves_and_goes_on_when_the_patient_steps_out() -> None:
    stage = room(REFERRING, CONSULTING, PATIENT)
    stage.on(ev.Left(REFERRING, f"s-{REFERRING}"))
    assert recorded(stage) == set()
    assert recording_of(stage.document, stage.now).waits_for == "company"
    stage.on(ie.Stepped(CONSULTING, f"s-{CONSULTING}", PATIENT, True))
    assert recorded(stage) >= {CONSULTING}, "professionals among themselves"
    stage.on(ie.Stepped(CONSULTING, f"s-{CONSULTING}", PATIENT, False))
    assert recorded(stage) == set()
    stage.join(REFERRING, "s-again")
    assert recorded(stage) == EVERYBODY


@pytest.mark.parametrize(
    ("accompanied", "left"),
    [(True, set()), (False, {CONSULTING, REFERRING}), (None, {CONSULTING, REFERRING})],
)
def test_a_patient_who_sits_down_beside_somebody_is_told_with_the_answer_of_that_seat(
    accompanied: bool | None, left: set[str]
) -> None:
    stage = room(REFERRING, CONSULTING, verified=False)
    stage.on(ev.ConsentChanged(REFERRING, "granted", "another", accompanied))
    assert recorded(stage) == left


def test_a_grant_taken_by_somebodys_word_elsewhere_is_noted_as_that_and_not_as_an_answer() -> None:
    stage = room(REFERRING, CONSULTING)
    for grant, said in ((None, "grant_taken"), ("newer", "grant_given")):
        stage.on(ev.ConsentChanged(REFERRING, "granted", grant))
        assert [note.what for note in stage.all(cm.Note)] == [said]
    assert recorded(stage) == {REFERRING, CONSULTING}


def test_everybodys_page_is_told_who_may_not_be_recorded_although_they_agreed() -> None:
    stage = room(REFERRING, CONSULTING)
    stage.on(ev.ConsentChanged(REFERRING, "granted", None))
    reader = stage.document.seat(CONSULTING)
    assert reader is not None
    shown = snapshot_of(stage.document, reader)
    told = {one.id: (one.consent, one.recordable) for one in shown.participants if one.present}
    assert told == {REFERRING: ("granted", False), CONSULTING: ("granted", True)}
