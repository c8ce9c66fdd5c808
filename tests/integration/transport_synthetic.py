"""A peer of few lines: full ICE on raw sockets, DTLS and SRTP by our classes; does what no browser does."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import socket
import struct

from media.aiortc_seam import Certificate, Dtls, Fingerprint, SrtpKeys
from media.ice import stun
from media.ice.hub import IceHub
from media.ports import Offer
from media.session import Session
from media.srtp import SrtpPath
from media.tasks import TaskOwner
from tests.integration.transport_peers import KeepingSink, until
from tests.support.native import drain

SSRC = {"audio": 0x1111, "camera": 0x2222}
RTX_SSRC = 0x2223


class SyntheticPeer:
    """Answers offers, checks from `sockets[0]`, shakes hands, sends and receives RTP."""

    def __init__(self, host: str = "127.0.0.1", *, setup: str = "active") -> None:
        self.host = host
        self.setup = setup
        self.ufrag, self.password = secrets.token_hex(4), secrets.token_hex(12)
        self.certificate = Certificate()
        self.received: list[bytes] = []
        self.srtp: SrtpPath | None = None
        self.server: tuple[str, int] = (host, 0)
        self.server_ufrag = self.server_password = ""
        self.requests: list[bytes] = []
        """Every check sent, for replays."""
        self.offers: list[Offer] = []
        self.session: Session | None = None
        self.checking = True
        self._server_fingerprint: Fingerprint | None = None
        self._tasks = TaskOwner("synthetic peer")
        self._dtls = Dtls(self.certificate, self._send)
        self._reachable = asyncio.Event()
        self._sockets: list[socket.socket] = []
        self.sock = self.new_socket()

    def new_socket(self, *, silent: bool = False) -> socket.socket:
        """A socket of this peer; a silent one is not read by it (an attacker's)."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.bind((self.host, 0))
        self._sockets.append(sock)
        if not silent:
            asyncio.get_running_loop().add_reader(sock.fileno(), self._on_readable, sock)
        return sock

    def on_offer(self, offer: Offer) -> None:
        self.offers.append(offer)
        self._tasks.start(self._answer(offer))

    async def _answer(self, offer: Offer) -> None:
        self.server_ufrag = _found(offer.sdp, r"ice-ufrag:(\S+)")
        self.server_password = _found(offer.sdp, r"ice-pwd:(\S+)")
        first = not self._server_fingerprint
        self._server_fingerprint = Fingerprint("sha-256", _found(offer.sdp, r"fingerprint:sha-256 (\S+)"))
        for address, port in re.findall(r"candidate:\S+ 1 udp \d+ (\S+) (\d+)", offer.sdp):
            if (":" in address) == (":" in self.host):
                self.server = (self.host, int(port))
        if self.session is not None:
            await self.session.accept_answer(offer.offer_id, self.answer_text(offer.sdp))
        if first:
            self._tasks.start(self._check_for_ever())
            await self._reachable.wait()
            await self._dtls.run(
                [self._server_fingerprint], server=self.setup == "passive", on_keys=self._on_keys
            )

    def answer_text(self, offer: str) -> str:
        """An answer that sends audio and camera and takes everything offered."""
        sections = offer.split("\r\nm=")[1:]
        mids = [_found(section, r"mid:(\S+)") for section in sections]
        out = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE " + " ".join(mids)]
        mine = self.certificate.fingerprint
        for mid, section in zip(mids, sections, strict=True):
            out += ["m=" + section.split("\r\n", 1)[0], "c=IN IP4 0.0.0.0", f"a=mid:{mid}", "a=rtcp-mux"]
            out += [f"a=ice-ufrag:{self.ufrag}", f"a=ice-pwd:{self.password}", f"a=setup:{self.setup}"]
            out.append(f"a=fingerprint:{mine.algorithm} {mine.value}")
            if mid == "0":
                out += ["a=sendonly", f"a=ssrc:{SSRC['audio']} cname:x"]
            elif mid == "1":
                pair = (SSRC["camera"], RTX_SSRC)
                out += ["a=sendonly", f"a=ssrc-group:FID {pair[0]} {pair[1]}"]
                out += [f"a=ssrc:{ssrc} cname:x" for ssrc in pair]
            else:
                out.append("a=recvonly" if "\r\na=sendonly" in section else "a=inactive")
        return "\r\n".join(out) + "\r\n"

    def request(self, *, use_candidate: bool = True, transaction: bytes | None = None) -> bytes:
        return stun.request(
            transaction or secrets.token_bytes(12),
            self.ufrag,
            self.server_ufrag,
            self.server_password,
            1,
            controlling=True,
            use_candidate=use_candidate,
        )

    def check(self, sock: socket.socket | None = None, *, use_candidate: bool = True) -> bytes:
        data = self.request(use_candidate=use_candidate)
        self.requests.append(data)
        (sock or self.sock).sendto(data, self.server)
        return data

    async def _check_for_ever(self) -> None:
        while True:
            if self.checking:
                self.check()
            await asyncio.sleep(0.1)

    def _on_readable(self, sock: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data, source = sock.recvfrom(2048)
                if data[0] < 4:
                    message = stun.parse(data)
                    if message.is_request and message.signed_with(self.password):
                        sock.sendto(stun.success(message, source[:2], self.password), source)
                    self._reachable.set()
                elif data[0] < 64:
                    self._dtls.on_datagram(data)
                elif self.srtp is not None:
                    self.srtp.receive(memoryview(data), self, 0)

    def on_rtp(self, packet: bytes, at_ns: int) -> None:
        self.received.append(packet)

    def on_rtcp(self, packet: bytes, at_ns: int) -> None:
        self.received.append(packet)

    def _on_keys(self, keys: SrtpKeys) -> None:
        self.srtp = SrtpPath(keys, lambda data: self._send(bytes(data)))

    def _send(self, data: bytes) -> bool:
        self.sock.sendto(data, self.server)
        return True

    def send_rtp(self, seq: int, payload: bytes = b"payload", kind: str = "audio") -> None:
        assert self.srtp is not None
        self.srtp.forward(bytes([0x80]) + bytes(11) + payload, 111, seq, seq * 960, SSRC[kind])

    async def close(self) -> None:
        await self._tasks.close()
        await self._dtls.close()
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            loop.remove_reader(sock.fileno())
            sock.close()


def _found(text: str, pattern: str) -> str:
    match = re.search(pattern, text)
    assert match is not None
    return match[1]


class Pair:
    """A session and a synthetic peer, connected; the session delivers (`source`, `audio`) to the peer."""

    def __init__(self, hub: IceHub, session: Session, peer: SyntheticPeer, sink: KeepingSink) -> None:
        self.hub, self.session, self.peer, self.sink = hub, session, peer, sink
        self._seq = 0

    @staticmethod
    async def connected(host: str = "127.0.0.1", *, setup: str = "active", way: str = "python") -> Pair:
        hub = await IceHub.open(host, drain=drain(way))
        peer = SyntheticPeer(host, setup=setup)
        session = Session.create(hub=hub, peer="p", connection="c", on_offer=peer.on_offer)
        peer.session = session
        sink = KeepingSink()
        session.attach(sink)
        await session.set_subscriptions([("source", "audio")])
        session.start()
        pair = Pair(hub, session, peer, sink)
        try:
            await until(lambda: session.state == "connected" and peer.srtp is not None)
        except TimeoutError:
            await pair.close()
            raise
        return pair

    async def flows(self) -> None:
        """One packet each way arrives, or TimeoutError."""
        self._seq += 1
        up, down = self.sink.rtp_count, len(self.peer.received)
        self.peer.send_rtp(self._seq)
        delivery = self.session.deliveries["source", "audio"]
        self.session.forward(
            struct.pack("!BBHII", 0x80, 111, 0, 0, 0) + b"down",
            111,
            self._seq,
            self._seq * 960,
            delivery.ssrc,
        )
        await until(lambda: self.sink.rtp_count > up and len(self.peer.received) > down, 20)

    async def close(self) -> None:
        await self.session.close()
        await self.peer.close()
        await self.hub.close()
