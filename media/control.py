"""The worker's control channel: every message on it, parsed strictly or refused with a stable code.

One JSON object per line over a Unix socket. The wanted state of a room is always sent whole (a plan),
never as a delta. This module knows bytes and values only: no sockets, no rooms. A secret is in no repr.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from media.control_fields import CONNECTION, ID, ControlRefusedError, count, flag, only, text
from media.fence import LeaseRequest
from media.plan import KEY_BYTES, PausePlan, PeerPlan, RoomPlan, parse_plan
from media.ports import KINDS

__all__ = [
    "KEY_BYTES",
    "KINDS",
    "ControlRefusedError",
    "PausePlan",
    "PeerPlan",
    "RoomPlan",
    "parse_plan",
]

MAX_LINE = 1 << 20
"""Longest control line in bytes; an SDP for eight participants is about 30 kB."""
FLOOR_BYTES = 64 * 1024 * 1024


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


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """A way in without media, for a page that asks how it gets here (`media/probe.py`)."""

    id: int


Request = (
    PlanRequest
    | AnswerRequest
    | RestartIceRequest
    | MetricsRequest
    | DrainRequest
    | LeaseRequest
    | ProbeRequest
)


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
    native: bool = True
    """Use the compiled path (`media.native`) where it was built."""

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
                "native": self.native,
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


def parse_settings(line: bytes) -> WorkerSettings:
    """The settings line. Raises ControlRefusedError("bad_settings")."""
    message = decode(line)
    known = set(WorkerSettings.__dataclass_fields__)
    only(message, known, "bad_settings")
    announce = message.get("announce", [])
    numbers = {"udp_port", "announce", "roll_after_s", "floor_bytes", "native"}
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
        native=flag(message.get("native", True), "bad_settings"),
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
            only(message, {"op", "id", "plan"})
            return PlanRequest(request_id, parse_plan(message.get("plan")))
        case "answer":
            only(message, {"op", "id", "room", "peer", "connection", "offer_id", "sdp"})
            sdp = message.get("sdp")
            if not isinstance(sdp, str) or not sdp:
                raise ControlRefusedError("bad_message")
            offer_id = text(message.get("offer_id"), CONNECTION)
            return AnswerRequest(request_id, *_whose(message), offer_id, sdp)
        case "restart_ice":
            only(message, {"op", "id", "room", "peer", "connection"})
            return RestartIceRequest(request_id, *_whose(message))
        case "metrics":
            only(message, {"op", "id"})
            return MetricsRequest(request_id)
        case "drain":
            only(message, {"op", "id"})
            return DrainRequest(request_id)
        case "lease":
            only(message, {"op", "id", "deadline_ms"})
            return LeaseRequest(request_id, count(message.get("deadline_ms"), 0, "bad_message"))
        case "probe":
            only(message, {"op", "id"})
            return ProbeRequest(request_id)
        case _:
            raise ControlRefusedError("unknown_op")


def _whose(message: dict[str, Any]) -> tuple[str, str, str]:
    return (
        text(message.get("room"), ID),
        text(message.get("peer"), ID),
        text(message.get("connection"), CONNECTION),
    )


def _no_constant(name: str) -> object:
    raise ValueError(name)
