"""Two demos, each a web process with a media worker, that share a data directory and a real Redis."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from tests.support.demo import Demo, children
from tests.support.headless import HeadlessPage
from tests.support.redis_server import RedisServer, redis_server

ROLES = ("referring_physician", "consulting_physician")


class Instance(Demo):
    """A demo on another one's data."""

    def __init__(self, folder: Path, data: Path, env: Mapping[str, str]) -> None:
        super().__init__(folder, env)
        self.data = data

    def workers(self) -> list[int]:
        return [pid for pid, line in children(self.pid).items() if "media.worker" in line]

    def metric(self, name: str) -> float:
        """One number of /metrics; -1 when it is not there."""
        for line in self.get("/metrics")[1].decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
        return -1.0

    def labelled(self, name: str) -> float:
        """The one worker's number."""
        return self.metric(name + '{worker="0"}')

    def ready(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.get("/readyz")[1])
        return answer

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()


class Pair:
    """`one` and `other`, started in this order, and their Redis."""

    def __init__(self, folder: Path, redis: RedisServer, env: Mapping[str, str]) -> None:
        self.redis = redis
        shared = {
            "HYEOPJIN_REDIS_URL": redis.url,
            "HYEOPJIN_MEDIA_WORKERS": "1",
            "HYEOPJIN_LOG_LEVEL": "info",
            **env,
        }
        data = folder / "data"
        self.one = Instance(folder / "one", data, shared)
        self.other = Instance(folder / "other", data, shared)

    @property
    def instances(self) -> tuple[Instance, Instance]:
        return (self.one, self.other)


@contextmanager
def pair(folder: Path, env: Mapping[str, str] | None = None) -> Iterator[Pair]:
    """Both up for the length of a block."""
    with redis_server() as redis:
        both = Pair(folder, redis, env or {})
        try:
            for instance in both.instances:
                instance.start()
            yield both
        except BaseException as error:
            for instance in both.instances:
                error.add_note(f"{instance.folder.name}:\n{instance.tail(60)}")
            raise
        finally:
            for instance in both.instances:
                instance.end()


async def until(what: Callable[[], bool], said: str, seconds: float = 20.0) -> float:
    """Wait for a condition; how long it took, in seconds."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds, said
        await asyncio.sleep(0.05)
    return time.monotonic() - began


class Talk:
    """Two people in one room, each at an instance of their own, who send and hear without a pause."""

    def __init__(self, both: Pair) -> None:
        self.both = both
        self.pages = [
            HeadlessPage(demo, role, i)
            for i, (demo, role) in enumerate(zip(both.instances, ROLES, strict=True))
        ]
        seats = {page.seat: page.index for page in self.pages}
        for page in self.pages:
            page.sources = seats

    @property
    def room(self) -> dict[str, Any]:
        """The newest snapshot of anybody."""
        return max((s for page in self.pages for s in page.snapshots), key=lambda s: int(s["version"]))

    def person(self, index: int) -> dict[str, Any]:
        seat = self.pages[index].seat
        found: dict[str, Any] = next(p for p in self.room["participants"] if p["id"] == seat)
        return found

    async def moved(self, connects: list[int], seconds: float = 30.0) -> float:
        """Until everybody has had one more connection than so many; how long that took."""

        def all_new() -> bool:
            return all(len(p.connects) > n for p, n in zip(self.pages, connects, strict=True))

        return await until(all_new, "new connections", seconds)

    async def hears(self, *indices: int, seconds: float = 20.0) -> float:
        """Until each of them receives what it has not yet; how long that took."""
        before = {index: (self.pages[index].connection, self.pages[index].heard()) for index in indices}

        def more() -> bool:
            return all(
                self.pages[i].heard() > (count if self.pages[i].connection == connection else 0)
                for i, (connection, count) in before.items()
            )

        return await until(more, f"{indices} hear the other", seconds)


@asynccontextmanager
async def talk(both: Pair) -> AsyncIterator[Talk]:
    """Entered, heard and recorded."""
    made = Talk(both)
    try:
        for page in made.pages:
            await page.enter()
        await made.hears(0, 1, seconds=40)
        states = lambda: [page.lights[-1]["state"] if page.lights else "" for page in made.pages]  # noqa: E731
        await until(lambda: states() == ["recording"] * 2, "recorded")
        yield made
    finally:
        for page in made.pages:
            await page.close()
