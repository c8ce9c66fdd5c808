"""Two real browsers, one of them far: behind a line that is changed from row to row, nothing is restarted.

Both run the room page's own media link against a real media worker that records. It measures and judges
nothing: what was played and what getStats grew by is handed on.
"""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp import web
from playwright.async_api import Browser, Page, Playwright, async_playwright

from media.control import PeerPlan
from server.runtime.machinery import WORKER
from tests.integration.worker_process import WorkerProcess, plan, worker_process
from tests.support.browsers import CHROMIUM, DEVICE_FLAGS, NETWORK_FLAGS, QUIET_FLAGS
from tests.support.firefox import CHANNEL, FIREFOX, MEETING_PREFS
from tests.support.impairment import candidates
from tests.support.impairment.profile import CLEAN, Profile
from tests.support.impairment.relay import Relay
from tests.support.matrix.camera import write_moving
from tests.support.matrix.speech import Sound, speech, write
from tests.support.sound_sink import SoundSink

TOP = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("page.js")
LOG_LEVEL = os.environ.get("HYEOPJIN_LOG_LEVEL", "WARNING").upper()
SPEECH_S = 15.0
FAR, NEAR = "far", "near"
PITCH_HZ = {FAR: 115.0, NEAR: 190.0}
PAGE = (
    '<!doctype html><meta charset="utf-8"><title>line</title><body>'
    '<script type="module" src="/rig.js"></script></body>'
)


@dataclass(frozen=True)
class Half:
    """What one end received of the other: getStats' growth, the longest freeze (s), the picture's lines, the
    samples played."""

    seconds: float
    audio: dict[str, float]
    video: dict[str, float]
    longest: float
    height: int
    played: np.ndarray[Any, np.dtype[np.int16]]


class Rig:
    """Use `rig()`. `said` is what each end's microphone hears, over and over."""

    def __init__(
        self,
        worker: WorkerProcess,
        line: Relay,
        pages: dict[str, Page],
        said: dict[str, Sound],
        made: Collection[str] = (),
    ) -> None:
        self.worker = worker
        self.line = line
        self.pages = pages
        self.said = said
        self.room = secrets.token_urlsafe(12)
        self._made = made
        self._done = 0

    async def answer_offers(self) -> None:
        """Runs beside everything else."""
        while True:
            await asyncio.sleep(0.05)
            while self._done < len(self.worker.events):
                event = self.worker.events[self._done]
                self._done += 1
                if event["ev"] == "offer" and event["room"] == self.room:
                    await self._answer(event)

    async def _answer(self, event: dict[str, Any]) -> None:
        peer = event["peer"]
        if peer == FAR:
            event = {**event, "sdp": candidates.through(event["sdp"], self.line.port, tcp=False)}
        offer = {key: event[key] for key in ("connection", "offer_id", "sdp", "tracks")}
        sdp = await self.pages[peer].evaluate("offer => rig.take(offer)", offer)
        await self.worker.client.answer(self.room, peer, event["connection"], event["offer_id"], sdp)

    async def connect(self) -> None:
        """Both see and hear each other."""
        peers = {name: PeerPlan(f"{name}.1.1", grant="grant1", key=bytes(32)) for name in (FAR, NEAR)}
        await self.worker.client.put_plan(plan(self.room, 1, peers, room_key=bytes(32)))
        for page in self.pages.values():
            await page.wait_for_function("async () => await rig.flows() > 30", timeout=40_000, polling=250)

    async def meet_again(self, profile: Profile, seed: int) -> None:
        """New pages in a new room, over a line like `profile`."""
        await self.worker.client.put_plan(plan(self.room, 2, {}, closed=True))
        self.room = secrets.token_urlsafe(12)
        self.line.reseed(seed)
        self.line.change(profile)
        for name, page in self.pages.items():
            await page.reload()
            await ready(page, made=name in self._made)
        await self.connect()

    async def settle(self, profile: Profile, seed: int, seconds: float) -> None:
        """The line becomes `profile` both ways, and has been so for a while."""
        self.line.reseed(seed)
        self.line.change(profile)
        await asyncio.sleep(seconds)

    async def measure(self, seconds: float) -> dict[str, Half]:
        """Everything for so long."""
        await asyncio.gather(*(page.evaluate("() => rig.begin()") for page in self.pages.values()))
        await asyncio.sleep(seconds)
        told = await asyncio.gather(*(page.evaluate("() => rig.end()") for page in self.pages.values()))
        return {name: half(one) for name, one in zip(self.pages, told, strict=True)}

    async def states(self) -> dict[str, str]:
        return {name: await page.evaluate("() => rig.state()") for name, page in self.pages.items()}


def half(told: dict[str, Any]) -> Half:
    played = np.frombuffer(base64.b64decode(told["played"]), dtype="<i2")
    return Half(told["seconds"], told["audio"], told["video"], told["longest"], told["height"], played)


async def site(folder: Path) -> tuple[web.AppRunner, str]:
    """The page, the rig's script, what is said, and the product's own room scripts."""

    async def page(request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def script(request: web.Request) -> web.FileResponse:
        return web.FileResponse(SCRIPT)

    async def said(request: web.Request) -> web.FileResponse:
        return web.FileResponse(folder / f"{FAR}.wav")

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/rig.js", script)
    app.router.add_get("/said.wav", said)
    app.router.add_static("/js/room", TOP / "static" / "js" / "room")
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://localhost:{runner.addresses[0][1]}/"


async def chromium(playwright: Playwright, folder: Path, name: str) -> Browser:
    camera = write_moving(folder / f"{name}.y4m", len(name))
    flags = [
        *DEVICE_FLAGS,
        *QUIET_FLAGS,
        *NETWORK_FLAGS,
        f"--use-file-for-fake-video-capture={camera}",
        f"--use-file-for-fake-audio-capture={folder / name}.wav",
    ]
    return await playwright.chromium.launch(executable_path=CHROMIUM, args=flags)


async def firefox(playwright: Playwright, sink: SoundSink) -> Browser:
    """It has no files for devices: its page makes them."""
    return await playwright.firefox.launch(
        channel=CHANNEL,
        executable_path=FIREFOX,
        firefox_user_prefs=MEETING_PREFS,
        env={**os.environ, **sink.env},
    )


async def open_page(browser: Browser, address: str, *, made: bool) -> Page:
    context = await browser.new_context(**({} if made else {"permissions": ["camera", "microphone"]}))
    page = await context.new_page()
    await page.goto(address)
    await ready(page, made=made)
    return page


async def ready(page: Page, *, made: bool) -> None:
    await page.wait_for_function("!!window.rig")
    await page.evaluate("made => rig.open(made)", made)


@asynccontextmanager
async def rig(
    seed: int, command: tuple[str, ...] = WORKER, *, first: Profile = CLEAN, fox: bool = False
) -> AsyncIterator[Rig]:
    """A rig, connected over a line like `first`; `command` starts the media worker. `fox`: the far one is
    Firefox."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hyeopjin-matrix-")))
        said = {name: speech(SPEECH_S, seed + n, PITCH_HZ[name]) for n, name in enumerate((FAR, NEAR))}
        for name, sound in said.items():
            write(folder / f"{name}.wav", sound)
        worker = await stack.enter_async_context(worker_process(command=command, log_level=LOG_LEVEL))
        line = await stack.enter_async_context(Relay(worker.ready["udp_port"], first, seed=seed))
        runner, address = await site(folder)
        stack.push_async_callback(runner.cleanup)
        sink = stack.enter_context(SoundSink()) if fox else None
        playwright = await stack.enter_async_context(async_playwright())
        pages = {}
        for name in (FAR, NEAR):
            made = sink if name == FAR else None
            browser = await (firefox(playwright, made) if made else chromium(playwright, folder, name))
            stack.push_async_callback(browser.close)
            pages[name] = await open_page(browser, address, made=made is not None)
        connected = Rig(worker, line, pages, said, {FAR} if fox else ())
        async with asyncio.TaskGroup() as group:
            answering = group.create_task(connected.answer_offers())
            await connected.connect()
            yield connected
            answering.cancel()
