"""The room as transcripts: who comes and returns, and what media is told."""

from __future__ import annotations

from dataclasses import fields, replace

from signaling import commands as cm
from signaling import events as ev
from signaling import messages as ms
from signaling import time_line
from signaling.document import new_document
from signaling.light import Light
from signaling.plan import plan_of
from signaling.ports import PeerPlan, Plan, RoomSeed, SessionRef
from signaling.view import snapshots_of
from tests.support.rooms import CONSULTING, INTERPRETER, REFERRING, ROOM, seat, three_seats
from tests.support.stage import Stage, plan_in

# --- joining --------------------------------------------------------------------------------------------


def test_the_first_join_asks_for_a_session_and_its_opening_makes_a_plan() -> None:
    stage = Stage()
    assert cm.OpenSession() in stage.join(REFERRING, "s1")
    assert plan_in(stage.commands) is None
    commands = stage.on(ev.SessionOpened(SessionRef("session-1", 4, 999)))
    peer = PeerPlan(connection="j1.4.1", mic=True, camera=True, grant=f"grant-{REFERRING}")
    assert plan_in(commands) == Plan("session-1", 4, stage.document.version, False, {REFERRING: peer})
    assert cm.Note("session-1", "joined", REFERRING) in commands
    snapshot = stage.sent("snapshot")["s1"]
    assert isinstance(snapshot, ms.Snapshot)
    assert (snapshot.state, snapshot.started_at_ms, snapshot.you.connection) == ("live", 999, "j1.4.1")


def test_a_second_join_while_the_session_is_being_opened_does_not_ask_twice() -> None:
    stage = Stage()
    stage.join(REFERRING, "s1")
    assert cm.OpenSession() not in stage.join(CONSULTING, "s2")


def test_a_join_is_shown_to_the_others_and_answered_by_its_ack() -> None:
    stage = Stage().live(REFERRING)
    stage.join(CONSULTING, "s2")
    assert set(stage.sent("snapshot")) == {f"s-{REFERRING}"}
    assert plan_in(stage.commands) is not None


def test_nobody_joins_a_room_that_is_over() -> None:
    stage = Stage(seed=replace(three_seats(), ended=True))
    stage.join(REFERRING, "s1")
    assert stage.code() == "ended"


def test_a_room_made_of_an_ended_consultation_is_over() -> None:
    assert new_document(ROOM, replace(three_seats(), ended=True)).over


def test_a_seat_that_is_no_more_is_refused_and_its_sitter_removed() -> None:
    stage = Stage().live(REFERRING, CONSULTING)
    stage.seed = RoomSeed(seats=three_seats().seats[1:])
    stage.join(INTERPRETER, "s3")
    assert cm.Close(f"s-{REFERRING}", "removed") in stage.commands
    assert stage.document.seat(REFERRING) is None
    stage.join(REFERRING, "s9")
    assert stage.code() == "removed"


def test_a_seat_without_the_ability_join_is_refused() -> None:
    stage = Stage(seed=RoomSeed(seats=(seat(REFERRING, "observer", set()),)))
    stage.join(REFERRING, "s1")
    assert stage.code() == "forbidden"
    assert stage.document.present == []


# --- the same seat --------------------------------------------------------------------------------------


def test_the_same_seat_opened_elsewhere_replaces_the_first_window() -> None:
    stage = Stage().live(REFERRING)
    first = stage.connection(REFERRING)
    commands = stage.join(REFERRING, "s2")
    assert cm.Close(f"s-{REFERRING}", "replaced") in commands
    assert stage.connection(REFERRING) not in (None, first)
    plan = plan_in(commands)
    assert plan is not None
    assert list(plan.peers) == [REFERRING]
    assert stage.on(ev.SocketLost(REFERRING, f"s-{REFERRING}")) == []


def test_a_replaced_window_may_do_nothing_more() -> None:
    stage = Stage().live(CONSULTING)
    stage.join(CONSULTING, "s2")
    old = f"s-{CONSULTING}"
    for event in (
        ev.Left(CONSULTING, old),
        ev.Answered(CONSULTING, old, "c", "o", "v=0"),
        ev.MediaChanged(CONSULTING, old, False, False),
        ev.QualityReported(CONSULTING, old, "good"),
        ev.RestartAsked(CONSULTING, old),
        ev.IceRestartAsked(CONSULTING, old),
        ev.EndAsked(CONSULTING, old),
        ev.KnockAnswered(CONSULTING, old, "k", True),
        ev.ViewChanged(CONSULTING, old, ()),
    ):
        before = stage.document
        stage.on(event)
        assert stage.code() == "not_joined"
        assert stage.document is before


def test_a_lost_socket_is_away_and_keeps_its_media_for_thirty_seconds() -> None:
    stage = Stage().live(REFERRING, CONSULTING)
    stage.on(ev.SocketLost(REFERRING, f"s-{REFERRING}"))
    shown = stage.sent("snapshot")[f"s-{CONSULTING}"]
    assert isinstance(shown, ms.Snapshot)
    assert [(p.present, p.away) for p in shown.participants if p.id == REFERRING] == [(True, True)]
    stage.seconds(29)
    assert stage.connection(REFERRING) is not None
    commands = stage.seconds(1)
    plan = plan_in(commands)
    assert plan is not None
    assert list(plan.peers) == [CONSULTING]
    assert cm.Note("session-1", "gone", REFERRING) in commands


def test_when_everybody_is_gone_with_their_media_the_room_does_not_wait_thirty_seconds() -> None:
    stage = Stage().live(REFERRING, CONSULTING)
    for seat_id in (REFERRING, CONSULTING):
        stage.on(ev.PeerChanged(1, seat_id, stage.connection(seat_id) or "", "connected"))
        stage.on(ev.SocketLost(seat_id, f"s-{seat_id}"))
    stage.seconds(12)
    assert len(stage.document.present) == 2, "their media still flows"
    for seat_id in (REFERRING, CONSULTING):
        stage.on(ev.PeerChanged(1, seat_id, stage.connection(seat_id) or "", "disconnected"))
    stage.seconds(1)
    assert not stage.document.present


def test_a_page_that_still_holds_its_connection_resumes_it_and_gets_the_waiting_offer() -> None:
    stage = Stage().live(REFERRING)
    held = stage.connection(REFERRING)
    stage.on(ev.SocketLost(REFERRING, f"s-{REFERRING}"))
    stage.on(stage.offer(REFERRING))
    assert stage.sent("offer") == {}
    stage.join(REFERRING, "s2", resume=held)
    assert stage.connection(REFERRING) == held
    offer = stage.sent("offer")["s2"]
    assert isinstance(offer, ms.Offer)
    assert (offer.offer_id, offer.tracks[0].participant) == ("o1", CONSULTING)
    assert plan_in(stage.commands) is None
    assert cm.Note("session-1", "back", REFERRING) in stage.commands


def test_a_page_that_reloaded_gets_a_new_connection_but_the_same_seat() -> None:
    stage = Stage().live(REFERRING)
    held = stage.connection(REFERRING)
    stage.on(ev.SocketLost(REFERRING, f"s-{REFERRING}"))
    stage.join(REFERRING, "s2")
    assert stage.connection(REFERRING) not in (None, held)
    assert len(stage.document.present) == 1


def test_a_connection_of_another_epoch_is_not_resumed() -> None:
    stage = Stage().live(REFERRING)
    held = stage.connection(REFERRING)
    stage.on(ev.SocketLost(REFERRING, f"s-{REFERRING}"))
    stage.on(ev.MediaLost())
    stage.on(ev.EpochGranted("session-1", 2))
    stage.join(REFERRING, "s2", resume=held)
    assert stage.connection(REFERRING) == "j2.2.2"


def test_microphone_and_camera_are_kept_over_a_return_unless_the_page_says_otherwise() -> None:
    stage = Stage().live(REFERRING)
    stage.on(ev.MediaChanged(REFERRING, f"s-{REFERRING}", False, True))
    stage.on(ev.SocketLost(REFERRING, f"s-{REFERRING}"))
    stage.join(REFERRING, "s2", mic=None, camera=None)
    seated = stage.document.seat(REFERRING)
    assert seated is not None
    assert (seated.mic, seated.camera) == (False, True)
    stage.join(REFERRING, "s2", mic=True, camera=False)
    seated = stage.document.seat(REFERRING)
    assert seated is not None
    assert (seated.mic, seated.camera) == (True, False)


def test_leaving_frees_the_seat_at_once() -> None:
    stage = Stage().live(REFERRING, CONSULTING)
    commands = stage.on(ev.Left(REFERRING, f"s-{REFERRING}"))
    plan = plan_in(commands)
    assert plan is not None
    assert list(plan.peers) == [CONSULTING]
    assert cm.Note("session-1", "left", REFERRING) in commands


# --- media ----------------------------------------------------------------------------------------------


def test_muting_is_told_to_media_and_to_everybody() -> None:
    stage = Stage().live(REFERRING, CONSULTING)
    commands = stage.on(ev.MediaChanged(REFERRING, f"s-{REFERRING}", False, True))
    plan = plan_in(commands)
    assert plan is not None
    assert plan.peers[REFERRING].mic is False
    assert set(stage.sent("snapshot")) == {f"s-{REFERRING}", f"s-{CONSULTING}"}


def test_a_page_that_can_send_next_to_nothing_is_named_to_media_until_it_can() -> None:
    stage = Stage().live(REFERRING, CONSULTING)
    told = [
        plan_in(stage.on(ev.QualityReported(REFERRING, f"s-{REFERRING}", "poor", up_bps)))
        for up_bps in (900_000, 60_000, 70_000, None)
    ]
    assert [plan and plan.peers[REFERRING].up_thin for plan in told] == [None, True, None, False]


def test_link_quality_is_shown_but_changes_no_plan() -> None:
    stage = Stage().live(REFERRING)
    commands = stage.on(ev.QualityReported(REFERRING, f"s-{REFERRING}", "poor"))
    assert plan_in(commands) is None
    assert len(stage.sent("snapshot")) == 1
    assert stage.on(ev.QualityReported(REFERRING, f"s-{REFERRING}", "poor")) == []


def test_no_plan_and_no_snapshot_depends_on_the_light_or_on_what_was_heard_of_media() -> None:
    """So `handle` makes none of them because of these."""
    before = Stage().live(REFERRING, CONSULTING).document
    light = Light(1, 1, 1, True, 1, ((REFERRING, "audio", "disk_slow"),), 1, True, True)
    after = replace(before, light=light, heard=before.heard + 1)
    assert all(getattr(light, one.name) != getattr(before.light, one.name) for one in fields(light))
    assert plan_of(after) == plan_of(before)
    assert snapshots_of(after, after.seats) == snapshots_of(before, before.seats)
    assert time_line.lines(before, after) == []


def test_an_offer_is_forgotten_once_it_is_answered() -> None:
    stage = Stage().live(REFERRING)
    connection = stage.connection(REFERRING) or ""
    stage.on(stage.offer(REFERRING))
    stage.on(ev.Answered(REFERRING, f"s-{REFERRING}", connection, "older", "v=0"))
    assert stage.document.seat(REFERRING).offer is not None  # type: ignore[union-attr]
    commands = stage.on(ev.Answered(REFERRING, f"s-{REFERRING}", connection, "o1", "v=0"))
    assert commands == [cm.ForwardAnswer("session-1", REFERRING, connection, "o1", "v=0")]
    assert stage.document.seat(REFERRING).offer is None  # type: ignore[union-attr]


def test_an_answer_for_another_connection_is_refused_and_an_offer_for_it_ignored() -> None:
    stage = Stage().live(REFERRING)
    stage.on(ev.Answered(REFERRING, f"s-{REFERRING}", "j0.1.1", "o1", "v=0"))
    assert stage.code() == "stale_connection"
    stale = replace(stage.offer(REFERRING), connection="j0.1.1")
    assert stage.on(stale) == []
    assert stage.on(replace(stage.offer(REFERRING), epoch=7)) == []
    assert stage.on(replace(stage.offer(REFERRING), peer="seat-unknown")) == []


def test_a_restart_makes_a_new_connection_unless_one_is_just_being_made() -> None:
    stage = Stage().live(REFERRING)
    socket, first = f"s-{REFERRING}", stage.connection(REFERRING)
    assert stage.on(ev.RestartAsked(REFERRING, socket)) == []
    stage.on(stage.offer(REFERRING))
    stage.on(ev.RestartAsked(REFERRING, socket))
    assert set(stage.sent("offer")) == {socket}
    stage.on(ev.Answered(REFERRING, socket, first or "", "o1", "v=0"))
    assert plan_in(stage.on(ev.RestartAsked(REFERRING, socket))) is not None
    second = stage.connection(REFERRING)
    assert second != first
    stage.now += 5_000
    stage.on(ev.RestartAsked(REFERRING, socket))
    assert stage.connection(REFERRING) != second


def test_an_answer_that_media_refused_means_a_new_connection_but_not_more_often_than_every_two_seconds() -> (
    None
):
    stage = Stage().live(REFERRING)
    first = stage.connection(REFERRING) or ""
    stage.on(ev.AnswerRefused(REFERRING, "an older one"))
    stage.now += 1_999
    stage.on(ev.AnswerRefused(REFERRING, first))
    stage.on(ev.Tick())
    assert stage.connection(REFERRING) == first
    stage.now += 1
    assert plan_in(stage.on(ev.Tick())) is not None
    second = stage.connection(REFERRING) or ""
    assert second != first
    stage.on(ev.PeerChanged(1, REFERRING, second, "connected"))
    stage.on(ev.AnswerRefused(REFERRING, second))
    stage.now += 5_000
    stage.on(ev.Tick())
    assert stage.connection(REFERRING) == second, "a connection that works is not thrown away"


def test_a_restart_while_media_is_lost_waits_for_the_new_epoch() -> None:
    stage = Stage().live(REFERRING)
    stage.on(ev.MediaLost())
    assert stage.on(ev.RestartAsked(REFERRING, f"s-{REFERRING}")) == []
    stage.on(ev.IceRestartAsked(REFERRING, f"s-{REFERRING}"))
    assert stage.code() == "stale_connection"


def test_an_ice_restart_is_handed_on_for_the_current_connection() -> None:
    stage = Stage().live(REFERRING)
    commands = stage.on(ev.IceRestartAsked(REFERRING, f"s-{REFERRING}"))
    assert commands == [cm.RestartIce("session-1", REFERRING, stage.connection(REFERRING) or "")]


def test_a_failed_connection_is_replaced_by_itself_or_when_the_page_returns() -> None:
    stage = Stage().live(REFERRING, CONSULTING)
    for seat_id in (REFERRING, CONSULTING):
        if seat_id == CONSULTING:
            stage.on(ev.SocketLost(CONSULTING, f"s-{CONSULTING}"))
        held = stage.connection(seat_id)
        stage.on(ev.PeerChanged(1, seat_id, held or "", "connected"))
        stage.on(ev.PeerChanged(1, seat_id, held or "", "failed"))
        assert stage.connection(seat_id) != held
    assert stage.connection(REFERRING) is not None
    assert stage.connection(CONSULTING) is None
    assert stage.on(ev.PeerChanged(1, REFERRING, "j0.1.1", "failed")) == []


def test_a_lost_worker_means_a_new_epoch_and_new_connections_for_everybody() -> None:
    stage = Stage().live(REFERRING, CONSULTING)
    before = {seat_id: stage.connection(seat_id) for seat_id in (REFERRING, CONSULTING)}
    commands = stage.on(ev.MediaLost())
    assert cm.NextEpoch("session-1") in commands
    assert plan_in(commands) is None
    assert stage.on(ev.MediaLost()) == []
    plan = plan_in(stage.on(ev.EpochGranted("session-1", 2)))
    assert plan is not None
    assert plan.epoch == 2
    assert all(plan.peers[seat_id].connection != before[seat_id] for seat_id in before)
    assert stage.on(ev.EpochGranted("session-1", 2)) == []
    assert stage.on(ev.EpochGranted("another", 3)) == []


def test_a_worker_lost_while_nobody_is_in_asks_for_nothing_and_the_return_opens_a_new_epoch() -> None:
    stage = Stage().live(REFERRING)
    stage.on(ev.Left(REFERRING, f"s-{REFERRING}"))
    commands = stage.on(ev.MediaLost())
    assert [type(c) for c in commands] == [cm.Note]
    assert cm.Emptied("session-1") in stage.seconds(6)
    assert plan_of(stage.document) is None
    assert cm.OpenSession() in stage.join(REFERRING, "s2")


def test_the_directory_is_asked_again_until_it_answers() -> None:
    stage = Stage()
    stage.join(REFERRING, "s1")
    assert cm.OpenSession() not in stage.seconds(4)
    assert cm.OpenSession() in stage.seconds(2)
    stage.on(ev.SessionOpened(SessionRef("session-1", 1, stage.now)))
    stage.on(ev.MediaLost())
    assert cm.NextEpoch("session-1") in stage.seconds(6)
    stage.on(ev.Left(REFERRING, "s1"))
    stage.seconds(6)
    assert stage.document.wanted is None


def test_the_same_session_opened_twice_counts_once_and_a_newer_epoch_of_it_counts() -> None:
    stage = Stage().live(REFERRING)
    assert stage.on(ev.SessionOpened(SessionRef("session-1", 1, stage.now))) == []
    plan = plan_in(stage.on(ev.SessionOpened(SessionRef("session-1", 2, stage.now))))
    assert plan is not None
    assert plan.epoch == 2


def test_whom_media_cannot_carry_is_refused_at_the_door_and_nothing_is_changed() -> None:
    stage = Stage().live(REFERRING)
    before = stage.document
    commands = stage.join(CONSULTING, "s2", full=True)
    assert commands == [cm.Refused("no_capacity")]
    assert stage.document is before
    assert cm.Refused("no_capacity") not in stage.join(CONSULTING, "s2")


def test_who_sits_in_the_room_comes_back_however_full_it_is() -> None:
    stage = Stage().live(REFERRING)
    stage.on(ev.SocketLost(REFERRING, f"s-{REFERRING}"))
    assert cm.Refused("no_capacity") not in stage.join(REFERRING, "s3", full=True)
    assert stage.document.seat(REFERRING).socket == "s3"  # type: ignore[union-attr]
