"""Clocks: the machine's, as the recorder reads them, and RTP's, as the finaliser puts them in order.

Pure arithmetic apart from SystemClock; must not read files or know of tracks' contents.
"""

from __future__ import annotations

import time
import uuid
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

NS = 1_000_000_000
MS = 1_000_000
NTP_UNIX_S = 2_208_988_800
"""Seconds from 1900 (NTP, RFC 5905) to 1970 (Unix)."""
WINDOW = 20
"""Sender reports in one regression."""
SIGMAS = 3.0


class Clock(Protocol):
    """What the recorder needs to know about time."""

    def boottime_ns(self) -> int:
        """CLOCK_BOOTTIME in ns: goes on through suspend, never steps."""

    def wall_ns(self) -> int:
        """Unix time in ns: may step."""

    @property
    def boot_id(self) -> bytes:
        """16 bytes that name this boot of the machine."""


class SystemClock:
    """The machine's own clocks."""

    def __init__(self) -> None:
        self._boot_id = read_boot_id()

    def boottime_ns(self) -> int:
        """CLOCK_BOOTTIME in ns."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def wall_ns(self) -> int:
        """Unix time in ns."""
        return time.time_ns()

    @property
    def boot_id(self) -> bytes:
        """The kernel's random boot id."""
        return self._boot_id


def read_boot_id() -> bytes:
    """/proc's boot id as 16 bytes; a random one, new for the process, where there is none."""
    try:
        return uuid.UUID(Path("/proc/sys/kernel/random/boot_id").read_text().strip()).bytes
    except (OSError, ValueError):
        return uuid.uuid4().bytes


def ntp_to_ns(ntp: int) -> int:
    """64-bit NTP (32.32 fixed point, since 1900) to ns since 1970. A sender's clock may be far off; that
    is fine.
    """
    return (ntp >> 32) * NS + ((ntp & 0xFFFFFFFF) * NS >> 32) - NTP_UNIX_S * NS


class Unwrapper:
    """Makes a 16- or 32-bit counter monotonic over wraps. A step back is a step back, not a wrap (RFC 3550
    A.1).
    """

    def __init__(self, bits: int) -> None:
        self._span = 1 << bits
        self._last: int | None = None

    def feed(self, value: int) -> int:
        """The value nearest to the last one that equals `value` modulo 2^bits; the first is taken as it is.

        The first value gets one whole span added, so that packets from just before it stay positive.
        """
        if self._last is None:
            self._last = value + self._span
            return self._last
        unwrapped = self.near(value)
        # Only forward moves become the reference: a late packet must not drag the reference back by half a
        # span.
        self._last = max(self._last, unwrapped)
        return unwrapped

    def near(self, value: int) -> int:
        """As feed(), but without moving the reference."""
        if self._last is None:
            return value + self._span
        step = (value - self._last) % self._span
        return self._last + (step if step < self._span >> 1 else step - self._span)


@dataclass(frozen=True, slots=True)
class Line:
    """y = y0 + slope * (x - x0), with the spread of its points around it."""

    x0: float
    y0: float
    slope: float
    spread: float
    used: int

    def at(self, x: float) -> float:
        """y at x."""
        return self.y0 + self.slope * (x - self.x0)


def fit(points: Sequence[tuple[float, float]], nominal: float, tolerance: float = 1e-3) -> Line:
    """Least squares through `points`, points beyond 3 sigma dropped and fitted again, at most three times.

    The slope is held within `tolerance` of `nominal` (clocks are off by parts per million, not per cent);
    with
    fewer than four points it is `nominal`. Raises ValueError without points.
    """
    if not points:
        raise ValueError("no points")
    kept = list(points)
    line = _least_squares(kept, nominal, tolerance)
    for _ in range(3):
        if line.spread <= 0.0 or len(kept) < 5:
            break
        near = [p for p in kept if abs(p[1] - line.at(p[0])) <= SIGMAS * line.spread]
        if len(near) == len(kept) or len(near) < 3:
            break
        kept = near
        line = _least_squares(kept, nominal, tolerance)
    return line


def _least_squares(points: Sequence[tuple[float, float]], nominal: float, tolerance: float) -> Line:
    n = len(points)
    x0, y_base = points[0]
    mean_x = sum(p[0] - x0 for p in points) / n
    mean_y = sum(p[1] - y_base for p in points) / n
    slope = nominal
    if n >= 4:
        sxx = sum((p[0] - x0 - mean_x) ** 2 for p in points)
        sxy = sum((p[0] - x0 - mean_x) * (p[1] - y_base - mean_y) for p in points)
        if sxx > 0:
            slope = min(max(sxy / sxx, nominal * (1 - tolerance)), nominal * (1 + tolerance))
    y0 = y_base + mean_y - slope * mean_x
    spread = (sum((p[1] - y0 - slope * (p[0] - x0)) ** 2 for p in points) / n) ** 0.5
    return Line(x0, y0, slope, spread, n)


class SenderReports:
    """RTP time -> the sender's NTP time of one stream, by sliding regression over its sender reports.

    `points` are (unwrapped RTP timestamp, sender's ns), within which RTP and NTP run together (no
    re-anchoring).
    """

    def __init__(self, points: Sequence[tuple[int, int]], clock_rate: int) -> None:
        if not points:
            raise ValueError("no sender report")
        ordered = sorted(set(points))
        self._nominal = NS / clock_rate
        self._base_x, self._base_y = ordered[0]
        local = [(float(x - self._base_x), float(y - self._base_y)) for x, y in ordered]
        self._lines: list[tuple[float, Line]] = []
        for i in range(len(local)):
            low = max(0, min(i - WINDOW // 2, len(local) - WINDOW))
            line = fit(local[low : low + WINDOW], self._nominal)
            self._lines.append((local[i][0], line))
        self._xs = [x for x, _ in self._lines]
        residuals = sorted(abs(y - line.at(x)) for (x, y), (_, line) in zip(local, self._lines, strict=True))
        self.spread_ns = round(residuals[min(len(residuals) - 1, int(len(residuals) * 0.9))])
        self.reports = len(local)

    def ntp_ns(self, rtp: int) -> int:
        """The sender's clock, ns, when it sampled unwrapped RTP time `rtp`; extrapolates at both ends."""
        x = float(rtp - self._base_x)
        i = bisect_left(self._xs, x)
        if i == 0 or i == len(self._xs):
            return self._base_y + round(self._lines[min(i, len(self._xs) - 1)][1].at(x))
        (x0, low), (x1, high) = self._lines[i - 1], self._lines[i]
        share = (x - x0) / (x1 - x0)
        return self._base_y + round(low.at(x) * (1 - share) + high.at(x) * share)


BUCKET_NS = 10 * NS


class LeastDelay:
    """Sender's clock -> the server's: the lower envelope of (arrival - sent), which is the least one-way
    delay.

    `points` are (sender's ns, arrival ns). Over long spans the envelope may slope: two clocks drift by
    some ppm.
    """

    def __init__(self, points: Sequence[tuple[int, int]]) -> None:
        if not points:
            raise ValueError("no point")
        self._base = min(p[0] for p in points)
        least: dict[int, tuple[float, float]] = {}
        for sent, arrived in points:
            bucket = (sent - self._base) // BUCKET_NS
            delay = float(arrived - sent)
            if bucket not in least or delay < least[bucket][1]:
                least[bucket] = (float(sent - self._base), delay)
        minima = sorted(least.values())
        self._floor = min(delay for _, delay in minima)
        self._line: Line | None = None
        delays = sorted(float(arrived - sent) for sent, arrived in points)
        # How far the floor itself may be off: what the next lowest tenth says. The median would measure the
        # queue behind it (a loaded page, a Wi-Fi burst), which the least delay is there to ignore.
        lowest = delays[max(1, len(delays) // 10)] if len(delays) > 1 else self._floor
        self.spread_ns = round(min(lowest - self._floor, 1e9))
        if len(minima) >= 6:
            # Around nominal slope 1, so the tolerance (200 ppm) is about the drift between two quartz clocks.
            shifted = [(x, x + delay) for x, delay in minima]
            line = fit(shifted, 1.0, 2e-4)
            self.spread_ns = round(line.spread)
            below = min(y - line.at(x) for x, y in shifted)
            self._line = Line(
                line.x0, line.y0 + max(below, -2 * line.spread), line.slope, line.spread, line.used
            )

    def server_ns(self, sent: int) -> int:
        """The server's CLOCK_BOOTTIME at which something of the sender's time `sent` could have come at
        best.
        """
        x = float(sent - self._base)
        if self._line is None:
            return sent + round(self._floor)
        return self._base + round(self._line.at(x))
