"""The journal's format, to the byte: header, seals, entries, names. The only place that forms a segment's
name.

Written down in docs/recording.md; it cannot be changed, only followed by a second version. This module
packs and
parses bytes; it must not open files, draw random numbers or read clocks.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"\x89HYJ\r\n\x1a\n"
VERSION = 1
ROOM = "room"
RESTORED = "restored.json"
"""Beside the segments of an epoch that were fetched back from their copies: `{"until_ms": Unix ms}`."""
SUFFIX = ".seg"
KEY_BYTES = 32
SALT_BYTES = 32
TAG_BYTES = 16
HASH_BYTES = 32

SEAL_AT_BYTES = 64 * 1024
"""A seal is closed once its plaintext holds this much ..."""
SEAL_AT_NS = 1_000_000_000
"""... or once its first entry is this old."""
MAX_PLAIN = 192 * 1024
"""No writer makes a longer plaintext; a reader takes a longer one for damage."""

SEAL_MARK = b"SEAL"
DATA, END_MARK = 1, 2

ROLLED = "rolled"
"""Why a file ended that another one goes on: nobody left, nothing stopped."""

CLOCK, TRACK, RTP, SR, EVENT, HEADS, END = 1, 2, 3, 4, 5, 6, 7

_HEAD = struct.Struct(">8sHHIQQQ16s32s")
SEAL_HEAD = struct.Struct(">4sBBHIQ32s")
ENTRY = struct.Struct(">BHQ")
RTP_ENTRY = struct.Struct(">BHQH")
_CLOCK = struct.Struct(">Q16s")
_TRACK = struct.Struct(">HII")
_SR = struct.Struct(">HIQI")
_END = struct.Struct(">QQ")

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_FILE = re.compile(r"([A-Za-z0-9_-]{1,64})\.([0-9]{4,9})\.seg\Z")


class LayoutError(ValueError):
    """Bytes that are not this format. `code` is stable: bad_magic, bad_version, bad_header, bad_entry,
    bad_id.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Header:
    """What stands once at the start of a segment. Times: CLOCK_BOOTTIME ns, Unix ns."""

    recording: str
    epoch: int
    seat: str
    grant: str
    ordinal: int
    boottime_ns: int
    wall_ns: int
    boot_id: bytes
    salt: bytes

    def pack(self) -> bytes:
        """The header's bytes. Raises LayoutError(bad_id) for names outside the alphabet."""
        names = (check_id(self.recording), check_id(self.seat), check_grant(self.grant))
        tail = b"".join(bytes((len(name),)) + name.encode("ascii") for name in names)
        length = _HEAD.size + len(tail)
        head = _HEAD.pack(
            MAGIC,
            VERSION,
            length,
            self.ordinal,
            self.epoch,
            self.boottime_ns,
            self.wall_ns,
            self.boot_id,
            self.salt,
        )
        return head + tail


def parse_header(data: bytes) -> tuple[Header, int]:
    """Header and its length in bytes. Raises LayoutError; `data` may be longer than the header."""
    if data[:8] != MAGIC:
        raise LayoutError("bad_magic")
    if len(data) < _HEAD.size:
        raise LayoutError("bad_header", "short")
    _, version, length, ordinal, epoch, boottime_ns, wall_ns, boot_id, salt = _HEAD.unpack_from(data)
    if version != VERSION:
        raise LayoutError("bad_version", str(version))
    if length > len(data) or length < _HEAD.size + 3:
        raise LayoutError("bad_header", "length")
    names: list[str] = []
    at = _HEAD.size
    for _ in range(3):
        if at >= length or at + 1 + data[at] > length:
            raise LayoutError("bad_header", "names")
        names.append(data[at + 1 : at + 1 + data[at]].decode("ascii", "replace"))
        at += 1 + data[at]
    if at != length:
        raise LayoutError("bad_header", "names")
    recording, seat, grant = names
    try:
        check_id(recording), check_id(seat), check_grant(grant)
    except LayoutError as error:
        raise LayoutError("bad_header", "names") from error
    return Header(recording, epoch, seat, grant, ordinal, boottime_ns, wall_ns, boot_id, salt), length


def check_id(value: str) -> str:
    """`value` if it may be part of a path and of a key's derivation, else LayoutError(bad_id)."""
    if not _ID.match(value):
        raise LayoutError("bad_id")
    return value


def is_id(value: str) -> bool:
    """Whether `check_id` would let it pass."""
    return bool(_ID.match(value))


def check_grant(value: str) -> str:
    """A grant id follows the same alphabet and may be empty (the room's own file)."""
    return check_id(value) if value else ""


def check_key(value: bytes) -> bytes:
    """`value` if it is a seat's key, 32 bytes, else LayoutError(bad_key)."""
    if len(value) != KEY_BYTES:
        raise LayoutError("bad_key")
    return value


def segment_key(seat_key: bytes, header: Header) -> bytes:
    """AES-256 key of one segment: HKDF-SHA256 (RFC 5869), salted by the header, bound to its place by
    info.
    """
    check_key(seat_key)
    info = f"{header.recording}|{header.epoch}|{header.seat}|journal1".encode("ascii")
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=header.salt, info=info).derive(seat_key)


def nonce(index: int) -> bytes:
    """96-bit big-endian seal index. Unique under a key, because a file is never opened twice for writing."""
    return index.to_bytes(12, "big")


def seal_head(kind: int, cipher_length: int, index: int, previous: bytes) -> bytes:
    """The 52 bytes before a ciphertext; together with the header they are its associated data."""
    return SEAL_HEAD.pack(SEAL_MARK, kind, 0, 0, cipher_length, index, previous)


def chain_start(header: bytes) -> bytes:
    """What the first seal names as its predecessor."""
    return hashlib.sha256(header).digest()


def chain_next(head: bytes, cipher: bytes) -> bytes:
    """Hash of one seal as it lies in the file (head, ciphertext, tag); the head names the seal before it."""
    digest = hashlib.sha256(head)
    digest.update(cipher)
    return digest.digest()


# --- names --------------------------------------------------------------------------------------------------


def epoch_directory(journal_root: Path, recording: str, epoch: int) -> Path:
    """`<journal>/<recording>/<epoch>`, the epoch in decimal."""
    if epoch < 1:
        raise LayoutError("bad_id", "epoch")
    return journal_root / check_id(recording) / str(epoch)


def segment_name(seat: str, ordinal: int) -> str:
    """`<seat>.<ordinal>.seg`; the room's file uses `room`, which is shorter than any seat id."""
    return f"{check_id(seat)}.{ordinal:04d}{SUFFIX}"


def parse_segment_name(name: str) -> tuple[str, int] | None:
    """(seat, ordinal) or None."""
    match = _FILE.match(name)
    return (match[1], int(match[2])) if match else None


def epochs_of(journal_root: Path, recording: str) -> list[int]:
    """Epochs that have a directory, ascending; [] when there is none."""
    base = journal_root / check_id(recording)
    if not base.is_dir():
        return []
    return sorted(int(p.name) for p in base.iterdir() if p.name.isascii() and p.name.isdigit() and p.is_dir())


def segments_of(journal_root: Path, recording: str, epoch: int) -> list[Path]:
    """Segment files of an epoch in the order they were made, the room's first."""
    directory = epoch_directory(journal_root, recording, epoch)
    if not directory.is_dir():
        return []
    named = [(parse_segment_name(p.name), p) for p in directory.iterdir()]
    good = [(key, p) for key, p in named if key]
    return [p for key, p in sorted(good, key=lambda item: (item[0][0] != ROOM, item[0]))]


def restored_until_ms(journal_root: Path, recording: str, epoch: int) -> int | None:
    """If an epoch's segments were fetched back: until when (Unix ms) something was known to be recorded."""
    try:
        told = json.loads((epoch_directory(journal_root, recording, epoch) / RESTORED).read_bytes())
        return int(told["until_ms"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return 0


# --- entries ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrackEntry:
    """A row of the track table: what the number in RTP and SR entries stands for, within one segment."""

    number: int
    ssrc: int
    clock_rate: int
    kind: str
    rid: str
    mime: str


def pack_clock(at_ns: int, wall_ns: int, boot_id: bytes) -> bytes:
    """{boottime, wall, boot id}: once in every seal."""
    return ENTRY.pack(CLOCK, _CLOCK.size, at_ns) + _CLOCK.pack(wall_ns, boot_id)


def pack_track(at_ns: int, track: TrackEntry) -> bytes:
    """A track table row; repeated in every seal that uses it, so that each seal can be read alone."""
    words = [t.encode("ascii", "replace")[:255] for t in (track.kind, track.rid, track.mime)]
    texts = b"".join(bytes((len(word),)) + word for word in words)
    body = _TRACK.pack(track.number, track.ssrc, track.clock_rate) + texts
    return ENTRY.pack(TRACK, len(body), at_ns) + body


def pack_sr(at_ns: int, track: int, ssrc: int, ntp: int, rtp_timestamp: int) -> bytes:
    """A sender report's clock pair (RFC 3550 6.4.1): 64-bit NTP and 32-bit RTP time."""
    return ENTRY.pack(SR, _SR.size, at_ns) + _SR.pack(track, ssrc, ntp, rtp_timestamp)


def pack_json(kind: int, at_ns: int, value: Mapping[str, object]) -> bytes:
    """An EVENT or HEADS entry. Raises LayoutError(bad_entry) above 65,535 bytes."""
    body = canonical(value)
    if len(body) > 0xFFFF:
        raise LayoutError("bad_entry", "too long")
    return ENTRY.pack(kind, len(body), at_ns) + body


def pack_end(at_ns: int, seals: int, packets: int, reason: str) -> bytes:
    """The end mark's only entry: how many data seals and RTP entries the file holds, and why it ended."""
    body = _END.pack(seals, packets) + reason.encode("ascii")
    return ENTRY.pack(END, len(body), at_ns) + body


def canonical(value: Mapping[str, object]) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def entries(plain: bytes) -> Iterator[tuple[int, int, int, int]]:
    """(type, at_ns, body start, body end) of each entry. Raises LayoutError(bad_entry) past the end."""
    at, end = 0, len(plain)
    unpack, size = ENTRY.unpack_from, ENTRY.size
    while at < end:
        if at + size > end:
            raise LayoutError("bad_entry", "head past the end")
        kind, length, at_ns = unpack(plain, at)
        start = at + size
        at = start + length
        if at > end:
            raise LayoutError("bad_entry", "body past the end")
        yield kind, at_ns, start, at


def parse_clock(body: bytes) -> tuple[int, bytes]:
    """(wall ns, boot id)."""
    wall_ns, boot_id = _unpack(_CLOCK, body, exact=True)
    return wall_ns, boot_id


def parse_sr(body: bytes) -> tuple[int, int, int, int]:
    """(track number, ssrc, NTP 64 bit, RTP timestamp)."""
    track, ssrc, ntp, rtp_timestamp = _unpack(_SR, body, exact=True)
    return track, ssrc, ntp, rtp_timestamp


def parse_end(body: bytes) -> tuple[int, int, str]:
    """(data seals, RTP entries, reason)."""
    seals, packets = _unpack(_END, body, exact=False)
    return seals, packets, body[_END.size :].decode("ascii", "replace")


def parse_track(body: bytes) -> TrackEntry:
    """Inverse of pack_track. Raises LayoutError(bad_entry)."""
    number, ssrc, rate = _unpack(_TRACK, body, exact=False)
    texts: list[str] = []
    at = _TRACK.size
    for _ in range(3):
        if at >= len(body) or at + 1 + body[at] > len(body):
            raise LayoutError("bad_entry", "track")
        texts.append(body[at + 1 : at + 1 + body[at]].decode("ascii", "replace"))
        at += 1 + body[at]
    if at != len(body):
        raise LayoutError("bad_entry", "track")
    return TrackEntry(number, ssrc, rate, *texts)


def parse_json(body: bytes) -> dict[str, object]:
    """An EVENT's or HEADS' object. Raises LayoutError(bad_entry)."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise LayoutError("bad_entry", "json") from error
    if not isinstance(value, dict):
        raise LayoutError("bad_entry", "json")
    return value


def _unpack(layout: struct.Struct, body: bytes, *, exact: bool) -> tuple[Any, ...]:
    if len(body) < layout.size or (exact and len(body) != layout.size):
        raise LayoutError("bad_entry", "length")
    return layout.unpack_from(body)
