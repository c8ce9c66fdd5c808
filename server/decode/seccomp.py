"""A filter on system calls, written to the kernel by prctl: what is not listed is refused with EPERM.

Only memory, the clock, the descriptors that are open already and the way out remain. Nothing opens a file,
makes a socket, a thread or a process, or signals one. Linux on x86-64 and aarch64 (that one not tried).
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_PR_SET_NO_NEW_PRIVS = 38
_LOAD, _EQUAL, _AT_LEAST, _HAS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
_UNKNOWN = 0x00050000 | errno.ENOSYS
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
"""Offsets in `struct seccomp_data`."""
_X32 = 0x40000000
_CLONE_THREAD = 0x00010000
_CLONE3 = 435

_CALLS: dict[str, tuple[int, int]] = {  # name: x86-64, aarch64
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "readv": (19, 65),
    "writev": (20, 66),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "nanosleep": (35, 101),
    "getpid": (39, 172),
    "exit": (60, 93),
    "uname": (63, 160),
    "gettimeofday": (96, 169),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "times": (100, 153),
    "getuid": (102, 174),
    "sigaltstack": (131, 132),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "set_robust_list": (273, 99),
    "getrandom": (318, 278),
    "membarrier": (324, 283),
    "rseq": (334, 293),
}
_CLONE = (56, 220)
_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _program(machine: str, *, threads: bool) -> bytes:
    """The filter in classic BPF. Raises OSError(ENOSYS) for a machine without a table."""
    if machine not in _MACHINES:
        raise OSError(errno.ENOSYS, "no table of system calls")
    architecture, column = _MACHINES[machine]
    numbers = sorted(call[column] for call in _CALLS.values())

    def step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("=HBBI", code, then, otherwise, value)

    steps = [
        step(_LOAD, _ARCHITECTURE),
        step(_EQUAL, architecture, 1, 0),
        step(_RETURN, _KILL),
        step(_LOAD, _NUMBER),
        step(_AT_LEAST, _X32, 0, 1),
        step(_RETURN, _KILL),
    ]
    if threads:
        steps += [
            step(_EQUAL, _CLONE3, 0, 1),
            step(
                _RETURN, _UNKNOWN
            ),  # whose flags cannot be seen from here: the C library falls back to clone
            step(_EQUAL, _CLONE[column], 0, 4),
            step(_LOAD, _FIRST_ARGUMENT),
            step(_HAS, _CLONE_THREAD, 0, 1),
            step(_RETURN, _ALLOW),
            step(_RETURN, _REFUSE),
        ]
    steps += [step(_EQUAL, number, len(numbers) - place) for place, number in enumerate(numbers)]
    return b"".join([*steps, step(_RETURN, _REFUSE), step(_RETURN, _ALLOW)])


def refuse_calls(*, threads: bool = False) -> None:
    """From here on for ever; `threads` may be made where a library must, processes never.

    Raises OSError where the kernel does not do it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    code = _program(platform.machine(), threads=threads)
    held = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.addressof(held))
    for arguments in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0),
    ):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
