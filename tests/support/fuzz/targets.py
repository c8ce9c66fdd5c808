"""What is fuzzed: each target takes any bytes and raises only when something promised does not hold.

A target is a function of its input alone, so that an input that once failed fails again.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from media import control
from media.ice import stun
from media.ice.tcp import MAX_FRAME_BYTES, TcpPath
from media.ports import KINDS
from media.rtp import red, rtcp, rtx
from media.rtp.depacketize import Vp8Assembler, opus_duration_ms, payload_bounds, vp8_keyframe
from media.rtp.keyframes import vp8_descriptor, vp8_frame_start, vp8_key_frame
from media.rtp.levels import level_of
from media.rtp.packets import (
    find_extension,
    find_text_extension,
    payload_end,
    payload_offset,
    put_send_time,
    rotation,
    scan,
)
from media.rtp.splice import numbers_of, renumbered
from media.rtp.twcc import TransportFeedback
from media.sdp import CODES, RECEIVE, SEND, LineOffer, SdpRefused, read_answer
from media.srtp import plausible_rtp
from server.domain import glossary_file
from server.domain.documents import MAX_NAME, clean_file_name
from server.domain.errors import Refused
from server.domain.glossary import wording_of
from server.runtime.scanning import ScanError, clamd_found, icap_found
from signaling import messages
from tests.support.outbox import MS, Stage

RTP_HEADER = 12
LINES = [
    *(
        LineOffer(str(index), kind, RECEIVE, rids=("l", "h") if kind == "camera" else ())
        for index, kind in enumerate(KINDS)
    ),
    LineOffer("4", "audio", SEND, "bob:main", "bob:audio", "bob", 44),
    LineOffer("5", "camera", SEND, "bob:main", "bob:camera", "bob", 55, 56),
]
EVENTS = ("join", "answer", "media", "restart", "ice_restart", "quality", "leave", "end", "admit", "pause")


def rtp(data: bytes) -> None:
    """One decrypted packet through every reader of headers and extensions."""
    if len(data) < RTP_HEADER:
        return
    clean, transport, payload = scan(data, 1 << 40)
    assert len(clean) == len(data)
    assert clean[:RTP_HEADER] == data[:RTP_HEADER]
    assert -1 <= transport < 0x10000
    assert RTP_HEADER <= payload <= len(data)
    assert clean[payload:] == data[payload:]
    assert RTP_HEADER <= payload_offset(data) <= len(data)
    assert payload <= payload_end(data, payload) <= len(data)
    for element in range(16):
        find_extension(data, element)
        find_text_extension(data, element)
    assert rotation(data) in (0, 90, 180, 270)
    level = level_of(data)
    assert level is None or 0 <= level <= 127
    buffer = bytearray(data)
    put_send_time(buffer, 1 << 40)
    assert len(buffer) == len(data)
    original = rtx.original_sequence(data, payload)
    if original >= 0:
        assert len(rtx.unwrap(data, payload, 96, 1)) == len(data) - 2
    if plausible_rtp(memoryview(data), len(data)):
        bounds = payload_bounds(data)
        assert bounds is None or RTP_HEADER <= bounds[0] <= bounds[1] <= len(data)


def rtcp_compound(data: bytes) -> None:
    """One decrypted RTCP compound."""
    for part in rtcp.split(data):
        rtcp.parse_sender_info(part)
        assert len(rtcp.parse_reports(part)) <= 31
        rtcp.parse_media_ssrc(part)
        assert len(rtcp.parse_nack(part)) <= 512
        rtcp.parse_keyframe_requests(part)
        remb = rtcp.parse_remb(part)
        assert remb is None or remb.bitrate >= 0
        rtcp.parse_bye(part)


def vp8(data: bytes) -> None:
    """Payloads of VP8: descriptor, key frame, renumbering, assembly of frames."""
    end = len(data)
    found = vp8_descriptor(data, 0, end)
    assert found is None or 0 < found[0] < end
    if vp8_frame_start(data, 0, end):
        vp8_key_frame(data, 0, end)
    packet = struct.pack("!BBHII", 0x80, 0x80 | 96, 7, 8, 9) + data
    vp8_keyframe(packet)
    assert len(renumbered(packet, numbers_of(packet))) == len(packet)
    assembler = Vp8Assembler()
    for number, piece in enumerate(pieces(data)):
        head = struct.pack("!BBHII", 0x80, (0x80 if number & 1 else 0) | 96, number, number // 3, 9)
        assembler.feed(number, number // 3, number, head + piece)


def red_payload(data: bytes) -> None:
    """RFC 2198: blocks lie inside the payload and the primary one is last."""
    blocks = red.unpack(data)
    if blocks is not None:
        assert blocks[-1].behind == 0
        assert sum(len(block.data) for block in blocks) < len(data) or not data
        for block in blocks:
            assert 0.0 <= opus_duration_ms(block.data) <= 120.0
    packet = struct.pack("!BBHII", 0x80, 63, 7, 960, 9) + data
    bare = red.plain(packet)
    assert len(bare) <= len(packet)
    assert red.plain(packet) == bare
    for one in red.held(packet):
        assert red.rebuilt(packet, 6, one).endswith(one.opus)


def stun_datagram(data: bytes) -> None:
    """One datagram that may be STUN: read or refused with a reason, never another exception."""
    stun.ufrag_of(data)
    try:
        binding = stun.parse(data)
    except stun.StunRefused as refused:
        assert refused.args
        return
    assert isinstance(binding.ufrags, tuple)
    assert isinstance(binding.transaction, bytes)
    binding.signed_with("p" * 24)


class _Hub:
    """The hub's side of a connection: counts, keeps nothing."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()

    def tcp_unproven(self, host: str) -> tuple[int, int]:
        return 0, 0

    def tcp_opened(self, path: TcpPath) -> None:
        """Nobody counts here."""

    def tcp_closed(self, path: TcpPath) -> None:
        """Nobody counts here."""

    def take_frame(self, path: TcpPath, frame: bytes) -> bool:
        assert len(frame) <= MAX_FRAME_BYTES
        return len(frame) != 1


def frames(data: bytes) -> None:
    """RFC 4571 framing, in pieces whose lengths the input gives."""
    path = TcpPath(_Hub())
    for piece in pieces(data):
        path.data_received(piece)
        assert len(path._buffer) <= MAX_FRAME_BYTES + 2 + len(piece)


def twcc(data: bytes) -> None:
    """Arrivals of transport-wide numbers in any order, then the feedback that is built of them."""
    feedback, now_ns = TransportFeedback(), 1 << 40
    for at in range(0, len(data) - 3, 4):
        number, step = struct.unpack_from("!HH", data, at)
        now_ns += step * 1000
        feedback.arrived(number, now_ns)
        if step & 0x0F == 0:
            built = feedback.build(now_ns, 1, 2)
            assert all(len(part) % 4 == 0 and len(part) <= 1200 for part in built)
    feedback.build(now_ns + 1, 1, 2)


def endpoint(data: bytes) -> None:
    """A whole relay: a hostile publisher's and a hostile subscriber's packets, one after the other."""
    stage = Stage("listener", layered=bool(data[:1] and data[0] & 1))
    publisher, subscriber = stage.publisher.sink, stage.subscribers[0].sink
    assert publisher is not None
    assert subscriber is not None
    for piece in pieces(data[1:]):
        stage.time.now_ns += MS
        sink = subscriber if piece[:1] and piece[0] & 0x20 else publisher
        if len(piece) >= RTP_HEADER:
            packet = bytes([0x80 | piece[0] & 0x1F]) + piece[1:]
            if plausible_rtp(memoryview(packet), len(packet)):
                sink.on_rtp(packet, stage.time.now_ns)
        if len(piece) >= 8:
            sink.on_rtcp(piece, stage.time.now_ns)
    stage.time.advance(200)
    stage.relay.tick(stage.time.now_ns)


def sdp_answer(data: bytes) -> None:
    """A page's answer: taken, or refused with one of the codes."""
    try:
        read_answer(data.decode("utf-8", "surrogateescape"), LINES)
    except SdpRefused as refused:
        assert refused.code in CODES


def control_line(data: bytes) -> None:
    """A line of the control channel, and the first line of a worker's settings."""
    for parse in (control.parse_request, control.parse_settings):
        try:
            parse(data)
        except control.ControlRefusedError as refused:
            assert refused.code


def page_event(data: bytes) -> None:
    """A page's event: JSON of any shape under each name."""
    try:
        value = control.decode(data)
    except control.ControlRefusedError:
        return
    for event in EVENTS:
        try:
            messages.parse(event, value)
        except messages.BadMessage as bad:
            assert isinstance(bad.field, str)


def glossary_sheet(data: bytes) -> None:
    """A file of terms: rows or problems, and what is taken is what a page could have typed."""
    sheet = glossary_file.read(data)
    assert bool(sheet.rows) != bool(sheet.problems)
    assert all(one.line >= 1 and one.reason in glossary_file.REASONS for one in sheet.problems)
    for _, wording in sheet.rows:
        assert wording_of(wording.texts, wording.note) == wording
    if sheet.rows:
        again = glossary_file.read(glossary_file.write((wording for _, wording in sheet.rows), ";"))
        assert [wording for _, wording in again.rows] == [wording for _, wording in sheet.rows]


def pieces(data: bytes) -> Iterator[bytes]:
    """The input cut up by itself: a byte of length, then so many bytes."""
    at = 0
    while at < len(data):
        length = data[at]
        yield data[at + 1 : at + 1 + length]
        at += 1 + length


def scanned(data: bytes) -> None:
    """What a virus scanner answers: clean only if it says so plainly, and no other error than ours."""
    for judge in (clamd_found, icap_found):
        try:
            found = judge(data)
        except ScanError as error:
            assert error.code in ("scanner_unclear", "scanner_limit")
            continue
        if judge is clamd_found:
            assert data.rstrip(b"\x00\r\n") == b"stream: OK" or (found and b" FOUND" in data)
        else:
            assert found or b" 204" in data.split(b"\r\n")[0]


def file_name(data: bytes) -> None:
    """What a page calls a file: shown, and never more than a line of it."""
    try:
        name = clean_file_name(data.decode("utf-8", "replace"))
    except Refused as refused:
        assert refused.code == "bad_request"
        return
    assert len(name) <= MAX_NAME
    assert not set(name) & set("/\\\r\n\t\x00\u202e")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "control": control_line,
    "endpoint": endpoint,
    "file_name": file_name,
    "frames": frames,
    "glossary": glossary_sheet,
    "page": page_event,
    "red": red_payload,
    "rtcp": rtcp_compound,
    "rtp": rtp,
    "scanned": scanned,
    "sdp": sdp_answer,
    "stun": stun_datagram,
    "twcc": twcc,
    "vp8": vp8,
}


def seeds(name: str) -> list[bytes]:
    """A few well-formed inputs to begin with."""
    packet = struct.pack("!BBHII", 0x90, 0x80 | 96, 7, 8, 20) + bytes.fromhex("bede0003310102224a31002268")
    nack = rtcp.build_nack(1, 20, [5, 6, 30])
    compound = rtcp.build_receiver_report(1, []) + nack + rtcp.build_remb(1, 800_000, [20])
    begun = bytes.fromhex("90e0807b0010") + bytes.fromhex("50020000009d012a4001b4000102")
    answer = Path(__file__).parents[2] / "data" / "chromium_156_answer.sdp"
    request = stun.request(bytes(12), "ours", "theirs", "p" * 24, 7, use_candidate=True)
    found = {
        "control": [b'{"id":1,"op":"metrics"}', b'{"id":2,"op":"plan","plan":{"room":"r","epoch":1}}'],
        "endpoint": [b"\x01" + bytes([len(packet)]) + packet + bytes([len(compound)]) + compound],
        "glossary": [
            sheet.encode(encoding)
            for sheet in (
                "ko,ru,note\r\n척추,шов,\r\n",
                'sep=;\nen;uz\n"=a;b";"o\'pka ""x"""\n',
                "en\tmn\na\tб\n",
            )
            for encoding in ("utf-8-sig", "utf-16")
        ],
        "file_name": ["C:\\Снимки\\кость ﬁ.dcm".encode(), "../../../etc/a\u202efdp.exe".encode()],
        "frames": [b"\x06\x00\x04abcd\x03\x00\x01x"],
        "page": [b'{"mic":true,"camera":false,"resume":null}', b'{"level":"good","rtt_ms":40}'],
        "red": [bytes.fromhex("ef0f00046f0102030405060708")],
        "rtcp": [compound],
        "rtp": [packet + begun],
        "scanned": [
            b"stream: OK\x00",
            b"stream: Eicar FOUND\x00",
            b"ICAP/1.0 204 No Content\r\nISTag: x\r\n\r\n",
            b"ICAP/1.0 200 OK\r\nX-Infection-Found: x\r\n\r\nHTTP/1.1 403 No\r\n\r\n",
        ],
        "sdp": [answer.read_bytes()],
        "stun": [request],
        "twcc": [struct.pack("!8H", 1, 10, 2, 16, 5, 32, 3, 48)],
        "vp8": [begun],
    }
    return found[name]
