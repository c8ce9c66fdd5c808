"""A real Chromium against our own ICE, DTLS and SRTP, with nothing between."""

from __future__ import annotations

import asyncio
import time

import pytest

from media.ice.hub import IceHub
from media.session import Session
from tests.integration.transport_peers import Echo, KeepingSink, chromium_page, until

pytestmark = pytest.mark.browser


async def test_a_page_connects_sees_its_echo_and_keeps_it_through_an_ice_restart() -> None:
    hub = await IceHub.open()
    async with chromium_page() as page:
        session = Session.create(hub=hub, peer="p", connection="c.1.1", on_offer=page.offers.put_nowait)
        sink = KeepingSink()
        echo = Echo(session)
        sink.on_packet = echo
        session.attach(sink)
        page.serve(session)
        try:
            started = time.monotonic()
            session.start()
            await until(lambda: sink.rtp_count > 20)
            assert time.monotonic() - started < 5
            assert sink.states == ["connected"]
            assert {packet[1] & 0x7F for packet in sink.rtp} <= {111, 96, 97}
            assert session.uplink["audio"].sending
            assert session.uplink["camera"].sending
            assert not session.uplink["screen"].sending

            await session.set_subscriptions([("echo", "audio"), ("echo", "camera")])
            await until(lambda: session.deliveries[("echo", "camera")].ready)
            echo.ask_keyframe()
            mid = session.deliveries[("echo", "camera")].mid
            await page.until_frames(mid, 10)
            pair = await page.pair()
            assert pair is not None
            assert pair["protocol"] == "udp"
            assert pair["srtp"] == "SRTP_AEAD_AES_256_GCM"
            stream = await page.page.evaluate(
                "(id) => document.getElementById(id).dataset.stream", f"mid{mid}"
            )
            assert stream == "echo:main"

            before = session.transport.agent.local.ufrag
            frames = await page.frames(mid)
            await session.restart_ice()
            await until(lambda: len(page.seen) >= 3 and page.seen[-1].ice_restart)
            await asyncio.sleep(1)
            assert session.transport.agent.local.ufrag != before
            await page.until_frames(mid, frames + 20)
            assert sink.states == ["connected"]
            # Chromium also pairs its new ports with our old candidates; nothing else may be refused.
            assert set(session.transport.agent.counters) <= {"remote_ufrag"}
        finally:
            await session.close()
            await hub.close()
