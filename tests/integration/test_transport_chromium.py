"""A real Chromium against our own ICE, DTLS and SRTP, with nothing between."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

import pytest

from media.codecs import OPUS_PT, RED_PT, RTX_PT, VP8_PT
from media.ice.hub import IceHub
from media.session import Session
from tests.integration.transport_peers import (
    CHROMIUM_FLAGS,
    STRANGER_FLAGS,
    Echo,
    KeepingSink,
    Nat,
    Page_,
    chromium_page,
    until,
)

pytestmark = pytest.mark.browser


class Joined:
    """A page and its session on a hub of their own."""

    def __init__(self, hub: IceHub, page: Page_) -> None:
        self.hub, self.page = hub, page
        self.session = Session.create(hub=hub, peer="p", connection="c.1.1", on_offer=page.offers.put_nowait)
        self.sink = KeepingSink()
        self.echo = Echo(self.session)
        self.sink.on_packet = self.echo
        self.session.attach(self.sink)
        page.serve(self.session)

    async def see_echo(self) -> str:
        """Subscribe to the echo and wait until it is rendered; its mid."""
        await self.session.set_subscriptions([("echo", "audio"), ("echo", "camera")])
        await until(lambda: self.session.deliveries[("echo", "camera")].ready)
        mid = self.session.deliveries[("echo", "camera")].mid
        before = await self.page.frames(mid)
        self.echo.ask_keyframe()
        await self.page.until_frames(mid, before + 10)
        return mid


@contextlib.asynccontextmanager
async def joined(flags: list[str] = CHROMIUM_FLAGS) -> AsyncIterator[Joined]:
    hub = await IceHub.open()
    try:
        async with chromium_page(flags) as page:
            made = Joined(hub, page)
            try:
                yield made
            finally:
                await made.session.close()
    finally:
        await hub.close()
    assert hub.counters["handler_failed"] == 0


async def test_a_page_connects_sees_its_echo_and_keeps_it_through_an_ice_restart() -> None:
    async with joined() as room:
        session, sink, page = room.session, room.sink, room.page
        session.start()
        await until(lambda: sink.rtp_count > 20)
        assert sink.states == ["connected"]
        assert {packet[1] & 0x7F for packet in sink.rtp} <= {OPUS_PT, RED_PT, VP8_PT, RTX_PT}
        assert [uplink.sending for uplink in session.uplink.values()] == [True, True, False, False]
        assert all(rtx for rtx in session.uplink["camera"].ssrcs.values())

        mid = await room.see_echo()
        pair = await page.pair()
        assert pair is not None
        assert pair["protocol"] == "udp"
        assert pair["srtp"] == "SRTP_AEAD_AES_256_GCM"
        stream = await page.page.evaluate("(id) => document.getElementById(id).dataset.stream", f"mid{mid}")
        assert stream == "echo:main"

        for _ in range(3):
            before = session.transport.agent.local.ufrag
            frames = await page.frames(mid)
            offers = len(page.seen)
            await session.restart_ice()
            await until(lambda seen=offers: len(page.seen) > seen and page.seen[-1].ice_restart)
            await asyncio.sleep(0.5)
            assert session.transport.agent.local.ufrag != before
            await page.until_frames(mid, frames + 20)
        assert sink.states == ["connected"]
        # Chromium also pairs its new ports with our old candidates; nothing else may be refused.
        assert set(session.transport.agent.counters) <= {"remote_ufrag"}


async def test_participants_coming_and_going_reuse_lines_with_fresh_ssrcs() -> None:
    async with joined() as room:
        session = room.session
        session.start()
        await until(lambda: room.sink.rtp_count > 20)
        ssrcs = set()
        for cycle in range(6):
            await room.see_echo()
            delivery = session.deliveries["echo", "camera"]
            assert delivery.ssrc not in ssrcs
            ssrcs.add(delivery.ssrc)
            others = [(f"other{cycle}", kind) for kind in ("audio", "camera", "screen")]
            await session.set_subscriptions(others)
            await until(lambda wanted=others: all(w in session.deliveries for w in wanted))
            await until(lambda: all(d.ready for d in session.deliveries.values()))
            await session.set_subscriptions([])
            await until(lambda: not session.deliveries and session._outstanding is None)
        assert len(session._offered_lines()) <= 4 + 5
        assert room.sink.states == ["connected"]


async def test_a_page_that_reaches_only_tcp_sees_its_echo() -> None:
    async with joined() as room:
        room.page.rewrite = lambda sdp: re.sub(r"a=candidate:\S+ 1 udp [^\r]*\r\n", "", sdp)
        room.session.start()
        await until(lambda: room.sink.rtp_count > 20)
        await room.see_echo()
        pair = await room.page.pair()
        assert pair is not None
        assert (pair["protocol"], pair["port"]) == ("tcp", room.hub.udp_port)


async def test_a_strangers_browser_without_network_flags_connects() -> None:
    async with joined(STRANGER_FLAGS) as room:
        room.session.start()
        await until(lambda: room.sink.rtp_count > 20)
        await room.see_echo()


async def test_a_closed_page_fails_its_session_at_once() -> None:
    async with joined() as room:
        room.session.start()
        await until(lambda: room.sink.rtp_count > 20)
        await room.page.page.evaluate("() => window.pc.close()")
        await until(lambda: room.sink.states == ["connected", "closed"], 15)


async def test_a_page_whose_nat_changes_its_port_or_goes_silent_comes_back_by_itself() -> None:
    async with joined() as room:
        nat = Nat(room.hub.udp_port)
        room.page.rewrite = nat.only_candidate
        try:
            room.session.start()
            await until(lambda: room.sink.rtp_count > 20)
            mid = await room.see_echo()
            agent = room.session.transport.agent
            before = nat.outer_port
            assert agent.selected is not None
            assert agent.selected.address[1] == before

            nat.rebind()
            await until(
                lambda: agent.selected is not None and agent.selected.address[1] == nat.outer_port != before,
                15,
            )
            room.echo.ask_keyframe()
            await room.page.until_frames(mid, await room.page.frames(mid) + 10)
            assert room.sink.states == ["connected"]

            nat.silent = True
            await until(lambda: room.sink.states[-1] == "disconnected", 20)
            nat.silent = False
            await until(lambda: room.sink.states[-1] == "connected", 20)
            room.echo.ask_keyframe()
            await room.page.until_frames(mid, await room.page.frames(mid) + 10)
        finally:
            nat.close()
