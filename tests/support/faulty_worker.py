"""`python -m tests.support.faulty_worker CONTROL`: the real media worker on a disk that fails."""

from __future__ import annotations

import sys
from pathlib import Path

from media.worker import main
from tests.support.faulty_disk import FaultyDisk

if __name__ == "__main__":
    sys.exit(main(FaultyDisk(Path(sys.argv[1]))))
