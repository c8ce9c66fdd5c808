"""One three-party room of synthetic peers: its plan, its offers and answers, its paced sending.

It speaks the worker's control channel through `media.control_client` only and owns its peers; it starts no
task without the owner it was given.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from typing import Any

from media.bench.dtls import Identity
from media.bench.peer import SyntheticPeer
from media.bench.traffic import (
    AUDIO,
    AUDIO_BYTES,
    AUDIO_CLOCK,
    AUDIO_RATE,
    LOW,
    LOW_BYTES,
    PACKETS_PER_FRAME,
    STAMP,
    VIDEO,
    VIDEO_BYTES,
    VIDEO_CLOCK,
    VIDEO_FPS,
    stamp,
    vp8_head,
)
from media.control import PeerPlan, RoomPlan
from media.control_client import ControlClient
from media.tasks import TaskOwner

SEATS = 3
MAX_BEHIND = 0.1  # s; later than that, missed ticks are skipped and counted instead of sent in one burst


class Load:
    """State all peers of a generator share: the phase put into stamps, and how late its own timers were."""

    def __init__(self) -> None:
        self.phase = 0
        self.sending = True
        self.late_ms: list[float] = []
        self.skipped = 0


class Pacer:
    """Sends one peer's audio and video at their rates, on absolute due times, until the load stops."""

    def __init__(self, peer: SyntheticPeer, load: Load) -> None:
        self._peer = peer
        self._load = load
        self._loop = asyncio.get_running_loop()
        self._filler = os.urandom(VIDEO_BYTES)
        self._counters = {AUDIO: 0, VIDEO: 0, LOW: 0}
        self._picture = secrets.randbelow(1 << 14)
        self.measured = {AUDIO: 0, VIDEO: 0, LOW: 0}

    def start(self, shift: float) -> None:
        """Begins `shift` seconds from now, so that peers do not all send at the same instant."""
        due = self._loop.time() + shift
        self._loop.call_at(due, self._audio, due)
        self._loop.call_at(due, self._video, due)

    def _on_time(self, due: float, every: float, packets: int) -> float:
        """When the next tick is due. A generator that was held up skips what it missed, and says so:

        a burst of everything missed would be a load nobody asked for, and its losses not the worker's.
        """
        behind = time.monotonic() - due
        missed = int(behind / every) if behind > MAX_BEHIND else 0
        if self._load.phase:
            self._load.late_ms.append(behind * 1000)
            self._load.skipped += missed * packets
        return due + every * (1 + missed)

    def _packet(self, kind: int, head: bytes, size: int, timestamp: int, marker: bool) -> None:
        filler = head + self._filler[: size - len(head) - STAMP.size]
        now_ns = time.monotonic_ns()  # uvloop's clock stands still inside an iteration
        phase = self._load.phase
        payload = stamp(filler, self._peer.index, kind, phase, self._counters[kind], now_ns)
        self._counters[kind] += 1
        self.measured[kind] += phase
        self._peer.send_rtp(kind, payload, timestamp, marker)

    def _audio(self, due: float) -> None:
        if not self._load.sending or self._peer.failed:
            return
        self._packet(AUDIO, b"\xfc", AUDIO_BYTES, int(due * AUDIO_CLOCK), False)
        due = self._on_time(due, 1 / AUDIO_RATE, 1)
        self._loop.call_at(due, self._audio, due)

    def _video(self, due: float) -> None:
        if not self._load.sending or self._peer.failed:
            return
        key, self._peer.want_key = self._peer.want_key, False
        self._peer.hold()
        for index in range(PACKETS_PER_FRAME):
            head = vp8_head(index == 0, key, self._picture)
            last = index == PACKETS_PER_FRAME - 1
            self._packet(VIDEO, head, VIDEO_BYTES, int(due * VIDEO_CLOCK), last)
        if self._peer.layered:
            low, self._peer.want_low_key = self._peer.want_low_key, False
            head = vp8_head(True, low, self._picture)
            self._packet(LOW, head, LOW_BYTES, int(due * VIDEO_CLOCK), True)
        self._peer.release()
        self._picture = self._picture + 1 & 0x7FFF
        due = self._on_time(due, 1 / VIDEO_FPS, PACKETS_PER_FRAME)
        self._loop.call_at(due, self._video, due)


class BenchRoom:
    """A room of SEATS peers in which everybody is recorded (or nobody, when `record` is false)."""

    def __init__(
        self,
        number: int,
        client: ControlClient,
        owner: TaskOwner,
        identity: Identity,
        layered: bool = False,
    ) -> None:
        self.room = secrets.token_urlsafe(16)
        self.epoch = 1
        self.closed = asyncio.Event()
        self.errors: list[str] = []
        names = [secrets.token_urlsafe(16) for _ in range(SEATS)]
        indices = {name: number * SEATS + seat for seat, name in enumerate(names)}
        self.peers = {name: SyntheticPeer(name, indices[name], identity, indices, layered) for name in names}
        self.connections = {name: f"{secrets.token_urlsafe(8)}.{self.epoch}.1" for name in names}
        self.keys = {name: secrets.token_bytes(32) for name in names}
        self.room_key = secrets.token_bytes(32)
        self._client = client
        self._owner = owner
        self._version = 0

    def plan(self, record: bool, closed: bool = False, present: int = SEATS) -> RoomPlan:
        """The room's whole wanted state, with the next version; `present`: so many of its peers are in it."""
        self._version += 1
        peers = {
            name: PeerPlan(
                connection=self.connections[name],
                grant=f"grant-{name[:8]}-bench" if record else None,
                key=self.keys[name] if record else None,
            )
            for name in list(self.peers)[:present]
        }
        return RoomPlan(
            room=self.room,
            epoch=self.epoch,
            version=self._version,
            closed=closed,
            peers={} if closed else peers,
            room_key=self.room_key if record else None,
        )

    def event(self, event: dict[str, Any]) -> None:
        """One event of the worker about this room."""
        if event["ev"] == "offer":
            self._owner.start(self._answer(event))
        elif event["ev"] == "closed":
            self.closed.set()
        elif event["ev"] == "peer" and event.get("state") == "failed":
            self.errors.append("a connection failed")

    async def _answer(self, event: dict[str, Any]) -> None:
        name, connection = event["peer"], event["connection"]
        if connection != self.connections.get(name):
            return
        try:
            sdp = self.peers[name].accept_offer(event["sdp"], event["tracks"])
            await self._client.answer(self.room, name, connection, event["offer_id"], sdp)
        except Exception as error:
            self.errors.append(f"{type(error).__name__}: {error}")
            raise

    def complete(self) -> bool:
        """True when everybody has got audio and video of everybody else."""
        wanted = {(p.index, kind) for p in self.peers.values() for kind in (AUDIO, VIDEO)}
        return all(
            {who for who in wanted if who[0] != peer.index} <= set(peer.received.tallies)
            for peer in self.peers.values()
        )

    def trouble(self) -> str | None:
        """The first thing that went wrong in this room, or None."""
        failed = [peer.failed for peer in self.peers.values() if peer.failed]
        return next(iter(self.errors + failed), None)

    def close(self) -> None:
        for peer in self.peers.values():
            peer.close()
