"""One direction of a line: what goes in comes out later, twice, in another order, or not at all.

Loss first, then the queue before the rate limit, then the delay. The fate of the n-th packet depends on the
seed, n and the profile alone, whatever the other direction does. Knows neither sockets nor addresses.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass

from tests.support.impairment.clock import Clock, Timer
from tests.support.impairment.profile import CLEAN, Profile

Deliver = Callable[[bytes], None]
RECOVERY_S = 0.2
"""The least time until a sender of TCP repeats what was lost (RFC 6298 has 1 s, Linux 200 ms)."""


@dataclass
class LinkStats:
    """Packets, or TCP segments, and their bytes. `queued_bytes` is of now, everything else since the start.

    entered + duplicated = left + lost + dark + blocked + queue_drops + those on their way.
    """

    entered: int = 0
    left: int = 0
    lost: int = 0
    dark: int = 0
    """Sent during a blackout."""
    blocked: int = 0
    """Stopped by a firewall before the line; see relay."""
    queue_drops: int = 0
    duplicated: int = 0
    reordered: int = 0
    """Came out after one that went in later."""
    repeated: int = 0
    """TCP segments lost and sent again."""
    bytes_in: int = 0
    bytes_out: int = 0
    queued_bytes: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


class Stream:
    """A TCP connection's direction: nothing lost, nothing out of order, stalls instead."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last = 0.0


@dataclass(frozen=True, slots=True)
class _Parcel:
    number: int
    data: bytes
    deliver: Deliver
    stream: Stream | None
    lag: float
    """Seconds of delay, jitter included."""
    free: bool
    """May be overtaken."""
    twin_lag: float | None


@dataclass(frozen=True, slots=True)
class _Fate:
    lost: bool
    spread: float
    """-1..1"""
    duplicate: float
    twin_spread: float
    reorder: float


def is_media(data: bytes) -> bool:
    """RTP or RTCP by the first byte (RFC 7983)."""
    return bool(data) and 127 < data[0] < 192


class Link:
    """See the module. `send` never raises; `close` drops what is on its way."""

    def __init__(self, clock: Clock, dice: random.Random, profile: Profile = CLEAN) -> None:
        self._clock = clock
        self._dice = dice
        self._profile = profile
        self._bad = False
        self._dark = False
        self._number = 0
        self._newest_out = 0
        self._last_release = 0.0
        self._waiting: deque[_Parcel] = deque()
        self._serving: tuple[float, Timer] | None = None
        self._flying: list[tuple[float, int, _Parcel]] = []
        self._flights = 0
        self._landing: tuple[float, Timer] | None = None
        self._parked: list[tuple[bytes, Deliver, Stream]] = []
        self.stats = LinkStats()

    @property
    def profile(self) -> Profile:
        return self._profile

    @property
    def dark(self) -> bool:
        return self._dark

    def change(self, profile: Profile) -> None:
        """From now on; what waits is served at the new rate, what is on its way arrives as it would have."""
        old, self._profile = self._profile, profile
        if self._serving is None or old.rate_bps == profile.rate_bps:
            return
        finish, timer = self._serving
        timer.cancel()
        now = self._clock.time()
        self._serve(now, max(0.0, finish - now) * (old.rate_bps or 0.0))

    def reseed(self, dice: random.Random) -> None:
        """New luck from the next packet on."""
        self._dice = dice
        self._bad = False

    def black_out(self, dark: bool) -> None:
        """While dark, datagrams are lost and TCP segments wait; what was on its way arrives."""
        self._dark = dark
        if not dark:
            parked, self._parked = self._parked, []
            for data, deliver, stream in parked:
                self.stats.entered -= 1  # counted when it was parked
                self.stats.bytes_in -= len(data)
                self.send(data, deliver, stream)

    def send(self, data: bytes, deliver: Deliver, stream: Stream | None = None) -> None:
        """One datagram, or with `stream` one segment of TCP, towards `deliver`."""
        stats, profile = self.stats, self._profile
        stats.entered += 1
        stats.bytes_in += len(data)
        if self._dark:
            if stream is None:
                stats.dark += 1
            else:
                self._parked.append((data, deliver, stream))
            return
        fate = self._throw()
        self._number += 1
        harmed = stream is None and (not profile.media_only or is_media(data))
        lag = self._lag(fate.spread)
        twin_lag = None
        free = False
        if stream is not None:
            if fate.lost:
                stats.repeated += 1
                lag += max(RECOVERY_S, 2 * profile.delay_ms / 1000)
        elif harmed:
            if fate.lost:
                stats.lost += 1
                return
            if fate.reorder < profile.reorder:
                free, lag = True, lag + profile.reorder_by_ms / 1000
            if fate.duplicate < profile.duplicate:
                twin_lag = self._lag(fate.twin_spread)
        self._enqueue(_Parcel(self._number, data, deliver, stream, lag, free, twin_lag))

    def close(self) -> None:
        """Drop everything on its way. Idempotent."""
        for held in (self._serving, self._landing):
            if held is not None:
                held[1].cancel()
        self._serving = self._landing = None
        self._waiting.clear()
        self._flying.clear()
        self._parked.clear()
        self.stats.queued_bytes = 0

    def _throw(self) -> _Fate:
        # Always the same number of throws, so that the n-th packet's are the same in every run.
        dice, loss = self._dice.random, self._profile.loss
        turn, hit = dice(), dice()
        self._bad = turn >= loss.leave if self._bad else turn < loss.enter
        lost = hit < (loss.bad if self._bad else loss.good)
        return _Fate(lost, dice() * 2 - 1, dice(), dice() * 2 - 1, dice())

    def _lag(self, spread: float) -> float:
        return max(0.0, self._profile.delay_ms + spread * self._profile.jitter_ms) / 1000

    # -- the queue before the rate limit

    def _enqueue(self, parcel: _Parcel) -> None:
        now, size = self._clock.time(), len(parcel.data)
        if self._profile.rate_bps is None and self._serving is None:
            self._launch(parcel, now)
            return
        if parcel.stream is None and self.stats.queued_bytes + size > self._profile.queue_bytes:
            self.stats.queue_drops += 1
            return
        self._waiting.append(parcel)
        self.stats.queued_bytes += size
        if self._serving is None:
            self._serve(now, self._bits(parcel))

    def _bits(self, parcel: _Parcel) -> float:
        return (len(parcel.data) + self._profile.header_bytes) * 8

    def _serve(self, start: float, bits: float) -> None:
        """The head of the queue, of which so much is still to be sent, from `start` on."""
        rate = self._profile.rate_bps
        finish = start if rate is None else start + bits / rate
        self._serving = finish, self._clock.call_at(finish, self._served, finish)

    def _served(self, finish: float) -> None:
        parcel = self._waiting.popleft()
        self.stats.queued_bytes -= len(parcel.data)
        self._serving = None
        if self._waiting:
            # From the planned end, not from now: a late timer must not cost rate.
            self._serve(finish, self._bits(self._waiting[0]))
        self._launch(parcel, finish)

    # -- the way

    def _launch(self, parcel: _Parcel, start: float) -> None:
        release = start + parcel.lag
        if parcel.stream is not None:
            release = parcel.stream.last = max(release, parcel.stream.last)
        elif self._profile.keep_order and not parcel.free:
            release = self._last_release = max(release, self._last_release)
        self._fly(parcel, release)
        if parcel.twin_lag is not None:
            self.stats.duplicated += 1
            self._fly(parcel, max(release, start + parcel.twin_lag))

    def _fly(self, parcel: _Parcel, release: float) -> None:
        # One timer and an order of our own: an event loop does not keep the order of equal times.
        self._flights += 1
        heapq.heappush(self._flying, (release, self._flights, parcel))
        if self._landing is None or release < self._landing[0]:
            self._await_landing()

    def _await_landing(self) -> None:
        if self._landing is not None:
            self._landing[1].cancel()
        self._landing = None
        if self._flying:
            when = self._flying[0][0]
            self._landing = when, self._clock.call_at(when, self._land)

    def _land(self) -> None:
        now = max(self._clock.time(), self._landing[0] if self._landing is not None else 0.0)
        self._landing = None
        while self._flying and self._flying[0][0] <= now:
            _, _, parcel = heapq.heappop(self._flying)
            self.stats.left += 1
            self.stats.bytes_out += len(parcel.data)
            if parcel.stream is None:
                if parcel.number < self._newest_out:
                    self.stats.reordered += 1
                self._newest_out = max(self._newest_out, parcel.number)
            parcel.deliver(parcel.data)
        self._await_landing()
