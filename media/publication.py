"""A source track: one peer's audio, camera, screen or exam as it arrives here, in one stream or in layers.

Asks its sender for what is missing and for key frames (per layer; coalesced, scheduled, never dropped), and
says which subscription listens to which stream. It forwards nothing itself. Time is an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from media.codecs import RED_PT
from media.layers import GONE_NS, SCREEN_GONE_NS, flowing
from media.metrics import Counters
from media.ports import AUDIO_KINDS
from media.repeat import Repeaters
from media.rtp import rtcp
from media.rtp.nack import NEVER
from media.tracks import NO_PT, SourceStream

if TYPE_CHECKING:
    from media.subscription import Subscription

PLI_INTERVAL_NS = 500_000_000
STILLS_PLI_INTERVAL_NS = 1_200_000_000
"""Of a camera with a picture or two a second over a thin line: a key frame comes half a second after the
request and takes two on its way. Asked for every half second it comes twice, and the next stills wait behind
it; asked for every three seconds, one that was lost costs ten (tests/browser/test_survival.py)."""
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
        self.subscriptions: tuple[Subscription, ...] = ()
        self.last_packet_ns = 0
        self.pli_interval_ns = PLI_INTERVAL_NS
        self._red = False
        self._gone_ns = SCREEN_GONE_NS if kind == "screen" else GONE_NS
        self._repeaters = Repeaters()
        self._counters = counters
        self._local_ssrc = local_ssrc
        self._send_rtcp = send_rtcp
        self._wake = wake

    def add_stream(self, ssrc: int, rid: str = "") -> SourceStream | None:
        """The stream of an SSRC, new or known; None when there are too many."""
        stream = self.streams.get(ssrc)
        if stream is None:
            if len(self.streams) >= MAX_STREAMS:
                return None
            stream = self.streams[ssrc] = SourceStream(self.kind, rid, ssrc, red=self._red)
        return stream

    def take_red(self, red: bool) -> None:
        """Whether the publisher may send redundancy, as its answer says."""
        self._red = red
        for stream in self.streams.values():
            stream.red_pt = RED_PT if red else NO_PT

    def pace(self, rtt_ns: int) -> None:
        """The round trip to the publisher: so long an answer to a NACK takes."""
        for stream in self.streams.values():
            stream.rtt_ns = rtt_ns

    def each_second(self, now_ns: int) -> None:
        """Receivers are to show pictures only when what was lost of them could be there. Sound
        goes twice to those who need it."""
        if not self.video:
            changed = self._repeaters.look(self.subscriptions, now_ns)
            if changed or any(stream.stripped for stream in self.streams.values()):
                self.decide(now_ns)
        else:
            late = (s.late_ns(now_ns) for s in self.streams.values())
            late_ns = max(late, default=0)
            for subscription in self.subscriptions:
                subscription.hold_back(late_ns, now_ns)

    def of_rid(self, rid: str) -> SourceStream | None:
        """The newest stream of a layer."""
        return next((stream for stream in reversed(self.streams.values()) if stream.rid == rid), None)

    def keep_streams(self, ssrcs: set[int]) -> None:
        """Forgets streams that the publisher's answer no longer lists."""
        for ssrc in self.streams.keys() - ssrcs:
            del self.streams[ssrc]

    # -- who gets what
    # ----------------------------------------------------------------------------------------

    def serve(self, subscriptions: tuple[Subscription, ...], now_ns: int) -> None:
        """From now on these are its subscribers; new ones begin with a key frame."""
        before, self.subscriptions = self.subscriptions, subscriptions
        for subscription in subscriptions:
            if subscription not in before:
                subscription.open(self.streams.values())
        self.decide(now_ns)

    def decide(self, now_ns: int) -> None:
        """Gives every subscriber the layer it should have by what flows now. A switch happens at the next
        key frame; until then a subscriber hears both layers."""
        streams = tuple(self.streams.values())
        flows = flowing(streams, self._gone_ns)
        for stream in streams:
            self._note_flow(stream, stream in flows, now_ns)
        for subscription in self.subscriptions:
            target = subscription.layer.choose(flows, subscription.target)
            if target is None and subscription.layer.highest in ("stills", "off"):
                subscription.hold()
            elif target is not None and target is not subscription.target:
                subscription.target = target
                if target is not subscription.stream:
                    self.ask_keyframe(target, now_ns)
        for stream in streams:
            listeners = tuple(
                self._repeaters.of(s) for s in self.subscriptions if stream in (s.target, s.stream)
            )
            if listeners != stream.listeners:
                stream.listeners, stream.fan = listeners, None
            stream.stripped = tuple(s for s in stream.listeners if not s.red)

    def _note_flow(self, stream: SourceStream, flows: bool, now_ns: int) -> None:
        if stream.idle and flows:
            stream.began_ns = now_ns
            if stream.key_wanted:
                self._wake(now_ns + FIRST_KEYFRAME_NS)
        stream.idle = not flows

    # -- key frames and losses
    # --------------------------------------------------------------------------------

    def ask_keyframe(self, stream: SourceStream, now_ns: int) -> None:
        """Somebody needs a key frame: asked at once, or when the last request is `pli_interval_ns` old."""
        if self.video:
            stream.key_wanted = True
            self._request_keyframe(stream, now_ns)

    def ask_keyframes(self, rid: str, now_ns: int) -> None:
        """The same for every stream of a layer."""
        for stream in self.streams.values():
            if stream.rid == rid:
                self.ask_keyframe(stream, now_ns)

    def poll(self, now_ns: int) -> int:
        """Sends the NACKs and PLIs that are due; returns when to be called next (ns), or NEVER."""
        due = NEVER
        for stream in self.streams.values():
            missing = stream.missing
            if missing.given_up != missing.told:
                self._counters.packets_lost += missing.given_up - missing.told
                missing.told = missing.given_up
            if missing.next_due_ns <= now_ns:
                ask, lost = missing.due(now_ns, stream.sequence.highest, stream.rtt_ns)
                if ask:
                    self._counters.nacks_sent += len(ask)
                    self._send_rtcp(rtcp.build_nack(self._local_ssrc, stream.ssrc, ask))
                if lost:
                    self.ask_keyframe(stream, now_ns)
            if stream.overrun:
                stream.overrun = False
                self.ask_keyframe(stream, now_ns)
            due = min(due, missing.next_due_ns, self._request_keyframe(stream, now_ns))
        return due

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

    def _request_keyframe(self, stream: SourceStream, now_ns: int) -> int:
        """Sends a wanted PLI if its time has come; returns when to look again."""
        if not stream.key_wanted or now_ns - stream.last_ns > SILENT_NS:
            return NEVER
        due = max(stream.asked_ns + self.pli_interval_ns, stream.began_ns + FIRST_KEYFRAME_NS)
        if now_ns >= due:
            stream.asked_ns = now_ns
            self._counters.keyframe_requests += 1
            self._send_rtcp(rtcp.build_pli(self._local_ssrc, stream.ssrc))
            due = now_ns + self.pli_interval_ns
        self._wake(due)
        return due
