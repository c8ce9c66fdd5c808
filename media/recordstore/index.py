"""One pass over a recording's journal: an index of every packet, the clocks, the events, the damage.

Memory grows by some fifty bytes a packet and holds no media. Times it gives are ns since the session's start:
each machine boot's CLOCK_BOOTTIME is tied to the wall once, by the first header of that boot, so that a
wall clock
that steps during the session moves nothing. It must not write, and one damaged file never hides the others.
"""

from __future__ import annotations

import base64
import binascii
from array import array
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from media.clock import Unwrapper, ntp_to_ns
from media.rtp.depacketize import vp8_keyframe

from . import layout
from .reader import Seal, SegmentReader, SegmentReport, walk

CACHED_SEALS = 24
NS_PER_MS = 1_000_000


@dataclass(slots=True)
class Stream:
    """All packets of one SSRC within one epoch, in order of arrival; the arrays run in parallel.

    `seq` and `rtp` are unwrapped, `at` is the arrival in ns since the session's start; `file`, `seal`,
    `start` and
    `size` say where the packet lies. `reports`: (unwrapped RTP time, sender's ns, arrival ns).
    """

    epoch: int
    peer: str
    kind: str
    rid: str
    mime: str
    ssrc: int
    clock_rate: int
    seq: array[int] = field(default_factory=lambda: array("q"))
    rtp: array[int] = field(default_factory=lambda: array("q"))
    at: array[int] = field(default_factory=lambda: array("q"))
    file: array[int] = field(default_factory=lambda: array("i"))
    seal: array[int] = field(default_factory=lambda: array("q"))
    start: array[int] = field(default_factory=lambda: array("i"))
    size: array[int] = field(default_factory=lambda: array("H"))
    keys: array[int] = field(default_factory=lambda: array("q"))
    reports: list[tuple[int, int, int]] = field(default_factory=list)
    _seq: Unwrapper = field(default_factory=lambda: Unwrapper(16))
    _rtp: Unwrapper = field(default_factory=lambda: Unwrapper(32))

    @property
    def video(self) -> bool:
        """Whether it is pictures."""
        return self.mime.startswith("video")

    def add(self, packet: bytes, at: int, file: int, seal: int, start: int) -> None:
        """Index one packet that was found whole."""
        self.seq.append(self._seq.feed(int.from_bytes(packet[2:4], "big")))
        self.rtp.append(self._rtp.feed(int.from_bytes(packet[4:8], "big")))
        self.at.append(at)
        self.file.append(file)
        self.seal.append(seal)
        self.start.append(start)
        self.size.append(len(packet))
        if self.video and vp8_keyframe(packet):
            self.keys.append(at)

    def report(self, ntp: int, rtp: int, at: int) -> None:
        """Index one sender report."""
        if ntp:
            self.reports.append((self._rtp.near(rtp), ntp_to_ns(ntp), at))

    def in_order(self) -> array[int]:
        """Indices by sequence number, each number once (the first that came)."""
        order = array("i", sorted(range(len(self.seq)), key=self.seq.__getitem__))
        seq = self.seq
        return array("i", (i for n, i in enumerate(order) if n == 0 or seq[order[n - 1]] != seq[i]))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was told to the room's file."""

    at: int
    epoch: int
    peer: str
    name: str
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Hole:
    """A time [from_ns, to_ns] of which something is known to be missing, and why. `peer` "" is everybody."""

    peer: str
    from_ns: int
    to_ns: int
    cause: str


@dataclass(slots=True)
class EpochSpan:
    """An epoch's life by its own entries: first and last, and whether the room's file was ended properly."""

    epoch: int
    first_ns: int
    last_ns: int
    ended: bool = False


@dataclass(slots=True)
class Survey:
    """What a recording's journal holds. `keyless`: peers whose key was not given (withdrawn, shredded)."""

    recording: str
    started_ns: int
    reports: list[SegmentReport] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    epochs: list[EpochSpan] = field(default_factory=list)
    heads: dict[tuple[int, str], dict[int, str]] = field(default_factory=dict)
    keyless: set[str] = field(default_factory=set)
    fenced: int = 0


class Journal:
    """A recording's segments, opened for reading. A context manager; survey() first, then packet()."""

    def __init__(
        self,
        root: Path,
        recording: str,
        epochs: Sequence[int],
        keys: Mapping[str, bytes],
        room_key: bytes | None,
    ) -> None:
        self._root, self._recording, self._epochs = root, recording, sorted(epochs)
        self._keys: dict[str, bytes] = {**keys}
        if room_key is not None:
            self._keys[layout.ROOM] = room_key
        self._files: list[SegmentReader] = []
        self._plain: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._streams: dict[tuple[int, str, str, str, int], Stream] = {}
        self._offsets: dict[bytes, int] = {}
        self._copies: dict[tuple[int, str], bytes] = {}

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        for reader in self._files:
            reader.__exit__()

    def survey(self, started_at_ms: int | None) -> Survey:
        """Read everything once. Without a start, the first header's wall time is it."""
        survey = Survey(self._recording, (started_at_ms or 0) * NS_PER_MS)
        starts = self._tie_clocks(survey, started_at_ms is None)
        for position, epoch in enumerate(self._epochs):
            later = [starts[e] for e in self._epochs[position + 1 :] if e in starts]
            self._epoch(survey, epoch, min(later, default=None))
        survey.streams = [stream for stream in self._streams.values() if len(stream.seq)]
        return survey

    def packet(self, stream: Stream, i: int) -> bytes | None:
        """The i-th packet of a stream (by arrival); None if its seal does not open any more."""
        place = (stream.file[i], stream.seal[i])
        plain = self._plain.get(place)
        if plain is None:
            plain = self._files[place[0]].open_at(place[1])
            if plain is None:
                return None
            self._plain[place] = plain
            if len(self._plain) > CACHED_SEALS:
                self._plain.popitem(last=False)
        return plain[stream.start[i] : stream.start[i] + stream.size[i]]

    # -- inside ----------------------------------------------------------------------------------------------

    def _tie_clocks(self, survey: Survey, unknown_start: bool) -> dict[int, int]:
        """Boot id -> (wall - boottime); and each epoch's first instant."""
        walls: dict[int, int] = {}
        for epoch in self._epochs:
            for path in layout.segments_of(self._root, self._recording, epoch):
                header = _peek(path)
                if header is None:
                    continue
                self._offsets.setdefault(header.boot_id, header.wall_ns - header.boottime_ns)
                wall = header.boottime_ns + self._offsets[header.boot_id]
                walls[epoch] = min(walls.get(epoch, wall), wall)
        if unknown_start:
            survey.started_ns = min(walls.values(), default=0)
        return {epoch: wall - survey.started_ns for epoch, wall in walls.items()}

    def _epoch(self, survey: Survey, epoch: int, fence: int | None) -> None:
        """Every file of an epoch, the room's first: it holds copies of the other files' headers."""
        span: EpochSpan | None = None
        for path in layout.segments_of(self._root, self._recording, epoch):
            seat = (layout.parse_segment_name(path.name) or ("", 0))[0]
            reader = SegmentReader(path, self._keys.get(seat), header=self._copies.get((epoch, path.name)))
            reader.__enter__()
            self._files.append(reader)
            survey.reports.append(reader.report)
            if seat not in self._keys:
                survey.keyless.add(seat)
            seen = self._file(survey, reader, epoch, seat, fence)
            if seen is not None:
                span = span or EpochSpan(epoch, *seen)
                span.first_ns, span.last_ns = min(span.first_ns, seen[0]), max(span.last_ns, seen[1])
                if seat == layout.ROOM:
                    span.ended = reader.report.ended
        if span is not None:
            survey.epochs.append(span)

    def _file(
        self, survey: Survey, reader: SegmentReader, epoch: int, seat: str, fence: int | None
    ) -> tuple[int, int] | None:
        """One segment into the survey; the first and last time in it, None when nothing could be read."""
        number = len(self._files) - 1
        header = reader.report.header
        offset = -survey.started_ns
        if header is not None:
            offset += self._offsets.get(header.boot_id, header.wall_ns - header.boottime_ns)
        first = last = None
        torn = False
        for seal in reader.seals():
            if seal.plain is None:
                torn = torn or reader.report.header is not None
                continue
            visit = _Visit(self, survey, epoch, seat, number, offset, fence)
            for item in walk(seal, reader.report):
                visit.entry(seal, seal.plain, item)
            if visit.first is None or visit.last is None:
                continue
            if torn and seat in self._keys:
                survey.holes.append(Hole(_who(seat), last or visit.first, visit.first, "damaged"))
            torn = False
            first = visit.first if first is None else min(first, visit.first)
            last = visit.last if last is None else max(last, visit.last)
        if torn and last is not None:
            survey.holes.append(Hole(_who(seat), last, last + 1_000 * NS_PER_MS, "damaged"))
        return None if first is None or last is None else (first, last)

    def stream(self, epoch: int, peer: str, row: layout.TrackEntry) -> Stream:
        """The stream of a track table row, made when new."""
        key = (epoch, peer, row.kind, row.rid, row.ssrc)
        found = self._streams.get(key)
        if found is None:
            found = Stream(epoch, peer, row.kind, row.rid, row.mime, row.ssrc, row.clock_rate)
            self._streams[key] = found
        return found

    def keep_header(self, epoch: int, fields: Mapping[str, object]) -> None:
        """Remember a header's copy for when the file's own is damaged."""
        try:
            header = base64.b64decode(str(fields["header"]), validate=True)
            layout.parse_header(header)
        except (KeyError, binascii.Error, layout.LayoutError):
            return
        self._copies[(epoch, str(fields.get("segment", "")))] = header


@dataclass(slots=True)
class _Visit:
    """Entries of one seal, on their way into the survey. The track table never outlives a seal."""

    journal: Journal
    survey: Survey
    epoch: int
    seat: str
    file: int
    offset: int
    fence: int | None
    first: int | None = None
    last: int | None = None
    table: dict[int, Stream] = field(default_factory=dict)

    def entry(self, seal: Seal, plain: bytes, item: tuple[int, int, int, int]) -> None:
        """One entry; what does not parse is left out, as the tag says that it was written so."""
        kind, at_ns, start, end = item
        at = at_ns + self.offset
        if self.fence is not None and at > self.fence and kind != layout.TRACK:
            self.survey.fenced += kind == layout.RTP
            return
        if kind == layout.RTP and end - start >= 14:
            stream = self.table.get(int.from_bytes(plain[start : start + 2], "big"))
            if stream is not None:
                stream.add(plain[start + 2 : end], at, self.file, seal.offset, start + 2)
        elif kind == layout.TRACK:
            self._track(plain[start:end])
            return
        elif kind != layout.CLOCK:
            self._other(kind, at, plain[start:end])
        self.first = at if self.first is None else min(self.first, at)
        self.last = at if self.last is None else max(self.last, at)

    def _track(self, body: bytes) -> None:
        try:
            row = layout.parse_track(body)
        except layout.LayoutError:
            return
        self.table[row.number] = self.journal.stream(self.epoch, self.seat, row)

    def _other(self, kind: int, at: int, body: bytes) -> None:
        try:
            if kind == layout.SR:
                number, _, ntp, rtp = layout.parse_sr(body)
                if number in self.table:
                    self.table[number].report(ntp, rtp, at)
            elif kind == layout.EVENT:
                self._event(at, layout.parse_json(body))
            elif kind == layout.HEADS and self.seat == layout.ROOM:
                self._heads(layout.parse_json(body))
        except (layout.LayoutError, TypeError, ValueError):
            return

    def _event(self, at: int, value: dict[str, object]) -> None:
        name, peer = str(value.pop("name", "")), str(value.pop("peer", ""))
        if name == "gap":
            from_ns, to_ns = (int(str(value[k])) + self.offset for k in ("from_ns", "to_ns"))
            cause = str(value.get("cause", "store_slow"))
            self.survey.holes.append(Hole(_who(peer), from_ns, to_ns, cause))
        elif name == "segment" and self.seat == layout.ROOM:
            self.journal.keep_header(self.epoch, value)
        else:
            self.survey.events.append(Event(at, self.epoch, peer, name, value))

    def _heads(self, value: dict[str, object]) -> None:
        heads = value.get("heads")
        for head in heads if isinstance(heads, list) else ():
            if isinstance(head, dict):
                key = (self.epoch, str(head.get("segment")))
                self.survey.heads.setdefault(key, {})[int(str(head.get("index")))] = str(head.get("hash"))


def _who(seat: str) -> str:
    return "" if seat == layout.ROOM else seat


def _peek(path: Path) -> layout.Header | None:
    try:
        with path.open("rb") as file:
            return layout.parse_header(file.read(4096))[0]
    except (OSError, layout.LayoutError):
        return None
