"""What every answer carries and every changing request must prove: our own origin, JSON, strict headers."""

from __future__ import annotations

import contextlib
import ipaddress

from aiohttp import web

from server.config import Settings
from server.domain.errors import Refused
from server.web.keys import ADDRESS, SETTINGS, Handler

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
TIGHTENED = frozenset({"Content-Security-Policy"})
"""What a handler may have set itself: a stranger's file is served under a stricter one than our pages."""
UPLOADED = "application/offset+octet-stream"
"""The one body that is no JSON: no form can send it, and no other site's script without being asked first."""


def content_security_policy(public_url: str) -> str:
    """Nothing inline, nothing from elsewhere. `connect-src` names our WebSocket for older engines."""
    socket_origin = "ws" + public_url.removeprefix("http")
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "font-src 'self'",
            f"connect-src 'self' {socket_origin}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ]
    )


def security_headers(settings: Settings) -> dict[str, str]:
    headers = {
        "Content-Security-Policy": content_security_policy(settings.public_url),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Server": "hyeopjin",
    }
    if settings.secure_cookies and not settings.demo:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def install_headers(app: web.Application, settings: Settings) -> None:
    """On every answer, streamed ones included."""
    headers = security_headers(settings)

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        for name, value in headers.items():
            if name not in TIGHTENED or name not in response.headers:
                response.headers[name] = value
        if request.path.startswith("/api/") and "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"

    app.on_response_prepare.append(add)


@web.middleware
async def client_address(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The browser's address: the peer's, or what a proxy that we trust says of it."""
    address = request.remote or ""
    if address in request.app[SETTINGS].trusted_proxies:
        forwarded = request.headers.get("X-Forwarded-For", "").rsplit(",", 1)[-1].strip()
        with contextlib.suppress(ValueError):  # a proxy that says nothing useful: its own address stands
            address = str(ipaddress.ip_address(forwarded))
    request[ADDRESS] = address
    return await handler(request)


@web.middleware
async def own_origin_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A request that changes something must come from our own pages.

    Every browser sends Origin with it; newer ones Sec-Fetch-Site too. What sends neither is no browser, and
    carries nobody's cookies by accident.
    """
    if request.method not in SAFE and not request.path.startswith("/socket.io"):
        site = request.headers.get("Sec-Fetch-Site")
        origin = request.headers.get("Origin")
        if site not in (None, "same-origin") or origin not in (None, request.app[SETTINGS].public_url):
            raise Refused("cross_site")
    return await handler(request)


@web.middleware
async def json_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Forms and plain text cannot be sent here, so no other site's form can reach a handler."""
    if (
        request.path.startswith("/api/")
        and request.method not in SAFE
        and request.body_exists
        and request.content_type != "application/json"
        and not (request.method == "PATCH" and request.content_type == UPLOADED)
    ):
        raise Refused("json_only")
    return await handler(request)
