"""One pass over a recording's journal: a summary of every stream, the clocks, the events, the damage.

Packets are read again, stream by stream, by packets(); nothing is kept of each. Times it gives are ns since
the session's start: each machine boot's CLOCK_BOOTTIME is tied to the wall once, by the first header of
that boot, so that a wall clock
that steps during the session moves nothing. It must not write, and one damaged file never hides the others.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import layout
from .books import Books
from .lost import NODE_LOST, Piece, lost_spans
from .reader import Seal, SegmentReader, SegmentReport, open_file, walk
from .streams import Sequencer, Stream

NS_PER_MS = 1_000_000
NOBODY_KNOWS = Books()


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
    packets: int = 0
    """How many were counted as lost; 0 where nobody could count."""


@dataclass(slots=True)
class EpochSpan:
    """An epoch's life by its own entries: first and last, and whether the room's file was ended properly."""

    epoch: int
    first_ns: int
    last_ns: int
    ended: bool = False
    restored: bool = False
    """Its segments were fetched back from copies: what is missing went with the machine that had it."""


@dataclass(slots=True)
class Survey:
    """What a recording's journal holds. `named`: segments the room's file says were made. `keyless`: peers
    whose key was not given (withdrawn, shredded). `begun`, `present_until`, `growing`: what the books say.
    """

    recording: str
    started_ns: int
    reports: list[SegmentReport] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    epochs: list[EpochSpan] = field(default_factory=list)
    heads: dict[tuple[int, str], dict[int, str]] = field(default_factory=dict)
    named: set[tuple[int, str]] = field(default_factory=set)
    keyless: set[str] = field(default_factory=set)
    fenced: int = 0
    begun: dict[int, int] = field(default_factory=dict)
    present_until: int = 0
    growing: bool = False


@dataclass(slots=True)
class _File:
    """A segment that was surveyed. `offset` turns its times into the session's, later ones than `fence` are
    not the recording's; `seals`: where those that open begin."""

    reader: SegmentReader
    epoch: int
    seat: str
    offset: int
    fence: int | None
    seals: array[int] = field(default_factory=lambda: array("q"))


class Journal:
    """A recording's segments, one open at a time. A context manager; survey() first, then packets()."""

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
        self._files: list[_File] = []
        self._streams: dict[tuple[int, str, str, str, int], Stream] = {}
        self._offsets: dict[bytes, int] = {}
        self._copies: dict[tuple[int, str], bytes] = {}

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.reader.__exit__()

    def survey(self, started_at_ms: int | None, books: Books = NOBODY_KNOWS) -> Survey:
        """Read everything once. Without a start, the first header's wall time is it."""
        survey = Survey(self._recording, (started_at_ms or 0) * NS_PER_MS, growing=books.growing)
        starts = self._tie_clocks(survey, started_at_ms is None)
        survey.begun = {n: at * NS_PER_MS - survey.started_ns for n, at in books.begun.items()}
        survey.present_until = max(0, books.present_until_ms * NS_PER_MS - survey.started_ns)
        for position, epoch in enumerate(self._epochs):
            later = [starts[e] for e in self._epochs[position + 1 :] if e in starts]
            self._epoch(survey, epoch, min(later, default=None))
        for stream in self._streams.values():
            stream.done()
        survey.streams = [stream for stream in self._streams.values() if stream.packets]
        return survey

    def packets(self, stream: Stream) -> Iterator[tuple[int, int, int, bytes]]:
        """The packets of a stream again, each once and in order: (seq, rtp, arrival ns, packet), as its
        summary has them. What does not open any more is missing.
        """
        ready: list[tuple[int, int, int, bytes]] = []
        sequencer = Sequencer(lambda *item: ready.append(item))
        (first, begin), (last, end) = stream.first, stream.last
        for number in range(first, last + 1):
            file = self._files[number]
            if (file.epoch, file.seat) != (stream.epoch, stream.peer):
                continue
            for seal in file.seals:
                if (number == first and seal < begin) or (number == last and seal > end):
                    continue
                plain = file.reader.open_at(seal)
                if plain is not None:
                    _replay(plain, stream, file, sequencer)
                    yield from ready
                    ready.clear()
            file.reader.close()
        sequencer.flush()
        yield from ready

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
        pieces: list[Piece] = []
        for path in layout.segments_of(self._root, self._recording, epoch):
            seat = (layout.parse_segment_name(path.name) or ("", 0))[0]
            reader = SegmentReader(path, self._keys.get(seat), header=self._copies.get((epoch, path.name)))
            reader.__enter__()
            survey.reports.append(reader.report)
            if seat not in self._keys:
                survey.keyless.add(seat)
            file = _File(reader, epoch, seat, self._offset(survey, reader), fence)
            self._files.append(file)
            seen = self._file(survey, file)
            reader.close()
            ordinal = (layout.parse_segment_name(path.name) or ("", 0))[1]
            pieces.append(Piece(seat, ordinal, seen, reader.report.reason))
            if seen is not None:
                span = span or EpochSpan(epoch, *seen)
                span.first_ns, span.last_ns = min(span.first_ns, seen[0]), max(span.last_ns, seen[1])
                if seat == layout.ROOM:
                    span.ended = reader.report.ended and reader.report.reason != layout.ROLLED
        if span is not None:
            survey.epochs.append(span)
            self._restored(survey, span, pieces, fence)

    def _restored(self, survey: Survey, span: EpochSpan, pieces: Sequence[Piece], fence: int | None) -> None:
        """Name what did not come back, if this epoch was fetched from copies."""
        until_ms = layout.restored_until_ms(self._root, self._recording, span.epoch)
        if until_ms is None:
            return
        span.restored = True
        until = max(span.last_ns, until_ms * NS_PER_MS - survey.started_ns)
        until = until if fence is None else min(until, fence)
        witnessed = [name for epoch, name in survey.heads if epoch == span.epoch]
        for seat, begin, end in lost_spans(pieces, witnessed, span.first_ns, until):
            survey.holes.append(Hole(seat, begin, end, NODE_LOST))
        if fence is None and not span.ended and until > span.last_ns:
            survey.holes.append(Hole("", span.last_ns, until, NODE_LOST))

    def _offset(self, survey: Survey, reader: SegmentReader) -> int:
        header = reader.report.header
        if header is None:
            return -survey.started_ns
        return self._offsets.get(header.boot_id, header.wall_ns - header.boottime_ns) - survey.started_ns

    def _file(self, survey: Survey, file: _File) -> tuple[int, int] | None:
        """One segment into the survey; the first and last time in it, None when nothing could be read."""
        number = len(self._files) - 1
        reader, seat = file.reader, file.seat
        first = last = None
        torn = False
        for seal in reader.seals():
            if seal.plain is None:
                torn = torn or reader.report.header is not None
                continue
            file.seals.append(seal.offset)
            visit = _Visit(self, survey, file, number)
            visit.entries(seal, seal.plain, reader.report)
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
    file: _File
    number: int
    first: int | None = None
    last: int | None = None
    table: dict[int, Stream] = field(default_factory=dict)

    def entries(self, seal: Seal, plain: bytes, report: SegmentReport) -> None:
        """All entries; what does not parse is left out, as the tag says that it was written so."""
        first = last = None
        offset, fence, table, place = self.file.offset, self.file.fence, self.table, seal.offset
        for kind, at_ns, start, end in walk(seal, report):
            at = at_ns + offset
            if kind == layout.TRACK:
                self._track(plain[start:end])
                continue
            if fence is not None and at > fence:
                self.survey.fenced += kind == layout.RTP
                continue
            if kind == layout.RTP:
                stream = table.get((plain[start] << 8) | plain[start + 1]) if end - start >= 14 else None
                if stream is not None:
                    stream.add(plain[start + 2 : end], at, self.number, place)
            elif kind != layout.CLOCK:
                self._other(kind, at, plain[start:end])
            if first is None or last is None:
                first = last = at
            elif at > last:
                last = at
            elif at < first:
                first = at
        self.first, self.last = first, last

    def _track(self, body: bytes) -> None:
        row = _row(body)
        if row is not None:
            self.table[row.number] = self.journal.stream(self.file.epoch, self.file.seat, row)

    def _other(self, kind: int, at: int, body: bytes) -> None:
        try:
            if kind == layout.SR:
                number, _, ntp, rtp = layout.parse_sr(body)
                if number in self.table:
                    self.table[number].report(ntp, rtp, at)
            elif kind == layout.EVENT:
                self._event(at, layout.parse_json(body))
            elif kind == layout.HEADS and self.file.seat == layout.ROOM:
                self._heads(layout.parse_json(body))
        except (layout.LayoutError, TypeError, ValueError):
            return

    def _event(self, at: int, value: dict[str, object]) -> None:
        name, peer = str(value.pop("name", "")), str(value.pop("peer", ""))
        if name == "gap":
            from_ns, to_ns = (int(str(value[k])) + self.file.offset for k in ("from_ns", "to_ns"))
            cause = str(value.get("cause", "store_slow"))
            packets = int(str(value.get("packets", 0)))
            hole = Hole(_who(peer), from_ns, to_ns, cause, packets)
            if hole not in self.survey.holes:  # a batch that did not sync stands in the next file again
                self.survey.holes.append(hole)
        elif name == "segment" and self.file.seat == layout.ROOM:
            self.survey.named.add((self.file.epoch, str(value.get("segment", ""))))
            self.journal.keep_header(self.file.epoch, value)
        else:
            self.survey.events.append(Event(at, self.file.epoch, peer, name, value))

    def _heads(self, value: dict[str, object]) -> None:
        heads = value.get("heads")
        for head in heads if isinstance(heads, list) else ():
            if isinstance(head, dict):
                key = (self.file.epoch, str(head.get("segment")))
                self.survey.heads.setdefault(key, {})[int(str(head.get("index")))] = str(head.get("hash"))


def _replay(plain: bytes, stream: Stream, file: _File, sequencer: Sequencer) -> None:
    """The stream's packets of one seal, as the survey saw them."""
    wanted, offset, fence = -1, file.offset, file.fence
    rtp_entry, feed = layout.RTP, sequencer.feed
    with contextlib.suppress(layout.LayoutError):
        for kind, at_ns, start, end in layout.entries(plain):
            if kind == rtp_entry:
                if (plain[start] << 8 | plain[start + 1]) == wanted and end - start >= 14:
                    at = at_ns + offset
                    if fence is None or at <= fence:
                        feed(plain[start + 2 : end], at)
            elif kind == layout.TRACK:
                row = _row(plain[start:end])
                if row and (row.kind, row.rid, row.ssrc) == (stream.kind, stream.rid, stream.ssrc):
                    wanted = row.number


def _row(body: bytes) -> layout.TrackEntry | None:
    try:
        return layout.parse_track(body)
    except layout.LayoutError:
        return None


def _who(seat: str) -> str:
    return "" if seat == layout.ROOM else seat


def _peek(path: Path) -> layout.Header | None:
    try:
        with os.fdopen(open_file(path), "rb") as file:
            return layout.parse_header(file.read(4096))[0]
    except (OSError, layout.LayoutError):
        return None
