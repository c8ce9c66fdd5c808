"""Puts every packet of a participant on the session's clock: where to cut a stream, and which line holds
between cuts.

Sender reports tie a stream to its sender's clock, the least delay ties that to the server's; a stream without
reports is tied by its own arrivals. Works on a survey's numbers only; must not read media.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .clock import NS, LeastDelay, SenderReports
from .recordstore.index import Event, Stream

PAUSE_NS = NS // 4
"""An arrival gap this long may hide a stream whose RTP time stood still (replaceTrack(null))."""
SHIFT_NS = 80_000_000
"""A change of the delay that lasts, and is larger, is another anchor and not the network."""
JUMP_NS = NS // 2
LOOK_NS = 3 * NS
"""How far to both sides of a suspected cut the least delay is taken."""
ABSURD_NS = 2 * NS
"""Reports that put a whole run further than this from its arrivals are not believed."""
BY_ARRIVAL_NS = 20_000_000
"""Error that an anchor by arrival has beyond what its jitter shows (capture and packetisation)."""
FEW_REPORTS = 4
"""With fewer reports there is no regression whose residuals would say anything."""


@dataclass(slots=True)
class Run:
    """Packets order[first:last] of a stream, over which one line maps RTP time to the session's clock.

    Two errors are measured, in ns: `within_ns` against the same person's other tracks (lips and voice), and
    `across_ns` against other people's, which is that of the way between two clocks.
    """

    stream: Stream
    order: array[int]
    first: int
    last: int
    sender: SenderReports | None = None
    server: LeastDelay | None = None
    within_ns: int = BY_ARRIVAL_NS
    across_ns: int = BY_ARRIVAL_NS

    def at(self, rtp: int) -> int:
        """Session ns at which the sender's RTP time `rtp` reached the server, at best."""
        assert self.server is not None  # noqa: S101 - set by tie()
        sent = self.sender.ntp_ns(rtp) if self.sender else rtp * NS // self.stream.clock_rate
        return self.server.server_ns(sent)

    def starts(self) -> int:
        """Session ns of the run's first packet."""
        return self.at(self.stream.rtp[self.order[self.first]])


@dataclass(slots=True)
class Connection:
    """Streams of one RTCPeerConnection: they share the sender's clock."""

    streams: list[Stream] = field(default_factory=list)


def connections(streams: Iterable[Stream], events: Sequence[Event]) -> list[Connection]:
    """Group one peer's streams of one epoch. A new connection: `joined` or `connected` was told, or a kind
    has another
    SSRC.
    """
    cuts = sorted(e.at for e in events if e.name in ("joined", "connected"))
    groups: list[Connection] = []
    kinds: set[tuple[str, str]] = set()
    last_cut = -1
    for stream in sorted(streams, key=lambda s: s.at[0]):
        cut = sum(1 for at in cuts if at <= stream.at[0] + PAUSE_NS)
        if not groups or (stream.kind, stream.rid) in kinds or cut != last_cut:
            groups.append(Connection())
            kinds = set()
        kinds.add((stream.kind, stream.rid))
        last_cut = cut
        groups[-1].streams.append(stream)
    return groups


def cut(stream: Stream) -> list[Run]:
    """Runs of a stream: a new one begins where RTP time and arrival part for good."""
    order = stream.in_order()
    rate = stream.clock_rate
    bounds = [0]
    for n in range(1, len(order)):
        i, k = order[n - 1], order[n]
        waited = stream.at[k] - stream.at[i]
        apart = waited - (stream.rtp[k] - stream.rtp[i]) * NS // rate
        suspicious = (waited > PAUSE_NS and abs(apart) > SHIFT_NS) or abs(apart) > JUMP_NS
        if suspicious and _for_good(stream, order, bounds[-1], n):
            bounds.append(n)
    return [Run(stream, order, a, b) for a, b in zip(bounds, [*bounds[1:], len(order)], strict=True)]


def _for_good(stream: Stream, order: array[int], low: int, n: int) -> bool:
    before = _least(stream, order, range(n - 1, low - 1, -1))
    after = _least(stream, order, range(n, len(order)))
    if abs(after - before) <= SHIFT_NS:
        return False
    reported = _report_shift(stream, stream.at[order[n - 1]], stream.at[order[n]])
    return reported is None or abs(reported) > SHIFT_NS


def _least(stream: Stream, order: array[int], steps: range) -> int:
    """Least (arrival - RTP time) of the packets within LOOK_NS from the first of `steps`."""
    begin = stream.at[order[steps[0]]]
    least: int | None = None
    for n in steps:
        i = order[n]
        if abs(stream.at[i] - begin) > LOOK_NS:
            break
        delay: int = stream.at[i] - stream.rtp[i] * NS // stream.clock_rate
        least = delay if least is None else min(least, delay)
    return least or 0


def _report_shift(stream: Stream, before_ns: int, after_ns: int) -> int | None:
    """How far (sender's clock - RTP time) moved between the reports around a cut; None if one is lacking."""
    earlier = [r for r in stream.reports if before_ns - 30 * NS <= r[2] <= before_ns]
    later = [r for r in stream.reports if after_ns <= r[2] <= after_ns + 30 * NS]
    if not earlier or not later:
        return None
    (rtp_a, ntp_a, _), (rtp_b, ntp_b, _) = earlier[-1], later[-1]
    return (ntp_b - ntp_a) - (rtp_b - rtp_a) * NS // stream.clock_rate


def tie(connection: Connection) -> list[Run]:
    """All runs of a connection, tied to the session's clock, with the error measured for each."""
    runs = [run for stream in connection.streams for run in cut(stream)]
    points: list[tuple[int, int]] = []
    for run in runs:
        reports = _reports_of(run)
        if reports:
            run.sender = SenderReports([(rtp, ntp) for rtp, ntp, _ in reports], run.stream.clock_rate)
            points.extend((ntp, at) for _, ntp, at in reports)
    shared = LeastDelay(points) if points else None
    for run in runs:
        if run.sender is not None and shared is not None:
            run.server = shared
            run.within_ns = run.sender.spread_ns + (BY_ARRIVAL_NS if run.sender.reports < FEW_REPORTS else 0)
            run.across_ns = shared.spread_ns
        else:
            _tie_by_arrival(run)
    _check(runs)
    return runs


def _tie_by_arrival(run: Run) -> None:
    run.sender, run.server = None, LeastDelay(_arrivals(run))
    run.within_ns = run.across_ns = BY_ARRIVAL_NS + run.server.spread_ns


def _reports_of(run: Run) -> list[tuple[int, int, int]]:
    """Reports that came during the run, or before the stream's next one."""
    stream, order = run.stream, run.order
    begin = stream.at[order[run.first]] if run.first else -(1 << 62)
    end = stream.at[order[run.last]] if run.last < len(order) else 1 << 62
    return [r for r in stream.reports if begin <= r[2] < end]


def _arrivals(run: Run) -> list[tuple[int, int]]:
    stream, rate = run.stream, run.stream.clock_rate
    return [(stream.rtp[i] * NS // rate, stream.at[i]) for i in run.order[run.first : run.last]]


def _check(runs: Sequence[Run]) -> None:
    """Hold report lines against arrivals: a little early is part of the error, far off is a sender that
    lies.

    What all tracks of a connection are early by is the error of the way; the rest is the track's own.
    """
    early: list[tuple[Run, int]] = []
    for run in runs:
        if run.sender is None:
            continue
        stream = run.stream
        step = max(1, (run.last - run.first) // 2000)
        least = min(stream.at[i] - run.at(stream.rtp[i]) for i in run.order[run.first : run.last : step])
        if -ABSURD_NS < least < ABSURD_NS:
            early.append((run, max(0, -least)))
        else:
            _tie_by_arrival(run)
    common = min((ns for _, ns in early), default=0)
    for run, ns in early:
        run.across_ns += common
        run.within_ns += ns - common
