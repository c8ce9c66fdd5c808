"""The playback rig with exports: asked for over HTTP, made by the real queue and composer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

from aiohttp import ClientSession, web

from server.export.exporting import Exporting
from server.runtime.bucket import Bucket
from server.runtime.finalising import Finalising, FinalisingOptions
from server.runtime.keystore import KeyStore
from server.runtime.objects import Objects
from server.services.exports import Exports, build_exports
from server.web.exports import EXPORTS
from tests.integration.playback_rig import PlaybackRig
from tests.support.demo import children
from tests.support.finalised import finalised
from tests.support.journals import RECORDING
from tests.support.recorded import Person

PATH = f"/api/recordings/{RECORDING}/exports"
LONG_S = 16.0
PLAIN = (b"ftypisom", b"lmvhd", b"B\x82\x84webm", b"\x89PNG\r\n\x1a\n", b"SHA256SUMS", b"OpusHead")


class ExportsRig(PlaybackRig):
    """Its people can be decoded. `somebody_in_a_room` is what the queue is told of the rooms."""

    kind = Person
    somebody_in_a_room = False

    async def open(self, data: Path, seconds: float = LONG_S, remote: Bucket | None = None) -> Self:
        self.data = data
        self.books = await finalised(data, seconds, self.kind)
        self.keys = await asyncio.to_thread(KeyStore.open, data)
        self.objects = Objects(data / "objects", remote=remote)
        options = FinalisingOptions(data / "journal", 0)
        self.queue = Finalising(self.books.rows, self.keys, self.objects, options)
        await self._serve()
        return self

    async def add_more(self, app: web.Application) -> None:
        context = self.services.context
        self.exports: Exports = build_exports(context, self.books.rows, self.keys, self.objects)
        app[EXPORTS] = self.exports
        self.exporting = await self.start_queue()

    async def start_queue(self) -> Exporting:
        async def busy() -> bool:
            return self.somebody_in_a_room

        queue = Exporting(self.services.context, self.exports, self.keys, busy, tries_wait_s=0)
        await queue.start()
        return queue

    async def close(self) -> None:
        await self.exporting.stop()
        await super().close()

    def left(self) -> list[Path]:
        """Files below the place of exports."""
        return [path for path in (self.data / "exports").rglob("*") if path.is_file()]

    def readable(self) -> list[str]:
        """Where below the data directory something of a film, a track or a picture can be read."""
        files = [path for path in self.data.rglob("*") if path.is_file() and "sqlite" not in path.name]
        return [str(path) for path in files if any(mark in path.read_bytes() for mark in PLAIN)]


async def ask(browser: ClientSession, **order: Any) -> dict[str, Any]:
    async with browser.post(PATH, json=order) as response:
        assert response.status == 201, await response.text()
        return dict(await response.json())


async def told(browser: ClientSession, export: str) -> dict[str, Any]:
    async with browser.get(PATH) as response:
        assert response.status == 200
        return next(row for row in (await response.json())["exports"] if row["id"] == export)


async def until(check: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110 - what is waited for is another process's
            await asyncio.sleep(0.05)


async def in_work(browser: ClientSession, export: str) -> int:
    """Waits until the composer is at it; its process."""

    async def working() -> bool:
        return bool((await told(browser, export))["progress"])

    await until(working)
    (pid,) = [pid for pid, line in children(os.getpid()).items() if "media.composer" in line]
    return pid


async def refusal(browser: ClientSession, path: str) -> tuple[int, str]:
    async with browser.get(path) as response:
        return response.status, (await response.json())["error"]["code"]
