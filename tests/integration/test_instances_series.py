"""A consultation over two instances in which something is lost every few seconds, by a seed."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.support import decode
from tests.support.instances import Instance, Pair, Talk, pair, talk, until

pytestmark = pytest.mark.long

SEED, LOSSES = 4, 10
BACK_S = 15.0
"""Ten seconds are promised, on a machine that does nothing else."""


class Losses:
    """What may be lost; each returns when it is made good, and says for how long media was away (s)."""

    def __init__(self, both: Pair, room: Talk, random_: random.Random) -> None:
        self.both, self.room, self._random = both, room, random_

    def host(self) -> Instance:
        return next(one for one in self.both.instances if one.labelled("hyeopjin_worker_rooms") >= 1)

    async def _again(self, began: float, connects: list[int]) -> float:
        await self.room.moved(connects)
        await self.room.hears(0, 1)
        return time.monotonic() - began

    async def worker(self) -> float:
        connects, [pid] = [len(page.connects) for page in self.room.pages], self.host().workers()
        began = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        return await self._again(began, connects)

    async def sleeper(self) -> float:
        host = self.host()
        connects, [pid] = [len(page.connects) for page in self.room.pages], host.workers()
        began = time.monotonic()
        os.kill(pid, signal.SIGSTOP)
        took = await self._again(began, connects)
        os.kill(pid, signal.SIGCONT)
        await until(lambda: host.labelled("hyeopjin_worker_fence_shuts") >= 1, "it woke up fenced", 30)
        await until(lambda: host.labelled("hyeopjin_worker_rooms") == 0, "and was emptied", 30)
        return took

    async def redis(self) -> float:
        self.both.redis.kill()
        began = time.monotonic()
        await self.room.hears(0, 1, seconds=5)
        took = time.monotonic() - began
        await asyncio.sleep(self._random.uniform(0, 8))
        await self.room.hears(0, 1, seconds=5)
        self.both.redis.start()
        await until(lambda: all(one.ready()["ready"] for one in self.both.instances), "ready again", 30)
        return took

    async def instance(self) -> float:
        victim = self._random.choice(self.both.instances)
        left = next(one for one in self.both.instances if one is not victim)
        connects = [len(page.connects) for page in self.room.pages]
        had = victim.labelled("hyeopjin_worker_rooms") >= 1
        began = time.monotonic()
        victim.kill()
        for page in self.room.pages:
            if page.demo is victim:
                page.demo = left
                connects[page.index] = len(page.connects) if had else -1
        took = await self._again(began, connects if had else [-1, -1])
        await until(lambda: all(page.seated for page in self.room.pages), "everybody is in", 30)
        await asyncio.to_thread(victim.start)
        return took


async def test_ten_losses_by_a_seed(tmp_path: Path, output: Path) -> None:
    chosen = random.Random(SEED)
    kinds = ["worker", "sleeper", "redis", "instance"]
    order = [*kinds, *chosen.choices(kinds, k=LOSSES - len(kinds))]
    chosen.shuffle(order)
    told: list[tuple[str, float]] = []
    with pair(tmp_path) as both:
        async with talk(both) as room:
            losses = Losses(both, room, chosen)
            for kind in order:
                took = await getattr(losses, kind)()
                told.append((kind, round(took, 1)))
                assert took < BACK_S, (kind, told)
                for one in both.instances:  # one loss at a time: all there is to fall back on is there again
                    await until(lambda one=one: one.metric("hyeopjin_cluster_workers") == 2, "all again", 30)  # type: ignore[misc]
                present = [person for person in room.room["participants"] if person["present"]]
                assert len(present) == 2, (told, present)
                await asyncio.sleep(chosen.uniform(1, 3))
            epochs = int(room.pages[0].connection.split(".")[1])
            for page in room.pages:
                await page.leave()
        await whole(both.one, epochs)
    moved = sum(kind in ("worker", "sleeper") for kind in order)
    assert moved < epochs <= moved + order.count("instance") + 1, (told, epochs)
    (output / "instances-series.json").write_text(
        json.dumps({"seed": SEED, "losses": told, "epochs": epochs})
    )


async def whole(instance: Instance, epochs: int) -> None:
    """One recording with every epoch in it, and nothing in it that was changed."""
    async with asyncio.timeout(90):
        while True:
            [row] = await asyncio.to_thread(instance.command, "recordings", "list")
            if row["state"] == "ready" and row["epochs_finalised"] == epochs:
                break
            await asyncio.sleep(0.5)
    [recording] = decode.recordings(instance.data)
    report = await asyncio.to_thread(instance.command, "recordings", "verify", recording)
    assert report["chain"] == "intact", report
