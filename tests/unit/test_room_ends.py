"""The room as transcripts: how it empties and ends, consent, knocks, and the recording light."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signaling import commands as cm
from signaling import events as ev
from signaling import messages as ms
from signaling.document import from_json, to_json
from signaling.plan import plan_of
from signaling.ports import SessionRef
from signaling.view import snapshot_of
from tests.support.rooms import CONSULTING, INTERPRETER, REFERRING, knock
from tests.support.stage import Stage, plan_in

# --- empty and over -------------------------------------------------------------------------------------


def test_five_seconds_empty_closes_the_epoch_and_a_return_continues_the_session_in_a_new_one() -> None:
    stage = Stage().live(REFERRING)
    stage.on(ev.Left(REFERRING, f"s-{REFERRING}"))
    commands = stage.seconds(5)
    plan = plan_in(commands)
    assert plan is not None
    assert plan.closed
    assert plan.peers == {}
    assert commands.index(cm.Emptied("session-1")) > commands.index(cm.PutPlan(plan))
    assert cm.OpenSession() in stage.join(REFERRING, "s2")
    stage.on(ev.SessionOpened(SessionRef("session-1", 2, 1)))
    assert stage.connection(REFERRING) == "j2.2.2"


def test_six_hundred_seconds_after_the_last_seat_emptied_the_session_ends() -> None:
    stage = Stage().live(REFERRING)
    stage.on(ev.Left(REFERRING, f"s-{REFERRING}"))
    assert cm.EndSession("session-1", "emptied") not in stage.seconds(599)
    assert cm.EndSession("session-1", "emptied") in stage.seconds(1)
    assert (stage.document.phase, stage.document.session) == ("waiting", None)
    assert stage.document.light.state(stage.now, False) == "off"


def test_the_chair_ends_and_the_pages_go_once_media_has_sealed() -> None:
    stage = Stage().live(REFERRING, CONSULTING)
    stage.on(stored(5_000, REFERRING))
    commands = stage.on(ev.EndAsked(CONSULTING, f"s-{CONSULTING}"))
    plan = plan_in(commands)
    assert plan is not None
    assert plan.closed
    assert cm.EndSession("session-1", "ended") in commands
    assert cm.Emptied("session-1") in commands
    assert stage.all(cm.Close) == []
    stage.on(ev.EndAsked(CONSULTING, f"s-{CONSULTING}"))
    assert stage.code() is None
    stage.join(INTERPRETER, "s3")
    assert stage.code() == "ended"
    assert stage.on(ev.EpochClosed(9)) == []
    stage.on(ev.EpochClosed(1))
    assert stage.all(cm.Close) == [cm.Close(f"s-{REFERRING}", "ended"), cm.Close(f"s-{CONSULTING}", "ended")]
    light = stage.sent("recording")[f"s-{REFERRING}"]
    assert isinstance(light, ms.Recording)
    assert light.state == "sealed"
    assert stage.document.phase == "ended"


def test_the_pages_wait_two_seconds_at_most_for_the_seal() -> None:
    stage = Stage().live(CONSULTING)
    stage.on(ev.EndAsked(CONSULTING, f"s-{CONSULTING}"))
    assert stage.passes(1_000) != []
    assert stage.all(cm.Close) == []
    stage.passes(1_000)
    assert stage.all(cm.Close) == [cm.Close(f"s-{CONSULTING}", "ended")]


def test_an_end_while_media_is_lost_does_not_wait() -> None:
    stage = Stage().live(CONSULTING)
    stage.on(ev.MediaLost())
    commands = stage.on(ev.EndAsked(CONSULTING, f"s-{CONSULTING}"))
    assert cm.Close(f"s-{CONSULTING}", "ended") in commands
    assert plan_in(commands) is None
    assert cm.Emptied("session-1") in commands
    assert stage.on(ev.EpochGranted("session-1", 2)) == []


def test_a_worker_lost_while_sealing_lets_the_pages_go() -> None:
    stage = Stage().live(CONSULTING)
    stage.on(ev.EndAsked(CONSULTING, f"s-{CONSULTING}"))
    stage.on(ev.MediaLost())
    assert stage.all(cm.Close) == [cm.Close(f"s-{CONSULTING}", "ended")]


def test_only_the_chair_may_end_and_the_chair_is_the_least_rank_present() -> None:
    stage = Stage().live(REFERRING, INTERPRETER)
    assert stage.document.chair == REFERRING
    stage.join(CONSULTING, "s2")
    assert stage.document.chair == CONSULTING
    for seat_id in (REFERRING, INTERPRETER):
        stage.on(ev.EndAsked(seat_id, f"s-{seat_id}"))
        assert stage.code() == "forbidden"
    view = snapshot_of(stage.document, stage.document.seat(REFERRING))  # type: ignore[arg-type]
    assert "end" not in view.you.abilities
    stage.on(ev.Left(CONSULTING, "s2"))
    stage.on(ev.EndAsked(REFERRING, f"s-{REFERRING}"))
    assert stage.code() is None


def test_an_end_before_there_is_a_session_gives_a_late_session_back() -> None:
    stage = Stage()
    stage.join(CONSULTING, "s1")
    assert cm.Close("s1", "ended") in stage.on(ev.EndAsked(CONSULTING, "s1"))
    late = stage.on(ev.SessionOpened(SessionRef("session-1", 1, 1)))
    assert late == [cm.EndSession("session-1", "ended")]


def test_a_cancelled_consultation_removes_everybody_and_can_be_cancelled_once() -> None:
    stage = Stage().live(REFERRING)
    assert cm.EndSession("session-1", "cancelled") in stage.on(ev.RoomClosed("cancelled"))
    assert stage.on(ev.RoomClosed("cancelled")) == []
    stage.on(ev.EpochClosed(1))
    assert stage.all(cm.Close) == [cm.Close(f"s-{REFERRING}", "removed")]


# --- consent, knocks, credentials -----------------------------------------------------------------------


def test_consent_gives_a_grant_to_media_and_withdrawing_takes_it() -> None:
    stage = Stage().live(INTERPRETER)
    plan = plan_of(stage.document)
    assert plan is not None
    assert plan.peers[INTERPRETER].grant is None
    plan = plan_in(stage.on(ev.ConsentChanged(INTERPRETER, "granted", "g1")))
    assert plan is not None
    assert plan.peers[INTERPRETER].grant == "g1"
    plan = plan_in(stage.on(ev.ConsentChanged(INTERPRETER, "declined", "g1")))
    assert plan is not None
    assert plan.peers[INTERPRETER].grant is None
    assert stage.on(ev.ConsentChanged(INTERPRETER, "declined", "g1")) == []
    assert stage.on(ev.ConsentChanged("seat-unknown", "granted", "g1")) == []


def test_a_knock_is_shown_to_those_who_may_admit_and_answered_once() -> None:
    stage = Stage().live(REFERRING, INTERPRETER)
    stage.on(ev.KnockArrived(knock()))
    assert set(stage.sent("snapshot")) == {f"s-{REFERRING}"}
    assert stage.on(ev.KnockArrived(knock())) == []
    stage.on(ev.KnockAnswered(INTERPRETER, f"s-{INTERPRETER}", "knock-1", True))
    assert stage.code() == "forbidden"
    commands = stage.on(ev.KnockAnswered(REFERRING, f"s-{REFERRING}", "knock-1", True))
    assert cm.AnswerKnock("knock-1", True, REFERRING) in commands
    stage.on(ev.KnockAnswered(REFERRING, f"s-{REFERRING}", "knock-1", True))
    assert stage.code() == "unknown_knock"


def test_admitting_one_of_several_at_a_seat_sends_the_others_away() -> None:
    stage = Stage().live(REFERRING)
    for number, at in enumerate((CONSULTING, CONSULTING, INTERPRETER)):
        stage.on(ev.KnockArrived(knock(f"knock-{number}", at)))
    stage.on(ev.KnockAnswered(REFERRING, f"s-{REFERRING}", "knock-1", True))
    assert [k.id for k in stage.document.knocks] == ["knock-2"]


def test_a_knock_is_forgotten_after_ten_minutes() -> None:
    stage = Stage().live(REFERRING)
    stage.on(ev.KnockArrived(replace(knock(), since_ms=stage.now)))
    stage.passes(599_999)
    assert len(stage.document.knocks) == 1
    stage.passes(1)
    assert stage.document.knocks == ()


def test_no_more_than_sixteen_knock_at_once() -> None:
    stage = Stage().live(REFERRING)
    for number in range(20):
        stage.on(ev.KnockArrived(knock(f"knock-{number}")))
    assert len(stage.document.knocks) == 16


def test_a_revoked_credential_is_out_at_once_also_when_away() -> None:
    stage = Stage().live(REFERRING, CONSULTING)
    commands = stage.on(ev.CredentialRevoked(f"credential-{REFERRING}"))
    assert cm.Close(f"s-{REFERRING}", "revoked") in commands
    stage.on(ev.SocketLost(CONSULTING, f"s-{CONSULTING}"))
    stage.on(ev.CredentialRevoked(f"credential-{CONSULTING}"))
    assert stage.all(cm.Close) == []
    assert stage.document.present == []


# --- the recording light --------------------------------------------------------------------------------


def stored(until: int | None, *seats: str, degraded: tuple[tuple[str, str, str], ...] = ()) -> ev.Stored:
    return ev.Stored(1, until, tuple((seat_id, until) for seat_id in seats), degraded)


def test_the_light_says_recording_only_after_the_store_has_said_so() -> None:
    stage = Stage()
    assert stage.light() == "off"
    stage.live(REFERRING)
    assert stage.light() == "waiting"
    stage.on(stored(None))
    assert stage.light() == "waiting"
    stage.on(stored(5_000, REFERRING))
    stage.passes(1_000)
    light = stage.sent("recording")[f"s-{REFERRING}"]
    assert light == ms.Recording(
        state="recording", stored_until_ms=5_000, degraded=[], waits_for=None, paused=None
    )


def test_the_light_degrades_by_itself_when_the_store_is_silent_or_stands_still() -> None:
    stage = Stage().live(REFERRING)
    stage.on(stored(5_000, REFERRING))
    stage.now += 5_000
    assert stage.light() == "recording"
    stage.now += 1
    assert stage.light() == "degraded"
    stage.on(stored(5_000, REFERRING))
    assert stage.light() == "degraded"
    stage.on(stored(6_000, REFERRING))
    assert stage.light() == "recording"


def test_the_light_names_the_tracks_that_are_not_stored() -> None:
    stage = Stage().live(REFERRING)
    stage.on(stored(5_000, REFERRING, degraded=((REFERRING, "audio", "store_slow"),)))
    assert stage.light() == "degraded"
    stage.passes(1_000)
    light = stage.sent("recording")[f"s-{REFERRING}"]
    assert isinstance(light, ms.Recording)
    assert light.degraded == [ms.DegradedTrack(participant=REFERRING, kind="audio", cause="store_slow")]


def test_the_light_waits_for_consent_while_nobody_present_gives_it() -> None:
    stage = Stage().live(INTERPRETER)
    stage.on(stored(5_000))
    stage.passes(1_000)
    light = stage.sent("recording")[f"s-{INTERPRETER}"]
    assert isinstance(light, ms.Recording)
    assert (light.state, light.waits_for) == ("waiting", "consent")
    stage.on(ev.ConsentChanged(INTERPRETER, "granted", "g1"))
    stage.passes(1_000)
    light = stage.sent("recording")[f"s-{INTERPRETER}"]
    assert isinstance(light, ms.Recording)
    assert (light.state, light.waits_for) == ("waiting", "store")


def test_the_light_waits_when_somebody_is_recorded_again_and_degrades_if_nothing_comes() -> None:
    stage = Stage().live(REFERRING)
    stage.on(stored(5_000, REFERRING))
    stage.now += 60_000
    stage.on(stored(None))
    assert stage.light() == "waiting"
    stage.now += 1_000
    stage.on(ev.Stored(1, None, ((REFERRING, None),), ()))
    assert stage.light() == "waiting"
    stage.now += 1_000
    stage.on(stored(67_000, REFERRING))
    assert stage.light() == "recording"
    stage.on(stored(None))
    stage.now += 1_000
    stage.on(ev.Stored(1, None, ((REFERRING, None),), ()))
    for _ in range(6):
        stage.now += 1_000
        stage.on(ev.Stored(1, None, ((REFERRING, None),), ()))
    assert stage.light() == "degraded"


def test_a_seat_that_withdrew_still_shows_as_recording_while_its_data_is_fresh() -> None:
    stage = Stage().live(INTERPRETER)
    stage.on(ev.Stored(1, 9_000, ((INTERPRETER, 8_000),), ()))
    assert stage.light() == "recording"
    stage.on(ev.Stored(1, 14_000, ((INTERPRETER, 8_000), ("seat-unknown", None)), ()))
    assert stage.light() == "waiting"


def test_a_recording_that_never_begins_degrades() -> None:
    stage = Stage().live(REFERRING)
    stage.on(ev.PeerChanged(1, REFERRING, stage.connection(REFERRING) or "", "connected"))
    stage.seconds(5)
    assert stage.light() == "waiting"
    stage.seconds(1)
    assert stage.light() == "degraded"
    stage.on(stored(5_000))
    assert stage.light() == "degraded"
    stage.on(ev.MediaChanged(REFERRING, f"s-{REFERRING}", False, False))
    assert stage.light() == "waiting"


def test_an_end_at_which_nothing_was_ever_stored_is_not_called_sealed() -> None:
    stage = Stage().live(CONSULTING)
    stage.on(ev.EndAsked(CONSULTING, f"s-{CONSULTING}"))
    stage.on(ev.EpochClosed(1))
    light = stage.sent("recording")[f"s-{CONSULTING}"]
    assert isinstance(light, ms.Recording)
    assert light.state == "off"


def test_reports_of_another_epoch_are_ignored() -> None:
    stage = Stage().live(REFERRING)
    assert stage.on(replace(stored(5_000, REFERRING), epoch=3)) == []


def test_another_schema_of_the_document_is_refused() -> None:
    text = to_json(Stage().live(REFERRING).document).replace('"schema":1', '"schema":2')
    with pytest.raises(ValueError, match="schema"):
        from_json(text)
