"""Bodies opened piece by piece on their way out. It must not know what they are, nor who may have them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator

from aiohttp import hdrs, web

from server.domain.errors import Refused
from server.web.errors import refusal

SEND_BUFFER_BYTES = 64 * 1024
WRITE_BUFFER_BYTES = 32 * 1024


async def send(
    request: web.Request,
    response: web.StreamResponse,
    pieces: AsyncIterator[bytes],
    *broken: type[Exception],
) -> web.StreamResponse:
    """Send what comes; nothing is asked of `pieces` for a HEAD. One that raises Refused or one of `broken`
    ends the connection: the status is long sent, so the only honest end is a broken one.
    """
    writer = await response.prepare(request)
    if writer is None or request.method == hdrs.METH_HEAD:
        return response
    _keep_little_in_flight(request)
    ends: tuple[type[Exception], ...] = (Refused, *broken)
    try:
        async for piece in pieces:
            await response.write(piece)
            await writer.drain()
        await response.write_eof()
    except ends:
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        pass  # the reader went away, as players do at every seek
    return response


def _keep_little_in_flight(request: web.Request) -> None:
    """What lies in our buffers cannot be taken back: let it be little."""
    transport = request.transport
    if transport is None:
        return
    with contextlib.suppress(OSError, AttributeError, NotImplementedError):
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)


def not_satisfiable(size: int) -> web.Response:
    """416: the range that was asked for is not in it (RFC 9110)."""
    response = refusal("range_not_satisfiable")
    response.headers[hdrs.CONTENT_RANGE] = f"bytes */{size}"
    response.headers[hdrs.CACHE_CONTROL] = "private, no-store"
    return response
