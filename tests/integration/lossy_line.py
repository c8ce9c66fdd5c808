"""A line between a browser and the worker that loses media: a UDP relay on loopback, seeded.

STUN and DTLS pass untouched; RTP and RTCP are lost alike.
"""

from __future__ import annotations

import asyncio
import random
import re
from typing import cast


class _End(asyncio.DatagramProtocol):
    """One socket; what it receives goes to `to`."""

    def __init__(self, line: LossyLine, client: tuple[str, int] | None) -> None:
        self._line = line
        self._client = client
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._client is None:
            self._line.up(data, addr)
        else:
            self._line.down(data, self._client)

    def error_received(self, exc: Exception) -> None:
        """The other side is gone: as on a real line, nobody is told."""


class LossyLine:
    """`port` stands for the worker's UDP port; losses are shares of 1, the delay one way in seconds."""

    def __init__(self, worker_port: int, up: float, down: float, delay: float, seed: int) -> None:
        self._worker = ("127.0.0.1", worker_port)
        self._loss_up, self._loss_down, self._delay = up, down, delay
        self._random = random.Random(seed)
        self._front: _End | None = None
        self._backs: dict[tuple[str, int], asyncio.Future[_End]] = {}
        self._loop = asyncio.get_running_loop()
        self.port = 0
        self.lost_up = self.lost_down = 0

    async def open(self) -> LossyLine:
        transport, self._front = await self._loop.create_datagram_endpoint(
            lambda: _End(self, None), ("127.0.0.1", 0)
        )
        self.port = transport.get_extra_info("sockname")[1]
        return self

    def rewrite(self, sdp: str) -> str:
        """An offer that names this line as the only candidate."""
        udp = re.sub(r"(a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1) \d+", rf"\1 {self.port}", sdp, flags=re.I)
        return re.sub(r"a=candidate:\S+ 1 tcp [^\r]*\r\n", "", udp, flags=re.I)

    def up(self, data: bytes, client: tuple[str, int]) -> None:
        if self._lost(data, self._loss_up):
            self.lost_up += 1
            return
        back = self._backs.get(client)
        if back is None:
            self._backs[client] = back = self._loop.create_future()
            made = asyncio.ensure_future(
                self._loop.create_datagram_endpoint(lambda: _End(self, client), ("127.0.0.1", 0))
            )
            made.add_done_callback(lambda done: back.set_result(done.result()[1]))
        back.add_done_callback(
            lambda done: self._loop.call_later(self._delay, self._send, done.result(), data, self._worker)
        )

    def down(self, data: bytes, client: tuple[str, int]) -> None:
        if self._lost(data, self._loss_down):
            self.lost_down += 1
            return
        self._loop.call_later(self._delay, self._send, self._front, data, client)

    def _lost(self, data: bytes, share: float) -> bool:
        return bool(data) and 127 < data[0] < 192 and self._random.random() < share

    @staticmethod
    def _send(end: _End | None, data: bytes, to: tuple[str, int]) -> None:
        if end is not None and end.transport is not None and not end.transport.is_closing():
            end.transport.sendto(data, to)

    def close(self) -> None:
        ends = [self._front, *(back.result() for back in self._backs.values() if back.done())]
        for end in ends:
            if end is not None and end.transport is not None:
                end.transport.close()
