"""The wire's parser: what a page may say, and how everything else is refused."""

from __future__ import annotations

import contextlib
import re
import typing
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling import events as ev
from signaling import messages as ms
from signaling import wire
from signaling import wire_interpreting as wi
from signaling import wire_snapshot as ws
from signaling.inbound import media_event
from signaling.limits import Bucket
from signaling.seat import Line

GOOD: Mapping[str, dict[str, object]] = {
    "join": {"mic": True, "camera": False, "resume": None},
    "answer": {"connection": "j1.1.1", "offer_id": "o-1", "sdp": "v=0\r\n"},
    "media": {"mic": True, "camera": True},
    "restart": {"reason": "failed"},
    "ice_restart": {},
    "quality": {"rtt_ms": 120, "loss_up": 0.01, "loss_down": None, "up_bps": 60_000, "level": "good"},
    "leave": {},
    "end": {},
    "admit": {"knock": "knock-1", "accept": True},
    "pause": {"reason": "private_talk"},
    "resume": {},
    "view": {"shown": [{"participant": "s-2", "kind": "camera", "height": 360}]},
    "mode": {"mode": "simultaneous"},
    "direction": {"source": "ru", "target": "ko"},
    "hearing": {"choice": "both"},
    "floor": {"participant": None},
    "listen": {"participant": "s-2"},
    "signal": {"kind": "slower"},
    "handover": {"step": "request"},
    "mute_passive": {},
    "partner": {"on": True},
    "partner_text": {"text": "your turn"},
    "step": {"participant": "s-2", "out": True},
}
BAD: list[tuple[str, object, str]] = [
    ("join", {"mic": 1}, "mic"),
    ("join", {"mic": "true"}, "mic"),
    ("join", {"resume": "x" * 129}, "resume"),
    ("join", {"resume": "a b"}, "resume"),
    ("join", {"admin": True}, "admin"),
    ("join", [], ""),
    ("join", None, ""),
    ("answer", {"connection": "c", "offer_id": "o"}, "sdp"),
    ("answer", {"connection": "c", "offer_id": "o", "sdp": ""}, "sdp"),
    ("answer", {"connection": "c", "offer_id": "o", "sdp": "x" * (ms.MAX_SDP_CHARS + 1)}, "sdp"),
    ("answer", {"connection": "../c\n", "offer_id": "o", "sdp": "v=0"}, "connection"),
    ("media", {"mic": True}, "camera"),
    ("media", {"mic": True, "camera": True, "screen": 1}, "screen"),
    ("quality", {"level": "excellent"}, "level"),
    ("quality", {"level": "good", "rtt_ms": -1}, "rtt_ms"),
    ("quality", {"level": "good", "rtt_ms": float("nan")}, "rtt_ms"),
    ("quality", {"level": "good", "loss_up": 1.5}, "loss_up"),
    ("restart", {"reason": "x" * 65}, "reason"),
    ("admit", {"knock": "k", "accept": "yes"}, "accept"),
    ("admit", {"knock": "", "accept": True}, "knock"),
    ("pause", {}, "reason"),
    ("pause", {"reason": "lunch"}, "reason"),
    ("resume", {"reason": "other"}, "reason"),
    ("view", {}, "shown"),
    ("view", {"shown": [{"participant": "a", "kind": "audio", "height": 1}]}, "shown.0.kind"),
    ("view", {"shown": [{"participant": "a", "kind": "camera", "height": -1}]}, "shown.0.height"),
    ("view", {"shown": [{"participant": "a", "kind": "camera", "height": 1.5}]}, "shown.0.height"),
    ("view", {"shown": [{"participant": "../a", "kind": "camera", "height": 1}]}, "shown.0.participant"),
    ("view", {"shown": [{"participant": "a", "kind": "camera", "height": 1}] * 65}, "shown"),
    ("mode", {"mode": "chuchotage"}, "mode"),
    ("direction", {"source": "ru"}, "target"),
    ("direction", {"source": "RU", "target": "ko"}, "source"),
    ("direction", {"source": "russian", "target": "ko"}, "source"),
    ("hearing", {"choice": None}, "choice"),
    ("floor", {}, "participant"),
    ("floor", {"participant": "a/b"}, "participant"),
    ("listen", {"participant": 1}, "participant"),
    ("signal", {"kind": "louder"}, "kind"),
    ("handover", {"step": "take"}, "step"),
    ("mute_passive", {"participant": "s-2"}, "participant"),
    ("partner", {"on": 1}, "on"),
    ("partner_text", {"text": ""}, "text"),
    ("partner_text", {"text": "x" * 501}, "text"),
    ("partner_text", {"text": "x", "to": "s-2"}, "to"),
    ("step", {"participant": "s-2"}, "out"),
    ("shutdown", {}, "event"),
]


@pytest.mark.parametrize("event", sorted(ms.INCOMING))
def test_every_event_has_an_example_that_parses_and_an_ability(event: str) -> None:
    assert type(ms.parse(event, GOOD[event])) is ms.INCOMING[event]
    assert event in ms.ABILITY


@pytest.mark.parametrize(("event", "data", "field"), BAD)
def test_what_is_outside_the_protocol_is_refused_with_its_field(event: str, data: object, field: str) -> None:
    with pytest.raises(wire.BadMessage) as refused:
        ms.parse(event, data)
    assert refused.value.field == field
    assert refused.value.code == "bad_message"


def test_the_connect_packet_names_a_seat_and_nothing_else() -> None:
    assert ms.parse_connect({"seat": "abc"}).seat == "abc"
    for bad in ({}, {"seat": 1}, {"seat": "a/b"}, {"seat": "a", "token": "t"}, None, "abc"):
        with pytest.raises(wire.BadMessage):
            ms.parse_connect(bad)


def test_a_refusal_quotes_nothing_of_the_message() -> None:
    with pytest.raises(wire.BadMessage) as refused:
        ms.parse("join", {"mic": "MARK-OF-A-PATIENT"})
    assert "MARK" not in str(refused.value)
    assert refused.value.__cause__ is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = sorted({name for model in ms.INCOMING.values() for name in model.model_fields})


@given(event=st.sampled_from(sorted(ms.INCOMING)) | st.text(max_size=10), data=JSON)
def test_any_json_either_parses_or_is_refused(event: str, data: object) -> None:
    with contextlib.suppress(wire.BadMessage):
        assert isinstance(ms.parse(event, data), wire.Message)


@given(event=st.sampled_from(sorted(ms.INCOMING)), data=st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_known_fields_of_any_type_either_parse_or_are_refused(event: str, data: dict[str, object]) -> None:
    try:
        parsed = ms.parse(event, data)
    except wire.BadMessage:
        return
    assert set(parsed.wire()) >= set(data)


def test_every_outgoing_message_is_closed_to_unknown_fields() -> None:
    for model in ms.OUTGOING.values():
        assert model.model_config["extra"] == "forbid"
    assert set(typing.get_args(wire.ClosedCode)) == {"ended", "replaced", "revoked", "removed"}


def test_the_protocol_document_names_every_event_field_code_and_state() -> None:
    text = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
    words = set(ms.INCOMING) | set(ms.OUTGOING)
    inner = (ws.Participant, ws.You, ws.WaitingKnock, ws.Paused)
    inner += (ms.ShownPicture, ws.LineState, ws.PausedPicture, wi.InterpretationShown, wi.DirectionShown)
    for model in (*ms.INCOMING.values(), *ms.OUTGOING.values(), *inner):
        words |= set(model.model_fields)
    said = (wire.ClosedCode, wire.LightState, wire.RoomState, wire.TrackKind, wire.QualityLevel)
    said += (wi.ModeWord, wi.Hearing, wi.Level, wi.SignalKind, wi.HandoverStep, wi.FloorBy)
    for literal in (*said, wire.PauseReason, wire.WaitsFor, wire.LineMode, wire.PausedWhy):
        words |= set(typing.get_args(literal))
    source = Path(ms.__file__).parent.glob("*.py")
    for file in source:
        words |= set(re.findall(r"""\b(?:Refused|refused)\("(\w+)"\)""", file.read_text(encoding="utf-8")))
    assert not {word for word in words if not re.search(rf"\b{word}\b", text)}


# --- the media plane's events -----------------------------------------------------------------------------


def test_media_events_that_are_not_ours_are_none() -> None:
    assert media_event({"ev": "heads", "room": "s", "epoch": 1, "heads": {}}) is None
    assert media_event({}) is None
    assert media_event({"ev": "closed", "room": "s", "epoch": 1, "more": 1}) is not None


@given(
    name=st.sampled_from(["offer", "peer", "stored", "dismissed", "lines", "turn", "closed"]),
    data=st.dictionaries(st.text(max_size=6), JSON),
)
def test_a_malformed_media_event_is_a_value_error_and_nothing_else(
    name: str, data: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match="malformed"):
        media_event({**data, "ev": name, "epoch": "one"})


# --- how fast --------------------------------------------------------------------------------------------


def test_twenty_events_a_second_pass_and_the_next_does_not() -> None:
    bucket = Bucket(0)
    assert [bucket.take(0) for _ in range(21)] == [True] * 20 + [False]
    assert bucket.take(50)
    assert not bucket.take(50)


def test_a_clock_that_steps_back_gives_nothing() -> None:
    bucket = Bucket(10_000)
    for _ in range(20):
        bucket.take(10_000)
    assert not bucket.take(0)
    assert bucket.take(50)


def test_a_report_on_lines_comes_whole_or_not_at_all() -> None:
    line = {"down_bps": 340_000, "mode": "thin", "paused": [["b", "camera", "thin"]]}
    parsed = media_event({"ev": "lines", "room": "s", "epoch": 2, "peers": {"a": line}})
    assert parsed == ("s", ev.LinesChanged(2, (("a", Line("thin", 340_000, (("b", "camera", "thin"),))),)))
    for bad in (
        {"down_bps": -1},
        {"mode": "slow"},
        {"paused": [["b", "audio", "thin"]]},
        {"paused": [["b", "camera"]]},
    ):
        with pytest.raises(ValueError, match="malformed"):
            media_event({"ev": "lines", "room": "s", "epoch": 2, "peers": {"a": {**line, **bad}}})


def test_a_line_to_the_fellow_interpreter_is_cleaned_as_the_chat_is() -> None:
    line = ms.parse("partner_text", {"text": " your\u202e turn\x07\u200b"})
    assert line == wi.PartnerText.model_construct(text="your turn\u200b")
    assert ms.parse("partner_text", {"text": "\u200b"}) == wi.PartnerText.model_construct(text="")
