"""Whoever is in the room no more has left, or their line was lost: media is told which."""

from __future__ import annotations

import pytest

from signaling import events as ev
from signaling.ports import Plan
from tests.support.rooms import CONSULTING, REFERRING
from tests.support.stage import Stage, plan_in


@pytest.fixture
def stage() -> Stage:
    """Two are in; media hears both."""
    made = Stage().live(REFERRING, CONSULTING)
    for seat_id in (REFERRING, CONSULTING):
        state(made, seat_id, "connected")
    return made


def state(stage: Stage, seat_id: str, told: str) -> Plan | None:
    return plan_in(stage.on(ev.PeerChanged(1, seat_id, stage.connection(seat_id) or "", told)))


def lose(stage: Stage, goodbye: bool = False) -> Plan | None:
    return plan_in(stage.on(ev.SocketLost(REFERRING, f"s-{REFERRING}", goodbye)))


def test_a_seat_whose_socket_went_without_a_word_is_lost_after_thirty_seconds(stage: Stage) -> None:
    lose(stage)
    plan = plan_in(stage.seconds(30))
    assert plan is not None
    assert (list(plan.peers), plan.lost) == ([CONSULTING], (REFERRING,))


def test_a_seat_whose_media_failed_while_its_socket_was_gone_is_lost_at_once(stage: Stage) -> None:
    state(stage, REFERRING, "disconnected")
    lose(stage)
    plan = state(stage, REFERRING, "failed")
    assert plan is not None
    assert (list(plan.peers), plan.lost) == ([CONSULTING], (REFERRING,))
    assert plan_in(stage.seconds(60)) is None, "that the seat is empty then is no news to media"


def test_who_leaves_is_not_lost_whatever_their_line_does(stage: Stage) -> None:
    state(stage, REFERRING, "disconnected")
    plan = plan_in(stage.on(ev.Left(REFERRING, f"s-{REFERRING}")))
    assert plan is not None
    assert (list(plan.peers), plan.lost) == ([CONSULTING], ())


def test_a_page_that_said_goodbye_is_not_lost(stage: Stage) -> None:
    lose(stage, goodbye=True)
    plan = plan_in(stage.seconds(30))
    assert plan is not None
    assert (list(plan.peers), plan.lost) == ([CONSULTING], ())


def test_a_goodbye_that_lay_in_the_dark_is_none(stage: Stage) -> None:
    """A page that gives a dead socket up says so on it; that comes when the line is back, or never."""
    state(stage, REFERRING, "disconnected")
    lose(stage, goodbye=True)
    plan = plan_in(stage.seconds(30))
    assert plan is not None
    assert plan.lost == (REFERRING,)


def test_who_is_away_is_still_a_peer_and_not_lost(stage: Stage) -> None:
    assert lose(stage) is None
    assert plan_in(stage.seconds(29)) is None


def test_a_return_ends_it(stage: Stage) -> None:
    lose(stage)
    stage.seconds(30)
    plan = plan_in(stage.join(REFERRING, "s9"))
    assert plan is not None
    assert (sorted(plan.peers), plan.lost) == (sorted([CONSULTING, REFERRING]), ())
    plan = plan_in(stage.on(ev.Left(REFERRING, "s9")))
    assert plan is not None
    assert plan.lost == ()


def test_whose_right_is_taken_while_they_are_away_is_not_lost(stage: Stage) -> None:
    lose(stage)
    plan = plan_in(stage.on(ev.CredentialRevoked(f"credential-{REFERRING}")))
    assert plan is not None
    assert plan.lost == ()
