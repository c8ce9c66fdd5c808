"""Puts every packet of a participant on the session's clock: where to cut a stream, and which line holds
between cuts.

Sender reports tie a stream to its sender's clock, the least delay ties that to the server's; a stream without
reports is tied by its own arrivals. Works on a survey's summaries only; must not read media.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from .clock import NS
from .recordstore.index import Event
from .recordstore.streams import PAUSE_NS, SHIFT_NS, Break, Floors, Stream
from .regression import LeastDelay, SenderReports, median

LOOK_NS = 3 * NS
"""How far to both sides of a suspected cut the least delay is taken."""
ABSURD_NS = 2 * NS
"""Reports that put a whole run further than this from its arrivals are not believed."""
BY_ARRIVAL_NS = 20_000_000
"""Error that an anchor by arrival has beyond what its jitter shows (capture and packetisation)."""
FEW_REPORTS = 4
"""With fewer reports there is no regression whose residuals would say anything."""
STEP_NS = 40_000_000
"""Reports whose (sender's clock - RTP time) changes by more than this, for good, tell of a step of one of
them."""
STEADY = 3
"""Reports on each side that must agree on it."""
WINDOW_NS = 5 * NS
"""A way is empty once in so long: the least delay in it is that of the sender and the distance."""

Report = tuple[int, int, int]
"""Unwrapped RTP time, sender's ns, arrival ns."""


@dataclass(slots=True)
class Run:
    """Packets first_seq <= number < end_seq of a stream (floors[low:high]), over which one line maps RTP
    time to the session's clock. `way_ns`: how long everything of the connection is on its way at least.

    Two errors are measured, in ns: `within_ns` against the same person's other tracks (lips and voice), and
    `across_ns` against other people's, which is that of the way between two clocks.
    """

    stream: Stream
    low: int
    high: int
    reports: list[Report] = field(default_factory=list)
    sender: SenderReports | None = None
    server: LeastDelay | None = None
    within_ns: int = BY_ARRIVAL_NS
    across_ns: int = BY_ARRIVAL_NS
    way_ns: int = 0

    @property
    def end_seq(self) -> int:
        """The number of the first packet that is no longer of this run."""
        floors = self.stream.floors
        return floors.first_seq[self.high] if self.high < len(floors) else 1 << 62

    def at(self, rtp: int) -> int:
        """Session ns of the sender's RTP time `rtp`: when it reached the server at best, less the way."""
        assert self.server is not None  # noqa: S101 - set by tie()
        sent = self.sender.ntp_ns(rtp) if self.sender else rtp * NS // self.stream.clock_rate
        return self.server.server_ns(sent) - self.way_ns

    def starts(self) -> int:
        """Session ns of the run's first packet."""
        return self.at(self.stream.floors.first_rtp[self.low])

    def ends(self) -> int:
        """Session ns of the run's last packet."""
        floors = self.stream.floors
        last = self.stream.last_rtp if self.high == len(floors) else floors.rtp[self.high - 1]
        return self.at(last)


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
    for stream in sorted(streams, key=lambda s: s.first_at):
        cut = sum(1 for at in cuts if at <= stream.first_at + PAUSE_NS)
        if not groups or (stream.kind, stream.rid) in kinds or cut != last_cut:
            groups.append(Connection())
            kinds = set()
        kinds.add((stream.kind, stream.rid))
        last_cut = cut
        groups[-1].streams.append(stream)
    return groups


def cut(stream: Stream) -> list[Run]:
    """Runs of a stream: a new one begins where RTP time and arrival part for good, or reports say that RTP
    time stepped. A sender's clock that stepped is mended in the run's reports.
    """
    bounds = [0]
    for found in stream.breaks:
        if 0 < found.floor < len(stream.floors) and _for_good(stream, bounds[-1], found):
            bounds.append(found.floor)
    runs: list[Run] = []
    for low, high in zip(bounds, [*bounds[1:], len(stream.floors)], strict=True):
        runs += _steady(Run(stream, low, high, _reports_between(stream, low, high)))
    return runs


def _for_good(stream: Stream, low: int, found: Break) -> bool:
    before = _least(stream, range(found.floor - 1, low - 1, -1), found.before_ns)
    after = _least(stream, range(found.floor, len(stream.floors)), found.at)
    if abs(after - before) <= SHIFT_NS:
        return False
    reported = _report_shift(stream, found.before_ns, found.at)
    return reported is None or abs(reported) > SHIFT_NS


def _delay(stream: Stream, i: int) -> int:
    return stream.floors.at[i] - stream.floors.rtp[i] * NS // stream.clock_rate


def _least(stream: Stream, steps: range, begin: int) -> int:
    """Least (arrival - RTP time) of the floors within LOOK_NS of `begin`."""
    least: int | None = None
    for i in steps:
        if least is not None and abs(stream.floors.at[i] - begin) > LOOK_NS:
            break
        delay = _delay(stream, i)
        least = delay if least is None else min(least, delay)
    return least or 0


def _report_shift(stream: Stream, before_ns: int, after_ns: int) -> int | None:
    """How far (sender's clock - RTP time) moved between the reports around a cut; None if one is lacking."""
    earlier = [r for r in stream.reports if before_ns - 30 * NS <= r[2] <= before_ns]
    later = [r for r in stream.reports if after_ns <= r[2] <= after_ns + 30 * NS]
    if not earlier or not later:
        return None
    return _ahead(later[0], stream) - _ahead(earlier[-1], stream)


def _ahead(report: Report, stream: Stream) -> int:
    return report[1] - report[0] * NS // stream.clock_rate


def _reports_between(stream: Stream, low: int, high: int) -> list[Report]:
    """Reports that came during these floors, or before the next ones."""
    at = stream.floors.at
    begin = at[low] if low else -(1 << 62)
    end = at[high] if high < len(at) else 1 << 62
    return [r for r in stream.reports if begin <= r[2] < end]


def _steady(run: Run) -> list[Run]:
    """Split where its reports step together with its arrivals; where they step alone, the sender's clock
    did."""
    stream, reports = run.stream, run.reports
    ahead = [_ahead(r, stream) for r in reports]
    low, done, mended = run.low, 0, 0
    runs: list[Run] = []
    fixed: list[Report] = []
    for i, step in _steps(ahead):
        floor = _floor_of_step(stream, low, run.high, reports[i - 1][2], reports[i][2], step)
        fixed += [(rtp, ntp - mended, at) for rtp, ntp, at in reports[done:i]]
        if floor is None:
            mended += step
        else:
            runs.append(Run(stream, low, floor, fixed))
            low, fixed = floor, []
        done = i
    fixed += [(rtp, ntp - mended, at) for rtp, ntp, at in reports[done:]]
    return [*runs, Run(stream, low, run.high, fixed)]


def _steps(ahead: Sequence[int]) -> list[tuple[int, int]]:
    """(number of the first report after it, height) of each lasting step."""
    found: list[tuple[int, int]] = []
    i = STEADY
    while i <= len(ahead) - STEADY:
        before, after = ahead[i - STEADY : i], ahead[i : i + STEADY]
        step = round(median(after) - median(before))
        rough = max(max(before) - min(before), max(after) - min(after))
        if abs(step) > STEP_NS and rough < abs(step) / 2:
            found.append((i, step))
            i += STEADY
        else:
            i += 1
    return found


def _floor_of_step(stream: Stream, low: int, high: int, from_ns: int, to_ns: int, step: int) -> int | None:
    """Before which floor the arrivals step by about as much as the reports do; None if they do not."""
    at = stream.floors.at
    near = [i for i in range(low + 1, high) if from_ns - LOOK_NS <= at[i] <= to_ns + LOOK_NS]
    best, least = None, 0.0
    delays = {i: _delay(stream, i) for i in near}
    for i in near:
        before = [delays[k] for k in near if i - 6 <= k < i]
        after = [delays[k] for k in near if i <= k < i + 6]
        if len(before) < 2 or len(after) < 2 or not from_ns - NS <= at[i] <= to_ns + NS:
            continue
        off = abs(median(after) - median(before) - step)
        if best is None or off < least:
            best, least = i, off
    return best if best is not None and least < abs(step) / 2 else None


def tie(connection: Connection, way_ns: int = 0) -> list[Run]:
    """All runs of a connection, tied to the session's clock, with the error measured for each. `way_ns`:
    what its least delay is known to be, by its round trip.
    """
    runs = [run for stream in connection.streams for run in cut(stream)]
    points: list[tuple[int, int]] = []
    for run in runs:
        if run.reports:
            run.sender = SenderReports([(rtp, ntp) for rtp, ntp, _ in run.reports], run.stream.clock_rate)
            believed = set(run.sender.believed)
            points.extend((ntp, at) for rtp, ntp, at in run.reports if (rtp, ntp) in believed)
    shared = LeastDelay(points) if points else None
    for run in runs:
        if run.sender is not None and shared is not None:
            run.server = shared
            run.within_ns = run.sender.spread_ns + (BY_ARRIVAL_NS if run.sender.reports < FEW_REPORTS else 0)
            run.across_ns = shared.spread_ns
        else:
            _tie_by_arrival(run)
    _check(runs)
    for run in runs:
        run.way_ns = way_ns
    return runs


def _tie_by_arrival(run: Run) -> None:
    run.sender, run.server = None, LeastDelay(_arrivals(run))
    run.within_ns = run.across_ns = BY_ARRIVAL_NS + run.server.spread_ns


def _arrivals(run: Run) -> list[tuple[int, int]]:
    floors, rate = run.stream.floors, run.stream.clock_rate
    return [(floors.rtp[i] * NS // rate, floors.at[i]) for i in range(run.low, run.high)]


def _check(runs: Sequence[Run]) -> None:
    """Hold report lines against arrivals: a little early is part of the error, far off is a sender that lies.

    What all tracks of a connection are early by is the error of the way; the rest is the track's own.
    """
    early: list[tuple[Run, int]] = []
    for run in runs:
        if run.sender is None:
            continue
        floors: Floors = run.stream.floors
        least = min(floors.at[i] - run.at(floors.rtp[i]) for i in range(run.low, run.high))
        if -ABSURD_NS < least < ABSURD_NS:
            early.append((run, max(0, -least)))
        else:
            _tie_by_arrival(run)
    common = min((ns for _, ns in early), default=0)
    voice = _least_delays(run for run, _ in early if run.stream.kind == "audio")
    for run, ns in early:
        run.across_ns += common
        run.within_ns += ns - common
        if run.stream.kind != "audio":
            run.within_ns = max(run.within_ns, _fallen_behind(run, voice))


def _fallen_behind(run: Run, voice: Mapping[int, int]) -> int:
    """By how many ns the time stamps of a picture have fallen behind its packets, the voice's not, for ten
    seconds and more. `voice`: the least delays of the sound beside it.

    After a machine has stood still Chromium (TimestampAligner) stamps pictures up to 0.3 s before they were
    taken, and goes on so; its reports agree with its stamps. An encoder that has become slower looks the
    same, so nothing is shifted: it is said.
    """
    own = [delay - voice[window] for window, delay in sorted(_least_delays([run]).items()) if window in voice]
    least_so_far = itertools.accumulate(own, min)
    return max((min(two) - least for two, least in zip(pairwise(own), least_so_far, strict=False)), default=0)


def _least_delays(runs: Iterable[Run]) -> dict[int, int]:
    """In each window of arrivals by its number: ns from when a packet was sent to when it came, at least."""
    least: dict[int, int] = {}
    for run in runs:
        floors = run.stream.floors
        for i in range(run.low, run.high):
            window, delay = floors.at[i] // WINDOW_NS, floors.at[i] - run.at(floors.rtp[i])
            least[window] = min(least.get(window, delay), delay)
    return least
