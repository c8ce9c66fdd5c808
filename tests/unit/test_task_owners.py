"""Owners of tasks end them, also those in which a library has swallowed the first cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import ModuleType

import pytest

import media.tasks
import server.runtime.tasks
import signaling.tasks


async def deaf(heard: list[int]) -> None:
    """As redis-py is when it is cancelled while its own time is up."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            heard.append(1)
            if len(heard) == 2:
                raise


def of_signaling(heard: list[int]) -> Callable[[], Awaitable[None]]:
    owner = signaling.tasks.TaskOwner()
    owner.start(deaf(heard), "deaf")
    return owner.aclose


def of_a_library(heard: list[int]) -> Callable[[], Awaitable[None]]:
    """The task in which socket.io listens to Redis (`signaling/namespace.py`)."""
    task = asyncio.get_running_loop().create_task(deaf(heard))
    return lambda: signaling.tasks.end([task])


def of_media(heard: list[int]) -> Callable[[], Awaitable[None]]:
    owner = media.tasks.TaskOwner("test")
    owner.start(deaf(heard))
    return owner.close


def of_server(heard: list[int]) -> Callable[[], Awaitable[None]]:
    owner = server.runtime.tasks.TaskOwner("test")
    owner.spawn(deaf(heard), "deaf")
    return owner.close


@pytest.mark.parametrize(
    ("made", "module"),
    [
        (of_signaling, signaling.tasks),
        (of_a_library, signaling.tasks),
        (of_media, media.tasks),
        (of_server, signaling.tasks),
    ],
    ids=["signaling", "library", "media", "server"],
)
async def test_who_swallowed_the_first_cancellation_is_cancelled_again(
    made: Callable[[list[int]], Callable[[], Awaitable[None]]],
    module: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CANCEL_AGAIN_S", 0.01)
    heard: list[int] = []
    close = made(heard)
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await close()
    assert len(heard) == 2
