"""`python -m tests.support.faulty_finaliser CONTROL PARENT`: the real finaliser on a disk that fails.

It dies with its parent, as under `server.runtime.child`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from media.finaliser import main
from server.runtime.child import bind_to
from tests.support.faulty_disk import FaultyDisk

if __name__ == "__main__":
    bind_to(sys.argv[2])
    sys.exit(main(FaultyDisk(Path(sys.argv[1]))))
