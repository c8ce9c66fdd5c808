"""What parent and child say to each other over one socket pair.

Parent: the job (length, JSON), then the bytes of each range that was asked for, bare. Child: frames, a
header and what it announces; the last is `TOLD` or `PICTURE`.
"""

from __future__ import annotations

import struct

LENGTH = struct.Struct(">I")
FRAME = struct.Struct(">BQI")
"""Kind, offset, length."""
READ, TOLD, PICTURE = 1, 2, 3
LONGEST_TOLD = 1024 * 1024
LONGEST_PICTURE = 16 * 1024 * 1024
CANNOT_SHUT = 71
"""Exit code of a child that could not close itself in: it has read nothing."""
LACKING = 72
"""Exit code of a child that wanted to import something after it was closed in: a mistake of ours."""
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
