"""Gives everything that is wrong with a journal its name and its place.

One row each: `{"where", "what", "name", "verdict"}` and, where there is one, `seal` and `offset`. `where` is
a path below the data directory, `what` the structure or field. It judges a survey; it must not read files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import layout
from .index import Survey
from .reader import Fault, SegmentReport

CRASH, TAMPERED, CUT, UNREADABLE, NOTE = "crash", "tampered", "cut", "unreadable", "note"
"""Verdicts: what a crash leaves, none of it acknowledged; bytes are not those that were written; something
acknowledged is gone; a key or the disk does not give it; worth knowing, and no fault of the recording."""

COPY = "copy"
"""Verdict: the recording here may be whole, what the object store has of its journal is not."""

GRAVE = (CUT, TAMPERED, UNREADABLE)
Row = dict[str, Any]

_FILE_FAULTS = {
    "missing_end": "end_mark",
    "after_end": "end_mark",
    "bad_end": "end_mark",
    "truncated": "seal",
}
_HEADER_FAULTS = ("bad_magic", "bad_version", "bad_header", "misnamed")


@dataclass(frozen=True, slots=True)
class AcknowledgedHead:
    """A head that an outside witness (the database's audit chain, a signed manifest) was given."""

    epoch: int
    segment: str
    index: int
    hash: str


def row(
    where: str, what: str, name: str, verdict: str, seal: int | None = None, offset: int | None = None
) -> Row:
    """One fault as it is printed."""
    told: Row = {"where": where, "what": what, "name": name, "verdict": verdict}
    if seal is not None and seal >= 0:
        told["seal"] = seal
    return told if offset is None else told | {"offset": offset}


def epoch_of(report: SegmentReport) -> int:
    """The epoch of a segment by its directory."""
    name = report.path.parent.name
    return int(name) if name.isdecimal() else 0


def place(survey: Survey, epoch: int, file: str) -> str:
    """A segment's path below the data directory."""
    return f"journal/{survey.recording}/{epoch}/{file}"


Told = Mapping[tuple[int, str], Mapping[int, str]]
"""(epoch, file) -> seal index -> hash."""


def by_file(acknowledged: Iterable[AcknowledgedHead]) -> Told:
    """Heads by the file they are of: a long session that rolls has thousands of both."""
    told: dict[tuple[int, str], dict[int, str]] = {}
    for head in acknowledged:
        told.setdefault((head.epoch, head.segment), {})[head.index] = head.hash
    return told


def witnesses(survey: Survey, report: SegmentReport, told: Told) -> dict[int, str]:
    """What others know of a segment's seals: index -> hash."""
    key = (epoch_of(report), report.path.name)
    return {**survey.heads.get(key, {}), **told.get(key, {})}


def journal_faults(survey: Survey, acknowledged: Sequence[AcknowledgedHead] = ()) -> list[Row]:
    """Everything wrong with the segments, in their order, and every segment that is gone."""
    told = by_file(acknowledged)
    rows = list(_missing(survey, acknowledged))
    for report in survey.reports:
        where = place(survey, epoch_of(report), report.path.name)
        rows += segment_faults(where, report, witnesses(survey, report, told))
    return rows


def segment_faults(where: str, report: SegmentReport, known: Mapping[int, str]) -> list[Row]:
    """Everything wrong with one file against its own chain and its witnesses."""
    if report.moved:
        known = {}  # what is known is known of the file that should lie here
    newest = max(known, default=-1)
    behind = ("after_end", "bad_end")
    there = [f.index for f in report.faults if not report.excused(f) and f.code not in behind]
    cut = newest > max([report.head_index, *there])
    rows: list[Row] = []
    if cut:
        rows.append(row(where, "seals", "cut_after_ack", CUT, report.head_index + 1))
    for fault in report.faults:
        verdict = _verdict(report, fault, newest, cut)
        rows.append(row(where, _what(fault), fault.code, verdict, fault.index, fault.offset))
    named = {fault.index for fault in report.faults}
    for index, digest in sorted(known.items()):
        if index <= report.head_index and report.hashes.get(index) != digest and index not in named:
            rows.append(row(where, "seal", "not_as_witnessed", TAMPERED, index))
    return rows


def _verdict(report: SegmentReport, fault: Fault, newest: int, cut: bool) -> str:
    if fault.code == "unreadable":
        return UNREADABLE
    known = newest >= 0 and fault.index <= newest and fault.code != "truncated"
    if not report.excused(fault) or (fault.torn and known):
        return TAMPERED
    return CUT if cut else CRASH


def _what(fault: Fault) -> str:
    if fault.code in _HEADER_FAULTS:
        return f"header.{fault.field}" if fault.field else "header"
    if fault.code == "truncated" and fault.field:
        return fault.field
    if fault.code in _FILE_FAULTS:
        return _FILE_FAULTS[fault.code]
    if fault.code == "unreadable":
        return "file"
    if fault.code == "bad_tag":
        return fault.field or "ciphertext_or_tag"
    if fault.code == "lost_seals":
        return f"seals {fault.field}"
    return f"seal.{fault.field}" if fault.field and fault.field != "seal" else "seal"


def _missing(survey: Survey, acknowledged: Sequence[AcknowledgedHead]) -> Iterable[Row]:
    """Segments that somebody knows of and that are not there."""
    there = {(epoch_of(report), report.path.name) for report in survey.reports}
    if not there:
        return
    wanted = {*survey.heads, *survey.named, *((head.epoch, head.segment) for head in acknowledged)}
    for epoch, file in there:
        wanted.add((epoch, layout.segment_name(layout.ROOM, 1)))  # made before any other
        seat, ordinal = layout.parse_segment_name(file) or ("", 0)
        wanted.update((epoch, layout.segment_name(seat, n)) for n in range(1, ordinal))
    epochs = {epoch for epoch, _ in there}
    lost = sorted(wanted - there)
    for epoch in sorted({epoch for epoch, _ in lost} - epochs):
        yield row(f"journal/{survey.recording}/{epoch}", "epoch", "missing_epoch", CUT)
    for epoch, file in lost:
        if epoch in epochs:
            yield row(place(survey, epoch, file), "segment", "missing_segment", CUT)
