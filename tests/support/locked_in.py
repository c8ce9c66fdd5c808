"""Run as a program: shuts itself in as a decoding child does and tells what it can still do, one line each.

usage: locked_in.py open|shut|threads
"""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

from server.decode import sandbox

LIBC = ctypes.CDLL(None, use_errno=True)
MEMFD, IO_URING, PTRACE_ME, UNSHARE_USER = 319, 425, 0, 0x10000000


def called(number: int, *arguments: object) -> None:
    if LIBC.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "syscall")


def forked() -> None:
    if os.fork() == 0:
        os._exit(0)


def thread() -> None:
    one = threading.Thread(target=lambda: None)
    one.start()
    one.join()


ATTEMPTS: dict[str, Callable[[], object]] = {
    "read a file": lambda: os.open("/etc/hostname", os.O_RDONLY),
    "read itself": lambda: os.open("/proc/self/maps", os.O_RDONLY),
    "write a file": lambda: os.open("/tmp/hyeopjin-never", os.O_WRONLY | os.O_CREAT),  # noqa: S108
    "list a folder": lambda: os.listdir("/"),
    "ask for a path": lambda: os.stat("/etc"),
    "a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "a local socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
    "a pipe": os.pipe,
    "another descriptor": lambda: os.dup(0),
    "a process": forked,
    "a program": lambda: subprocess.run(["/bin/true"], check=True),
    "a signal": lambda: os.kill(os.getppid(), 0),
    "memory as a file": lambda: called(MEMFD, b"m", 0),
    "an io_uring": lambda: called(IO_URING, 1, ctypes.create_string_buffer(120)),
    "a namespace": lambda: called(272, UNSHARE_USER),
    "more limits": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)),
    "two gigabytes": lambda: bytearray(2 * 1024**3),
    "a thread": thread,
}


def main() -> None:
    how = sys.argv[1]
    if how != "open":
        sandbox.quiet()
        sandbox.shut(5, threads=how == "threads")
    for name, attempt in ATTEMPTS.items():
        try:
            attempt()
            outcome = "done"
        except (OSError, MemoryError, RuntimeError, ValueError) as error:
            outcome = type(error).__name__
        os.write(1, f"{name}: {outcome}\n".encode())
    os._exit(0)


if __name__ == "__main__":
    main()
