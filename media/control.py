"""The worker's control channel: every message on it, parsed strictly or refused with a stable code.

One JSON object per line over a Unix socket. The wanted state of a room is always sent whole (a plan),
never as a delta. This module knows bytes and values only: no sockets, no rooms. A secret is in no repr.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from media.fence import LeaseRequest

MAX_LINE = 1 << 20
"""Longest control line in bytes; an SDP for eight participants is about 30 kB."""
MAX_PEERS = 64
KEY_BYTES = 32
FLOOR_BYTES = 64 * 1024 * 1024
KINDS = ("audio", "camera", "screen", "exam")
"""Track kinds, in the order of the four fixed uplink m-lines."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CONNECTION = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_GRANT = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


class ControlRefusedError(Exception):
    """A message that the channel refuses. `code` is stable; the text never repeats what was sent."""

    def __init__(self, code: str, request_id: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.request_id = request_id


@dataclass(frozen=True, slots=True)
class PeerPlan:
    """One participant as wanted. `mic` and `camera` say whether it means to send (False = muted)."""

    connection: str
    mic: bool = True
    camera: bool = True
    grant: str | None = None
    key: bytes | None = field(default=None, repr=False)

    @property
    def recordable(self) -> bool:
        """Whether this peer may reach the recorder: both a live consent grant and a seat key."""
        return self.grant is not None and self.key is not None


@dataclass(frozen=True, slots=True)
class PausePlan:
    """Nobody is recorded. Who wants it (an opaque id) and why (a code) go into the journal."""

    by: str
    why: str


@dataclass(frozen=True, slots=True)
class RoomPlan:
    """The whole wanted state of one room. Ordered by (epoch, version); an older one is ignored."""

    room: str
    epoch: int
    version: int
    closed: bool = False
    peers: Mapping[str, PeerPlan] = field(default_factory=dict)
    room_key: bytes | None = field(default=None, repr=False)
    routes: Mapping[str, tuple[tuple[str, str], ...]] | None = None
    """Subscriber -> (source peer, kind) pairs; None = everyone hears and sees everyone."""
    pause: PausePlan | None = None

    @property
    def order(self) -> tuple[int, int]:
        return (self.epoch, self.version)

    def to_wire(self) -> dict[str, Any]:
        """The plan as JSON values, keys as base64."""
        return {
            "room": self.room,
            "epoch": self.epoch,
            "version": self.version,
            "closed": self.closed,
            "peers": {
                name: {
                    "connection": peer.connection,
                    "mic": peer.mic,
                    "camera": peer.camera,
                    "grant": peer.grant,
                    "key": _to_base64(peer.key),
                }
                for name, peer in self.peers.items()
            },
            "room_key": _to_base64(self.room_key),
            "routes": None
            if self.routes is None
            else {name: [list(pair) for pair in pairs] for name, pairs in self.routes.items()},
            "pause": None if self.pause is None else {"by": self.pause.by, "why": self.pause.why},
        }


@dataclass(frozen=True, slots=True)
class PlanRequest:
    id: int
    plan: RoomPlan


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    id: int
    room: str
    peer: str
    connection: str
    offer_id: str
    sdp: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RestartIceRequest:
    id: int
    room: str
    peer: str
    connection: str


@dataclass(frozen=True, slots=True)
class MetricsRequest:
    id: int


@dataclass(frozen=True, slots=True)
class DrainRequest:
    """Take no new rooms; those that live go on to their end."""

    id: int


Request = PlanRequest | AnswerRequest | RestartIceRequest | MetricsRequest | DrainRequest | LeaseRequest


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What the supervisor writes as the first line on the worker's stdin."""

    socket: str
    journal_root: str
    udp_host: str = "0.0.0.0"
    udp_port: int = 0
    announce: tuple[str, ...] = ()
    log_level: str = "INFO"
    worker_id: str = "worker"
    roll_after_s: float = 0.0
    """End each segment after so long and go on in the next one; 0: never."""
    floor_bytes: int = FLOOR_BYTES
    """Below this much free space on the journal's disk no more media is taken."""

    def to_line(self) -> bytes:
        return encode(
            {
                "socket": self.socket,
                "journal_root": self.journal_root,
                "udp_host": self.udp_host,
                "udp_port": self.udp_port,
                "announce": list(self.announce),
                "log_level": self.log_level,
                "worker_id": self.worker_id,
                "roll_after_s": self.roll_after_s,
                "floor_bytes": self.floor_bytes,
            }
        )


def encode(message: Mapping[str, Any]) -> bytes:
    """One message as one line, newline included."""
    return json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """One line as an object. Raises ControlRefusedError: too_long, bad_json or bad_message."""
    if len(line) > MAX_LINE:
        raise ControlRefusedError("too_long")
    try:
        message = json.loads(line.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ControlRefusedError("bad_json") from None
    if not isinstance(message, dict):
        raise ControlRefusedError("bad_message")
    return message


def parse_request(line: bytes) -> Request:
    """A request, or ControlRefusedError with the request's id where that could be read."""
    message = decode(line)
    request_id = message.get("id")
    if type(request_id) is not int or not 0 <= request_id < 1 << 53:
        raise ControlRefusedError("bad_message")
    try:
        return _parse_op(message, request_id)
    except ControlRefusedError as refused:
        raise ControlRefusedError(refused.code, request_id) from None


def parse_plan(value: object) -> RoomPlan:
    """A plan from JSON values. Raises ControlRefusedError("bad_plan")."""
    plan = _object(value, "bad_plan")
    _only(plan, {"room", "epoch", "version", "closed", "peers", "room_key", "routes", "pause"}, "bad_plan")
    peers = _object(plan.get("peers"), "bad_plan")
    if len(peers) > MAX_PEERS:
        raise ControlRefusedError("bad_plan")
    return RoomPlan(
        room=_text(plan.get("room"), _ID, "bad_plan"),
        epoch=_count(plan.get("epoch"), 1, "bad_plan"),
        version=_count(plan.get("version"), 0, "bad_plan"),
        closed=_flag(plan.get("closed", False), "bad_plan"),
        peers={_text(name, _ID, "bad_plan"): _parse_peer(peer) for name, peer in peers.items()},
        room_key=_key(plan.get("room_key")),
        routes=_parse_routes(plan.get("routes")),
        pause=_parse_pause(plan.get("pause")),
    )


def parse_settings(line: bytes) -> WorkerSettings:
    """The settings line. Raises ControlRefusedError("bad_settings")."""
    message = decode(line)
    known = set(WorkerSettings.__dataclass_fields__)
    _only(message, known, "bad_settings")
    announce = message.get("announce", [])
    numbers = {"udp_port", "announce", "roll_after_s", "floor_bytes"}
    texts = {name: message.get(name, "") for name in known - numbers}
    port, roll = message.get("udp_port", 0), message.get("roll_after_s", 0.0)
    floor = message.get("floor_bytes", FLOOR_BYTES)
    if (
        not isinstance(announce, list)
        or not all(isinstance(address, str) for address in announce)
        or not all(isinstance(text, str) for text in texts.values())
        or type(port) is not int
        or not 0 <= port < 65536
        or type(roll) not in (int, float)
        or not 0 <= roll <= 3600
        or type(floor) is not int
        or floor < 0
        or not texts["socket"]
        or not texts["journal_root"]
    ):
        raise ControlRefusedError("bad_settings")
    return WorkerSettings(
        socket=texts["socket"],
        journal_root=texts["journal_root"],
        udp_host=texts["udp_host"] or "0.0.0.0",
        udp_port=port,
        announce=tuple(announce),
        log_level=texts["log_level"] or "INFO",
        worker_id=texts["worker_id"] or "worker",
        roll_after_s=float(roll),
        floor_bytes=floor,
    )


def ok(request_id: int, **values: Any) -> bytes:
    """A reply line that grants the request."""
    return encode({"re": request_id, "ok": True, **values})


def refusal(request_id: int | None, code: str) -> bytes:
    """A reply line that refuses it; `re` is null when the request's id could not be read."""
    return encode({"re": request_id, "ok": False, "code": code})


def _parse_op(message: dict[str, Any], request_id: int) -> Request:
    match message.get("op"):
        case "plan":
            _only(message, {"op", "id", "plan"})
            return PlanRequest(request_id, parse_plan(message.get("plan")))
        case "answer":
            _only(message, {"op", "id", "room", "peer", "connection", "offer_id", "sdp"})
            sdp = message.get("sdp")
            if not isinstance(sdp, str) or not sdp:
                raise ControlRefusedError("bad_message")
            offer_id = _text(message.get("offer_id"), _CONNECTION)
            return AnswerRequest(request_id, *_whose(message), offer_id, sdp)
        case "restart_ice":
            _only(message, {"op", "id", "room", "peer", "connection"})
            return RestartIceRequest(request_id, *_whose(message))
        case "metrics":
            _only(message, {"op", "id"})
            return MetricsRequest(request_id)
        case "drain":
            _only(message, {"op", "id"})
            return DrainRequest(request_id)
        case "lease":
            _only(message, {"op", "id", "deadline_ms"})
            return LeaseRequest(request_id, _count(message.get("deadline_ms"), 0, "bad_message"))
        case _:
            raise ControlRefusedError("unknown_op")


def _whose(message: dict[str, Any]) -> tuple[str, str, str]:
    return (
        _text(message.get("room"), _ID),
        _text(message.get("peer"), _ID),
        _text(message.get("connection"), _CONNECTION),
    )


def _parse_peer(value: object) -> PeerPlan:
    peer = _object(value, "bad_plan")
    _only(peer, {"connection", "mic", "camera", "grant", "key"}, "bad_plan")
    grant = peer.get("grant")
    return PeerPlan(
        connection=_text(peer.get("connection"), _CONNECTION, "bad_plan"),
        mic=_flag(peer.get("mic", True), "bad_plan"),
        camera=_flag(peer.get("camera", True), "bad_plan"),
        grant=None if grant is None else _text(grant, _GRANT, "bad_plan"),
        key=_key(peer.get("key")),
    )


def _parse_pause(value: object) -> PausePlan | None:
    if value is None:
        return None
    pause = _object(value, "bad_plan")
    _only(pause, {"by", "why"}, "bad_plan")
    return PausePlan(_text(pause.get("by"), _ID, "bad_plan"), _text(pause.get("why"), _ID, "bad_plan"))


def _parse_routes(value: object) -> dict[str, tuple[tuple[str, str], ...]] | None:
    if value is None:
        return None
    routes: dict[str, tuple[tuple[str, str], ...]] = {}
    for name, pairs in _object(value, "bad_plan").items():
        if not isinstance(pairs, list) or len(pairs) > MAX_PEERS * len(KINDS):
            raise ControlRefusedError("bad_plan")
        routes[_text(name, _ID, "bad_plan")] = tuple(_parse_route(pair) for pair in pairs)
    return routes


def _parse_route(value: object) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) != 2 or value[1] not in KINDS:
        raise ControlRefusedError("bad_plan")
    return (_text(value[0], _ID, "bad_plan"), value[1])


def _object(value: object, code: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ControlRefusedError(code)
    return value


def _only(message: Mapping[str, Any], known: set[str], code: str = "bad_message") -> None:
    if not message.keys() <= known:
        raise ControlRefusedError(code)


def _text(value: object, pattern: re.Pattern[str], code: str = "bad_message") -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ControlRefusedError(code)
    return value


def _count(value: object, least: int, code: str) -> int:
    if type(value) is not int or not least <= value < 1 << 53:
        raise ControlRefusedError(code)
    return value


def _flag(value: object, code: str) -> bool:
    if not isinstance(value, bool):
        raise ControlRefusedError(code)
    return value


def _key(value: object) -> bytes | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ControlRefusedError("bad_plan")
    try:
        key = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ControlRefusedError("bad_plan") from None
    if len(key) != KEY_BYTES:
        raise ControlRefusedError("bad_plan")
    return key


def _to_base64(key: bytes | None) -> str | None:
    return None if key is None else base64.b64encode(key).decode("ascii")


def _no_constant(name: str) -> object:
    raise ValueError(name)
