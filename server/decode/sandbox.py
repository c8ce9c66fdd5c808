"""Closes a process in before it reads a hostile byte: limits, no privileges, no network, no system calls.

`shut` or the process ends: there is no half-closed child. All that will be imported is imported before.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource

from server.decode.seccomp import refuse_calls
from server.runtime.child import bind_to

_CLONE_NEWUTS, _CLONE_NEWIPC, _CLONE_NEWUSER, _CLONE_NEWNET = 0x04000000, 0x08000000, 0x10000000, 0x40000000
_NOBODY = 65534
MEMORY = 1024**3
"""What a document may take on top of the libraries."""


def quiet() -> None:
    """Before anything is imported: nothing open but 0 to 2, last for the processor, first out of memory."""
    os.closerange(3, 2**20)
    os.environ.clear()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.nice(10)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")


def shut(cpu_s: int, *, threads: bool = False) -> None:
    """From here on: memory, `cpu_s` seconds of processor, descriptor 0. Raises OSError if that cannot be."""
    os.chdir("/")
    parent = str(os.getppid())
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    own_network()
    _limit(cpu_s, 0 if not threads else None)
    bind_to(parent)  # again: a change of user had taken it away
    refuse_calls(threads=threads)


def own_network() -> bool:
    """An empty network of its own, where the kernel allows it; the filter refuses sockets in any case."""
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC | _CLONE_NEWUTS) == 0)


def _limit(cpu_s: int, processes: int | None) -> None:
    with open("/proc/self/statm") as pages:
        taken = int(pages.read().split()[0]) * resource.getpagesize()
    for what, most in (
        (resource.RLIMIT_AS, taken + MEMORY),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_NPROC, processes),  # also counts threads, of all that this user runs
        (resource.RLIMIT_NOFILE, 3),
    ):
        if most is not None:
            resource.setrlimit(what, (most, most))
