"""What answers when a request is no HTTP at all: our refusal with our headers, and no echo of what was sent.

aiohttp answers a malformed request before any middleware runs, as plain text that quotes the line. Here that
answer, and what is logged of it, is ours. It must not read a request's content.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from aiohttp import hdrs, web

from server.web.errors import CODE_BY_STATUS, refusal

log = logging.getLogger("hyeopjin.web.front")


class FrontRunner(web.AppRunner):
    """An AppRunner whose connections are `Connection`s. `headers`: those that every answer carries."""

    def __init__(self, app: web.Application, headers: Mapping[str, str], **options: Any) -> None:
        super().__init__(app, **options)
        self._headers = dict(headers)

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return FrontServer(made, self._headers)


class FrontServer(web.Server):
    """The server that an AppRunner made, with our connections and without odd expectations."""

    def __init__(self, made: web.Server, headers: Mapping[str, str]) -> None:
        super().__init__(
            made.request_handler, request_factory=self._expecting_nothing, loop=made._loop, **made._kwargs
        )
        self._made = made
        self.headers = headers

    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)

    def _expecting_nothing(self, message: Any, *more: Any) -> web.BaseRequest:
        """aiohttp quotes an `Expect` it does not know; RFC 9110, 10.1.1 lets us pass over it."""
        expected = message.headers.get(hdrs.EXPECT, "100-continue")
        if expected.lower() != "100-continue":
            kept = message.headers.copy()
            kept.popall(hdrs.EXPECT)
            message = message._replace(headers=type(message.headers)(kept))
        return self._made.request_factory(message, *more)


class Connection(web.RequestHandler):
    """One connection. It closes after a request that could not be read."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """`message` quotes the request: it goes nowhere. Raises ConnectionError once an answer has begun."""
        log.log(
            logging.ERROR if status >= 500 else logging.DEBUG,
            "a request could not be read: %s",
            type(exc).__name__,
        )
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        response = refusal("internal" if status >= 500 else CODE_BY_STATUS.get(status, "bad_request"))
        response.headers.update(self._manager.headers if isinstance(self._manager, FrontServer) else {})
        response.headers[hdrs.CACHE_CONTROL] = "no-store"
        response.force_close()
        return response

    def log_exception(self, *_args: Any, **details: Any) -> None:
        """aiohttp's own lines name the peer's address; the kind of error is enough."""
        error = details.get("exc_info")
        log.warning("a connection failed: %s", type(error).__name__ if error else "unknown")
