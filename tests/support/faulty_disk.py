"""A disk that fails on command: full, slow, broken, read-only, without power, or deadly in a named phase.

In a process of its own (the real worker, the real finaliser, a whole server):

    faults = Faults(tmp_path)                            # the control file: the test writes, all read
    Demo(folder, module=faults.server()).start()         # or WorkerOptions(command=faults.worker()),
                                                         # FinalisingOptions(command=faults.finaliser())
    faults.set(fault("before_write", error="ENOSPC"))    # every file of the journal, from now on
    faults.set(fault("before_write", "*/seat-1.*.seg", error="EIO"))     # one seat's segments
    faults.set(fault("before_datasync", block_s=5))
    faults.set(fault("in_datasync", kill=True, skip=7))  # SIGKILL in the eighth fdatasync
    faults.set(fault("before_rename", "*.sealed.tmp", kill=True))
    faults.cut()                                         # power loss now: what was not synced is gone
    faults.set()                                         # all is well again
    faults.log()                                         # done so far: phase, file, did, n, pid, boottime_ns

In this process: `StoreWriter(clock, disk=FaultyDisk(faults.control))`, without kill, power or cut.

PHASES lists the names. `before_X` raises or waits before X has done anything, `after_X` when it is done. In
`in_write` half of the bytes are down; in `in_datasync`, `in_sync` and `in_rename` another thread kills while
the call is under way. `skip`: that many matches pass first; `times`: so many act. A pattern is matched
against the whole path. A kill is logged before it happens; `power=True` makes the process lose what was not
synced first: bytes since fdatasync (of which a share `torn` may have reached the disk), names and renames
since the fsync of their directory. `free` is what `space` tells.
"""

from __future__ import annotations

import errno
import fnmatch
import json
import os
import shutil
import signal
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from media.recordstore.disk import Disk, DiskFile, Space

OPERATIONS = (
    "create", "write", "write_at", "datasync", "sync", "sync_path", "rename", "link", "remove",
    "make_directory", "sync_directory", "space", "allocate",
)  # fmt: skip
INSIDE = ("in_write", "in_write_at", "in_datasync", "in_sync", "in_rename")
PHASES = (*(f"{when}_{what}" for what in OPERATIONS for when in ("before", "after")), *INSIDE)
POLL_S = 0.02


@dataclass(frozen=True)
class Fault:
    """What happens in a phase, to whom. Made by `fault`."""

    phase: str
    file: str = "*"
    error: str = ""
    block_s: float = 0.0
    kill: bool = False
    power: bool = False
    torn: float = 0.0
    skip: int = 0
    times: int = -1


def fault(phase: str, file: str = "*", **what: Any) -> Fault:
    """A Fault; `phase` must be one of PHASES."""
    assert phase in PHASES, phase
    return Fault(phase, file, **what)


class Faults:
    """The test's hand on the control file. One for all processes of a test."""

    def __init__(self, folder: Path) -> None:
        self.control = folder.absolute() / "faults.json"
        self.file = self.control.with_suffix(".log")
        self._number = 0
        if not self.control.exists():
            self.set()

    def set(self, *faults: Fault, free: int | None = None) -> None:
        """From now on these and no others; counters start anew."""
        self._write({"faults": [asdict(one) for one in faults], "free": free})

    def cut(self, torn: float = 0.0) -> None:
        """Power loss in every process that has this disk; returns at once, they die within 50 ms."""
        self._write({"faults": [], "cut": True, "torn": torn})

    def _write(self, value: dict[str, Any]) -> None:
        self._number += 1
        aside = self.control.with_suffix(".new")
        aside.write_text(json.dumps(value | {"number": self._number}))
        aside.replace(self.control)

    def log(self) -> list[dict[str, Any]]:
        """Everything done so far, in order."""
        if not self.file.exists():
            return []
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def worker(self) -> tuple[str, ...]:
        """The command of a media worker on this disk."""
        return (sys.executable, "-m", "tests.support.faulty_worker", str(self.control))

    def finaliser(self) -> tuple[str, ...]:
        """The command of a finaliser on this disk (its parent's id is appended by who starts it)."""
        return (sys.executable, "-m", "tests.support.faulty_finaliser", str(self.control))

    def server(self) -> tuple[str, ...]:
        """For Demo(module=…): a server whose children and publishing use this disk."""
        return ("tests.support.faulty_server", str(self.control))


class FaultyFile(DiskFile):
    """A file of a FaultyDisk."""

    def __init__(self, real: DiskFile, disk: FaultyDisk) -> None:
        super().__init__(real.path, real._fd)
        self._disk = disk

    def write(self, data: bytes) -> None:
        self._put("write", data, None)

    def write_at(self, data: bytes, offset: int) -> None:
        self._put("write_at", data, offset)

    def _put(self, name: str, data: bytes, offset: int | None) -> None:
        half = len(data) // 2
        with self._disk.step(name, self.path):
            self._raw(data[:half], offset)
            self._disk.inside(name, self.path)
            self._raw(data[half:], None if offset is None else offset + half)

    def _raw(self, data: bytes, offset: int | None) -> None:
        if offset is None:
            super().write(data)
        else:
            super().write_at(data, offset)
        self._disk.grown(self.path, len(data), offset)

    def datasync(self) -> None:
        with self._disk.step("datasync", self.path):
            while self._disk.dying("datasync", self.path):
                super().datasync()
            super().datasync()
            self._disk.synced(self.path)

    def sync(self) -> None:
        with self._disk.step("sync", self.path):
            while self._disk.dying("sync", self.path):
                super().sync()
            super().sync()
            self._disk.synced(self.path)


class _Step:
    """One operation: its two outer phases, and the lock against a power cut in the middle of it."""

    def __init__(self, disk: FaultyDisk, name: str, path: Path) -> None:
        self._disk, self._name, self._path = disk, name, path

    def __enter__(self) -> None:
        self._disk.meet(f"before_{self._name}", self._path)
        self._disk.lock.acquire()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._disk.lock.release()
        if kind is None:
            self._disk.meet(f"after_{self._name}", self._path)


class FaultyDisk(Disk):
    """The real disk behind the faults of a control file. Knows what power loss would take."""

    def __init__(self, control: Path) -> None:
        self._control = control
        self._log = control.with_suffix(".log")
        self._stamp: tuple[int, int] = (0, 0)
        self._faults: list[Fault] = []
        self._met: dict[int, int] = {}
        self._free: int | None = None
        self._doomed = False
        self.lock = threading.RLock()
        self._sizes: dict[Path, list[int]] = {}  # path: [bytes, of which synced]
        self._fresh: dict[Path, None] = {}  # names whose directory was not synced since
        self._moved: list[tuple[Path, Path]] = []
        threading.Thread(target=self._watch, name="faults", daemon=True).start()

    # -- the faults ------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while True:
            self._look()
            time.sleep(POLL_S)

    def _look(self) -> None:
        try:
            found = self._control.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp == self._stamp:
                return
            told = json.loads(self._control.read_text())
        except FileNotFoundError:
            return
        with self.lock:
            if stamp == self._stamp:
                return
            self._stamp, self._met, self._free = stamp, {}, told.get("free")
            self._faults = [Fault(**one) for one in told["faults"]]
            if told.get("cut"):
                self._die("cut", self._control, 0, power=True, torn=float(told.get("torn", 0)))

    def step(self, name: str, path: Path) -> _Step:
        return _Step(self, name, path)

    def inside(self, name: str, path: Path) -> None:
        self.meet(f"in_{name}", path)

    def meet(self, phase: str, path: Path) -> None:
        """A phase is reached: do what the faults say."""
        self._look()
        for number, one in self._due(phase, path):
            if one.kill or one.power:
                self._die(phase, path, number, power=one.power, torn=one.torn)
            if one.block_s:
                self._tell(phase, path, "block", number)
                end, stamp = time.monotonic() + one.block_s, self._stamp
                while self._stamp == stamp and time.monotonic() < end:  # lifted, it ends
                    time.sleep(min(POLL_S, one.block_s))
            if one.error:
                self._tell(phase, path, one.error, number)
                raise OSError(getattr(errno, one.error), one.error)

    def dying(self, name: str, path: Path) -> bool:
        """True (from the first time on) when a kill is due inside this call: it comes from another thread."""
        if self._doomed:
            return True
        for number, one in self._due(f"in_{name}", path):
            self._doomed = True
            self._tell(f"in_{name}", path, "kill", number)
            threading.Thread(target=self._end, args=(one.power, one.torn), daemon=True).start()
        return self._doomed

    def _due(self, phase: str, path: Path) -> list[tuple[int, Fault]]:
        found = []
        with self.lock:
            for i, one in enumerate(self._faults):
                if one.phase == phase and fnmatch.fnmatch(str(path), one.file):
                    self._met[i] = met = self._met.get(i, 0) + 1
                    if met > one.skip and (one.times < 0 or met <= one.skip + one.times):
                        found.append((met, one))
        return found

    def _tell(self, phase: str, path: Path, did: str, number: int) -> None:
        line = {"phase": phase, "file": path.name, "did": did, "n": number, "pid": os.getpid()}
        line["boottime_ns"] = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        fd = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(fd, json.dumps(line).encode() + b"\n")
        finally:
            os.close(fd)

    def _die(self, phase: str, path: Path, number: int, *, power: bool, torn: float) -> None:
        self._tell(phase, path, "power" if power else "kill", number)
        self._end(power, torn)

    def _end(self, power: bool, torn: float) -> None:
        if power:
            # Inside a call the lock is held by a thread that never gives it back: then nothing else moves.
            self.lock.acquire(timeout=0.0 if self._doomed else 5.0)
            self._lose(torn)
        os.kill(os.getpid(), signal.SIGKILL)

    # -- power -----------------------------------------------------------------------------------------------

    def _lose(self, torn: float) -> None:
        """Put the files back to what was surely on the disk."""
        for source, target in reversed(self._moved):
            if target.exists():
                os.rename(target, source)
                self._sizes[source] = self._sizes.pop(target, [0, 0])
                self._fresh.setdefault(source)
        for path, (size, synced) in self._sizes.items():
            if path.exists() and size > synced:
                os.truncate(path, synced + int((size - synced) * torn))
        for path in list(self._fresh):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def grown(self, path: Path, size: int, offset: int | None) -> None:
        state = self._sizes.setdefault(path, [0, 0])
        state[0] = max(state[0], (state[0] if offset is None else offset) + size)
        if offset is not None:
            state[1] = min(state[1], offset)

    def synced(self, path: Path) -> None:
        state = self._sizes.setdefault(path, [0, 0])
        state[1] = state[0]

    # -- the operations --------------------------------------------------------------------------------------

    def create(self, path: Path, *, append: bool = False) -> DiskFile:
        with self.step("create", path):
            made = FaultyFile(super().create(path, append=append), self)
            self._sizes[path] = [0, 0]
            self._fresh[path] = None
        return made

    def allocate(self, path: Path, size: int) -> None:
        with self.step("allocate", path):
            super().allocate(path, size)

    def make_directory(self, path: Path, *, parents: bool = False) -> None:
        with self.step("make_directory", path):
            if not path.exists():
                self._fresh[path] = None
            super().make_directory(path, parents=parents)

    def sync_directory(self, directory: Path) -> None:
        with self.step("sync_directory", directory):
            super().sync_directory(directory)
            self._fresh = {path: None for path in self._fresh if path.parent != directory}
            self._moved = [pair for pair in self._moved if pair[1].parent != directory]

    def sync_path(self, path: Path) -> None:
        with self.step("sync_path", path):
            super().sync_path(path)
            self.synced(path)

    def rename(self, source: Path, target: Path) -> None:
        with self.step("rename", source):
            self.dying("rename", source)
            super().rename(source, target)
            while self._doomed:
                time.sleep(1)
            self._moved.append((source, target))
            if source in self._sizes:
                self._sizes[target] = self._sizes.pop(source)
            self._fresh.pop(source, None)

    def link(self, source: Path, target: Path) -> None:
        with self.step("link", target):
            super().link(source, target)
            self._fresh[target] = None

    def remove(self, path: Path) -> None:
        with self.step("remove", path):
            super().remove(path)
            self._sizes.pop(path, None)
            self._fresh.pop(path, None)

    def space(self, directory: Path) -> Space:
        with self.step("space", directory):
            found = super().space(directory)
        return found if self._free is None else Space(found.total, self._free)
