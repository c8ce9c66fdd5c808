"""The finaliser's launcher: its child dies with the server, and runs nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from server.runtime.machinery import child_environment

CHILD = [sys.executable, "-m", "server.runtime.child"]
PARENT = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-m", "server.runtime.child", "media.finaliser", str(os.getpid())],
                         stdin=subprocess.PIPE, start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""


def state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "gone"


def waits_for_its_job(pid: int) -> bool:
    """Past its imports and blocked on stdin: the finaliser has made itself nice by then."""
    return os.getpriority(os.PRIO_PROCESS, pid) >= 10


def test_a_killed_parent_takes_the_finaliser_with_it() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    end = time.monotonic() + 20
    while not waits_for_its_job(pid) and time.monotonic() < end:
        time.sleep(0.02)
    limits = Path(f"/proc/{pid}/limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 5
    while state(pid) not in ("gone", "Z", "X") and time.monotonic() < end:
        time.sleep(0.02)
    assert state(pid) in ("gone", "Z", "X")


@pytest.mark.parametrize("arguments", [[], ["media.finaliser"], ["os", "1"], ["media.worker", "1"]])
def test_it_runs_nothing_but_the_finaliser(arguments: list[str]) -> None:
    assert subprocess.run([*CHILD, *arguments], stdin=subprocess.DEVNULL, check=False).returncode == 64


def test_a_parent_that_is_already_gone_is_noticed() -> None:
    arguments = [*CHILD, "media.finaliser", "1"]
    assert subprocess.run(arguments, stdin=subprocess.DEVNULL, check=False).returncode == 70


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "HYEOPJIN_REDIS_URL", "HYEOPJIN_DATABASE_URL"])
def test_no_child_inherits_a_password(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "rediss://:synthetic-secret@there/0")
    monkeypatch.setenv("HYEOPJIN_SYNTHETIC", "kept")
    given = child_environment()
    assert not any("synthetic-secret" in value for value in given.values())
    assert given["HYEOPJIN_SYNTHETIC"] == "kept"
