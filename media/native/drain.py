"""Reads a hub's sockets through `drain.c`: a batch of datagrams a call, media already opened and told apart.

The hub stays the one that knows who writes from where; it tells this of every change. Everything but media of
a known source goes back to the hub's own way. Must not raise, and keeps no packet.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from struct import Struct
from typing import Any

from media.ice.hub import MAX_DRAIN, IceHub
from media.native.library import Library
from media.native.path import NativePath, address_of, packed_address
from media.srtp import RtpSink, SrtpPath

ITEM = Struct("=qIIIIIIiHHB7x")
"""`struct hj_item`: at_ns, kind, slot, offset, size, ssrc, timestamp, transport, sequence, payload, second
byte of the packet."""
AT = Struct("=q")
BATCH, DATAGRAM_BYTES, ADDRESS_BYTES = 32, 2048, 28
RAW, RTP, CLEAN, RTCP = range(4)
COUNT, MORE, COUNTED = 0xFF, 256, 512
COUNTERS = ("size", "first_byte", "unknown_source", "send_failed")

Clean = Callable[[bytes, int, int, int, int, int, int, int], None]


class Inbound:
    """What one session receives: its cell in C, and whom its packets are given to."""

    __slots__ = ("cell", "on_clean", "on_rtcp", "on_rtp", "path")

    def __init__(self, cell: Any) -> None:
        self.cell = cell
        self.path: SrtpPath | None = None
        """The way back, here so that it lives while packets wait for it."""
        self.on_rtp: Callable[[bytes, int], None] = _drop
        self.on_rtcp: Callable[[bytes, int], None] = _drop
        self.on_clean: Clean = _drop

    @property
    def heard_ns(self) -> int:
        """When the last authentic packet came; 0 before."""
        return int(self.cell.heard_ns)

    @property
    def refused(self) -> int:
        return int(self.cell.refused)


def _drop(*_: object) -> None:
    """Nobody listens any more."""


class Batch:
    """What `hj_receive` fills: `items` of a batch, and `data` that they lie in. Raises MemoryError."""

    __slots__ = ("cell", "data", "items")

    def __init__(self, library: Library) -> None:
        ffi, lib = library.ffi, library.lib
        made = lib.hj_new()
        if made == ffi.NULL:
            raise MemoryError
        self.cell = ffi.gc(made, lib.hj_free)
        self.items = memoryview(ffi.buffer(lib.hj_items(made), BATCH * ITEM.size)).cast("B")
        self.data = memoryview(ffi.buffer(lib.hj_data(made), BATCH * DATAGRAM_BYTES)).cast("B")


class Drain:
    """For one hub; see the module. Raises MemoryError when made without memory."""

    def __init__(self, library: Library, hub: IceHub) -> None:
        ffi, lib = library.ffi, library.lib
        batch = Batch(library)
        self._library, self._hub = library, hub
        self._drain, self._items, self._data = batch.cell, batch.items, batch.data
        self._address = ffi.new("uint8_t[]", ADDRESS_BYTES)
        self._null = ffi.NULL
        self._keyless = ffi.new("struct hj_peer *")
        self._receive, self._flush = lib.hj_receive, lib.hj_flush
        self._slots: list[Inbound | None] = []
        cell = lib.hj_counters  # of the process: what was counted before this hub is not its own
        self._counted = {name: int(getattr(cell, name)) for name in COUNTERS}

    # -- what sessions and the hub register

    def inbound(self) -> Inbound:
        """The receiving half of a new session; give it back with `forget`."""
        cell = self._library.ffi.new("struct hj_peer *")
        made = Inbound(cell)
        free = next((n for n, slot in enumerate(self._slots) if slot is None), len(self._slots))
        if free == len(self._slots):
            self._slots.append(made)
        self._slots[free] = made
        cell.slot = free
        return made

    def path(self, inbound: Inbound, keys: Any, out: Callable[[memoryview], bool], sink: RtpSink) -> SrtpPath:
        """The session has its keys: from now on its media is opened in C and given to the sink."""
        made = inbound.path = NativePath(keys, out, self._library)
        inbound.on_rtp, inbound.on_rtcp = sink.on_rtp, sink.on_rtcp
        clean = getattr(sink, "on_clean", None)
        if clean is not None:
            inbound.on_clean, inbound.cell.cleans = clean, 1
        inbound.cell.rx = self._library.pointer(made._rx)
        return made

    def forget(self, inbound: Inbound) -> None:
        """The session ends: its keys are used no more."""
        self._flush()
        inbound.cell.rx, inbound.path = self._null, None
        inbound.on_rtp = inbound.on_rtcp = inbound.on_clean = _drop
        if self._slots[inbound.cell.slot] is inbound:
            self._slots[inbound.cell.slot] = None

    def hold(self, sock: socket.socket, source: tuple[Any, ...], inbound: Inbound | None) -> None:
        """Datagrams of this source are this session's; None: of one that takes them from the hub itself."""
        address = packed_address(source)
        cell = self._keyless if inbound is None else inbound.cell
        self._library.lib.hj_put(self._drain, sock.fileno(), address, len(address), cell)

    def let_go(self, sock: socket.socket, source: tuple[Any, ...]) -> None:
        """They are nobody's."""
        address = packed_address(source)
        self._library.lib.hj_remove(self._drain, sock.fileno(), address, len(address))

    # -- what arrives

    def readable(self, sock: socket.socket) -> None:
        """Everything that waits, up to a limit."""
        fd, failed, unpack = sock.fileno(), self._hub.failed, ITEM.iter_unpack
        items, data, slots, fence = self._items, self._data, self._slots, self._hub.fence
        flush = self._flush
        for _ in range(MAX_DRAIN // BATCH):
            found = self._receive(self._drain, fd)
            if found < 0:
                self._hub.counters["receive_failed"] += 1
                return
            if found & COUNT and AT.unpack_from(items)[0] > fence.deadline_ns:
                fence.datagrams += found & COUNT  # we slept: somebody else may serve these rooms by now
                flush()
                continue
            # Spelled out: this runs for every packet.
            for (
                at_ns, kind, slot, offset, size, ssrc, timestamp, transport, sequence, payload, second
            ) in unpack(items[: (found & COUNT) * ITEM.size]):  # fmt: skip
                try:
                    if kind == RAW:
                        self._take_raw(sock, slot, data[offset : offset + size], at_ns)
                        continue
                    inbound = slots[slot]
                    if inbound is None:
                        continue
                    packet = data[offset : offset + size].tobytes()
                    if kind == CLEAN:
                        inbound.on_clean(packet, at_ns, second, sequence, timestamp, ssrc, transport, payload)
                    elif kind == RTP:
                        inbound.on_rtp(packet, at_ns)
                    else:
                        inbound.on_rtcp(packet, at_ns)
                except Exception:
                    failed()
            if found & COUNT:
                flush()
            if found & COUNTED:
                self._count()
            if not found & MORE:
                return

    def _take_raw(self, sock: socket.socket, index: int, data: memoryview, at_ns: int) -> None:
        length = self._library.lib.hj_from(self._drain, index, self._address)
        source = address_of(bytes(self._library.ffi.buffer(self._address, length)))
        self._hub.take(sock, data, source, at_ns)

    def _count(self) -> None:
        """Adds what C has dropped to the hub's counters."""
        cell = self._library.lib.hj_counters
        for name in COUNTERS:
            value = int(getattr(cell, name))
            if value != self._counted[name]:
                self._hub.counters[name] += value - self._counted[name]
                self._counted[name] = value
