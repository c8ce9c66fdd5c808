"""A synthetic peer: one UDP socket on loopback, controlling ICE, DTLS client, SRTP, answers to offers.

It sends what it is given and hands every decrypted RTP payload to `Received`. It decodes no media, repairs
nothing it receives (a hole is what the bench wants to see), and answers NACKs for what it sent.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
import time
from collections.abc import Sequence

from aioice import stun
from pylibsrtp._binding import ffi, lib

from media.bench import rtcp
from media.bench.answer import LocalSide, Offer, OfferedMedia, Sending, parse_offer, write_answer
from media.bench.dtls import DtlsClient, DtlsError, Identity
from media.bench.intake import Intake
from media.bench.keys import AgreedKeys
from media.bench.traffic import AUDIO, AUDIO_CLOCK, KINDS, LOW, RIDS, VIDEO, VIDEO_CLOCK, Received
from media.bench.uplink import Counters, Outbound, media_time, open_socket, send_run

CHECK_EVERY = 0.05  # s, until connected
CONSENT_EVERY = 2.5  # s, RFC 7675 asks for 4-6; the worker's liveness limit is its own
TWCC_URI = "transport-wide-cc-extensions-01"
UPLINK = {AUDIO: "0", VIDEO: "1"}
NAMED_PACKETS = 50
"""So many packets of a stream carry its MID and RID."""
LEVEL = 0x1E  # audio level, -30 dBov
BARE_TYPES, BARE_TWCC = {AUDIO: 111, VIDEO: 96, LOW: 96}, 3


class SyntheticPeer:
    """`index` goes into the stamps; `sources` maps a participant's name to its index (for misrouting).

    `layered`: the camera in two layers told by RID, and an audio level on every packet of sound, as browsers.
    """

    def __init__(
        self,
        name: str,
        index: int,
        identity: Identity,
        sources: dict[str, int],
        layered: bool = False,
        host: str = "127.0.0.1",
    ) -> None:
        self.name = name
        self.index = index
        self.received = Received()
        self.counters = Counters()
        self.connected = asyncio.Event()
        self.failed: str | None = None
        self.want_key = self.want_low_key = True
        self.outbound = {
            AUDIO: Outbound(AUDIO, UPLINK[AUDIO], secrets.randbits(31) | 1, None),
            VIDEO: Outbound(VIDEO, UPLINK[VIDEO], secrets.randbits(31) | 1, secrets.randbits(31) | 1),
        }
        self.layered = layered
        self.sends = True
        if layered:
            self.outbound[VIDEO].rid = RIDS[1]
            low = secrets.randbits(31) | 1, secrets.randbits(31) | 1
            self.outbound[LOW] = Outbound(LOW, UPLINK[VIDEO], *low, rid=RIDS[0])
        self._identity = identity
        self._sources = sources
        self._cname = secrets.token_hex(8)
        self._ufrag = secrets.token_hex(4)
        self._password = secrets.token_hex(16)
        self._offer: Offer | None = None
        self._promised: dict[int, tuple[int, int]] = {}
        self._inbound: dict[int, rtcp.Inbound] = {}
        self._twcc_id: int | None = None
        self._mid_id: int | None = None
        self._rid_ids: tuple[int | None, int | None] = None, None
        self._level_id: int | None = None
        self._twcc = 0
        self._dtls: DtlsClient | AgreedKeys | None = None
        self._tie = secrets.randbits(63)
        self._nominated = False
        self._timers: list[asyncio.TimerHandle] = []
        self._loop = asyncio.get_running_loop()
        self._cell = ffi.new("unsigned char[]", 2048)
        self._out = memoryview(ffi.buffer(self._cell)).cast("B")
        self._length = ffi.new("int *")
        self._run: list[bytes] | None = None
        self._socket = open_socket(host)
        self._intake = Intake(self._socket, self.counters, self._rtp, self._rtcp, self._other)
        self._closed = False

    @property
    def port(self) -> int:
        """The local UDP port, for finding this socket's drops in /proc/net/udp."""
        port: int = self._socket.getsockname()[1]
        return port

    def accept_offer(self, sdp: str, tracks: list[dict[str, str]]) -> str:
        """Takes an offer, returns the answer; raises OfferError when a browser could not use the offer."""
        offer = parse_offer(sdp)
        first = self._offer is None
        restarted = self._offer is not None and self._offer.ufrag != offer.ufrag
        self._offer = offer
        by_mid = {m.mid: m for m in offer.media}
        self._learn_uplinks(by_mid)
        self._learn_downlinks(by_mid, tracks)
        if restarted:
            self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(16)
            self._nominated = False
            self._check()
        if first:
            self._connect(offer)
        local = LocalSide(
            self._ufrag, self._password, self._identity.fingerprint, self._socket.getsockname(), self._cname
        )
        rids = RIDS if self.layered else ()
        sending = {
            o.mid: Sending(o.ssrc, o.rtx_ssrc, KINDS[o.kind], rids if o.rid else ())
            for o in self.outbound.values()
            if o.kind != LOW
        }
        return write_answer(offer, local, sending)

    def join_bare(self, port: int, keys: AgreedKeys, promised: dict[int, tuple[int, int]]) -> None:
        """Without ICE, DTLS and offers, at a bare forwarder: three bytes say who this is."""
        self._dtls, self._promised = keys, promised
        for out in self.outbound.values():
            out.payload_type = BARE_TYPES[out.kind]
        self._twcc_id = BARE_TWCC
        self._socket.connect(("127.0.0.1", port))
        if keys.rx is not None:
            self._intake.keys(keys.rx)
        self._loop.add_reader(self._socket.fileno(), self._intake.readable)
        self._send_raw(bytes([0, self.index >> 8, self.index & 0xFF]))
        self.connected.set()

    def _learn_uplinks(self, by_mid: dict[str, OfferedMedia]) -> None:
        for out in self.outbound.values():
            media = by_mid[out.mid]
            out.payload_type = media.payload("opus" if out.kind == AUDIO else "VP8") or media.payloads[0]
            out.rtx_type = media.payload("rtx")
            self._twcc_id = media.extension(TWCC_URI) or self._twcc_id
            self._mid_id = media.extension("sdes:mid") or self._mid_id
            if out.rid:
                again = media.extension("repaired-rtp-stream-id")
                self._rid_ids = media.extension("sdes:rtp-stream-id"), again
            elif self.layered:
                self._level_id = media.extension("ssrc-audio-level")

    def _learn_downlinks(self, by_mid: dict[str, OfferedMedia], tracks: list[dict[str, str]]) -> None:
        self._promised.clear()
        for track in tracks:
            media = by_mid.get(track["mid"])
            source = self._sources.get(track["participant"])
            if media is None or source is None or track["kind"] not in KINDS:
                continue
            for ssrc in media.ssrcs:
                self._promised[ssrc] = (source, KINDS.index(track["kind"]))

    def _connect(self, offer: Offer) -> None:
        where = next((c for c in offer.candidates if c[0].startswith("127.")), None)
        where = where or next(c for c in offer.candidates if ":" not in c[0])
        self._socket.connect(where)
        self._dtls = DtlsClient(self._identity, offer.fingerprint, self._send_raw)
        self._loop.add_reader(self._socket.fileno(), self._intake.readable)
        self._check()

    # ICE, controlling side, one candidate pair (RFC 8445)

    def _check(self) -> None:
        if self._closed or self._offer is None:
            return
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{self._offer.ufrag}:{self._ufrag}"
        request.attributes["PRIORITY"] = 1845501695
        request.attributes["ICE-CONTROLLING"] = self._tie
        request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self._offer.password.encode())
        self._send_raw(bytes(request))
        self._later(CONSENT_EVERY if self._nominated else CHECK_EVERY, self._check)

    def _stun(self, data: bytes) -> None:
        try:
            message = stun.parse_message(data)
        except ValueError:
            return
        if message.message_class == stun.Class.REQUEST:
            if not message.check_message_integrity(self._password.encode()):
                return
            reply = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, message.transaction_id)
            reply.attributes["XOR-MAPPED-ADDRESS"] = self._socket.getpeername()[:2]
            reply.add_message_integrity(self._password.encode())
            self._send_raw(bytes(reply))
        elif message.message_class == stun.Class.RESPONSE and not self._nominated:
            self._nominated = True
            if self._dtls is not None and not self._dtls.done:
                self._dtls.start()
                self._later(0.05, self._dtls_tick)

    def _dtls_tick(self) -> None:
        if self._dtls is not None and not self._dtls.done and not self._closed:
            self._dtls.tick()
            self._later(0.05, self._dtls_tick)

    # Receiving

    def _other(self, data: bytes) -> None:
        if 19 < data[0] < 64 and self._dtls is not None:
            try:
                self._dtls.datagram(data)
            except DtlsError as error:
                self.failed = str(error)
                return
            if self._dtls.rx is not None and not self.connected.is_set():
                self._intake.keys(self._dtls.rx)
                self.connected.set()
                self._later(0.1 + 0.1 * (self.index % 10), self._reports)
        elif data[0] < 4:
            self._stun(data)

    def _rtp(self, packet: bytes) -> None:
        now = time.monotonic_ns()
        flags, _, seq, _, ssrc = struct.unpack_from("!BBHII", packet)
        at = 12 + 4 * (flags & 15)
        if flags & 0x10:
            at += 4 + 4 * int.from_bytes(packet[at + 2 : at + 4], "big")
        end = len(packet) - (packet[-1] if flags & 0x20 else 0)
        if end <= at:
            return  # padding only: a probe
        expected = self._promised.get(ssrc)
        if expected is None:
            self.received.unknown_ssrc += 1
            return
        self.counters.received += 1
        state = self._inbound.get(ssrc)
        if state is None:
            state = self._inbound[ssrc] = rtcp.Inbound()
        state.take(seq)
        self.received.take(memoryview(packet)[at:end], expected, now)

    def _rtcp(self, packet: bytes) -> None:
        for kind, count, body in rtcp.blocks(packet):
            if kind == rtcp.RTPFB and count == 1:
                self._resend(*rtcp.nacked(body))
            elif kind == rtcp.RTPFB and count == 15:
                self.counters.twcc += 1
            elif kind == rtcp.PSFB and count in (1, 4):
                self.counters.keyframe_requests += 1
                self.want_key = self.want_low_key = True
            elif kind == rtcp.SR and len(body) >= 24:
                ssrc, ntp = struct.unpack_from("!IQ", body)
                if ssrc in self._inbound:
                    self._inbound[ssrc].last_sr = ntp >> 16 & 0xFFFFFFFF
                    self._inbound[ssrc].last_sr_at = time.monotonic()

    # Sending

    def send_rtp(self, kind: int, payload: bytes, timestamp: int, marker: bool) -> None:
        """Sends one packet of a track; a socket that would block counts as this peer's own drop."""
        out = self.outbound[kind]
        second = out.payload_type | (0x80 if marker else 0)
        self._emit(out, second, out.seq, timestamp, out.ssrc, payload)
        out.remember(timestamp, marker, payload)
        self.counters.sent += 1

    def _emit(self, out: Outbound, second: int, seq: int, timestamp: int, ssrc: int, payload: bytes) -> None:
        if self._dtls is None or self._dtls.tx is None or self._closed:
            return
        extension = b""
        if self._level_id and out.kind == AUDIO:
            extension += bytes([self._level_id << 4, LEVEL])
        again = ssrc != out.ssrc
        rid_id = self._rid_ids[again] if out.rid else None
        if self._mid_id and (out.packets < NAMED_PACKETS or (again and rid_id)):
            extension += bytes([self._mid_id << 4 | len(out.mid) - 1]) + out.mid.encode()
            if rid_id:
                extension += bytes([rid_id << 4 | len(out.rid) - 1]) + out.rid.encode()
        if self._twcc_id:
            extension += bytes([self._twcc_id << 4 | 1, self._twcc >> 8 & 0xFF, self._twcc & 0xFF])
            self._twcc += 1
        extension += bytes(-len(extension) % 4)
        first = 0x90 if extension else 0x80
        packet = struct.pack("!BBHII", first, second, seq, timestamp & 0xFFFFFFFF, ssrc)
        if extension:
            packet += struct.pack("!HH", 0xBEDE, len(extension) // 4) + extension
        packet += payload
        self._protect_and_send(packet, lib.srtp_protect)

    def _protect_and_send(self, packet: bytes, protect: object) -> None:
        if self._dtls is None or self._dtls.tx is None:
            return
        ffi.memmove(self._cell, packet, len(packet))
        self._length[0] = len(packet)
        if protect(self._dtls.tx._srtp[0], self._cell, self._length):  # type: ignore[operator]
            raise RuntimeError("SRTP refused to protect a packet of ours")
        if self._run is None:
            self._send_raw(self._out[: self._length[0]])
        else:
            self._run.append(bytes(self._out[: self._length[0]]))

    def hold(self) -> None:
        """What is sent from now on leaves together, at `release`: a frame's packets."""
        self._run = []

    def release(self) -> None:
        run, self._run = self._run, None
        if run:
            self._send(run)

    def _send_raw(self, data: bytes | memoryview) -> None:
        self._send([data])

    def _send(self, datagrams: Sequence[bytes | memoryview]) -> None:
        try:
            send_run(self._socket, datagrams)
        except BlockingIOError:
            self.counters.send_blocked += len(datagrams)
        except OSError:
            if not self._closed and self.connected.is_set():
                self.failed = self.failed or "worker's port is gone"

    def _resend(self, ssrc: int, sequence_numbers: list[int]) -> None:
        out = next((o for o in self.outbound.values() if o.ssrc == ssrc), None)
        if out is None:
            return
        self.counters.nacks += len(sequence_numbers)
        for seq in sequence_numbers:
            kept = out.history.get(seq)
            if kept is None:
                continue
            timestamp, marker, payload = kept
            bit = 0x80 if marker else 0
            self.counters.resent += 1
            if out.rtx_ssrc is None or out.rtx_type is None:
                self._emit(out, out.payload_type | bit, seq, timestamp, out.ssrc, payload)
            else:
                original = struct.pack("!H", seq) + payload
                self._emit(out, out.rtx_type | bit, out.rtx_seq, timestamp, out.rtx_ssrc, original)
                out.rtx_seq = out.rtx_seq + 1 & 0xFFFF

    def _reports(self) -> None:
        if self._closed:
            return
        ntp = rtcp.ntp_now()
        compound = b""
        for out in self.outbound.values():
            if out.packets:
                rate = AUDIO_CLOCK if out.kind == AUDIO else VIDEO_CLOCK
                stamp = media_time(rate)
                compound += rtcp.sender_report(out.ssrc, ntp, stamp, out.packets, out.octets, self._cname)
        own = self.outbound[AUDIO].ssrc
        compound += rtcp.receiver_reports(own, self._inbound)
        if self._inbound:
            compound += rtcp.remb(own, 5_000_000, list(self._inbound)[:255])
        self._protect_and_send(compound, lib.srtp_protect_rtcp)
        self._later(1.0, self._reports)

    def ask_picture(self) -> None:
        """Sends a PLI for every camera promised, as a browser that lost a frame would."""
        own = self.outbound[AUDIO].ssrc
        for ssrc, (_, kind) in self._promised.items():
            if kind == VIDEO:
                self._protect_and_send(rtcp.picture_loss(own, ssrc), lib.srtp_protect_rtcp)

    def _later(self, seconds: float, call: object) -> None:
        self._timers = [t for t in self._timers if not t.cancelled() and t.when() > self._loop.time()]
        self._timers.append(self._loop.call_later(seconds, call))  # type: ignore[arg-type]

    def close(self) -> None:
        """Says goodbye (close_notify) and frees the socket."""
        if self._closed:
            return
        if self._dtls is not None and self._dtls.done:
            self._dtls.close()
        self._closed = True
        for timer in self._timers:
            timer.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._intake.close()
        self._socket.close()
