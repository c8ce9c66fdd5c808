"""The wire over a real aiohttp server on loopback, with real socket.io clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import socketio
from aiohttp import web

from signaling.hub import Hub
from signaling.namespace import NAMESPACE, attach
from signaling.store import MemoryRoomStore
from tests.support.rooms import (
    REFERRING,
    Books,
    Door,
    HandClock,
    MediaPlane,
    settled,
)

Connect = Callable[..., Awaitable["Page"]]


@dataclass
class Page:
    """One page's socket."""

    client: Any
    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refusal: Any = None

    def of(self, event: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.got if name == event]

    async def ask(self, event: str, data: object) -> dict[str, Any]:
        answer: dict[str, Any] = await self.client.call(event, data, namespace=NAMESPACE, timeout=5)
        return answer


@dataclass
class Site:
    """A running server and what is behind it."""

    url: str
    hub: Hub
    books: Books
    media: MediaPlane
    door: Door
    clock: HandClock
    connect: Connect


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    books, media, door, clock = Books(), MediaPlane(), Door(), HandClock()
    hub = Hub(
        store=MemoryRoomStore(),
        directory=books,
        media=media,
        gate=door,
        now_ms=clock,
        tick_s=0.05,
        recheck_s=0.1,
    )
    app = web.Application()
    runner = web.AppRunner(app)
    sock = web.TCPSite
    attach(app, hub, door, "http://127.0.0.1:1")  # pages name this origin; the port they reach is another
    await runner.setup()
    tcp = sock(runner, "127.0.0.1", 0)
    await tcp.start()
    port = runner.addresses[0][1]
    url = f"http://127.0.0.1:{port}"
    await hub.start()
    pages: list[Page] = []

    async def connect(
        seat: str = REFERRING,
        *,
        cookie: str | None = None,
        origin: str | None = "http://127.0.0.1:1",
        auth: object = None,
        transports: list[str] | None = None,
    ) -> Page:
        client = socketio.AsyncClient(reconnection=False)
        page = Page(client)
        pages.append(page)
        for event in ("snapshot", "offer", "recording", "closed"):
            client.on(event, lambda data, name=event: page.got.append((name, data)), namespace=NAMESPACE)
        client.on("connect_error", lambda data=None: setattr(page, "refusal", data), namespace=NAMESPACE)
        headers = {"Cookie": cookie if cookie is not None else f"seat-{seat}=credential-{seat}"}
        if origin is not None:
            headers["Origin"] = origin
        await client.connect(
            url,
            headers=headers,
            auth={"seat": seat} if auth is None else auth,
            namespaces=[NAMESPACE],
            transports=transports or ["websocket"],
            wait_timeout=3,
        )
        return page

    yield Site(url, hub, books, media, door, clock, connect)
    for page in pages:
        await page.client.disconnect()
    await hub.aclose()
    await runner.cleanup()


async def test_a_page_joins_gets_its_offer_answers_and_leaves(site: Site) -> None:
    page = await site.connect()
    joined = await page.ask("join", {"mic": True, "camera": False, "resume": None})
    assert joined["ok"] is True
    assert joined["snapshot"]["you"]["participant"] == REFERRING
    await settled(lambda: site.media.connections)
    plan = site.media.plans[-1]
    site.hub.media_event(
        {
            "ev": "offer",
            "room": plan.room,
            "epoch": plan.epoch,
            "peer": REFERRING,
            "connection": plan.peers[REFERRING].connection,
            "offer_id": "o1",
            "sdp": "v=0",
            "ice_restart": False,
            "tracks": [],
        }
    )
    await settled(lambda: page.of("offer"))
    offer = page.of("offer")[0]
    assert offer["sdp"] == "v=0"
    answer = {"connection": offer["connection"], "offer_id": "o1", "sdp": "v=0 answer"}
    assert await page.ask("answer", answer) == {"ok": True}
    await settled(lambda: site.media.answers)
    await settled(lambda: page.of("recording"))
    assert await page.ask("leave", {}) == {"ok": True}
    await settled(lambda: not site.media.connections)
