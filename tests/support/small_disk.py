"""A real small disk for a program: a tmpfs of so many bytes in a mount namespace of its own.

    with SmallDisk(folder / "data", size_mb=96) as disk:
        process = Popen([*disk.prefix, sys.executable, …])   # it sees the small disk at folder / "data"
        disk.of(process.pid)                                  # from here on this test can reach into it
        disk.fill(); disk.free(); disk.read_only(); disk.writable()

Needs no root: `unshare -rm` makes a user namespace where there is none. Nothing is left mounted when the
program has ended. Several directories make several disks.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from pathlib import Path

FILLER = "filler"
CHUNK = 1 << 20


class SmallDisk:
    """One tmpfs at `directory`, as the program that was started with `prefix` sees it."""

    def __init__(self, directory: Path, size_mb: int, inner: tuple[str, ...] = ()) -> None:
        self.directory = directory.absolute()
        self.directory.mkdir(parents=True, exist_ok=True)
        mount = 'mount -t tmpfs -o size="$1"m,mode=700 tmpfs "$2" && shift 2 && exec "$@"'
        shell = ("sh", "-c", mount, "sh", str(size_mb), str(self.directory))
        outer = () if inner else ("unshare", "-rm", "--propagation", "private")
        self.prefix = (*inner, *outer, *shell)
        self._pid = 0

    def of(self, pid: int) -> SmallDisk:
        """The process in whose namespace the disk is."""
        self._pid = pid
        return self

    @property
    def path(self) -> Path:
        """The disk as this test reaches it."""
        return Path(f"/proc/{self._pid}/root{self.directory}")

    @property
    def free_bytes(self) -> int:
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def fill(self, leave: int = 0) -> None:
        """Somebody else's file takes what is free now, but for `leave` bytes. It stops then: one that went on
        would take whatever is given back to the database as well.
        """
        left = self.free_bytes - leave
        fd = os.open(self.path / FILLER, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            while left > 0:
                left -= os.write(fd, bytes(min(left, CHUNK)))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        finally:
            os.close(fd)

    def free(self) -> None:
        """That file goes."""
        (self.path / FILLER).unlink(missing_ok=True)

    def read_only(self) -> bool:
        """Remount read-only; False while a file is open for writing, as the kernel has it."""
        return self._remount("ro")

    def writable(self) -> bool:
        return self._remount("rw")

    def _remount(self, how: str) -> bool:
        inside = ("nsenter", "-t", str(self._pid), "-U", "-m", "--preserve-credentials")
        command = [*inside, "mount", "-o", f"remount,{how}", str(self.directory)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def __enter__(self) -> SmallDisk:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pid:
            with contextlib.suppress(OSError):
                self.free()
