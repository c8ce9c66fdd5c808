"""The least round trip of a connection: measured from what pages say anyway, and written into the room's
file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from media.finalise_time import Connection
from media.finalise_way import ways_ns
from media.ice import stun
from media.recordstore.index import Event, Journal
from media.recordstore.streams import Stream
from media.round_trip import MOST_NS, RoundTrip, SentReports
from media.rtp import rtcp
from media.rtp.rtcp import ReportBlock
from tests.support.outbox import MS, Stage
from tests.support.recorded import NS, FakeClock
from tests.support.scene import KEY, scene
from tests.unit.test_ice_agent import THEIR_PASSWORD, Story, Wire


def test_only_the_least_counts_and_nonsense_does_not() -> None:
    trip = RoundTrip()
    for ns in (-5, 0, MOST_NS + 1):
        trip.heard(ns)
    assert trip.least_ns == 0
    for ns in (80 * MS, 60 * MS, 0, -1, 90 * MS):
        trip.heard(ns)
    assert trip.least_ns == 60 * MS
    assert trip.smooth_ns == 78_750_000, "three measurements, each moves it by a quarter"


def report(stage: Stage, waited_ms: int, held_ms: int) -> None:
    """The subscriber's report, so long after a sender report that it says it kept for `held_ms`."""
    stage.audio(1)
    stage.from_publisher(rtcp.build_sender_report(rtcp.SenderInfo(10, 77 << 32, 960, 1, 2)))
    stage.time.advance(waited_ms)
    block = rtcp.ReportBlock(100, 0, 0, 1, 0, 77 << 16 & 0xFFFFFFFF, held_ms * 65536 // 1000)
    stage.from_subscriber(rtcp.build_receiver_report(9, [block]))


def test_a_pages_reports_tell_its_round_trip() -> None:
    stage = Stage("s")
    assert stage.relay.round_trips() == {}
    report(stage, 80, 20)
    connection, ns = stage.relay.round_trips()["s"]
    assert connection == stage.subscribers[0].connection
    assert ns == pytest.approx(60 * MS, abs=MS)


def test_a_report_that_claims_to_be_older_than_it_can_be_tells_nothing() -> None:
    stage = Stage("s")
    report(stage, 80, 200)
    assert stage.relay.round_trips() == {}


def test_an_answer_to_a_check_of_ours_tells_the_round_trip_before_there_is_any_media() -> None:
    story, wire = Story(), Wire(1)
    story.take(story.request(), wire)
    check = next(m for data in wire.sent if (m := stun.parse(data)).is_request)
    story.now += 45 * MS
    story.take(stun.success(check, ("192.0.2.9", 9), "wrong" * 5), wire)
    assert story.agent.round_trip.least_ns == 0
    story.take(stun.success(check, ("192.0.2.9", 9), THEIR_PASSWORD), wire)
    assert story.agent.round_trip.least_ns == 45 * MS


async def test_it_is_written_at_once_then_when_it_changes_and_only_of_who_is_recorded(tmp_path: Path) -> None:
    clock = FakeClock()
    async with scene(tmp_path, clock) as stage:
        await stage.plan("a!", "b")
        for offset, peer in enumerate("ab"):
            stage.publish(peer, "audio", "0", 10 + offset)
        for second in range(20):
            clock.now_ns += NS
            for peer in "ab":
                stage.sessions[peer].round_trip_ns = (80 if second < 9 else 61) * MS
            await stage.second()
        await stage.plan("a2!", "b")
        stage.publish("a", "audio", "0", 12)
        stage.sessions["a"].round_trip_ns = 30 * MS
        clock.now_ns += NS
        await stage.second()
    with Journal(tmp_path, "room1", [1], {"a": KEY}, KEY) as journal:
        events = journal.survey(None).events
    told = [(e.peer, e.fields["us"]) for e in events if e.name == "round_trip"]
    assert told == [("a", 80_000), ("a", 61_000), ("a", 30_000)]


def group(first_s: float) -> Connection:
    stream = Stream(1, "a", "audio", "", "audio/opus", 1, 48_000)
    stream.first_at = round(first_s * NS)
    return Connection([stream])


def told(at_s: float, name: str, **fields: Any) -> Event:
    return Event(round(at_s * NS), 1, "a", name, fields)


def test_each_connection_goes_by_the_least_that_was_told_of_it() -> None:
    events = [
        told(1.0, "joined"), told(1.2, "connected"), told(1.3, "round_trip", us=90_000),
        told(6.0, "round_trip", us=80_000), told(30.0, "joined"), told(30.1, "connected"),
        told(30.2, "round_trip", us=300_000), told(60.0, "joined"), told(60.1, "connected"),
    ]  # fmt: skip
    groups = [group(1.5), group(30.5), group(60.2)]
    # The third was too short to tell anything: mostly the same person on the same line.
    assert ways_ns(groups, events) == [40 * MS, 150 * MS, 150 * MS]


def test_a_new_stream_of_the_same_connection_shares_what_was_told_of_it() -> None:
    events = [told(1.0, "joined"), told(1.2, "connected"), told(1.3, "round_trip", us=90_000)]
    assert ways_ns([group(1.5), group(20.0)], events) == [45 * MS, 45 * MS]


@pytest.mark.parametrize("us", [0, -4, "90000", None, 1 << 60, 2.5])
def test_what_is_no_round_trip_moves_nothing(us: object) -> None:
    assert ways_ns([group(1.0)], [told(1.0, "round_trip", us=us)]) == [0]


def test_a_report_that_names_the_same_sender_report_again_tells_no_round_trip() -> None:
    """While a picture is paused nothing newer is there to name, and the queue of then is not one of now."""
    sent = SentReports()
    sent.note(7 << 32, 1_000 * MS)
    block = ReportBlock(200, 0, 0, 0, 0, 7 << 16, 0)
    assert sent.took_ns(block, 3_500 * MS) == 2_500 * MS
    assert sent.took_ns(block, 4_500 * MS) is None
    sent.note(9 << 32, 5_000 * MS)
    assert sent.took_ns(ReportBlock(200, 0, 0, 0, 0, 9 << 16, 0), 5_080 * MS) == 80 * MS
