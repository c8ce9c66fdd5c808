"""A room page without a browser: real HTTP, real socket, a synthetic peer for the media, counters in packets.

It comes back by itself, as the page does, when its socket or its connection is gone. Every packet it sends
carries a counter and the CLOCK_BOOTTIME of its sending; `sent` keeps them, to hold what is stored against.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import socketio

from media.bench.dtls import Identity
from media.bench.peer import SyntheticPeer
from media.bench.traffic import AUDIO, AUDIO_BYTES, AUDIO_CLOCK, STAMP, VIDEO, VIDEO_CLOCK, stamp, vp8_head
from server.domain.consent import CONSENT_VERSION
from signaling.namespace import NAMESPACE
from tests.support.demo import Demo
from tests.support.impairment import candidates
from tests.support.website import Browser

TICK_S = 0.02
FRAME_EVERY = 5  # ticks: ten pictures a second, two packets each
KEY_EVERY = 20  # frames
VIDEO_SIZE = 500


def boottime_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


@dataclass
class HeadlessPage:
    """enter(), then it sends until leave() or close()."""

    demo: Demo
    role: str
    index: int
    identity: Identity = field(default_factory=Identity)
    sent: dict[int, list[int]] = field(default_factory=lambda: {AUDIO: [], VIDEO: []})
    """kind -> boottime ns of each counter, in order."""
    connects: list[int] = field(default_factory=list)
    """When each connection began to carry media, boottime ns."""
    lights: list[dict[str, Any]] = field(default_factory=list)
    snapshots: list[dict[str, Any]] = field(default_factory=list)
    sources: dict[str, int] = field(default_factory=dict)
    """Seat -> index of whoever else sends, to tell apart what is received."""
    mic: bool = True
    web_port: int | None = None
    """Where its socket goes, if not straight to the server."""
    media_port: int | None = None
    """The same for its media, over UDP."""
    _browser: Browser | None = None
    _http: aiohttp.ClientSession | None = None
    _client: Any = None
    _peer: SyntheticPeer | None = None
    _connection: str = ""
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _offers: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    _gone: bool = False

    @property
    def seat(self) -> str:
        return self.demo.seat_id(self.role)

    @property
    def flowing(self) -> bool:
        """Whether the current connection has carried a second of media."""
        return bool(self.connects) and self._carries() and boottime_ns() - self.connects[-1] > 1_000_000_000

    @property
    def connection(self) -> str:
        """The current one's id."""
        return self._connection

    @property
    def _web_url(self) -> str:
        return self.demo.base_url if self.web_port is None else f"http://127.0.0.1:{self.web_port}"

    @property
    def seated(self) -> bool:
        """Whether a socket of it is in the room."""
        return self._client is not None and self._client.connected

    def heard(self) -> int:
        """Packets of others that this connection has received."""
        return 0 if self._peer is None else sum(len(t.seen) for t in self._peer.received.tallies.values())

    async def says(self, event: str, message: dict[str, Any]) -> dict[str, Any]:
        """One event to the room; its ack."""
        answer: dict[str, Any] = await self._client.call(event, message, namespace=NAMESPACE, timeout=10)
        return answer

    async def enter(self) -> None:
        """Redeem the link, consent, join; everything after that is kept up by itself."""
        self._browser = Browser(self.demo.base_url, None)
        token = self.demo.seat(self.role)["room_url"].split("#")[1]
        answer = await self._browser.post(f"/api/seats/{self.seat}/redeem", {"token": token})
        assert answer.status == 200, answer.text
        await self.decide("granted")
        self._tasks = [asyncio.create_task(run()) for run in (self._keep_in, self._answer_offers, self._send)]

    async def decide(self, decision: str) -> None:
        """Give or take back consent, as the page does: over HTTP."""
        assert self._browser is not None
        consent = {"decision": decision, "persons": ["A"], "language": "en", "version": CONSENT_VERSION}
        answer = await self._browser.post(f"/api/seats/{self.seat}/consent", consent)
        assert answer.status == 200, answer.text

    async def leave(self) -> None:
        """Fall silent, leave, and stay away."""
        self._gone = True
        self._tasks[-1].cancel()
        await asyncio.sleep(0.3)  # the last packets are on their way
        with contextlib.suppress(Exception):
            await self._client.call("leave", {}, namespace=NAMESPACE, timeout=5)
        await self.close()

    async def close(self) -> None:
        self._gone = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._peer is not None:
            self._peer.close()
        with contextlib.suppress(Exception):
            await self._client.disconnect()
        if self._http is not None:
            await self._http.close()
        if self._browser is not None:
            await self._browser.close()

    # -- inside ----------------------------------------------------------------------------------------------

    async def _keep_in(self) -> None:
        while not self._gone:
            if self._client is None or not self._client.connected:
                with contextlib.suppress(Exception):
                    await self._connect()
            await asyncio.sleep(0.2)

    async def _connect(self) -> None:
        assert self._browser is not None
        cookies = "; ".join(f"{name}={value}" for name, value in self._browser.cookies().items())
        if self._http is None:
            self._http = aiohttp.ClientSession()
        client = socketio.AsyncClient(reconnection=False, http_session=self._http)
        client.on("offer", self._offers.put_nowait, namespace=NAMESPACE)
        client.on("recording", self.lights.append, namespace=NAMESPACE)
        client.on("snapshot", self.snapshots.append, namespace=NAMESPACE)
        await client.connect(
            self._web_url, headers={"Cookie": cookies, "Origin": self.demo.base_url},
            auth={"seat": self.seat}, namespaces=[NAMESPACE], transports=["websocket"],
        )  # fmt: skip
        self._client = client
        join = {"mic": self.mic, "camera": True, "resume": None}
        answer = await client.call("join", join, namespace=NAMESPACE, timeout=10)
        if not answer["ok"]:
            await client.disconnect()

    async def _answer_offers(self) -> None:
        while True:
            offer = await self._offers.get()
            if offer["connection"] != self._connection:
                if self._peer is not None:
                    self._peer.close()
                self._connection = offer["connection"]
                self._peer = SyntheticPeer(self.seat, self.index, self.identity, self.sources)
            assert self._peer is not None
            sdp = offer["sdp"]
            if self.media_port is not None:
                sdp = candidates.through(sdp, self.media_port, tcp=False)
            sdp = self._peer.accept_offer(sdp, offer["tracks"])
            answer = {"connection": offer["connection"], "offer_id": offer["offer_id"], "sdp": sdp}
            with contextlib.suppress(Exception):
                await self._client.call("answer", answer, namespace=NAMESPACE, timeout=10)

    def _carries(self) -> bool:
        return self._peer is not None and self._peer.connected.is_set() and self._peer.failed is None

    async def _send(self) -> None:
        loop, filler = asyncio.get_running_loop(), os.urandom(VIDEO_SIZE)
        due, tick, frame, before = loop.time(), 0, 0, ""
        while True:
            due = max(due + TICK_S, loop.time() - 0.1)
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not self._carries():
                continue
            if self._connection != before:
                before = self._connection
                self.connects.append(boottime_ns())
                frame = 0
            self._packet(
                AUDIO, b"\xfc" + filler[: AUDIO_BYTES - 1 - STAMP.size], int(due * AUDIO_CLOCK), False
            )
            tick += 1
            if tick % FRAME_EVERY == 0:
                for part in range(2):
                    head = vp8_head(part == 0, frame % KEY_EVERY == 0, frame & 0x7FFF)
                    body = head + filler[: VIDEO_SIZE - len(head) - STAMP.size]
                    self._packet(VIDEO, body, int(due * VIDEO_CLOCK), part == 1)
                frame += 1

    def _packet(self, kind: int, body: bytes, timestamp: int, marker: bool) -> None:
        assert self._peer is not None
        now = boottime_ns()
        payload = stamp(body, self.index, kind, 1, len(self.sent[kind]), now)
        self.sent[kind].append(now)
        self._peer.send_rtp(kind, payload, timestamp, marker)
