"""Which layer of a picture a subscriber gets: the one place that decides it.

A camera sends two layers of the same picture, named by their rids. A subscriber gets the best that
`Layer.highest` allows of what flows (browsers drop the high one on a thin uplink). What its line carries
sets `Layer.highest` (`media/lines.py`), and nothing else. Knows streams by rid and time; must not see
packets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol, TypeVar

Level = Literal["high", "low", "stills", "off"]
"""What a subscriber may have at most: any layer, the low one, single pictures now and then, nothing."""
LOW, HIGH = "l", "h"
RIDS = (LOW, HIGH)
"""As offered, low first: browsers give them bandwidth in this order."""
LAYERED_KINDS = frozenset({"camera", "screen"})
"""Kinds that are sent in layers; an examination is sent once, as sharp as the line carries."""
GONE_NS = 300_000_000
SCREEN_GONE_NS = 5_000_000_000
"""A stream is gone when another one of its publication has gone on for this long without it: four pictures,
and the next key frame is a round trip away. The low layer of a screen has few pictures, and large ones: each
may take it seconds."""


class Flow(Protocol):
    """What is looked at of a stream."""

    @property
    def rid(self) -> str: ...

    @property
    def last_ns(self) -> int: ...


F = TypeVar("F", bound=Flow)


def flowing(streams: Iterable[F], gone_ns: int = GONE_NS) -> list[F]:
    """Those that are not gone. On a line that is quiet as a whole nobody is."""
    begun = [stream for stream in streams if stream.last_ns]
    newest = max((stream.last_ns for stream in begun), default=0)
    return [stream for stream in begun if newest - stream.last_ns < gone_ns]


def rank(rid: str) -> int:
    """A stream without a rid is the only one of its publication and counts as high."""
    return 0 if rid == LOW else 1


class Layer:
    """One subscription's choice."""

    __slots__ = ("highest",)

    def __init__(self) -> None:
        self.highest: Level = "high"
        """The best it may get."""

    def choose(self, flows: Iterable[F], current: F | None) -> F | None:
        """The best allowed of what flows; the lowest when no layer of it is allowed, and nothing of a
        picture that is off. `current` stays among equals."""
        if self.highest in ("stills", "off"):
            return None
        limit = 1 if self.highest == "high" else 0
        allowed: list[F] = []
        others: list[F] = []
        for flow in flows:
            (allowed if rank(flow.rid) <= limit else others).append(flow)
        found = max(allowed, key=lambda f: (rank(f.rid), f is current, f.last_ns), default=None)
        return found or min(others, key=lambda f: (rank(f.rid), f is not current), default=None)
