"""The asyncio client of a worker's control channel: requests with replies, events to one callback.

It keeps no state of rooms and never reconnects by itself: when the channel is lost every waiting request
fails with ControlLostError and `on_lost` is called once; starting a new worker and sending the plans again
is the supervisor's work.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from media.control import MAX_LINE, ControlRefusedError, RoomPlan, decode, encode

log = logging.getLogger("hyeopjin.media.control_client")

Event = dict[str, Any]


class ControlLostError(ConnectionError):
    """The channel to the worker is gone; what was asked may or may not have happened."""


class LineProtocol(asyncio.Protocol):
    """Splits a byte stream into lines of at most MAX_LINE; a longer one ends the connection."""

    def __init__(self, on_line: Callable[[bytes], None], on_lost: Callable[[], None]) -> None:
        self._on_line = on_line
        self._on_lost = on_lost
        self._buffer = bytearray()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast, not a check: uvloop's stream transports do not inherit from asyncio.Transport.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            if line:
                self._on_line(line)
        if len(self._buffer) > MAX_LINE:
            log.warning("control line too long, closing")
            self._buffer.clear()
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._on_lost()

    def write(self, line: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(line)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


class ControlClient:
    """One connection to one worker. Make it with `connect`.

    `on_event` is called synchronously, in the order of arrival, with each event object (a dict with `ev`).
    """

    def __init__(self, on_event: Callable[[Event], None], on_lost: Callable[[], None] | None = None) -> None:
        self._on_event = on_event
        self._lost_callback = on_lost
        self._protocol = LineProtocol(self._line, self._lost)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._next_id = 1
        self._gone = asyncio.Event()

    @classmethod
    async def connect(
        cls,
        path: str | Path,
        on_event: Callable[[Event], None],
        on_lost: Callable[[], None] | None = None,
    ) -> ControlClient:
        """Connects to the Unix socket at `path`. Raises OSError when nobody listens there."""
        client = cls(on_event, on_lost)
        await asyncio.get_running_loop().create_unix_connection(lambda: client._protocol, str(path))
        return client

    @property
    def connected(self) -> bool:
        return self._protocol.transport is not None and not self._gone.is_set()

    async def put_plan(self, plan: RoomPlan | Mapping[str, Any], timeout: float = 5.0) -> dict[str, Any]:
        """Sends the room's whole wanted state; returns the state the worker has after it."""
        wire = plan.to_wire() if isinstance(plan, RoomPlan) else dict(plan)
        reply = await self.request({"op": "plan", "plan": wire}, timeout)
        state: dict[str, Any] = reply.get("state") or {}
        return state

    async def answer(self, room: str, peer: str, connection: str, offer_id: str, sdp: str) -> None:
        """Hands over a page's answer. Refused: unknown_room, unknown_peer, unknown_connection, bad_answer."""
        whose = {"room": room, "peer": peer, "connection": connection}
        await self.request({"op": "answer", **whose, "offer_id": offer_id, "sdp": sdp})

    async def restart_ice(self, room: str, peer: str, connection: str) -> None:
        """Asks for an offer with new ICE credentials on the same connection."""
        await self.request({"op": "restart_ice", "room": room, "peer": peer, "connection": connection})

    async def metrics(self) -> dict[str, Any]:
        """The worker's counters and gauges by name."""
        values: dict[str, Any] = (await self.request({"op": "metrics"})).get("metrics") or {}
        return values

    async def lease(self, deadline_ms: int, timeout: float = 5.0) -> dict[str, Any]:
        """Tells until when (CLOCK_BOOTTIME) the worker may act; 0 asks only. Returns its rooms and load."""
        return await self.request({"op": "lease", "deadline_ms": deadline_ms}, timeout)

    async def probe(self) -> str:
        """An offer that may be tried and leads to no media. Refused: too_many_probes."""
        return str((await self.request({"op": "probe"})).get("sdp"))

    async def drain(self) -> None:
        """Tells the worker to refuse new rooms (`draining`)."""
        await self.request({"op": "drain"})

    async def request(self, message: Mapping[str, Any], timeout: float = 5.0) -> dict[str, Any]:
        """Sends one request and waits for its reply.

        Raises ControlRefusedError (the worker said no), ControlLostError (channel gone), or TimeoutError
        after `timeout` seconds.
        """
        if not self.connected:
            raise ControlLostError("not connected")
        request_id = self._next_id
        self._next_id += 1
        reply: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = reply
        self._protocol.write(encode({**message, "id": request_id}))
        try:
            async with asyncio.timeout(timeout):
                answer = await reply
        finally:
            self._waiting.pop(request_id, None)
        if answer.get("ok") is not True:
            raise ControlRefusedError(str(answer.get("code", "refused")), request_id)
        return answer

    async def close(self) -> None:
        """Closes the channel; the worker goes on. Waits until the socket is closed."""
        if self._protocol.transport is None:
            return
        self._lost_callback = None
        self._protocol.close()
        await self._gone.wait()

    async def wait_lost(self) -> None:
        """Returns when the channel is gone, by whichever side."""
        await self._gone.wait()

    def _line(self, line: bytes) -> None:
        try:
            message = decode(line)
        except ControlRefusedError as refused:
            log.warning("worker sent what cannot be read: %s", refused.code)
            return
        if "ev" in message:
            try:
                self._on_event(message)
            except Exception:
                log.exception("event handler failed")
            return
        waiting = self._waiting.get(message.get("re", -1))
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    def _lost(self) -> None:
        self._gone.set()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ControlLostError("the worker's control channel closed"))
        callback, self._lost_callback = self._lost_callback, None
        if callback is not None:
            callback()
