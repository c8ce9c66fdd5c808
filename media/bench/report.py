"""Runs a real worker and the generator as two processes and reports what forwarding and recording cost.

CPU time is user + system of the worker and its descendants, from /proc at the generator's two phase marks.
Journals go to a temporary directory with generated keys and are removed afterwards. Loopback only.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

READY_TIMEOUT = 15.0
STOP_TIMEOUT = 5.0
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class BenchFailedError(Exception):
    """No figures could be taken; the text says why."""


async def measure(
    rooms: int,
    seconds: float,
    record: bool = True,
    layered: bool = False,
    native: bool = True,
    joins: int = 0,
) -> dict[str, Any]:
    """The figures of `hyeopjin bench media`; raises BenchFailedError.

    `layered`: cameras in two layers told by RID, as browsers send; the low one is recorded and not forwarded.
    """
    with tempfile.TemporaryDirectory(prefix="hj-bench-") as folder:
        settings = {"rooms": rooms, "seconds": seconds, "record": record, "layered": layered, "joins": joins}
        return await _measure(Path(folder), settings, native)


async def _measure(folder: Path, settings: dict[str, Any], native: bool) -> dict[str, Any]:
    socket = folder / "worker.sock"
    worker = await start_worker(folder, socket, native=native)
    seconds = settings["seconds"]
    try:
        result, cpu, rss = await drive(worker, {**settings, "socket": str(socket)})
    finally:
        await stop_worker(worker)
    forwarded = max(1, result["packets_out"])
    journal = sum(f.stat().st_size for f in (folder / "journal").rglob("*") if f.is_file())
    return {
        "rooms": settings["rooms"],
        "packets_in": result.pop("packets_in"),
        "packets_out": result.pop("packets_out"),
        "lost": result.pop("lost"),
        "cpu_us_per_forwarded_packet": round(cpu * 1e6 / forwarded, 2),
        "latency_ms": result.pop("latency_ms"),
        "rss_mb": round(rss / 1e6, 1),
        "seconds": seconds,
        "worker_cpu_percent": round(100 * cpu / seconds, 1),
        "journal_mb": round(journal / 1e6, 2),
        **result,
    }


async def start_worker(
    folder: Path, socket: Path, log_level: str = "WARNING", native: bool = True
) -> Process:
    """A worker on loopback, its journal under `folder`; raises BenchFailedError if it is not ready."""
    return (await start("media.worker", worker_settings(folder, socket, log_level, native)))[0]


def worker_settings(
    folder: Path, socket: Path, log_level: str = "WARNING", native: bool = True
) -> dict[str, Any]:
    """For a worker on loopback; its journal's directory is made."""
    (folder / "journal").mkdir(exist_ok=True)
    return {
        "socket": str(socket),
        "journal_root": str(folder / "journal"),
        "udp_host": "127.0.0.1",
        "udp_port": 0,
        "announce": ["127.0.0.1"],
        "log_level": log_level,
        "worker_id": "bench",
        "native": native,
    }


async def start(module: str, settings: dict[str, Any]) -> tuple[Process, dict[str, Any]]:
    """A process that is given settings on stdin and says that it is ready; raises BenchFailedError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=PIPE, stdout=PIPE, cwd=_checkout()
    )
    assert process.stdin is not None  # noqa: S101 - a pipe by request
    assert process.stdout is not None  # noqa: S101
    process.stdin.write(json.dumps(settings).encode() + b"\n")
    try:
        async with asyncio.timeout(READY_TIMEOUT):
            ready = json.loads(await process.stdout.readline() or b"{}")
    except (TimeoutError, ValueError):
        ready = {}
    if ready.get("ready") is not True:
        await stop_worker(process)
        raise BenchFailedError(f"{module} did not become ready")
    return process, ready


async def stop_worker(worker: Process) -> None:
    """Closes the worker's stdin, which tells it to seal and exit; kills it when it does not."""
    if worker.stdin is not None:
        worker.stdin.close()
    try:
        async with asyncio.timeout(STOP_TIMEOUT):
            await worker.wait()
    except TimeoutError:
        worker.kill()
        await worker.wait()


async def drive(worker: Process, settings: dict[str, Any]) -> tuple[dict[str, Any], float, int]:
    """One generator against a process that forwards: its result, the process's CPU seconds between the marks
    and its resident bytes at the last one; raises BenchFailedError."""
    generator = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "media.bench.generator", stdin=PIPE, stdout=PIPE, cwd=_checkout()
    )
    assert generator.stdin is not None  # noqa: S101 - a pipe by request
    assert generator.stdout is not None  # noqa: S101
    generator.stdin.write(json.dumps(settings).encode() + b"\n")
    marks: dict[str, float] = {}
    rss = 0
    try:
        async with asyncio.timeout(settings["seconds"] + 60):
            while line := await generator.stdout.readline():
                message = json.loads(line)
                if "phase" in message:
                    marks[message["phase"]] = sum(cpu_seconds(pid) for pid in family(worker.pid))
                    rss = sum(resident(pid) for pid in family(worker.pid))
                elif "result" in message:
                    return message["result"], marks["measured"] - marks["measuring"], rss
                else:
                    raise BenchFailedError(message.get("error", "unknown"))
    except TimeoutError:
        raise BenchFailedError("the generator did not finish") from None
    finally:
        if generator.returncode is None:
            await _reap(generator)
    raise BenchFailedError("the generator ended without a result")


async def _reap(process: Process) -> None:
    try:
        async with asyncio.timeout(STOP_TIMEOUT):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _checkout() -> Path:
    return Path(__file__).parents[2]


def family(pid: int) -> list[int]:
    """A process and all its descendants, as /proc knows them now."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def cpu_seconds(pid: int) -> float:
    """User + system seconds of a process and of the children it has waited for; 0 when it is gone."""
    fields = _stat(pid)
    return sum(int(fields[n]) for n in (11, 12, 13, 14)) / TICKS if fields else 0.0


def resident(pid: int) -> int:
    """Resident bytes; 0 when it is gone."""
    fields = _stat(pid)
    return int(fields[21]) * PAGE if fields else 0


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat after the command name: 0 is the state, 1 the parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
