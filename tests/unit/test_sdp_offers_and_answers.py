"""Offers say what the design fixed; answers are read strictly and refused with a code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.aiortc_seam import Fingerprint
from media.ice.addresses import candidates
from media.ports import KINDS
from media.sdp import (
    CODES,
    INACTIVE,
    RECEIVE,
    SEND,
    LineOffer,
    OfferModel,
    SdpRefused,
    read_answer,
    stream_of,
    write_offer,
)

ANSWER = (Path(__file__).parent.parent / "data" / "chromium_156_answer.sdp").read_bytes().decode()
UPLINK = [LineOffer(str(index), kind, RECEIVE) for index, kind in enumerate(KINDS)]
DOWNLINK = [
    LineOffer("4", "audio", SEND, "bob:main", "bob:audio", "bob", 44),
    LineOffer("5", "camera", SEND, "bob:main", "bob:camera", "bob", 55, 56),
]
LINES = UPLINK + DOWNLINK


def offer(lines: list[LineOffer] = LINES) -> str:
    return write_offer(
        OfferModel(
            session=1,
            version=2,
            ufrag="ufra",
            password="p" * 24,
            fingerprint=Fingerprint("sha-256", "AA:" * 31 + "AA"),
            candidates=candidates(["192.0.2.1"], 4000, 4000),
            lines=lines,
        )
    )


def sections(text: str) -> list[list[str]]:
    return [part.split("\r\n") for part in text.split("\r\nm=")]


def test_an_offer_is_one_bundle_of_ice_lite_with_four_fixed_uplink_lines() -> None:
    head, *media = sections(offer())
    assert "a=ice-lite" in head
    assert "a=group:BUNDLE 0 1 2 3 4 5" in head
    assert [part[0].split()[0] for part in media] == ["audio", "video", "video", "video", "audio", "video"]
    for index, part in enumerate(media):
        assert f"a=mid:{index}" in part
        for always in ("a=rtcp-mux", "a=rtcp-rsize", "a=setup:actpass", "a=ice-ufrag:ufra"):
            assert always in part
        assert ("a=recvonly" in part) == (index < 4)
        assert ("a=sendonly" in part) == (index >= 4)


def test_candidates_stand_once_in_the_first_section_and_end() -> None:
    first, *others = sections(offer())[1:]
    assert sum(line.startswith("a=candidate:") for line in first) == 2
    assert "a=end-of-candidates" in first
    assert not any("candidate" in line for part in others for line in part)


def test_transport_cc_is_asked_of_senders_and_remb_of_receivers() -> None:
    for part in sections(offer())[1:]:
        text = "\n".join(part)
        sends = "a=sendonly" in part
        assert ("transport-cc" in text) != sends
        assert ("abs-send-time" in text) == sends
        if part[0].startswith("video"):
            assert ("goog-remb" in text) == sends


def test_a_delivery_names_its_participant_and_pairs_its_retransmissions() -> None:
    audio, camera = sections(offer())[5:7]
    assert "a=msid:bob:main bob:audio" in audio
    assert "a=ssrc:44 cname:bob" in audio
    assert not any("FID" in line for line in audio)
    assert "a=msid:bob:main bob:camera" in camera
    assert "a=ssrc-group:FID 55 56" in camera
    assert {"a=ssrc:55 cname:bob", "a=ssrc:56 cname:bob"} <= set(camera)


def test_sound_and_camera_share_a_stream_and_the_others_have_their_own() -> None:
    assert [stream_of("bob", kind) for kind in KINDS] == ["bob:main", "bob:main", "bob:screen", "bob:exam"]


def test_an_inactive_line_names_nobody() -> None:
    text = offer([*UPLINK, LineOffer("4", "audio", INACTIVE)])
    last = sections(text)[-1]
    assert "a=inactive" in last
    assert not any("msid" in line or "ssrc:" in line for line in last)


def test_payload_types_and_extension_ids_mean_the_same_on_every_line() -> None:
    text = offer()
    for pattern in (r"a=rtpmap:(\d+) (\S+)", r"a=extmap:(\d+) (\S+)"):
        found = set(re.findall(pattern, text))
        assert len(found) == len({number for number, _ in found})


def test_chromiums_answer_is_read() -> None:
    answer = read_answer(ANSWER, LINES)
    assert (answer.ufrag, answer.setup) == ("DUX1", "active")
    assert [f.algorithm for f in answer.fingerprints] == ["sha-256"]
    assert [line.sends for line in answer.lines] == [True, True, False, False, False, False]
    assert [line.receives for line in answer.lines] == [False] * 4 + [True, True]
    assert answer.lines[0].ssrcs == {1478742886: None}
    assert answer.lines[1].ssrcs == {3689093658: 1533850125}


def test_sound_with_redundancy_stands_first_with_the_form_browsers_insist_on() -> None:
    for part in sections(offer())[1:]:
        sound = part[0].startswith("audio")
        assert ("a=rtpmap:63 red/48000/2" in part) == ("a=fmtp:63 111/111" in part) == sound
        if sound:
            assert part[0].split()[3:] == ["63", "111"]


def test_each_line_of_sound_says_for_itself_whether_it_takes_redundancy() -> None:
    assert not any(line.red for line in read_answer(ANSWER, LINES).lines), "an answer without it"
    head, *parts = ANSWER.split("\r\nm=")
    parts[4] = parts[4].replace(" 111\r\n", " 63 111\r\n", 1)
    taken = parts[4].replace("a=rtpmap:111", "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:111")
    for part, red in ((taken, True), (parts[4], False)):
        answer = read_answer("\r\nm=".join([head, *parts[:4], part, *parts[5:]]), LINES)
        assert [line.red for line in answer.lines] == [False] * 4 + [red, False]


def test_sound_without_plain_opus_is_refused() -> None:
    with pytest.raises(SdpRefused) as refused:
        read_answer(ANSWER.replace("UDP/TLS/RTP/SAVPF 111", "UDP/TLS/RTP/SAVPF 63", 1), LINES)
    assert refused.value.code == "answer_mismatch"


def test_a_rejected_line_is_neither_sending_nor_receiving() -> None:
    text = ANSWER.replace("m=video 9 UDP/TLS/RTP/SAVPF 96 97", "m=video 0 UDP/TLS/RTP/SAVPF 96 97")
    text = text.replace("BUNDLE 0 1 2 3 4 5", "BUNDLE 0 4")
    answer = read_answer(text, LINES)
    assert [line.rejected for line in answer.lines] == [False, True, True, True, False, True]
    assert not answer.lines[5].receives
    assert answer.lines[1].ssrcs == {}


def test_ice_comes_from_the_bundles_line_when_the_first_is_rejected() -> None:
    text = ANSWER.replace("m=audio 43736", "m=audio 0").replace("BUNDLE 0 1", "BUNDLE 1")
    assert read_answer(text, LINES).ufrag == "DUX1"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("v=0", "v=1", "bad_answer"),
        ("s=-", "s", "bad_answer"),
        ("s=-", "S=-", "bad_answer"),
        ("s=-", "s=" + "x" * 5000, "bad_answer"),
        ("s=-", "s=" + "x" * 70000, "answer_too_large"),
        ("a=mid:0\r\n", "", "answer_mismatch"),
        ("a=mid:0\r\n", "a=mid:9\r\n", "answer_mismatch"),
        ("a=mid:0\r\n", "a=mid:0\r\na=mid:0\r\n", "bad_answer"),
        ("BUNDLE 0 1", "BUNDLE 1", "answer_mismatch"),
        ("a=group:BUNDLE 0 1 2 3 4 5\r\n", "", "answer_mismatch"),
        ("a=rtcp-mux\r\n", "", "answer_mismatch"),
        ("SAVPF 111", "SAVPF 111 0", "answer_mismatch"),
        ("SAVPF 96 97", "SAVPF 97", "answer_mismatch"),
        ("SAVPF 96 97", "SAVPF 96 200", "bad_answer"),
        ("m=audio 43736", "m=audio 99999", "bad_answer"),
        ("m=audio 43736", "m=application 43736", "bad_answer"),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP", "bad_answer"),
        ("a=sendonly", "a=sendrecv", "answer_mismatch"),
        ("a=sendonly", "a=recvonly", "answer_mismatch"),
        ("a=sendonly\r\n", "", "answer_mismatch"),
        ("a=sendonly", "a=sendonly\r\na=inactive", "bad_answer"),
        ("a=recvonly", "a=sendonly", "answer_mismatch"),
        ("a=ice-ufrag:DUX1\r\n", "", "answer_no_ice"),
        ("a=ice-ufrag:DUX1", "a=ice-ufrag:DUX", "answer_no_ice"),
        ("a=ice-ufrag:DUX1", "a=ice-ufrag:DU X1", "answer_no_ice"),
        ("a=ice-pwd:E+w6toS0BZBpzsxb6GyC162M", "a=ice-pwd:short", "answer_no_ice"),
        ("a=setup:active", "a=setup:actpass", "answer_no_dtls"),
        ("a=setup:active\r\n", "", "answer_no_dtls"),
        ("a=fingerprint:sha-256", "a=fingerprint:md5", "answer_no_dtls"),
        ("a=fingerprint:sha-256 42:", "a=fingerprint:sha-256 ", "bad_answer"),
        ("a=fingerprint:sha-256 42", "a=fingerprint:sha-256 4g", "bad_answer"),
        ("a=ssrc:1478742886", "a=ssrc:x", "bad_answer"),
        ("a=ssrc:1478742886", "a=ssrc:4294967296", "bad_answer"),
        ("FID 3689093658 1533850125", "FID 1", "bad_answer"),
        ("FID 3689093658 1533850125", "FID 5 5", "bad_answer"),
    ],
)
def test_a_wrong_answer_is_refused_with_its_code(old: str, new: str, code: str) -> None:
    assert old in ANSWER
    with pytest.raises(SdpRefused) as caught:
        read_answer(ANSWER.replace(old, new), LINES)
    assert caught.value.code == code
    assert code in CODES


def test_an_answer_to_another_number_of_lines_is_refused() -> None:
    with pytest.raises(SdpRefused):
        read_answer(ANSWER, UPLINK)


def test_a_refusal_repeats_nothing_of_the_answer() -> None:
    with pytest.raises(SdpRefused) as caught:
        read_answer(ANSWER.replace("s=-", "marked-name"), LINES)
    assert "marked-name" not in str(caught.value)


def read_or_refuse(text: str) -> None:
    try:
        read_answer(text, LINES)
    except SdpRefused as refused:
        if refused.code not in CODES:
            raise


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(text: str) -> None:
    read_or_refuse(text)
    read_or_refuse("v=0\r\n" + text)


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**6), st.sampled_from(["cut", "double", "drop", "insert"]), st.text(max_size=8)
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_mangled_answer_is_read_or_refused(changes: list[tuple[int, str, str]]) -> None:
    lines = ANSWER.split("\r\n")
    for position, how, text in changes:
        at = position % len(lines)
        if how == "cut":
            lines[at] = lines[at][: position % (len(lines[at]) + 1)] + text
        elif how == "double":
            lines.insert(at, lines[at])
        elif how == "drop" and len(lines) > 1:
            del lines[at]
        else:
            lines.insert(at, "a=" + text)
    read_or_refuse("\r\n".join(lines))


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "ice-ufrag",
                    "mid",
                    "setup",
                    "fingerprint",
                    "ssrc",
                    "ssrc-group",
                    "group",
                    "rtcp-mux",
                    "sendonly",
                ]
            ),
            st.text(max_size=40),
        ),
        max_size=12,
    )
)
def test_any_value_of_an_attribute_we_read_is_read_or_refused(attributes: list[tuple[str, str]]) -> None:
    extra = "\r\n".join(f"a={name}:{value}" for name, value in attributes)
    read_or_refuse(ANSWER + extra + "\r\n")
