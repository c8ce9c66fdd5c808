"""The composer: `python -m media.composer`, one JSON job on stdin, one sealed export out.

Runs when nothing else wants the processor, no core dumps. Ciphertext comes over an inherited socket, keys on
stdin, and both stay in memory; the one file it writes is sealed as it grows and gets its name only when it is
whole. It prints progress as JSON lines and one result line last: `{"ok": true, "bytes", "sha256", …}` or
`{"ok": false, "code"}`. It must not know names.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any

import av

from .compose import bundle, film, still
from .compose.job import JobError, Sources, contents, output, parse, script
from .compose.source import Ranges, SourceError
from .compose.still import NothingThereError
from .log import set_up_logging
from .recordstore.sealed import SealedError

TELL_EVERY_S = 0.25


class Telling:
    """Progress lines, not more often than anybody can look."""

    def __init__(self) -> None:
        self._told_at = 0.0

    def __call__(self, share: float) -> None:
        """`share` of the work is done, 0 to 1."""
        if (now := time.monotonic()) - self._told_at >= TELL_EVERY_S:
            self._told_at = now
            _say({"progress": round(1000 * share)})


def compose(job: Mapping[str, Any]) -> dict[str, object]:
    """Do the job; the result line as a dict. Raises JobError, SourceError, SealedError, OSError."""
    try:
        sources, out = Sources(job, Ranges(socket.socket(fileno=int(job["link"])))), output(job)
        if job["kind"] == "film":
            told = film.make(script(job, sources), out, Telling())
        elif job["kind"] == "still":
            track = sources.picture(int(job["source"]))
            told = still.make(track, int(job["at_ms"]), str(job["note"]), out)
        else:
            told = bundle.make(contents(job, sources), out, Telling())
    except av.error.FFmpegError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise JobError from error
    size, sha256 = out.read_back()
    return {"ok": True, "bytes": size, "sha256": sha256, **told}


def _say(line: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def stand_back() -> None:
    """Take only what nobody else wants (SCHED_IDLE where there is one): a consultation comes first."""
    with contextlib.suppress(OSError):
        os.nice(19)
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def main() -> int:
    """The process: 0 with a good result line, else 1."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    stand_back()
    os.umask(0o077)
    set_up_logging("info")
    av.logging.set_level(None)
    try:
        result = compose(parse(sys.stdin.read()))
    except (JobError, SourceError, SealedError, NothingThereError) as error:
        result = {"ok": False, "code": error.code}
    except av.error.FFmpegError:
        result = {"ok": False, "code": "track_undecodable"}
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        result = {"ok": False, "code": "no_space" if full else "composer_failed"}
    _say(result)
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
