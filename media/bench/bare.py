"""The bare forwarder: the least that any relay in this language must do for a packet, to measure ours by.

`python -m media.bench.bare`, one JSON line of settings on stdin: `{"loop": "uvloop" | "asyncio",
"keys": [[receive, send], …], "seats": 3}` (hex; so many peers a room). It takes each datagram (recvfrom),
unprotects it where it lies, and for the others of the room protects a copy and sends it (sendto), unchanged:
no demultiplexing, no numbers, no feedback, no cache, no recording. A peer says who it is with three bytes,
0 and its number. Ends with its stdin. It has the worker's process model, socket sizes and libsrtp binding,
and none of its code.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import sys
import threading
from typing import Any

import uvloop
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

from media.bench.keys import session

DATAGRAM_BYTES = 2048
BUFFER_BYTES = 4 << 20
MAX_DRAIN = 128
SO_RCVBUFFORCE = 33
HELLO_BYTES = 3

_Out = tuple[Any, tuple[str, int]]


class Peer:
    """One peer's sessions; `others` are the ways to the rest of its room that are known by now."""

    def __init__(self, receive: str, send: str) -> None:
        self.owners: tuple[Session, Session] = (
            session(bytes.fromhex(receive), Policy.SSRC_ANY_INBOUND),
            session(bytes.fromhex(send), Policy.SSRC_ANY_OUTBOUND),
        )
        self.rx, self.tx = (owner._srtp[0] for owner in self.owners)
        self.source: tuple[str, int] | None = None
        self.others: tuple[_Out, ...] = ()


class Forwarder:
    """See the module."""

    def __init__(self, keys: list[list[str]], seats: int) -> None:
        self._seats = seats
        self._peers = [Peer(*pair) for pair in keys]
        self._table: dict[tuple[str, int], Peer] = {}
        self._in = bytearray(DATAGRAM_BYTES)
        self._in_view = memoryview(self._in)
        self._in_c = ffi.from_buffer(self._in)
        self._out = bytearray(DATAGRAM_BYTES)
        self._out_view = memoryview(self._out)
        self._out_c = ffi.from_buffer(self._out)
        self._length = ffi.new("int *")
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF, SO_RCVBUFFORCE):
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
        self.socket.bind(("127.0.0.1", 0))

    def readable(self) -> None:
        """Everything that waits, up to a limit."""
        receive, sendto, table = self.socket.recvfrom_into, self.socket.sendto, self._table
        unprotect, protect = lib.srtp_unprotect, lib.srtp_protect
        in_c, in_view = self._in_c, self._in_view
        out, out_c, out_view = self._out, self._out_c, self._out_view
        length = self._length
        for _ in range(MAX_DRAIN):
            try:
                size, source = receive(self._in)
            except BlockingIOError:
                return
            peer = table.get(source)
            if peer is None:
                self._greet(size, source)
                continue
            if 192 <= self._in[1] <= 223:
                continue
            length[0] = size
            if unprotect(peer.rx, in_c, length):
                continue
            size = length[0]
            for tx, where in peer.others:
                out[:size] = in_view[:size]
                length[0] = size
                protect(tx, out_c, length)
                try:
                    sendto(out_view[: length[0]], where)
                except OSError:  # a lost datagram like any other
                    continue

    def _greet(self, size: int, source: tuple[str, int]) -> None:
        index = self._in[1] << 8 | self._in[2]
        if size != HELLO_BYTES or self._in[0] or index >= len(self._peers):
            return
        self._peers[index].source = source
        self._table[source] = self._peers[index]
        room = self._peers[index - index % self._seats :][: self._seats]
        for peer in room:
            peer.others = tuple((o.tx, o.source) for o in room if o is not peer and o.source is not None)


async def serve(keys: list[list[str]], seats: int) -> None:
    """Forwards until stdin ends."""
    forwarder = Forwarder(keys, seats)
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait, daemon=True).start()
    loop.add_reader(forwarder.socket.fileno(), forwarder.readable)
    sys.stdout.write(json.dumps({"ready": True, "udp_port": forwarder.socket.getsockname()[1]}) + "\n")
    sys.stdout.flush()
    await stop.wait()
    loop.remove_reader(forwarder.socket.fileno())
    forwarder.socket.close()


def main() -> int:
    """Entry point of the process."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    settings = json.loads(sys.stdin.readline())
    run = uvloop.run if settings["loop"] == "uvloop" else asyncio.run
    run(serve(settings["keys"], settings["seats"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
