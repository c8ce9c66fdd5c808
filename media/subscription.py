"""One delivery: one source track on its way to one subscriber. Rewrites numbers, answers losses and reports.

The subscriber sees one endless stream whatever the source does: each time the source changes, restarts,
resumes or its layer is switched a new range begins with its own offsets, and late and repeated packets use
the offsets of the range they belong to. Video begins with a key frame. Time is an argument.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable

from media.codecs import RTX_PT
from media.fan import Way
from media.layers import Layer
from media.playout import Lateness, Playout
from media.ports import Delivery, SessionPort
from media.ranges import MAX_RANGES, NS, Range, ahead, next_numbers, signed
from media.round_trip import SentReports
from media.rtp import rtcp, rtx
from media.rtp.nack import FAR_NS
from media.rtp.packets import payload_offset, put_send_time, read_header
from media.rtp.sequence import MAX_DROPOUT
from media.rtp.splice import Numbers, renumbered
from media.tracks import SourceStream

RESEND_NS = 100_000_000
CROWDED = 32
"""Of 256: a line that loses more is full, and nothing is sent twice."""
REFRESH_NS = 900_000_000
_REMEMBERED_RESENDS = 1024


class Subscription:
    """One Delivery of one session. `ask` reaches the source: a key frame of this stream is needed."""

    __slots__ = (
        "_ask",
        "_before",
        "_changes",
        "_first",
        "_forward",
        "_lateness",
        "_number_offset",
        "_playout",
        "_range",
        "_ranges",
        "_reports",
        "_resent",
        "_rtx_sequence",
        "_sdes",
        "_session",
        "_splice",
        "_ssrc",
        "_timestamp_offset",
        "_video",
        "delivery",
        "fraction_lost",
        "last",
        "last_ns",
        "last_timestamp",
        "layer",
        "octets",
        "packets",
        "red",
        "reported",
        "resent",
        "rtt_ns",
        "stream",
        "target",
    )

    def __init__(
        self, session: SessionPort, delivery: Delivery, *, video: bool, ask: Callable[[SourceStream], None]
    ) -> None:
        self.delivery = delivery
        self.layer = Layer()
        self.target: SourceStream | None = None
        """What it should get, as the publication has decided."""
        self.stream: SourceStream | None = None
        """What it gets."""
        self.red = delivery.red
        """It takes sound with redundancy; else it must be given plain Opus only."""
        self.packets = 0
        self.octets = 0
        """Sent so far, retransmissions apart."""
        self.last = self.last_ns = self.last_timestamp = 0
        """Of the newest packet sent: its number at the source, when it came, its RTP time at the source."""
        self.resent = 0
        self.fraction_lost = 0
        self.reported = (0, 0)
        """Highest number and packets lost, both since its beginning, as the receiver last said."""
        self.rtt_ns = RESEND_NS
        self._session = session
        self._forward = session.forward
        self._ssrc = delivery.ssrc
        self._video = video
        self._ask = ask
        self._sdes = rtcp.build_sdes(delivery.ssrc, delivery.source)
        self._range: Range | None = None
        self._ranges: list[Range] = []
        self._first = self._number_offset = self._timestamp_offset = 0
        self._resent: dict[int, int] = {}
        self._reports = SentReports()
        self._splice: Numbers | None = None
        """What is added to picture numbers now; None for nothing, as before any switch."""
        self._rtx_sequence = secrets.randbelow(0x8000)
        self._lateness = Lateness()
        self._playout = Playout()
        self._before: dict[SourceStream, int] = {}
        self._changes = False
        """A packet is more than its header on this hop, as long as there is a splice or something to tell."""

    def hold(self) -> None:
        """Stops until the next key frame (video) or packet (audio): at start, pause or another source."""
        self._rest()
        self.target = None

    def shut(self) -> None:
        """Nothing more is sent, nothing of before sent again; when it opens its numbers go on unbroken."""
        self.hold()
        self._ranges.clear()

    def open(self, streams: Iterable[SourceStream]) -> None:
        """It gets what comes of these from now on: nothing that is numbered by now, not even repaired."""
        self.hold()
        self._before = {stream: stream.sequence.highest for stream in streams}

    def may_begin(self, stream: SourceStream, number: int) -> bool:
        """Whether this packet was sent after it was opened, so that what it gets may begin with it."""
        return number > self._before.get(stream, -1)

    def accept(self, delivery: Delivery) -> None:
        """What the subscriber's newest answer says of it."""
        self.delivery = delivery
        if delivery.red != self.red:
            self.red = delivery.red
            self._rest()
            self.forget_sent()  # in its other form a packet would be other bytes of the same number

    def forget_sent(self) -> None:
        """Nothing that was sent until now is sent again."""
        self._ranges.clear()
        if self._range is not None and self.stream is not None:
            self._range.first = self.last + 1
            self._ranges.append(self._range)

    def ask_keyframe(self) -> None:
        """The subscriber cannot go on without one (PLI, FIR)."""
        stream = self.target or self.stream
        if stream is not None:
            self._ask(stream)

    def deliver(
        self, stream: SourceStream, packet: bytes, number: int, timestamp: int, key: bool, at_ns: int
    ) -> None:
        """Sends one packet of the source on, rewritten. `number` is extended; `key` = begins a key frame."""
        if stream is not self.stream:
            if stream is not self.target or (not key and self._video):
                self._late(stream, packet, number, timestamp)
                return
            if not self.may_begin(stream, number):
                self._ask(stream)  # anew: this key frame counts as the one that was asked for
                return
            self._begin(stream, packet, number, timestamp, at_ns)
            if number < stream.sequence.highest:
                self._send(packet, number, timestamp)
                self._catch_up(stream, number)
                return
        elif number > self.last:
            if number - self.last > MAX_DROPOUT:
                self._rest()
                if self._video and not key:
                    self._ask(stream)
                    return
                self._begin(stream, packet, number, timestamp, at_ns)
            self.last = number
            self.last_ns = at_ns
            self.last_timestamp = timestamp
        elif number < self._first:
            self._late(stream, packet, number, timestamp)
            return
        self.packets += 1
        self.octets += len(packet)
        if self._changes:
            packet = self._changed(packet)
        self._forward(
            packet,
            packet[1] & 0x7F,
            number + self._number_offset,
            timestamp + self._timestamp_offset,
            self._ssrc,
        )

    def way(self, stream: SourceStream) -> tuple[Subscription, Way] | None:
        """See `Fan`: None while more than numbers is other here; any change ends it by `_apart`."""
        way = Way(self._forward, self._number_offset, self._timestamp_offset, self._ssrc)
        return (self, way) if stream is self.stream and not self._changes else None

    def hold_back(self, late_ns: int, now_ns: int) -> None:
        """Once a second: repaired pictures of the source come so late; those of this line even later."""
        self._playout.want(late_ns + self._lateness.ns(self.resent, self.rtt_ns, now_ns))
        self._weigh()

    def _weigh(self) -> None:
        changes = self._splice is not None or self._playout.tellings > 0
        if changes != self._changes:
            self._changes = changes
            self._apart()

    def _apart(self) -> None:
        """What holds of this subscriber changes: its stream's receivers are looked at anew."""
        if self.stream is not None:
            self.stream.fan = None

    def _changed(self, packet: bytes) -> bytes:
        if self._splice is not None:
            packet = renumbered(packet, self._splice)
        if self._playout.tellings:
            packet = self._playout.told(packet)
            self._weigh()
        return packet

    def sender_report(self, stream: SourceStream, at_ns: int) -> None:
        """Forwards the source's latest report with this hop's SSRC, timestamps and counters, brought up to
        `at_ns`: the browser derives lip sync from it."""
        info = stream.report
        if info is None or stream is not self.stream:
            return
        elapsed = at_ns - stream.report_ns
        timestamp = info.rtp_timestamp + elapsed * stream.clock_hz // NS
        if elapsed and self._has_jumped(stream, timestamp, at_ns):
            return
        ntp = info.ntp + (elapsed << 32) // NS
        own = rtcp.SenderInfo(self._ssrc, ntp, timestamp + self._timestamp_offset, self.packets, self.octets)
        self._reports.note(ntp, at_ns)
        self._session.send_rtcp(rtcp.build_sender_report(own) + self._sdes)

    def refresh_report(self, now_ns: int) -> None:
        """Once a second: a report of our own where none is forwarded. Lip sync needs two of each track."""
        stream = self.stream
        flowing = now_ns - self.last_ns < REFRESH_NS // 2
        if stream is not None and flowing and now_ns - self._reports.newest_ns >= REFRESH_NS:
            self.sender_report(stream, now_ns)

    def report(self, block: rtcp.ReportBlock, now_ns: int) -> int:
        """The subscriber's report about this delivery: its loss, and the round trip (RFC 3550 6.4.1), which
        is returned in ns as it was measured; 0 where the report says nothing of it."""
        self.fraction_lost = block.fraction
        self.reported = (block.highest, block.lost)
        rtt_ns = self._reports.took_ns(block, now_ns)
        if rtt_ns is None:
            return 0
        self.rtt_ns = max(1_000_000, min(rtt_ns, 5_000_000_000))
        return rtt_ns

    def nack(self, sequences: list[int], now_ns: int) -> list[int]:
        """The subscriber misses these 16-bit numbers: what is cached is sent again, RTX for video and plainly
        for audio, none twice within min(100 ms, RTT). What we miss ourselves comes by the uplink's
        recovery. Returns the numbers of what is better sent twice, see `resend`."""
        sent: list[int] = []
        if self._range is None:
            return sent
        highest = self.last + self._number_offset
        pause_ns = min(RESEND_NS, self.rtt_ns)
        for sequence in sequences:
            out = highest + ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000
            if now_ns - self._resent.get(out, -RESEND_NS) < pause_ns:
                continue
            if (found := self._find(out)) is None:
                continue
            self._resent[out] = now_ns
            self._resend(found[0], found[1], out, now_ns)
            sent.append(out)
        self.resent += len(sent)
        if len(self._resent) > _REMEMBERED_RESENDS:
            self._resent = {s: at for s, at in self._resent.items() if now_ns - at < RESEND_NS}
        far = self.delivery.rtx_ssrc is not None and self.rtt_ns >= FAR_NS
        return sent if far and self.fraction_lost < CROWDED else []

    def resend(self, numbers: list[int], now_ns: int) -> None:
        """The same as RTX once more: should the first be lost, a far receiver's picture would stand still."""
        for out in numbers:
            if (found := self._find(out)) is not None:
                self._resend(found[0], found[1], out, now_ns)

    def pad(self, size: int, now_ns: int) -> int:
        """Sends so many bytes of padding, at most 255: does the line carry more? Returns how many it sent."""
        rtx_ssrc = self.delivery.rtx_ssrc
        size = min(size, 255)
        if rtx_ssrc is None or size <= 0:
            return 0
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        timestamp = self.last_timestamp + self._timestamp_offset
        self._session.send(*rtx.padding(RTX_PT, rtx_ssrc, self._rtx_sequence, timestamp, size, now_ns))
        return size

    def repeat(self, number: int, now_ns: int) -> None:
        """Sends a packet of the source once more, as it was sent."""
        self.nack([number + self._number_offset & 0xFFFF], now_ns)

    def _rest(self) -> None:
        """Sends nothing more but late packets of what was, until a new range begins."""
        if self._range is not None:
            self._range.last = self.last
        self._apart()
        self.stream = None

    def _begin(
        self,
        stream: SourceStream,
        packet: bytes,
        number: int,
        timestamp: int,
        at_ns: int,
        steady: int | None = None,
    ) -> None:
        """A new range begins with this packet, one number after the last one sent. Its RTP time goes on by
        the offset `steady`, if given."""
        if self._range is None:
            # Below 2^15, so that losing the first packets cannot hide a wrap from SRTP's rollover counter.
            out, out_timestamp = secrets.randbelow(0x8000), secrets.randbits(31)
        else:
            self._range.last = self.last
            out = self.last + self._number_offset + 1
            past = self._range.stream
            gap = ahead(past, self.last_timestamp, stream, timestamp, at_ns - self.last_ns)
            out_timestamp = self.last_timestamp + self._timestamp_offset + gap
        added = next_numbers(self._range if self._video else None, self.last, packet)
        self._splice = added if any(added) else None
        self._weigh()
        self._number_offset = out - number
        self._timestamp_offset = out_timestamp - timestamp if steady is None else steady
        self._apart()
        self.stream = stream
        self._apart()
        self._forward = self._session.forward
        self._first = self.last = number
        self.last_ns = at_ns
        self.last_timestamp = timestamp
        self._range = Range(stream, number, number, self._number_offset, self._timestamp_offset, added)
        self._ranges.append(self._range)
        del self._ranges[:-MAX_RANGES]
        self.sender_report(stream, at_ns)

    def _has_jumped(self, stream: SourceStream, timestamp: int, at_ns: int) -> bool:
        """Whether the source's RTP time no longer follows its last report (a mute stops sound's)."""
        expected = timestamp - (at_ns - self.last_ns) * stream.clock_hz // NS
        return abs(signed(expected - self.last_timestamp)) > stream.clock_hz

    def _catch_up(self, stream: SourceStream, number: int) -> None:
        """A key frame's first packet came late: what followed it is still in the cache."""
        for later in range(number + 1, stream.sequence.highest + 1):
            if (packet := stream.kept(later, self.red)) is not None:
                self.last = later
                self.last_timestamp = read_header(packet)[2]
                self._send(packet, later, self.last_timestamp)

    def _late(self, stream: SourceStream, packet: bytes, number: int, timestamp: int) -> None:
        """A packet from before the present range: sent on only if its own range had begun before it."""
        for old in self._ranges:
            if old.stream is stream and old.first <= number <= old.last:
                self.packets += 1
                if any(old.added):
                    packet = renumbered(packet, old.added)
                out, stamp = number + old.number_offset, timestamp + old.timestamp_offset
                self._forward(packet, packet[1] & 0x7F, out, stamp, self._ssrc)
                return

    def _send(self, packet: bytes, number: int, timestamp: int) -> None:
        self.packets += 1
        self.octets += len(packet)
        if self._splice is not None:
            packet = renumbered(packet, self._splice)
        out, stamp = number + self._number_offset, timestamp + self._timestamp_offset
        self._forward(packet, packet[1] & 0x7F, out, stamp, self._ssrc)

    def _find(self, out: int) -> tuple[bytes, int] | None:
        """The cached source packet that was or would be number `out` here, and its timestamp here."""
        for past in reversed(self._ranges):
            number = out - past.number_offset
            last = self.last if past is self._range else past.last
            if past.first <= number <= last:
                if (packet := past.stream.kept(number, self.red)) is None:
                    return None
                if any(past.added):
                    packet = renumbered(packet, past.added)
                return packet, (read_header(packet)[2] + past.timestamp_offset) & 0xFFFFFFFF
        return None

    def _resend(self, packet: bytes, timestamp: int, out: int, now_ns: int) -> None:
        rtx_ssrc = self.delivery.rtx_ssrc
        if rtx_ssrc is None:
            self._forward(packet, packet[1] & 0x7F, out & 0xFFFF, timestamp, self._ssrc)
            return
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        start, number = payload_offset(packet), out & 0xFFFF
        buffer, length = rtx.wrap(packet, start, RTX_PT, rtx_ssrc, self._rtx_sequence, timestamp, number)
        put_send_time(buffer, now_ns)
        self._session.send(buffer, length)
