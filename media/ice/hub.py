"""One UDP port and one TCP port for all sessions of a worker: receive, tell apart, hand over.

Told apart by the first byte (RFC 7983) and the source address. From an unknown source only STUN with a known
ufrag is looked at. No handler raises and no packet closes anything. Must not know SDP, DTLS or SRTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from media.buffers import DATAGRAM_BYTES, INBOUND, INBOUND_VIEW
from media.fence import Fence
from media.ice import stun
from media.ice.addresses import CandidateLine, candidates, interface_addresses
from media.ice.endpoint import Drain, Endpoint, Path
from media.ice.limits import KeyedBuckets
from media.ice.sockets import bound
from media.ice.tcp import TcpPath

log = logging.getLogger("hyeopjin.media.hub")

MAX_DRAIN = 128
"""Datagrams taken per wake-up, so that a flood cannot keep the loop from everything else."""
TICK_S = 0.5
STOOD_STILL_NS = 3_000_000_000
UNKNOWN_PER_SECOND = 20.0
UNKNOWN_BURST = 100.0
UNKNOWN_ADDRESSES = 4096
BIND_TRIES = 20
WILDCARDS = ("", "0.0.0.0", "::")


def now_ns() -> int:
    """CLOCK_BOOTTIME in nanoseconds."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


Table = dict[tuple[Any, ...], "tuple[Endpoint, UdpPath]"]


class UdpPath:
    """One remote UDP address and one of our sockets: what is sent leaves from that socket's address."""

    __slots__ = ("_counters", "_hash", "_sendto", "sock", "source")

    def __init__(self, hub: IceHub, sock: socket.socket, source: tuple[Any, ...]) -> None:
        self._counters = hub.counters
        self.sock = sock
        self._sendto = sock.sendto
        self.source = source
        self._hash = hash(source)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UdpPath) and other.source == self.source and other.sock is self.sock

    def __hash__(self) -> int:
        return self._hash

    @property
    def address(self) -> stun.Address:
        return str(self.source[0]).partition("%")[0], int(self.source[1])

    def send(self, data: bytes | bytearray | memoryview) -> bool:
        try:
            self._sendto(data, self.source)
        except OSError:  # full send buffer, unreachable, closed: a lost datagram like any other
            self._counters["send_failed"] += 1
            return False
        return True


class IceHub:
    """See the module. Open with `IceHub.open`, always `close`."""

    def __init__(self, announce: Sequence[str]) -> None:
        self._announce = list(announce)
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self._tables: dict[socket.socket, Table] = {}
        """Per socket: who writes to it from where."""
        self._proven: set[UdpPath] = set()
        self._by_ufrag: dict[str, Endpoint] = {}
        self._endpoints: set[Endpoint] = set()
        self._tcp: set[TcpPath] = set()
        self._unknown = KeyedBuckets(UNKNOWN_PER_SECOND, UNKNOWN_BURST, UNKNOWN_ADDRESSES)
        self.drain: Drain | None = None
        """Reads the sockets in this one's stead, where the compiled path is there."""
        self._tick_handle: asyncio.TimerHandle | None = None
        self._ticked_ns = now_ns()
        self.udp_port = 0
        self.tcp_port: int | None = None
        self.fence = Fence()
        self.counters: Counter[str] = Counter()
        """Why datagrams were dropped."""

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The bound UDP sockets."""
        return tuple(self._sockets)

    @classmethod
    async def open(
        cls,
        host: str = "0.0.0.0",
        port: int = 0,
        *,
        announce: Sequence[str] = (),
        tcp: bool = True,
        drain: Callable[[IceHub], Drain] | None = None,
    ) -> IceHub:
        """Bind UDP and, on the same number, TCP. A wildcard host means IPv4 and IPv6.

        `drain` makes what reads the sockets in this one's stead.
        `announce`: the addresses offers will name; empty = every interface, loopback last. Raises OSError.
        """
        hub = cls(announce or (interface_addresses() if host in WILDCARDS else [host]))
        for left in reversed(range(BIND_TRIES if port == 0 else 1)):
            try:
                await hub._bind(host, port, tcp=tcp)
                break
            except OSError:
                await hub._unbind()
                if not left:
                    raise
        loop = asyncio.get_running_loop()
        if drain is not None:
            hub.drain = drain(hub)
        readable = hub._on_readable if hub.drain is None else hub.drain.readable
        for sock in hub._sockets:
            loop.add_reader(sock.fileno(), readable, sock)
        hub._tick_handle = loop.call_later(TICK_S, hub._tick)
        return hub

    async def _bind(self, host: str, port: int, *, tcp: bool) -> None:
        hosts = ["0.0.0.0", "::"] if host in WILDCARDS else [host]
        for text in hosts:
            family = socket.AF_INET6 if ":" in text else socket.AF_INET
            try:
                self._sockets.append(bound(family, socket.SOCK_DGRAM, text, port))
            except OSError as error:
                if text == "::" and error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                    continue  # no IPv6 on this machine
                raise
            port = self._sockets[-1].getsockname()[1]
        asked = list(self._sockets)
        if host in WILDCARDS:
            for sock in asked:
                self._bind_each_address(sock, port)
        self.udp_port = port
        self._tables = {sock: {} for sock in self._sockets}
        if not tcp:
            return
        loop = asyncio.get_running_loop()
        for sock in asked:
            listener = bound(sock.family, socket.SOCK_STREAM, sock.getsockname()[0], port)
            self._servers.append(await loop.create_server(lambda: TcpPath(self), sock=listener, backlog=64))
        self.tcp_port = port

    def _bind_each_address(self, wildcard: socket.socket, port: int) -> None:
        """A socket for each address of this machine, so that answers leave from the address that was asked.

        From a wildcard socket they leave from whichever the routing prefers, and a peer that asked another of
        ours takes them for a stranger's. The wildcard stays for addresses that appear later. Sharing the port
        (SO_REUSEPORT) is allowed while these are made and never to another process.
        """
        made = [wildcard]
        wildcard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        for text in interface_addresses():
            if (socket.AF_INET6 if ":" in text else socket.AF_INET) == wildcard.family:
                # An address that goes or is not ready yet is the wildcard's.
                with contextlib.suppress(OSError):
                    made.append(bound(wildcard.family, socket.SOCK_DGRAM, text, port, shared=True))
        for sock in made:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
        self._sockets += made[1:]

    async def _unbind(self) -> None:
        for server in self._servers:
            server.close()
        for sock in self._sockets:
            sock.close()
        self._servers.clear()
        self._sockets.clear()

    def candidates(self) -> list[CandidateLine]:
        """What an offer announces."""
        return candidates(self._announce, self.udp_port, self.tcp_port)

    async def close(self) -> None:
        """Stop receiving and close every socket. Idempotent; close the sessions first."""
        if self._tick_handle is not None:
            self._tick_handle.cancel()
            self._tick_handle = None
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            loop.remove_reader(sock.fileno())
        for connection in list(self._tcp):
            connection.abort()
        await self._unbind()
        self._tables.clear()
        self._proven.clear()
        self._by_ufrag.clear()
        self._endpoints.clear()

    # -- what sessions register

    def add(self, endpoint: Endpoint) -> None:
        self._endpoints.add(endpoint)

    def remove(self, endpoint: Endpoint) -> None:
        self._endpoints.discard(endpoint)

    def register(self, ufrag: str, endpoint: Endpoint) -> None:
        self._by_ufrag[ufrag] = endpoint

    def unregister(self, ufrag: str) -> None:
        self._by_ufrag.pop(ufrag, None)

    def claim(self, path: Path, endpoint: Endpoint, *, proven: bool) -> None:
        """Datagrams from `path` belong to `endpoint`.

        An unproven claim never takes an address from a session; a proven one (it answered our check) does.
        """
        if isinstance(path, TcpPath):
            path.endpoint = endpoint
            return
        if not isinstance(path, UdpPath):
            return
        table = self._tables.get(path.sock)
        if table is None:
            return
        held = table.get(path.source)
        if held is not None and held[0] is not endpoint:
            if not proven and path in self._proven:
                return
            self._hold(table, path, endpoint)
            self._proven.discard(path)
            held[0].on_path_lost(path)
        self._hold(table, path, endpoint)
        if proven:
            self._proven.add(path)

    def release(self, path: Path, endpoint: Endpoint) -> None:
        """Undo `claim`."""
        if isinstance(path, TcpPath):
            if path.endpoint is endpoint:
                path.abort()
        elif isinstance(path, UdpPath):
            table = self._tables.get(path.sock, {})
            held = table.get(path.source)
            if held is not None and held[0] is endpoint:
                del table[path.source]
                self._proven.discard(path)
                if self.drain is not None:
                    self.drain.let_go(path.sock, path.source)

    def _hold(self, table: Table, path: UdpPath, endpoint: Endpoint) -> None:
        table[path.source] = (endpoint, path)
        if self.drain is not None:
            self.drain.hold(path.sock, path.source, endpoint.inbound)

    # -- what arrives

    def _on_readable(self, sock: socket.socket) -> None:
        buffer, view, by_source = INBOUND, INBOUND_VIEW, self._tables[sock]
        receive, clock = sock.recvfrom_into, time.clock_gettime_ns
        deadline_ns = self.fence.deadline_ns
        for _ in range(MAX_DRAIN):
            try:
                size, source = receive(buffer)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                self.counters["receive_failed"] += 1
                return
            # Read for each datagram: one that came during a long drain would else seem to have come
            # before it was sent, and the recording's clocks go by the earliest arrivals.
            at_ns = clock(time.CLOCK_BOOTTIME)
            if at_ns > deadline_ns:  # we slept: somebody else may serve these rooms by now
                self.fence.datagrams += 1
                continue
            try:
                held = by_source.get(source)
                if held is not None and 127 < buffer[0] < 192 and 0 < size < DATAGRAM_BYTES:
                    held[0].on_srtp(view[:size], at_ns)
                else:
                    self.take(sock, view[:size], source, at_ns)
            except Exception:
                self.failed()

    def take(self, sock: socket.socket, data: memoryview, source: tuple[Any, ...], at_ns: int) -> None:
        """Any datagram. Media of a known source mostly does not come this way."""
        if not 0 < len(data) < DATAGRAM_BYTES:
            self.counters["size"] += 1
            return
        held = self._tables[sock].get(source)
        first = data[0]
        if first < 4:
            path = held[1] if held is not None else UdpPath(self, sock, source)
            self._take_stun(bytes(data), path, held and held[0], at_ns)
        elif not (19 < first < 64 or 127 < first < 192):
            self.counters["first_byte"] += 1
        elif held is None:
            self.counters["unknown_source"] += 1
        elif first > 127:
            held[0].on_srtp(data, at_ns)
        else:
            held[0].on_dtls(bytes(data), held[1], at_ns)

    def _take_stun(self, data: bytes, path: Path, held: Endpoint | None, at_ns: int) -> None:
        ufrag = stun.ufrag_of(data)
        endpoint = held if ufrag is None else self._by_ufrag.get(ufrag)
        if endpoint is not None:
            endpoint.on_stun(data, path, at_ns)
        elif self._unknown.take(path.address[0], at_ns):
            self.counters["unknown_ufrag"] += 1
        else:
            self.counters["unknown_ufrag_flood"] += 1

    def take_frame(self, path: TcpPath, frame: bytes) -> bool:
        """One RFC 4571 frame of a TCP connection; False when the connection is not worth keeping."""
        at_ns = now_ns()
        if self.fence.shut(at_ns):
            self.fence.datagrams += 1
            return True
        try:
            first = frame[0] if frame else 255
            if first < 4:
                if path.endpoint is None and not self._unknown.take(path.address[0], at_ns):
                    return False
                self._take_stun(frame, path, path.endpoint, at_ns)
            elif path.endpoint is None:
                return False
            elif 127 < first < 192:
                path.endpoint.on_srtp(memoryview(frame), at_ns)
            elif 19 < first < 64:
                path.endpoint.on_dtls(frame, path, at_ns)
            else:
                self.counters["first_byte"] += 1
        except Exception:
            self.failed()
        return True

    def tcp_opened(self, path: TcpPath) -> None:
        self._tcp.add(path)

    def tcp_closed(self, path: TcpPath) -> None:
        self._tcp.discard(path)
        if path.endpoint is not None:
            try:
                path.endpoint.on_path_lost(path)
            except Exception:
                self.failed()

    def tcp_unproven(self, host: str) -> tuple[int, int]:
        """Open TCP connections that belong to no session yet: all, and those of one address."""
        hosts = [path.address[0] for path in self._tcp if path.endpoint is None]
        return len(hosts), hosts.count(host)

    def _tick(self) -> None:
        at_ns = now_ns()
        gap_ns = at_ns - self._ticked_ns
        self._ticked_ns = at_ns
        for endpoint in list(self._endpoints):
            try:
                if gap_ns > STOOD_STILL_NS:
                    endpoint.on_stood_still(gap_ns)
                endpoint.on_tick(at_ns)
            except Exception:
                self.failed()
        self._tick_handle = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def failed(self) -> None:
        """A handler raised: counted, and the first few are logged."""
        self.counters["handler_failed"] += 1
        if self.counters["handler_failed"] <= 20:  # a flood of bad packets must not become a flood of log
            log.exception("a packet handler failed")
