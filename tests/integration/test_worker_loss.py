"""Three peers over lines that lose packets, through a real worker: what is lost on either side comes back.

Everything random is seeded. The journal must hold what was recovered on the way up.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from pylibsrtp._binding import lib

from media.bench.dtls import Identity
from media.bench.peer import SyntheticPeer
from media.bench.room import SEATS, BenchRoom, Load, Pacer
from media.bench.traffic import AUDIO, VIDEO
from media.rtp import rtcp, rtx
from media.rtp.packets import payload_offset
from media.tasks import TaskOwner
from tests.integration.worker_process import WorkerProcess, worker_process
from tests.support.impairment import candidates
from tests.support.impairment.profile import CLEAN, Loss, Profile
from tests.support.impairment.relay import Relay

RTX_PT = 97
ASK_AGAIN_S = 0.15
TRIES = 6
LOSSY = Profile(loss=Loss.independent(0.05), media_only=True)


class AskingPeer(SyntheticPeer):
    """Asks again for what it misses, as a browser does."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._highest: dict[int, int] = {}
        self._asked: dict[tuple[int, int], int] = {}
        self.healed = 0

    def _rtp(self, packet: bytes) -> None:
        second, sequence, _, ssrc = struct.unpack_from("!xBHII", packet)
        if second & 0x7F == RTX_PT:
            payload = payload_offset(packet)
            original = rtx.original_sequence(packet, payload)
            if original < 0:
                return
            ssrc = next(base for base, other in self._pairs().items() if other == ssrc)
            packet, sequence = rtx.unwrap(packet, payload, 96, ssrc), original
        if self._asked.pop((ssrc, sequence), None) is not None:
            self.healed += 1
        self._note(ssrc, sequence)
        super()._rtp(packet)

    def _pairs(self) -> dict[int, int]:
        assert self._offer is not None
        return {a: b for m in self._offer.media for a, b in m.ssrcs.items() if b is not None}

    def _note(self, ssrc: int, sequence: int) -> None:
        highest = self._highest.get(ssrc)
        ahead = 1 if highest is None else (sequence - highest) & 0xFFFF
        if 0 < ahead < 0x8000:
            self._highest[ssrc] = sequence
            missing = [(sequence - back) & 0xFFFF for back in range(ahead - 1, 0, -1)]
            for number in missing:
                self._asked[ssrc, number] = 0
            if missing:
                self._later(0.01, lambda: self._ask(ssrc, missing))

    def _ask(self, ssrc: int, numbers: list[int]) -> None:
        wanted = [n for n in numbers if self._asked.get((ssrc, n), TRIES) < TRIES]
        if not wanted or self._closed:
            return
        for number in wanted:
            self._asked[ssrc, number] += 1
        self._protect_and_send(rtcp.build_nack(1, ssrc, wanted), lib.srtp_protect_rtcp)
        self._later(ASK_AGAIN_S, lambda: self._ask(ssrc, wanted))


class LossyRoom(BenchRoom):
    """Every peer reaches the worker by a line of its own."""

    def __init__(self, worker: WorkerProcess, owner: TaskOwner, lines: list[Relay]) -> None:
        identity = Identity()
        super().__init__(0, worker.client, owner, identity)
        indices = {name: peer.index for name, peer in self.peers.items()}
        for peer in self.peers.values():
            peer.close()
        self.asking = [AskingPeer(name, index, identity, indices) for name, index in indices.items()]
        self.peers = {peer.name: peer for peer in self.asking}
        self.lines = dict(zip(self.peers, lines, strict=True))

    def event(self, event: dict[str, Any]) -> None:
        if event["ev"] == "offer":
            port = self.lines[event["peer"]].port
            event = {**event, "sdp": candidates.through(event["sdp"], port, tcp=False)}
        super().event(event)


async def eventually(check: Callable[[], bool], what: str, timeout: float = 15.0) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout
    while not check():
        assert loop.time() < end, what
        await asyncio.sleep(0.05)


@asynccontextmanager
async def talk(
    worker: WorkerProcess, seconds: float, line: Profile
) -> AsyncIterator[tuple[LossyRoom, list[Pacer]]]:
    """A room that has talked for so long and then been quiet long enough for every repair."""
    owner, load = TaskOwner("test"), Load()
    lines = [await Relay(worker.ready["udp_port"], line, seed=seed).open() for seed in range(SEATS)]
    room = LossyRoom(worker, owner, lines)

    def on_event() -> None:
        for event in worker.events[on_event.done :]:  # type: ignore[attr-defined]
            if event.get("room") == room.room:
                room.event(event)
        on_event.done = len(worker.events)  # type: ignore[attr-defined]

    on_event.done = 0  # type: ignore[attr-defined]
    worker.listeners.append(on_event)
    try:
        yield room, await _talk(worker, room, load, seconds)
    finally:
        room.close()
        await owner.close()
        for one in lines:
            await one.close()


async def _talk(worker: WorkerProcess, room: LossyRoom, load: Load, seconds: float) -> list[Pacer]:
    await worker.client.put_plan(room.plan(record=True))
    pacers = [Pacer(peer, load) for peer in room.asking]
    await eventually(lambda: all(peer.connected.is_set() for peer in room.asking), "not connected")
    for index, pacer in enumerate(pacers):
        pacer.start(0.003 * index)
    await eventually(room.complete, "not everybody has everybody")
    load.phase = 1
    await asyncio.sleep(seconds)
    load.phase = 0
    for _ in range(15):  # a machine that stands still takes one of them, not all the time for repairs
        await asyncio.sleep(0.1)
    load.sending = False
    assert room.trouble() is None
    return pacers


def missing(room: LossyRoom, pacers: list[Pacer], kind: int) -> tuple[int, int]:
    """(packets of the measured time that never reached a receiver, all that should have)."""
    lost = total = 0
    for source, pacer in zip(room.asking, pacers, strict=True):
        for receiver in room.asking:
            if receiver is not source:
                lost += pacer.measured[kind] - receiver.received.tallies[source.index, kind].measured
                total += pacer.measured[kind]
    return lost, total


async def test_five_per_cent_lost_on_either_side_comes_back() -> None:
    async with worker_process() as worker, talk(worker, 5, LOSSY) as (room, pacers):
        for peer in room.asking:
            stats = room.lines[peer.name].stats()
            assert stats["up"].lost > 20
            assert stats["down"].lost > 40
            assert peer.healed > 20
            assert peer.received.corrupt == peer.received.misrouted == 0
        for kind, allowed in ((VIDEO, 0.0005), (AUDIO, 0.01)):
            lost, total = missing(room, pacers, kind)
            assert total > 1000
            assert lost <= total * allowed, (kind, lost, total)
        metrics = await worker.client.metrics()
        assert metrics["packets_recovered"] > 50
        assert metrics["packets_resent"] > 100
        # Every packet that reached the worker, recovered ones included, went to the recorder too.
        assert metrics["packets_recorded"] * 2 >= metrics["packets_forwarded"] - metrics["packets_in"] * 0.05


async def test_a_clean_line_costs_no_repair() -> None:
    async with worker_process() as worker, talk(worker, 2, CLEAN) as (room, pacers):
        assert missing(room, pacers, AUDIO)[0] == missing(room, pacers, VIDEO)[0] == 0
        metrics = await worker.client.metrics()
        assert metrics["nacks_sent"] == metrics["packets_resent"] == metrics["packets_unknown"] == 0
        stored = worker.last("stored")
        assert stored is not None
        assert stored["degraded"] == []
