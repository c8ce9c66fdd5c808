"""What one instance emits reaches the others from its start, and holds nobody up without Redis."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from redis.asyncio import Redis

from signaling.hub import Hub
from signaling.namespace import NAMESPACE, attach
from signaling.store import MemoryRoomStore
from tests.support.redis_server import RedisServer, redis_server
from tests.support.rooms import Books, Door, MediaPlane, settled


class Instance:
    """A web server with rooms and no page."""

    def __init__(self, url: str, channel: str) -> None:
        self.hub = Hub(
            store=MemoryRoomStore(), directory=Books(), media=MediaPlane(), gate=Door(), instance="one"
        )
        app = web.Application()
        self.server: Any = attach(app, self.hub, Door(), "http://localhost", url, channel)
        self.runner = web.AppRunner(app)

    async def stop(self) -> None:
        await self.hub.aclose()
        await self.runner.cleanup()


@pytest.fixture
async def own() -> AsyncIterator[tuple[RedisServer, Instance, str]]:
    channel = secrets.token_hex(4)
    with redis_server() as redis:
        instance = Instance(redis.url, channel)
        await instance.runner.setup()
        await settled(lambda: instance.server.manager.redis is not None)
        yield redis, instance, channel
        await instance.stop()


async def test_an_instance_without_a_page_of_its_own_is_heard(own: tuple[RedisServer, Instance, str]) -> None:
    redis, instance, channel = own
    listener = Redis.from_url(redis.url)
    pubsub = listener.pubsub(ignore_subscribe_messages=True)
    await pubsub.subscribe(channel)
    await instance.hub._outbox.send("other/sid", "snapshot", {"version": 1})
    async with asyncio.timeout(5):
        while (message := await pubsub.get_message(timeout=1)) is None:
            continue
    told = json.loads(message["data"])
    assert (told["event"], told["room"], told["namespace"]) == ("snapshot", "sid", NAMESPACE)
    await instance.hub._outbox.send("one/sid", "snapshot", {"version": 2})
    assert await pubsub.get_message(timeout=0.3) is None, "what is for our own pages stays here"
    await pubsub.aclose()
    await listener.aclose()


async def test_without_redis_an_emit_is_lost_and_nobody_waits_or_hears_an_error(
    own: tuple[RedisServer, Instance, str],
) -> None:
    redis, instance, _ = own
    redis.kill()
    began = time.monotonic()
    for _ in range(50):
        await instance.hub._outbox.send("other/sid", "snapshot", {"version": 1})
        await instance.hub._outbox.close("other/sid", "replaced")
    assert time.monotonic() - began < 5
