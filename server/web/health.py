"""/healthz (the process lives), /readyz (database and media worker answer), /metrics (Prometheus text)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from server.web.keys import Handler

log = logging.getLogger("hyeopjin.web.health")

CHECK_TIMEOUT_S = 2.0
METHODS = frozenset({"GET", "HEAD", "POST"})  # a log line repeats no other word of a request

Check = Callable[[], Awaitable[bool]]
MetricsSource = Callable[[], Awaitable[dict[str, float]]]


class Health:
    """Named checks and the counters of this process. Values are numbers only; labels are route patterns."""

    def __init__(self) -> None:
        self.checks: dict[str, Check] = {}
        self.sources: list[MetricsSource] = []
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "hyeopjin_http_requests",
            "Answers by route and status",
            ["route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram("hyeopjin_http_seconds", "Time to answer", ["route"], registry=self.registry)
        self._gauges: dict[str, Gauge] = {}

    async def ready(self) -> dict[str, bool]:
        """Every check with its outcome; one that raises or takes more than 2 s has failed."""
        return {name: await self._holds(check) for name, check in self.checks.items()}

    async def _holds(self, check: Check) -> bool:
        try:
            return await asyncio.wait_for(check(), CHECK_TIMEOUT_S)
        except Exception:
            log.warning("a readiness check failed", exc_info=True)
            return False

    async def text(self) -> bytes:
        for source in self.sources:
            for name, value in (await source()).items():
                if name not in self._gauges:
                    self._gauges[name] = Gauge(name, name.replace("_", " "), registry=self.registry)
                self._gauges[name].set(value)
        return generate_latest(self.registry)


HEALTH: web.AppKey[Health] = web.AppKey("health", Health)


async def healthz(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    checks = await request.app[HEALTH].ready()
    ready = all(checks.values())
    return web.json_response({"ready": ready, "checks": checks}, status=200 if ready else 503)


async def metrics(request: web.Request) -> web.Response:
    return web.Response(body=await request.app[HEALTH].text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@web.middleware
async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Counts by route pattern, so that no id becomes a label."""
    resource = request.match_info.route.resource
    route = resource.canonical if resource else "unknown"
    health = request.app[HEALTH]
    began = asyncio.get_running_loop().time()
    status = 500
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as error:
        status = error.status
        raise
    else:
        return response
    finally:
        health.requests.labels(route, str(status)).inc()
        log.debug("%s %s: %d", request.method if request.method in METHODS else "?", route, status)
        if not route.startswith("/socket.io"):
            health.seconds.labels(route).observe(asyncio.get_running_loop().time() - began)
