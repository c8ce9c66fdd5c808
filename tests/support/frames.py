"""Counts the pictures in a journal that can be decoded: whole ones whose references are there.

By itself, from RFC 7741: a picture is whole when its packets have no hole from the one that begins it to the
marker, and decodable when nothing was lost since a key frame. The sender's 15-bit picture ids say how many
pictures there were at all.
"""

from __future__ import annotations

import itertools
import struct
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from media.recordstore import layout
from media.recordstore.reader import SegmentReader, walk

CLOCK = 90_000


@dataclass(frozen=True)
class Pictures:
    """One stored layer. `worst_s`: the longest time between two decodable pictures with a loss between.

    Time in which a browser short of a processor sent nothing of the layer is in `resumed` alone.
    """

    rid: str
    sent: int
    decodable: int
    key_frames: int
    worst_s: float
    seconds: float
    resumed: int
    """How many times the layer began again after more than a second without any packet."""

    @property
    def share(self) -> float:
        return self.decodable / max(1, self.sent)


@dataclass(frozen=True)
class _Packet:
    number: int
    stamp: int
    marker: bool
    begins: bool
    key: bool
    picture: int
    at_ns: int


def layers(paths: list[Path], key: bytes, kind: str = "camera") -> dict[str, Pictures]:
    """Rid -> what was stored of it in these files; for seats that sent on one connection."""
    packets: dict[str, dict[int, _Packet]] = defaultdict(dict)
    for path in paths:
        with SegmentReader(path, key) as reader:
            tracks: dict[int, layout.TrackEntry] = {}
            for seal in reader.seals():
                assert seal.plain is not None
                for entry, at_ns, start, end in walk(seal, reader.report):
                    body = seal.plain[start:end]
                    if entry == layout.TRACK:
                        row = layout.parse_track(body)
                        tracks[row.number] = row
                    elif entry == layout.RTP:
                        row = tracks[struct.unpack_from(">H", body)[0]]
                        if row.kind == kind:
                            _take(packets[row.rid], body[2:], at_ns)
    return {rid: _count(rid, [found[n] for n in sorted(found)]) for rid, found in packets.items()}


def _take(found: dict[int, _Packet], data: bytes, at_ns: int) -> None:
    second, seq, stamp, _ = struct.unpack_from("!xBHII", data)
    number = _near(seq, max(found, default=seq), 16)
    at = 12 + 4 * (data[0] & 15)
    if data[0] & 0x10:
        at += 4 + 4 * struct.unpack_from("!H", data, at + 2)[0]
    payload = data[at : len(data) - (data[-1] if data[0] & 0x20 else 0)]
    if not payload:
        return  # padding
    begins = payload[0] & 0x17 == 0x10
    picture, head = -1, 1
    if payload[0] & 0x80:
        head = 2
        if payload[1] & 0x80:
            wide = payload[2] & 0x80
            picture = (payload[2] & 0x7F) << 8 | payload[3] if wide else payload[2]
            head += 2 if wide else 1
        head += bool(payload[1] & 0x40) + bool(payload[1] & 0x30)
    key = begins and len(payload) > head and not payload[head] & 1
    found.setdefault(number, _Packet(number, stamp, bool(second & 0x80), begins, key, picture, at_ns))


def _near(value: int, near: int, bits: int) -> int:
    half = 1 << (bits - 1)
    return near + ((value - near + half) & ((1 << bits) - 1)) - half


def _count(rid: str, packets: list[_Packet]) -> Pictures:
    frames: list[list[_Packet]] = []
    for packet in packets:
        if not frames or frames[-1][0].stamp != packet.stamp:
            frames.append([])
        frames[-1].append(packet)
    good = keys = 0
    sound = False
    shown_at: int | None = None
    shown_to = worst = 0
    expected = packets[0].number
    ids: list[int] = []
    for frame in frames:
        ids.append(_near(frame[0].picture, ids[-1] if ids else frame[0].picture, 15))
        unbroken = frame[-1].number - frame[0].number == len(frame) - 1
        whole = frame[0].begins and frame[-1].marker and unbroken
        key = frame[0].key
        sound = whole and (key or (sound and frame[0].number == expected))
        expected = frame[-1].number + 1
        if not sound:
            continue
        good, keys = good + 1, keys + key
        if shown_at is not None and frame[0].number != shown_to + 1:
            worst = max(worst, (frame[0].stamp - shown_at) & 0xFFFFFFFF)
        shown_at, shown_to = frame[0].stamp, frame[-1].number
    resumed = sum(b.at_ns - a.at_ns > 1_000_000_000 for a, b in itertools.pairwise(packets))
    seconds = ((frames[-1][0].stamp - frames[0][0].stamp) & 0xFFFFFFFF) / CLOCK
    return Pictures(rid, ids[-1] - ids[0] + 1, good, keys, worst / CLOCK, seconds, resumed)
