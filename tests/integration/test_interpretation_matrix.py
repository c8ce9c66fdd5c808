"""Every cell of the interpretation matrix in a real media worker, counted packet by packet.

Five peers of stamped packets, the room's own rules, the plans they make: what the table calls `off` gets not
one packet of that source, what it calls `front` or `behind` gets all; and nothing is ever negotiated anew.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

from media.bench.dtls import Identity
from media.bench.peer import SyntheticPeer
from media.bench.traffic import AUDIO, AUDIO_CLOCK, KINDS, VIDEO, VIDEO_CLOCK, stamp
from media.control import PeerPlan, RoomPlan
from media.rtp.packets import read_header
from media.tasks import TaskOwner
from server.domain.permissions import abilities, chaired
from signaling import events as ev
from signaling import interpreting_events as ie
from signaling.plan import plan_of
from signaling.ports import RoomSeed
from signaling.view import snapshot_of
from tests.integration.worker_process import WorkerProcess, worker_process
from tests.support.rooms import CONSULTING, INTERPRETER, REFERRING, seat
from tests.support.stage import Stage

SECOND, BILINGUAL = "seat-interpreter-2", "seat-referring-2"
SEATS = (REFERRING, CONSULTING, INTERPRETER, SECOND, BILINGUAL)
LANGUAGES = {REFERRING: "ru", CONSULTING: "ko", INTERPRETER: "ru/ko", SECOND: "ru/ko", BILINGUAL: "ru/ko"}
RANKS = {CONSULTING: 1, REFERRING: 2, BILINGUAL: 3}
KEY_FRAME = b"\x10\x30\x10\x00\x9d\x01\x2a\x80\x02\x68\x01"
"""Without a picture id, which the relay would have to change: the stamp covers every byte."""
PACKETS = 4
TAKES_EFFECT_S = 0.5


class Listener(SyntheticPeer):
    """Remembers the numbers that came, by source and kind."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._numbers: dict[int, list[int]] = {}

    def _rtp(self, packet: bytes) -> None:
        _, sequence, _, ssrc = read_header(packet)
        self._numbers.setdefault(ssrc, []).append(sequence)
        super()._rtp(packet)

    def numbers(self, source: int, kind: int) -> list[int]:
        return next(self._numbers[s] for s, track in self._promised.items() if track == (source, kind))


class Rig:
    """The room's rules on one side, five peers on the other, a worker between."""

    def __init__(self, worker: WorkerProcess, owner: TaskOwner, waiting: tuple[str, ...]) -> None:
        self.worker = worker
        self._owner = owner
        identity = Identity()
        indices = {name: index for index, name in enumerate(SEATS)}
        self.peers = {name: Listener(name, indices[name], identity, indices) for name in SEATS}
        made = []
        for name in SEATS:
            role = name.removeprefix("seat-").rpartition("-")[0]
            role = role if role == "interpreter" else f"{role}_physician"
            rank = RANKS.get(name)
            facts = seat(name, role, set(abilities(role, verified=True)), rank)
            waits = name in waiting
            made.append(replace(facts, language=LANGUAGES[name], chaired=chaired(role), waits=waits))
        self.stage = Stage(seed=RoomSeed(seats=tuple(made))).live(*SEATS)
        self.answers = 0
        self._counter = itertools.count()
        worker.listeners.append(self._answer_newest)
        self._answered: set[int] = set()

    def _answer_newest(self) -> None:
        for index, event in enumerate(self.worker.events):
            if event["ev"] == "offer" and index not in self._answered:
                self._answered.add(index)
                self._owner.start(self._answer(event))

    async def _answer(self, event: dict[str, Any]) -> None:
        self.answers += 1
        name = event["peer"]
        sdp = self.peers[name].accept_offer(event["sdp"], event["tracks"])
        await self.worker.client.answer(event["room"], name, event["connection"], event["offer_id"], sdp)

    async def put(self) -> None:
        """The plan that the room's document makes now."""
        plan = plan_of(self.stage.document)
        assert plan is not None
        peers = {name: PeerPlan(one.connection, aside=one.aside) for name, one in plan.peers.items()}
        version = self.stage.document.version
        await self.worker.client.put_plan(RoomPlan("room1", 1, version, peers=peers, routes=plan.routes))

    async def on(self, event: ev.Event) -> None:
        self.stage.on(event)
        assert self.stage.code() is None, event
        await self.put()

    def expected(self) -> set[tuple[str, str, int]]:
        """(listener, source, kind) that the snapshots call open."""
        found = set()
        for name in SEATS:
            here = self.stage.document.seat(name)
            assert here is not None
            snapshot = snapshot_of(self.stage.document, here)
            out = {one.id for one in snapshot.participants if one.out}
            for source, level in snapshot.you.levels.items():
                if level != "off":
                    found.add((name, source, AUDIO))
                if not out & {name, source}:
                    found.add((name, source, VIDEO))
        return found

    def send(self, name: str, kind: int) -> int:
        """One packet; returns its counter."""
        counter = next(self._counter)
        now = asyncio.get_running_loop().time()
        head = KEY_FRAME if kind == VIDEO else b"\xfc"
        payload = stamp(head + os.urandom(40), SEATS.index(name), kind, 0, counter, 0)
        clock = VIDEO_CLOCK if kind == VIDEO else AUDIO_CLOCK
        self.peers[name].send_rtp(kind, payload, int(now * clock), kind == VIDEO)
        return counter

    def got(self, listener: str, source: str, kind: int) -> set[int]:
        tally = self.peers[listener].received.tallies.get((SEATS.index(source), kind))
        return set() if tally is None else tally.seen

    async def until(self, what: Callable[[], bool], told: Callable[[], str] = str) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not what():
            assert loop.time() - began < 5, told()
            await asyncio.sleep(0.005)
        return loop.time() - began

    async def counted(self, what: str) -> None:
        """Everybody sends; every open cell gets all of it and every closed one nothing."""
        wanted = self.expected()
        sent: dict[tuple[str, int], set[int]] = {}
        for _ in range(PACKETS):
            for name, kind in itertools.product(SEATS, (AUDIO, VIDEO)):
                sent.setdefault((name, kind), set()).add(self.send(name, kind))
            await asyncio.sleep(0.02)

        def missing() -> list[tuple[str, str, int, int]]:
            left = ((n, s, k, len(sent[s, k] - self.got(n, s, k))) for n, s, k in sorted(wanted))
            return [cell for cell in left if cell[3]]

        await self.until(lambda: not missing(), lambda: f"{what}: {missing()}")
        await asyncio.sleep(0.05)
        for listener, source, kind in itertools.product(SEATS, SEATS, (AUDIO, VIDEO)):
            if listener == source:
                continue
            came = sent[source, kind] & self.got(listener, source, kind)
            cell = f"{what}: {source} -> {listener} {KINDS[kind]}"
            assert len(came) == (PACKETS if (listener, source, kind) in wanted else 0), cell


@asynccontextmanager
async def rig(*waiting: str) -> AsyncIterator[Rig]:
    """Connected, and every m-line negotiated: everybody gets everybody but those who wait outside."""
    owner = TaskOwner("matrix")
    async with worker_process() as worker:
        made = Rig(worker, owner, waiting)
        try:
            await made.put()
            async with asyncio.timeout(20):
                for peer in made.peers.values():
                    await peer.connected.wait()
                for name in SEATS:
                    connection = made.stage.connection(name) or ""
                    made.stage.on(ev.PeerChanged(1, name, connection, "connected"))
                inside = [name for name in SEATS if name not in waiting]
                everything = {(n, s, k) for n, s in itertools.permutations(inside, 2) for k in (AUDIO, VIDEO)}
                while not all(made.got(*cell) for cell in everything):
                    for name, kind in itertools.product(SEATS, (AUDIO, VIDEO)):
                        made.send(name, kind)
                    await asyncio.sleep(0.05)
            yield made
            assert not [peer.failed for peer in made.peers.values() if peer.failed]
            assert all(peer.received.misrouted == peer.received.corrupt == 0 for peer in made.peers.values())
        finally:
            for peer in made.peers.values():
                peer.close()
            await owner.close()


def socket(name: str) -> str:
    return f"s-{name}"


async def test_closed_cells_carry_nothing_and_open_ones_all_in_every_mode_and_direction() -> None:
    async with rig() as room:
        answers = room.answers
        await room.counted("consecutive")
        chair, first = (CONSULTING, socket(CONSULTING)), (INTERPRETER, socket(INTERPRETER))
        second = (SECOND, socket(SECOND))
        await room.on(ie.PassiveMuted(*first))
        await room.counted("the passive one silenced")
        await room.on(ie.ModeChosen(*chair, "simultaneous"))
        for source, target in (("ru", "ko"), ("ko", "ru")):
            await room.on(ie.DirectionChosen(*first, source, target))
            for choice in ("both", "original", "interpreted"):
                for name in (REFERRING, CONSULTING, BILINGUAL):
                    room.stage.on(ie.HearingChosen(name, socket(name), choice))
                await room.put()
                await room.counted(f"{source}>{target} {choice}")
        await room.on(ie.PartnerLine(*second, True))
        await room.counted("partner line of the silenced one")
        await room.on(ie.PartnerLine(*second, False))
        await room.on(ie.HandoverStepped(*second, "request"))
        await room.on(ie.HandoverStepped(*first, "accept"))
        await room.counted("handed over")
        await room.on(ie.HandoverStepped(*first, "request"))
        await room.on(ie.HandoverStepped(*second, "accept"))
        await room.on(ie.ListenChosen(*first, REFERRING))
        await room.counted("an interpreter's own source")
        await room.on(ie.Stepped(*chair, REFERRING, True))
        await room.counted("stepped out")
        await room.on(ie.ModeChosen(*chair, "consecutive"))
        await room.counted("stepped out, consecutive")
        await room.on(ie.Stepped(*chair, REFERRING, False))
        await room.on(ie.HandoverStepped(*second, "cancel"))
        await room.counted("back")
        await room.on(ie.ModeChosen(*chair, "simultaneous"))
        await room.on(ev.SocketLost(*first))
        await room.counted("the interpreter has dropped")
        assert room.answers == answers, "nothing was negotiated"


async def test_a_change_is_heard_within_half_a_second_and_the_numbers_go_on_unbroken() -> None:
    async with rig() as room:
        chair = (CONSULTING, socket(CONSULTING))
        took: list[float] = []
        for mode in ("simultaneous", "consecutive") * 4:
            began = asyncio.get_running_loop().time()
            await room.on(ie.ModeChosen(*chair, mode))
            last = room.send(REFERRING, AUDIO)
            if mode == "consecutive":
                await room.until(lambda last=last: last in room.got(CONSULTING, REFERRING, AUDIO))
            took.append(asyncio.get_running_loop().time() - began)
            for _ in range(5):
                room.send(REFERRING, AUDIO)
                await asyncio.sleep(0.02)
        heard = room.peers[CONSULTING].numbers(SEATS.index(REFERRING), AUDIO)
        steps = {(later - earlier) & 0xFFFF for earlier, later in pairwise(heard)}
        assert steps == {1}, "to the receiver nothing is missing"
        assert sorted(took)[-2] < TAKES_EFFECT_S, f"a machine may stand still once: {took}"


async def test_who_waits_outside_gets_not_one_packet_of_the_pre_brief_and_nobody_one_of_theirs() -> None:
    async with rig(BILINGUAL) as room:
        chair, answers = (CONSULTING, socket(CONSULTING)), room.answers
        for mode in ("consecutive", "simultaneous"):
            await room.on(ie.ModeChosen(*chair, mode))
            await room.counted(f"pre-brief, {mode}")
        others = [name for name in SEATS if name != BILINGUAL]
        for other, kind in itertools.product(others, (AUDIO, VIDEO)):
            assert room.got(BILINGUAL, other, kind) == room.got(other, BILINGUAL, kind) == set()
        before = next(room._counter)
        await room.on(ie.ModeChosen(*chair, "consecutive"))
        await room.on(ie.Stepped(*chair, BILINGUAL, False))
        await room.counted("let in")
        for other, kind in itertools.product(others, (AUDIO, VIDEO)):
            assert min(room.got(BILINGUAL, other, kind)) > before, "nothing of before is sent afterwards"
        assert room.answers == answers, "nothing was negotiated"
