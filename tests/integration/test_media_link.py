"""The fleet between rooms and one real media worker: keys, order, loss and return."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from media.control_client import ControlLostError
from server.runtime.fleet import Fleet
from server.runtime.keystore import KeyStore
from server.runtime.supervisor import WorkerOptions
from server.runtime.workers import LocalWorkers
from signaling.ports import PeerPlan, Plan

RECORDING = "recording-0000001"
SEAT = "seat-00000000000a"
SILENT = "seat-00000000000b"


class Rooms:
    """Stands where the hub stands."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.losses = 0
        self.changed = asyncio.Condition()
        self.on_loss: list[Plan] = []
        self.link: Fleet | None = None

    async def media_event(self, event: dict[str, Any]) -> None:
        async with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    async def media_lost(self, sessions: Mapping[str, int]) -> None:
        assert sessions == {RECORDING: 1}
        for plan in self.on_loss:
            await self.put_again(plan)
        async with self.changed:
            self.losses += 1
            self.changed.notify_all()

    async def put_again(self, plan: Plan) -> None:
        """As a room's line does: until there is a worker."""
        assert self.link is not None
        async with asyncio.timeout(15):
            while True:
                try:
                    return await self.link.put_plan(plan)
                except ControlLostError:
                    await asyncio.sleep(0.05)

    async def until_event(self, kind: str, **fields: object) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            for event in self.events:
                if event["ev"] == kind and fields.items() <= event.items():
                    return event
            return None

        async with asyncio.timeout(15), self.changed:
            await self.changed.wait_for(found)
        event = found()
        assert event is not None
        return event

    async def until_losses(self, count: int) -> None:
        async with asyncio.timeout(15), self.changed:
            await self.changed.wait_for(lambda: self.losses >= count)


class Heads:
    """A head store in memory."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, int, dict[str, Any]]] = []

    async def add_heads(self, recording: str, epoch: int, heads: Mapping[str, Mapping[str, Any]]) -> None:
        self.kept.append((recording, epoch, {name: dict(head) for name, head in heads.items()}))


class Rig:
    def __init__(self, tmp_path: Path) -> None:
        self.data = tmp_path
        self.keys = KeyStore.open(tmp_path)
        self.rooms = Rooms()
        self.heads = Heads()
        options = WorkerOptions(
            journal_root=tmp_path / "journal",
            run_dir=tmp_path / "run",
            udp_host="127.0.0.1",
            announce=("127.0.0.1",),
        )
        self.workers = LocalWorkers(options, (0,))
        self.link = Fleet(self.workers, self.keys, self.heads)
        self.link.attach(self.rooms)
        self.rooms.link = self.link

    def segments(self, epoch: int) -> list[str]:
        folder = self.data / "journal" / RECORDING / str(epoch)
        return sorted(path.name.split(".")[0] for path in folder.glob("*.seg"))

    async def until_segments(self, epoch: int, names: set[str]) -> None:
        """Files are made by the store's thread, a little after the plan was accepted."""
        async with asyncio.timeout(5):
            while set(self.segments(epoch)) != names:  # noqa: ASYNC110 - a folder has no event
                await asyncio.sleep(0.02)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path)
    await made.link.start()
    yield made
    await made.link.stop()


def both(epoch: int, version: int, closed: bool = False) -> Plan:
    peers = {
        SEAT: PeerPlan(f"a.{epoch}.1", True, True, "grant-0001"),
        SILENT: PeerPlan(f"b.{epoch}.1", True, True, None),
    }
    return Plan(room=RECORDING, epoch=epoch, version=version, closed=closed, peers={} if closed else peers)


async def test_only_a_granted_peer_gets_a_key_and_a_segment(rig: Rig) -> None:
    await rig.link.put_plan(both(1, 1))
    offer = await rig.rooms.until_event("offer", peer=SEAT)
    assert offer["connection"] == "a.1.1"
    await rig.rooms.until_event("offer", peer=SILENT)
    await rig.rooms.until_event("stored", room=RECORDING)
    assert rig.keys.seats(RECORDING) == ["room", SEAT]
    await rig.until_segments(1, {"room", SEAT})


async def test_a_seat_that_has_stepped_out_has_no_segment_until_it_is_back(rig: Rig) -> None:
    plan = both(1, 1)
    out = replace(plan.peers[SEAT], aside=True, private=True)
    routes: dict[str, tuple[tuple[str, str], ...]] = {SEAT: (), SILENT: ()}
    await rig.link.put_plan(replace(plan, peers={**plan.peers, SEAT: out}, routes=routes))
    await rig.until_segments(1, {"room"})  # its thread makes the file
    rig.rooms.events.clear()
    await rig.rooms.until_event("stored", room=RECORDING)
    assert rig.segments(1) == ["room"]
    await rig.link.put_plan(both(1, 2))
    await rig.until_segments(1, {"room", SEAT})


async def test_closing_seals_the_journal_and_keeps_the_heads_apart_from_it(rig: Rig) -> None:
    await rig.link.put_plan(both(1, 1))
    await rig.rooms.until_event("stored", room=RECORDING)
    assert not await rig.link.wait_closed(RECORDING, 1, 0.05)
    await rig.link.put_plan(both(1, 2, closed=True))
    assert await rig.link.wait_closed(RECORDING, 1, 5)
    await rig.rooms.until_event("closed", room=RECORDING, epoch=1)
    assert rig.heads.kept
    recording, epoch, heads = rig.heads.kept[-1]
    assert (recording, epoch) == (RECORDING, 1)
    assert {"room", SEAT} <= heads.keys()
    assert all({"segment", "index", "hash"} <= head.keys() for head in heads.values())


async def test_a_recording_the_worker_never_knew_needs_no_waiting(rig: Rig) -> None:
    assert await rig.link.wait_closed("recording-0000009", 4, 0.01)


async def test_after_a_kill_the_rooms_are_told_once_and_may_go_on_at_once(rig: Rig) -> None:
    await rig.link.put_plan(both(1, 1))
    await rig.until_segments(1, {"room", SEAT})
    rig.rooms.on_loss = [both(2, 2)]
    [place] = rig.workers.places()
    assert place.pid is not None
    os.kill(place.pid, signal.SIGKILL)
    await rig.rooms.until_losses(1)
    again = await rig.rooms.until_event("offer", peer=SEAT, epoch=2)
    assert again["connection"] == "a.2.1"
    assert rig.rooms.losses == 1
    await rig.until_segments(2, {"room", SEAT})
    assert rig.segments(1), "what was recorded before is still there"


async def test_while_there_is_no_worker_a_plan_is_refused_aloud(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    with pytest.raises(ControlLostError):
        await rig.link.put_plan(both(1, 1))
    assert not rig.link.ready
    await rig.link.stop()


async def test_a_broken_channel_to_a_living_worker_is_mended_with_the_current_plans(rig: Rig) -> None:
    await rig.link.put_plan(both(1, 1))
    await rig.rooms.until_event("offer", peer=SEAT)
    [link] = rig.link.links.values()
    client = link._client
    assert client is not None
    client._protocol.close()
    await client.wait_lost()
    async with asyncio.timeout(5):
        while not rig.link.ready:  # noqa: ASYNC110 - there is no event for a test to wait for
            await asyncio.sleep(0.02)
    rig.rooms.events.clear()
    await rig.rooms.until_event("stored", room=RECORDING)
    assert rig.rooms.losses == 0
    assert rig.workers.starts == 1
    assert await link.metrics()


async def test_a_seat_whose_key_was_destroyed_takes_part_unrecorded(rig: Rig) -> None:
    rig.keys.seat_key(RECORDING, SEAT)
    rig.keys.destroy(RECORDING, SEAT)
    await rig.link.put_plan(both(1, 1))
    await rig.rooms.until_event("offer", peer=SEAT)
    await rig.rooms.until_event("stored", room=RECORDING)
    assert SEAT not in rig.segments(1)


async def test_people_in_a_plan_are_told_as_live(rig: Rig) -> None:
    live: list[str] = []
    rig.link.on_live = live.append
    await rig.link.put_plan(both(1, 1))
    await rig.link.put_plan(both(1, 2, closed=True))
    assert live == [RECORDING]


async def test_stopping_takes_in_the_last_heads(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.link.start()
    await rig.link.put_plan(both(1, 1))
    await rig.rooms.until_event("stored", room=RECORDING)
    before = len(rig.heads.kept)
    await rig.link.stop()
    assert len(rig.heads.kept) > before
    assert set(rig.heads.kept[-1][2]) >= {"room", SEAT}
