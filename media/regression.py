"""Lines through clock readings that lie now and then: RTP time to the sender's clock, the sender's to ours.

Robust by Theil-Sen (H. Theil 1950, P. K. Sen, J. Am. Stat. Assoc. 63, 1968): the median of the slopes between
points holds while fewer than 29 % of them are wrong. What then lies beyond 3 sigma (by the median of the
absolute residuals) is left out, and least squares through the rest gives the line. Pure arithmetic; must
not know streams.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from .clock import NS

WINDOW, STRIDE = 20, 5
"""Sender reports in one regression, and from one to the next."""
SIGMAS = 3.0
MAD_TO_SIGMA = 1.4826
"""Median absolute deviation of a normal distribution -> its sigma."""
MAX_PAIRS = 60
"""With more points than this a slope is taken between each and the one half the row away (Theil's incomplete
method), which is as robust and not quadratic."""
FEW = 4
"""With fewer points there is no slope to be had."""
DISAGREE_NS = 50_000_000
"""Of two reports that are further apart than this the later is believed: Chromium's first is the one that
is off."""
BUCKET_NS = 10 * NS
FLOORS = 6
"""Least delays, one in ten seconds, from which on a drift between two clocks is looked for."""
MAX_DRIFT = 2e-4
"""Two quartzes, each within 100 ppm."""


@dataclass(frozen=True, slots=True)
class Line:
    """y = y0 + slope * (x - x0), with the spread of its points around it and how many it was laid through."""

    x0: float
    y0: float
    slope: float
    spread: float
    used: int

    def at(self, x: float) -> float:
        """y at x."""
        return self.y0 + self.slope * (x - self.x0)


def median(values: Sequence[float]) -> float:
    """The middle one, or the mean of the two in the middle."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def theil_sen(points: Sequence[tuple[float, float]], nominal: float) -> float:
    """The median slope between points in order of x; `nominal` where there is none."""
    n = len(points)
    if n <= MAX_PAIRS:
        pairs = [(points[i], points[j]) for i in range(n) for j in range(i + 1, n)]
    else:
        half = n // 2
        pairs = [(points[i], points[i + half]) for i in range(n - half)]
    slopes = [(q[1] - p[1]) / (q[0] - p[0]) for p, q in pairs if q[0] != p[0]]
    return median(slopes) if slopes else nominal


def fit(
    points: Sequence[tuple[float, float]], nominal: float, tolerance: float = 1e-3, least: float = 0.0
) -> Line:
    """The robust line through `points`, which are in order of x.

    The slope is held within `tolerance` of `nominal` (clocks are off by parts per million, not per cent);
    with fewer than FEW points it is `nominal`. A residual below `least` is never an outlier. Raises
    ValueError without points.
    """
    if not points:
        raise ValueError("no points")
    x0, y0 = points[0]
    local = [(x - x0, y - y0) for x, y in points]
    low, high = nominal * (1 - tolerance), nominal * (1 + tolerance)
    slope = nominal if len(local) < FEW else min(max(theil_sen(local, nominal), low), high)
    rest = [y - slope * x for x, y in local]
    middle = median(rest)
    limit = max(SIGMAS * MAD_TO_SIGMA * median([abs(r - middle) for r in rest]), least)
    kept = [p for p, r in zip(local, rest, strict=True) if abs(r - middle) <= limit]
    if len(local) < FEW:
        kept = kept or local
    n = len(kept)
    mean_x, mean_y = sum(x for x, _ in kept) / n, sum(y for _, y in kept) / n
    if n >= FEW:
        across = sum((x - mean_x) ** 2 for x, _ in kept)
        if across > 0:
            found = sum((x - mean_x) * (y - mean_y) for x, y in kept) / across
            slope = min(max(found, low), high)
    base = mean_y - slope * mean_x
    spread = (sum((y - base - slope * x) ** 2 for x, y in kept) / n) ** 0.5
    return Line(x0, y0 + base, slope, spread, n)


class SenderReports:
    """RTP time -> the sender's NTP time of one stream, by sliding robust regression over its sender reports.

    `points` are (unwrapped RTP timestamp, sender's ns), within which RTP and NTP run together (no
    re-anchoring).
    """

    def __init__(self, points: Sequence[tuple[int, int]], clock_rate: int) -> None:
        if not points:
            raise ValueError("no sender report")
        nominal = NS / clock_rate
        ordered = sorted(set(points))
        if len(ordered) == 2:
            (x0, y0), (x1, y1) = ordered
            apart = abs((y1 - y0) - (x1 - x0) * nominal)
            ordered = ordered[1:] if apart > DISAGREE_NS else ordered
        self._base_x, self._base_y = ordered[0]
        local = [(float(x - self._base_x), float(y - self._base_y)) for x, y in ordered]
        self._knots: list[float] = []
        self._lines: list[Line] = []
        # Residuals of a fraction of a millisecond are the grain of the clocks: no reason to leave a report
        # out.
        for low in range(0, max(1, len(local) - WINDOW + STRIDE), STRIDE):
            part = local[max(0, min(low, len(local) - WINDOW)) :][:WINDOW]
            self._lines.append(fit(part, nominal, least=1e6))
            self._knots.append((part[0][0] + part[-1][0]) / 2)
        self.reports = len(local)
        off = [abs(y - self._local(x)) for x, y in local]
        limit = max(4.0 * MAD_TO_SIGMA * median(off), float(DISAGREE_NS))
        near = sorted(r for r in off if r <= limit)
        self.spread_ns = round(near[min(len(near) - 1, int(len(near) * 0.9))]) if near else round(max(off))
        self.believed = [
            (self._base_x + round(x), self._base_y + round(y))
            for (x, y), r in zip(local, off, strict=True)
            if r <= limit
        ]
        """The reports that the lines agree with."""

    def _local(self, x: float) -> float:
        knots = self._knots
        i = bisect_left(knots, x)
        if i == 0 or i == len(knots):
            return self._lines[min(i, len(knots) - 1)].at(x)
        share = (x - knots[i - 1]) / (knots[i] - knots[i - 1])
        return self._lines[i - 1].at(x) * (1 - share) + self._lines[i].at(x) * share

    def ntp_ns(self, rtp: int) -> int:
        """The sender's clock, ns, when it sampled unwrapped RTP time `rtp`; extrapolates at both ends."""
        return self._base_y + round(self._local(float(rtp - self._base_x)))


class LeastDelay:
    """Sender's clock -> the server's: the lower envelope of (arrival - sent), which is the least one-way
    delay.

    `points` are (sender's ns, arrival ns). Over long spans the envelope may slope: two clocks drift by some
    ppm.
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
        delays = sorted(float(arrived - sent) for sent, arrived in points)
        self._line = Line(0.0, delays[0], 0.0, 0.0, 1)
        # How far the floor itself may be off: what the next lowest tenth says. The median would measure the
        # queue behind it (a loaded page, a Wi-Fi burst), which the least delay is there to ignore.
        lowest = delays[max(1, len(delays) // 10)] if len(delays) > 1 else delays[0]
        self.spread_ns = round(min(lowest - delays[0], 1e9))
        if len(minima) >= FLOORS:
            self._line, spread = _envelope(minima)
            self.spread_ns = round(spread)

    def server_ns(self, sent: int) -> int:
        """The server's CLOCK_BOOTTIME at which something of the sender's time `sent` could have come at
        best."""
        return sent + round(self._line.at(float(sent - self._base)))


def _envelope(minima: Sequence[tuple[float, float]]) -> tuple[Line, float]:
    """The line of delays that a twentieth of the least delays lies below, and how far the lower half is
    above it.

    Its slope is Theil-Sen's: a queue that stood for minutes lifts the points in it, and neither slope nor
    level.
    """
    slope = min(max(theil_sen(minima, 0.0), -MAX_DRIFT), MAX_DRIFT)
    x0 = minima[0][0]
    rest = sorted(delay - slope * (x - x0) for x, delay in minima)
    level = rest[len(rest) // 20]
    return Line(x0, level, slope, 0.0, len(rest)), rest[len(rest) // 2] - level
