"""Events of a worker on their way to the rooms: in order, bounded, the oldest dropped and counted."""

from __future__ import annotations

import asyncio

from server.runtime.media_link import Waiting


async def test_events_come_out_in_their_order_and_are_done_when_the_next_is_asked_for() -> None:
    waiting = Waiting()
    assert waiting.done.is_set()
    waiting.put({"ev": "a"})
    waiting.put({"ev": "b"})
    assert not waiting.done.is_set()
    assert [(await waiting.get())["ev"] for _ in range(2)] == ["a", "b"]
    assert not waiting.done.is_set(), "the last one is still being handled"
    again = asyncio.get_running_loop().create_task(waiting.get())
    await asyncio.wait_for(waiting.done.wait(), 20)
    waiting.put({"ev": "c"})
    assert (await again)["ev"] == "c"


async def test_a_full_queue_drops_the_oldest_and_counts_it() -> None:
    waiting = Waiting(limit=3)
    for number in range(5):
        waiting.put({"ev": number})
    assert waiting.dropped == 2
    assert len(waiting) == 3
    assert [(await waiting.get())["ev"] for _ in range(3)] == [2, 3, 4]
