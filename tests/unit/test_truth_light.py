"""The truth light on the media side: what came in against what is on disk, each track for itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from media.control import PausePlan
from media.truth import Comparison
from signaling.inbound import media_event
from tests.support.recorded import NS, FakeClock
from tests.support.rooms import CONSULTING, REFERRING
from tests.support.scene import Scene, scene
from tests.support.stage import Stage

AUDIO, CAMERA = (111, "audio", 10), (96, "camera", 20)
Alarm = tuple[str, str, str]


@dataclass
class Talk:
    """Two seats, a and b, that send sound and picture second by second."""

    stage: Scene
    clock: FakeClock
    number: int = 0

    async def second(self, sending: tuple[str, ...] = ("audio", "camera"), every_ms: int = 100) -> set[Alarm]:
        """One second of packets, synced; the alarms at its end."""
        for _ in range(1000 // every_ms):
            self.clock.now_ns += every_ms * 1_000_000
            self.number += 1
            for offset, peer in enumerate("ab"):
                for pt, kind, ssrc in (AUDIO, CAMERA):
                    if kind in sending:
                        self.stage.packet(peer, pt, self.number, ssrc + offset)
        event = await self.stage.second()
        await self.stage.synced()
        return {(one["peer"], one["kind"], one["cause"]) for one in event["degraded"]}


@asynccontextmanager
async def talking(folder: Path) -> AsyncIterator[Talk]:
    clock = FakeClock()
    async with scene(folder, clock) as stage:
        await stage.plan("a!", "b!")
        for offset, peer in enumerate("ab"):
            stage.publish(peer, "audio", "0", AUDIO[2] + offset)
            stage.publish(peer, "camera", "1", CAMERA[2] + offset)
        talk = Talk(stage, clock)
        for _ in range(3):
            assert await talk.second() == set()
        yield talk


class _Losing:
    """A way to the recorder on which the pictures of `a` are lost."""

    def __init__(self, whole: Any) -> None:
        self._whole = whole

    def rtp(self, peer: str, kind: str, *more: Any) -> None:
        if (peer, kind) != ("a", "camera"):
            self._whole.rtp(peer, kind, *more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)


def drop_in_relay(stage: Scene) -> Callable[[], None]:
    relay: Any = stage.room._relay
    whole = relay.recorder
    relay.recorder = _Losing(whole)
    return lambda: setattr(relay, "recorder", whole)


def drop_in_recorder(stage: Scene) -> Callable[[], None]:
    recorder: Any = stage.recorder
    whole = recorder._track
    seat = recorder._seats["a"]
    seat.tracks.pop(("camera", ""))
    recorder._track = lambda of, kind, *more: (
        None if kind == "camera" and of is seat else whole(of, kind, *more)
    )
    return lambda: setattr(recorder, "_track", whole)


def drop_in_batches(stage: Scene) -> Callable[[], None]:
    """The whole seat's batches are lost between the loop and the writer, which counts on all the same."""
    store: Any = stage.store
    whole = store._apply
    feed = stage.recorder._seats["a"].feed

    def losing(work: Any, barriers: Any) -> None:
        if work.feed is feed and work.batch is not None and work.batch.tracks:
            work.batch.parts, work.batch.tracks = [work.batch.parts[0]], {}
        whole(work, barriers)

    store._apply = losing
    return lambda: setattr(store, "_apply", whole)


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        (drop_in_relay, {"camera"}),
        (drop_in_recorder, {"camera"}),
        (drop_in_batches, {"audio", "camera"}),
    ],
)
async def test_what_is_lost_between_relay_and_disk_is_named_within_four_seconds_and_unnamed_once_it_flows(
    tmp_path: Path, fault: Callable[[Scene], Callable[[], None]], kinds: set[str]
) -> None:
    async with talking(tmp_path) as talk:
        mend = fault(talk.stage)
        seen = [await talk.second() for _ in range(5)]
        wanted = {("a", kind, "store_behind") for kind in kinds}
        assert seen[0] == seen[1] == set(), "a second or two is how a healthy store works"
        assert seen[4] == seen[3] == wanted
        mend()
        await talk.second()
        assert await talk.second() == set()


async def test_a_layer_that_is_not_stored_is_an_alarm_although_the_other_one_is() -> None:
    comparison = Comparison()
    found: list[tuple[str, str]] = []
    for second in range(1, 6):
        now = second * NS
        found = comparison.behind(now, {("a", "camera", "l"): now, ("a", "camera", "h"): now}, {
            ("a", "camera", "l"): now - NS // 2, ("a", "camera", "h"): NS,
        })  # fmt: skip
    assert found == [("a", "camera")]


async def test_a_layer_given_up_while_it_was_not_stored_is_no_alarm_for_ever() -> None:
    comparison = Comparison()
    found: dict[int, bool] = {}
    for second in range(1, 31):
        now = second * NS
        arrived = {("a", "camera", "l"): now, ("a", "camera", "h"): min(now, 6 * NS)}
        stored = {("a", "camera", "l"): now - NS // 2, ("a", "camera", "h"): 2 * NS}
        found[second] = bool(comparison.behind(now, arrived, stored))
    assert [second for second, alarm in found.items() if alarm] == list(range(6, 16))


@pytest.mark.parametrize("paused", [False, True])
async def test_a_rooms_own_file_that_is_not_written_for_three_seconds_is_an_alarm_also_in_a_pause(
    tmp_path: Path, paused: bool
) -> None:
    async with talking(tmp_path) as talk:
        store: Any = talk.stage.store
        whole, room = store._apply, talk.stage.recorder._room.feed
        store._apply = lambda work, barriers: (work.feed is room and work.batch) or whole(work, barriers)
        if paused:
            await talk.stage.plan("a!", "b!", pause=PausePlan("a", "other"))
        alarms = [await talk.second() for _ in range(5)]
        assert alarms[1] == set(), "a second or two is how it always is"
        assert {(peer, cause) for peer, _, cause in alarms[-1]} == {("a", "store_slow"), ("b", "store_slow")}


async def test_nothing_is_said_of_what_came_before_the_grant_or_after_it(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        await talk.stage.plan("a", "b!")
        for _ in range(5):
            assert await talk.second() == set()
        await talk.stage.plan("a!", "b!")
        for _ in range(5):
            assert await talk.second() == set()


async def test_dtx_raises_no_alarm_and_a_dead_capture_does(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        for _ in range(8):
            assert {kind for _, kind, _ in await talk.second(("audio",), every_ms=500)} <= {"camera"}
        seen = await talk.second(("audio",))
        assert seen == {("a", "camera", "no_packets"), ("b", "camera", "no_packets")}
        assert await talk.second() == set()


@pytest.mark.parametrize("sending", [(), ("audio",)])
async def test_who_is_muted_raises_no_alarm_whether_or_not_the_browser_sends_silence(
    tmp_path: Path, sending: tuple[str, ...]
) -> None:
    async with talking(tmp_path) as talk:
        await talk.stage.plan("a!", "b!", muted="ab")
        for _ in range(6):
            assert await talk.second(sending) == set()
        await talk.stage.plan("a!", "b!")
        assert await talk.second() == set()


async def test_fifteen_minutes_of_everybody_muted_and_dark_are_recorded(tmp_path: Path) -> None:
    """Both sides of the light on one clock: the store's reports, and what the room makes of them."""
    room = Stage().live(REFERRING, CONSULTING)
    async with talking(tmp_path) as talk:
        await talk.stage.plan("a!", "b!", muted="ab")
        await talk.second(())
        for _ in range(15 * 60):
            assert await talk.second(()) == set()
            report = talk.stage.events[-1]
            parsed = media_event({**report, "seats": {REFERRING: report["seats"]["a"]}})
            assert parsed is not None
            room.on(parsed[1])
            room.passes(1_000)
            assert room.light() == "recording"
            assert report["stored_until_ms"] >= talk.clock.wall_ns() // 1_000_000 - 2_000
