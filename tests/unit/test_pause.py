"""The pause of a recording: who may, what media is told, what is stored, and what the gap is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from media.control import PausePlan
from media.recordstore import layout
from media.recordstore.gaps import pauses, recording_gaps, track_gaps
from media.recordstore.index import EpochSpan, Event, Journal, Survey
from media.recordstore.verify import verify_journal
from signaling import commands as cm
from signaling import events as ev
from signaling import messages as ms
from signaling.ports import Pause, SessionRef
from signaling.view import snapshot_of
from signaling.wire import PauseReason
from tests.support.decode import segment_packets
from tests.support.recorded import NS, FakeClock
from tests.support.rooms import CONSULTING, INTERPRETER, REFERRING
from tests.support.scene import KEY, Scene, scene
from tests.support.stage import Stage, plan_in

CHAIR = f"s-{CONSULTING}"


def paused(stage: Stage, reason: PauseReason = "private_talk") -> Stage:
    stage.on(ev.PauseAsked(CONSULTING, CHAIR, reason))
    return stage


# --- the room -------------------------------------------------------------------------------------------


def test_the_chair_pauses_and_media_is_told_to_record_nobody() -> None:
    stage = paused(Stage().live(REFERRING, CONSULTING))
    wanted = Pause(CONSULTING, "private_talk", stage.now)
    plan = plan_in(stage.commands)
    assert plan is not None
    assert plan.pause == wanted
    assert cm.KeepPause("session-1", wanted, CONSULTING) in stage.commands
    assert cm.Note("session-1", "paused", CONSULTING) in stage.commands
    for message in stage.sent("snapshot").values():
        assert isinstance(message, ms.Snapshot)
        assert message.pause == ms.Paused(by=CONSULTING, reason="private_talk", since_ms=stage.now)


@pytest.mark.parametrize("seat_id", [REFERRING, INTERPRETER])
def test_nobody_but_the_chair_pauses_or_resumes(seat_id: str) -> None:
    stage = Stage().live(REFERRING, CONSULTING, INTERPRETER)
    stage.on(ev.PauseAsked(seat_id, f"s-{seat_id}", "other"))
    assert stage.code() == "forbidden"
    paused(stage)
    stage.on(ev.ResumeAsked(seat_id, f"s-{seat_id}"))
    assert stage.code() == "forbidden"
    assert stage.document.pause is not None
    stage.on(ev.PauseAsked(CONSULTING, "another socket", "other"))
    assert stage.code() == "not_joined"


def test_a_pause_asked_again_changes_the_reason_and_nothing_else() -> None:
    stage = paused(Stage().live(CONSULTING))
    began = stage.now
    stage.now += 9_000
    paused(stage, "examination")
    assert stage.document.pause == Pause(CONSULTING, "examination", began)
    assert paused(stage, "examination").commands == []


def test_there_is_nothing_to_pause_before_there_is_a_session() -> None:
    stage = Stage()
    stage.join(CONSULTING, CHAIR)
    assert paused(stage).code() == "no_session"


def test_it_stays_paused_when_the_chair_leaves_and_the_next_chair_resumes() -> None:
    stage = paused(Stage().live(REFERRING, CONSULTING))
    stage.on(ev.Left(CONSULTING, CHAIR))
    assert stage.document.pause is not None
    stage.on(ev.ResumeAsked(REFERRING, f"s-{REFERRING}"))
    assert stage.code() is None
    plan = plan_in(stage.commands)
    assert plan is not None
    assert plan.pause is None
    assert cm.KeepPause("session-1", None, REFERRING) in stage.commands


def test_a_pause_outlives_the_media_worker_the_room_and_an_empty_room_but_not_the_session() -> None:
    stage = paused(Stage().live(CONSULTING))
    stage.on(ev.MediaLost())
    plan = plan_in(stage.on(ev.EpochGranted("session-1", 2)))
    assert plan is not None
    assert plan.pause is not None
    stage.on(ev.Left(CONSULTING, CHAIR))
    stage.seconds(599)
    assert stage.document.pause is not None
    stage.seconds(2)
    assert (stage.document.session, stage.document.pause) == (None, None)


def test_a_server_that_begins_anew_finds_the_pause_in_the_books() -> None:
    stage = Stage()
    stage.join(CONSULTING, CHAIR)
    kept = Pause(CONSULTING, "examination", 77)
    plan = plan_in(stage.on(ev.SessionOpened(SessionRef("session-1", 4, 1, kept))))
    assert plan is not None
    assert plan.pause == kept
    stage.on(ev.ResumeAsked(CONSULTING, CHAIR))
    late = ev.SessionOpened(SessionRef("session-1", 5, 1, kept))
    stage.on(late)
    assert stage.document.pause is None, "what the books had before is older than the wish"


def test_the_books_are_told_again_until_they_have_taken_it() -> None:
    stage = paused(Stage().live(CONSULTING))
    wanted = cm.KeepPause("session-1", stage.document.pause, CONSULTING)
    assert wanted not in stage.seconds(4)
    assert wanted in stage.passes(1_000)
    stage.on(ev.PauseKept("session-1", None))
    assert wanted in stage.seconds(5)
    stage.on(ev.PauseKept("session-1", stage.document.pause))
    assert wanted not in stage.seconds(30)


def test_the_light_says_paused_when_the_store_has_said_so_and_not_before() -> None:
    stage = Stage().live(REFERRING, CONSULTING)
    stage.on(ev.Stored(1, 5_000, ((REFERRING, 5_000),), ()))
    paused(stage)
    stage.on(ev.PauseKept("session-1", stage.document.pause))
    stage.passes(1_000)
    assert stage.light() == "recording", "the wish is no proof"
    stage.on(ev.Stored(1, None, (), (), paused=True))
    light = stage.sent("recording")[CHAIR]
    assert isinstance(light, ms.Recording)
    assert (light.state, light.stored_until_ms) == ("paused", 5_000)
    assert light.paused is not None
    assert light.paused.by == CONSULTING
    for _ in range(1_000):
        stage.on(ev.Stored(1, None, (), (), paused=True))
        stage.passes(1_000)
        assert stage.light() == "paused"
    stage.now += 5_001
    assert stage.light() == "degraded", "the store is silent"
    stage.on(ev.ResumeAsked(CONSULTING, CHAIR))
    stage.on(ev.Stored(1, None, ((REFERRING, None),), ()))
    assert stage.light() == "waiting"
    stage.on(ev.Stored(1, stage.now, ((REFERRING, stage.now),), ()))
    assert stage.light() == "recording"


def test_no_page_is_told_paused_before_the_books_have_it() -> None:
    stage = paused(Stage().live(CONSULTING))
    first = stage.document.pause

    def told() -> str:
        light = stage.sent("recording")[CHAIR]
        assert isinstance(light, ms.Recording)
        assert (light.paused is not None) == (light.state == "paused")
        return light.state

    stage.on(ev.Stored(1, None, (), (), paused=True))
    stage.passes(100)
    assert told() == "waiting", "a server killed now would forget the pause"
    stage.on(ev.ResumeAsked(CONSULTING, CHAIR))
    stage.now += 10
    paused(stage)
    stage.on(ev.PauseKept("session-1", first))
    stage.passes(100)
    assert told() == "waiting", "the pause before that one"
    stage.on(ev.PauseKept("session-1", stage.document.pause))
    assert told() == "paused", "at once"
    paused(stage, "examination")
    stage.passes(100)
    assert told() == "paused", "another reason of the same pause"


def test_a_withdrawal_is_over_when_media_has_said_so_under_the_grant_that_ended() -> None:
    stage = Stage().live(REFERRING)
    seat = (REFERRING, 5_000)
    stage.on(ev.Stored(1, 5_000, (seat,), (), grants=((REFERRING, "g1"),)))
    stage.on(ev.ConsentChanged(REFERRING, "declined", None))

    def recorded() -> bool:
        own = stage.document.seat(REFERRING)
        assert own is not None
        view = snapshot_of(stage.document, own)
        return next(p.recorded for p in view.participants if p.id == REFERRING)

    assert recorded()
    stage.on(ev.Dismissed(1, REFERRING, "g0"))
    assert recorded()
    stage.on(ev.Dismissed(2, REFERRING, "g1"))
    assert recorded()
    stage.on(ev.Dismissed(1, REFERRING, "g1"))
    assert not recorded()
    assert set(stage.sent("snapshot")) == {f"s-{REFERRING}"}
    stage.on(ev.Stored(1, 5_000, (seat,), (), grants=((REFERRING, "g2"),)))
    assert recorded()
    stage.on(ev.MediaLost())
    assert not recorded()


# --- media ----------------------------------------------------------------------------------------------

WHY = PausePlan("a", "examination")


class Voices:
    """Two seats that talk; each packet's last byte says when it was sent."""

    def __init__(self, stage: Scene, clock: FakeClock) -> None:
        self.stage, self.clock, self.number = stage, clock, 0

    async def talk(self, seconds: int) -> None:
        for _ in range(seconds):
            for _ in range(10):
                self.clock.now_ns += NS // 10
                self.number += 1
                for offset, peer in enumerate("ab"):
                    self.stage.packet(peer, 111, self.number, 10 + offset)
            await self.stage.second()
            await self.stage.synced()

    def told(self, name: str) -> list[dict[str, object]]:
        return [event for event in self.stage.events if event["ev"] == name]


def survey(folder: Path) -> Survey:
    with Journal(folder, "room1", [1], {"a": KEY, "b": KEY}, KEY) as journal:
        return journal.survey(None)


def stored_numbers(folder: Path, peer: str) -> set[int]:
    """RTP sequence numbers of everything that is stored of a peer."""
    files = [path for path in layout.segments_of(folder, "room1", 1) if path.name.startswith(peer)]
    return {int.from_bytes(p[2:4], "big") for path in files for _, p in segment_packets(path, KEY)}


async def test_nothing_sent_in_a_pause_is_stored_not_even_when_it_is_recovered_afterwards(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with scene(tmp_path, clock) as stage:
        await stage.plan("a!", "b!")
        for offset, peer in enumerate("ab"):
            stage.publish(peer, "audio", "0", 10 + offset)
        voices = Voices(stage, clock)
        await voices.talk(3)
        before = voices.number
        await stage.plan("a!", "b!", pause=WHY)
        assert {(e["peer"], e["grant"], e["cause"]) for e in voices.told("dismissed")} == {
            ("a", "grant1", "paused"),
            ("b", "grant1", "paused"),
        }
        assert voices.told("stored")[-1]["paused"] is True
        await voices.talk(4)
        voices.number += 1  # the last but one of the pause is lost on the way
        missing = voices.number
        await voices.talk(1)
        during = voices.number
        await stage.plan("a!", "b!")
        await voices.talk(1)
        stage.packet("a", 111, missing, 10)  # and comes now, asked for again
        await voices.talk(2)
    found = survey(tmp_path)
    for peer in "ab":
        kept = stored_numbers(tmp_path, peer)
        assert set(range(1, before + 1)) <= kept
        assert not kept & set(range(before + 1, during + 1)), "said in the pause"
        assert set(range(during + 1, voices.number + 1)) <= kept
    assert sum(r.seat == "a" for r in found.reports) == 2, "a file is never opened twice"
    report = verify_journal(tmp_path, "room1", {"a": KEY, "b": KEY}, KEY)
    assert report["chain"] == "intact"
    (gap,) = report["gaps"]  # type: ignore[misc]
    assert {name: gap[name] for name in ("cause", "by", "why")} == {
        "cause": "paused", "by": "a", "why": "examination",
    }  # fmt: skip
    assert 4_900 <= gap["to"] - gap["from"] <= 5_100
    for track in report["tracks"]:  # type: ignore[attr-defined]
        assert [(g["cause"], g["by"]) for g in track["gaps"]] == [("paused", "a")]
    assert {r.reason for r in found.reports if r.seat != "room"} == {"paused", "left"}


async def test_who_withdraws_in_a_pause_is_not_recorded_after_it(tmp_path: Path) -> None:
    clock = FakeClock()
    async with scene(tmp_path, clock) as stage:
        await stage.plan("a!", "b!")
        for offset, peer in enumerate("ab"):
            stage.publish(peer, "audio", "0", 10 + offset)
        voices = Voices(stage, clock)
        await voices.talk(3)
        await stage.plan("a!", "b!", pause=WHY)
        await voices.talk(3)
        await stage.plan("a", "b!", pause=WHY)
        await stage.plan("a", "b!")
        await voices.talk(5)
        assert voices.told("stored")[-1]["paused"] is False
        assert set(voices.told("stored")[-1]["seats"]) == {"b"}  # type: ignore[call-overload]
    report = verify_journal(tmp_path, "room1", {"a": KEY, "b": KEY}, KEY)
    gaps = {t["peer"]: [g["cause"] for g in t["gaps"]] for t in report["tracks"]}  # type: ignore[attr-defined]
    assert gaps == {"a": ["paused", "no_consent"], "b": ["paused"]}


async def test_a_worker_that_begins_in_a_pause_records_nobody_and_writes_the_pause_down(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with scene(tmp_path, clock) as stage:
        await stage.plan("a!", pause=WHY)
        stage.publish("a", "audio", "0", 10)
        await stage.plan("a!", "b!", pause=WHY)
        stage.publish("b", "audio", "0", 11)
        voices = Voices(stage, clock)
        await voices.talk(3)
        assert stage.counters.packets_recorded == 0
    found = survey(tmp_path)
    assert not found.streams
    (pause,) = pauses(found)
    assert (pause.by, pause.why) == ("a", "examination")
    assert pause.end - pause.begin >= 2_000


# --- gaps -----------------------------------------------------------------------------------------------


def told(*events: tuple[float, str, str, dict[str, object]]) -> Survey:
    made = Survey("r", 0)
    made.events = [Event(int(at * NS), 1, peer, name, fields) for at, peer, name, fields in events]
    made.epochs = [EpochSpan(1, 0, 60 * NS, True)]
    return made


def test_a_hole_over_a_pause_is_cut_where_it_begins_and_ends() -> None:
    made = told(
        (8.0, "p", "media", {"mic": 0, "camera": 1}),
        (20.0, "", "paused", {"by": "q", "why": "other"}),
        (25.0, "", "paused", {"by": "q", "why": "patient_asked"}),
        (30.0, "", "resumed", {}),
        (40.0, "p", "media", {"mic": 1, "camera": 1}),
    )
    gaps = track_gaps(made, "p", "audio", [[0, 8_000], [40_000, 60_000]], [])
    assert [(g["from"], g["to"], g["cause"], g.get("why")) for g in gaps] == [
        (8_000, 20_000, "muted", None),
        (20_000, 30_000, "paused", "patient_asked"),
        (30_000, 40_000, "muted", None),
    ]
    assert recording_gaps(made) == [
        {"from": 20_000, "to": 30_000, "cause": "paused", "by": "q", "why": "patient_asked"}
    ]


def test_a_pause_over_a_workers_death_ends_with_it_and_begins_again() -> None:
    made = told((20.0, "", "paused", {"by": "q", "why": "other"}))
    made.epochs = [EpochSpan(1, 0, 30 * NS, False), EpochSpan(2, 40 * NS, 60 * NS, True)]
    made.events += [
        Event(40 * NS, 2, "", "paused", {"by": "q", "why": "other"}),
        Event(50 * NS, 2, "", "resumed", {}),
    ]
    assert [(g["from"], g["to"], g["cause"]) for g in recording_gaps(made)] == [
        (20_000, 30_000, "paused"),
        (30_000, 40_000, "worker_lost"),
        (40_000, 50_000, "paused"),
    ]
