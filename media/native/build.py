"""Compiles `drain.c` beside itself: `python -m media.native.build`. deploy/setup.sh does where a compiler is.

The result carries its source's digest, so that one left over from another version is not loaded.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SOURCE, RESULT = HERE / "drain.c", HERE / "libdrain.so"
FLAGS = ("-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-fstack-protector-strong", "-Wl,-z,now")


def digest() -> str:
    """Of the source that is here."""
    return hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]


def is_built() -> bool:
    """Whether a result of the source that is here lies beside it: workers will use it. Nothing is loaded."""
    return RESULT.exists() and digest().encode() in RESULT.read_bytes()


def build(result: Path = RESULT, *flags: str) -> bool:
    """False when there is no compiler, or it refused; the reason is on stderr."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        sys.stderr.write("no C compiler: the media path stays in Python\n")
        return False
    made = result.with_suffix(f".{os.getpid()}.tmp")
    define = f'-DHJ_SOURCE="{digest()}"'
    done = subprocess.run([compiler, *FLAGS, *flags, define, "-o", str(made), str(SOURCE)], check=False)  # noqa: S603
    if done.returncode:
        made.unlink(missing_ok=True)
        sys.stderr.write("the C compiler refused: the media path stays in Python\n")
        return False
    made.replace(result)
    return True


if __name__ == "__main__":
    sys.exit(0 if build() else 1)
