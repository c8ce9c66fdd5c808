"""The finaliser: `python -m media.finaliser`, one JSON job on stdin, journals in, sealed watchable tracks
out.

Idempotent: the same journal gives the same plaintext. Resumable: what a killed run had finished is kept.
Keys come on stdin and stay in memory; what it writes is
sealed, its scratch does not exist. It prints progress as JSON lines and one result line last. It must not
decode
media, touch the journal, or let one bad track stop the others.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .clock import MS
from .finalise_resume import find_ticket, fingerprint, leave_ticket, sweep
from .finalise_track import Job, Lane, plan_lanes, write_lane
from .log import set_up_logging
from .recordstore import layout, manifest
from .recordstore.books import read_books
from .recordstore.disk import DISK, Disk
from .recordstore.gaps import recording_gaps, unheard_gaps
from .recordstore.index import Journal, Survey
from .recordstore.lanes import name_layer_gaps
from .recordstore.sealed import SealedError, final_key, seal_bytes
from .recordstore.segment import error_code
from .recordstore.spacing import key_spacing
from .recordstore.tail import tail
from .recordstore.verify import chain_state, describe_segments

INDEX_VERSION = 1
INDEX_NAME = "index"
SYNC_ALARM_MS = 80
Progress = Callable[[Mapping[str, object]], None]


class JobError(Exception):
    """The job cannot be done at all. `code`: job_malformed, no_journal, no_space, read_only,
    out_dir_unwritable."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


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
            books=read_books(raw["session"]),
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
        raise JobError(_disk_code(error) or "out_dir_unwritable") from error
    with Journal(job.journal_root, job.recording, job.epochs, job.keys, job.room_key) as journal:
        survey = journal.survey(job.started_at_ms, job.books)
        if not survey.reports:
            raise JobError("no_journal")
        lanes = plan_lanes(survey)
        progress({"progress": "surveyed", "segments": len(survey.reports), "tracks": len(lanes)})
        tracks: list[dict[str, object]] = []
        failed: list[dict[str, object]] = []
        mark = fingerprint(job, survey)
        for lane in lanes:
            began = time.monotonic()
            try:
                kept, track = _one_lane(job, journal, survey, lane, mark, disk)
            except Exception as error:  # one bad track never stops the others, whatever is wrong with it
                if (code := _disk_code(error)) is not None:
                    raise JobError(code) from error
                failed.append(
                    {"id": lane.name, "peer": lane.peer, "kind": lane.kind, "code": type(error).__name__}
                )
                continue
            if track is not None:
                tracks.append(track)
            took = round(time.monotonic() - began, 2)
            progress({"progress": "track", "id": lane.name, "seconds": took, "kept": kept})
        name_layer_gaps(tracks)
        return _publish(job, survey, tracks, failed, disk)


def _disk_code(error: BaseException) -> str | None:
    """What is wrong with the whole disk, not with one track."""
    code = error_code(error) if isinstance(error, OSError) else ""
    return code if code in ("no_space", "read_only") else None


def _one_lane(
    job: Job, journal: Journal, survey: Survey, lane: Lane, mark: str, disk: Disk
) -> tuple[bool, dict[str, object] | None]:
    """(whether a former run had finished it, the track's row or None when it holds nothing)."""
    finished, track = find_ticket(job, mark, lane.peer, lane.name)
    if not finished:
        track = write_lane(job, journal, survey, lane, disk)
        leave_ticket(job, mark, lane.peer, lane.name, track, disk)
    return finished, track


def _publish(
    job: Job,
    survey: Survey,
    tracks: list[dict[str, object]],
    failed: list[dict[str, object]],
    disk: Disk,
) -> dict[str, object]:
    """The sealed index and the signed manifest, in this order: a manifest says that all is there."""
    sweep(job.out_dir, {str(track["file"]) for track in tracks}, disk)
    # A room stays open for a while after the last one has gone; there is nothing to watch in it.
    ends = [int(str(t["offset_ms"])) + int(str(t["duration_ms"])) for t in tracks]
    ends = ends or [span.last_ns // MS for span in survey.epochs]
    lost = tail(survey)  # a lane shows it to its end
    ends += [lost.to_ns // MS] if lost is not None else []
    gaps = recording_gaps(survey) + unheard_gaps(survey)
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
        "tracks": [_signed(track) for track in tracks],
        "index_sha256": _sha256(plain), "fenced_packets": survey.fenced,
    }  # fmt: skip
    _write_plain(job.out_dir / "manifest.json", manifest.sign(signed, job.signing_key), disk)
    return {
        "ok": True, "recording": job.recording, "generation": job.generation, "chain": chain,
        "duration_ms": index["duration_ms"], "tracks": len(tracks), "failed": failed, "index": index,
        "out_of_sync": [track["id"] for track in tracks if int(str(track["sync_error_ms"])) > SYNC_ALARM_MS],
    }  # fmt: skip


def _signed(track: Mapping[str, Any]) -> dict[str, object]:
    told = {name: value for name, value in track.items() if name not in manifest.UNSIGNED}
    if keys := track.get("key_frames_ms"):
        told["key_frame_spacing_ms"] = key_spacing(keys, track["present"])["max_ms"]
    return told


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
        code = getattr(error, "code", None) or _disk_code(error) or "finaliser_failed"
        result = {"ok": False, "code": code}
    _say(result)
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
