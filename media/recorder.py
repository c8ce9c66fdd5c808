"""The recorder: one more subscriber of the room, which turns packets into journal batches.

Runs on the packet path and does no I/O: it packs entries and hands batches to the StoreWriter, which seals
and
syncs them. It says what is stored, never what is intended; a track without a live grant never gets past
`rtp`.
"""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .clock import NS, Clock
from .codecs import RED_PT
from .recordstore import layout
from .recordstore.feed import Batch, Feed
from .recordstore.segment import Head, SegmentSpec
from .recordstore.store import StoreWriter
from .rtp.depacketize import vp8_keyframe
from .stored import Lost, SeatStored, StoredReport
from .truth import Track

KEYFRAME_EVERY_NS = 10 * NS
"""A recording is seekable at key frames only, and Chromium sends none by itself."""
KEYFRAME_RETRY_NS = 2 * NS
RESUMED_NS = 3 * NS // 2
"""A picture that comes again after so long (a mute, a layer that was gone) needs a key frame to start."""
MAX_PACKET = 65_000
MAX_TRACKS = 256
"""Streams of one seat under one grant; a page that makes up more is not recorded further."""
REMEMBERED_ROLLS = 128
"""Final heads of rolled files that are told along: more than end between two tellings."""
ALARM_NS = 3 * NS
"""Packets that wait longer than this for their acknowledgement degrade the light."""

WITHDRAWN, LEFT, PAUSED, ASIDE = "withdrawn", "left", "paused", "aside"
"""Why a seat's segment ends while the room goes on."""

_MIME = {"audio": (f"audio/opus;red={RED_PT}", 48_000)}
_VIDEO = ("video/VP8", 90_000)
_pack_rtp = layout.RTP_ENTRY.pack


@dataclass(slots=True)
class _Track:
    entry: layout.TrackEntry
    number: int
    ssrc: bytes
    row: bytes
    video: bool
    batch: int = -1
    at: int = 0
    key_at: int = 0
    asked_at: int = 0
    last_at: int = 0

    def forget_key(self) -> None:
        """A key frame is asked for with the next packet: long ago is before any."""
        self.key_at = self.asked_at = -KEYFRAME_EVERY_NS


@dataclass(slots=True, eq=False)
class _Seat:
    peer: str
    feed: Feed
    tracks: dict[tuple[str, str], _Track] = field(default_factory=dict)
    table: dict[tuple[str, str, bytes], _Track] = field(default_factory=dict)
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    first_ns: int = 0
    last_ns: int = 0
    packets: int = 0
    batch: int = 0
    pending: deque[tuple[int, int]] = field(default_factory=deque)
    lost: Lost | None = None
    known: int = 0


class RoomRecorder:
    """Records one room for one epoch under `root`/<room>/<epoch>. Lives on the loop; not thread-safe.

    `room` is the recording's id. Raises LayoutError for an id that cannot be a path, or a key that is none.
    """

    def __init__(
        self,
        root: Path,
        room: str,
        epoch: int,
        store: StoreWriter,
        room_key: bytes,
        now: Clock,
        ask_keyframe: Callable[[str, str, str], None],
    ) -> None:
        layout.epoch_directory(root, room, epoch), layout.check_key(room_key)
        self._root, self._recording, self._epoch = root, room, epoch
        self._store, self._clock, self._ask = store, now, ask_keyframe
        self._seats: dict[str, _Seat] = {}
        self._leaving: list[_Seat] = []
        self._heads: dict[str, Head] = {}
        self._rolled: deque[Head] = deque(maxlen=REMEMBERED_ROLLS)
        self._room = _Seat(layout.ROOM, store.open(SegmentSpec(root, room, epoch, layout.ROOM, "", room_key)))
        self._closed = False

    # -- the relay's side ------------------------------------------------------------------------------------

    def admit(self, peer: str, grant: str, key: bytes) -> None:
        """From now on `peer` is recorded under `grant`. Raises LayoutError for ids that cannot be file
        names.
        """
        if self._closed or peer == layout.ROOM:
            return
        layout.check_id(peer), layout.check_id(grant), layout.check_key(key)
        old = self._seats.get(peer)
        if old is not None:
            if old.feed.spec.grant == grant:
                return
            self.dismiss(peer, LEFT)
        spec = SegmentSpec(self._root, self._recording, self._epoch, peer, grant, key)
        self._seats[peer] = _Seat(peer, self._store.open(spec))
        self.event(peer, "admitted", self._clock.boottime_ns(), grant=grant)

    def dismiss(self, peer: str, cause: str = WITHDRAWN) -> None:
        """End `peer`'s segment. What is not sealed yet is dropped if consent was withdrawn, else kept."""
        seat = self._seats.pop(peer, None)
        if seat is None:
            return
        withdrawn = cause == WITHDRAWN
        if not withdrawn:
            self._flush(seat)
        self._tell_lost(seat)  # its own file takes nothing more
        seat.parts, seat.size, seat.packets = [], 0, 0
        self._store.finish(seat.feed, cause, withdrawn=withdrawn)
        self._leaving.append(seat)
        self.event(peer, "dismissed", self._clock.boottime_ns(), cause=cause)

    def rtp(self, peer: str, kind: str, rid: str, packet: bytes, at_ns: int, key: bool | None = None) -> None:
        """One RTP packet as it arrived (headers included). Does nothing unless `peer` is admitted.

        `key`: whether it begins a key frame, from whoever has looked already; None to look here.
        """
        seat = self._seats.get(peer)
        if seat is None:
            return
        track = seat.tracks.get((kind, rid))
        if track is None or track.ssrc != packet[8:12]:
            track = self._track(seat, kind, rid, packet)
            if track is None:
                return
        size = len(packet) + 2
        if size > MAX_PACKET:
            return
        if not seat.size:
            self._begin(seat, at_ns)
        parts = seat.parts
        if track.batch != seat.batch:
            track.batch = seat.batch
            parts.append(track.row)
            seat.size += len(track.row)
        parts += (_pack_rtp(layout.RTP, size, at_ns, track.number), packet)
        seat.packets += 1
        seat.last_ns = track.at = at_ns
        seat.size += size + 11
        if track.video:
            if vp8_keyframe(packet) if key is None else key:
                track.key_at, track.asked_at = at_ns, 0
            elif at_ns - track.asked_at >= KEYFRAME_RETRY_NS and (
                at_ns - track.key_at >= KEYFRAME_EVERY_NS or at_ns - track.last_at >= RESUMED_NS
            ):
                track.asked_at = at_ns
                self._ask(peer, kind, rid)
            track.last_at = at_ns
        if seat.size >= layout.SEAL_AT_BYTES or at_ns - seat.first_ns >= layout.SEAL_AT_NS:
            self._flush(seat)

    def sender_report(
        self, peer: str, kind: str, ssrc: int, ntp: int, rtp_timestamp: int, at_ns: int
    ) -> None:
        """A sender report of one of the peer's streams: 64-bit NTP, 32-bit RTP time, arrival
        CLOCK_BOOTTIME ns.
        """
        seat = self._seats.get(peer)
        if seat is None:
            return
        wire = ssrc.to_bytes(4, "big")
        track = next((t for (k, _, s), t in seat.table.items() if s == wire and k == kind), None)
        if track is None:
            return  # no packet yet: the next report will do
        if not seat.size:
            self._begin(seat, at_ns)
        if track.batch != seat.batch:
            track.batch = seat.batch
            self._append(seat, track.row, at_ns)
        self._append(seat, layout.pack_sr(at_ns, track.entry.number, ssrc, ntp, rtp_timestamp), at_ns)

    def event(self, peer: str, name: str, at_ns: int, **fields: int | str) -> None:
        """Something about the room or a peer (`""`: the room), into the room's file. No names, no free
        text.
        """
        if not self._closed:
            value: dict[str, object] = {**fields, "name": name, "peer": peer}
            self._append(self._room, layout.pack_json(layout.EVENT, at_ns, value), at_ns)

    # -- once a second ---------------------------------------------------------------------------------------

    def stored(self, now_ns: int) -> StoredReport:
        """What is on disk. Also the recorder's tick: call it once a second while the room lives."""
        self._tick(now_ns)
        wall_ms = self._clock.wall_ns() // 1_000_000
        seats: dict[str, SeatStored] = {}
        degraded: list[tuple[str, str, str]] = []
        for peer, seat in self._seats.items():
            report = self._seat_stored(seat, now_ns, wall_ms)
            seats[peer] = report
            if report.error or report.waiting_ms * 1_000_000 >= ALARM_NS:
                kinds = sorted({kind for kind, _ in seat.tracks}) or [""]
                degraded.extend((peer, kind, report.error or "store_slow") for kind in kinds)
        own = self._seat_stored(self._room, now_ns, wall_ms)
        trouble = own.error or ("store_slow" if own.waiting_ms * 1_000_000 >= ALARM_NS else None)
        if trouble and not degraded:
            # Mutes, gaps and heads are not being kept: nobody's recording is as sure as it should be.
            degraded = [(peer, "", trouble) for peer in self._seats]
        known = [report.until_ms for report in seats.values()]
        until = min((ms for ms in known if ms is not None), default=None) if None not in known else None
        return StoredReport(until, seats, degraded, trouble)

    def acknowledged(self) -> dict[Track, int]:
        """Track -> arrival of the newest packet of it that is on disk, under the grants of now."""
        return {
            (peer, kind, rid): at_ns
            for peer, seat in self._seats.items()
            for (kind, rid), at_ns in seat.feed.acknowledged.tracks.items()
        }

    def heads(self) -> dict[str, dict[str, object]]:
        """Acknowledged chain heads, the last of each seat and of `room`: {segment, index, hash}. Files that
        ended by rolling lately are there too, by their own names.
        """
        for seat in (*self._leaving, *self._seats.values(), self._room):
            head = seat.feed.acknowledged.head
            if head is not None:
                self._heads[seat.peer] = head
        rolled = {head.segment: head.as_dict() for head in self._rolled}
        return rolled | {peer: head.as_dict() for peer, head in self._heads.items()}

    async def close(self) -> None:
        """Seal and sync everything and write the end marks. Returns when they are on disk, or cannot be."""
        if self._closed:
            return
        for peer in list(self._seats):
            self.dismiss(peer, LEFT)
        await asyncio.wrap_future(self._store.flushed())
        for seat in self._leaving:
            await self._give_up(seat)
        self._tick(self._clock.boottime_ns())
        self._closed = True
        self._store.finish(self._room.feed, "closed")
        await asyncio.wrap_future(self._store.flushed())

    # -- inside ----------------------------------------------------------------------------------------------

    def _track(self, seat: _Seat, kind: str, rid: str, packet: bytes) -> _Track | None:
        """The track of a packet whose SSRC is not its kind's last; None for what cannot be one."""
        ssrc = packet[8:12]
        track = seat.table.get((kind, rid, ssrc))
        if track is None:
            if len(ssrc) < 4 or len(seat.table) >= MAX_TRACKS:
                return None
            mime, rate = _MIME.get(kind, _VIDEO)
            entry = layout.TrackEntry(len(seat.table) + 1, int.from_bytes(ssrc, "big"), rate, kind, rid, mime)
            row = layout.pack_track(self._clock.boottime_ns(), entry)
            track = _Track(entry, entry.number, ssrc, row, mime.startswith("video"))
            track.forget_key()
            seat.table[(kind, rid, ssrc)] = track
        seat.tracks[(kind, rid)] = track
        return track

    def _begin(self, seat: _Seat, at_ns: int) -> None:
        """Open a batch with {boottime, wall, boot id} and, after an overflow, the gap it left."""
        seat.batch += 1
        seat.first_ns = at_ns
        now_ns = self._clock.boottime_ns()
        first = layout.pack_clock(now_ns, self._clock.wall_ns(), self._clock.boot_id)
        seat.parts = [first]
        seat.size = len(first)
        if seat.lost is not None:
            lost = seat.lost
            gap: dict[str, object] = {
                "name": "gap", "cause": lost.cause, "peer": seat.peer,
                "from_ns": lost.from_ns, "to_ns": lost.to_ns, "packets": lost.packets,
            }  # fmt: skip
            entry = layout.pack_json(layout.EVENT, now_ns, gap)
            seat.parts.append(entry)
            seat.size += len(entry)
            for track in seat.table.values():
                track.forget_key()

    def _tell_lost(self, seat: _Seat) -> None:
        """A gap that the seat's own file will not hold, into the room's."""
        lost, seat.lost = seat.lost, None
        if lost is not None:
            self.event(
                seat.peer, "gap", self._clock.boottime_ns(), cause=lost.cause,
                from_ns=lost.from_ns, to_ns=lost.to_ns, packets=lost.packets,
            )  # fmt: skip

    async def _give_up(self, seat: _Seat) -> None:
        """At the end: what its disk never took is a gap too."""
        if seat.feed.ended:
            return
        cause = seat.feed.error or "store_slow"
        left = await asyncio.wrap_future(self._store.give_up(seat.feed))
        if left is not None:
            seat.lost = Lost(left.from_ns, left.to_ns, left.packets, cause)
            self._tell_lost(seat)

    def _append(self, seat: _Seat, entry: bytes, at_ns: int) -> None:
        if not seat.size:
            self._begin(seat, at_ns)
        seat.parts.append(entry)
        seat.size += len(entry)
        seat.last_ns = at_ns
        if seat.size >= layout.SEAL_AT_BYTES or at_ns - seat.first_ns >= layout.SEAL_AT_NS:
            self._flush(seat)

    def _flush(self, seat: _Seat) -> None:
        if not seat.size:
            return
        batch = Batch(seat.parts, seat.size, seat.first_ns, max(seat.last_ns, seat.first_ns), seat.packets)
        batch.tracks = {key: t.at for key, t in seat.tracks.items() if t.at}
        for track in seat.tracks.values():
            track.at = 0
        seat.parts, seat.size, seat.packets = [], 0, 0
        if self._store.submit(seat.feed, batch, after_loss=seat.lost is not None):
            seat.pending.append((batch.number, batch.first_ns))
            seat.lost = None
        else:
            lost = seat.lost = seat.lost or Lost(batch.first_ns, 0, 0, "store_slow")
            lost.to_ns, lost.packets = batch.last_ns, lost.packets + batch.packets
            lost.cause = seat.feed.error or lost.cause

    def _tick(self, now_ns: int) -> None:
        """Close every batch, so that each second of each open segment is on disk, silent or not."""
        if self._closed:
            return
        for seat in self._seats.values():
            self._tell_segments(seat)
            if not seat.size:
                self._begin(seat, now_ns)
            seat.last_ns = max(seat.last_ns, now_ns)
            self._flush(seat)
        for seat in self._leaving:
            self._tell_segments(seat)
        # Asked before the heads are taken: whoever has ended by now is in them with its end mark.
        ended = [seat for seat in self._leaving if seat.feed.ended]
        feeds = [seat.feed for seat in (*self._leaving, *self._seats.values())]
        heads = [feed.acknowledged.head.as_dict() for feed in feeds if feed.acknowledged.head is not None]
        for feed in (*feeds, self._room.feed):
            while feed.rolled:
                self._rolled.append(feed.rolled.popleft())
                heads.append(self._rolled[-1].as_dict())
        self.heads()
        self._leaving = [seat for seat in self._leaving if seat not in ended]
        self._append(self._room, layout.pack_json(layout.HEADS, now_ns, {"heads": heads}), now_ns)
        self._flush(self._room)

    def _tell_segments(self, seat: _Seat) -> None:
        """Each new file's header goes into the room's file too: a damaged header can then be replaced."""
        for i in range(seat.known, len(seat.feed.headers)):
            header = base64.b64encode(seat.feed.headers[i]).decode()
            at_ns = self._clock.boottime_ns()
            self.event(seat.peer, "segment", at_ns, segment=seat.feed.names[i], header=header)
            seat.known = i + 1

    def _seat_stored(self, seat: _Seat, now_ns: int, wall_ms: int) -> SeatStored:
        done = seat.feed.acknowledged
        while seat.pending and seat.pending[0][0] <= done.number:
            seat.pending.popleft()
        waiting = 0
        if seat.pending:
            waiting = max(0, now_ns - seat.pending[0][1])
        if seat.lost is not None:
            waiting = max(waiting, now_ns - seat.lost.from_ns)
        until = wall_ms - (now_ns - done.until_ns) // 1_000_000 if done.number else None
        return SeatStored(until, waiting // 1_000_000, seat.feed.error)
