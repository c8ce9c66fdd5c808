"""The last packets of a source, by extended sequence number, for retransmission: at least one second of
them."""

from __future__ import annotations

VIDEO_PACKETS = 512
AUDIO_PACKETS = 200


class PacketCache:
    """A ring of `size` packets. Storing is one list assignment; an overwritten packet is gone."""

    __slots__ = ("_packets", "_sequences", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._sequences = [-1] * size
        self._packets: list[bytes] = [b""] * size

    def put(self, sequence: int, packet: bytes) -> None:
        slot = sequence % self._size
        self._sequences[slot] = sequence
        self._packets[slot] = packet

    def get(self, sequence: int) -> bytes | None:
        slot = sequence % self._size
        return self._packets[slot] if self._sequences[slot] == sequence else None

    def clear(self) -> None:
        self._sequences = [-1] * self._size
        self._packets = [b""] * self._size
