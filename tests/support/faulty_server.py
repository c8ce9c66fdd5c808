"""`python -m tests.support.faulty_server CONTROL demo …`: the whole server; its worker, its finaliser
and its own publishing use a disk that fails on command (tests/support/faulty_disk.py).
"""

from __future__ import annotations

import sys
from pathlib import Path

from server.__main__ import build
from server.runtime.machinery import Machinery
from tests.support.faulty_disk import Faults, FaultyDisk

if __name__ == "__main__":
    control = Path(sys.argv.pop(1))
    faults = Faults(control.parent)
    build()(obj=Machinery(faults.worker(), faults.finaliser(), FaultyDisk(control)))
