"""Professionals first, as transcripts of a room: who waits, what they are told, what a restart remembers."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from server.domain.permissions import abilities, chaired
from signaling import commands as cm
from signaling import events as ev
from signaling import interpreting_events as ie
from signaling.document import from_json, new_document, to_json
from signaling.interpretation import Direction
from signaling.ports import Pause, RoomSeed, SessionRef
from signaling.seat import Seat
from signaling.view import snapshot_of
from signaling.wire_snapshot import Participant, Snapshot
from tests.support.rooms import CONSULTING, INTERPRETER, REFERRING, ROOM, seat
from tests.support.stage import Stage, plan_in

PATIENT = "seat-patient-1"
CHAIR, LP, IN, PT = (f"s-{one}" for one in (CONSULTING, REFERRING, INTERPRETER, PATIENT))
TEAM = (CONSULTING, REFERRING, INTERPRETER)


def seats() -> RoomSeed:
    made = []
    for seat_id, role, language, rank in (
        (REFERRING, "referring_physician", "ru", 2),
        (CONSULTING, "consulting_physician", "ko", 1),
        (INTERPRETER, "interpreter", "ru/ko", None),
        (PATIENT, "patient", "ru", None),
    ):
        facts = seat(seat_id, role, set(abilities(role, verified=True)), rank)
        waits = role == "patient"
        made.append(replace(facts, language=language, chaired=chaired(role), waits=waits))
    return RoomSeed(seats=tuple(made))


def empty() -> Stage:
    return Stage(new_document(ROOM, seats()), seed=seats())


def live(*here: str) -> Stage:
    stage = empty().live(*(here or TEAM))
    for one in here or TEAM:
        stage.on(ev.PeerChanged(stage.document.epoch, one, stage.connection(one) or "", "connected"))
    return stage


def of(stage: Stage, seat_id: str) -> Seat:
    found = stage.document.seat(seat_id)
    assert found is not None
    return found


def seen(stage: Stage, by: str) -> Snapshot:
    return snapshot_of(stage.document, of(stage, by))


def person(stage: Stage, by: str, who: str) -> Participant:
    return next(one for one in seen(stage, by).participants if one.id == who)


def notes(stage: Stage) -> list[tuple[str, str | None]]:
    return [(note.what, note.seat) for note in stage.all(cm.Note)]


# --- waiting ----------------------------------------------------------------------------------------------


def test_a_patient_waits_without_anybody_having_said_so_and_nothing_passes_either_way() -> None:
    stage = live()
    plan = plan_in(stage.join(PATIENT, PT))
    assert plan is not None
    assert plan.routes is not None
    assert plan.routes[PATIENT] == ()
    assert all(source != PATIENT for pairs in plan.routes.values() for source, _ in pairs)
    assert plan.peers[PATIENT].private, "not recorded either"
    assert plan.peers[PATIENT].aside, "never has the floor"
    shown = person(stage, REFERRING, PATIENT)
    assert (shown.present, shown.out, shown.waits) == (True, True, True)
    assert person(stage, PATIENT, PATIENT).waits, "their own page knows that they wait"


def test_who_waits_is_told_who_is_there_and_nothing_of_what_happens_inside() -> None:
    stage = live()
    stage.join(PATIENT, PT)
    before = seen(stage, PATIENT)
    assert [(one.id, one.name, one.present) for one in before.participants] == [
        (facts.id, facts.name, True) for facts in seats().seats
    ]
    assert before.chair is None
    sent: set[str] = set()
    for event in (
        ev.MediaChanged(REFERRING, LP, False, False, True),
        ev.QualityReported(REFERRING, LP, "poor"),
        ev.PauseAsked(CONSULTING, CHAIR, "private_talk"),
        ev.ConsentChanged(REFERRING, "declined", None),
        ie.ModeChosen(CONSULTING, CHAIR, "simultaneous"),
        ie.FloorGiven(CONSULTING, CHAIR, REFERRING),
        ie.TurnTaken(1, REFERRING, 5),
        ie.Signalled(INTERPRETER, IN, "own_words"),
    ):
        stage.on(event)
        assert stage.code() is None, event
        sent |= {command.event for command in stage.all(cm.Send) if command.socket == PT}
    assert sent == set()
    assert replace_version(seen(stage, PATIENT), before.version) == before
    stage.passes(1_000)
    light = stage.sent("recording")[PT]
    assert light.wire() == {
        "state": "off",
        "stored_until_ms": None,
        "degraded": [],
        "waits_for": None,
        "paused": None,
    }


def replace_version(snapshot: Snapshot, version: int) -> Snapshot:
    return snapshot.model_copy(update={"version": version})


@pytest.mark.parametrize("who", [CONSULTING, REFERRING])
def test_the_chair_or_the_referring_physician_lets_them_in_at_once(who: str) -> None:
    stage = live()
    stage.join(PATIENT, PT)
    stage.on(ie.Stepped(who, f"s-{who}", PATIENT, False))
    plan = plan_in(stage.commands)
    assert plan is not None
    assert plan.routes is None, "consecutive: everyone hears everyone"
    assert notes(stage) == [("prebrief:off", None), ("step_in", PATIENT)]
    assert not person(stage, PATIENT, PATIENT).waits
    assert person(stage, PATIENT, REFERRING).mic, "what was hidden is shown"


def test_nobody_else_lets_a_patient_in_and_least_of_all_the_patient() -> None:
    stage = live()
    stage.join(PATIENT, PT)
    for who in (INTERPRETER, PATIENT):
        stage.on(ie.Stepped(who, f"s-{who}", PATIENT, False))
        assert stage.code() == "forbidden"
    stage.on(ev.Left(PATIENT, PT))
    stage.join(PATIENT, PT)
    assert of(stage, PATIENT).waits, "leaving and coming again is no way in"
    stage.on(ev.SocketLost(PATIENT, PT))
    stage.join(PATIENT, "s-again", resume=stage.connection(PATIENT))
    assert of(stage, PATIENT).waits


def test_who_was_in_and_is_stepped_out_sees_the_room_as_before_and_is_no_prebrief() -> None:
    stage = live()
    stage.join(PATIENT, PT)
    stage.on(ie.Stepped(REFERRING, LP, PATIENT, False))
    stage.on(ie.Stepped(REFERRING, LP, PATIENT, True))
    assert notes(stage) == [("step_out", PATIENT)]
    shown = person(stage, PATIENT, PATIENT)
    assert (shown.out, shown.waits) == (True, False)


def test_an_interpreter_told_to_wait_before_they_come_is_no_prebrief_but_waits_alike() -> None:
    stage = live(CONSULTING, REFERRING, PATIENT)
    stage.on(ie.Stepped(REFERRING, LP, PATIENT, False))
    stage.on(ie.Stepped(CONSULTING, CHAIR, INTERPRETER, True))
    stage.join(INTERPRETER, IN)
    assert person(stage, INTERPRETER, INTERPRETER).waits
    assert seen(stage, INTERPRETER).interpretation.active is None
    assert notes(stage) == [("joined", INTERPRETER)]


def test_who_waits_alone_begins_no_session_and_the_first_professional_does() -> None:
    stage = empty()
    stage.join(PATIENT, PT)
    assert stage.all(cm.OpenSession) == []
    assert [command for command in stage.seconds(60) if isinstance(command, cm.OpenSession)] == []
    assert of(stage, PATIENT).present
    stage.join(REFERRING, LP)
    assert len(stage.all(cm.OpenSession)) == 1
    stage.on(ev.SessionOpened(SessionRef("session-1", 1, stage.now)))
    plan = plan_in(stage.commands)
    assert plan is not None
    assert set(plan.peers) == {PATIENT, REFERRING}, "connected at once, so that letting in takes no time"


# --- the time line ----------------------------------------------------------------------------------------


def test_the_prebrief_is_on_the_time_line_from_the_first_professional_to_the_patients_coming_in() -> None:
    stage = empty()
    stage.join(CONSULTING, CHAIR)
    stage.on(ev.SessionOpened(SessionRef("session-1", 1, stage.now)))
    assert ("prebrief:on", None) in notes(stage)
    assert ("step_out", PATIENT) in notes(stage)
    stage.join(PATIENT, PT)
    stage.on(ie.Stepped(CONSULTING, CHAIR, PATIENT, False))
    assert ("prebrief:off", None) in notes(stage)
    stage.on(ev.Left(CONSULTING, CHAIR))
    assert notes(stage) == [("left", CONSULTING)]


def test_a_prebrief_ends_with_the_session_and_when_the_professionals_leave() -> None:
    stage = live(CONSULTING, INTERPRETER)
    stage.on(ev.Left(INTERPRETER, IN))
    assert notes(stage)[:1] == [("left", INTERPRETER)]
    assert ("prebrief:off", None) not in notes(stage)
    stage.on(ev.Left(CONSULTING, CHAIR))
    assert ("prebrief:off", None) in notes(stage)
    stage.join(CONSULTING, CHAIR)
    assert ("prebrief:on", None) in notes(stage)
    stage.on(ev.EndAsked(CONSULTING, CHAIR))
    stage.on(ev.EpochClosed(stage.document.epoch))
    assert ("prebrief:off", None) in notes(stage)


def test_a_patient_who_sits_beside_the_physician_need_not_be_waited_for() -> None:
    stage = live()
    stage.on(ie.Stepped(REFERRING, LP, PATIENT, False))
    assert notes(stage) == [("prebrief:off", None), ("step_in", PATIENT)]
    stage.join(PATIENT, PT)
    assert not of(stage, PATIENT).out


def test_a_room_without_a_patients_seat_has_no_prebrief() -> None:
    without = RoomSeed(tuple(facts for facts in seats().seats if not facts.waits))
    stage = Stage(seed=without).live(*TEAM)
    assert not [what for what, _ in notes(stage) if what.startswith("prebrief")]


# --- outside, nobody acts on the room ----------------------------------------------------------------------

DESK = {
    "mode": lambda s, k: ie.ModeChosen(s, k, "simultaneous"),
    "direction": lambda s, k: ie.DirectionChosen(s, k, "ru", "ko"),
    "floor": lambda s, k: ie.FloorGiven(s, k, REFERRING),
    "listen": lambda s, k: ie.ListenChosen(s, k, REFERRING),
    "signal": lambda s, k: ie.Signalled(s, k, "slower"),
    "handover": lambda s, k: ie.HandoverStepped(s, k, "request"),
    "mute_passive": lambda s, k: ie.PassiveMuted(s, k),
    "partner": lambda s, k: ie.PartnerLine(s, k, True),
    "partner_text": lambda s, k: ie.PartnerTold(s, k, "synthetic"),
}


@pytest.mark.parametrize("event", sorted(DESK))
def test_an_interpreter_who_has_stepped_out_is_refused_at_the_desk(event: str) -> None:
    stage = live()
    stage.on(ie.Stepped(CONSULTING, CHAIR, INTERPRETER, True))
    before = stage.document
    stage.on(DESK[event](INTERPRETER, IN))
    assert (stage.code(), stage.document) == ("stepped_out", before)
    stage.on(DESK[event](INTERPRETER, "s-other"))
    assert stage.code() == "not_joined"


@pytest.mark.parametrize("event", ["mode", "floor"])
def test_a_chair_who_has_stepped_out_switches_nothing_but_may_end_and_come_back(event: str) -> None:
    stage = live()
    stage.on(ie.Stepped(CONSULTING, CHAIR, CONSULTING, True))
    stage.on(DESK[event](CONSULTING, CHAIR))
    assert stage.code() == "stepped_out"
    stage.on(ev.PauseAsked(CONSULTING, CHAIR, "other"))
    assert stage.code() is None
    stage.on(ie.Stepped(CONSULTING, CHAIR, CONSULTING, False))
    assert stage.code() is None
    stage.on(DESK[event](CONSULTING, CHAIR))
    assert stage.code() is None


def test_what_one_hears_is_chosen_outside_too_and_the_partner_key_may_be_let_go() -> None:
    stage = live()
    stage.on(ie.Stepped(CONSULTING, CHAIR, INTERPRETER, True))
    for event in (ie.HearingChosen(INTERPRETER, IN, "both"), ie.PartnerLine(INTERPRETER, IN, False)):
        stage.on(event)
        assert stage.code() is None


# --- after a restart --------------------------------------------------------------------------------------


def again(**told: object) -> Stage:
    """A room whose memory is gone, and what the time line says of its session."""
    stage = empty()
    for one in (*TEAM, PATIENT):
        stage.join(one, f"s-{one}")
    stage.on(ev.SessionOpened(SessionRef("session-1", 2, stage.now, **told)))  # type: ignore[arg-type]
    return stage


def test_directions_and_what_each_chose_to_hear_outlive_the_rooms_memory() -> None:
    stage = again(
        mode="simultaneous",
        directions={INTERPRETER: ("ko", "ru")},
        hearing={CONSULTING: "both", REFERRING: "original"},
        listens={INTERPRETER: CONSULTING, REFERRING: CONSULTING},
    )
    assert (of(stage, INTERPRETER).listens, of(stage, REFERRING).listens) == (CONSULTING, None)
    assert of(again(listens={INTERPRETER: "seat-unknown"}), INTERPRETER).listens is None
    assert of(stage, INTERPRETER).direction == Direction("ko", "ru")
    assert (of(stage, CONSULTING).hearing, of(stage, REFERRING).hearing) == ("both", "original")
    plan = plan_in(stage.commands)
    assert plan is not None
    assert plan.routes is not None
    assert (CONSULTING, "audio") in plan.routes[REFERRING], "they chose the original"


@pytest.mark.parametrize("way", [("ko", "kk"), ("en", "ru")])
def test_a_direction_between_languages_the_interpreter_no_longer_speaks_is_not_put_back(
    way: tuple[str, str],
) -> None:
    assert of(again(directions={INTERPRETER: way}), INTERPRETER).direction is None


def test_what_was_chosen_since_the_restart_counts_more_than_what_the_time_line_says() -> None:
    stage = empty()
    for one in TEAM:
        stage.join(one, f"s-{one}")
    stage.on(ie.HearingChosen(CONSULTING, CHAIR, "interpreted"))
    stage.on(ie.DirectionChosen(INTERPRETER, IN, "ru", "ko"))
    told = {CONSULTING: "both"}
    ref = SessionRef("session-1", 2, stage.now, hearing=told, directions={INTERPRETER: ("ko", "ru")})  # type: ignore[arg-type]
    stage.on(ev.SessionOpened(ref))
    assert of(stage, CONSULTING).hearing == "interpreted"
    assert of(stage, INTERPRETER).direction == Direction("ru", "ko")


def test_a_patient_who_had_been_let_in_does_not_wait_again_and_one_who_waited_does() -> None:
    assert not of(again(let_in=frozenset({PATIENT})), PATIENT).out
    waits = of(again(out=frozenset({PATIENT})), PATIENT)
    assert (waits.out, waits.waits) == (True, True)
    assert of(again(), PATIENT).waits, "nothing was said of them: they wait"


def test_a_patient_who_was_in_and_had_stepped_out_is_out_and_not_before_the_door() -> None:
    stepped = of(again(out=frozenset({PATIENT}), let_in=frozenset({PATIENT})), PATIENT)
    assert (stepped.out, stepped.waits) == (True, False)


def test_a_worker_that_is_lost_takes_no_choice_with_it() -> None:
    stage = live()
    stage.join(PATIENT, PT)
    stage.on(ie.ModeChosen(CONSULTING, CHAIR, "simultaneous"))
    stage.on(ie.DirectionChosen(INTERPRETER, IN, "ko", "ru"))
    stage.on(ie.HearingChosen(CONSULTING, CHAIR, "both"))
    stage.on(ev.MediaLost(1))
    stage.on(ev.EpochGranted("session-1", 2))
    assert of(stage, INTERPRETER).direction == Direction("ko", "ru")
    assert of(stage, CONSULTING).hearing == "both"
    assert of(stage, PATIENT).waits
    assert stage.document.interpretation.mode == "simultaneous"
    plan = plan_in(stage.commands)
    assert plan is not None
    assert plan.routes is not None
    assert plan.routes[PATIENT] == ()


def test_a_document_of_a_server_that_knew_no_waiting_is_read() -> None:
    document = live().document
    told = json.loads(to_json(document))
    for entry in told["seats"]:
        del entry["waits"], entry["facts"]["waits"]
    read = from_json(json.dumps(told))
    assert not any(one.waits or one.facts.waits for one in read.seats)


def test_a_pause_is_told_to_who_is_let_in() -> None:
    stage = live()
    stage.join(PATIENT, PT)
    stage.on(ev.PauseAsked(CONSULTING, CHAIR, "examination"))
    assert seen(stage, PATIENT).pause is None
    stage.on(ie.Stepped(CONSULTING, CHAIR, PATIENT, False))
    assert stage.document.pause == Pause(CONSULTING, "examination", stage.now)
    pause = seen(stage, PATIENT).pause
    assert pause is not None
    assert pause.reason == "examination"
