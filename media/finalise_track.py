"""One track of a recording: its packets onto the session's clock, its file, its row in the index.

Works on one Lane at a time and keeps nothing between two. Must not decide which tracks there are, publish, or
know the job's process.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .clock import MS, NS
from .finalise_time import Run, connections, tie
from .finalise_way import ways_ns
from .finalise_write import CLUSTER_MS, Timed, TrackFile, write_audio, write_video
from .recordstore.books import Books
from .recordstore.disk import Disk
from .recordstore.gaps import media_end_ms, presence, track_gaps
from .recordstore.index import NOBODY_KNOWS, Journal, Survey
from .recordstore.lanes import lane_of, track_id
from .recordstore.sealed import final_key
from .recordstore.streams import Stream
from .rtp.red import payload_type_of
from .speech import Speech

MAX_APART_NS = 30 * NS
"""A packet whose time lies further from its arrival says nonsense; it is left out."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to finalise; keys raw. Its repr shows none."""

    journal_root: Path
    recording: str
    epochs: tuple[int, ...]
    keys: Mapping[str, bytes] = field(repr=False)
    room_key: bytes = field(repr=False)
    signing_key: bytes = field(repr=False)
    out_dir: Path
    generation: int
    started_at_ms: int
    books: Books = NOBODY_KNOWS


@dataclass(slots=True)
class Lane:
    """One track of the result: everything a peer sent of one kind (and layer), over all connections and
    epochs.
    """

    peer: str
    kind: str
    rid: str
    mime: str
    runs: list[Run] = field(default_factory=list)
    losses: array[int] = field(default_factory=lambda: array("q"))
    lost: int = 0
    misplaced: int = 0

    @property
    def name(self) -> str:
        """The track's id, which is also its file's name."""
        return track_id(self.peer, self.kind, self.rid)


def plan_lanes(survey: Survey) -> list[Lane]:
    """Which tracks the recording has, each with its runs in order of time."""
    lanes: dict[tuple[str, str, str], Lane] = {}
    by_peer: dict[tuple[int, str], list[Stream]] = {}
    for stream in survey.streams:
        by_peer.setdefault((stream.epoch, stream.peer), []).append(stream)
    for (epoch, peer), streams in sorted(by_peer.items()):
        told = [event for event in survey.events if event.epoch == epoch and event.peer == peer]
        groups = connections(streams, told)
        for connection, way_ns in zip(groups, ways_ns(groups, told), strict=True):
            for run in tie(connection, way_ns):
                stream = run.stream
                key = (stream.peer, stream.kind, lane_of(stream.rid))
                lane = lanes.setdefault(key, Lane(stream.peer, stream.kind, stream.rid, stream.mime))
                lane.rid = lane.rid or stream.rid
                lane.runs.append(run)
    for lane in lanes.values():
        begins = {id(run.stream): (run.stream.epoch, run.starts()) for run in reversed(lane.runs)}
        lane.runs.sort(key=lambda run: begins[id(run.stream)])
    return [lanes[key] for key in sorted(lanes)]


def packets_of(journal: Journal, lane: Lane) -> Iterator[Timed]:
    """A lane's packets in order, on the session's clock; lost sequence numbers are noted on the lane."""
    source = 0
    for stream, group in itertools.groupby(lane.runs, key=lambda run: run.stream):
        runs = iter([*group])
        run, end, previous, stamp, at_ns = next(runs), -1, -1, -1, 0
        end = run.end_seq
        for seq, rtp, arrived_ns, packet in journal.packets(stream):
            if seq >= end:
                run = next(runs)
                end, stamp, previous = run.end_seq, -1, -1
                source += 1
            if rtp != stamp:
                stamp, at_ns = rtp, run.at(rtp)
            if not -MAX_APART_NS <= at_ns - arrived_ns <= MAX_APART_NS:
                lane.misplaced += 1
                continue
            if seq != previous + 1 and previous >= 0:
                lane.lost += seq - previous - 1
                lane.losses.append(at_ns)
            previous = seq
            yield Timed(at_ns, source, seq, rtp, arrived_ns, packet)
        source += 1


def write_lane(
    job: Job, journal: Journal, survey: Survey, lane: Lane, disk: Disk
) -> dict[str, object] | None:
    seat_key = job.keys[lane.peer]
    key, associated = final_key(seat_key, job.recording, job.generation, lane.name)
    path = job.out_dir / f"{lane.name}.webm.sealed"
    packets, speech = packets_of(journal, lane), Speech()
    if lane.mime.startswith("video"):
        cues = sum(len(stream.keys) for stream in {id(run.stream): run.stream for run in lane.runs}.values())
        written = write_video(path, key, associated, lane.kind, packets, cues, disk)
    else:
        length_ms = (lane.runs[-1].ends() - lane.runs[0].starts()) // MS
        cues = 16 + 2 * max(0, length_ms) // CLUSTER_MS
        red = payload_type_of(lane.mime)
        written = write_audio(path, key, associated, speech.tap(packets), cues, disk, red)
    if not written.frames:
        return None
    told = _describe(survey, lane, written, path.name)
    return told if (heard := speech.spans()) is None else told | {"speech": heard}


def _describe(survey: Survey, lane: Lane, written: TrackFile, file: str) -> dict[str, object]:
    present = presence(survey, lane.peer, lane.kind, written.present, written.offset_ms + written.duration_ms)
    track: dict[str, object] = {
        "id": lane.name, "peer": lane.peer, "kind": lane.kind, "rid": lane.rid, "file": file,
        "mime": 'video/webm; codecs="vp8"' if lane.mime.startswith("video") else 'audio/webm; codecs="opus"',
        "offset_ms": written.offset_ms, "duration_ms": written.duration_ms,
        "present": present,
        "gaps": track_gaps(
            survey, lane.peer, lane.kind, present, lane.losses, media_end_ms(survey)
        ),
        "sync_error_ms": max(-(-run.within_ns // MS) for run in lane.runs),
        "across_error_ms": max(-(-run.across_ns // MS) for run in lane.runs),
        "sha256": written.sha256, "bytes": written.plain_bytes,
        "packets": written.packets, "lost_packets": lane.lost - written.recovered,
        "recovered_packets": written.recovered,
        "misplaced_packets": lane.misplaced, "frames": written.frames, "dropped_frames":
        written.dropped_frames,
    }  # fmt: skip
    if lane.mime.startswith("video"):
        track["width"], track["height"] = written.width, written.height
        track["key_frames_ms"], track["sizes"] = written.key_frames, written.sizes
        track["rotations"] = written.rotations
    return track
