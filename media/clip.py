"""A few seconds of a finished audio track as a file of their own: packets copied, nothing decoded.

What lies outside is not in it, and hardly read. It must not know whose voice it is or who asks.
"""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av

_MS = Fraction(1, 1000)


def cut(track: Any, from_ms: int, to_ms: int) -> bytes:
    """The packets that begin in [from_ms, to_ms), ms since the track's own start, as a WebM that begins at 0;
    empty when there are none. `track`: a binary file that can seek. Raises av's errors on what is no WebM.
    """
    result = io.BytesIO()
    written = 0
    with av.open(track, "r", format="webm") as source:
        sound = source.streams.audio[0]
        source.seek(max(0, from_ms - 1000) * 1000, backward=True)
        with av.open(result, "w", format="webm", options={"fflags": "+bitexact"}) as target:
            stream: Any = target.add_stream("libopus", rate=48_000)
            stream.layout = "stereo"
            for packet in source.demux(sound):
                if packet.pts is None or packet.time_base is None:
                    continue
                at = packet.pts * packet.time_base / _MS
                if at >= to_ms:
                    break
                if at < from_ms:
                    continue
                copied: Any = av.Packet(bytes(packet))
                copied.stream, copied.time_base = stream, _MS
                copied.pts = copied.dts = round(at - from_ms)
                copied.duration = round((packet.duration or 0) * packet.time_base / _MS)
                copied.is_keyframe = True
                target.mux(copied)
                written += 1
    return result.getvalue() if written else b""
