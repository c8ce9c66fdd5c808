"""SIGKILL of the media worker in each phase of its writing, of the server at any moment, while people talk.

The whole server runs as a process, with its own supervisor, keys, database and finaliser; the people are
pages without a browser that count their packets. After every kill the service returns by itself, and when all
have left the recording is finalised without help.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from media.bench.traffic import AUDIO, KINDS, VIDEO
from tests.support.demo import Demo
from tests.support.demo import until as wait_until
from tests.support.faulty_disk import Faults, fault
from tests.support.headless import HeadlessPage, boottime_ns
from tests.support.losses import Loss, losses, stored_counters, unnamed

PHASES = ("before_write", "in_write", "after_write", "before_datasync", "in_datasync", "after_datasync")
JOURNAL = "*/journal/*.seg"
NEWBORN = (("before_create", JOURNAL), ("after_create", JOURNAL), ("before_sync_directory", "*/journal/*"))
LIMIT_S, POWER_LIMIT_S = 2.0, 3.0


@dataclass
class Talk:
    """A demo on a disk that can kill, and two people who talk in it."""

    demo: Demo
    faults: Faults
    pages: list[HeadlessPage]
    kills: list[tuple[str, int]] = field(default_factory=list)
    """(phase or process, boottime ns)."""

    async def flowing(self, timeout: float = 60, seconds: float = 1) -> None:
        last = self.kills[-1][1] if self.kills else 0

        def heard() -> bool:
            long_ago = boottime_ns() - int(seconds * 1e9)
            return all(page.flowing and last < page.connects[-1] <= long_ago for page in self.pages)

        await until("everybody is heard", heard, timeout)

    async def kill_worker(self, phase: str, chance: random.Random) -> None:
        """The worker kills itself in a phase, somewhere within the next writes."""
        before = len(self.faults.log())
        self.faults.set(fault(phase, JOURNAL, kill=True, skip=chance.randrange(6)))
        await until(f"the worker dies {phase}", lambda: len(self.faults.log()) > before, 30)
        self.faults.set()
        (told,) = self.faults.log()[before : before + 1]
        assert (told["phase"], told["did"]) == (phase, "kill")
        self.kills.append((phase, told["boottime_ns"]))

    async def kill_newborn(self, phase: str, file: str) -> None:
        """The worker is killed, and so is the next one as it makes its first files."""
        before = len(self.faults.log())
        self.faults.set(fault(phase, file, kill=True))
        self.kills.append(("any moment", boottime_ns()))
        os.kill(self.demo.worker(), signal.SIGKILL)
        await until(f"the next worker dies {phase}", lambda: len(self.faults.log()) > before, 60)
        self.faults.set()
        self.kills.append((phase, self.faults.log()[before]["boottime_ns"]))

    async def kill_server(self, everything: bool) -> None:
        """SIGKILL of the server's process, or of all its processes at once; then it is started again."""
        worker = self.demo.worker()
        self.kills.append(("server and worker" if everything else "server", boottime_ns()))
        if everything:
            self.demo.kill()
        else:
            os.kill(self.demo.pid, signal.SIGKILL)
            assert self.demo.process is not None
            self.demo.process.wait(10)
            await until("the worker has gone too", lambda: not Path(f"/proc/{worker}").exists(), 5)
        await asyncio.to_thread(self.demo.start)

    async def cut_power(self, torn: float) -> None:
        """Everything dies, and of the journals what was not synced is gone, but for a share `torn`."""
        before = len(self.faults.log())
        self.faults.cut(torn)
        await until("the power is gone", lambda: len(self.faults.log()) > before, 10)
        self.kills.append(("power", self.faults.log()[before]["boottime_ns"]))
        assert self.demo.process is not None
        await until("the server is gone", lambda: self.demo.process.poll() is not None, 10)  # type: ignore[union-attr]
        await until(
            "its worker has lost what was not synced", lambda: len(self.faults.log()) > before + 1, 10
        )
        self.demo.kill()
        self.faults.set()
        await asyncio.to_thread(self.demo.start)

    async def finish(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Everybody leaves; (row of the list, answer of verify) once it is finalised by itself."""
        for page in self.pages:
            await page.leave()
        return await self.finalised()

    async def finalised(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The same, when nobody is there."""
        rows: list[dict[str, Any]] = []

        def ready() -> bool:
            rows[:] = self.demo.command("recordings", "list")
            assert len(rows) == 1, "one session, one recording"
            return bool(rows[0]["state"] == "ready" and rows[0]["epochs_finalised"] == rows[0]["epochs"])

        await asyncio.to_thread(wait_until, "it is finalised by itself", ready, 120, 0.5)
        report = await asyncio.to_thread(self.demo.command, "recordings", "verify", rows[0]["id"])
        return rows[0], report


async def until(what: str, check: Callable[[], bool], timeout: float) -> None:
    await asyncio.to_thread(wait_until, what, check, timeout, 0.02)


@contextlib.asynccontextmanager
async def talking(folder: Path) -> AsyncIterator[Talk]:
    faults = Faults(folder)
    demo = Demo(folder / "demo", {"HYEOPJIN_RESTART_GRACE_S": "2"}, module=faults.server())
    await asyncio.to_thread(demo.start)
    pages = [HeadlessPage(demo, role, n) for n, role in enumerate(("referring_physician", "interpreter"))]
    try:
        for page in pages:
            await page.enter()
        yield Talk(demo, faults, pages)
    finally:
        for page in pages:
            await page.close()
        if demo.process is not None and demo.process.poll() is None:
            await asyncio.to_thread(demo.kill)


def check(
    talk: Talk, row: dict[str, Any], report: dict[str, Any], limit_s: float = LIMIT_S
) -> dict[str, Loss]:
    """Every promise of a kill; the worst loss of each phase."""
    assert report["chain"] == "intact", report["faults"]
    assert {fault["verdict"] for fault in report["faults"]} <= {"crash", "note"}
    assert row["epochs"] >= len(talk.kills)
    counters = stored_counters(talk.demo.data, row["id"])
    kills_ns = [at for _, at in talk.kills]
    worst: dict[str, Loss] = {}
    for page in talk.pages:
        for kind in (AUDIO, VIDEO):
            stored = counters[page.seat, KINDS[kind]]
            for (phase, _), lost in zip(talk.kills, losses(page, kind, stored, kills_ns), strict=True):
                assert lost.seconds <= limit_s, (phase, KINDS[kind], lost)
                worst[phase] = max(worst.get(phase, lost), lost, key=lambda loss: loss.seconds)
            assert unnamed(page, kind, stored, report, row["started_at_ms"]) == {}
    return worst


def told(series: str, seed: int, worst: dict[str, Loss], kills: Sequence[tuple[str, int]]) -> None:
    """The row of docs/long-runs.md."""
    for phase, loss in sorted(worst.items()):
        count = sum(1 for name, _ in kills if name == phase)
        sys.stdout.write(
            f"{series}, seed {seed}, {phase}: {count} kills, {loss.seconds:.2f} s, {loss.packets} packets\n"
        )


async def worker_series(folder: Path, seed: int, kills: int) -> None:
    chance = random.Random(seed)
    async with talking(folder) as talk:
        for n in range(kills):
            await talk.flowing()
            await asyncio.sleep(chance.random())
            await talk.kill_worker(PHASES[n % len(PHASES)], chance)
        for phase, file in NEWBORN:
            await talk.flowing()
            await talk.kill_newborn(phase, file)
        await talk.flowing()
        row, report = await talk.finish()
        told("worker", seed, check(talk, row, report), talk.kills)


async def server_series(folder: Path, seed: int, kills: int) -> None:
    chance = random.Random(seed)
    async with talking(folder) as talk:
        for n in range(kills):
            await talk.flowing()
            await asyncio.sleep(2 * chance.random())
            await talk.kill_server(everything=n % 2 == 1)
        await talk.flowing()
        row, report = await talk.finish()
        told("server", seed, check(talk, row, report), talk.kills)


async def test_two_killed_workers_and_a_killed_server_cost_two_seconds_at_most_each(tmp_path: Path) -> None:
    chance = random.Random(1)
    async with talking(tmp_path) as talk:
        for phase in ("in_write", "in_datasync"):
            await talk.flowing()
            await talk.kill_worker(phase, chance)
        await talk.flowing()
        await talk.kill_server(everything=True)
        await talk.flowing()
        row, report = await talk.finish()
        told("mixed", 1, check(talk, row, report), talk.kills)


@pytest.mark.parametrize("newborn", [pytest.param(False, marks=pytest.mark.long), True])
async def test_what_a_crash_took_is_named_when_nobody_returns(tmp_path: Path, newborn: bool) -> None:
    """`newborn`: the next epoch is in the books and has left nothing on disk when all is killed."""
    async with talking(tmp_path) as talk:
        await talk.flowing(seconds=4)  # of every track there is something
        if newborn:
            await talk.kill_newborn("before_create", JOURNAL)
        talk.kills.append(("server and worker", boottime_ns()))
        talk.demo.kill()
        for page in talk.pages:
            await page.close()
        await asyncio.to_thread(talk.demo.start)
        row, report = await talk.finalised()
        # A next worker may have been given an epoch before the server was killed as well.
        assert row["epochs"] in ((2, 3) if newborn else (1,))
        assert report["chain"] == "intact", report["faults"]
        (lost,) = [gap for gap in report["gaps"] if gap["cause"] == "worker_lost"]
        assert report["gaps"] == [lost]
        assert report["stored"][-1][1] == lost["from"]
        counters = stored_counters(talk.demo.data, row["id"])
        for page in talk.pages:
            for kind in (AUDIO, VIDEO):
                stored = counters[page.seat, KINDS[kind]]
                assert len(stored) < len(page.sent[kind]), "something was lost, or this proves nothing"
                assert unnamed(page, kind, stored, report, row["started_at_ms"]) == {}
                track = next(t for t in report["tracks"] if t["id"] == f"{page.seat}-{KINDS[kind]}")
                assert track["gaps"][-1]["cause"] == "worker_lost"
                assert track["gaps"][-1]["to"] == lost["to"]


@pytest.mark.long
async def test_a_worker_killed_twenty_times_in_each_phase_of_writing(tmp_path: Path) -> None:
    await worker_series(tmp_path, seed=2, kills=20)


@pytest.mark.long
async def test_a_server_killed_twenty_times_at_any_moment(tmp_path: Path) -> None:
    await server_series(tmp_path, seed=2, kills=20)


@pytest.mark.long
async def test_eight_power_cuts_of_a_whole_server_cost_three_seconds_each_at_most(tmp_path: Path) -> None:
    chance = random.Random(3)
    async with talking(tmp_path) as talk:
        for _ in range(8):
            await talk.flowing()
            await asyncio.sleep(2 * chance.random())
            await talk.cut_power(torn=chance.random())
        await talk.flowing()
        row, report = await talk.finish()
        told("power", 3, check(talk, row, report, POWER_LIMIT_S), talk.kills)
