"""A picture track by time: which frame is to be seen at an instant of the session.

Forwards it decodes on, far forwards and backwards it seeks. A frame that does not decode is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .source import SealedSource
from .turning import Rotations
from .webm import decoded, open_webm

FAR_MS = 12_000
"""A jump further than this is a seek; key frames come at least every 10 s."""


class PictureTrack:
    """`offset_ms`: where on the session's clock the file's own zero lies. `rotations`: how its frames, which
    come as they were sent, are to be turned by who shows them.
    """

    def __init__(self, source: SealedSource, offset_ms: int, rotations: Rotations | None = None) -> None:
        self._box = open_webm(source)
        self._stream = self._box.streams.video[0]
        self._stream.thread_type = "NONE"
        self._offset_ms = offset_ms
        self.rotations = rotations or Rotations()
        self._frames = self._decode()
        self._current: tuple[float, Any] | None = None
        self._next: tuple[float, Any] | None = None
        self._reached_ms = float(offset_ms)
        self._begun = False

    def at(self, at_ms: float, slack_ms: float = 0.0) -> tuple[float, Any] | None:
        """The last frame not later than `at_ms + slack_ms`, with its own time in session ms; None before
        the first.
        """
        wanted = at_ms + slack_ms
        if wanted < self._reached_ms - 1 or wanted > self._reached_ms + FAR_MS:
            self._seek(wanted)
        if not self._begun:
            self._begun = True
            self._next = next(self._frames, None)
        while self._next is not None and self._next[0] <= wanted:
            self._current, self._next = self._next, next(self._frames, None)
        self._reached_ms = wanted
        return self._current

    def _seek(self, at_ms: float) -> None:
        self._box.seek(max(0, int((at_ms - self._offset_ms) * 1000)), backward=True)
        self._frames, self._begun = self._decode(), False
        self._current = self._next = None

    def _decode(self) -> Iterator[tuple[float, Any]]:
        for at_s, frame in decoded(self._box, self._stream):
            yield at_s * 1000 + self._offset_ms, frame

    def close(self) -> None:
        """Frees the decoder."""
        self._box.close()
