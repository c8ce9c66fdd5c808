"""The finaliser: `python -m media.finaliser`, one JSON job on stdin, journals in, sealed watchable tracks
out.

Idempotent: the same journal gives the same plaintext. Keys come on stdin and stay in memory; what it
writes is
sealed, its scratch does not exist. It prints progress as JSON lines and one result line last. It must not
decode
media, touch the journal, or let one bad track stop the others.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import itertools
import json
import os
import resource
import sys
import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .clock import MS, NS
from .finalise_time import Run, connections, tie
from .finalise_write import CLUSTER_MS, Timed, TrackFile, write_audio, write_video
from .log import set_up_logging
from .recordstore import layout, manifest
from .recordstore.disk import DISK, Disk
from .recordstore.gaps import media_end_ms, muted_spans, recording_gaps, track_gaps, without
from .recordstore.index import Journal, Survey
from .recordstore.lanes import lane_of, name_layer_gaps, track_id
from .recordstore.sealed import SealedError, final_key, seal_bytes
from .recordstore.streams import Stream
from .recordstore.verify import chain_state, describe_segments

INDEX_VERSION = 1
INDEX_NAME = "index"
MAX_APART_NS = 30 * NS
"""A packet whose time lies further from its arrival says nonsense; it is left out."""
MUTED_MS = 1000
OUTAGE_MS = 100
SYNC_ALARM_MS = 80
Progress = Callable[[Mapping[str, object]], None]


class JobError(Exception):
    """The job cannot be done at all. `code`: job_malformed, no_journal, no_space,
    out_dir_unwritable."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


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


def parse_job(text: str) -> Job:
    """Strict about what is needed. Raises JobError(job_malformed)."""
    try:
        raw = json.loads(text)
        return Job(
            journal_root=Path(raw["journal_root"]),
            recording=layout.check_id(raw["recording"]),
            epochs=tuple(sorted({int(epoch) for epoch in raw["epochs"]})),
            keys={layout.check_id(peer): _key(key) for peer, key in raw["keys"].items()},
            room_key=_key(raw["room_key"]),
            signing_key=_key(raw["signing_key"]),
            out_dir=Path(raw["out_dir"]),
            generation=int(raw["generation"]),
            started_at_ms=int(raw["session"]["started_at_ms"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise JobError("job_malformed") from error


def _key(text: str) -> bytes:
    try:
        raw = base64.b64decode(
            text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True
        )
    except binascii.Error as error:
        raise ValueError("key") from error
    if len(raw) != 32:
        raise ValueError("key")
    return raw


def finalise(job: Job, progress: Progress, disk: Disk = DISK) -> dict[str, object]:
    """Do the job; the result line as a dict. Raises JobError when nothing can be done."""
    try:
        disk.make_directory(job.out_dir, parents=True)
        for stale in job.out_dir.glob("*.tmp"):
            disk.remove(stale)
    except OSError as error:
        raise JobError("out_dir_unwritable") from error
    with Journal(job.journal_root, job.recording, job.epochs, job.keys, job.room_key) as journal:
        survey = journal.survey(job.started_at_ms)
        if not survey.reports:
            raise JobError("no_journal")
        lanes = plan_lanes(survey)
        progress({"progress": "surveyed", "segments": len(survey.reports), "tracks": len(lanes)})
        tracks: list[dict[str, object]] = []
        failed: list[dict[str, object]] = []
        for lane in lanes:
            began = time.monotonic()
            try:
                track = _write_lane(job, journal, survey, lane, disk)
            except Exception as error:  # one bad track never stops the others, whatever is wrong with it
                if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise JobError("no_space") from error
                failed.append(
                    {"id": lane.name, "peer": lane.peer, "kind": lane.kind, "code": type(error).__name__}
                )
                continue
            if track is not None:
                tracks.append(track)
            progress({"progress": "track", "id": lane.name, "seconds": round(time.monotonic() - began, 2)})
        name_layer_gaps(tracks)
        return _publish(job, survey, tracks, failed, disk)


def plan_lanes(survey: Survey) -> list[Lane]:
    """Which tracks the recording has, each with its runs in order of time."""
    lanes: dict[tuple[str, str, str], Lane] = {}
    by_peer: dict[tuple[int, str], list[Stream]] = {}
    for stream in survey.streams:
        by_peer.setdefault((stream.epoch, stream.peer), []).append(stream)
    for (epoch, peer), streams in sorted(by_peer.items()):
        told = [event for event in survey.events if event.epoch == epoch and event.peer == peer]
        for connection in connections(streams, told):
            for run in tie(connection):
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


def _write_lane(
    job: Job, journal: Journal, survey: Survey, lane: Lane, disk: Disk
) -> dict[str, object] | None:
    seat_key = job.keys[lane.peer]
    key, associated = final_key(seat_key, job.recording, job.generation, lane.name)
    path = job.out_dir / f"{lane.name}.webm.sealed"
    packets = packets_of(journal, lane)
    if lane.mime.startswith("video"):
        cues = sum(len(stream.keys) for stream in {id(run.stream): run.stream for run in lane.runs}.values())
        written = write_video(path, key, associated, lane.kind, packets, cues, disk)
    else:
        length_ms = (lane.runs[-1].ends() - lane.runs[0].starts()) // MS
        cues = 16 + 2 * max(0, length_ms) // CLUSTER_MS
        written = write_audio(path, key, associated, packets, cues, disk)
    if not written.frames:
        return None
    return _describe(survey, lane, written, path.name)


def _describe(survey: Survey, lane: Lane, written: TrackFile, file: str) -> dict[str, object]:
    # Between two epochs there was no recorder: absence, however short.
    outages = [(int(str(gap["from"])), int(str(gap["to"]))) for gap in recording_gaps(survey)]
    present = without(written.present, outages, OUTAGE_MS)
    if lane.kind == "audio":
        # A muted microphone goes on sending silence: to a reviewer that is absence, with a cause.
        end_ms = written.offset_ms + written.duration_ms
        present = without(present, muted_spans(survey, lane.peer, lane.kind, end_ms), MUTED_MS)
    # The error of the clocks may put the first packets before the session's start: nobody was there then.
    present = [[max(0, begin), end] for begin, end in present if end > 0]
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
        "packets": written.packets, "lost_packets": lane.lost,
        "misplaced_packets": lane.misplaced, "frames": written.frames, "dropped_frames":
        written.dropped_frames,
    }  # fmt: skip
    if lane.mime.startswith("video"):
        track["width"], track["height"] = written.width, written.height
        track["key_frames_ms"] = written.key_frames
    return track


def _publish(
    job: Job,
    survey: Survey,
    tracks: list[dict[str, object]],
    failed: list[dict[str, object]],
    disk: Disk,
) -> dict[str, object]:
    """The sealed index and the signed manifest, in this order: a manifest says that all is there."""
    # A room stays open for a while after the last one has gone; there is nothing to watch in it.
    ends = [int(str(t["offset_ms"])) + int(str(t["duration_ms"])) for t in tracks]
    ends = ends or [span.last_ns // MS for span in survey.epochs]
    gaps = recording_gaps(survey)
    chain = chain_state(survey)
    index: dict[str, object] = {
        "version": INDEX_VERSION, "recording": job.recording, "generation": job.generation,
        "started_at_ms": job.started_at_ms, "duration_ms": max(ends, default=0), "chain": chain,
        "stored": [[span.first_ns // MS, span.last_ns // MS] for span in survey.epochs],
        "tracks": tracks, "failed": failed, "gaps": gaps,
    }  # fmt: skip
    plain = layout.canonical(index)
    key, associated = final_key(job.room_key, job.recording, job.generation, INDEX_NAME)
    seal_bytes(job.out_dir / "index.json.sealed", key, associated, plain, disk)
    signed = {
        "version": manifest.VERSION, "recording": job.recording, "generation": job.generation,
        "started_at_ms": job.started_at_ms, "duration_ms": index["duration_ms"], "chain": chain,
        "stored": index["stored"], "segments": describe_segments(survey), "gaps": gaps,
        "tracks": [{k: v for k, v in track.items() if k != "key_frames_ms"} | _spacing(track) for track in
        tracks],
        "index_sha256": _sha256(plain), "fenced_packets": survey.fenced,
    }  # fmt: skip
    _write_plain(job.out_dir / "manifest.json", manifest.sign(signed, job.signing_key), disk)
    return {
        "ok": True, "recording": job.recording, "generation": job.generation, "chain": chain,
        "duration_ms": index["duration_ms"], "tracks": len(tracks), "failed": failed, "index": index,
        "out_of_sync": [track["id"] for track in tracks if int(str(track["sync_error_ms"])) > SYNC_ALARM_MS],
    }  # fmt: skip


def _spacing(track: Mapping[str, Any]) -> dict[str, object]:
    keys = track.get("key_frames_ms") or []
    if not keys:
        return {}
    ends = [*keys[1:], track["offset_ms"] + track["duration_ms"]]
    return {"key_frame_spacing_ms": max(b - a for a, b in zip(keys, ends, strict=True))}


def _sha256(plain: bytes) -> str:
    import hashlib

    return hashlib.sha256(plain).hexdigest()


def _write_plain(path: Path, data: bytes, disk: Disk) -> None:
    """The manifest alone is readable without a key: it holds ids, counts and hashes."""
    tmp = path.with_name(path.name + ".tmp")
    file = disk.create(tmp)
    try:
        file.write(data)
        file.sync()
    finally:
        file.close()
    disk.rename(tmp, path)
    disk.sync_directory(path.parent)


def _say(line: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def main(disk: Disk = DISK) -> int:
    """The process: 0 with a result line `{"ok": true, …}`, else 1 with `{"ok": false, "code": …}`."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        os.nice(10)
    os.umask(0o077)
    set_up_logging("info")  # an exception nobody expected is told without its text
    try:
        result = finalise(parse_job(sys.stdin.read()), _say, disk)
    except JobError as error:
        result = {"ok": False, "code": error.code}
    except (OSError, SealedError, layout.LayoutError) as error:
        result = {"ok": False, "code": getattr(error, "code", "finaliser_failed")}
    _say(result)
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
