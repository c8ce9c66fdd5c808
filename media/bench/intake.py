"""A synthetic peer's receiving end: its socket's datagrams, media opened.

Many a call by the compiled path where that was built, or one by one. A call of the kernel costs more than all
else that a generator does, and what measures must not be slower than what is measured.
"""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable
from typing import Any

from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

from media.bench.uplink import Counters
from media.native.drain import BATCH, COUNT, ITEM, MORE, RTP, Batch
from media.native.library import Library, load
from media.native.path import packed_address

MOST = 256
"""Datagrams taken before others have their turn."""
Take = Callable[[bytes], None]


@functools.cache
def _shared() -> tuple[Library, Batch] | None:
    """What all peers of a process receive through, one at a time."""
    library = load()
    return None if library is None else (library, Batch(library))


class Intake:
    """`on_rtp` and `on_rtcp` get opened packets, `on_other` what is neither (STUN, DTLS).

    What cannot be opened is counted as `unprotect_failed`.
    """

    def __init__(
        self, sock: socket.socket, counters: Counters, on_rtp: Take, on_rtcp: Take, on_other: Take
    ) -> None:
        self._socket, self._counters = sock, counters
        self._on_rtp, self._on_rtcp, self._on_other = on_rtp, on_rtcp, on_other
        self._session: Any = None
        self._peer: Any = None
        self._cell = ffi.new("unsigned char[]", 4096)
        self._view = memoryview(ffi.buffer(self._cell)).cast("B")
        self._length = ffi.new("int *")

    def keys(self, session: Session) -> None:
        """Media is opened with these from now on; the socket is connected."""
        self._session = session._srtp[0]
        shared = _shared()
        if shared is not None:
            library, batch = shared
            self._peer = library.ffi.new("struct hj_peer *", {"rx": library.pointer(self._session)})
            source = packed_address(self._socket.getpeername())
            library.lib.hj_put(batch.cell, self._socket.fileno(), source, len(source), self._peer)

    def close(self) -> None:
        """Before the socket is closed: another one may get its number."""
        shared = _shared()
        if shared is not None and self._peer is not None:
            library, batch = shared
            source = packed_address(self._socket.getpeername())
            library.lib.hj_remove(batch.cell, self._socket.fileno(), source, len(source))
            self._peer = None

    def readable(self) -> None:
        """Everything that waits, up to a limit."""
        if self._peer is None:
            self._one_by_one()
            return
        shared = _shared()
        assert shared is not None  # noqa: S101 - there is no peer without
        library, batch = shared
        receive, flush = library.lib.hj_receive, library.lib.hj_flush
        data, unpack = batch.data, ITEM.iter_unpack
        for _ in range(MOST // BATCH):
            found = receive(batch.cell, self._socket.fileno())
            if found < 0:
                return
            items = batch.items[: (found & COUNT) * ITEM.size]
            for _, kind, _, offset, size, _, _, _, _, _, _ in unpack(items):
                packet = data[offset : offset + size].tobytes()
                if kind == RTP:
                    self._on_rtp(packet)
                elif kind:
                    self._on_rtcp(packet)
                else:
                    self._on_other(packet)
            flush()
            if self._peer is None:
                return
            self._counters.unprotect_failed = int(self._peer.refused)
            if not found & MORE:
                return

    def _one_by_one(self) -> None:
        recv_into, view = self._socket.recv_into, self._view
        for _ in range(MOST):
            try:
                size = recv_into(view)
            except BlockingIOError:
                return
            except OSError:
                continue
            if not size:
                continue
            if 127 < view[0] < 192:
                self._open(size)
            else:
                self._on_other(bytes(view[:size]))

    def _open(self, size: int) -> None:
        if self._session is None:
            return
        self._length[0] = size
        rtcp = 192 <= self._view[1] <= 223
        unprotect = lib.srtp_unprotect_rtcp if rtcp else lib.srtp_unprotect
        if unprotect(self._session, self._cell, self._length):
            self._counters.unprotect_failed += 1
            return
        (self._on_rtcp if rtcp else self._on_rtp)(bytes(self._view[: self._length[0]]))
