"""The supervisor with the real media worker: killed, it returns; stopped, nothing is left."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media.control import RoomPlan
from media.control_client import ControlClient
from server.runtime.supervisor import (
    MAX_SOCKET_PATH,
    WorkerOptions,
    WorkerReady,
    WorkerStartError,
    WorkerSupervisor,
)
from tests.support.faulty_disk import Faults, fault
from tests.support.naps import napping


class Heard:
    """What the supervisor told, in order."""

    def __init__(self, supervisor: WorkerSupervisor) -> None:
        self.told: list[str] = []
        self.ready: list[WorkerReady] = []
        self.changed = asyncio.Event()
        supervisor.on_ready = self.on_ready
        supervisor.on_lost = self.on_lost

    async def on_ready(self, ready: WorkerReady) -> None:
        self.told.append("ready")
        self.ready.append(ready)
        self.changed.set()

    async def on_lost(self) -> None:
        self.told.append("lost")
        self.changed.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(15):
            while len(self.ready) < count:
                self.changed.clear()
                await self.changed.wait()


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state not in ("Z", "X")


def group_members(leader: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[2]) == leader and fields[0] not in ("Z", "X"):
                found.append(int(entry.name))
    return found


def workers_of(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split() if line else []
        except (FileNotFoundError, ProcessLookupError):
            continue
        if b"media.worker" in line and int(fields[1]) == parent:
            found.append(int(entry.name))
    return found


async def gone(pid: int, seconds: float) -> bool:
    """Whether the process ends within so many seconds."""
    for _ in range(int(seconds / 0.05)):
        if not alive(pid):
            return True
        await asyncio.sleep(0.05)
    return False


def options(tmp_path: Path) -> WorkerOptions:
    return WorkerOptions(
        journal_root=tmp_path / "journal",
        run_dir=tmp_path / "run",
        udp_host="127.0.0.1",
        announce=("127.0.0.1",),
    )


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[WorkerSupervisor]:
    made = WorkerSupervisor(options(tmp_path))
    yield made
    await made.stop()


async def test_a_started_worker_answers_on_its_private_socket(supervisor: WorkerSupervisor) -> None:
    ready = await supervisor.start()
    assert ready.udp_port > 0
    assert ready.socket.stat().st_mode & 0o077 == 0
    assert len(os.fsencode(ready.socket)) <= MAX_SOCKET_PATH + 20
    client = await ControlClient.connect(ready.socket, lambda _event: None)
    state = await client.put_plan(RoomPlan("recording-0000001", 1, 1, room_key=bytes(32)))
    assert state["epoch"] == 1
    await client.close()


async def test_a_killed_worker_returns_on_the_same_port_and_both_are_told(
    supervisor: WorkerSupervisor,
) -> None:
    heard = Heard(supervisor)
    first = await supervisor.start()
    os.kill(first.pid, signal.SIGKILL)
    await heard.until(2)
    second = heard.ready[1]
    assert heard.told == ["ready", "lost", "ready"]
    assert second.pid != first.pid
    assert second.start == 2
    assert second.udp_port == first.udp_port
    assert second.socket != first.socket
    assert not first.socket.exists()
    assert alive(second.pid)


async def test_stopping_leaves_no_process_and_no_socket_within_two_seconds(tmp_path: Path) -> None:
    supervisor = WorkerSupervisor(options(tmp_path))
    heard = Heard(supervisor)
    ready = await supervisor.start()
    assert await napping(supervisor.stop()) < 2.2
    assert not alive(ready.pid)
    assert group_members(ready.pid) == []
    assert not ready.socket.exists()
    assert heard.told == ["ready"], "a stop is no loss"
    await supervisor.stop()


async def test_a_worker_that_does_not_listen_to_the_end_of_its_input_is_killed(tmp_path: Path) -> None:
    supervisor = WorkerSupervisor(options(tmp_path))
    ready = await supervisor.start()
    os.kill(ready.pid, signal.SIGSTOP)
    assert await napping(supervisor.stop()) < 2.5
    assert not alive(ready.pid)


async def test_stopping_while_the_worker_is_being_restarted_leaves_nothing(tmp_path: Path) -> None:
    supervisor = WorkerSupervisor(options(tmp_path))
    ready = await supervisor.start()
    os.kill(ready.pid, signal.SIGKILL)
    await asyncio.sleep(0.35)
    await supervisor.stop()
    await asyncio.sleep(0.1)
    assert workers_of(os.getpid()) == []


async def test_the_worker_is_in_a_session_of_its_own_so_that_ctrl_c_does_not_reach_it(
    supervisor: WorkerSupervisor,
) -> None:
    ready = await supervisor.start()
    assert os.getsid(ready.pid) == ready.pid
    assert os.getpgid(ready.pid) != os.getpgrp()


async def test_a_worker_without_its_server_goes_by_itself(tmp_path: Path) -> None:
    """End of file on stdin is the only sign a killed server leaves."""
    supervisor = WorkerSupervisor(options(tmp_path))
    ready = await supervisor.start()
    process = supervisor._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert await gone(ready.pid, 2.5)
    await supervisor.stop()


async def test_a_taken_port_fails_the_start_soon_and_leaves_nothing(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        wanted = dataclasses.replace(options(tmp_path), udp_port=taken.getsockname()[1])
        supervisor = WorkerSupervisor(wanted)
        with pytest.raises(WorkerStartError):
            await supervisor.start()
    assert workers_of(os.getpid()) == []


async def test_a_port_that_was_only_found_is_given_up_when_it_is_taken(supervisor: WorkerSupervisor) -> None:
    heard = Heard(supervisor)
    first = await supervisor.start()
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        os.kill(first.pid, signal.SIGKILL)
        for _ in range(200):
            try:
                taken.bind(("127.0.0.1", first.udp_port))
                break
            except OSError:
                await asyncio.sleep(0.001)
        await heard.until(2)
        assert heard.ready[1].udp_port != first.udp_port
    finally:
        taken.close()


async def test_a_long_data_directory_gets_a_short_private_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    supervisor = WorkerSupervisor(options(deep))
    ready = await supervisor.start()
    assert len(os.fsencode(ready.socket)) <= MAX_SOCKET_PATH
    assert ready.socket.parent.stat().st_mode & 0o077 == 0
    folder = ready.socket.parent
    await supervisor.stop()
    assert not folder.exists()


async def test_a_worker_on_another_disk_is_what_the_composition_names(tmp_path: Path) -> None:
    """How fault tests get their disk in: by the command they compose with, nothing in the environment."""
    faults = Faults(tmp_path)
    named = dataclasses.replace(options(tmp_path), command=faults.worker())
    supervisor = WorkerSupervisor(named)
    heard = Heard(supervisor)
    try:
        first = await supervisor.start()
        client = await ControlClient.connect(first.socket, lambda _event: None)
        faults.set(fault("in_datasync", kill=True))
        await client.put_plan(RoomPlan("recording-0000001", 1, 1, room_key=bytes(32)))
        await heard.until(2)
        assert heard.told == ["ready", "lost", "ready"]
        (line,) = faults.log()
        assert (line["phase"], line["did"], line["pid"]) == ("in_datasync", "kill", first.pid)
        await client.close()
    finally:
        await supervisor.stop()
