"""The wire: socket.io in, hub out. The only file with socketio in it: parses, asks the gate, calls, replies.

Must not: know a room's rules, log anything a page sent. Order of the checks on every event: rate, message,
authority, then the room. An exception becomes `{ok: false, code: "internal"}` and a log line without content.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import socketio
from socketio import packet as wire

from signaling import messages as ms
from signaling.asides import ASIDES, Asides
from signaling.hub import Hub
from signaling.limits import Bucket
from signaling.page_events import room_event
from signaling.ports import Gate, Refusal, Ticket
from signaling.seat import instance_of
from signaling.store import StoreAwayError
from signaling.tasks import TaskOwner, end, failure_site
from signaling.wire import Ack, BadMessage, refused

log = logging.getLogger("hyeopjin.signaling.namespace")

PATH = "/socket.io"
NAMESPACE = "/room"
PING_INTERVAL_S = 5
PING_TIMEOUT_S = 10
ACK_FIRST_S = 0.1
PUBLISH_S = 0.5
RESUBSCRIBE_S = 0.5
SILENCE_S = 15.0
RESERVED = frozenset({"connect", "disconnect", "connect_error"})


class FanOut(socketio.AsyncRedisManager):
    """Emits to sockets of other instances. Without Redis they are lost, and repaired when it is back."""

    def __init__(
        self, url: str, channel: str, repair: Callable[[], Awaitable[None]], logger: logging.Logger
    ) -> None:
        options = {"socket_connect_timeout": PUBLISH_S, "socket_timeout": SILENCE_S}
        super().__init__(url, channel, logger=logger, redis_options=options)  # type: ignore[no-untyped-call]
        self._repair = repair
        self._quiet_until = 0.0

    async def _publish(self, data: dict[str, object]) -> None:
        """Never raises, and waits for a Redis that does not answer once a second at most."""
        redis: Any = self.redis
        if redis is None or time.monotonic() < self._quiet_until:
            return
        try:
            async with asyncio.timeout(PUBLISH_S):
                await redis.publish(self.channel, self.json.dumps(data))
        except Exception as error:
            self._quiet_until = time.monotonic() + 2 * PUBLISH_S
            log.warning("an emit did not reach other instances: %s", failure_site(error))

    async def _redis_listen_with_retries(self) -> AsyncIterator[dict[str, Any]]:
        """As the library's, but it comes back within a second or so, and mends what was missed meanwhile."""
        while True:
            try:
                self._redis_connect()  # type: ignore[no-untyped-call]
                pubsub: Any = self.pubsub
                await pubsub.subscribe(self.channel)
                await self._repair()
                async for message in pubsub.listen():
                    yield message
            except Exception as error:  # also silence for long: the connection may be dead
                log.debug("listening to other instances begins anew: %s", failure_site(error))
            finally:
                redis: Any = self.redis
                if redis is not None:
                    with contextlib.suppress(Exception):
                        await redis.aclose()
            await asyncio.sleep(RESUBSCRIBE_S)


class TextPacket(wire.Packet):
    """socket.io packets without binary parts, and without events that pose as the library's own."""

    def decode(self, encoded_packet: str) -> int:
        """Raises ValueError for what a page may not send; the library drops the packet."""
        attachments: int = super().decode(encoded_packet)  # type: ignore[no-untyped-call]
        if self.packet_type in (wire.BINARY_EVENT, wire.BINARY_ACK) or attachments:
            raise ValueError("binary packet")
        if self.packet_type == wire.EVENT:
            data = self.data
            named = isinstance(data, list) and bool(data) and isinstance(data[0], str)
            if not named or data[0] in RESERVED or len(data) > 2:
                raise ValueError("malformed event packet")
        return attachments


def allowed_origin(public_url: str) -> str:
    """The one origin pages may come from; raises ValueError for `*`, `null` and anything but http(s)."""
    parts = urlsplit(public_url)
    if parts.scheme not in ("http", "https") or not parts.netloc or "*" in public_url or "@" in parts.netloc:
        raise ValueError("public_url must be one http(s) origin")
    return f"{parts.scheme}://{parts.netloc}"


def cookies_of(header: str) -> dict[str, str]:
    """A Cookie header as name -> value (RFC 6265, 5.4); the first of a name counts."""
    found: dict[str, str] = {}
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        if name and equals:
            found.setdefault(name, value.strip('"'))
    return found


def attach(
    app: Any,
    hub: Hub,
    gate: Gate,
    public_url: str,
    redis_url: str = "",
    channel: str = "",
    asides: Asides | None = None,
) -> Any:
    """Serve the rooms at /socket.io of this `aiohttp.web.Application`; before it starts, once per hub.

    `redis_url`, `channel`: where instances tell each other what to emit; nothing else goes that way.
    Returns the `socketio.AsyncServer`. Raises ValueError for a public_url that is not one http(s) origin.
    """
    quiet = logging.getLogger("hyeopjin.signaling.socketio")
    quiet.setLevel(logging.CRITICAL)  # below that the library logs messages, which carry SDP and names
    server: Any = socketio.AsyncServer(  # type: ignore[no-untyped-call]
        async_mode="aiohttp",
        client_manager=FanOut(redis_url, channel, hub.repair, quiet) if redis_url else None,
        cors_allowed_origins=[allowed_origin(public_url)],
        cors_credentials=False,
        max_http_buffer_size=ms.MAX_MESSAGE_BYTES,
        async_handlers=False,  # a page's events in the order in which it sent them
        serializer=TextPacket,
        namespaces=[NAMESPACE],
        ping_interval=PING_INTERVAL_S,
        ping_timeout=PING_TIMEOUT_S,
        logger=quiet,
        engineio_logger=quiet,
    )
    sockets = Sockets(server, hub, gate, asides)
    server.on("connect", sockets.connect, namespace=NAMESPACE)
    server.on("disconnect", sockets.disconnect, namespace=NAMESPACE)
    server.on("*", sockets.event, namespace=NAMESPACE)
    hub.bind(sockets)
    if asides is not None:
        asides.bind(sockets)
    server.attach(app, socketio_path=PATH)

    async def begin(_: Any) -> None:
        """The library would do so with its first page; others may have to hear us before we have one."""
        if not server.manager_initialized:
            server.manager_initialized = True
            server.manager.initialize()

    async def hang_up(_: Any) -> None:
        """The server stops: pages see a lost connection and come back when it is up again."""
        await sockets.aclose()
        if redis_url:
            await end([server.manager.thread])
        await _hang_up_all(server)

    if redis_url:
        app.on_startup.append(begin)
    app.on_shutdown.append(hang_up)
    return server


async def _hang_up_all(server: Any) -> None:
    for connection in list(server.eio.sockets.values()):
        await connection.close(wait=False)
        # Ends the writer, which closes the websocket: a browser waits for that.
        connection.queue.put_nowait(None)
    if server.eio.service_task_handle is not None:
        await server.shutdown()


class Sockets:
    """Sockets of the pages; also the hub's Outbox."""

    def __init__(self, server: Any, hub: Hub, gate: Gate, asides: Asides | None = None) -> None:
        self._server = server
        self._hub = hub
        self._asides = asides
        self._gate = gate
        self._tickets: dict[str, Ticket] = {}
        self._buckets: dict[str, Bucket] = {}  # by seat
        self._asking: set[str] = set()  # sockets whose event is being answered
        self._leaving: set[str] = set()  # sockets that were told `closed`
        self._tasks = TaskOwner()

    # --- Outbox --------------------------------------------------------------------------------------------

    async def send(self, socket: str, event: str, payload: dict[str, object]) -> None:
        """To one socket, here or of another instance; one that is gone is ignored."""
        here = socket in self._tickets or instance_of(socket) == self._hub.instance
        await self._server.emit(
            event, payload, to=self._library_id(socket), namespace=NAMESPACE, ignore_queue=here
        )

    async def close(self, socket: str, code: str) -> None:
        """`closed {code}`, then disconnect."""
        here = socket in self._tickets
        if socket in self._leaving or not (here or instance_of(socket) != self._hub.instance):
            return
        if here:
            self._leaving.add(socket)
        await self.send(socket, "closed", ms.Closed.model_validate({"code": code}).wire())
        if socket in self._asking:  # its own event closes it: the ack comes first
            self._tasks.start(self._hang_up_soon(socket), "hang-up")
        else:
            await self.hang_up(socket)

    async def hang_up(self, socket: str) -> None:
        """Without a word: the page comes back by itself."""
        await self._server.disconnect(self._library_id(socket), namespace=NAMESPACE)

    async def _hang_up_soon(self, socket: str) -> None:
        await asyncio.sleep(ACK_FIRST_S)
        await self.hang_up(socket)

    def _socket(self, library_id: str) -> str:
        """A socket's name among those of all instances."""
        return f"{self._hub.instance}/{library_id}" if self._hub.instance else library_id

    @staticmethod
    def _library_id(socket: str) -> str:
        return socket.rpartition("/")[2]

    async def aclose(self) -> None:
        """No socket is hung up later."""
        await self._tasks.aclose()

    # --- connecting ----------------------------------------------------------------------------------------

    async def connect(self, library_id: str, environ: dict[str, Any], auth: object) -> None:
        """Raises the library's ConnectionRefusedError with `{code}` as its data."""
        socket = self._socket(library_id)
        try:
            seat = ms.parse_connect(auth).seat
            cookies, asked = cookies_of(environ.get("HTTP_COOKIE", "")), environ.get("aiohttp.request")
            admitted = await self._gate.admit_socket(seat, cookies, asked)
        except BadMessage as error:
            raise refused_connection(error.code) from None
        except Exception as error:
            log.error("admitting a socket failed: %s", failure_site(error))
            raise refused_connection("internal") from None
        if isinstance(admitted, Refusal):
            log.debug("socket refused: %s", admitted.code)
            raise refused_connection(admitted.code)
        log.debug("socket admitted to seat %s", admitted.seat)
        self._tickets[socket] = admitted
        await self._hub.connected(socket, admitted)

    def disconnect(self, library_id: str, reason: object = None) -> None:
        """The library says the socket is gone, whoever closed it."""
        socket = self._socket(library_id)
        ticket = self._tickets.pop(socket, None)
        self._leaving.discard(socket)
        if ticket is None:
            return
        if all(other.seat != ticket.seat for other in self._tickets.values()):
            self._buckets.pop(ticket.seat, None)
        self._hub.disconnected(socket, reason == self._server.reason.CLIENT_DISCONNECT)

    # --- events --------------------------------------------------------------------------------------------

    async def event(self, event: str, library_id: str, data: object = None) -> Ack:
        """Every event of every page; raises nothing."""
        socket = self._socket(library_id)
        self._asking.add(socket)
        try:
            ack = await self._event(event, socket, {} if data is None else data)
        except StoreAwayError:  # what was asked for is not lost: it waits in the room's line
            ack = refused("store_away")
        except Exception as error:
            log.error("event of a page failed: %s", failure_site(error))
            ack = refused("internal")
        finally:
            self._asking.discard(socket)
        # An unknown event's name is a page's own words: it is not repeated.
        known = event in ms.INCOMING or event in ASIDES
        log.debug("page event %s: %s", event if known else "?", ack.get("code", "ok"))
        return ack

    async def _event(self, event: str, socket: str, data: object) -> Ack:
        ticket = self._tickets.get(socket)
        if ticket is None:
            return refused("not_joined")
        now_ms = self._hub.now_ms()
        if not self._buckets.setdefault(ticket.seat, Bucket(now_ms)).take(now_ms):
            return refused("too_fast")
        aside = ASIDES.get(event) if self._asides is not None else None
        try:
            message = ms.parse(event, data) if aside is None else ms.parse_as(aside.model, data)
        except BadMessage as error:
            return {**refused(error.code), "field": error.field}
        if not await self._gate.still_valid(ticket):
            await self._hub.credential_revoked(ticket.credential_id)
            return refused("revoked")
        if not isinstance(message, ms.Incoming):
            assert self._asides is not None  # noqa: S101 - it was parsed as one
            return await self._asides.answer(event, ticket, socket, message)
        if isinstance(message, ms.Join):
            joined = await self._hub.join(ticket, socket, message)
            return refused(joined) if isinstance(joined, str) else {"ok": True, "snapshot": joined.wire()}
        code = await self._hub.tell(ticket.room, room_event(message, ticket.seat, socket))
        return {"ok": True} if code is None else refused(code)


def refused_connection(code: str) -> Exception:
    """The connect error: `error.data.code` in the page."""
    return socketio.exceptions.ConnectionRefusedError(code, {"code": code})  # type: ignore[no-untyped-call]
