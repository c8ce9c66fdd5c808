"""The whole wanted state of a room, as the control channel carries it: values, and their strict reader.

A room is always told whole, never by a difference. Secrets are in no repr. Must not: act.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from media.control_fields import CONNECTION, GRANT, ID, ControlRefusedError, count, flag, mapping, only, text
from media.ports import KINDS

MAX_PEERS = 64
KEY_BYTES = 32
MAX_HEIGHT = 10_000
PLAN_FIELDS = {"room", "epoch", "version", "closed", "peers", "room_key", "routes", "pause", "lost"}

Shown = tuple[str, str, int]
"""(source peer, kind, height in device pixels) of a picture on somebody's page; 0 = not shown."""


@dataclass(frozen=True, slots=True)
class PeerPlan:
    """One participant as wanted. `mic` and `camera` say whether it means to send (False = muted)."""

    connection: str
    mic: bool = True
    camera: bool = True
    grant: str | None = None
    key: bytes | None = field(default=None, repr=False)
    view: tuple[Shown, ...] = ()
    """What its page shows how large; pictures that are not named count as shown, at full size."""
    up_thin: bool = False
    """Its page believes to be able to send a voice and little more."""
    aside: bool = False
    """Its voice is not for the room now: it never takes the floor."""
    private: bool = False
    """What it sends is not for the recording now, whatever its grant."""

    @property
    def recordable(self) -> bool:
        """Whether this peer may reach the recorder: both a live consent grant and a seat key."""
        return self.grant is not None and self.key is not None and not self.private


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
    """Subscriber -> (source peer, kind) pairs that are let through; None = everything. What is shut keeps its
    m-line and its numbers: not a packet of it is sent, and nothing is negotiated."""
    pause: PausePlan | None = None
    lost: frozenset[str] = frozenset()
    """Peers that are none any more because their line was lost; of the others who are gone, each has left."""

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
                    "view": [list(shown) for shown in peer.view],
                    "up_thin": peer.up_thin,
                    "aside": peer.aside,
                    "private": peer.private,
                }
                for name, peer in self.peers.items()
            },
            "room_key": _to_base64(self.room_key),
            "routes": None
            if self.routes is None
            else {name: [list(pair) for pair in pairs] for name, pairs in self.routes.items()},
            "pause": None if self.pause is None else {"by": self.pause.by, "why": self.pause.why},
            "lost": sorted(self.lost),
        }


def parse_plan(value: object) -> RoomPlan:
    """A plan from JSON values. Raises ControlRefusedError("bad_plan")."""
    plan = mapping(value, "bad_plan")
    only(plan, PLAN_FIELDS, "bad_plan")
    peers = mapping(plan.get("peers"), "bad_plan")
    if len(peers) > MAX_PEERS:
        raise ControlRefusedError("bad_plan")
    return RoomPlan(
        room=text(plan.get("room"), ID, "bad_plan"),
        epoch=count(plan.get("epoch"), 1, "bad_plan"),
        version=count(plan.get("version"), 0, "bad_plan"),
        closed=flag(plan.get("closed", False), "bad_plan"),
        peers={text(name, ID, "bad_plan"): _parse_peer(peer) for name, peer in peers.items()},
        room_key=_key(plan.get("room_key")),
        routes=_parse_routes(plan.get("routes")),
        pause=_parse_pause(plan.get("pause")),
        lost=_parse_lost(plan.get("lost", [])),
    )


def _parse_peer(value: object) -> PeerPlan:
    peer = mapping(value, "bad_plan")
    only(
        peer,
        {"connection", "mic", "camera", "grant", "key", "view", "up_thin", "aside", "private"},
        "bad_plan",
    )
    grant = peer.get("grant")
    return PeerPlan(
        connection=text(peer.get("connection"), CONNECTION, "bad_plan"),
        mic=flag(peer.get("mic", True), "bad_plan"),
        camera=flag(peer.get("camera", True), "bad_plan"),
        grant=None if grant is None else text(grant, GRANT, "bad_plan"),
        key=_key(peer.get("key")),
        view=_parse_view(peer.get("view", [])),
        up_thin=flag(peer.get("up_thin", False), "bad_plan"),
        aside=flag(peer.get("aside", False), "bad_plan"),
        private=flag(peer.get("private", False), "bad_plan"),
    )


def _parse_lost(value: object) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > MAX_PEERS:
        raise ControlRefusedError("bad_plan")
    return frozenset(text(peer, ID, "bad_plan") for peer in value)


def _parse_view(value: object) -> tuple[Shown, ...]:
    if not isinstance(value, list) or len(value) > MAX_PEERS * len(KINDS):
        raise ControlRefusedError("bad_plan")
    return tuple(_parse_shown(shown) for shown in value)


def _parse_shown(value: object) -> Shown:
    if not isinstance(value, list) or len(value) != 3:
        raise ControlRefusedError("bad_plan")
    height = count(value[2], 0, "bad_plan")
    if height > MAX_HEIGHT:
        raise ControlRefusedError("bad_plan")
    return (*_parse_route(value[:2]), height)


def _parse_pause(value: object) -> PausePlan | None:
    if value is None:
        return None
    pause = mapping(value, "bad_plan")
    only(pause, {"by", "why"}, "bad_plan")
    return PausePlan(text(pause.get("by"), ID, "bad_plan"), text(pause.get("why"), ID, "bad_plan"))


def _parse_routes(value: object) -> dict[str, tuple[tuple[str, str], ...]] | None:
    if value is None:
        return None
    routes: dict[str, tuple[tuple[str, str], ...]] = {}
    for name, pairs in mapping(value, "bad_plan").items():
        if not isinstance(pairs, list) or len(pairs) > MAX_PEERS * len(KINDS):
            raise ControlRefusedError("bad_plan")
        routes[text(name, ID, "bad_plan")] = tuple(_parse_route(pair) for pair in pairs)
    return routes


def _parse_route(value: object) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) != 2 or value[1] not in KINDS:
        raise ControlRefusedError("bad_plan")
    return (text(value[0], ID, "bad_plan"), value[1])


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
