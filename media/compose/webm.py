"""A finished track in memory: its container opened, its frames decoded. A packet that does not decode is
passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import av

from .source import SealedSource


def open_webm(source: SealedSource) -> Any:
    """The container; whoever opened it closes it."""
    return av.open(cast(BinaryIO, source), mode="r", format="webm")


def decoded(box: Any, stream: Any) -> Iterator[tuple[float, Any]]:
    """Each frame that has a time, with it: seconds since the file's own zero."""
    for packet in box.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        for frame in frames:
            if frame.pts is not None and frame.time_base is not None:
                yield float(frame.pts * frame.time_base), frame
