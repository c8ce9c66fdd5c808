"""The interpreter's seat as transcripts of a room: who may, who renders, what is told to whom."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from server.domain.permissions import abilities, chaired
from signaling import commands as cm
from signaling import events as ev
from signaling import interpreting_events as ie
from signaling.document import from_json, to_json
from signaling.interpretation import Direction, Interpretation
from signaling.ports import RoomSeed, SessionRef
from signaling.wire_interpreting import PartnerSaid, Signalled, Turn
from signaling.wire_snapshot import Participant, Snapshot
from tests.support.rooms import CONSULTING, INTERPRETER, REFERRING, seat
from tests.support.stage import Stage, plan_in

SECOND, PATIENT = "seat-interpreter-2", "seat-patient-1"
CHAIR, LP, IN, IN2, PT = (f"s-{one}" for one in (CONSULTING, REFERRING, INTERPRETER, SECOND, PATIENT))


def seats() -> RoomSeed:
    """The programme's own table of who may; a Russian patient, two interpreters."""
    made = []
    for seat_id, role, language, rank in (
        (REFERRING, "referring_physician", "ru", 2),
        (CONSULTING, "consulting_physician", "ko", 1),
        (INTERPRETER, "interpreter", "ru/ko", None),
        (SECOND, "interpreter", "ru/ko", None),
        (PATIENT, "patient", "ru", None),
    ):
        may = set(abilities(role, verified=True)) or {"join"}
        made.append(replace(seat(seat_id, role, may, rank), language=language, chaired=chaired(role)))
    return RoomSeed(seats=tuple(made))


def live(*here: str) -> Stage:
    """These are in, connected and heard."""
    stage = Stage(seed=seats()).live(*(here or (CONSULTING, REFERRING, INTERPRETER)))
    for one in here or (CONSULTING, REFERRING, INTERPRETER):
        connected(stage, one)
    return stage


def connected(stage: Stage, seat_id: str, state: str = "connected") -> None:
    stage.on(ev.PeerChanged(stage.document.epoch, seat_id, stage.connection(seat_id) or "", state))


def seen(stage: Stage, by: str) -> Snapshot:
    from signaling.view import snapshot_of

    found = stage.document.seat(by)
    assert found is not None
    return snapshot_of(stage.document, found)


def person(stage: Stage, by: str, of: str) -> Participant:
    return next(one for one in seen(stage, by).participants if one.id == of)


def notes(stage: Stage) -> list[tuple[str, str | None]]:
    return [(note.what, note.seat) for note in stage.all(cm.Note)]


def simultaneous(stage: Stage) -> Stage:
    stage.on(ie.ModeChosen(INTERPRETER, IN, "simultaneous"))
    return stage


# --- who may ----------------------------------------------------------------------------------------------

PAGE_EVENTS = {
    "mode": lambda s, k: ie.ModeChosen(s, k, "simultaneous"),
    "direction": lambda s, k: ie.DirectionChosen(s, k, "ru", "ko"),
    "floor": lambda s, k: ie.FloorGiven(s, k, REFERRING),
    "listen": lambda s, k: ie.ListenChosen(s, k, REFERRING),
    "signal": lambda s, k: ie.Signalled(s, k, "slower"),
    "handover": lambda s, k: ie.HandoverStepped(s, k, "request"),
    "mute_passive": lambda s, k: ie.PassiveMuted(s, k),
    "partner": lambda s, k: ie.PartnerLine(s, k, True),
    "partner_text": lambda s, k: ie.PartnerTold(s, k, "synthetic"),
    "step": lambda s, k: ie.Stepped(s, k, PATIENT, True),
    "hearing": lambda s, k: ie.HearingChosen(s, k, "both"),
}
EVERYONE = (CONSULTING, REFERRING, INTERPRETER, SECOND, PATIENT)
MAY = {
    "mode": {CONSULTING, INTERPRETER, SECOND},
    "floor": {CONSULTING, INTERPRETER, SECOND},
    "step": {CONSULTING, REFERRING},
    "hearing": set(EVERYONE),
    "mute_passive": {INTERPRETER},
}


@pytest.mark.parametrize("event", sorted(PAGE_EVENTS))
def test_who_may_not_is_refused_and_nothing_changes(event: str) -> None:
    for who in EVERYONE:
        stage = live(*EVERYONE)
        before = stage.document
        stage.on(PAGE_EVENTS[event](who, f"s-{who}"))
        if who in MAY.get(event, {INTERPRETER, SECOND}):
            assert stage.code() is None, (event, who)
        else:
            assert stage.code() in ("forbidden", "not_active"), (event, who)
            assert stage.document == before


def test_a_referring_physician_who_chairs_may_what_the_chair_may() -> None:
    stage = live(REFERRING, INTERPRETER)
    stage.on(ie.ModeChosen(REFERRING, LP, "simultaneous"))
    assert (stage.code(), stage.document.interpretation.mode) == (None, "simultaneous")


@pytest.mark.parametrize("event", sorted(PAGE_EVENTS))
def test_a_page_that_has_not_joined_is_refused(event: str) -> None:
    stage = live()
    stage.on(PAGE_EVENTS[event](INTERPRETER, "s-nobody"))
    assert stage.code() == "not_joined"


# --- modes, directions, routes ----------------------------------------------------------------------------


def test_a_change_of_mode_reaches_media_pages_and_the_time_line_at_once() -> None:
    stage = simultaneous(live())
    plan = plan_in(stage.commands)
    assert plan is not None
    assert plan.routes is not None
    assert (REFERRING, "audio") not in plan.routes[CONSULTING]
    assert (INTERPRETER, "audio") in plan.routes[CONSULTING]
    assert (INTERPRETER, "audio") not in plan.routes[REFERRING]
    assert set(stage.sent("snapshot")) == {CHAIR, LP, IN}
    assert notes(stage) == [("mode:simultaneous", None), ("direction:ru>ko", INTERPRETER)]
    assert seen(stage, CONSULTING).you.levels == {REFERRING: "off", INTERPRETER: "front"}
    stage.on(ie.ModeChosen(CONSULTING, CHAIR, "consecutive"))
    plan = plan_in(stage.commands)
    assert plan is not None
    assert plan.routes is None


def test_the_direction_is_one_word_and_only_between_languages_the_interpreter_speaks() -> None:
    stage = simultaneous(live())
    stage.on(ie.DirectionChosen(INTERPRETER, IN, "ko", "ru"))
    assert seen(stage, REFERRING).you.levels == {CONSULTING: "off", INTERPRETER: "front"}
    shown = seen(stage, REFERRING).interpretation.direction
    assert shown is not None
    assert (shown.source, shown.target) == ("ko", "ru")
    for source, target in (("ko", "ko"), ("en", "ko"), ("ko", "kk")):
        stage.on(ie.DirectionChosen(INTERPRETER, IN, source, target))
        assert stage.code() == "bad_direction"


def test_what_one_chooses_to_hear_is_ones_own_and_stays_over_a_reload() -> None:
    stage = simultaneous(live())
    stage.on(ie.HearingChosen(CONSULTING, CHAIR, "both"))
    assert seen(stage, CONSULTING).you.levels[REFERRING] == "behind"
    stage.join(CONSULTING, "s-again")
    snapshot = seen(stage, CONSULTING)
    assert snapshot.you.levels[REFERRING] == "behind"
    assert person(stage, REFERRING, CONSULTING).hearing == "both"
    assert person(stage, REFERRING, REFERRING).hearing == "interpreted"


def test_a_late_joiner_finds_mode_direction_and_levels_as_they_are() -> None:
    stage = simultaneous(live())
    stage.join(PATIENT, PT)
    connected(stage, PATIENT)
    snapshot = seen(stage, PATIENT)
    assert snapshot.interpretation.mode == "simultaneous"
    assert snapshot.you.levels == {REFERRING: "front", CONSULTING: "front", INTERPRETER: "off"}
    plan = plan_in(stage.join(PATIENT, "s-reloaded"))
    assert plan is not None
    assert plan.routes is not None
    assert plan.routes[PATIENT] == stage_routes(stage)[PATIENT]


def test_an_interpreter_who_comes_later_begins_into_the_chairs_language() -> None:
    stage = live(CONSULTING, REFERRING)
    stage.on(ie.ModeChosen(CONSULTING, CHAIR, "simultaneous"))
    assert seen(stage, CONSULTING).interpretation.fallback
    stage.join(INTERPRETER, IN)
    assert ("direction:ru>ko", INTERPRETER) in notes(stage)
    connected(stage, INTERPRETER)
    assert not seen(stage, CONSULTING).interpretation.fallback
    assert seen(stage, CONSULTING).you.levels == {REFERRING: "off", INTERPRETER: "front"}
    stage.on(ie.DirectionChosen(INTERPRETER, IN, "ko", "ru"))
    stage.on(ev.Left(INTERPRETER, IN))
    stage.join(INTERPRETER, IN)
    assert stage.document.seat(INTERPRETER).direction == Direction("ko", "ru"), "what was set stays"  # type: ignore[union-attr]


@pytest.mark.parametrize("before_the_books", [True, False])
def test_an_interpreter_has_a_direction_after_a_restart_in_simultaneous_mode(before_the_books: bool) -> None:
    stage = Stage(seed=seats())
    stage.join(CONSULTING, CHAIR)
    if before_the_books:
        stage.join(INTERPRETER, IN)
    stage.on(ev.SessionOpened(SessionRef("session-1", 2, stage.now, mode="simultaneous")))
    if not before_the_books:
        stage.join(INTERPRETER, IN)
    assert stage.document.seat(INTERPRETER).direction == Direction("ru", "ko")  # type: ignore[union-attr]


def test_an_interpreter_of_one_language_renders_nothing_and_the_pages_say_so() -> None:
    seed = seats()
    facts = [replace(one, language="ru") if one.id == INTERPRETER else one for one in seed.seats]
    stage = Stage(seed=RoomSeed(seats=tuple(facts))).live(CONSULTING, REFERRING, INTERPRETER)
    connected(stage, INTERPRETER)
    simultaneous(stage)
    snapshot = seen(stage, CONSULTING)
    assert snapshot.interpretation.fallback
    assert snapshot.you.levels == {REFERRING: "front", INTERPRETER: "front"}
    assert ("fallback:on", None) in notes(stage)


def stage_routes(stage: Stage) -> dict[str, tuple[tuple[str, str], ...]]:
    from signaling.voices import routes_of

    found = routes_of(stage.document)
    assert found is not None
    return found


def test_an_interpreter_who_drops_is_announced_and_the_original_heard_again_and_back() -> None:
    stage = simultaneous(live())
    for lost, back in (
        (ev.SocketLost(INTERPRETER, IN), None),
        (ev.PeerChanged(1, INTERPRETER, stage.connection(INTERPRETER) or "", "disconnected"), "connected"),
    ):
        stage.on(lost)
        snapshot = stage.sent("snapshot")[CHAIR]
        assert isinstance(snapshot, Snapshot)
        assert snapshot.interpretation.fallback
        assert snapshot.you.levels[REFERRING] == "front"
        plan = plan_in(stage.commands)
        assert plan is None or plan.routes is None or (REFERRING, "audio") in plan.routes[CONSULTING]
        assert ("fallback:on", None) in notes(stage)
        if back is None:
            stage.join(INTERPRETER, IN, resume=stage.connection(INTERPRETER))
        else:
            connected(stage, INTERPRETER)
        assert not seen(stage, CONSULTING).interpretation.fallback
        assert ("fallback:off", None) in notes(stage)


def test_an_interpreter_listens_to_whom_they_chose() -> None:
    stage = simultaneous(live(CONSULTING, REFERRING, INTERPRETER, SECOND))
    stage.on(ie.ListenChosen(SECOND, IN2, INTERPRETER))
    assert seen(stage, SECOND).you.levels == {REFERRING: "off", CONSULTING: "off", INTERPRETER: "front"}
    assert seen(stage, SECOND).you.listening == INTERPRETER
    for wrong in (SECOND, "seat-unknown"):
        stage.on(ie.ListenChosen(SECOND, IN2, wrong))
        assert stage.code() == "unknown_participant"
    stage.on(ie.ListenChosen(SECOND, IN2, None))
    assert seen(stage, SECOND).you.levels[REFERRING] == "front"


# --- two interpreters -------------------------------------------------------------------------------------


def test_a_hand_over_is_asked_accepted_and_the_old_one_is_heard_no_more() -> None:
    stage = simultaneous(live(CONSULTING, REFERRING, INTERPRETER, SECOND))
    assert stage.document.interpretation.active == INTERPRETER
    assert seen(stage, CONSULTING).interpretation.both_open is True
    stage.on(ie.HandoverStepped(SECOND, IN2, "accept"))
    assert stage.code() == "no_handover"
    stage.on(ie.HandoverStepped(INTERPRETER, IN, "request"))
    asked = seen(stage, SECOND).interpretation.handover
    assert asked is not None
    assert (asked.by, asked.since_ms) == (INTERPRETER, stage.now)
    stage.on(ie.HandoverStepped(INTERPRETER, IN, "accept"))
    assert stage.code() == "no_handover", "nobody accepts for another"
    stage.on(ie.HandoverStepped(SECOND, IN2, "accept"))
    state = seen(stage, CONSULTING).interpretation
    assert (state.active, state.muted, state.handover, state.both_open) == (SECOND, INTERPRETER, None, False)
    assert stage.document.seat(SECOND).direction == Direction("ru", "ko")  # type: ignore[union-attr]
    assert seen(stage, CONSULTING).you.levels == {REFERRING: "off", INTERPRETER: "off", SECOND: "front"}
    assert notes(stage) == [("renders", SECOND), ("silenced", INTERPRETER)]
    plan = plan_in(stage.commands)
    assert plan is not None
    assert plan.peers[INTERPRETER].aside
    handed = stage.document
    for who, where in ((SECOND, IN2), (INTERPRETER, IN)):  # the same word once more, and the other's
        stage.on(ie.HandoverStepped(who, where, "accept"))
        assert (stage.code(), stage.document) == ("no_handover", handed)


def test_a_hand_over_may_be_taken_back_and_asked_by_the_one_who_rests() -> None:
    stage = live(CONSULTING, INTERPRETER, SECOND)
    stage.on(ie.HandoverStepped(SECOND, IN2, "request"))
    stage.on(ie.HandoverStepped(SECOND, IN2, "cancel"))
    assert stage.document.interpretation.handover is None
    stage.on(ie.HandoverStepped(SECOND, IN2, "request"))
    stage.on(ie.HandoverStepped(INTERPRETER, IN, "accept"))
    assert stage.document.interpretation.active == SECOND


def test_who_renders_and_is_gone_need_not_be_asked() -> None:
    stage = simultaneous(live(CONSULTING, REFERRING, INTERPRETER, SECOND))
    stage.on(ie.PassiveMuted(INTERPRETER, IN))
    stage.on(ev.SocketLost(INTERPRETER, IN))
    assert seen(stage, CONSULTING).interpretation.fallback, "the silenced one does not speak by itself"
    stage.on(ie.HandoverStepped(SECOND, IN2, "request"))
    state = stage.document.interpretation
    assert (state.active, state.muted) == (SECOND, INTERPRETER)
    assert not seen(stage, CONSULTING).interpretation.fallback


def test_the_interpreter_who_stays_renders_when_the_other_has_left() -> None:
    stage = simultaneous(live(CONSULTING, REFERRING, INTERPRETER, SECOND))
    stage.on(ie.PassiveMuted(INTERPRETER, IN))
    stage.on(ie.HandoverStepped(SECOND, IN2, "request"))
    stage.on(ev.Left(INTERPRETER, IN))
    state = stage.document.interpretation
    assert (state.active, state.muted, state.handover) == (SECOND, None, None)
    assert ("unsilenced", SECOND) in notes(stage)


def test_only_who_renders_silences_the_other_and_there_must_be_one() -> None:
    stage = live(CONSULTING, INTERPRETER)
    for event in (
        ie.PassiveMuted(INTERPRETER, IN),
        ie.HandoverStepped(INTERPRETER, IN, "request"),
        ie.PartnerLine(INTERPRETER, IN, True),
        ie.PartnerTold(INTERPRETER, IN, "synthetic"),
    ):
        stage.on(event)
        assert stage.code() == "no_partner"
    stage.join(SECOND, IN2)
    stage.on(ie.PassiveMuted(SECOND, IN2))
    assert stage.code() == "not_active"
    stage.on(ie.PassiveMuted(INTERPRETER, IN))
    assert stage.document.interpretation.muted == SECOND


def test_the_partner_line_goes_to_the_fellow_only_and_only_interpreters_know() -> None:
    stage = live(CONSULTING, REFERRING, INTERPRETER, SECOND)
    stage.on(ie.PartnerLine(SECOND, IN2, True))
    plan = plan_in(stage.commands)
    assert plan is not None
    assert plan.routes is not None
    assert plan.peers[SECOND].private
    hearing = {one for one, pairs in plan.routes.items() if (SECOND, "audio") in pairs}
    assert hearing == {INTERPRETER}
    assert plan.peers[SECOND].aside
    assert person(stage, INTERPRETER, SECOND).partner is True
    assert person(stage, CONSULTING, SECOND).partner is None
    stage.on(ie.PartnerTold(INTERPRETER, IN, "synthetic"))
    said = stage.sent("partner_text")
    assert set(said) == {IN, IN2}
    assert said[IN2] == PartnerSaid(by=INTERPRETER, text="synthetic", at_ms=stage.now)
    assert notes(stage) == []
    assert "synthetic" not in repr(stage.commands)
    stage.on(ie.PartnerTold(INTERPRETER, IN, ""))
    assert stage.commands == [cm.Refused("chat_empty")]
    stage.on(ev.Left(INTERPRETER, IN))
    assert stage.document.seat(SECOND).partner, "it is not let out to all"  # type: ignore[union-attr]


@pytest.mark.parametrize("out", [INTERPRETER, SECOND])
def test_an_interpreter_who_has_stepped_out_is_no_fellow_and_does_nothing_to_one(out: str) -> None:
    stage = live(CONSULTING, REFERRING, INTERPRETER, SECOND)
    stage.on(ie.Stepped(CONSULTING, CHAIR, out, True))
    before = stage.document
    for who in (INTERPRETER, SECOND):
        for event in ("partner", "partner_text", "handover"):
            stage.on(PAGE_EVENTS[event](who, f"s-{who}"))
            assert stage.code() == ("stepped_out" if who == out else "no_partner"), (event, who)
        stage.on(ie.PassiveMuted(who, f"s-{who}"))
        assert stage.code() == ("stepped_out" if who == out else "no_partner")
        stage.on(ie.PartnerLine(who, f"s-{who}", False))
        assert stage.code() is None, "off is always off"
    assert stage.document == before


def test_the_partner_line_stays_on_when_the_fellow_steps_out() -> None:
    stage = live(CONSULTING, INTERPRETER, SECOND)
    stage.on(ie.PartnerLine(SECOND, IN2, True))
    stage.on(ie.Stepped(CONSULTING, CHAIR, INTERPRETER, True))
    assert stage.document.seat(SECOND).partner  # type: ignore[union-attr]
    assert stage.document.interpretation.active == SECOND


def test_of_three_interpreters_the_two_who_are_inside_are_fellows() -> None:
    third = "seat-interpreter-3"
    facts = replace(next(one for one in seats().seats if one.id == SECOND), id=third)
    stage = Stage(seed=RoomSeed(seats=(*seats().seats, facts))).live(CONSULTING, INTERPRETER, SECOND, third)
    for who in (CONSULTING, INTERPRETER, SECOND, third):
        connected(stage, who)
    stage.on(ie.HandoverStepped(INTERPRETER, IN, "request"))
    stage.on(ie.Stepped(CONSULTING, CHAIR, SECOND, True))
    for step in ("accept", "cancel"):
        stage.on(ie.HandoverStepped(SECOND, IN2, step))
        assert stage.code() == "stepped_out"
    assert stage.document.interpretation.handover is not None
    stage.on(ie.PassiveMuted(INTERPRETER, IN))
    assert stage.document.interpretation.muted == third
    stage.on(ie.PartnerTold(INTERPRETER, IN, "synthetic"))
    assert set(stage.sent("partner_text")) == {IN, f"s-{third}"}
    stage.on(ev.SocketLost(INTERPRETER, IN))
    stage.on(ie.HandoverStepped(SECOND, IN2, "request"))
    assert stage.code() == "stepped_out", "who is out takes nothing over"
    stage.on(ie.HandoverStepped(third, f"s-{third}", "request"))
    assert stage.document.interpretation.active == third


# --- signals and turns ------------------------------------------------------------------------------------


def test_a_signal_goes_to_whoever_has_the_floor_and_own_words_to_all() -> None:
    stage = live()
    stage.on(ie.TurnTaken(1, REFERRING, 5))
    stage.on(ie.Signalled(INTERPRETER, IN, "slower"))
    sent = stage.sent("signal")
    assert set(sent) == {LP, IN}
    assert sent[LP] == Signalled(by=INTERPRETER, kind="slower", at_ms=stage.now)
    assert notes(stage) == [("signal:slower", INTERPRETER)]
    stage.on(ie.Signalled(INTERPRETER, IN, "own_words"))
    assert set(stage.sent("signal")) == {CHAIR, LP, IN}
    stage.on(ie.TurnTaken(1, None, 6))
    stage.on(ie.Signalled(INTERPRETER, IN, "repeat"))
    assert set(stage.sent("signal")) == {CHAIR, LP, IN}


def test_a_turn_is_told_by_its_own_message_and_by_no_snapshot() -> None:
    stage = live()
    stage.on(ie.TurnTaken(1, REFERRING, 1_234))
    turns = stage.sent("turn")
    assert turns == dict.fromkeys((CHAIR, LP, IN), Turn(floor=REFERRING, at_ms=1_234))
    assert stage.sent("snapshot") == {}
    assert plan_in(stage.commands) is None
    assert notes(stage) == [("floor:voice", REFERRING)]
    stage.on(ie.TurnTaken(1, REFERRING, 1_300))
    assert stage.commands == []
    assert seen(stage, CONSULTING).interpretation.floor == REFERRING


def test_who_has_stepped_out_is_told_no_signal_and_no_turn_and_signals_to_nobody() -> None:
    stage = live(CONSULTING, REFERRING, INTERPRETER, SECOND)
    for out in (REFERRING, SECOND):
        stage.on(ie.Stepped(CONSULTING, CHAIR, out, True))
    for kind in ("own_words", "repeat"):
        stage.on(ie.Signalled(INTERPRETER, IN, kind))
        assert set(stage.sent("signal")) == {CHAIR, IN}
    stage.on(ie.FloorGiven(INTERPRETER, IN, CONSULTING))
    assert set(stage.sent("turn")) == {CHAIR, IN}
    stage.on(ie.Signalled(INTERPRETER, IN, "slower"))
    assert set(stage.sent("signal")) == {CHAIR, IN}, "the floor and fellows"
    stage.on(ie.FloorGiven(CONSULTING, CHAIR, None))
    stage.on(ie.TurnTaken(1, INTERPRETER, 5))
    assert set(stage.sent("turn")) == {CHAIR, IN}
    stage.on(ie.Signalled(SECOND, IN2, "own_words"))
    assert (stage.code(), stage.sent("signal"), notes(stage)) == ("stepped_out", {}, [])
    stage.on(ie.Stepped(CONSULTING, CHAIR, REFERRING, False))
    told = stage.sent("snapshot")[LP]
    assert isinstance(told, Snapshot)
    assert told.interpretation.floor == INTERPRETER, "who comes back finds it"


def test_the_floor_is_not_given_to_one_who_has_stepped_out() -> None:
    stage = live()
    stage.on(ie.Stepped(CONSULTING, CHAIR, REFERRING, True))
    stage.on(ie.FloorGiven(INTERPRETER, IN, REFERRING))
    assert (stage.code(), stage.sent("turn")) == ("unknown_participant", {})


def test_the_floor_by_hand_stays_until_it_is_given_back() -> None:
    stage = live()
    stage.on(ie.FloorGiven(INTERPRETER, IN, CONSULTING))
    stage.on(ie.TurnTaken(1, REFERRING, 5))
    state = seen(stage, REFERRING).interpretation
    assert (state.floor, state.floor_by) == (CONSULTING, "hand")
    stage.on(ie.FloorGiven(INTERPRETER, IN, "seat-unknown"))
    assert stage.code() == "unknown_participant"
    stage.on(ie.FloorGiven(CONSULTING, CHAIR, None))
    stage.on(ie.TurnTaken(1, REFERRING, 6))
    assert stage.document.interpretation.floor == REFERRING


def test_a_turn_of_another_epoch_or_of_nobody_here_is_none() -> None:
    stage = live()
    stage.on(ie.TurnTaken(7, REFERRING, 5))
    stage.on(ie.TurnTaken(1, PATIENT, 5))
    assert stage.document.interpretation.floor is None


# --- stepping out -----------------------------------------------------------------------------------------


def test_a_patient_waits_outside_and_comes_in_when_called() -> None:
    stage = live(CONSULTING, REFERRING, INTERPRETER)
    stage.on(ie.Stepped(REFERRING, LP, PATIENT, True))
    assert notes(stage) == [("step_out", PATIENT)]
    plan = plan_in(stage.join(PATIENT, PT))
    assert plan is not None
    assert plan.routes is not None
    assert plan.routes[PATIENT] == ()
    assert all(source != PATIENT for pairs in plan.routes.values() for source, _ in pairs)
    assert plan.peers[PATIENT].aside
    assert plan.peers[PATIENT].private
    assert set(seen(stage, PATIENT).you.levels.values()) == {"off"}
    assert person(stage, CONSULTING, PATIENT).out
    stage.on(ev.Left(PATIENT, PT))
    stage.join(PATIENT, PT)
    assert person(stage, CONSULTING, PATIENT).out, "leaving and coming again is no way in"
    stage.on(ie.Stepped(CONSULTING, CHAIR, PATIENT, False))
    plan = plan_in(stage.commands)
    assert plan is not None
    assert plan.routes is None
    stage.on(ie.Stepped(CONSULTING, CHAIR, "seat-unknown", True))
    assert stage.code() == "unknown_participant"


def test_an_interpreter_who_has_stepped_out_is_told_nothing_and_tells_nothing() -> None:
    stage = live(CONSULTING, INTERPRETER, SECOND, REFERRING)
    stage.on(ie.Stepped(REFERRING, LP, SECOND, True))
    stage.on(ie.TurnTaken(1, CONSULTING, 5))
    assert set(stage.sent("turn")) == {CHAIR, LP, IN}
    stage.on(ie.Signalled(INTERPRETER, IN, "own_words"))
    assert set(stage.sent("signal")) == {CHAIR, LP, IN}
    for event in (
        ie.PartnerTold(INTERPRETER, IN, "synthetic"),
        ie.PartnerLine(INTERPRETER, IN, True),
        ie.HandoverStepped(INTERPRETER, IN, "request"),
        ie.PassiveMuted(INTERPRETER, IN),
    ):
        stage.on(event)
        assert stage.code() == "no_partner"
    for event in (ie.PartnerTold(SECOND, IN2, "synthetic"), ie.Signalled(SECOND, IN2, "own_words")):
        stage.on(event)
        assert (stage.code(), stage.sent("signal"), stage.sent("partner_text")) == ("stepped_out", {}, {})
    stage.on(ie.Stepped(REFERRING, LP, SECOND, False))
    stage.on(ie.PartnerTold(SECOND, IN2, "synthetic"))
    assert set(stage.sent("partner_text")) == {IN, IN2}


def test_who_had_stepped_out_before_a_restart_is_out_after_it() -> None:
    stage = Stage(seed=seats())
    stage.join(CONSULTING, CHAIR)
    stage.join(PATIENT, PT)
    ref = SessionRef("session-1", 2, stage.now, out=frozenset({PATIENT}), mode="simultaneous")
    plan = plan_in(stage.on(ev.SessionOpened(ref)))
    assert plan is not None
    assert plan.routes is not None
    assert plan.routes[PATIENT] == ()
    assert stage.document.interpretation.mode == "simultaneous"


def test_a_session_that_begins_writes_down_how_it_begins() -> None:
    stage = Stage(seed=seats())
    stage.join(CONSULTING, CHAIR)
    stage.join(INTERPRETER, IN)
    stage.on(ie.ModeChosen(CONSULTING, CHAIR, "simultaneous"))
    assert notes(stage) == []
    stage.on(ev.SessionOpened(SessionRef("session-1", 1, stage.now)))
    told = notes(stage)
    assert ("mode:simultaneous", None) in told
    assert ("renders", INTERPRETER) in told


def test_a_document_of_a_server_that_knew_no_interpretation_is_read() -> None:
    document = live().document
    told = json.loads(to_json(document))
    del told["interpretation"]
    for entry in told["seats"]:
        del entry["facts"]["chaired"]
        for name in ("hearing", "out", "direction", "listens", "partner"):
            del entry[name]
    read = from_json(json.dumps(told))
    assert read.interpretation == Interpretation()
    assert [one.id for one in read.seats] == [one.id for one in document.seats]
    assert read.seat(CONSULTING).facts.chaired == {"end", "pause"}  # type: ignore[union-attr]
