"""Redundant sound with real Chromium: sent up, on to who takes it, plain Opus to who does not, rebuilt and
recorded.

A page that is offered no redundancy stands for a browser that does not know it: unstripped it hears nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Any

import pytest

from media.codecs import OPUS_PT, RED_PT
from media.recordstore.index import Journal
from tests.integration.test_worker_chromium import Browser, browser_room, peer, until
from tests.integration.worker_process import WorkerProcess, plan, worker_process
from tests.support.impairment.profile import CLEAN, Loss, Profile
from tests.support.impairment.relay import Relay

pytestmark = pytest.mark.browser

LOSSY_UP = Profile(delay_ms=20, loss=Loss.independent(0.08), media_only=True)
FRAME = 960
HEARD = """async () => {
  const all = pc ? await pc.getStats() : new Map();
  return [...all.values()].filter((s) => s.type === 'inbound-rtp' && s.kind === 'audio')
    .map((s) => ({...s, codec: all.get(s.codecId)?.mimeType}));
}"""


def without_redundancy(sdp: str) -> str:
    """What a browser that does not know RED makes of an offer."""
    sdp = re.sub(rf"(m=audio \S+ \S+) {RED_PT} ", r"\1 ", sdp)
    return re.sub(rf"a=(rtpmap|fmtp):{RED_PT} [^\r\n]*\r\n", "", sdp)


class Mixed(Browser):
    """`old` is a page without redundancy."""

    async def _answer(self, event: dict[str, Any]) -> None:
        if event["peer"] == "old":
            event = {**event, "sdp": without_redundancy(event["sdp"])}
        await super()._answer(event)


async def heard(browser: Browser, name: str, count: int) -> list[dict[str, Any]] | None:
    """The sounds of the others at this page, once each has enough packets."""
    found: list[dict[str, Any]] = await browser.pages[name].evaluate(HEARD)
    flowing = [s for s in found if s.get("packetsReceived", 0) > 100]
    return flowing if len(flowing) == count else None


async def test_each_page_gets_sound_in_the_form_it_takes_and_losses_are_rebuilt() -> None:
    kinds = {"a": "sound", "b": "sound", "old": "sound"}
    async with worker_process() as worker, browser_room(worker, kinds, Mixed) as browser:
        line = Relay(worker.ready["udp_port"], LOSSY_UP, CLEAN, seed=5)
        browser.lines["a"] = await line.open()
        try:
            await worker.client.put_plan(
                plan(browser.room, 1, {name: peer(f"{name}.1.1") for name in kinds}, room_key=bytes(32))
            )
            for name in kinds:
                await until(lambda name=name: heard(browser, name, 2), 20, f"{name} does not hear both")
            made_up = 1.0
            for _ in range(3):  # a machine that stands still makes up some once; what is not taken, always
                made_up = min(made_up, await made_up_of(browser, kinds))
            assert made_up < 0.25
            metrics = await worker.client.metrics()
            assert line.stats()["up"].lost > 20
            assert metrics["packets_rebuilt"] > 15
            await worker.end()
            recorded(worker, browser)
        finally:
            await line.close()


async def made_up_of(browser: Browser, kinds: Iterable[str]) -> float:
    """The worst page's share in six seconds. A form that a page does not take is no sound to it: everything
    would be made up."""
    before = {name: await heard(browser, name, 2) for name in kinds}
    await asyncio.sleep(6)
    worst = 0.0
    for name in kinds:
        then, now = before[name], await heard(browser, name, 2)
        assert then is not None
        assert now is not None
        known = {sound["trackIdentifier"]: sound for sound in then}
        for sound in now:
            old = known[sound["trackIdentifier"]]
            played, made_up = (sound[key] - old[key] for key in ("totalSamplesReceived", "concealedSamples"))
            assert played > 200_000, name
            worst = max(worst, made_up / played)
    return worst


def recorded(worker: WorkerProcess, browser: Browser) -> None:
    """The journal has plain sound alone, and in place of what the line lost what was rebuilt."""
    keys = {name: bytes(32) for name in browser.pages}
    with Journal(worker.journal, browser.room, [1], keys, bytes(32)) as journal:
        found = {stream.peer: stream for stream in journal.survey(None).streams if stream.kind == "audio"}
        forms = {
            name: [(rtp, packet[1] & 0x7F) for _, rtp, _, packet in journal.packets(stream)]
            for name, stream in found.items()
        }
    assert {pt for form in forms.values() for _, pt in form} == {OPUS_PT}
    assert len(forms["b"]) > 200
    times = {rtp for rtp, _ in forms["a"]}
    whole = (max(times) - min(times)) // FRAME + 1
    assert whole - len(times) < whole * 0.02, "of 8 % lost"
