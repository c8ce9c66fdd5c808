"""Lines that go dark and people who leave, in a real worker: what the journal calls the gap of each.

No browser: synthetic peers behind lines of their own. The plans are those that the room makes of such falls
(`tests/unit/test_lost_lines.py`); with the room in between: `test_dark_seats.py`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from media.bench.dtls import Identity
from media.bench.peer import SyntheticPeer
from media.bench.room import Load, Pacer
from media.control import PeerPlan, RoomPlan
from media.recordstore.verify import verify_journal
from media.tasks import TaskOwner
from tests.integration.test_worker_loss import LossyRoom, eventually
from tests.integration.worker_process import WorkerProcess, worker_process
from tests.support.impairment.profile import Profile
from tests.support.impairment.relay import Relay

LINE = Profile(delay_ms=20)


class FallingRoom(LossyRoom):
    """Whose peers fall, leave, and return over another connection."""

    def __init__(self, worker: WorkerProcess, owner: TaskOwner, lines: list[Relay]) -> None:
        super().__init__(worker, owner, lines)
        self.load = Load()
        self.worker = worker
        self.states: dict[str, list[str]] = {name: [] for name in self.peers}

    def event(self, event: dict[str, Any]) -> None:
        if event["ev"] == "peer":
            self.states[event["peer"]].append(event["state"])
        else:
            super().event(event)

    async def put(self, *gone: str, lost: tuple[str, ...] = ()) -> None:
        """Everybody but those is in."""
        self._version += 1
        peers = {
            name: PeerPlan(self.connections[name], grant=f"grant-{name[:8]}", key=self.keys[name])
            for name in self.peers
            if name not in gone
        }
        plan = RoomPlan(
            self.room, 1, self._version, peers=peers, room_key=self.room_key, lost=frozenset(lost)
        )
        await self.worker.client.put_plan(plan)

    def talk(self, *names: str) -> None:
        for name in names:
            Pacer(self.peers[name], self.load).start(0.01)

    async def connected(self, *names: str) -> None:
        await eventually(lambda: all(self.peers[name].connected.is_set() for name in names), "not connected")

    def another(self, name: str) -> None:
        """The page's next connection."""
        before, indices = self.peers[name], {each: peer.index for each, peer in self.peers.items()}
        before.close()
        self.peers[name] = SyntheticPeer(name, before.index, Identity(), indices)
        number = int(self.connections[name].rpartition(".")[2])
        self.connections[name] = f"{self.connections[name].rpartition('.')[0]}.{number + 1}"

    def heard(self, name: str) -> int:
        """Packets of theirs that anybody has got over present connections."""
        index = self.peers[name].index
        return sum(
            len(tally.seen)
            for peer in self.peers.values()
            for (source, _), tally in peer.received.tallies.items()
            if source == index
        )

    async def heard_again(self, name: str, packets: int = 50) -> None:
        before = self.heard(name)
        await eventually(lambda: self.heard(name) > before + packets, "not heard")

    async def back(self, *names: str) -> None:
        """Over other connections; then everybody is heard."""
        for name in names:
            self.another(name)
        await self.put()
        await self.connected(*names)
        self.talk(*names)
        for name in self.peers:
            await self.heard_again(name)


async def fall(room: FallingRoom, blinks: str, lost: str, closes: str) -> None:
    """One goes dark and comes back, one goes dark and is given up, one closes the page and its socket says
    nothing; the two return later. Then the first one leaves, and returns."""
    for name in (blinks, lost):
        room.lines[name].black_out(True)
    room.peers[closes].close()
    await eventually(lambda: room.states[closes][-1] == "failed", "it closed its connection")
    await room.put(closes, lost=(closes,))
    await eventually(lambda: all("disconnected" in room.states[n] for n in (blinks, lost)), "never silent")
    await room.put(closes, lost, lost=(closes, lost))
    room.lines[blinks].black_out(False)
    await eventually(lambda: room.states[blinks][-1] == "connected", "the light is of no use")
    room.lines[lost].black_out(False)
    await room.back(lost, closes)
    await room.put(blinks)
    await room.heard_again(lost, 400)
    await room.back(blinks)


async def test_a_dark_line_is_named_so_in_the_recording_and_so_is_who_leaves() -> None:
    async with worker_process() as worker:
        owner = TaskOwner("test")
        lines = [await Relay(worker.ready["udp_port"], LINE, seed=seed).open() for seed in range(3)]
        room = FallingRoom(worker, owner, lines)
        seen = 0

        def on_event() -> None:
            nonlocal seen
            for event in worker.events[seen:]:
                seen += 1
                if event.get("room") == room.room:
                    room.event(event)

        worker.listeners.append(on_event)
        try:
            await room.put()
            await room.connected(*room.peers)
            room.talk(*room.peers)
            await eventually(room.complete, "not everybody has everybody")
            blinks, lost, closes = room.peers
            await fall(room, blinks, lost, closes)
            room.load.sending = False
            await asyncio.wait_for(worker.client.put_plan(room.plan(record=True, closed=True)), 10)
            await asyncio.wait_for(room.closed.wait(), 10)
        finally:
            room.close()
            await owner.close()
            for line in lines:
                await line.close()
        answer: Any = verify_journal(worker.journal, room.room, room.keys, room.room_key)
    assert answer["chain"] == "intact"
    found = {
        (track["peer"], track["kind"]): [
            gap["cause"] for gap in track["gaps"] if gap["to"] - gap["from"] > 2000
        ]
        for track in answer["tracks"]
    }
    wanted = {blinks: ["network_loss", "left"], lost: ["network_loss"], closes: ["left"]}
    assert found == {(peer, kind): wanted[peer] for peer in wanted for kind in ("audio", "camera")}
