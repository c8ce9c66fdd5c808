"""One connection as a receiver of pictures: what it is sent and reports, what is believed and tried of it.

Gathers and remembers; what follows from it, `media/lines.py` decides. Must not see a packet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from media.allocation import Allocation, Key
from media.breaks import Breaks
from media.doubt import Doubt
from media.downlink import Downlink
from media.endpoint import Endpoint
from media.trial import Trial

SENT_TICKS = 10
"""What is sent is judged over about a second."""
FRESH_NS = 1_500_000_000
"""A report older than this says nothing of a queue now."""
DISTANCE_S = 15
"""The least round trip of so many seconds is the distance; whatever is more is a queue."""
TELLING_PACKETS = 40
"""Of fewer a share lost says nothing: silence is five packets a second."""
BELIEVED_BPS = 5_000_000
"""A line that looks faster than this through pairs of checks is just not seen by them."""
TRIAL_ECHO_NS = 2_000_000_000
VOICE_HEAD_BYTES = 48
"""Headers, SRTP, UDP and IP of each packet of a voice."""


@dataclass(slots=True)
class Receiver:
    """One endpoint as a receiver of pictures."""

    endpoint: Endpoint
    downlink: Downlink
    remb_bps: int = 0
    sent: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=SENT_TICKS))
    """(when, bytes of pictures sent until then), the last second of it."""
    voice: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=SENT_TICKS))
    allocation: Allocation = field(default_factory=lambda: Allocation({}))
    trial: Trial | None = None
    doubt: Doubt | None = None
    tried_ns: int = -TRIAL_ECHO_NS
    """When the last trial ended."""
    carries_bps: int = 0
    """The whole line, by the last trial; 0 = not known."""
    took: deque[int] = field(default_factory=lambda: deque(maxlen=DISTANCE_S))
    """The round trips of the last reports, ns."""
    reported: dict[Key, tuple[int, int]] = field(default_factory=dict)
    expected: int = 0
    missed: float = 0.0
    padded: int = 0
    """Bytes of padding sent so far."""
    breaks: Breaks = field(default_factory=Breaks)

    def note_sent(self, now_ns: int) -> None:
        octets = self.padded
        voice = 0
        for (_, kind), subscription in self.endpoint.subscriptions.items():
            if kind == "audio":
                voice += subscription.octets + VOICE_HEAD_BYTES * subscription.packets
            else:
                octets += subscription.octets
        self.sent.append((now_ns, octets))
        self.voice.append((now_ns, voice))

    def sent_bps(self) -> int:
        """0 while that cannot be said."""
        return rate(self.sent)

    def voice_bps(self) -> int:
        """What its voices take on the line; 0 while that cannot be said."""
        return rate(self.voice)

    def carried_bps(self, now_ns: int) -> int:
        """What the line carried before a trial that is on, or whose packets may still be on their way; else
        0."""
        in_trial = self.trial is not None or now_ns - self.tried_ns < TRIAL_ECHO_NS
        return self.allocation.spent_bps if in_trial else 0

    def pad(self, size: int, now_ns: int) -> int:
        """Sends padding on any of its pictures' lines; how much."""
        for (_, kind), subscription in self.endpoint.subscriptions.items():
            if kind != "audio":
                sent = subscription.pad(size, now_ns)
                self.padded += sent
                return sent
        return 0

    def end_trial(self, carried: bool, now_ns: int) -> None:
        if self.trial is not None and 0 < self.trial.carries_bps < BELIEVED_BPS:
            self.carries_bps = self.trial.carries_bps
        said_bps = self.trial.carries_bps if self.trial is not None and self.trial.padded else 0
        self.trial, self.tried_ns = None, now_ns
        self.downlink.tried(carried, self.allocation.need_bps, said_bps, now_ns)

    @property
    def distance_ns(self) -> int:
        """The round trip without a queue; 0 while it is not known."""
        return min(self.took) if self.took else self.endpoint.round_trip_ns

    def queue_ns(self, now_ns: int) -> int:
        """How much longer than at best of late its last report took; 0 where there is none of late. Once a
        second: a way may become another one, with another distance."""
        endpoint = self.endpoint
        took_ns, least_ns = endpoint.round_trip_now_ns, endpoint.round_trip_ns
        if now_ns - endpoint.round_trip_told_ns >= FRESH_NS or not took_ns or not least_ns:
            return 0
        self.took.append(took_ns if self.took else least_ns)
        return max(0, took_ns - min(self.took))

    def loss(self) -> float | None:
        """The share of all that it was sent and has missed since this last said anything; None while too
        little was sent to tell."""
        for key, subscription in self.endpoint.subscriptions.items():
            highest, missed = subscription.reported
            before = self.reported.get(key, (highest, missed))
            self.reported[key] = (highest, missed)
            if highest > before[0]:
                sent = highest - before[0]
                # What the source's own way here had lost is no fault of this line.
                before_us = 0 if subscription.stream is None else subscription.stream.lost * sent / 256
                self.expected += sent
                self.missed += max(0.0, missed - before[1] - before_us)
        if self.expected < TELLING_PACKETS:
            return None
        share = min(1.0, self.missed / self.expected)
        self.expected, self.missed = 0, 0.0
        return share


def rate(counts: Sequence[tuple[int, int]]) -> int:
    """Bit/s out of (ns, bytes so far); 0 while that cannot be said."""
    if len(counts) < 2:
        return 0
    (first_ns, first), (last_ns, last) = counts[0], counts[-1]
    if last_ns <= first_ns or last < first:
        return 0
    return (last - first) * 8 * 1_000_000_000 // (last_ns - first_ns)
