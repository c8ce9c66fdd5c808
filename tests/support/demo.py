"""The real demo as a child process: a free port, its seats file, and the Ctrl-C a terminal would send.

It kills only the processes it started, by pid, and says so when something survives a Ctrl-C.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.support.naps import naps
from tests.support.ports import free_port

TOP = Path(__file__).parents[2]
START_TIMEOUT = 40.0
STOP_LIMIT = 3.0
T = TypeVar("T")


class DemoError(AssertionError):
    """The demo did not start, or did not stop as promised; the text ends with its last log lines."""


def until(what: str, check: Callable[[], T | None], timeout: float = 10.0, pause: float = 0.1) -> T:
    """Waits for a check to give something true; raises AssertionError with the last value otherwise.

    Three looks at least: one that hung until the time was over has seen nothing of what came meanwhile.
    """
    deadline = time.monotonic() + timeout
    looks = 0
    while True:
        value = check()
        looks += 1
        if value:
            return value
        if time.monotonic() > deadline and looks >= 3:
            raise AssertionError(f"not within {timeout} s: {what} (last: {value!r})")
        time.sleep(pause)


def children(pid: int) -> dict[int, str]:
    """Every living descendant of a process with its command line."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))) and fields[0] != "Z":
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = parents.get(pid, [])[:]
    for one in found:
        found += parents.get(one, [])
    return {one: command(one) for one in found}


def command(pid: int) -> str:
    """A process's command line with spaces, or the empty string."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def alive(pid: int) -> bool:
    """True while the process exists and is not a zombie."""
    fields = _stat(pid)
    return bool(fields) and fields[0] != "Z"


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


class Demo:
    """One running demo. `seats` and `accounts` are keyed by role."""

    def __init__(
        self,
        folder: Path,
        env: Mapping[str, str] | None = None,
        prefix: tuple[str, ...] = (),
        announce: str | None = "127.0.0.1",
        module: tuple[str, ...] = ("server",),
        more: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "demo.log"  # stderr: what is logged
        self.printed = folder / "demo.out"  # stdout: the table of links, which is no log
        self.seats_file = folder / "seats.json"
        self.port = free_port()
        self._env = dict(env or {})
        if announce is not None:
            self._env.setdefault("HYEOPJIN_MEDIA_ANNOUNCE", json.dumps([announce]))
        self._env.setdefault("HYEOPJIN_MEDIA_WORKERS", "1")  # most tests have one room
        self._prefix = prefix
        self._more = more  # arguments of the command
        self._module = module  # another entry to the same command line: tests/support/faulty_disk.py
        self.process: subprocess.Popen[bytes] | None = None
        self.info: dict[str, Any] = {}

    def start(self) -> Demo:
        """Starts and waits until the seats file is whole and /readyz says yes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.seats_file.unlink(missing_ok=True)
        arguments = ["demo", "--port", str(self.port), "--data", str(self.data)]
        arguments += ["--seats-file", str(self.seats_file), *self._more]
        with self.log.open("ab") as log, self.printed.open("ab") as printed:
            self.process = subprocess.Popen(
                [*self._prefix, sys.executable, "-m", *self._module, *arguments],
                cwd=TOP,
                env={**os.environ, "HYEOPJIN_LOG_LEVEL": "debug", **self._env},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._ready():
            if self.process.poll() is not None:
                raise DemoError(f"the demo ended with {self.process.returncode}\n{self.tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise DemoError(f"the demo was not ready in {START_TIMEOUT} s\n{self.tail()}")
            time.sleep(0.2)
        return self

    def _ready(self) -> bool:
        try:
            self.info = json.loads(self.seats_file.read_text())
        except (OSError, ValueError):
            return False
        return bool(self._prefix) or self.get("/readyz")[0] == 200

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """A plain GET: (status, body); status 0 when nobody listens."""
        request = urllib.request.Request(self.base_url + path, headers=dict(headers or {}))  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError:
            return 0, b""

    @property
    def base_url(self) -> str:
        url: str = self.info.get("base_url") or f"http://localhost:{self.port}"
        return url.rstrip("/")

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def seat(self, role: str) -> dict[str, Any]:
        """The first seat of a role, as the seats file has it."""
        return next(seat for seat in self.info["seats"] if seat["role"] == role)

    def seat_id(self, role: str) -> str:
        url: str = self.seat(role)["room_url"]
        return url.split("#")[0].rstrip("/").rsplit("/", 1)[1]

    def account(self, role: str) -> dict[str, Any]:
        return next(account for account in self.info["accounts"] if account["role"] == role)

    def child(self, words: str) -> int:
        """The pid of the one descendant whose command line has these words."""
        found = [pid for pid, line in children(self.pid).items() if words in line]
        assert len(found) == 1, (words, children(self.pid))
        return found[0]

    def worker(self) -> int:
        return self.child("media.worker" if self._module == ("server",) else "faulty_worker")

    def stop(self, limit: float = STOP_LIMIT) -> float:
        """Ctrl-C to the whole foreground group, as a terminal does; asserts a clean exit, returns seconds."""
        assert self.process is not None
        if self.process.poll() is not None:
            raise DemoError(f"the demo had already ended with {self.process.returncode}\n{self.tail()}")
        below = children(self.pid)
        os.killpg(self.pid, signal.SIGINT)
        took = naps(self.process, limit + 10)
        if self.process.poll() is None:
            self.kill()
            raise DemoError(f"still running {limit + 10} s after Ctrl-C\n{self.tail()}")
        left = {pid: line for pid, line in below.items() if alive(pid) and command(pid) == line}
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        if left:
            raise DemoError(f"left behind after Ctrl-C: {left}\n{self.tail()}")
        if took > limit:
            raise DemoError(f"took {took:.1f} s to stop\n{self.tail()}")
        return took

    def kill(self) -> None:
        """SIGKILL to the server and to everything below it, whatever state it is in."""
        assert self.process is not None
        below = children(self.pid)
        for pid in (self.pid, *below):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(10)

    def tail(self, lines: int = 40) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def command(self, *arguments: str) -> Any:
        """Runs `hyeopjin … --json` on the demo's data and returns the parsed output."""
        done = subprocess.run(
            [sys.executable, "-m", "server", *arguments, "--data", str(self.data), "--json"],
            cwd=TOP, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 1, 2), done.stderr.decode(errors="replace")[-2000:]
        return json.loads(done.stdout)


@contextmanager
def running(folder: Path, env: Mapping[str, str] | None = None) -> Iterator[Demo]:
    """A demo for the length of a block, killed if the block left it running."""
    demo = Demo(folder, env).start()
    try:
        yield demo
    finally:
        if demo.process is not None and demo.process.poll() is None:
            demo.kill()
