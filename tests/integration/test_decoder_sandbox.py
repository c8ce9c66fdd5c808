"""What a decoding child can still do once it is closed in: nothing but think and answer."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
TRIED_BY_US_TOO = {"a namespace", "an io_uring"}
"""What the kernel or the container may refuse anybody."""


def told(how: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.locked_in", how],
        cwd=TOP, stdin=subprocess.PIPE, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return dict(line.split(": ") for line in done.stdout.splitlines())


def test_it_can_open_no_file_no_socket_no_process_and_not_take_the_memory() -> None:
    free = told("open")
    assert {name for name, outcome in free.items() if outcome != "done"} <= TRIED_BY_US_TOO
    shut = told("shut")
    assert set(shut) == set(free)
    others = {"two gigabytes": "MemoryError", "a thread": "RuntimeError", "more limits": "ValueError"}
    assert shut == {name: others.get(name, "PermissionError") for name in free}, "the filter's own answer"


def test_where_a_library_needs_threads_it_gets_these_and_nothing_else() -> None:
    assert {name for name, outcome in told("threads").items() if outcome == "done"} == {"a thread"}


@pytest.mark.parametrize(
    ("code", "how_it_ends"),
    [
        ("while True: pass", -signal.SIGKILL),
        ("import os; os.write(1, str(os.getuid()).encode()); os._exit(3)", 3),
    ],
)
def test_its_processor_time_ends_and_it_is_never_the_superuser(code: str, how_it_ends: int) -> None:
    start = "from server.decode import sandbox; sandbox.quiet(); sandbox.shut(1)\n"
    done = subprocess.run(
        [sys.executable, "-c", start + code], cwd=TOP, stdin=subprocess.PIPE, capture_output=True, timeout=60
    )
    assert done.returncode == how_it_ends
    assert done.stdout != b"0"
