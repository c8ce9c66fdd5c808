"""Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3).

Collects the arrivals of one connection and writes feedback packets from them. Time is an argument (ns);
sending is
the caller's. Browsers estimate their uplink from nothing else that we send.
"""

from __future__ import annotations

from operator import sub
from struct import Struct

INTERVAL_NS = 90_000_000
"""Feedback is due this long after the last one, if anything has arrived."""
SPARING_NS = 250_000_000
"""The same on a line on which every packet counts; browsers expect one at least so often."""
_TICK_NS = 250_000
_REFERENCE_TICKS = 256
"""Ticks of 250 us in one unit (64 ms) of the reference time."""
_MAX_PACKETS = 1000
_MAX_BACK = 300
"""A packet this much older than the newest is not reported: it is history."""
_HEAD = Struct("!BBHIIHHI")
_SHORT = Struct("!H")
_LARGE = Struct("!h")
_ONE_BIT_SYMBOLS = 14
_TWO_BIT_SYMBOLS = 7
_MAX_RUN = 0x1FFF
_ALL_SMALL = 1 << 13
"""A chunk of one run: all came, each soon after the one before."""


class TransportFeedback:
    """The arrivals of one connection since the last feedback."""

    __slots__ = (
        "_arrivals",
        "_count",
        "_end",
        "_highest",
        "_previous",
        "_start",
        "_straight",
        "due_ns",
        "interval_ns",
        "sent",
    )

    def __init__(self) -> None:
        self._arrivals: dict[int, int] = {}
        self._previous: dict[int, int] = {}
        self._highest = -1
        self._start = -1
        self._end = 0
        """One after the last number reported."""
        self._straight = True
        """None of what came since came late, twice or after a gap."""
        self._count = 0
        self.due_ns = 0
        self.interval_ns = INTERVAL_NS
        self.sent = 0

    def arrived(self, sequence: int, at_ns: int) -> None:
        """One packet with this 16-bit transport-wide number."""
        highest = self._highest
        if highest >= 0 and sequence == highest + 1 & 0xFFFF:
            self._highest = highest + 1
            self._arrivals[highest + 1] = at_ns
            return
        if highest < 0:
            extended = 0x10000 + sequence
            self._highest = self._start = extended
        else:
            self._straight = False
            extended = highest + ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000
            if extended > highest:
                if extended - highest > _MAX_PACKETS:
                    # Not loss but a sender that started anew: report from here on.
                    self._arrivals.clear()
                    self._previous.clear()
                    self._start = extended
                self._highest = extended
            elif extended < self._start:
                if extended < highest - _MAX_BACK:
                    return
                self._start = extended
        self._arrivals.setdefault(extended, at_ns)

    def build(self, now_ns: int, sender_ssrc: int, media_ssrc: int) -> list[bytes]:
        """The feedback packets for what has arrived, mostly one; [] when nothing has. Sets `due_ns`."""
        self.due_ns = now_ns + self.interval_ns
        arrivals = self._arrivals
        if not arrivals:
            return []
        if self._straight and 0 <= self._start == self._end and len(arrivals) <= _MAX_PACKETS:
            straight = self._in_one(sender_ssrc, media_ssrc)
            if straight:
                return [straight]
        if self._start == self._end:  # nothing came late: the numbers of before are not looked at
            known = arrivals
        elif self._start < min(arrivals) and self._previous:
            known = self._previous | arrivals
        else:
            known = {**{s: at for s, at in self._previous.items() if s >= self._start}, **arrivals}
        packets: list[bytes] = []
        base = self._start
        end = self._highest + 1
        while base < end:
            packet, base = self._packet(known, base, end, sender_ssrc, media_ssrc)
            if packet:
                packets.append(packet)
        self._done(len(packets))
        return packets

    def _done(self, sent: int) -> None:
        """All that has arrived was told in so many packets."""
        self._previous, self._arrivals = self._arrivals, {}
        self._start = self._end = self._highest + 1
        self._straight = True
        self.sent += sent

    def _in_one(self, sender_ssrc: int, media_ssrc: int) -> bytes:
        """The packet when every number has come in order, as nearly always; empty when a pause lies between:
        that takes the long way."""
        ticks = [at_ns // _TICK_NS for at_ns in self._arrivals.values()]
        reference = ticks[0] // _REFERENCE_TICKS
        try:
            deltas = bytes(map(sub, ticks, (reference * _REFERENCE_TICKS, *ticks)))
        except ValueError:
            return b""
        body = _SHORT.pack(_ALL_SMALL | len(ticks)) + deltas
        packet = self._written(self._start, len(ticks), reference, body, sender_ssrc, media_ssrc)
        self._done(1)
        return packet

    def _written(
        self, base: int, count: int, reference: int, body: bytes, sender_ssrc: int, media_ssrc: int
    ) -> bytes:
        padding = -len(body) % 4
        words = 4 + (len(body) + padding) // 4
        told = (reference & 0xFFFFFF) << 8 | self._count
        self._count = (self._count + 1) & 0xFF
        head = _HEAD.pack(0x80 | 15, 205, words, sender_ssrc, media_ssrc, base & 0xFFFF, count, told)
        return head + body + bytes(padding)

    def _packet(
        self, known: dict[int, int], base: int, end: int, sender_ssrc: int, media_ssrc: int
    ) -> tuple[bytes, int]:
        """One packet for numbers from `base`, and the number that the next one starts with."""
        end = min(end, base + _MAX_PACKETS)
        first = known.get(base)
        if first is None:
            first = next((known[s] for s in range(base, end) if s in known), None)
            if first is None:
                return b"", end
        reference = first // _TICK_NS // _REFERENCE_TICKS
        last = reference * _REFERENCE_TICKS
        symbols: list[int] = []
        deltas = bytearray()
        sequence = base
        while sequence < end:
            at_ns = known.get(sequence)
            if at_ns is None:
                symbols.append(0)
            else:
                tick = at_ns // _TICK_NS
                delta = tick - last
                if 0 <= delta < 256:
                    symbols.append(1)
                    deltas.append(delta)
                elif -32768 <= delta < 32768:
                    symbols.append(2)
                    deltas += _LARGE.pack(delta)
                else:
                    break
                last = tick
            sequence += 1
        body = _chunks(symbols) + deltas
        return self._written(base, len(symbols), reference, body, sender_ssrc, media_ssrc), sequence


def _chunks(symbols: list[int]) -> bytes:
    """Packet status chunks (3.1.2 to 3.1.4): run lengths where they pay, else vectors of one or two bits."""
    out = bytearray()
    at = 0
    total = len(symbols)
    if 0 < symbols.count(1) == total <= _MAX_RUN:  # all came, and in time
        return _SHORT.pack(_ALL_SMALL | total)
    while at < total:
        symbol = symbols[at]
        run = at + 1
        while run < total and symbols[run] == symbol and run - at < _MAX_RUN:
            run += 1
        if run - at >= _ONE_BIT_SYMBOLS or (symbol == 2 and run - at >= _TWO_BIT_SYMBOLS) or run == total:
            out += _SHORT.pack(symbol << 13 | (run - at))
            at = run
            continue
        part = symbols[at : at + _ONE_BIT_SYMBOLS]
        if 2 not in part:
            bits = 0x8000
            for index, value in enumerate(part):
                bits |= value << (13 - index)
            at += len(part)
        else:
            part = symbols[at : at + _TWO_BIT_SYMBOLS]
            bits = 0xC000
            for index, value in enumerate(part):
                bits |= value << (12 - 2 * index)
            at += len(part)
        out += _SHORT.pack(bits)
    return bytes(out)
