"""`hyeopjin bench recording`: a synthetic recording through the real recorder, store and finaliser.

Packets are random bytes at the rates of a real call, made before the clock is read; time is told, so an
hour takes as long as the machine needs. Keys are generated, files go to a temporary directory and are
removed.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from media.clock import NS, NTP_UNIX_S
from media.codecs import OPUS_PT, VP8_PT
from media.recorder import RoomRecorder
from media.recordstore.disk import Disk, DiskFile
from media.recordstore.store import StoreWriter

RECORDING = "rec_bench"
WALL_NS = 1_790_000_000 * NS
AUDIO_PPS, FRAMES_PER_S, PACKETS_PER_FRAME = 50, 26, 5
AUDIO_BYTES = 120
KEY_EVERY_FRAMES = 5 * FRAMES_PER_S
ROOM_KEY, SIGNING_KEY = b"r" * 32, b"s" * 32


class TimedFile(DiskFile):
    """A file that notes in ms how long each fdatasync took."""

    def __init__(self, file: DiskFile, took: list[float]) -> None:
        super().__init__(file.path, file._fd)
        self._took = took

    def datasync(self) -> None:
        """As the file's."""
        began = time.perf_counter()
        super().datasync()
        self._took.append((time.perf_counter() - began) * 1000)


class TimedDisk(Disk):
    """The machine's disk, with every fdatasync timed in `took`."""

    def __init__(self) -> None:
        self.took: list[float] = []

    def create(self, path: Path, *, append: bool = False) -> DiskFile:
        """As the disk's."""
        return TimedFile(super().create(path, append=append), self.took)


class BenchClock:
    """Time as the bench tells it."""

    def __init__(self) -> None:
        self.now_ns = 1000 * NS
        self.boot_id = b"the bench's boot"

    def boottime_ns(self) -> int:
        """Told."""
        return self.now_ns

    def wall_ns(self) -> int:
        """Runs with boottime."""
        return WALL_NS + self.now_ns - 1000 * NS


@dataclass(slots=True)
class Sender:
    """One person's camera and microphone: sequence numbers, RTP time, random payloads."""

    peer: str
    number: int
    payload_bytes: int
    audio_seq: int = 0
    video_seq: int = 0
    frame: int = 0
    noise: bytes = field(default_factory=lambda: random.Random(1).randbytes(4096))  # noqa: S311

    def second(self, n: int) -> Iterator[tuple[int, str, bytes]]:
        """(ns within the second, kind, packet) of second n."""
        for i in range(AUDIO_PPS):
            stamp = (n * 48_000 + i * 960) & 0xFFFFFFFF
            head = struct.pack(">BBHII", 0x80, OPUS_PT, self.audio_seq & 0xFFFF, stamp, 1000 + self.number)
            yield i * NS // AUDIO_PPS, "audio", head + b"\xf8" + self.noise[: AUDIO_BYTES - 1]
            self.audio_seq += 1
        for i in range(FRAMES_PER_S):
            key = self.frame % KEY_EVERY_FRAMES == 0
            stamp = (n * 90_000 + i * 90_000 // FRAMES_PER_S) & 0xFFFFFFFF
            for part in range(PACKETS_PER_FRAME):
                mark = VP8_PT | (0x80 if part == PACKETS_PER_FRAME - 1 else 0)
                head = struct.pack(">BBHII", 0x80, mark, self.video_seq & 0xFFFF, stamp, 2000 + self.number)
                begin = b"\x10" if part == 0 else b"\x00"
                if part == 0:
                    begin += b"\x10\x02\x00\x9d\x01\x2a\x80\x02\xe0\x01" if key else b"\x11\x02\x00"
                yield (
                    i * NS // FRAMES_PER_S + part * 200_000,
                    "camera",
                    head + begin + self.noise[: max(16, self.payload_bytes) - len(begin)],
                )
                self.video_seq += 1
            self.frame += 1


@dataclass(slots=True)
class Written:
    """What the recorder took."""

    packets: int = 0
    path_s: float = 0.0
    cpu_s: float = 0.0
    sync_ms: list[float] = field(default_factory=list)


async def write_journal(
    root: Path, parties: int, seconds: int, payload_bytes: int
) -> tuple[Written, dict[str, bytes]]:
    """A recording of `seconds` told seconds under `root`; what it cost, and the seats' keys."""
    clock, told, disk = BenchClock(), Written(), TimedDisk()
    store = StoreWriter(clock, sync_every_s=3600, disk=disk)
    store.start()
    recorder = RoomRecorder(root, RECORDING, 1, store, ROOM_KEY, clock, lambda *_: None)
    senders = [Sender(f"seat_bench-{n}", n, payload_bytes) for n in range(parties)]
    keys = {sender.peer: os.urandom(32) for sender in senders}
    for peer, key in keys.items():
        recorder.admit(peer, f"grant-{peer}", key)
    for n in range(seconds):
        start = clock.now_ns
        packets = sorted(
            (
                (start + at, sender.peer, kind, data)
                for sender in senders
                for at, kind, data in sender.second(n)
            ),
            key=lambda item: item[0],
        )
        before, cpu = time.thread_time(), time.process_time()
        for at, peer, kind, data in packets:
            recorder.rtp(peer, kind, "", data, at)
        for sender in senders:
            ntp = (WALL_NS // NS + NTP_UNIX_S + n) << 32
            recorder.sender_report(
                sender.peer, "camera", 2000 + sender.number, ntp, n * 90_000 & 0xFFFFFFFF, start
            )
            recorder.sender_report(
                sender.peer, "audio", 1000 + sender.number, ntp, n * 48_000 & 0xFFFFFFFF, start
            )
        clock.now_ns = start + NS
        recorder.stored(clock.now_ns)
        told.path_s += time.thread_time() - before
        await asyncio.wrap_future(store.flushed())
        told.cpu_s += time.process_time() - cpu
        told.packets += len(packets)
    await recorder.close()
    store.close(60.0)
    told.sync_ms = sorted(disk.took)
    return told, keys


FINALISER = """
import atexit, pathlib, runpy, sys
atexit.register(lambda: pathlib.Path(sys.argv[1]).write_text(pathlib.Path("/proc/self/status").read_text()))
runpy.run_module("media.finaliser", run_name="__main__")
"""
"""The finaliser, which at its end leaves what the kernel says of it. `ru_maxrss` would not do: on Linux a
process starts with the peak of the one that started it."""


def finalise(folder: Path, keys: dict[str, bytes], out: Path) -> dict[str, Any]:
    """One run of the finaliser as a child: its result, CPU seconds and peak resident MB."""
    job = {
        "journal_root": str(folder / "journal"), "recording": RECORDING, "epochs": [1],
        "keys": {peer: base64.b64encode(key).decode() for peer, key in keys.items()},
        "room_key": base64.b64encode(ROOM_KEY).decode(), "signing_key":
        base64.b64encode(SIGNING_KEY).decode(), "out_dir": str(out), "generation": 1, "session":
        {"started_at_ms": WALL_NS // 1_000_000},
    }  # fmt: skip
    with (folder / "job.json").open("w+") as source, (folder / "said").open("w+") as said:
        json.dump(job, source)
        source.seek(0)
        status_file = folder / "status"
        status_file.unlink(missing_ok=True)
        child = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-c", FINALISER, str(status_file)], stdin=source, stdout=said
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        result = json.loads(said.read().splitlines()[-1])
    return {
        "ok": child.returncode == 0 and result["ok"] and not result["failed"],
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": _peak_mb(status_file.read_text()) if status_file.exists() else float("nan"),
        "result": result,
    }


def _peak_mb(status: str) -> float:
    """`VmHWM` of `/proc/<pid>/status` (proc(5))."""
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def measure(parties: int, seconds: int, payload_bytes: int) -> dict[str, Any]:
    """The figures of `hyeopjin bench recording`."""
    with tempfile.TemporaryDirectory(prefix="hj-bench-") as name:
        folder = Path(name)
        (folder / "journal").mkdir()
        told, keys = asyncio.run(write_journal(folder / "journal", parties, seconds, payload_bytes))
        done = finalise(folder, keys, folder / "out")
        size = sum(f.stat().st_size for f in (folder / "journal").rglob("*.seg"))
    times = told.sync_ms
    return {
        "parties": parties,
        "seconds": seconds,
        "packets": told.packets,
        "journal_mb": round(size / 1e6, 1),
        "us_per_packet": round(told.path_s * 1e6 / told.packets, 2),
        "cpu_us_per_packet": round(told.cpu_s * 1e6 / told.packets, 2),
        "fsync_ms": {"p50": round(times[len(times) // 2], 2), "p99": round(times[int(len(times) * 0.99)], 2)},
        "finaliser_ok": done["ok"],
        "finaliser_cpu_s": round(done["cpu_s"], 2),
        "finaliser_times_real_time": round(seconds / done["cpu_s"], 1),
        "finaliser_us_per_packet": round(done["cpu_s"] * 1e6 / told.packets, 2),
        "finaliser_peak_mb": round(done["peak_mb"], 1),
    }
