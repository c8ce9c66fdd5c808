"""A port on loopback that stands for the server's media port, UDP and TCP, with a bad line behind it.

Every client address has an upstream socket of its own, as behind a NAT: the server tells clients apart by
the port it sees, and a rebinding gives them new ones. Lives on one event loop; aside.py is for tests without.
Nothing is looked into but the first byte of a datagram. On shutdown what is on its way is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Iterable
from typing import cast

from tests.support.impairment.link import Link, LinkStats, Stream
from tests.support.impairment.profile import CLEAN, Profile
from tests.support.impairment.script import Direction, Moment, Playing

Address = tuple[str, int]
BUFFER_BYTES = 4 * 1024 * 1024
MAX_DRAIN = 64
SEGMENT_BYTES = 1400
"""TCP is cut into as much, so that loss and rate meet it as on a real line."""
BACKLOG_BYTES = 32_000
"""With more before the rate limit, a TCP sender is not listened to: its window is full."""
BACKLOG_LOOK_S = 0.02
BIND_TRIES = 20
SYN_AGAIN_S = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Pauses between the tries of a client that connects in the dark (RFC 6298, Linux)."""


class _Flow:
    """One client's datagrams; `socket` is its present mapping at the NAT."""

    def __init__(self, relay: Relay, client: Address) -> None:
        self._relay = relay
        self.client = client
        self.old: list[socket.socket] = []
        self.socket = self._open()

    def _open(self) -> socket.socket:
        made = _udp(("127.0.0.1", 0))
        made.connect(self._relay.upstream)
        self._relay.loop.add_reader(made.fileno(), self._readable, made)
        return made

    def rebind(self) -> None:
        # The old socket stays open, unread: a NAT drops without a word, a closed port would be reported.
        self._relay.loop.remove_reader(self.socket.fileno())
        self.old.append(self.socket)
        self.socket = self._open()

    def _readable(self, source: socket.socket) -> None:
        for _ in range(MAX_DRAIN):
            try:
                data = source.recv(65536)
            except OSError:
                return
            self._relay.send_down(data, self)

    def to_server(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.socket.send(data)

    def to_client(self, data: bytes) -> None:
        self._relay.reply(data, self.client)

    def close(self) -> None:
        self._relay.loop.remove_reader(self.socket.fileno())
        for one in (self.socket, *self.old):
            one.close()


class _End(asyncio.Protocol):
    """One side of a TCP connection; what it hears goes through `link` to the other."""

    def __init__(self, relay: Relay, link: Link, other: _End | None) -> None:
        self._relay = relay
        self._link = link
        self._stream = Stream()
        self._early: list[bytes] = []
        self._look: asyncio.TimerHandle | None = None
        self.other = other
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        if self._relay.tcp_blocked:
            self.transport.abort()
            return
        self._relay.ends.add(self)
        if self.other is None:
            self._relay.reach(self)
        else:
            self.other.met(self)

    def met(self, other: _End) -> None:
        self.other = other
        early, self._early = self._early, []
        for data in early:
            self.data_received(data)
        if self.transport is None:  # gone while we were still reaching the other side
            self._end()

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._early.append(data)
            return
        for at in range(0, len(data), SEGMENT_BYTES):
            self._link.send(data[at : at + SEGMENT_BYTES], self.other.write, self._stream)
        self._listen()

    def _listen(self) -> None:
        """Read on, or look again soon when too much is waiting."""
        if self.transport is None or self.transport.is_closing():
            return
        full = self._link.stats.queued_bytes > BACKLOG_BYTES or self._link.dark
        (self.transport.pause_reading if full else self.transport.resume_reading)()
        self._look = self._relay.loop.call_later(BACKLOG_LOOK_S, self._listen) if full else None

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def finish(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._relay.ends.discard(self)
        self.transport = None
        if self._look is not None:
            self._look.cancel()
        self._end()

    def _end(self) -> None:
        # Behind everything that is on its way: an end of its own would overtake the data.
        other = self.other
        if other is not None:
            self._link.send(b"", lambda _: other.finish(), self._stream)


class Relay:
    """`port` stands for the server's `upstream` port, the same number for UDP and TCP.

    `up` is towards the server. Use `async with`, or `open` and `close`.
    """

    def __init__(
        self, upstream_port: int, up: Profile = CLEAN, down: Profile | None = None, *, seed: int = 0
    ) -> None:
        self.upstream: Address = ("127.0.0.1", upstream_port)
        self.loop = asyncio.get_running_loop()
        dice = random.Random(seed)
        self.up = Link(self.loop, random.Random(dice.getrandbits(64)), up)
        self.down = Link(self.loop, random.Random(dice.getrandbits(64)), up if down is None else down)
        self.port = 0
        self.ends: set[_End] = set()
        self.rebindings = 0
        self.udp_blocked = self.tcp_blocked = False
        self._flows: dict[Address, _Flow] = {}
        self._front: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._reaching: set[asyncio.Task[object]] = set()
        self._playing: list[Playing] = []

    async def open(self) -> Relay:
        """Raises OSError when no number is free for both."""
        for left in reversed(range(BIND_TRIES)):
            self._front = _udp(("127.0.0.1", 0))
            self.port = self._front.getsockname()[1]
            try:
                self._server = await self.loop.create_server(
                    lambda: _End(self, self.up, None), "127.0.0.1", self.port
                )
                break
            except OSError:
                self._front.close()
                if not left:
                    raise
        assert self._front is not None
        self.loop.add_reader(self._front.fileno(), self._readable, self._front)
        return self

    async def close(self) -> None:
        """Idempotent."""
        for playing in self._playing:
            playing.stop()
        if self._front is not None:
            self.loop.remove_reader(self._front.fileno())
            self._front.close()
            self._front = None
        if self._server is not None:
            self._server.close()
            self._server = None
        self.up.close()
        self.down.close()
        for flow in self._flows.values():
            flow.close()
        self._flows.clear()
        for end in list(self.ends):
            end.abort()
        for task in self._reaching:
            task.cancel()
        await asyncio.gather(*self._reaching, return_exceptions=True)
        await asyncio.sleep(0)  # lets aborted connections be told

    async def __aenter__(self) -> Relay:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # -- what a script, or a test, may do; see script.Line

    def change(self, profile: Profile, direction: Direction = "both") -> None:
        """From now on the line is like this."""
        if direction != "down":
            self.up.change(profile)
        if direction != "up":
            self.down.change(profile)

    def reseed(self, seed: int) -> None:
        """From now on the line's luck is that of a line made with this seed."""
        dice = random.Random(seed)
        self.up.reseed(random.Random(dice.getrandbits(64)))
        self.down.reseed(random.Random(dice.getrandbits(64)))

    def black_out(self, dark: bool) -> None:
        """Nothing passes in either direction while dark; TCP goes on where it stopped."""
        self.up.black_out(dark)
        self.down.black_out(dark)

    def rebind(self) -> None:
        """The NAT forgets everybody: new source ports at the server; TCP connections are reset."""
        self.rebindings += 1
        for flow in self._flows.values():
            flow.rebind()
        for end in list(self.ends):
            end.abort()

    def block_udp(self, blocked: bool) -> None:
        """A firewall that swallows every datagram, at the client's end of the line."""
        self.udp_blocked = blocked

    def block_tcp(self, blocked: bool) -> None:
        """A firewall that resets every connection, new or old."""
        self.tcp_blocked = blocked
        for end in list(self.ends) if blocked else ():
            end.abort()

    def play(self, moments: Iterable[Moment]) -> Playing:
        """Start a script; several may run at once."""
        playing = Playing(moments, self, self.loop)
        self._playing.append(playing)
        return playing

    # -- what is known about it

    def stats(self) -> dict[str, LinkStats]:
        return {"up": self.up.stats, "down": self.down.stats}

    def mappings(self) -> dict[Address, int]:
        """Client address -> the port the server sees it at."""
        return {client: flow.socket.getsockname()[1] for client, flow in self._flows.items()}

    @property
    def connections(self) -> int:
        """TCP connections of clients now open."""
        return sum(1 for end in self.ends if end._link is self.up)

    # -- datagrams

    def _readable(self, front: socket.socket) -> None:
        for _ in range(MAX_DRAIN):
            try:
                data, client = front.recvfrom(65536)
            except OSError:
                return
            if self.udp_blocked:
                self.up.stats.blocked += 1
                continue
            flow = self._flows.get(client)
            if flow is None:
                flow = self._flows[client] = _Flow(self, client)
            self.up.send(data, flow.to_server)

    def send_down(self, data: bytes, flow: _Flow) -> None:
        if self.udp_blocked:
            self.down.stats.blocked += 1
        else:
            self.down.send(data, flow.to_client)

    def reply(self, data: bytes, client: Address) -> None:
        if self._front is not None:
            with contextlib.suppress(OSError):
                self._front.sendto(data, client)

    # -- connections

    def reach(self, client: _End) -> None:
        """Connect upstream for a client that has just connected; nobody there: the client is reset.

        In the dark its SYN is lost and repeated ever later, so the light does not help it at once.
        """

        async def connect() -> None:
            for pause in SYN_AGAIN_S:
                if not self.up.dark:
                    break
                await asyncio.sleep(pause)
                if client.transport is None:
                    return
            try:
                await self.loop.create_connection(
                    lambda: _End(self, self.down, client), self.upstream[0], self.upstream[1]
                )
            except OSError:
                client.abort()

        task: asyncio.Task[object] = self.loop.create_task(connect())
        self._reaching.add(task)
        task.add_done_callback(self._reaching.discard)


def _udp(address: Address) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        with contextlib.suppress(OSError):
            made.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
    made.bind(address)
    return made
