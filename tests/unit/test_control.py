"""The control channel's messages: what is read, what is refused, and that keys stay out of sight."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media import control
from media.control import ControlRefusedError, PeerPlan, PlanRequest, RoomPlan

KEY = base64.b64encode(bytes(range(32))).decode()
PLAN: dict[str, Any] = {
    "room": "r" * 22,
    "epoch": 1,
    "version": 3,
    "closed": False,
    "peers": {"p1": {"connection": "join.1.1", "mic": True, "camera": False, "grant": "g", "key": KEY}},
    "room_key": KEY,
    "routes": None,
    "pause": {"by": "p1", "why": "private_talk"},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
IDS = st.from_regex(r"\A[A-Za-z0-9_-]{1,22}\Z")
PLANS = st.builds(
    RoomPlan,
    IDS,
    st.integers(1, 1000),
    st.integers(0, 1000),
    st.booleans(),
    st.dictionaries(
        IDS,
        st.builds(
            PeerPlan,
            IDS,
            st.booleans(),
            st.booleans(),
            st.none() | IDS,
            st.none() | st.binary(min_size=32, max_size=32),
            st.lists(st.tuples(IDS, st.sampled_from(control.KINDS), st.integers(0, 10_000)), max_size=3).map(
                tuple
            ),
        ),
        max_size=4,
    ),
    st.none() | st.binary(min_size=32, max_size=32),
    st.none()
    | st.dictionaries(
        IDS, st.lists(st.tuples(IDS, st.sampled_from(control.KINDS)), max_size=3).map(tuple), max_size=3
    ),
)


def request(**message: Any) -> control.Request:
    return control.parse_request(control.encode(message))


def refused(line: bytes) -> ControlRefusedError:
    with pytest.raises(ControlRefusedError) as caught:
        control.parse_request(line)
    return caught.value


@settings(deadline=None)
@given(PLANS)
def test_a_plan_comes_back_as_it_was_sent(plan: RoomPlan) -> None:
    parsed = request(op="plan", id=1, plan=plan.to_wire())
    assert parsed == PlanRequest(1, plan)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_line_makes_the_parser_raise_anything_but_a_refusal(line: bytes) -> None:
    assert refused(line).code in ("bad_json", "bad_message", "unknown_op")


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["op", "id", "plan", "room", "peer", "sdp", "connection"]), JSON))
def test_no_object_makes_the_parser_raise_anything_but_a_refusal(message: dict[str, Any]) -> None:
    refused(control.encode(message))


@settings(deadline=None)
@given(st.sampled_from(sorted(PLAN)), JSON)
def test_a_plan_with_a_strange_value_is_read_or_refused(name: str, value: Any) -> None:
    line = control.encode({"op": "plan", "id": 1, "plan": {**PLAN, name: value}})
    code = None
    with contextlib.suppress(ControlRefusedError):
        try:
            control.parse_request(line)
        except ControlRefusedError as error:
            code = error.code
            raise
    assert code in (None, "bad_plan")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"room": "../etc"}, "bad_plan"),
        ({"room": ""}, "bad_plan"),
        ({"epoch": 0}, "bad_plan"),
        ({"epoch": True}, "bad_plan"),
        ({"version": 1.5}, "bad_plan"),
        ({"closed": 1}, "bad_plan"),
        ({"peers": []}, "bad_plan"),
        ({"peers": {"a b": {"connection": "c"}}}, "bad_plan"),
        ({"peers": {"p": {"connection": "c", "key": "short"}}}, "bad_plan"),
        ({"peers": {"p": {"connection": "c", "name": "x"}}}, "bad_plan"),
        ({"peers": {str(n): {"connection": "c"} for n in range(65)}}, "bad_plan"),
        ({"room_key": base64.b64encode(bytes(16)).decode()}, "bad_plan"),
        ({"routes": {"p": [["q", "smell"]]}}, "bad_plan"),
        ({"peers": {"p": {"connection": "c", "view": [["q", "camera", -1]]}}}, "bad_plan"),
        ({"peers": {"p": {"connection": "c", "view": [["q", "camera", 10_001]]}}}, "bad_plan"),
        ({"peers": {"p": {"connection": "c", "view": [["q", "camera"]]}}}, "bad_plan"),
        ({"peers": {"p": {"connection": "c", "view": {"q": 1}}}}, "bad_plan"),
        ({"lost": "p"}, "bad_plan"),
        ({"lost": ["../etc"]}, "bad_plan"),
        ({"lost": [f"p{n}" for n in range(65)]}, "bad_plan"),
        ({"extra": 1}, "bad_plan"),
    ],
)
def test_a_plan_that_is_not_one_is_refused_with_its_id(change: dict[str, Any], code: str) -> None:
    error = refused(control.encode({"op": "plan", "id": 9, "plan": {**PLAN, **change}}))
    assert (error.code, error.request_id) == (code, 9)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "bad_json"),
        (b"[]", "bad_message"),
        (b"{", "bad_json"),
        (b'{"id":NaN}', "bad_json"),
        (b"[" * 100_000, "bad_json"),
        (b"{}", "bad_message"),
        (b'{"id":true,"op":"drain"}', "bad_message"),
        (b'{"id":1,"op":"explode"}', "unknown_op"),
        (b'{"id":1,"op":"drain","now":1}', "bad_message"),
        (b'{"id":1,"op":"restart_ice","room":"r","peer":"p","connection":7}', "bad_message"),
        (b" " * (control.MAX_LINE + 1), "too_long"),
    ],
)
def test_a_line_that_is_no_request_is_refused(line: bytes, code: str) -> None:
    assert refused(line).code == code


def test_every_operation_is_read() -> None:
    whose = {"room": "r", "peer": "p", "connection": "j.1.1"}
    assert request(op="answer", id=1, **whose, offer_id="o", sdp="v=0") == control.AnswerRequest(
        1, "r", "p", "j.1.1", "o", "v=0"
    )
    assert request(op="restart_ice", id=2, **whose) == control.RestartIceRequest(2, "r", "p", "j.1.1")
    assert request(op="metrics", id=3) == control.MetricsRequest(3)
    assert request(op="drain", id=4) == control.DrainRequest(4)


def test_a_key_and_an_sdp_are_in_no_repr() -> None:
    parsed = request(op="plan", id=1, plan=PLAN)
    answer = request(op="answer", id=1, room="r", peer="p", connection="c", offer_id="o", sdp="v=0 secret")
    assert str(bytes(range(32)))[2:-1] not in repr(parsed)
    assert "secret" not in repr(answer)


def test_only_a_grant_with_a_key_may_be_recorded() -> None:
    assert PeerPlan("c", grant="g", key=bytes(32)).recordable
    assert not PeerPlan("c", grant="g").recordable
    assert not PeerPlan("c", key=bytes(32)).recordable


def test_settings_are_read_and_refused() -> None:
    wanted = control.WorkerSettings(
        "/tmp/s",  # noqa: S108
        "/tmp/j",  # noqa: S108
        announce=("127.0.0.1",),
        udp_port=5,
        roll_after_s=10.0,
    )
    assert control.parse_settings(wanted.to_line()) == wanted
    for change in (
        {"udp_port": 70_000},
        {"socket": ""},
        {"announce": "x"},
        {"more": 1},
        {"journal_root": 1},
        {"roll_after_s": -1},
    ):
        line = json.dumps({**json.loads(wanted.to_line()), **change}).encode()
        with pytest.raises(ControlRefusedError, match="bad_settings"):
            control.parse_settings(line)
