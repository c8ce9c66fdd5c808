"""The alert rules an operator loads ask for numbers that /metrics has, and each says what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from media.control import WorkerSettings
from media.worker import Worker
from server.config import MB, load_settings
from server.runtime.disks import Disks, disks_before

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "hyeopjin.rules.yml"
SOURCES = sorted((Path(__file__).parents[2] / "server").rglob("*.py"))
FROM_THE_SERVER = {
    "hyeopjin_rooms", "hyeopjin_media_worker_up", "hyeopjin_tracks_out_of_step",
    "hyeopjin_journal_copy_lag_seconds", "hyeopjin_object_store_up",
    "hyeopjin_retention_overdue", "hyeopjin_retention_last_run_seconds",
}  # fmt: skip


def rules() -> list[dict[str, Any]]:
    told = yaml.safe_load(RULES.read_text())
    return [rule for group in told["groups"] for rule in group["rules"]]


def test_every_number_that_an_alert_asks_for_is_told(tmp_path: Path) -> None:
    settings = WorkerSettings(socket=str(tmp_path / "w.sock"), journal_root=str(tmp_path))
    told = {f"hyeopjin_{name}" for name in Worker(settings)._recording_metrics()}
    disks = Disks({"data": tmp_path, "journal": tmp_path, "objects": tmp_path}, 0, MB)
    disks.measure()
    told |= set(disks.numbers()) | FROM_THE_SERVER
    asked = {name for rule in rules() for name in re.findall(r"\bhyeopjin_\w+", rule["expr"])}
    assert asked <= told, asked - told
    written = "".join(path.read_text() for path in SOURCES)
    assert not [name for name in FROM_THE_SERVER if f'"{name}"' not in written]
    assert len(asked) > 8
    before = disks_before(load_settings(None, data_dir=tmp_path / "none"))
    before.measure()
    assert before.forecast() is not None


def test_every_alert_has_a_sentence_and_something_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    assert {"RecordingDegraded", "RecordingRoomLow", "RecordingQueueFilling"} <= set(names)
    for rule in rules():
        assert rule["labels"]["severity"] in ("warning", "critical"), rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
        assert rule["annotations"]["action"], rule["alert"]
