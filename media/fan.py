"""One call for all who get a stream's next packets with nothing but their numbers changed.

Whoever needs more of a packet (a key frame to begin with, other picture numbers, another form, a second copy)
is left out and asked for each packet, as all are for what comes late. It is made anew after every change of
a receiver (`SourceStream.fan` is None until then), so that no packet is asked what is decided already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from media.rtp.sequence import MAX_DROPOUT

if TYPE_CHECKING:
    from media.repeat import Listener
    from media.subscription import Subscription
    from media.tracks import SourceStream

Spread = Callable[[bytes, int, int], None]
"""A packet with its number and time at the source, to every receiver of a fan."""


class Way(NamedTuple):
    """`SessionPort.forward` of one receiver, and what it is given: number and time as far as they differ
    from the source's, and the SSRC."""

    forward: Callable[[bytes, int, int, int, int], None]
    number: int
    timestamp: int
    ssrc: int


class Fan:
    """Of one stream; `last` is the highest number that all members have got."""

    __slots__ = ("_members", "_others", "_spread", "last")

    def __init__(self, stream: SourceStream, number: int) -> None:
        """`number`: of the packet that comes next."""
        members: list[Subscription] = []
        ways: list[Way] = []
        others: list[Listener] = []
        for listener in stream.listeners:
            found = listener.way(stream)
            if found is None or number - found[0].last > MAX_DROPOUT:
                others.append(listener)
            else:
                members.append(found[0])
                ways.append(found[1])
        self._members, self._others = tuple(members), tuple(others)
        self._spread = spread_over(ways)
        self.last = max((member.last for member in members), default=number)

    def deliver(
        self, stream: SourceStream, packet: bytes, number: int, timestamp: int, key: bool, at_ns: int
    ) -> None:
        """One packet of the stream, to everybody; see `Subscription.deliver`."""
        if 0 < number - self.last <= MAX_DROPOUT:
            self.last = number
            size = len(packet)
            for member in self._members:
                member.last = number
                member.last_ns = at_ns
                member.last_timestamp = timestamp
                member.packets += 1
                member.octets += size
            self._spread(packet, number, timestamp)
        else:
            for member in self._members:
                member.deliver(stream, packet, number, timestamp, key, at_ns)
        for listener in self._others:
            listener.deliver(stream, packet, number, timestamp, key, at_ns)


def spread_over(ways: Sequence[Way]) -> Spread:
    """In one call where the ways' owner knows how, else one after the other."""
    together = getattr(getattr(ways[0].forward, "__self__", None), "together", None) if ways else None
    made: Spread | None = None if together is None else together(ways)
    return made or one_by_one(ways)


def one_by_one(ways: Sequence[Way]) -> Spread:
    """By each way's own `forward`."""

    def spread(packet: bytes, number: int, timestamp: int) -> None:
        pt = packet[1] & 0x7F
        for way in ways:
            way.forward(packet, pt, number + way.number, timestamp + way.timestamp, way.ssrc)

    return spread
