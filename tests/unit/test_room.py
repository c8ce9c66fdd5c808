"""One room from its plans: who is subscribed to what, what is recorded, what a failure leaves standing."""

from __future__ import annotations

from pathlib import Path

import pytest

from media.ports import Delivery
from media.relay import Relay
from tests.support.outbox import Outbox
from tests.support.scene import scene


def segments(folder: Path) -> int:
    return len(list(folder.glob("room1/1/*.seg")))


def both(*peers: str) -> set[tuple[str, str]]:
    return {(peer, kind) for peer in peers for kind in ("audio", "camera")}


async def test_everybody_gets_sound_and_picture_of_everybody_else(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.plan("a", "b", "c")
        assert set(stage.sessions["a"].wanted) == both("b", "c")
        assert set(stage.sessions["c"].wanted) == both("a", "b")
        await stage.plan("a", "c")
        assert set(stage.sessions["a"].wanted) == both("c")
        assert stage.sessions["b"].state == "closed"


async def test_who_left_is_detached_before_its_session_closes(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.plan("a", "b")
        stage.publish("a", "audio", "0", 10)
        leaver = stage.sessions["b"]
        leaver.deliveries = {("a", "audio"): Delivery("a", "audio", "4", 100, None, True)}
        leaver.connect()
        stage.packet("a", 111, 1, 10)
        assert len(leaver.rtp) == 1
        seen: list[int] = []

        async def close() -> None:
            stage.packet("a", 111, 2, 10)
            seen.append(len(leaver.rtp))

        leaver.close = close  # type: ignore[method-assign]
        await stage.plan("a")
        assert seen == [1]


async def test_a_screen_is_delivered_only_once_it_sends(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.plan("a", "b")
        stage.publish("a", "screen", "2", 30)
        await stage.second()
        assert set(stage.sessions["b"].wanted) == both("a")
        stage.packet("a", 96, 1, 30)
        await stage.second()
        assert set(stage.sessions["b"].wanted) == both("a") | {("a", "screen")}


async def test_nothing_of_a_seat_without_a_grant_is_recorded(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.plan("a!", "b")
        for peer, ssrc in (("a", 10), ("b", 20)):
            stage.publish(peer, "audio", "0", ssrc)
            stage.packet(peer, 111, 1, ssrc)
        assert stage.counters.packets_recorded == 1
        await stage.plan("a", "b!")
        stage.packet("a", 111, 2, 10)
        assert stage.counters.packets_recorded == 1
        stage.packet("b", 111, 2, 20)
        assert stage.counters.packets_recorded == 2
        assert set((await stage.second())["seats"]) == {"b"}


async def test_nothing_of_a_seat_that_has_stepped_out_is_recorded_and_the_journal_says_why(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as stage:
        await stage.plan("a!", "b!")
        for peer, ssrc in (("a", 10), ("b", 20)):
            stage.publish(peer, "audio", "0", ssrc)
            stage.packet(peer, 111, 1, ssrc)
        assert stage.counters.packets_recorded == 2
        await stage.plan("a!-", "b!")
        for peer, ssrc in (("a", 10), ("b", 20)):
            stage.packet(peer, 111, 2, ssrc)
        assert stage.counters.packets_recorded == 3
        told = next(event for event in reversed(stage.events) if event["ev"] == "dismissed")
        assert (told["peer"], told["cause"]) == ("a", "aside")
        assert set((await stage.second())["seats"]) == {"b"}
        await stage.plan("a!", "b!")
        stage.packet("a", 111, 3, 10)
        assert stage.counters.packets_recorded == 4
        await stage.room.close()
        assert segments(tmp_path) == 4, "room, b, and two of a: none is opened again"


async def test_a_new_connection_of_a_recorded_seat_goes_on_being_recorded(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.plan("a!")
        await stage.plan("a2!")
        assert stage.sessions["a"].connection == "a2.1.1"
        stage.publish("a", "audio", "0", 11)
        stage.packet("a", 111, 1, 11)
        assert stage.counters.packets_recorded == 1
        await stage.room.close()
        assert segments(tmp_path) == 2


async def test_a_peer_whose_connection_cannot_be_made_leaves_the_others_theirs(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        stage.refused = {"b"}
        await stage.plan("a", "b", "c")
        assert set(stage.room.state()["peers"]) == {"a", "c"}
        assert set(stage.sessions["a"].wanted) == both("c")
        assert stage.counters.room_failures == 1
        stage.refused = set()
        await stage.second()
        assert set(stage.room.state()["peers"]) == {"a", "b", "c"}


async def test_closing_tells_the_heads_then_the_end_and_never_twice(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        await stage.plan("a!")
        stage.publish("a", "audio", "0", 10)
        stage.packet("a", 111, 1, 10)
        await stage.plan(closed=True)
        await stage.room.close()
        told = [event["ev"] for event in stage.events]
        assert told[-2:] == ["heads", "closed"]
        assert told.count("closed") == 1
        assert set(stage.events[-2]["heads"]) == {"a", "room"}
        await stage.plan("a!")
        assert stage.room.state()["peers"] == {}


async def test_a_room_joins_receivers_anew_when_a_track_begins_and_not_every_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined: list[int] = []
    relink = Relay.relink

    def counted(relay: Relay) -> None:
        joined.append(1)
        relink(relay)

    async with scene(tmp_path) as stage:
        await stage.plan("a", "b")
        stage.publish("a", "screen", "2", 7)
        await stage.second()
        assert ("a", "screen") not in stage.sessions["b"].wanted, "nothing has come of it"
        monkeypatch.setattr(Relay, "relink", counted)
        for _ in range(3):
            await stage.second()
        assert not joined
        stage.packet("a", 96, 1, 7)
        await stage.second()
        await stage.second()
        assert ("a", "screen") in stage.sessions["b"].wanted
        assert len(joined) == 1


async def test_a_session_that_could_not_be_told_is_told_again_a_second_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(session: Outbox, wanted: list[tuple[str, str]]) -> None:
        raise RuntimeError("not now")

    async with scene(tmp_path) as stage:
        with monkeypatch.context() as broken:
            broken.setattr(Outbox, "set_subscriptions", fails)
            await stage.plan("a", "b")
            await stage.second()
        assert stage.sessions["a"].wanted == []
        await stage.second()
        assert ("b", "audio") in stage.sessions["a"].wanted
