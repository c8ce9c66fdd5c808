"""A three-party room of Janus's VideoRoom: each participant publishes on one connection and receives on one.

To the generator it looks like a `BenchRoom`; the peers and their sending are the same.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from media.bench.answer import parse_offer
from media.bench.dtls import Identity
from media.bench.janus import Api
from media.bench.peer import BARE_TYPES, SyntheticPeer
from media.bench.traffic import AUDIO, KINDS, VIDEO

SEATS = 3
CONNECT_TIMEOUT = 15.0
TRIES = 20


TWCC_ID, MID_ID = 3, 4
SESSION = """v=0
o=- 4611731400430051337 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=msid-semantic: WMS
"""
LINE = """m={media} 9 UDP/TLS/RTP/SAVPF {payloads}
c=IN IP4 0.0.0.0
a=candidate:1 1 udp 2122260223 {address} typ host generation 0
a=end-of-candidates
a=ice-ufrag:{ufrag}
a=ice-pwd:{password}
a=fingerprint:sha-256 {fingerprint}
a=setup:active
a=mid:{mid}
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendonly
a=rtcp-mux
a=msid:- {media}
"""
CODECS = {
    AUDIO: "a=rtpmap:111 opus/48000/2\na=rtcp-fb:111 transport-cc\n",
    VIDEO: "a=rtpmap:96 VP8/90000\na=rtcp-fb:96 nack\na=rtcp-fb:96 nack pli\na=rtcp-fb:96 ccm fir\n"
    "a=rtcp-fb:96 transport-cc\na=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\n",
}


def own_address() -> str:
    """An address of this machine that is not loopback: Janus (libnice) uses no other. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # TEST-NET: nothing is sent
        return str(probe.getsockname()[0])


class OfferingPeer(SyntheticPeer):
    """A peer that offers what it sends: Janus wants that of whoever publishes."""

    def write_offer(self) -> str:
        """As Chromium shapes it."""
        text = SESSION
        for kind in (AUDIO, VIDEO):
            out = self.outbound[kind]
            text += LINE.format(
                media="video" if kind == VIDEO else "audio",
                payloads="96 97" if kind == VIDEO else "111",
                ufrag=self._ufrag,
                password=self._password,
                fingerprint=self._identity.fingerprint,
                mid=out.mid,
                address="{} {}".format(*self._socket.getsockname()),
            )
            text += CODECS[kind]
            ssrcs = [ssrc for ssrc in (out.ssrc, out.rtx_ssrc) if ssrc is not None]
            if len(ssrcs) == 2:
                text += f"a=ssrc-group:FID {ssrcs[0]} {ssrcs[1]}\n"
            text += "".join(f"a=ssrc:{ssrc} cname:{self._cname}\n" for ssrc in ssrcs)
        return text.replace("\n", "\r\n")

    def accept_answer(self, sdp: str) -> None:
        """Goes to where the answer says."""
        self._offer = parse_offer(sdp)
        for out in self.outbound.values():
            out.payload_type, out.rtx_type = BARE_TYPES[out.kind], 97 if out.rtx_ssrc else None
        self._twcc_id, self._mid_id = TWCC_ID, MID_ID
        self._connect(self._offer)


class JanusRoom:
    """Make it, then `open`."""

    def __init__(self, number: int, api: Api, identity: Identity, host: str) -> None:
        self.number = number + 1
        self._api = api
        names = [f"peer{number * SEATS + seat}" for seat in range(SEATS)]
        self._sources = {name: number * SEATS + seat for seat, name in enumerate(names)}
        self.senders = {
            name: OfferingPeer(name, index, identity, self._sources, host=host)
            for name, index in self._sources.items()
        }
        self.receivers = {
            name: SyntheticPeer(name, index, identity, self._sources, host=host)
            for name, index in self._sources.items()
        }
        for peer in self.receivers.values():
            peer.sends = False
        self._feeds: dict[str, int] = {}

    @property
    def peers(self) -> dict[str, SyntheticPeer]:
        """All connections; `senders` are those that send."""
        return self.senders | {f"{name} receives": peer for name, peer in self.receivers.items()}

    async def open(self) -> None:
        """Everybody publishes, then everybody subscribes to the others."""
        handle = await self._api.handle()
        create = {"request": "create", "room": self.number, "publishers": SEATS, "audiocodec": "opus"}
        await self._api.tell(handle, {**create, "videocodec": "vp8", "bitrate": 4_000_000})
        for name, sender in self.senders.items():
            join = {"request": "joinandconfigure", "room": self.number, "ptype": "publisher", "display": name}
            offer = {"type": "offer", "sdp": sender.write_offer()}
            answer = await self._api.tell(await self._api.handle(), join, offer)
            self._feeds[name] = answer["plugindata"]["data"]["id"]
            sender.accept_answer(answer["jsep"]["sdp"])
        for sender in self.senders.values():
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await sender.connected.wait()
        for name, peer in self.receivers.items():
            await self._subscribe(name, peer)

    async def _subscribe(self, name: str, peer: SyntheticPeer) -> None:
        handle = await self._api.handle()
        others = {feed: other for other, feed in self._feeds.items() if other != name}
        join = {"request": "join", "room": self.number, "ptype": "subscriber"}
        body = {**join, "streams": [{"feed": feed} for feed in others]}
        for left in reversed(range(TRIES)):
            try:
                offer = await self._api.tell(handle, body)
                break
            except ConnectionError:  # Janus has not noticed yet that somebody publishes
                if not left:
                    raise
                await asyncio.sleep(0.2)
        tracks = [
            {
                "mid": stream["mid"],
                "participant": others[stream["feed_id"]],
                "kind": KINDS[VIDEO if stream["type"] == "video" else AUDIO],
            }
            for stream in offer["plugindata"]["data"]["streams"]
        ]
        sdp = peer.accept_offer(offer["jsep"]["sdp"], tracks)
        await self._api.tell(handle, {"request": "start"}, {"type": "answer", "sdp": sdp})

    def event(self, event: dict[str, Any]) -> None:
        """There are none."""

    def complete(self) -> bool:
        """True when everybody has got audio and video of everybody else."""
        wanted = {(index, kind) for index in self._sources.values() for kind in (AUDIO, VIDEO)}
        return all(
            {who for who in wanted if who[0] != peer.index} <= set(peer.received.tallies)
            for peer in self.receivers.values()
        )

    def trouble(self) -> str | None:
        """The first thing that went wrong in this room, or None."""
        return next((peer.failed for peer in self.peers.values() if peer.failed), None)

    def close(self) -> None:
        for peer in self.peers.values():
            peer.close()
