"""Two pages of real Chromium through a real worker process: media flows, quality rises, losses heal."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from media.control import PeerPlan
from tests.integration.worker_process import WorkerProcess, plan, worker_process
from tests.support.impairment import candidates
from tests.support.impairment.profile import Loss, Profile
from tests.support.impairment.relay import Relay

pytestmark = pytest.mark.browser

CHROMIUM = "/usr/bin/chromium"
LOSSY = Profile(delay_ms=30, loss=Loss.independent(0.04))
ARGS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
]
PAGE = """<!doctype html><title>t</title><body><script>
let pc = null, local = null;
async function open_media(kind) {
  const real = await navigator.mediaDevices.getUserMedia({audio: true, video: kind === 'camera'});
  if (kind !== 'noise') { local = real; return; }
  const canvas = document.createElement('canvas');
  canvas.width = 1280; canvas.height = 720;
  const ctx = canvas.getContext('2d');
  const tile = ctx.createImageData(1280, 720);
  const words = new Uint32Array(tile.data.buffer);
  setInterval(() => {
    let seed = Math.random() * 4294967296 >>> 0;
    for (let i = 0; i < words.length; i++) {
      seed = seed * 1664525 + 1013904223 >>> 0; words[i] = seed | 0xff000000;
    }
    ctx.putImageData(tile, 0, 0);
  }, 100);
  local = new MediaStream([...real.getAudioTracks(), ...canvas.captureStream(10).getVideoTracks()]);
}
async function take_offer(sdp, fresh) {
  if (!pc || fresh) {
    if (pc) pc.close();
    pc = new RTCPeerConnection();
    pc.ontrack = e => {
      const video = document.createElement('video');
      video.muted = true; video.autoplay = true; video.srcObject = new MediaStream([e.track]);
      video.dataset.kind = e.track.kind; document.body.append(video);
    };
  }
  await pc.setRemoteDescription({type: 'offer', sdp});
  for (const tr of pc.getTransceivers()) {
    const track = {'0': local.getAudioTracks()[0], '1': local.getVideoTracks()[0]}[tr.mid];
    if (track && tr.sender.track !== track) {
      await tr.sender.replaceTrack(track); tr.direction = 'sendonly';
    }
  }
  await pc.setLocalDescription(await pc.createAnswer());
  return pc.localDescription.sdp;
}
async function lift_cap() {
  const sender = pc.getTransceivers().find(tr => tr.mid === '1').sender;
  const parameters = sender.getParameters();
  parameters.encodings.at(-1).maxBitrate = 5000000;
  await sender.setParameters(parameters);
}
async function stats() {
  const out = {inbound: [], outbound: [], pair: null, remote: [], reports: []};
  if (!pc) return out;
  const all = await pc.getStats();
  for (const s of all.values()) {
    if (s.type === 'inbound-rtp') out.inbound.push(s);
    if (s.type === 'outbound-rtp') out.outbound.push(s);
    if (s.type === 'remote-inbound-rtp') out.remote.push(s);
    if (s.type === 'remote-outbound-rtp') out.reports.push(s);
    if (s.type === 'transport') out.pair = all.get(s.selectedCandidatePairId) || null;
  }
  return out;
}
</script></body>"""


class Browser:
    """Pages by peer; answers every offer of the worker as a room page would."""

    def __init__(self, worker: WorkerProcess, room: str, pages: dict[str, Page]) -> None:
        self.worker = worker
        self.room = room
        self.pages = pages
        self.connections: dict[str, str] = {}
        self.lines: dict[str, Relay] = {}
        self.done = 0

    async def answer_offers(self) -> None:
        while True:
            await asyncio.sleep(0.05)
            while self.done < len(self.worker.events):
                event = self.worker.events[self.done]
                self.done += 1
                if event["ev"] == "offer" and event["room"] == self.room:
                    await self._answer(event)

    async def _answer(self, event: dict[str, Any]) -> None:
        peer, connection = event["peer"], event["connection"]
        fresh = self.connections.get(peer) != connection
        self.connections[peer] = connection
        line = self.lines.get(peer)
        offer = event["sdp"] if line is None else candidates.through(event["sdp"], line.port, tcp=False)
        sdp = await self.pages[peer].evaluate("([sdp, fresh]) => take_offer(sdp, fresh)", [offer, fresh])
        await self.worker.client.answer(self.room, peer, connection, event["offer_id"], sdp)

    async def stats(self, peer: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.pages[peer].evaluate("() => stats()")
        return found


@asynccontextmanager
async def browser_room(
    worker: WorkerProcess, kinds: dict[str, str], made: type[Browser] = Browser
) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGS)
        context = await chromium.new_context(permissions=["camera", "microphone"])

        pages = {}
        for peer, kind in kinds.items():
            page = await context.new_page()
            await page.route("**/*", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
            await page.goto("http://localhost:9/")
            await page.evaluate("kind => open_media(kind)", kind)
            pages[peer] = page
        browser = made(worker, secrets.token_urlsafe(12), pages)
        async with asyncio.TaskGroup() as group:
            answering = group.create_task(browser.answer_offers())
            yield browser
            answering.cancel()
        await chromium.close()


def peer(connection: str, **more: Any) -> PeerPlan:
    return PeerPlan(connection, grant="grant1", key=bytes(32), **more)


def decoded(stats: dict[str, Any]) -> int:
    return min((s.get("framesDecoded", 0) for s in stats["inbound"] if s["kind"] == "video"), default=0)


async def until(check: Any, timeout: float, what: str) -> Any:
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout
    while True:
        value = await check()
        if value:
            return value
        assert loop.time() < end, what
        await asyncio.sleep(0.25)


async def test_two_pages_see_and_hear_each_other_and_come_back_after_a_new_connection() -> None:
    async with worker_process() as worker, browser_room(worker, {"a": "camera", "b": "camera"}) as browser:
        peers = {"a": peer("a.1.1"), "b": peer("b.1.1")}
        await worker.client.put_plan(plan(browser.room, 1, peers, room_key=bytes(32)))

        async def both_see() -> bool:
            return all([decoded(await browser.stats(name)) > 20 for name in "ab"])

        await until(both_see, 20, "no picture on one side")
        await asyncio.sleep(2)
        stored = worker.last("stored")
        assert stored is not None
        assert stored["stored_until_ms"]
        assert stored["degraded"] == []
        for name in "ab":
            stats = await browser.stats(name)
            audio = next(s for s in stats["inbound"] if s["kind"] == "audio")
            assert audio["packetsReceived"] > 50
            assert audio["packetsLost"] == 0
            assert stats["remote"], "no receiver report came"
            assert len(stats["reports"]) == 2, "no sender report came for sound or picture"

        async def in_step() -> bool:
            """Both pages know how their sound and picture lie in time, and play them together."""
            found = []
            for name in "ab":
                inbound = (await browser.stats(name))["inbound"]
                stamps = [s.get("estimatedPlayoutTimestamp") for s in inbound]
                found.append(len(stamps) == 2 and None not in stamps and abs(stamps[0] - stamps[1]) < 500)
            return all(found)

        await until(in_step, 10, "sound and picture are not in step")
        peers["b"] = peer("b.1.2")
        await worker.client.put_plan(plan(browser.room, 2, peers, room_key=bytes(32)))
        before = decoded(await browser.stats("a"))

        async def back() -> bool:
            b_sees = decoded(await browser.stats("b")) > 20
            return b_sees and decoded(await browser.stats("a")) > before + 20

        await until(back, 20, "the second connection brought no picture")
        metrics = await worker.client.metrics()
        assert metrics["packets_unknown"] < 50
        assert metrics["downlink_lowest_bps"] > 0
        assert await worker.end() < 2
        assert worker.last("closed") is not None


async def test_a_noisy_picture_is_sent_with_a_megabit_and_more() -> None:
    async with worker_process() as worker, browser_room(worker, {"a": "noise", "b": "sound"}) as browser:
        await worker.client.put_plan(plan(browser.room, 1, {"a": peer("a.1.1"), "b": peer("b.1.1")}))

        async def seen() -> bool:
            return decoded(await browser.stats("b")) > 2

        await until(seen, 20, "no picture")
        await browser.pages["a"].evaluate("() => lift_cap()")

        async def available() -> float:
            pair = (await browser.stats("a"))["pair"] or {}
            rate = pair.get("availableOutgoingBitrate", 0)
            return rate if rate >= 1_500_000 else 0

        await until(available, 20, "the estimate stays low")

        def sent(stats: dict[str, Any]) -> int:
            return sum(s["bytesSent"] for s in stats["outbound"] if s["kind"] == "video")

        async def carried() -> bool:
            first = sent(await browser.stats("a"))
            await asyncio.sleep(3)
            return (sent(await browser.stats("a")) - first) * 8 / 3 >= 1_000_000

        await until(carried, 30, "the picture stays thin")

        async def believed() -> bool:
            """What the receiver believes its downlink carries (REMB)."""
            return (await worker.client.metrics())["downlink_lowest_bps"] >= 1_000_000

        await until(believed, 20, "the receiver underestimates its downlink")


@pytest.mark.long
async def test_loss_on_the_line_of_both_pages_costs_neither_picture_nor_sound() -> None:
    async with worker_process() as worker, browser_room(worker, {"a": "camera", "b": "camera"}) as browser:
        for number, name in enumerate("ab"):
            line = Relay(worker.ready["udp_port"], LOSSY, seed=number)
            browser.lines[name] = await line.open()
        try:
            await worker.client.put_plan(plan(browser.room, 1, {"a": peer("a.1.1"), "b": peer("b.1.1")}))

            async def both_see() -> bool:
                return all([decoded(await browser.stats(name)) > 20 for name in "ab"])

            await until(both_see, 20, "no picture through the lossy line")
            before = {name: await inbound(browser, name) for name in "ab"}
            await asyncio.sleep(10)
            for name in "ab":
                after = await inbound(browser, name)
                picture, sound = (
                    {key: after[kind].get(key, 0) - before[name][kind].get(key, 0) for key in GROWING}
                    for kind in ("video", "audio")
                )
                assert picture["framesDecoded"] > 80, picture
                assert picture["retransmittedPacketsReceived"] > 0, picture
                assert picture["totalFreezesDuration"] < 2, picture
                concealed = sound["concealedSamples"] - sound["silentConcealedSamples"]
                assert concealed < sound["totalSamplesReceived"] * 0.04, sound
            assert all(one.lost > 10 for line in browser.lines.values() for one in line.stats().values())
            metrics = await worker.client.metrics()
            assert metrics["packets_recovered"] > 5
            assert metrics["packets_resent"] > 10
        finally:
            for line in browser.lines.values():
                await line.close()


GROWING = (
    "framesDecoded",
    "retransmittedPacketsReceived",
    "totalFreezesDuration",
    "concealedSamples",
    "silentConcealedSamples",
    "totalSamplesReceived",
)


async def inbound(browser: Browser, name: str) -> dict[str, dict[str, Any]]:
    return {s["kind"]: s for s in (await browser.stats(name))["inbound"]}
