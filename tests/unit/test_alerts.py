"""The alert rules an operator loads ask for numbers that /metrics has, and each says what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from media.control import WorkerSettings
from media.control_client import ControlLostError
from media.worker import Worker
from server.config import MB, load_settings
from server.runtime.disks import Disks, disks_before
from server.runtime.fleet import Fleet
from server.runtime.fleet_metrics import by_worker, totals
from server.runtime.keystore import KeyStore
from server.runtime.load import Load
from server.runtime.media_link import MediaLink, WorkerAt
from server.runtime.supervisor import WorkerOptions, WorkerReady
from server.runtime.workers import LocalWorkers

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "hyeopjin.rules.yml"
DASHBOARD = DEPLOY / "grafana" / "hyeopjin.json"
SOURCES = sorted((Path(__file__).parents[2] / "server").rglob("*.py"))
FROM_THE_SERVER = {
    "hyeopjin_redis_up", "hyeopjin_keeper",
    "hyeopjin_rooms", "hyeopjin_room_events_refused", "hyeopjin_tracks_out_of_step",
    "hyeopjin_journal_copy_lag_seconds", "hyeopjin_object_store_up",
    "hyeopjin_retention_overdue", "hyeopjin_retention_last_run_seconds",
}  # fmt: skip


def queries() -> list[str]:
    board = json.loads(DASHBOARD.read_text())
    return [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]


def rules() -> list[dict[str, Any]]:
    told = yaml.safe_load(RULES.read_text())
    return [rule for group in told["groups"] for rule in group["rules"]]


class Connected:
    """A channel that is there; what it would say is given by hand."""

    connected = True

    async def metrics(self) -> dict[str, Any]:
        raise ControlLostError


class Books:
    """A head store that keeps nothing."""

    async def add_heads(self, recording: str, epoch: int, heads: Mapping[str, Mapping[str, Any]]) -> None:
        """Nobody asks for them here."""


async def of_the_workers(folder: Path) -> tuple[set[str], set[str]]:
    """Names of /metrics that come of a living worker: without a label, and with one."""
    raw = Worker(WorkerSettings(socket=str(folder / "w.sock"), journal_root=str(folder)))._metrics()
    workers = LocalWorkers(WorkerOptions(journal_root=folder, run_dir=folder), (0,))
    ready = WorkerReady(1, folder / "w.sock", 1, 1, 1)
    workers._supervisors[0]._ready = ready
    fleet = Fleet(workers, KeyStore.open(folder), Books())

    async def heard(_worker: str, _event: Mapping[str, Any]) -> None:
        """Nobody speaks."""

    at = WorkerAt("0.1", "0", ready.socket)
    link = fleet.links[at.id] = MediaLink(at, KeyStore.open(folder), heard)
    link._client = Connected()  # type: ignore[assignment]
    fleet.loads[at.id] = Load().next(1.0, raw)
    return set(await totals(fleet, workers)), set(await by_worker(fleet, workers))


async def test_every_number_that_an_alert_or_the_dashboard_asks_for_is_told(tmp_path: Path) -> None:
    plain, labelled = await of_the_workers(tmp_path)
    told = plain | labelled
    disks = Disks({"data": tmp_path, "journal": tmp_path, "objects": tmp_path}, 0, MB)
    disks.measure()
    told |= set(disks.numbers()) | FROM_THE_SERVER
    asked = {name for rule in rules() for name in re.findall(r"\bhyeopjin_\w+", rule["expr"])}
    assert asked <= told, asked - told
    shown = {name for query in queries() for name in re.findall(r"\bhyeopjin_\w+", query)}
    from_the_web = {"hyeopjin_http_seconds_bucket", "hyeopjin_http_requests_total"}
    assert shown - from_the_web <= told, shown - told
    by_label = {
        n for query in queries() if "worker" in query for n in re.findall(r"hyeopjin_worker_\w+", query)
    }
    assert by_label <= labelled
    assert len(shown) > 20
    written = "".join(path.read_text() for path in SOURCES)
    assert not [name for name in FROM_THE_SERVER if f'"{name}"' not in written]
    assert len(asked) > 8
    before = disks_before(load_settings(None, data_dir=tmp_path / "none"))
    before.measure()
    assert before.forecast() is not None


def test_the_dashboard_is_one_that_grafana_reads() -> None:
    board = json.loads(DASHBOARD.read_text())
    assert board["title"]
    assert board["uid"]
    assert {panel["type"] for panel in board["panels"]} <= {"timeseries", "stat", "row", "table"}
    places = [tuple(panel["gridPos"][k] for k in "xywh") for panel in board["panels"]]
    taken = [(x + i, y + j) for x, y, w, h in places for i in range(w) for j in range(h)]
    assert len(taken) == len(set(taken)), "two panels lie on each other"
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in board["panels"]:
        if panel["type"] == "row":
            continue
        assert panel["title"]
        assert panel["description"], panel["title"]
        assert panel["datasource"]["uid"] == "${source}"


def test_every_alert_has_a_sentence_and_something_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    assert {"RecordingDegraded", "RecordingRoomLow", "RecordingQueueFilling"} <= set(names)
    for rule in rules():
        assert rule["labels"]["severity"] in ("warning", "critical"), rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
        assert rule["annotations"]["action"], rule["alert"]
