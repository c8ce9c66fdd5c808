"""A delivery of pictures that can also be sent as stills: whole key frames, each a range of its own.

Which picture and how fast, `media/stills.py` decides; what is sent in between, nobody.
"""

from __future__ import annotations

from collections.abc import Callable

from media.ports import Delivery, SessionPort
from media.ranges import NS, Range
from media.rtp.packets import put_send_time, read_header
from media.rtp.splice import renumbered
from media.subscription import Subscription
from media.tracks import SourceStream


class PictureSubscription(Subscription):
    """A Subscription of a camera, screen or examination."""

    __slots__ = ("_stilled",)

    def __init__(
        self, session: SessionPort, delivery: Delivery, *, ask: Callable[[SourceStream], None]
    ) -> None:
        super().__init__(session, delivery, video=True, ask=ask)
        self._stilled: Range | None = None
        """The range of the last still."""

    def begin_still(
        self, stream: SourceStream, first: tuple[int, bytes], at_ns: int, now_ns: int, until_ns: int
    ) -> None:
        """A range for one picture that begins with this packet, which arrived by `at_ns` and will all be sent
        by `until_ns`. Its RTP time says that it was taken so much later: a receiver that saw pictures come
        late would hold the voice back for them."""
        number, packet = first
        timestamp = read_header(packet)[2]
        before = self._range
        again = before is not None and before is self._stilled and before.stream is stream
        self._begin(stream, packet, number, timestamp, at_ns, self._timestamp_offset if again else None)
        # Its report went out now, however long the picture was kept: a round trip is counted from there.
        self._reports.move(at_ns, now_ns)
        late = max(0, until_ns - at_ns) * stream.clock_hz // NS
        assert self._range is not None  # noqa: S101 - begun above
        self._range.timestamp_offset += late
        self.last_timestamp += late
        self.last_ns = at_ns + late * NS // stream.clock_hz
        self._stilled = self._range
        self._apart()
        self.stream = None

    def send_still(self, number: int, packet: bytes, now_ns: int) -> None:
        """One packet of the still that was begun last, in order."""
        span = self._range
        if span is None or number < span.first:
            return
        span.last = self.last = number
        self.packets += 1
        self.octets += len(packet)
        if any(span.added):
            packet = renumbered(packet, span.added)
        stamped = bytearray(packet)
        if self.delivery.rtx_ssrc is not None:  # what may be repeated plainly must stay as it is
            put_send_time(stamped, now_ns)
        stamp = read_header(packet)[2] + span.timestamp_offset
        self._forward(bytes(stamped), packet[1] & 0x7F, number + span.number_offset, stamp, self._ssrc)

    def repeat_still(self, number: int, now_ns: int) -> int:
        """A packet of that still once more, as a retransmission; its size, 0 when it is gone."""
        found = None if self._range is None else self._find(number + self._range.number_offset)
        if found is None or self._range is None:
            return 0
        self._resend(found[0], found[1], number + self._range.number_offset, now_ns)
        return len(found[0])
