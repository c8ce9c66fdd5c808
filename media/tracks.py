"""One received RTP stream (one SSRC) of a publication: numbers, losses, statistics, cache. It sends
nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from media.codecs import OPUS_PT, RED_PT, VP8_PT, clock_hz
from media.fan import Fan
from media.playout import Lateness
from media.ports import AUDIO_KINDS
from media.rtp.cache import AUDIO_PACKETS, VIDEO_PACKETS, PacketCache
from media.rtp.nack import MAX_TRIES, NEVER, MissingPackets
from media.rtp.packets import is_empty, read_header
from media.rtp.red import held, plain, rebuilt
from media.rtp.rtcp import ReportBlock, SenderInfo
from media.rtp.sequence import REJECTED, ReceptionStats, SequenceUnwrapper

if TYPE_CHECKING:
    from media.repeat import Listener

AUDIO_NACK_TRIES = 2
DEFAULT_RTT_NS = 100_000_000
FAR_BACK = 64
"""Redundancy is of the packets just before; so many numbers padding may have taken in between."""
DUPLICATE = -1
RATE_FROM_S, RATE_WITHIN_S = 0.3, 10.0
"""Reports closer or further apart than this say nothing of the rate now."""
NO_PT = -1


class SourceStream:
    """What is known of one SSRC. Its packets reach its listeners; every accepted one reaches the recorder."""

    __slots__ = (
        "asked_ns",
        "began_ns",
        "broken",
        "cache",
        "clock_hz",
        "duplicates",
        "fan",
        "idle",
        "key_wanted",
        "kind",
        "last_ns",
        "lateness",
        "listeners",
        "lost",
        "missing",
        "overrun",
        "packets",
        "pt",
        "rate_bps",
        "rebuilt",
        "recorded_from",
        "recovered",
        "red_pt",
        "report",
        "report_ns",
        "rid",
        "rtt_ns",
        "sequence",
        "ssrc",
        "stats",
        "stripped",
        "video",
    )

    def __init__(self, kind: str, rid: str, ssrc: int, *, red: bool = False) -> None:
        self.kind = kind
        self.rid = rid
        self.ssrc = ssrc
        self.video = kind not in AUDIO_KINDS
        self.pt = VP8_PT if self.video else OPUS_PT
        self.red_pt = RED_PT if red else NO_PT
        """The payload type of its redundant packets, where its sender may send them."""
        self.clock_hz = clock_hz(kind)
        self.sequence = SequenceUnwrapper()
        self.stats = ReceptionStats(self.clock_hz)
        self.missing = MissingPackets(MAX_TRIES if self.video else AUDIO_NACK_TRIES)
        self.cache = PacketCache(VIDEO_PACKETS if self.video else AUDIO_PACKETS)
        self.report: SenderInfo | None = None
        self.report_ns = 0
        self.rate_bps = 0
        """By its sender's own reports, smoothed; 0 while there were less than two."""
        self.rtt_ns = DEFAULT_RTT_NS
        """Until the publication says better, what answers to NACKs have taken."""
        self.lateness = Lateness()
        self.last_ns = 0
        self.listeners: tuple[Listener, ...] = ()
        """Those that get it or wait for its next key frame; kept by the publication, like the rest here."""
        self.fan: Fan | None = None
        """Those, as they are to be given the next packet; None after any change."""
        self.stripped: tuple[Listener, ...] = ()
        """Those among them that take no redundancy."""
        self.idle = True
        """It has not begun, or is gone: its next packet is a reason to decide anew who gets what."""
        self.began_ns = 0
        self.broken = False
        """Its sender's way here is broken, or has just come back."""
        self.key_wanted = False
        self.asked_ns = 0
        """When a key frame was last asked for."""
        self.packets = 0
        self.recovered = 0
        self.rebuilt = 0
        self.duplicates = 0
        self.recorded_from = -1
        """Only later packets may be recorded: those up to this number were sent before that was allowed."""
        self.lost = 0
        """The share lost on its way here, by the last report to its sender, in 1/256."""
        self.overrun = False
        """More was lost at once than can be asked for again: only a key frame helps. The publication
        resets it."""

    def new_fan(self, number: int) -> Fan:
        """Its receivers as they are now; packet `number` comes next."""
        self.fan = Fan(self, number)
        return self.fan

    def take(self, sequence: int, timestamp: int, at_ns: int) -> int:
        """A packet of this SSRC has arrived: its extended number, or DUPLICATE when it is to be dropped."""
        unwrapper = self.sequence
        before = unwrapper.highest
        if before >= 0 and (before + 1) & 0xFFFF == sequence:  # the next in order, as nearly all are
            unwrapper.awaited = REJECTED
            unwrapper.highest = number = before + 1
            self.stats.arrived(timestamp, at_ns)
            self.last_ns = at_ns
            self.packets += 1
            return number
        restarts = unwrapper.restarts
        number = unwrapper.take(sequence)
        if number > before:
            if number != before + 1 and before >= 0:
                if unwrapper.restarts != restarts:
                    self.missing.clear()
                    self.stats.restart()
                elif self.broken and self.video:
                    self.missing.given_up += number - before - 1
                    self.overrun = True
                elif self.missing.gap(before + 1, number, at_ns):
                    self.overrun = True
            self.stats.arrived(timestamp, at_ns)
            self.last_ns = at_ns
            self.packets += 1
            return number
        if number == REJECTED:
            self.duplicates += 1
            return DUPLICATE
        # Once RTX has answered, nothing else does; and nothing answers within half a round trip.
        asked_for_ns = self.missing.received(number, at_ns, NEVER if self.recovered else self.rtt_ns // 2)
        if asked_for_ns < 0:
            self.duplicates += 1
            return DUPLICATE
        self.stats.received += 1
        self._recovered(asked_for_ns)
        return number

    def take_recovered(self, sequence: int, at_ns: int) -> int:
        """The same for a number from an RTX packet: only what is missing is wanted (browsers probe with
        RTX)."""
        number = self.sequence.extend(sequence)
        asked_for_ns = self.missing.received(number, at_ns) if number >= 0 else -1
        if asked_for_ns < 0:
            return DUPLICATE
        self._recovered(asked_for_ns)
        self.recovered += 1
        return number

    def take_held(self, packet: bytes, at_ns: int) -> list[tuple[int, int, bytes]]:
        """(number, RTP time, packet) of what is missing and a redundant packet of this SSRC holds, oldest
        first. From now on it has come: the packet itself is dropped should it still arrive."""
        found = []
        number = self.sequence.extend(read_header(packet)[1])
        for one in held(packet):
            number = self._place_of(one.timestamp, number)
            if number < 0:
                break
            self.missing.received(number, at_ns)
            self.rebuilt += 1
            self.packets += 1
            found.append((number, one.timestamp, rebuilt(packet, number, one)))
        return found[::-1]

    def _place_of(self, timestamp: int, before: int) -> int:
        """The missing number below `before` at which the packet of that time must have been, or -1.

        Not simply the number before: padding that probes the line takes numbers, with the time of what it
        follows.
        """
        place = -1
        for number in range(before - 1, before - FAR_BACK, -1):
            known = self.cache.get(number)
            if known is None:
                if place < 0 and number in self.missing:
                    place = number
                continue
            ahead = timestamp - read_header(known)[2] & 0xFFFFFFFF
            if not ahead and not is_empty(known):
                return -1  # it has come
            if 0 < ahead < 1 << 31:
                return place
            place = -1
        return -1

    def kept(self, number: int, red: bool) -> bytes | None:
        """A packet of the past as a subscriber gets it, with redundancy or without."""
        packet = self.cache.get(number)
        if packet is not None and packet[1] & 0x7F == RED_PT and not red:
            return plain(packet)
        return packet

    def late_ns(self, now_ns: int) -> int:
        """Once a second: how late what was lost on its way here comes, if that is worth waiting for."""
        return self.lateness.ns(self.recovered, self.rtt_ns + self.missing.patience_ns, now_ns)

    def take_report(self, info: SenderInfo, at_ns: int) -> None:
        """A sender report for this SSRC."""
        if self.report is not None:
            self._measure(self.report, info)
        self.report = info
        self.report_ns = at_ns

    def _measure(self, before: SenderInfo, now: SenderInfo) -> None:
        seconds = (now.ntp - before.ntp) / (1 << 32)
        if RATE_FROM_S <= seconds <= RATE_WITHIN_S:
            bps = int(((now.octets - before.octets) & 0xFFFFFFFF) * 8 / seconds)
            self.rate_bps = (self.rate_bps + bps) // 2 if self.rate_bps else bps

    def report_block(self, now_ns: int, proxied_fraction: int) -> ReportBlock | None:
        """What to tell the sender (RFC 3550 6.4.1). `proxied_fraction` is a subscriber's loss in 1/256."""
        highest = self.sequence.highest
        if highest < 0:
            return None
        self.lost = self.stats.interval(self.sequence.base, highest)
        fraction = max(self.lost, proxied_fraction)
        lsr = dlsr = 0
        if self.report is not None:
            lsr = self.report.ntp >> 16 & 0xFFFFFFFF
            dlsr = (now_ns - self.report_ns) * 65536 // 1_000_000_000
        return ReportBlock(
            self.ssrc, fraction, self.stats.lost, highest - 0x10000, int(self.stats.jitter), lsr, dlsr
        )

    def _recovered(self, asked_for_ns: int) -> None:
        self.packets += 1
        if asked_for_ns > 0:
            self.rtt_ns += (asked_for_ns - self.rtt_ns) // 4
