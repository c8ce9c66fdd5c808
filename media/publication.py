"""A source track: one peer's audio, camera, screen or exam as it arrives here.

Asks its sender for what is missing and for key frames (coalesced, scheduled, never dropped). It forwards
nothing
itself: the relay moves packets to its subscriptions. Time is an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from media.metrics import Counters
from media.ports import AUDIO_KINDS
from media.rtp import rtcp
from media.rtp.nack import NEVER
from media.tracks import SourceStream

if TYPE_CHECKING:
    from media.subscription import Subscription

PLI_INTERVAL_NS = 500_000_000
SILENT_NS = 1_000_000_000
"""A source that has sent nothing for this long is not asked again until it sends."""
FIRST_KEYFRAME_NS = 20_000_000
"""A stream mostly begins with a key frame: given this long before one is asked for."""
MAX_STREAMS = 8


class Publication:
    """One (peer, kind). `send_rtcp` goes to its publisher; `wake` asks the relay to call `poll` at a time
    (ns)."""

    def __init__(
        self,
        peer: str,
        kind: str,
        local_ssrc: int,
        send_rtcp: Callable[[bytes], None],
        wake: Callable[[int], None],
        counters: Counters,
    ) -> None:
        self.peer = peer
        self.kind = kind
        self.video = kind not in AUDIO_KINDS
        self.streams: dict[int, SourceStream] = {}
        self.current: SourceStream | None = None
        self.subscriptions: tuple[Subscription, ...] = ()
        self.last_packet_ns = 0
        self._counters = counters
        self._local_ssrc = local_ssrc
        self._send_rtcp = send_rtcp
        self._wake = wake
        self._keyframe_wanted = False
        self._asked_ns = -PLI_INTERVAL_NS

    def add_stream(self, ssrc: int, rid: str = "") -> SourceStream | None:
        """The stream of an SSRC, new or known; None when there are too many."""
        stream = self.streams.get(ssrc)
        if stream is None:
            if len(self.streams) >= MAX_STREAMS:
                return None
            stream = self.streams[ssrc] = SourceStream(self.kind, rid, ssrc)
        return stream

    def keep_streams(self, ssrcs: set[int]) -> None:
        """Forgets streams that the publisher's answer no longer lists."""
        for ssrc in self.streams.keys() - ssrcs:
            stream = self.streams.pop(ssrc)
            if stream is self.current:
                self.current = None

    def elect(self, stream: SourceStream, at_ns: int) -> bool:
        """Whether `stream` is what subscribers get, now that it has sent a packet."""
        current = self.current
        if current is None or at_ns - current.last_ns >= SILENT_NS:
            self.current = stream
            if self._keyframe_wanted:
                self._wake(at_ns + FIRST_KEYFRAME_NS)
            return True
        return current is stream

    def ask_keyframe(self, now_ns: int) -> None:
        """Somebody needs a key frame: asked at once, or when the last request is 500 ms old."""
        if not self.video:
            return
        self._keyframe_wanted = True
        self._request_keyframe(now_ns)

    def key_frame_came(self, stream: SourceStream, at_ns: int) -> None:
        """The first packet of a key frame of `stream` has arrived."""
        stream.key_ns = at_ns
        if stream is self.current:
            self._keyframe_wanted = False

    def poll(self, now_ns: int) -> int:
        """Sends the NACKs and PLIs that are due; returns when to be called next (ns), or NEVER."""
        due = NEVER
        for stream in self.streams.values():
            missing = stream.missing
            if missing.next_due_ns <= now_ns:
                ask, lost = missing.due(now_ns, stream.sequence.highest, stream.rtt_ns)
                if ask:
                    self._counters.nacks_sent += len(ask)
                    self._send_rtcp(rtcp.build_nack(self._local_ssrc, stream.ssrc, ask))
                if lost:
                    self.ask_keyframe(now_ns)
            if stream.overrun:
                stream.overrun = False
                self.ask_keyframe(now_ns)
            due = min(due, missing.next_due_ns)
        return min(due, self._request_keyframe(now_ns))

    def report_blocks(self, now_ns: int) -> list[rtcp.ReportBlock]:
        """Report blocks for this track's streams. Audio carries the worst subscriber's loss, so that the
        publisher's encoder protects itself (in-band FEC) for the worst listener."""
        worst = 0
        if not self.video:
            worst = max((s.fraction_lost for s in self.subscriptions), default=0)
        blocks = (
            stream.report_block(now_ns, worst)
            for stream in self.streams.values()
            if now_ns - stream.last_ns < 10 * SILENT_NS
        )
        return [block for block in blocks if block is not None]

    def _request_keyframe(self, now_ns: int) -> int:
        """Sends a wanted PLI if its time has come; returns when to look again."""
        current = self.current
        if not self._keyframe_wanted or current is None or now_ns - current.last_ns > SILENT_NS:
            return NEVER
        due = self._asked_ns + PLI_INTERVAL_NS
        if now_ns >= due:
            self._asked_ns = now_ns
            self._counters.keyframe_requests += 1
            self._send_rtcp(rtcp.build_pli(self._local_ssrc, current.ssrc))
            due = now_ns + PLI_INTERVAL_NS
        self._wake(due)
        return due
