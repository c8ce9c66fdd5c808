"""A line with a rate and a queue in front of a receiver that estimates as browsers do, all on a test's own
clock.

The receiver's rule is that of libwebrtc's receive side: an estimate is 85 % of what arrives when the queue
grows, else it rises by 8 % a second to at most one and a half times what arrives; there is none for the
first 5 s.
"""

from __future__ import annotations

import bisect
from collections import deque
from collections.abc import Callable
from operator import itemgetter
from random import Random

from media.rtp import rtcp
from tests.support.outbox import MS, Outbox, Time, fields

NS = 1_000_000_000
VIDEO_SSRCS = (200, 201, 300, 301)
"""A camera and an examination, each with its retransmissions."""
OVERHEAD = 28 + 16
GROWS_MS = 15


class ThinLine(Outbox):
    """An Outbox whose packets pass a queue. Call `look` every 100 ms, after `clock` was set."""

    clock: Time
    rate_bps: float = 1e9
    delay_ms: float = 40
    queue_bytes: int = 64_000
    bursts = False
    """Two packets in a row pass at any rate, as through a token bucket: pairs of checks lie."""
    noise_ms: float = 0
    """So late at most an answer is sent or read, as where processors are few."""

    def __init__(self, peer: str) -> None:
        super().__init__(peer)
        self._free_ns = 0
        self._arriving: deque[tuple[int, int, int, int]] = deque()
        self._answers: list[tuple[int, int, Callable[[int, int], None]]] = []
        self._chance = Random(7)
        self._recent: deque[tuple[int, int]] = deque()
        self._voice = [0, 0]
        self._late: deque[float] = deque(maxlen=3)
        self._first_ns = 0
        self._reported_ns = 0
        self._telling: deque[tuple[int, int, int]] = deque()
        """Sender reports in the queue: when each comes out, whose, and its time."""
        self._told = (0, 0, 0)
        """The last that came out."""
        self.remb_bps = 0.0
        self.voice_ms: list[float] = []
        """How long each packet of a voice waited in the queue; -1 = it was thrown away."""
        self.padding = 0
        self.arrived: dict[int, int] = {}
        """Bytes by SSRC that came out of the queue."""

    def _enter(self, size: int) -> int:
        """When a packet leaves the queue, or 0."""
        now = self.clock.now_ns
        waits = max(0, self._free_ns - now)
        if waits * self.rate_bps / 8e9 > self.queue_bytes:
            return 0
        self._free_ns = now + waits + int((size + OVERHEAD) * 8 * NS / self.rate_bps)
        return self._free_ns

    def _carry(self, size: int, ssrc: int) -> None:
        leaves = self._enter(size)
        if ssrc == 100:
            self._voice[0] += 1
            self._voice[1] += not leaves
            self.voice_ms.append((leaves - self.clock.now_ns) / MS if leaves else -1)
        if leaves:
            self._arriving.append((leaves, self.clock.now_ns, size, ssrc))

    def send(self, packet: bytearray | memoryview, length: int) -> None:
        if packet[0] & 0x20:
            self.padding += length
        self._carry(length, fields(bytes(packet[:12]))[3])

    def forward(self, packet: bytes, pt: int, seq: int, timestamp: int, ssrc: int) -> None:
        self._carry(len(packet), ssrc)

    def send_rtcp(self, packet: bytes) -> None:
        super().send_rtcp(packet)
        for part in rtcp.split(packet):
            info = rtcp.parse_sender_info(part)
            leaves = self._enter(len(packet)) if info is not None and info.ssrc in VIDEO_SSRCS else 0
            if info is not None and leaves:
                self._telling.append((leaves, info.ssrc, info.ntp >> 16 & 0xFFFFFFFF))

    def probe(self, fill: int, heard: Callable[[int, int], None]) -> bool:
        leaves = self._free_ns if fill and self.bursts else self._enter(fill + 120)
        if leaves:
            back_ns = leaves + int((2 * self.delay_ms + self._chance.uniform(0, self.noise_ms)) * MS)
            bisect.insort(self._answers, (back_ns, self.clock.now_ns, heard), key=itemgetter(0))
        return True

    def answer(self) -> None:
        """Answers to probes that have come back by now."""
        while self._answers and self._answers[0][0] <= self.clock.now_ns:
            back_ns, sent_ns, heard = self._answers.pop(0)
            heard(sent_ns, back_ns)

    def look(self) -> None:
        """What the receiver makes of what has arrived, and its reports."""
        now = self.clock.now_ns
        waited: list[float] = []
        while self._arriving and self._arriving[0][0] <= now:
            at_ns, sent_ns, size, ssrc = self._arriving.popleft()
            self.arrived[ssrc] = self.arrived.get(ssrc, 0) + size
            if ssrc in VIDEO_SSRCS:
                self._first_ns = self._first_ns or at_ns
                self._recent.append((at_ns, size))
                waited.append((at_ns - sent_ns) / MS)
        while self._recent and self._recent[0][0] < now - NS // 2:
            self._recent.popleft()
        if waited:
            self._late.append(min(waited))
            self._estimate(now)
        if now - self._reported_ns >= NS:
            self._reported_ns = now
            sent, lost = self._voice
            block = rtcp.ReportBlock(100, 0, lost, sent, 0, 0, 0)
            while self._telling and self._telling[0][0] <= now:
                self._told = self._telling.popleft()
            came_ns, ssrc, told = self._told
            blocks = [block]
            if came_ns and self._recent:
                since = (now - came_ns) * 65536 // NS
                blocks.append(rtcp.ReportBlock(ssrc, 0, 0, 0, 0, told, since))
            self._tell(rtcp.build_receiver_report(1, blocks))

    def _estimate(self, now: int) -> None:
        throughput = sum(size for _, size in self._recent) * 16
        known = self.remb_bps
        if now - self._first_ns < NS // 2:
            return
        if self._late[-1] - self._late[0] > GROWS_MS:
            self.remb_bps = min(known or 1e9, 0.85 * throughput)
        elif known:
            most = 1.5 * throughput + 10_000
            if known < most:
                self.remb_bps = min(most, known * 1.08**0.1)
        elif now - self._first_ns > 5 * NS:
            self.remb_bps = throughput
        if self.remb_bps:
            self._tell(rtcp.build_remb(1, int(self.remb_bps), [200]))

    def _tell(self, compound: bytes) -> None:
        assert self.sink is not None
        self.sink.on_rtcp(compound, self.clock.now_ns)
