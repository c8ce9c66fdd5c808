"""`python -m tests.support.fuzz.run [--seconds N] [--keep] [target …]`: coverage-guided fuzzing.

Each target runs in a process of its own, beginning with the corpus. The first input that fails is printed in
base64: put it into `tests/data/corpus/<target>.txt` and mend the code. `--keep` adds what reached new code.
"""

from __future__ import annotations

import argparse
import base64
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.fuzz import corpus
from tests.support.fuzz.targets import TARGETS, seeds

MAX_INPUT = 2048
SLACK_S = 60.0


def fuzz(name: str, seconds: int, *, keep: bool) -> str:
    """Runs one target; an empty string, or what failed."""
    with tempfile.TemporaryDirectory() as scratch:
        found = Path(scratch, "found")
        found.mkdir()
        for number, data in enumerate([*seeds(name), *corpus.load(name)]):
            (found / f"{number:05}").write_bytes(data)
        crash = Path(scratch, "crash-")
        failed = _child(name, f"-max_total_time={seconds}", f"-artifact_prefix={crash}", str(found))
        for path in sorted(Path(scratch).glob("crash-*")):
            return f"{name}: {base64.b64encode(path.read_bytes()).decode()}\n{failed}"
        if failed:
            return f"{name}: {failed}"
        if keep:
            corpus.keep(name, (path.read_bytes() for path in found.iterdir()))
        return ""


def _child(name: str, *flags: str) -> str:
    """The end of what a failed run printed."""
    limit = (
        sum(int(flag.partition("=")[2]) for flag in flags if flag.startswith("-max_total_time=")) + SLACK_S
    )
    command = [sys.executable, "-m", "tests.support.fuzz.child", name, f"-max_len={MAX_INPUT}", *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    return (
        "" if done.returncode == 0 else (done.stdout + done.stderr)[-3000:] or f"ended with {done.returncode}"
    )


def main() -> int:
    """Exit code 1 when a target failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", default=sorted(TARGETS), metavar="target")
    parser.add_argument("--seconds", type=int, default=60, help="of each target")
    parser.add_argument("--keep", action="store_true", help="add what reached new code to the corpus")
    options = parser.parse_args()
    failures = [said for name in options.targets if (said := fuzz(name, options.seconds, keep=options.keep))]
    sys.stdout.write("\n".join(failures) + "\n" if failures else "nothing failed\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
