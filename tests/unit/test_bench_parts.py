"""The bench's own parts: what it sends is what it says, and what it checks it really catches."""

from __future__ import annotations

import contextlib
import struct

import pytest

from media.bench import rtcp
from media.bench.answer import LocalSide, OfferError, Sending, parse_offer, write_answer
from media.bench.dtls import DtlsClient, DtlsError, Identity
from media.bench.traffic import AUDIO, VIDEO, Received, read_stamp, stamp, vp8_head

OFFER = "\r\n".join(
    [
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1 2 4", "a=ice-lite",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=ice-ufrag:abcd", "a=ice-pwd:0123456789012345678901",
        "a=fingerprint:sha-256 AA:BB", "a=setup:actpass", "a=recvonly", "a=rtpmap:111 opus/48000/2",
        "a=candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host",
        "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97", "a=mid:1", "a=recvonly", "a=rtpmap:96 VP8/90000",
        "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96",
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97", "a=mid:2", "a=recvonly", "a=rtpmap:96 VP8/90000",
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97", "a=mid:4", "a=sendonly", "a=rtpmap:96 VP8/90000",
        "a=msid:someone x", "a=ssrc-group:FID 10 11", "a=ssrc:10 cname:c", "a=ssrc:11 cname:c", "",
    ]
)  # fmt: skip
LOCAL = LocalSide("uuuu", "p" * 24, "CC:DD", ("127.0.0.1", 4000), "name")


def test_an_offer_is_read_with_its_candidates_codecs_and_streams() -> None:
    offer = parse_offer(OFFER)
    assert (offer.ufrag, offer.lite, offer.candidates) == ("abcd", True, [("127.0.0.1", 5000)])
    assert [m.mid for m in offer.media] == ["0", "1", "2", "4"]
    assert offer.media[0].payload("opus") == 111
    assert offer.media[1].payload("rtx") == 97
    assert offer.media[3].ssrcs == {10: 11}
    assert offer.media[0].extension("transport-wide-cc-extensions-01") == 3


def test_an_answer_sends_what_is_given_and_mirrors_the_rest() -> None:
    text = write_answer(parse_offer(OFFER), LOCAL, {"0": Sending(7, None, "a"), "1": Sending(8, 9, "v")})
    parts = text.split("m=")
    assert "a=sendonly" in parts[1]
    assert "a=ssrc:7 cname:name" in parts[1]
    assert "a=ssrc-group:FID 8 9" in parts[2]
    assert "a=inactive" in parts[3]
    assert "a=recvonly" in parts[4]
    assert text.count("a=setup:active") == 4
    assert text.startswith("v=0\r\n")


def test_a_camera_in_layers_is_answered_by_rids_and_lists_no_ssrc() -> None:
    text = write_answer(parse_offer(OFFER), LOCAL, {"1": Sending(8, 9, "v", ("l", "h"))})
    camera = text.split("m=")[2]
    assert "a=rid:l send\r\na=rid:h send\r\na=simulcast:send l;h\r\n" in camera
    assert "a=ssrc" not in camera


@pytest.mark.parametrize("spoiled", ["a=ice-pwd:0123456789012345678901\r\n", "a=mid:1\r\n"])
def test_an_offer_that_no_browser_could_use_is_refused(spoiled: str) -> None:
    with pytest.raises(OfferError):
        parse_offer(OFFER.replace(spoiled, ""))


def test_a_flipped_bit_a_wrong_source_and_a_repeat_are_each_noticed() -> None:
    good = stamp(vp8_head(True, True, 5) + bytes(100), 3, VIDEO, 1, 42, 1_000)
    received = Received()
    received.take(memoryview(good), (3, VIDEO), 2_000)
    received.take(memoryview(good), (3, VIDEO), 2_000)
    received.take(memoryview(good), (4, VIDEO), 2_000)
    received.take(memoryview(good[:50] + b"!" + good[51:]), (3, VIDEO), 2_000)
    received.take(memoryview(stamp(b"", 3, VIDEO, 1, 41, 1_500)), (3, VIDEO), 2_000)
    tally = received.tallies[3, VIDEO]
    assert (tally.measured, tally.duplicates, tally.reordered) == (2, 1, 1)
    assert (received.corrupt, received.misrouted) == (1, 1)
    assert received.latencies_ns == [1_000, 500]
    assert read_stamp(b"short") is None
    assert read_stamp(stamp(b"", 1, AUDIO, 0, 7, 9)) is not None


def test_a_key_frame_looks_like_one_and_a_delta_frame_does_not() -> None:
    assert vp8_head(True, True, 1)[4] & 1 == 0
    assert vp8_head(True, True, 1)[7:10] == b"\x9d\x01\x2a"
    assert vp8_head(True, False, 1)[4] & 1 == 1
    assert len(vp8_head(False, True, 1)) == 4


def test_rtcp_is_walked_block_by_block_and_never_past_its_end() -> None:
    nack = struct.pack("!BBHIIHH", 0x81, rtcp.RTPFB, 3, 1, 77, 100, 0b101)
    compound = rtcp.receiver_reports(1, {}) + nack + rtcp.picture_loss(1, 2)
    kinds = [(kind, count) for kind, count, _ in rtcp.blocks(compound)]
    assert kinds == [(rtcp.RR, 0), (rtcp.RTPFB, 1), (rtcp.PSFB, 1)]
    body = next(body for kind, _, body in rtcp.blocks(compound) if kind == rtcp.RTPFB)
    assert rtcp.nacked(body) == (77, [100, 101, 103])
    lying = struct.pack("!BBHI", 0x81, rtcp.RTPFB, 900, 1)
    assert list(rtcp.blocks(lying)) == []
    assert list(rtcp.blocks(compound[:-1]))[:-1] != []
    report = rtcp.sender_report(1, rtcp.ntp_now(), 2, 3, 4, "cname")
    assert len(report) % 4 == 0
    assert [kind for kind, _, _ in rtcp.blocks(report)] == [rtcp.SR, 202]
    assert rtcp.remb(1, 5_000_000, [9])[12:16] == b"REMB"


def test_highest_sequence_numbers_extend_over_the_wrap() -> None:
    state = rtcp.Inbound()
    for seq in (65534, 65535, 0, 2, 1):
        state.take(seq)
    assert state.highest == 65536 + 2


def test_dtls_refuses_a_certificate_other_than_the_announced() -> None:
    from OpenSSL import SSL

    server_identity, client_identity = Identity(), Identity()
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    context.use_certificate(server_identity.certificate)
    context.use_privatekey(server_identity.key)
    context.set_tlsext_use_srtp(b"SRTP_AEAD_AES_256_GCM")

    def shake(fingerprint: str) -> DtlsClient:
        to_server: list[bytes] = []
        client = DtlsClient(client_identity, fingerprint, to_server.append)
        server = SSL.Connection(context, None)
        server.set_accept_state()
        client.start()
        for _ in range(20):
            while to_server:
                server.bio_write(to_server.pop(0))
            with contextlib.suppress(SSL.WantReadError):
                server.do_handshake()
            with contextlib.suppress(SSL.WantReadError):
                client.datagram(server.bio_read(4000))
            if client.done:
                return client
        raise AssertionError("no handshake")

    client = shake(server_identity.fingerprint)
    assert client.profile == b"SRTP_AEAD_AES_256_GCM"
    assert client.tx is not None
    with pytest.raises(DtlsError):
        shake(client_identity.fingerprint)
