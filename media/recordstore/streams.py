"""What a recording's streams look like from afar: packets put in order as they come, and a summary of each
stream.

Nothing here grows with the number of packets but by one row for half a second, a loss or a report; media pass
through. It must not read files or decide on time: media/finalise_time.py does, by what is kept here.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

from media.clock import NS, ntp_to_ns
from media.rtp.depacketize import vp8_keyframe

WAIT_NS = 3 * NS
"""A missing number is waited for as long as this: retransmissions are given up long before."""
START_NS = NS // 5
"""The first packet to come need not be the first one sent."""
MAX_HELD = 4000
FAR_BACK = 2048
"""A number further back than this is a sender that began anew, if the next one follows it."""
PAUSE_NS = NS // 4
"""An arrival gap this long may hide a stream whose RTP time stood still (replaceTrack(null))."""
SHIFT_NS = 80_000_000
"""A change of the delay that lasts, and is larger, is another anchor and not the network."""
JUMP_NS = NS // 2
MAX_BREAKS, MAX_FLOORS = 20_000, 200_000
"""Of a sender whose every packet is a break, further ones say nothing; floors of a true one last for a
day."""
HOLE_NS = {"audio": 600_000_000}
HOLE_OTHER_NS = 1_500_000_000

Emit = Callable[[int, int, int, bytes], None]


def _longs() -> array[int]:
    return array("q")


class Sequencer:
    """Packets of one stream in order of arrival in, each once and in order of sequence number out.

    `emit(seq, rtp, at_ns, packet)` gets unwrapped numbers; the first sequence number is at least 2^16. The
    same packets give the same calls. A number that has not come WAIT_NS after the one behind it is given up.
    """

    __slots__ = ("_awaited", "_emit", "_held", "_newest", "_next", "_rtp", "_seq", "_since", "_wait", "anew")

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._seq = -1
        self._rtp = 0
        self._next = -1
        self._held: dict[int, tuple[int, int, bytes]] = {}
        self._since = 0
        self._wait = START_NS
        self._awaited = -1
        self._newest = -(1 << 62)
        self.anew = -1
        """The number with which the sender last began anew: nothing was lost before it."""

    def feed(self, packet: bytes, at: int) -> None:
        """One packet of at least 12 bytes."""
        seq16 = (packet[2] << 8) | packet[3]
        rtp32 = int.from_bytes(packet[4:8], "big")
        high = self._seq
        if high < 0:
            self._seq = high = seq16 + 0x10000
            self._rtp = rtp32 + 0x100000000
            # As if the one before it were missing: what was sent earlier may come a little later.
            self._next, self._since = -2, at
        step = (seq16 - high) & 0xFFFF
        if step < 0x8000:
            seq = high + step
            self._seq = seq
        else:
            seq = high + step - 0x10000
            if seq < high - FAR_BACK:
                if not self._anew(seq16, at):
                    return
                seq = self._seq
        if at > self._newest:
            self._newest = at
        step = (rtp32 - self._rtp) & 0xFFFFFFFF
        if step < 0x80000000:
            rtp = self._rtp = self._rtp + step
        else:
            rtp = self._rtp + step - 0x100000000
        if seq == self._next and not self._held:
            self._next = seq + 1
            self._emit(seq, rtp, at, packet)
        elif self._next < 0 or seq >= self._next:
            self._hold(seq, rtp, at, packet)

    def near(self, rtp32: int) -> int:
        """The unwrapped RTP time nearest to the newest packet's."""
        step = (rtp32 - self._rtp) & 0xFFFFFFFF
        return self._rtp + (step if step < 0x80000000 else step - 0x100000000)

    def flush(self) -> None:
        """Nothing more will come."""
        while self._held:
            self._give_up()

    def _hold(self, seq: int, rtp: int, at: int, packet: bytes) -> None:
        held = self._held
        if not held:
            self._since = at
        if seq not in held:
            held[seq] = (rtp, at, packet)
        if seq == self._next:
            self._release()
        if held and (at - self._since > self._wait or len(held) > MAX_HELD):
            self._give_up()

    def _give_up(self) -> None:
        """What is missing before the first one held will not come."""
        self._next, self._wait = min(self._held), WAIT_NS
        self._release()

    def _release(self) -> None:
        held = self._held
        while (item := held.pop(self._next, None)) is not None:
            self._next += 1
            self._emit(self._next - 1, *item)
        if held:
            self._since = held[min(held)][1]

    def _anew(self, seq16: int, at: int) -> bool:
        """Whether a number far back is the second of a sender that began anew. Packets that a file repeats
        come with the arrivals they had."""
        if at < self._newest or seq16 != self._awaited:
            self._awaited = (seq16 + 1) & 0xFFFF if at >= self._newest else -1
            return False
        self.flush()
        self._awaited = -1
        self._seq += 1 + (seq16 - self._seq - 1) % 0x10000
        self._next = self.anew = self._seq
        return True


@dataclass(frozen=True, slots=True)
class Break:
    """Where arrival and RTP time part: before floor `floor` begins, after a packet that came at
    `before_ns`."""

    floor: int
    before_ns: int
    at: int


@dataclass(slots=True)
class Floors:
    """For each half second of RTP time, and anew after each break, the packet with the least delay. Columns:
    the first packet's number and RTP time, then the least delayed one's RTP time and arrival."""

    first_seq: array[int] = field(default_factory=_longs)
    first_rtp: array[int] = field(default_factory=_longs)
    rtp: array[int] = field(default_factory=_longs)
    at: array[int] = field(default_factory=_longs)

    def __len__(self) -> int:
        return len(self.at)


@dataclass(slots=True)
class Stream:
    """All packets of one SSRC within one epoch, summed up. `seq` and `rtp` are unwrapped, arrivals are ns
    since the session's start. `first` and `last`: (file, seal's offset) of the packets that came first and
    last.
    """

    epoch: int
    peer: str
    kind: str
    rid: str
    mime: str
    ssrc: int
    clock_rate: int
    first: tuple[int, int] = (0, 0)
    last: tuple[int, int] = (0, 0)
    first_at: int = 0
    last_at: int = 0
    packets: int = 0
    lost: int = 0
    last_seq: int = -1
    last_rtp: int = 0
    losses: array[int] = field(default_factory=_longs)
    keys: array[int] = field(default_factory=_longs)
    present: list[list[int]] = field(default_factory=list)
    floors: Floors = field(default_factory=Floors)
    breaks: list[Break] = field(default_factory=list)
    _reports: array[int] = field(default_factory=_longs)
    _early: list[tuple[int, int, int]] = field(default_factory=list)
    _sequencer: Sequencer = field(init=False)
    _previous_at: int = 0
    _least: int = 0
    _bucket: int = -1
    _hole: int = 0

    def __post_init__(self) -> None:
        self._sequencer = Sequencer(self._ordered)
        self._hole = HOLE_NS.get(self.kind, HOLE_OTHER_NS)

    @property
    def video(self) -> bool:
        """Whether it is pictures."""
        return self.mime.startswith("video")

    @property
    def reports(self) -> list[tuple[int, int, int]]:
        """Sender reports as they came: (unwrapped RTP time, sender's ns, arrival ns)."""
        flat = self._reports
        return [(flat[i], flat[i + 1], flat[i + 2]) for i in range(0, len(flat), 3)]

    def add(self, packet: bytes, at: int, file: int, seal: int) -> None:
        """Take note of one packet that was found whole, at least 12 bytes; done() after the last."""
        if not self.present:
            self.first, self.first_at, self.last_at = (file, seal), at, at
            self.present.append([at, at])
        self.last = (file, seal)
        if at > self.last_at:
            if at - self.present[-1][1] <= self._hole:
                self.present[-1][1] = at
            else:
                self.present.append([at, at])
            self.last_at = at
        if self.video and vp8_keyframe(packet):
            self.keys.append(at)
        self._sequencer.feed(packet, at)
        if self._early:
            early, self._early = self._early, []
            for ntp, rtp, came in early:
                self.report(ntp, rtp, came)

    def report(self, ntp: int, rtp: int, at: int) -> None:
        """Take note of one sender report. One without a time says nothing."""
        if not ntp:
            return
        if not self.present:
            self._early.append((ntp, rtp, at))  # its RTP time cannot be unwrapped yet
        else:
            self._reports.extend((self._sequencer.near(rtp), ntp_to_ns(ntp), at))

    def done(self) -> None:
        """No more packets will come: what waits for a lost one is counted."""
        self._sequencer.flush()

    def _ordered(self, seq: int, rtp: int, at: int, _packet: bytes) -> None:
        rate = self.clock_rate
        delay = at - rtp * NS // rate
        bucket = 2 * rtp // rate
        floors = self.floors
        if self.packets:
            if seq != self.last_seq + 1 and seq != self._sequencer.anew:
                self.lost += seq - self.last_seq - 1
                self.losses.append(at)
            waited = at - self._previous_at
            apart = abs(waited - (rtp - self.last_rtp) * NS // rate)
            parted = apart > JUMP_NS or (waited > PAUSE_NS and apart > SHIFT_NS)
            if parted and len(self.breaks) < MAX_BREAKS:
                self.breaks.append(Break(len(floors), self._previous_at, at))
                self._bucket = -1
        self.packets += 1
        self.last_seq, self.last_rtp, self._previous_at = seq, rtp, at
        if bucket != self._bucket:
            if len(floors) >= MAX_FLOORS:
                return
            self._bucket, self._least = bucket, delay
            floors.first_seq.append(seq)
            floors.first_rtp.append(rtp)
            floors.rtp.append(rtp)
            floors.at.append(at)
        elif delay < self._least:
            self._least = delay
            floors.rtp[-1], floors.at[-1] = rtp, at
