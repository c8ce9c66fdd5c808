"""Says whether a recording is whole: from journal and keys, from the journal alone, or from the signed
manifest.

The answer's shape is an interface: {"recording", "chain", "stored", "gaps", "tracks", "faults"}. It reads
only; it neither repairs nor decides what to do about what it finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import faults as faulty
from . import layout
from .books import Books
from .faults import AcknowledgedHead, by_file, epoch_of, journal_faults, segment_faults, witnesses
from .gaps import HOLE_MS, media_end_ms, presence, recording_gaps, track_gaps
from .index import NOBODY_KNOWS, NS_PER_MS, Journal, Survey
from .lanes import lane_of, name_layer_gaps, track_id
from .manifest import verify as verify_envelope
from .reader import SegmentReport
from .spacing import key_spacing, merged
from .streams import Stream

INTACT, BROKEN, CUT, NO_JOURNAL = "intact", "broken", "cut_after_ack", "missing"
"""States of a chain, from good to bad: every seal in place (a crash may have torn the last one,
unacknowledged);
bytes changed; seals gone that had been acknowledged; nothing there."""


def chain_state(survey: Survey, acknowledged: Iterable[AcknowledgedHead] = ()) -> str:
    """One word for the whole recording; `cut_after_ack` outweighs `broken`."""
    if not survey.reports:
        return NO_JOURNAL
    return state_of(journal_faults(survey, list(acknowledged)))


def state_of(faults: Iterable[Mapping[str, object]]) -> str:
    """One word for all faults of a recording's journal."""
    verdicts = {fault["verdict"] for fault in faults}
    return CUT if faulty.CUT in verdicts else BROKEN if verdicts & set(faulty.GRAVE) else INTACT


def segment_state(report: SegmentReport, known: Mapping[int, str]) -> str:
    """State of one file against its own chain and its witnesses; changed bytes outweigh a cut."""
    if any(fault["verdict"] == faulty.TAMPERED for fault in segment_faults("", report, known)):
        return BROKEN
    return state_of(segment_faults("", report, known))


def describe_segments(
    survey: Survey, acknowledged: Sequence[AcknowledgedHead] = ()
) -> list[dict[str, object]]:
    """Every segment as the manifest keeps it: place, seals, final head, end, faults."""
    told = by_file(acknowledged)
    return [
        {
            "epoch": epoch_of(report), "file": report.path.name, "seat": report.seat,
            "grant": report.header.grant if report.header else "",
            "seals": report.seals, "bytes": report.size, "head": {"index": report.head_index, "hash":
            report.head_hash},
            "ended": report.ended, "reason": report.reason,
            "state": segment_state(report, witnesses(survey, report, told)),
            "faults": [
                {"code": f.code, "offset": f.offset, "seal": f.index, "field": f.field}
                for f in report.faults[:20]
            ],
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
    books: Books = NOBODY_KNOWS,
) -> dict[str, object]:
    """Verify from the segments. Keys of seats that are gone may be lacking: their chains are walked all
    the same.

    Times are ms since the session's start (since the first header when that is not given).
    """
    heads = list(acknowledged)
    epochs = layout.epochs_of(journal_root, recording)
    with Journal(journal_root, recording, epochs, keys, room_key) as journal:
        survey = journal.survey(started_at_ms, books)
        tracks = [_track(survey, group) for group in _lanes(survey)]
        name_layer_gaps(tracks)
        faults = journal_faults(survey, heads)
        return {
            "recording": recording,
            "chain": state_of(faults) if survey.reports else NO_JOURNAL,
            "stored": [[s.first_ns // NS_PER_MS, s.last_ns // NS_PER_MS] for s in survey.epochs],
            "gaps": _gaps(survey),
            "tracks": tracks,
            "segments": describe_segments(survey, heads),
            "faults": faults,
            "keyless": sorted(survey.keyless),
        }


def verify_manifest(envelope: bytes, public_key: bytes) -> dict[str, object]:
    """Verify from the signed manifest alone. Raises manifest.ManifestError when no signature holds."""
    return verify_manifest_body(verify_envelope(envelope, public_key))


def verify_manifest_body(signed: Mapping[str, Any]) -> dict[str, object]:
    """The answer by a manifest whose signature was verified."""
    return {
        "recording": signed["recording"],
        "chain": signed["chain"],
        "stored": signed["stored"],
        "gaps": list(signed.get("gaps", [])),
        "tracks": signed["tracks"],
        "segments": signed["segments"],
        "faults": [],
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
    hole = HOLE_MS.get(first.kind, 1500)
    losses: list[int] = []
    keys: list[int] = []
    for stream in streams:
        losses += stream.losses
        keys += [at // NS_PER_MS for at in stream.keys]
    received = merged(((a // NS_PER_MS, b // NS_PER_MS) for s in streams for a, b in s.present), hole)
    packets, lost = sum(stream.packets for stream in streams), sum(stream.lost for stream in streams)
    present = presence(survey, first.peer, first.kind, received, received[-1][1]) if received else []
    track: dict[str, object] = {
        "id": track_id(first.peer, first.kind, first.rid),
        "peer": first.peer, "kind": first.kind, "rid": first.rid, "packets": packets, "lost_packets": lost,
        "received": received, "present": present,
        "gaps": track_gaps(survey, first.peer, first.kind, present, losses, media_end_ms(survey)),
    }  # fmt: skip
    if first.video:
        spacing = key_spacing(keys, present)
        track |= {"keys": spacing, "key_frames": len(keys), "key_frame_spacing_ms": spacing["max_ms"]}
    return track
