"""Negotiation alone: one offer at a time, the gate, reuse of lines, timeouts. No peer is connected."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from media.aiortc_seam import Certificate
from media.ice.hub import IceHub
from media.ports import Offer, SessionPort
from media.sdp import SdpRefused
from media.session import Session


class Desk:
    """A session and its offers; `answer` writes what a browser would."""

    def __init__(self, hub: IceHub, timeout_s: float = 10.0) -> None:
        self.offers: list[Offer] = []
        self.states: list[str] = []
        self.negotiated = 0
        self.mine = Certificate().fingerprint.value
        self.session = Session.create(
            hub=hub, peer="p", connection="c", on_offer=self.offers.append, answer_timeout_s=timeout_s
        )
        self.session.attach(self)

    def on_rtp(self, packet: bytes, at_ns: int) -> None: ...

    def on_rtcp(self, packet: bytes, at_ns: int) -> None: ...

    def on_negotiated(self) -> None:
        self.negotiated += 1

    def on_state(self, state: str) -> None:
        self.states.append(state)

    def time_is_up(self) -> None:
        """As when `timeout_s` have passed without an answer."""
        assert self.session._timer is not None, "nobody would end the wait"
        self.session._on_timeout()

    async def want(self, *wanted: tuple[str, str]) -> None:
        await self.session.set_subscriptions(list(wanted))

    def text(self, offer: Offer, **reject: Any) -> str:
        sections = offer.sdp.split("\r\nm=")[1:]
        mids = [str(index) for index in range(len(sections))]
        rejected = reject.get("rejected", ())
        kept = [mid for mid in mids if mid not in rejected]
        out = ["v=0", "a=group:BUNDLE " + " ".join(kept)]
        for mid, section in zip(mids, sections, strict=True):
            head = section.split("\r\n", 1)[0]
            out.append("m=" + (head.replace(" 9 ", " 0 ") if mid in rejected else head))
            out += [
                f"a=mid:{mid}",
                "a=rtcp-mux",
                "a=ice-ufrag:abcd",
                "a=ice-pwd:" + "x" * 22,
                "a=setup:active",
            ]
            out.append(f"a=fingerprint:sha-256 {reject.get('fingerprint', self.mine)}")
            sends = "\r\na=sendonly" in section and mid not in reject.get("inactive", ())
            out.append("a=recvonly" if sends else "a=inactive")
            if reject.get("red") and head.startswith("audio"):
                out.append("a=rtpmap:63 red/48000/2")
        return "\r\n".join(out) + "\r\n"

    async def answer(self, index: int = -1, **reject: Any) -> None:
        offer = self.offers[index]
        await self.session.accept_answer(offer.offer_id, self.text(offer, **reject))


@pytest.fixture
async def hub() -> AsyncIterator[IceHub]:
    made = await IceHub.open("127.0.0.1")
    yield made
    await made.close()


@pytest.fixture
async def desk(hub: IceHub) -> AsyncIterator[Desk]:
    made = Desk(hub)
    yield made
    await made.session.close()


def directions(offer: Offer) -> list[str]:
    return re.findall(r"a=(sendonly|recvonly|inactive)", offer.sdp)


async def test_a_session_is_what_the_relay_expects(desk: Desk) -> None:
    port: SessionPort = desk.session
    assert (port.peer, port.connection, port.state) == ("p", "c", "connecting")
    port.forward(bytes(20), 1, 1, 1, 1)
    port.send_rtcp(bytes(20))
    port.send(bytearray(100), 20)


async def test_nothing_is_offered_before_start(desk: Desk) -> None:
    await desk.want(("bob", "audio"))
    assert desk.offers == []
    desk.session.start()
    assert len(desk.offers) == 1
    assert directions(desk.offers[0]) == ["recvonly"] * 4 + ["sendonly"]
    assert [(t.mid, t.participant, t.kind) for t in desk.offers[0].tracks] == [("4", "bob", "audio")]


async def test_wishes_during_an_offer_wait_and_are_merged(desk: Desk) -> None:
    desk.session.start()
    await desk.want(("bob", "audio"))
    await desk.want(("bob", "audio"), ("bob", "camera"))
    await desk.want(("bob", "camera"), ("eve", "audio"))
    assert len(desk.offers) == 1
    await desk.answer()
    assert len(desk.offers) == 2
    assert {(t.participant, t.kind) for t in desk.offers[1].tracks} == {("bob", "camera"), ("eve", "audio")}


async def test_a_delivery_is_ready_only_after_its_answer(desk: Desk) -> None:
    desk.session.start()
    await desk.answer()
    await desk.want(("bob", "audio"))
    delivery = desk.session.deliveries["bob", "audio"]
    assert not delivery.ready
    await desk.answer()
    assert delivery.ready
    assert desk.negotiated == 2


async def test_a_line_the_peer_does_not_take_is_never_ready(desk: Desk) -> None:
    await desk.want(("bob", "audio"), ("bob", "camera"))
    desk.session.start()
    await desk.answer(inactive=("4",), rejected=("5",))
    assert not desk.session.deliveries["bob", "audio"].ready
    assert not desk.session.deliveries["bob", "camera"].ready


async def test_a_delivery_takes_redundancy_as_the_newest_answer_says(desk: Desk) -> None:
    desk.session.start()
    await desk.answer(red=True)
    await desk.want(("q", "audio"), ("q", "camera"))
    await desk.answer(red=True)
    delivery = desk.session.deliveries["q", "audio"]
    assert delivery.red
    assert not desk.session.deliveries["q", "camera"].red
    assert desk.session.uplink["audio"].red
    await desk.want(("q", "audio"), ("q", "camera"), ("r", "audio"))
    await desk.answer()
    assert not delivery.red
    assert not desk.session.uplink["audio"].red


async def test_a_left_line_goes_inactive_first_and_is_reused_with_fresh_ssrcs(desk: Desk) -> None:
    await desk.want(("bob", "audio"), ("bob", "camera"))
    desk.session.start()
    await desk.answer()
    old = desk.session.deliveries["bob", "camera"]
    await desk.want(("eve", "camera"))
    assert directions(desk.offers[-1])[4:] == ["inactive", "inactive", "sendonly"]
    assert not old.ready
    await desk.answer()
    await desk.want(("eve", "camera"), ("dan", "camera"))
    assert desk.session.deliveries["dan", "camera"].mid == old.mid
    assert desk.session.deliveries["dan", "camera"].ssrc not in (old.ssrc, old.rtx_ssrc)
    assert directions(desk.offers[-1])[4:] == ["inactive", "sendonly", "sendonly"]


async def test_lines_never_grow_beyond_the_peak(desk: Desk) -> None:
    desk.session.start()
    await desk.answer()
    for number in range(20):
        await desk.want((f"p{number}", "audio"), (f"p{number}", "camera"))
        await desk.answer()
        await desk.want()
        await desk.answer()
    assert len(directions(desk.offers[-1])) == 6


async def test_the_same_wish_again_makes_no_offer(desk: Desk) -> None:
    await desk.want(("bob", "audio"))
    desk.session.start()
    await desk.answer()
    await desk.want(("bob", "audio"))
    assert len(desk.offers) == 1


async def test_a_voice_that_is_to_cost_little_is_offered_so_until_it_need_not(desk: Desk) -> None:
    desk.session.start()
    await desk.answer()
    desk.session.spare(True)
    desk.session.spare(True)
    assert len(desk.offers) == 2
    voice = desk.offers[-1].sdp.split("\r\nm=")[1]
    assert "a=ptime:60" in voice
    assert ";usedtx=1;maxaveragebitrate=12000" in voice
    assert desk.offers[-1].sdp.count("usedtx") == 1
    await desk.answer()
    desk.session.spare(False)
    assert "a=ptime" not in desk.offers[-1].sdp


async def test_an_unknown_kind_is_an_error_of_ours(desk: Desk) -> None:
    with pytest.raises(ValueError, match="kind"):
        await desk.want(("bob", "hologram"))


async def test_a_stale_answer_is_ignored(desk: Desk) -> None:
    desk.session.start()
    await desk.answer()
    await desk.want(("bob", "audio"))
    await desk.answer(0)
    assert not desk.session.deliveries["bob", "audio"].ready
    await desk.session.accept_answer("never", "rubbish")


async def test_a_refused_answer_leaves_the_offer_open(desk: Desk) -> None:
    desk.session.start()
    with pytest.raises(SdpRefused):
        await desk.session.accept_answer(desk.offers[0].offer_id, "rubbish")
    await desk.answer()
    assert desk.negotiated == 1


async def test_a_changed_certificate_is_refused(desk: Desk) -> None:
    desk.session.start()
    await desk.answer()
    await desk.want(("bob", "audio"))
    with pytest.raises(SdpRefused):
        await desk.answer(fingerprint=Certificate().fingerprint.value)


async def test_without_an_answer_the_offer_is_repeated_once_and_then_the_session_has_failed(
    hub: IceHub,
) -> None:
    desk = Desk(hub)
    desk.session.start()
    await desk.want(("bob", "audio"))
    desk.time_is_up()
    assert len(desk.offers) == 2
    assert [t.participant for t in desk.offers[1].tracks] == ["bob"]
    assert desk.states == []
    desk.time_is_up()
    assert desk.states == ["failed"]
    await desk.want(("eve", "audio"))
    assert len(desk.offers) == 2
    await desk.session.close()


async def test_an_answer_to_the_repeated_offer_saves_the_session(hub: IceHub) -> None:
    desk = Desk(hub)
    desk.session.start()
    desk.time_is_up()
    await desk.answer()
    assert (desk.session._timer, desk.states) == (None, [])
    await desk.session.close()


async def test_an_ice_restart_supersedes_an_offer_nobody_answered(desk: Desk) -> None:
    desk.session.start()
    await desk.answer()
    await desk.want(("bob", "audio"))
    await desk.session.restart_ice()
    await desk.session.restart_ice()
    assert [offer.ice_restart for offer in desk.offers] == [False, False, True]
    ufrags = [re.findall(r"ice-ufrag:(\S+)", offer.sdp)[0] for offer in desk.offers]
    assert ufrags[0] == ufrags[1] != ufrags[2]
    await desk.answer(1)
    assert not desk.session.deliveries["bob", "audio"].ready
    await desk.answer(2)
    assert desk.session.deliveries["bob", "audio"].ready


async def test_a_closed_session_leaves_nothing_in_the_hub(hub: IceHub) -> None:
    desk = Desk(hub)
    desk.session.start()
    await desk.answer()
    await desk.session.restart_ice()
    await desk.session.close()
    await desk.session.close()
    assert desk.session.state == "closed"
    assert not hub._by_ufrag
    assert not hub._endpoints
    assert desk.states == []
    await desk.session.restart_ice()
    await desk.answer()


async def test_sdp_never_reaches_a_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    desk.session.start()
    await desk.answer()
    assert "candidate" not in caplog.text
    assert "ice-pwd" not in caplog.text


async def test_callbacks_that_raise_do_not_stop_negotiation(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def raises(*_: object) -> None:
        raise RuntimeError("their fault")

    monkeypatch.setattr(desk, "on_negotiated", raises)
    desk.session.start()
    await desk.want(("bob", "audio"))
    await desk.answer()
    assert len(desk.offers) == 2
    assert "their fault" in caplog.text
