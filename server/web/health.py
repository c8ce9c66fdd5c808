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
LabelledSource = Callable[[], Awaitable[dict[str, dict[str, float]]]]  # metric -> worker -> value


class Health:
    """Named checks and the counters of this process. Values are numbers only; labels are route patterns."""

    def __init__(self) -> None:
        self.facts: dict[str, str] = {}
        """What /healthz says beside that the process lives; decided at the start."""
        self.checks: dict[str, Check] = {}
        self.wishes: dict[str, Check] = {}  # without these it serves, degraded
        self.sources: list[MetricsSource] = []
        self.labelled: list[LabelledSource] = []
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "hyeopjin_http_requests",
            "Answers by route and status",
            ["route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram("hyeopjin_http_seconds", "Time to answer", ["route"], registry=self.registry)
        self._gauges: dict[str, Gauge] = {}
        self._by_worker: set[str] = set()  # names of those that are told per worker

    async def ready(self) -> dict[str, bool]:
        """Every check with its outcome; one that raises or takes more than 2 s has failed."""
        return {name: await self._holds(check) for name, check in self.checks.items()}

    async def degraded(self) -> list[str]:
        """Which wishes do not hold: the server serves, with less than it should have."""
        return [name for name, wish in self.wishes.items() if not await self._holds(wish)]

    async def _holds(self, check: Check) -> bool:
        try:
            return await asyncio.wait_for(check(), CHECK_TIMEOUT_S)
        except Exception:
            log.warning("a readiness check failed", exc_info=True)
            return False

    async def text(self) -> bytes:
        for source in self.sources:
            try:
                found = await source()
            except Exception as error:  # what shares its fate with Redis must not silence the rest
                log.warning("a source of numbers failed: %s", type(error).__name__)
                continue
            for name, value in found.items():
                self._gauge(name).set(value)
        for name in self._by_worker:
            self._gauges[name].clear()  # a worker that is away has no numbers
        for labelled in self.labelled:
            for name, by_worker in (await labelled()).items():
                gauge = self._gauge(name, "worker")
                self._by_worker.add(name)
                for worker, value in by_worker.items():
                    gauge.labels(worker).set(value)
        return generate_latest(self.registry)

    def _gauge(self, name: str, *labels: str) -> Gauge:
        if name not in self._gauges:
            self._gauges[name] = Gauge(name, name.replace("_", " "), labels, registry=self.registry)
        return self._gauges[name]


HEALTH: web.AppKey[Health] = web.AppKey("health", Health)


async def healthz(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok", **request.app[HEALTH].facts})


async def readyz(request: web.Request) -> web.Response:
    """200 while it can serve; `degraded` names what is away and not yet missed."""
    health = request.app[HEALTH]
    checks = await health.ready()
    ready = all(checks.values())
    answer = {"ready": ready, "checks": checks, "degraded": await health.degraded()}
    return web.json_response(answer, status=200 if ready else 503)


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
