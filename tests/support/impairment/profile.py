"""How bad one direction of a line is. Values only: nothing here draws a number or knows the time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Loss:
    """Gilbert–Elliott: a good and a bad state, each with its own share of lost packets.

    `enter` and `leave` are the chances, per packet, of the bad state beginning and ending. Independent loss
    is the case that never enters the bad state.
    """

    good: float = 0.0
    bad: float = 1.0
    enter: float = 0.0
    leave: float = 1.0

    def __post_init__(self) -> None:
        if not all(0 <= share <= 1 for share in (self.good, self.bad, self.enter, self.leave)):
            raise ValueError("shares and chances lie between 0 and 1")
        if self.enter and not self.leave:
            raise ValueError("a bad state that never ends is a blackout")

    @classmethod
    def independent(cls, share: float) -> Loss:
        """Every packet by itself."""
        return cls(good=share)

    @classmethod
    def bursts(cls, share: float, mean: float) -> Loss:
        """In the long run `share` of the packets, in runs of `mean` packets on average (>= 1)."""
        if mean < 1 or not 0 <= share < 1:
            raise ValueError("bursts are of one packet at least, and never everything is lost")
        leave = 1 / mean
        return cls(enter=min(1.0, leave * share / (1 - share)), leave=leave)

    @property
    def share(self) -> float:
        """Lost in the long run."""
        bad_time = self.enter / (self.enter + self.leave) if self.enter else 0.0
        return self.good * (1 - bad_time) + self.bad * bad_time


NONE = Loss()


@dataclass(frozen=True)
class Profile:
    """One direction. Times in milliseconds one way, shares of 1, rate in bit/s (None = no limit).

    `jitter_ms`: each packet's delay lies evenly within ± so much of `delay_ms`, and never under 0. With
    `keep_order` (a queue, as in most real networks) a packet never overtakes one before it, so dense traffic
    comes in bunches, somewhat later than `delay_ms` on average; without, jitter itself reorders.
    `reorder`: this share is held back by `reorder_by_ms` more while others pass.
    `queue_bytes` waits before the rate limit; what finds it full is dropped. `header_bytes` is what a packet
    needs besides its data (IPv4 and UDP: 28); only the rate counts it.
    `media_only`: STUN and DTLS get through unharmed (delay and rate apply to everything).
    """

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: Loss = NONE
    duplicate: float = 0.0
    reorder: float = 0.0
    reorder_by_ms: float = 20.0
    rate_bps: float | None = None
    queue_bytes: int = 64_000
    header_bytes: int = 0
    keep_order: bool = True
    media_only: bool = False

    def __post_init__(self) -> None:
        if min(self.delay_ms, self.jitter_ms, self.reorder_by_ms, self.queue_bytes) < 0:
            raise ValueError("times and sizes are not negative")
        if not (0 <= self.duplicate <= 1 and 0 <= self.reorder <= 1):
            raise ValueError("shares lie between 0 and 1")
        if self.rate_bps is not None and self.rate_bps <= 0:
            raise ValueError("a line without any rate is a blackout")


CLEAN = Profile()
SEOUL_ALMATY = Profile(delay_ms=75, jitter_ms=10, loss=Loss.bursts(0.03, 3))
"""6,000 km and Wi-Fi at one end: 150 ms of round trip, 3 % lost in bursts of three."""
