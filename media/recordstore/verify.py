"""Says whether a recording is whole: from journal and keys, from the journal alone, or from the signed
manifest.

The answer's shape is an interface: {"recording", "chain", "stored", "gaps", "tracks"}. It reads only; it
neither
repairs nor decides what to do about what it finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import layout
from .gaps import media_end_ms, recording_gaps, track_gaps
from .index import NS_PER_MS, Journal, Survey
from .lanes import lane_of, name_layer_gaps, track_id
from .manifest import verify as verify_envelope
from .reader import SegmentReport
from .streams import HOLE_NS, HOLE_OTHER_NS, Stream

INTACT, BROKEN, CUT, NO_JOURNAL = "intact", "broken", "cut_after_ack", "missing"
"""States of a chain, from good to bad: every seal in place (a crash may have torn the last one,
unacknowledged);
bytes changed; seals gone that had been acknowledged; nothing there."""


@dataclass(frozen=True, slots=True)
class AcknowledgedHead:
    """A head that an outside witness (the database's audit chain) was given."""

    epoch: int
    segment: str
    index: int
    hash: str


def chain_state(survey: Survey, acknowledged: Iterable[AcknowledgedHead] = ()) -> str:
    """One word for the whole recording; `cut_after_ack` outweighs `broken`."""
    if not survey.reports:
        return NO_JOURNAL
    heads = list(acknowledged)
    told = by_file(heads)
    states = {segment_state(report, witnesses(survey, report, told)) for report in survey.reports}
    named = {(_epoch(report), report.path.name) for report in survey.reports}
    lost = [key for key in survey.heads if key not in named]
    lost += [(head.epoch, head.segment) for head in heads if (head.epoch, head.segment) not in named]
    if lost or CUT in states:
        return CUT
    return BROKEN if BROKEN in states else INTACT


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
    key = (_epoch(report), report.path.name)
    return {**survey.heads.get(key, {}), **told.get(key, {})}


def segment_state(report: SegmentReport, known: Mapping[int, str]) -> str:
    """State of one file against its own chain and its witnesses."""
    if report.damaged:
        return BROKEN
    if known and max(known) > report.head_index:
        return CUT
    if any(report.hashes.get(index) != digest for index, digest in known.items()):
        return BROKEN
    return INTACT


def _epoch(report: SegmentReport) -> int:
    name = report.path.parent.name
    return int(name) if name.isdecimal() else 0


def describe_segments(
    survey: Survey, acknowledged: Sequence[AcknowledgedHead] = ()
) -> list[dict[str, object]]:
    """Every segment as the manifest keeps it: place, seals, final head, end, faults."""
    told = by_file(acknowledged)
    return [
        {
            "epoch": _epoch(report), "file": report.path.name, "seat": report.seat,
            "grant": report.header.grant if report.header else "",
            "seals": report.seals, "bytes": report.size, "head": {"index": report.head_index, "hash":
            report.head_hash},
            "ended": report.ended, "reason": report.reason,
            "state": segment_state(report, witnesses(survey, report, told)),
            "faults": [{"code": f.code, "offset": f.offset, "seal": f.index} for f in report.faults[:20]],
        }
        for report in survey.reports
    ]  # fmt: skip


def verify_journal(
    journal_root: Path,
    recording: str,
    keys: Mapping[str, bytes],
    room_key: bytes | None,
    acknowledged: Iterable[AcknowledgedHead] = (),
    started_at_ms: int | None = None,
) -> dict[str, object]:
    """Verify from the segments. Keys of seats that are gone may be lacking: their chains are walked all
    the same.

    Times are ms since the session's start (since the first header when that is not given).
    """
    heads = list(acknowledged)
    epochs = layout.epochs_of(journal_root, recording)
    with Journal(journal_root, recording, epochs, keys, room_key) as journal:
        survey = journal.survey(started_at_ms)
        tracks = [_track(survey, group) for group in _lanes(survey)]
        name_layer_gaps(tracks)
        return {
            "recording": recording,
            "chain": chain_state(survey, heads),
            "stored": [[s.first_ns // NS_PER_MS, s.last_ns // NS_PER_MS] for s in survey.epochs],
            "gaps": _gaps(survey),
            "tracks": tracks,
            "segments": describe_segments(survey, heads),
        }


def verify_manifest(envelope: bytes, public_key: bytes) -> dict[str, object]:
    """Verify from the signed manifest alone. Raises manifest.ManifestError when no signature holds."""
    signed: dict[str, Any] = verify_envelope(envelope, public_key)
    return {
        "recording": signed["recording"],
        "chain": signed["chain"],
        "stored": signed["stored"],
        "gaps": list(signed.get("gaps", [])),
        "tracks": signed["tracks"],
        "segments": signed["segments"],
    }


def _gaps(survey: Survey) -> list[dict[str, object]]:
    gaps = recording_gaps(survey)
    for hole in survey.holes:
        if hole.peer:
            span = {"from": hole.from_ns // NS_PER_MS, "to": hole.to_ns // NS_PER_MS}
            gaps.append({**span, "cause": hole.cause, "peer": hole.peer, "packets": hole.packets})
    return gaps


def _lanes(survey: Survey) -> list[list[Stream]]:
    lanes: dict[tuple[str, str, str], list[Stream]] = {}
    for stream in survey.streams:
        lanes.setdefault((stream.peer, stream.kind, lane_of(stream.rid)), []).append(stream)
    return [lanes[key] for key in sorted(lanes)]


def _track(survey: Survey, streams: Sequence[Stream]) -> dict[str, object]:
    first = streams[0]
    hole = (HOLE_NS.get(first.kind, HOLE_OTHER_NS)) // NS_PER_MS
    present: list[list[int]] = []
    losses: list[int] = []
    keys: list[int] = []
    for stream in streams:
        losses += stream.losses
        keys += [at // NS_PER_MS for at in stream.keys]
        for begin, end in stream.present:
            if present and begin // NS_PER_MS - present[-1][1] <= hole:
                present[-1][1] = max(end // NS_PER_MS, present[-1][1])
            else:
                present.append([begin // NS_PER_MS, end // NS_PER_MS])
    packets, lost = sum(stream.packets for stream in streams), sum(stream.lost for stream in streams)
    track: dict[str, object] = {
        "id": track_id(first.peer, first.kind, first.rid),
        "peer": first.peer, "kind": first.kind, "packets": packets, "lost_packets": lost, "present": present,
        "gaps": track_gaps(survey, first.peer, first.kind, present, losses, media_end_ms(survey)),
    }  # fmt: skip
    if first.video:
        ends = [*keys[1:], present[-1][1]] if keys else []
        track["key_frames"] = len(keys)
        track["key_frame_spacing_ms"] = max((b - a for a, b in zip(keys, ends, strict=True)), default=None)
    return track
