"""Layers in offers and answers (RFC 8851, 8853): offered for the camera alone, taken only as offered."""

from __future__ import annotations

import pytest

from media.aiortc_seam import Fingerprint
from media.layers import RIDS
from media.ports import KINDS
from media.sdp import RECEIVE, LineOffer, OfferModel, SdpRefused, read_answer, write_offer

LINES = [
    LineOffer(str(index), kind, RECEIVE, rids=RIDS if kind == "camera" else ())
    for index, kind in enumerate(KINDS)
]
BOTH = ["a=rid:l send", "a=rid:h send", "a=simulcast:send l;h"]


def answer(*camera: str, mid: str = "1") -> str:
    out = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0 1 2 3"]
    for index, kind in enumerate(KINDS):
        media, types = ("audio", "111") if kind == "audio" else ("video", "96 97")
        out += [f"m={media} 9 UDP/TLS/RTP/SAVPF {types}", f"a=mid:{index}", "a=rtcp-mux"]
        out += ["a=ice-ufrag:abcd", "a=ice-pwd:" + "x" * 24, "a=setup:active"]
        out += ["a=fingerprint:sha-256 " + ":".join(["AA"] * 32)]
        out += ["a=sendonly" if kind in ("audio", "camera") else "a=inactive"]
        out += camera if str(index) == mid else []
    return "\r\n".join(out) + "\r\n"


def layers(*camera: str, mid: str = "1") -> tuple[str, ...]:
    return read_answer(answer(*camera, mid=mid), LINES).lines[1].rids


def test_layers_are_offered_for_the_camera_alone_low_first() -> None:
    model = OfferModel(1, 1, "u", "p" * 24, Fingerprint("sha-256", "AA"), [], LINES)
    for index, section in enumerate(write_offer(model).split("\r\nm=")[1:]):
        found = [line for line in section.split("\r\n") if "rid:" in line or "simulcast" in line]
        expected = ["a=rid:l recv", "a=rid:h recv", "a=simulcast:recv l;h"] if index == 1 else []
        assert found == expected


def test_an_answer_with_layers_names_them() -> None:
    assert layers(*BOTH) == ("l", "h")
    assert layers("a=rid:l send", "a=rid:h send", "a=simulcast:send l;~h") == ("l", "h")
    assert layers("a=rid:h send", "a=simulcast:send h") == ("h",)


def test_an_answer_without_simulcast_is_one_plain_stream() -> None:
    pair = ("a=ssrc-group:FID 5 6", "a=ssrc:5 cname:x", "a=ssrc:6 cname:x")
    read = read_answer(answer(*pair), LINES).lines[1]
    assert (read.rids, read.ssrcs) == ((), {5: 6})
    assert layers(*BOTH[:2]) == ()


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["a=rid:l send", "a=rid:x send", "a=simulcast:send l;x"], "answer_mismatch"),
        (["a=rid:l send", "a=simulcast:send l;h"], "answer_mismatch"),
        (["a=rid:l send", "a=rid:h recv", "a=simulcast:send l;h"], "answer_mismatch"),
        (["a=rid:l send", "a=simulcast:send l;l"], "answer_mismatch"),
        (["a=rid:l send", "a=rid:h send", "a=simulcast:send l,h"], "answer_mismatch"),
        (["a=rid:l send", "a=rid:l send"], "bad_answer"),
        (["a=rid:\u00e9 send"], "bad_answer"),
        (["a=simulcast:send l", "a=simulcast:send h"], "bad_answer"),
        ([f"a=rid:r{number} send" for number in range(9)], "bad_answer"),
    ],
)
def test_layers_that_were_not_offered_or_make_no_sense_are_refused(lines: list[str], code: str) -> None:
    with pytest.raises(SdpRefused) as refused:
        layers(*lines)
    assert refused.value.code == code


def test_layers_of_what_is_sent_once_are_refused() -> None:
    with pytest.raises(SdpRefused):
        layers(*BOTH, mid="2")
