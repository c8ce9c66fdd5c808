"""Single pictures for one receiver whose line carries no video: whole key frames, one after the other, paced.

Of several sources each gets its turn. A still is a key frame of the smallest stream that flows, asked for
when its turn has come, taken from the source's cache once it is whole, and sent no faster than the voice
beside it can bear. It must not touch a stream that others get, nor decide who is sent stills. Time is an
argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from media.layers import flowing, rank
from media.publication import Publication
from media.rtp.keyframes import vp8_key_frame
from media.rtp.packets import payload_offset, read_header
from media.still_subscription import PictureSubscription
from media.tracks import SourceStream

Key = tuple[str, str]
NS = 1_000_000_000
STILL_BPS = 24_000
"""What stills may take of a line, headers included. A voice with redundancy takes 35 kbit/s beside it."""
HEADERS = 28 + 16
"""IP, UDP and SRTP round each packet."""
EVERY_NS = 2_500_000_000
"""A source has a still so often if the rate allows; one lost altogether must not make it five seconds."""
WAIT_NS = 2_500_000_000
"""A key frame that was asked for and is not whole by then is given up; the next source has its turn."""
FRESH_NS = NS
"""A key frame that somebody else has asked for is as good, if it is no older."""
AGAIN_NS = 400_000_000
"""A still is sent a second time so long after its end: who lacks its last packet learns of it from the next
still only, and what is lost before that is asked for twice over a long way. Of a large one only as many of
its last packets are as the source's turn has room for."""
BURST_BYTES = 1_300
MOST_BYTES = 24_000
"""A larger picture would take ten seconds: it is passed over."""


@dataclass(slots=True)
class Turn:
    """One source as seen from this receiver."""

    sent_ns: int = -EVERY_NS
    """When its last still was complete on its way."""
    asked_ns: int = 0
    seen: int = -1
    """The source's number up to which key frames have been looked for."""
    stream: SourceStream | None = None
    found: tuple[int, int] | None = None
    """The first packet of the newest key frame, and when it had come."""


@dataclass(slots=True)
class _Sending:
    key: Key
    subscription: PictureSubscription
    packets: deque[tuple[int, bytes]]
    again: deque[int]
    again_ns: int = 0


class Stills:
    """`tick` every 100 ms with what is to be sent as stills now."""

    def __init__(self, ask: Callable[[Publication, SourceStream, int], None]) -> None:
        self._ask = ask
        self._turns: dict[Key, Turn] = {}
        self._asked: Key | None = None
        self._sending: _Sending | None = None
        self._credit = float(BURST_BYTES)
        self._ticked_ns = 0
        self.sent = 0
        self.sent_bytes = 0

    def tick(
        self,
        subscriptions: Mapping[Key, PictureSubscription],
        publications: Mapping[Key, Publication],
        now_ns: int,
    ) -> None:
        """`subscriptions`: those that get stills, and nothing else, now."""
        passed = min(now_ns - self._ticked_ns, NS) if self._ticked_ns else 0
        self._ticked_ns = now_ns
        self._credit = min(BURST_BYTES, self._credit + STILL_BPS / 8 * passed / NS)
        for key in self._turns.keys() - subscriptions.keys():
            del self._turns[key]
        if (
            self._sending is not None
            and subscriptions.get(self._sending.key) is not self._sending.subscription
        ):
            self._sending = None
        for key, subscription in subscriptions.items():
            publication = publications.get(key)
            if publication is not None:
                self._look(self._turns.setdefault(key, Turn()), subscription, publication, now_ns)
        if self._sending is None:
            self._choose(subscriptions, publications, now_ns)
        if self._sending is not None:
            self._send(self._sending, now_ns)

    def _look(
        self, turn: Turn, subscription: PictureSubscription, publication: Publication, now_ns: int
    ) -> None:
        """Notes the newest key frame of the smallest stream that flows."""
        stream = min(flowing(publication.streams.values()), key=lambda s: rank(s.rid), default=None)
        if stream is None or now_ns - stream.last_ns > 3 * NS:
            turn.stream = turn.found = None
            return
        highest = stream.sequence.highest
        if stream is not turn.stream:
            turn.stream, turn.found, turn.seen = stream, None, highest - 1
        for number in range(max(turn.seen + 1, highest - 64), highest + 1):
            packet = stream.cache.get(number)
            if packet is None or not subscription.may_begin(stream, number):
                continue
            if vp8_key_frame(packet, payload_offset(packet), len(packet)):
                turn.found = number, now_ns
        turn.seen = max(turn.seen, highest)

    def _choose(
        self,
        subscriptions: Mapping[Key, PictureSubscription],
        publications: Mapping[Key, Publication],
        now_ns: int,
    ) -> None:
        """Begins the next still if it is there, and asks for it if it is not."""
        due = [
            key
            for key, turn in self._turns.items()
            if turn.stream is not None and now_ns - turn.sent_ns >= EVERY_NS - WAIT_NS // 2
        ]
        if not due:
            return
        key = self._asked if self._asked in due else min(due, key=lambda k: self._turns[k].sent_ns)
        turn = self._turns[key]
        assert turn.stream is not None  # noqa: S101 - chosen so above
        if self._asked != key:
            self._asked, turn.asked_ns = key, now_ns
            if turn.found is None or now_ns - turn.found[1] > FRESH_NS:
                self._ask(publications[key], turn.stream, now_ns)
        if turn.found is not None and turn.found[1] >= turn.asked_ns - FRESH_NS:
            picture = whole(turn.stream, turn.found[0])
            if picture and now_ns - turn.sent_ns >= EVERY_NS - NS // 2:
                room = STILL_BPS * EVERY_NS // (8 * NS * len(subscriptions))
                self._begin(key, subscriptions[key], turn, picture, room, now_ns)
                return
        if now_ns - turn.asked_ns > WAIT_NS:
            turn.sent_ns = max(turn.sent_ns, now_ns - EVERY_NS)  # behind the others, then again
            self._asked = None

    def _begin(
        self,
        key: Key,
        subscription: PictureSubscription,
        turn: Turn,
        picture: Sequence[tuple[int, bytes]],
        room: int,
        now_ns: int,
    ) -> None:
        """`room`: bytes on the line for this source in its turn."""
        assert turn.stream is not None  # noqa: S101
        came_ns = now_ns if turn.found is None else turn.found[1]
        self._asked, turn.found, turn.sent_ns = None, None, now_ns
        cost = sum(len(packet) + HEADERS for _, packet in picture)
        if cost > MOST_BYTES:
            return
        takes_ns = int(max(0.0, cost - self._credit) * 8 * NS / STILL_BPS)
        subscription.begin_still(turn.stream, picture[0], came_ns, now_ns, now_ns + takes_ns)
        self._sending = _Sending(key, subscription, deque(picture), _again(picture, room - cost))

    def _send(self, sending: _Sending, now_ns: int) -> None:
        """As many packets as the rate allows by now."""
        while sending.packets and self._credit > 0:
            number, packet = sending.packets.popleft()
            self._credit -= len(packet) + HEADERS
            self.sent_bytes += len(packet)
            sending.subscription.send_still(number, packet, now_ns)
            if not sending.packets:
                self.sent += 1
                sending.again_ns = now_ns + AGAIN_NS
        while not sending.packets and sending.again and now_ns >= sending.again_ns and self._credit > 0:
            self._credit -= sending.subscription.repeat_still(sending.again.popleft(), now_ns) + HEADERS
        if not sending.packets and not sending.again:
            self._sending = None


def _again(picture: Sequence[tuple[int, bytes]], room: int) -> deque[int]:
    """The numbers of the last packets that fit into so many bytes, of the last one in any case; in order."""
    numbers: deque[int] = deque()
    for number, packet in reversed(picture):
        room -= len(packet) + HEADERS
        if numbers and room < 0:
            break
        numbers.appendleft(number)
    return numbers


def whole(stream: SourceStream, first: int) -> list[tuple[int, bytes]]:
    """The packets of the picture that begins with number `first`, if every one of them is here; else []."""
    found: list[tuple[int, bytes]] = []
    stamp = -1
    for number in range(first, stream.sequence.highest + 1):
        packet = stream.cache.get(number)
        if packet is None:
            return []
        _, _, timestamp, _ = read_header(packet)
        if stamp < 0:
            stamp = timestamp
        elif timestamp != stamp:
            return found  # its last packet had no marker
        found.append((number, packet))
        if packet[1] & 0x80:
            return found
    return []
