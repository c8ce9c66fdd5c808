"""Runs a module as a child that cannot outlive its parent: `python -m server.runtime.child MODULE PARENT`.

It asks the kernel to kill it when the server dies (a second finaliser may then start without a rival) and
forbids core dumps before any key is read. It must not import anything of the product itself.
"""

from __future__ import annotations

import ctypes
import os
import resource
import runpy
import signal
import sys

_PR_SET_PDEATHSIG = 1
ALLOWED = ("media.finaliser", "media.composer", "media.listener")


def main() -> None:
    """MODULE is run; PARENT is the parent's process id. Exit code 70 when that is gone already."""
    module, parent = sys.argv[1:] if len(sys.argv) == 3 else ("", "")
    if module not in ALLOWED:
        raise SystemExit(64)
    bind_to(parent)
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def bind_to(parent: str) -> None:
    """No core dumps, and a death with process `parent`. Exits with 70 when that is gone already."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if str(os.getppid()) != parent:  # it died before the kernel was asked
            raise SystemExit(70)


if __name__ == "__main__":
    main()
