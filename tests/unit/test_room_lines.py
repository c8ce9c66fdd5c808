"""What a page shows reaches media, and what media says of lines reaches the pages."""

from __future__ import annotations

from dataclasses import replace

from signaling import events as ev
from signaling import messages as ms
from signaling.document import from_json, to_json
from signaling.seat import Line
from signaling.wire_snapshot import LineState
from tests.support.rooms import CONSULTING, INTERPRETER, REFERRING
from tests.support.stage import Stage, plan_in

THIN = Line("thin", 340_000, ((CONSULTING, "camera", "thin"),))


def line_seen(stage: Stage, by: str, of: str) -> LineState | None:
    shown = stage.sent("snapshot")[f"s-{by}"]
    assert isinstance(shown, ms.Snapshot)
    return next(person.line for person in shown.participants if person.id == of)


def test_what_a_page_shows_is_in_the_plan_once_and_only_of_others_in_the_room() -> None:
    stage = Stage().live(REFERRING, CONSULTING)
    rows = (
        (CONSULTING, "camera", 300),
        (REFERRING, "camera", 9),
        ("nobody", "camera", 9),
        (CONSULTING, "camera", 700),
    )
    plan = plan_in(stage.on(ev.ViewChanged(REFERRING, f"s-{REFERRING}", rows)))
    assert plan is not None
    assert {peer: wanted.view for peer, wanted in plan.peers.items()} == {
        REFERRING: ((CONSULTING, "camera", 700),),
        CONSULTING: (),
    }
    assert stage.sent("snapshot") == {}, "nobody sees what another one looks at"
    assert stage.on(ev.ViewChanged(REFERRING, f"s-{REFERRING}", rows)) == []
    assert from_json(to_json(stage.document)) == stage.document


def test_who_may_not_join_may_not_say_what_it_shows() -> None:
    stage = Stage().live(REFERRING, CONSULTING)
    seat = stage.document.seat(REFERRING)
    assert seat is not None
    facts = replace(seat.facts, abilities=seat.facts.abilities - {"join"})
    stage.document = stage.document.with_seat(replace(seat, facts=facts))
    stage.on(ev.ViewChanged(REFERRING, f"s-{REFERRING}", ()))
    assert stage.code() == "forbidden"


def test_a_view_ends_with_the_visit_and_with_another_connection() -> None:
    stage = Stage().live(REFERRING, CONSULTING)
    for end in (
        lambda: stage.on(ev.Left(REFERRING, f"s-{REFERRING}")),
        lambda: stage.join(REFERRING, f"s-{REFERRING}"),
    ):
        stage.join(REFERRING, f"s-{REFERRING}")
        stage.on(ev.ViewChanged(REFERRING, f"s-{REFERRING}", ((CONSULTING, "camera", 300),)))
        end()
        assert all(seat.view == () for seat in stage.document.seats)


def test_a_line_is_shown_to_everybody_and_changes_no_plan() -> None:
    stage = Stage().live(REFERRING, CONSULTING, INTERPRETER)
    assert plan_in(stage.on(ev.LinesChanged(1, ((REFERRING, THIN), ("nobody", THIN))))) is None
    for page in (REFERRING, CONSULTING, INTERPRETER):
        found = line_seen(stage, page, REFERRING)
        assert found is not None
        assert (found.mode, found.down_bps) == ("thin", 340_000)
        assert [(p.participant, p.kind, p.why) for p in found.paused] == [(CONSULTING, "camera", "thin")]
        assert line_seen(stage, page, CONSULTING) is None
    assert from_json(to_json(stage.document)) == stage.document
    assert stage.on(ev.LinesChanged(7, ((REFERRING, Line("full", 0)),))) == [], "another epoch's word"


def test_a_line_belongs_to_its_connection() -> None:
    stage = Stage().live(REFERRING, CONSULTING)
    stage.on(ev.LinesChanged(1, ((REFERRING, THIN), (CONSULTING, THIN))))
    stage.on(ev.PeerChanged(1, REFERRING, stage.connection(REFERRING) or "", "failed"))
    stage.on(ev.Left(CONSULTING, f"s-{CONSULTING}"))
    stage.on(ev.LinesChanged(1, ((CONSULTING, THIN),)))
    assert [seat.line for seat in stage.document.seats] == [None] * len(stage.document.seats)


def test_a_shared_screen_is_shown_to_all_and_ends_with_the_visit() -> None:
    stage = Stage().live(REFERRING, CONSULTING)

    def shared() -> bool:
        seat = stage.document.seat(REFERRING)
        assert seat is not None
        return seat.screen

    for end in (
        lambda: stage.on(ev.MediaChanged(REFERRING, f"s-{REFERRING}", True, True)),
        lambda: stage.on(ev.Left(REFERRING, f"s-{REFERRING}")),
        lambda: stage.join(REFERRING, f"s-{REFERRING}"),
    ):
        stage.join(REFERRING, f"s-{REFERRING}")
        stage.on(ev.MediaChanged(REFERRING, f"s-{REFERRING}", True, True, True))
        shown = stage.sent("snapshot")[f"s-{CONSULTING}"]
        assert isinstance(shown, ms.Snapshot)
        assert [person.screen for person in shown.participants if person.id == REFERRING] == [True]
        stage.join(REFERRING, "s-other", resume=stage.connection(REFERRING))
        assert shared(), "the page came back to its connection, and with it the screen"
        stage.join(REFERRING, f"s-{REFERRING}", resume=stage.connection(REFERRING))
        end()
        assert not shared()
