"""Helpers of the transport tests: a sink that keeps what it gets, and a Chromium page that answers offers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

from playwright.async_api import Page, async_playwright

from media.codecs import VP8_PT
from media.ports import Offer
from media.session import Session

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
]

STRANGER_FLAGS = [flag for flag in CHROMIUM_FLAGS if "loopback" not in flag and "Mdns" not in flag]
"""Fake devices only: the network is as in anybody's browser."""

SCRIPT = """
async () => {
  const stream = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 320, height: 240}});
  const pc = new RTCPeerConnection();
  const tracks = {'0': stream.getAudioTracks()[0], '1': stream.getVideoTracks()[0]};
  window.pc = pc;
  window.states = [];
  pc.onconnectionstatechange = () => window.states.push(pc.connectionState);
  pc.ontrack = (event) => {
    const video = document.createElement(event.track.kind);
    video.id = 'mid' + event.transceiver.mid;
    video.dataset.stream = event.streams[0] ? event.streams[0].id : '';
    video.muted = true;
    video.srcObject = new MediaStream([event.track]);
    document.body.append(video);
    video.play();
  };
  window.answer = async (sdp) => {
    await pc.setRemoteDescription({type: 'offer', sdp});
    for (const transceiver of pc.getTransceivers()) {
      const track = tracks[transceiver.mid];
      if (track && transceiver.sender.track !== track) {
        transceiver.direction = 'sendonly';
        await transceiver.sender.replaceTrack(track);
      }
    }
    await pc.setLocalDescription(await pc.createAnswer());
    return pc.localDescription.sdp;
  };
  window.framesDecoded = async (mid) => {
    let frames = 0;
    const transceiver = pc.getTransceivers().find((one) => one.mid === mid);
    if (!transceiver) return 0;
    (await transceiver.receiver.getStats()).forEach((report) => {
      if (report.type === 'inbound-rtp') frames = report.framesDecoded || report.packetsReceived;
    });
    return frames;
  };
  window.selectedPair = async () => {
    const reports = new Map();
    (await pc.getStats()).forEach((report) => reports.set(report.id, report));
    for (const report of reports.values()) {
      if (report.type === 'transport') {
        const pair = reports.get(report.selectedCandidatePairId);
        if (!pair) return null;
        const remote = reports.get(pair.remoteCandidateId);
        return {protocol: remote.protocol, address: remote.address, port: remote.port,
                srtp: report.srtpCipher, dtls: report.dtlsState, ufrag: report.iceLocalUsernameFragment};
      }
    }
    return null;
  };
}
"""


class KeepingSink:
    """Counts and keeps the first packets; `on_packet` may be replaced for an echo."""

    def __init__(self) -> None:
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []
        self.rtp_count = 0
        self.states: list[str] = []
        self.negotiated = 0
        self.on_packet: Callable[[bytes], None] = lambda packet: None

    def on_rtp(self, packet: bytes, at_ns: int) -> None:
        self.rtp_count += 1
        if len(self.rtp) < 2000:
            self.rtp.append(packet)
        self.on_packet(packet)

    def on_rtcp(self, packet: bytes, at_ns: int) -> None:
        if len(self.rtcp) < 2000:
            self.rtcp.append(packet)

    def on_negotiated(self) -> None:
        self.negotiated += 1

    def on_state(self, state: str) -> None:
        self.states.append(state)


class Echo:
    """Sends the camera of a session back to itself through its delivery (`echo`, `camera`)."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.sent = 0

    def __call__(self, packet: bytes) -> None:
        delivery = self._session.deliveries.get(("echo", "camera"))
        if delivery is None or not delivery.ready or packet[1] & 0x7F != VP8_PT:
            return
        seq, timestamp = struct.unpack_from("!HI", packet, 2)
        self._session.forward(without_extensions(packet), VP8_PT, seq, timestamp, delivery.ssrc)
        self.sent += 1

    def ask_keyframe(self) -> None:
        for ssrc in self._session.uplink["camera"].ssrcs:
            self._session.send_rtcp(struct.pack("!BBHII", 0x81, 206, 2, 1, ssrc))


def without_extensions(packet: bytes) -> bytes:
    """The packet without its header extension: the MID of the uplink must not reach a receiver."""
    if not packet[0] & 0x10:
        return packet
    at = 12 + 4 * (packet[0] & 15)
    words = int.from_bytes(packet[at + 2 : at + 4], "big")
    return bytes([packet[0] & ~0x10]) + packet[1:at] + packet[at + 4 + 4 * words :]


class Page_:  # noqa: N801
    """A Chromium page that answers one session's offers in a background task."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.offers: asyncio.Queue[Offer] = asyncio.Queue()
        self.seen: list[Offer] = []
        self.rewrite: Callable[[str], str] = lambda sdp: sdp
        self._task: asyncio.Task[None] | None = None

    def serve(self, session: Session) -> None:
        self._task = asyncio.get_running_loop().create_task(self._answer(session))

    async def _answer(self, session: Session) -> None:
        while True:
            offer = await self.offers.get()
            self.seen.append(offer)
            answer = await self.page.evaluate("(sdp) => window.answer(sdp)", self.rewrite(offer.sdp))
            await session.accept_answer(offer.offer_id, answer)

    async def frames(self, mid: str) -> int:
        return int(await self.page.evaluate("(mid) => window.framesDecoded(mid)", mid))

    async def until_frames(self, mid: str, more_than: int, seconds: float = 10.0) -> None:
        """Wait until more frames than that were decoded on an m-line; TimeoutError otherwise."""
        async with asyncio.timeout(seconds):
            while await self.frames(mid) <= more_than:  # noqa: ASYNC110 - the counter is the browser's
                await asyncio.sleep(0.1)

    async def pair(self) -> dict[str, Any] | None:
        found = await self.page.evaluate("() => window.selectedPair()")
        return dict(found) if found else None

    async def stop(self) -> None:
        if self._task is not None:
            if self._task.done():
                self._task.result()
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task


@contextlib.asynccontextmanager
async def chromium_page(flags: list[str] = CHROMIUM_FLAGS) -> AsyncIterator[Page_]:
    """A page with a fake camera and a peer connection, in a browser of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", headless=True, args=flags
        )
        try:
            page = await (await browser.new_context(permissions=["camera", "microphone"])).new_page()
            await page.route("http://localhost/**", lambda route: route.fulfill(body="<!doctype html><body>"))
            await page.goto("http://localhost/blank")
            await page.evaluate(SCRIPT)
            made = Page_(page)
            try:
                yield made
            finally:
                await made.stop()
        finally:
            await browser.close()


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for a condition; fails with TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the conditions are states of several objects
            await asyncio.sleep(0.02)


class Nat:
    """A UDP path between one browser and the hub that can change its outer port, or go silent."""

    def __init__(self, server_port: int) -> None:
        self._server = ("127.0.0.1", server_port)
        self._browser: tuple[str, int] | None = None
        self.silent = False
        self._inner = self._open(self._from_browser)
        self._outer = self._open(self._from_server)

    @property
    def port(self) -> int:
        """Where the browser sends to."""
        return int(self._inner.getsockname()[1])

    @property
    def outer_port(self) -> int:
        """What the hub sees."""
        return int(self._outer.getsockname()[1])

    def rebind(self) -> None:
        self._close(self._outer)
        self._outer = self._open(self._from_server)

    def only_candidate(self, sdp: str) -> str:
        """The offer with this path as its only candidate."""
        kept = [line for line in sdp.split("\r\n") if not line.startswith("a=candidate:")]
        at = kept.index("a=end-of-candidates")
        kept.insert(at, f"a=candidate:n 1 udp 2130706431 127.0.0.1 {self.port} typ host")
        return "\r\n".join(kept)

    def _open(self, on_readable: Callable[[], None]) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.bind(("127.0.0.1", 0))
        asyncio.get_running_loop().add_reader(sock.fileno(), on_readable)
        return sock

    @staticmethod
    def _close(sock: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(sock.fileno())
        sock.close()

    def _from_browser(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data, self._browser = self._inner.recvfrom(2048)
                if not self.silent:
                    self._outer.sendto(data, self._server)

    def _from_server(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data = self._outer.recv(2048)
                if self._browser is not None and not self.silent:
                    self._inner.sendto(data, self._browser)

    def close(self) -> None:
        self._close(self._inner)
        self._close(self._outer)
