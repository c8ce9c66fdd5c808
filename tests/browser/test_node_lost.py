"""A machine dies in mid-consultation and its disk is gone: another one finalises from the object store."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.browsers import Crowd
from tests.support.demo import TOP, Demo, until
from tests.support.fakes import GREEN, RED
from tests.support.s3 import BUCKET, S3Server
from tests.support.story import join, wait_stored

pytestmark = [pytest.mark.browser, pytest.mark.long]

AT_MOST_S = 15.0


def command(demo: Demo, env: dict[str, str], *arguments: str) -> Any:
    """`hyeopjin … --json` with the object store's settings."""
    done = subprocess.run(
        [sys.executable, "-m", "server", *arguments, "--data", str(demo.data), "--json"],
        cwd=TOP, capture_output=True, timeout=120, check=False, env={**os.environ, **env},
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr.decode(errors="replace")[-2000:]
    return json.loads(done.stdout)


def test_a_lost_machine_costs_fifteen_seconds_and_the_gap_has_its_name(
    tmp_path: Path, s3: S3Server, crowd: Crowd
) -> None:
    env = {
        "HYEOPJIN_OBJECTS__BUCKET": BUCKET,
        "HYEOPJIN_OBJECTS__PREFIX": tmp_path.name,
        "HYEOPJIN_OBJECTS__ENDPOINT": s3.endpoint,
        "AWS_ACCESS_KEY_ID": "synthetic",
        "AWS_SECRET_ACCESS_KEY": "synthetic-secret",
        "HYEOPJIN_RESTART_GRACE_S": "1",
    }
    old, new = Demo(tmp_path / "old", env), Demo(tmp_path / "new", env)
    try:
        old.start()
        referring = join(crowd.person(RED), old, "referring_physician")
        join(crowd.person(GREEN), old, "consulting_physician")
        wait_stored(referring, 34)
        told = old.get("/metrics")[1].decode()
        lag = next(line for line in told.splitlines() if line.startswith("hyeopjin_journal_copy_lag_seconds"))
        assert float(lag.split()[1]) < AT_MOST_S
        assert b"AWS_" not in Path(f"/proc/{old.worker()}/environ").read_bytes()
        for pid in (old.pid, old.worker()):
            os.kill(pid, signal.SIGKILL)
        killed_ms = time.time_ns() // 1_000_000
        old.kill()
        new.data.mkdir(parents=True, mode=0o700)
        for name in ("DEMO", "keys", "secrets", *(path.name for path in old.data.glob("hyeopjin.sqlite3*"))):
            shutil.move(old.data / name, new.data / name)
        shutil.rmtree(old.data)
        new.start()

        def ready() -> dict[str, Any] | None:
            rows = command(new, env, "recordings", "list")
            return next((row for row in rows if row["state"] == "ready"), None)

        row = until("another machine has finalised it", ready, 90, 1.0)
        report = command(new, env, "recordings", "verify", row["id"])
        stored_ms = row["started_at_ms"] + max(end for _, end in report["stored"])
        lost_s = (killed_ms - stored_ms) / 1000
        sys.stdout.write(f"machine lost with its disk: {lost_s:.1f} s\n")
        assert -1 < lost_s <= AT_MOST_S
        assert len(report["tracks"]) >= 4
        gaps = [gap for gap in report["gaps"] if gap["cause"] == "node_lost"]
        assert gaps, report["gaps"]
        assert max(gap["to"] for gap in gaps) >= killed_ms - row["started_at_ms"] - 1500
        (committed,) = [each for each in report["generations"] if each["state"] == "committed"]
        assert committed["read_back"] == committed["tracks"] >= 4
    finally:
        for demo in (old, new):
            if demo.process is not None and demo.process.poll() is None:
                demo.kill()
