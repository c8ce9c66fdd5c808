"""The wire between page and room: every message and its bounds. `docs/protocol.md` tells it at length.

socket.io, path `/socket.io`, namespace `/room`, JSON, <= 64 KiB a message, <= 20 events a second per seat.

    page                                               server
    connect, auth {seat} + the seat's cookie  ------>  refused with {code}, or connected
    join {mic, camera, resume}                ------>  ack {ok, snapshot}
                                              <------  snapshot {version, …}   when what you see changed
                                              <------  offer {connection, offer_id, sdp, ice_servers, …}
    answer {connection, offer_id, sdp}        ------>  ack {ok}
    media {mic, camera, screen}               ------>  ack {ok}        muted or not
    quality {rtt_ms, loss_up, loss_down, up_bps, level} ->  ack {ok}        each 5 s, from real statistics
    restart {reason}                          ------>  ack {ok}        my connection failed: a new one
    ice_restart {}                            ------>  ack {ok}        my address changed: same connection
    admit {knock, accept}                     ------>  ack {ok}        ability `admit`
    end {}                                    ------>  ack {ok}        ability `end`, chair
    pause {reason}                            ------>  ack {ok}        ability `pause`, chair
    resume {}                                 ------>  ack {ok}        ability `pause`, chair
    view {shown}                              ------>  ack {ok}        which pictures, how large
    mode, direction, hearing, floor, listen, signal, handover, mute_passive, partner, partner_text, step
                                              ------>  ack {ok}        `signaling/wire_interpreting.py`
    chat, conduct, term                       ------>  ack {ok, …}     `signaling/asides.py`
    leave {}                                  ------>  ack {ok}        at once; you may come back
                                              <------  recording {state, stored_until_ms, …} each s
                                              <------  signal, partner_text, turn, chat, conduct, term
                                              <------  closed {code}       then the server disconnects

An ack is `{"ok": true, …}` or `{"ok": false, "code": "…"}`; `bad_message` also names the `field`.
Parsing is strict: no unknown field, no coercion. Must not: know a room's rules, do I/O.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import Field, ValidationError

from signaling.wire import (
    BadMessage,
    ClosedCode,
    ConnectionId,
    Id,
    LightState,
    Message,
    PauseReason,
    PictureKind,
    QualityLevel,
    TrackKind,
    WaitsFor,
)
from signaling.wire_interpreting import (
    ABILITY_INTERPRETING,
    INCOMING_INTERPRETING,
    OUTGOING_INTERPRETING,
    IncomingInterpreting,
)
from signaling.wire_snapshot import Paused, Snapshot

MAX_MESSAGE_BYTES = 64 * 1024
MAX_SDP_CHARS = 48 * 1024
MAX_EVENTS_PER_SECOND = 20
MAX_SHOWN = 64
MAX_HEIGHT = 10_000

Sdp = Annotated[str, Field(min_length=1, max_length=MAX_SDP_CHARS)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Millis = Annotated[float, Field(ge=0, le=600_000, allow_inf_nan=False)]


# --- page to server -------------------------------------------------------------------------------------


class Connect(Message):
    """The `auth` of the socket.io connect packet; the right to the seat is its cookie."""

    seat: Id


class Join(Message):
    """Take part. `mic`, `camera` null = as the seat had them. `resume` = the connection the page holds."""

    mic: bool | None = None
    camera: bool | None = None
    resume: ConnectionId | None = None


class Answer(Message):
    """The answer to one offer."""

    connection: ConnectionId
    offer_id: ConnectionId
    sdp: Sdp


class MediaState(Message):
    """Whether microphone and camera are on and a screen is shared; turning off cuts the page's sender."""

    mic: bool
    camera: bool
    screen: bool = False


class Restart(Message):
    """The page's RTCPeerConnection failed or is gone: make a new connection."""

    reason: Annotated[str, Field(max_length=64)] = ""


class IceRestart(Message):
    """The page's address changed: new ICE credentials on the same connection."""


class Quality(Message):
    """Link quality from getStats: round trip in ms, losses as fractions 0..1; null = not known yet. `up_bps`:
    what the browser believes to be able to send, while it would send more."""

    rtt_ms: Millis | None = None
    loss_up: Fraction | None = None
    loss_down: Fraction | None = None
    up_bps: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None
    level: QualityLevel


class ShownPicture(Message):
    """How high a picture is on the page, in device pixels; 0 = it is not shown."""

    participant: Id
    kind: PictureKind
    height: Annotated[int, Field(ge=0, le=MAX_HEIGHT)]


class View(Message):
    """Which pictures this page shows: always the whole list. One that is not named counts as shown, large."""

    shown: Annotated[list[ShownPicture], Field(max_length=MAX_SHOWN)]


class Leave(Message):
    """Leave at once."""


class End(Message):
    """End the session and close the consultation, for everybody."""


class Admit(Message):
    """Answer a knock."""

    knock: Id
    accept: bool


class Pause(Message):
    """Nobody is recorded until `resume`. Sent again it changes the reason."""

    reason: PauseReason


class Resume(Message):
    """Record again whoever consents."""


Incoming = (
    Join
    | Answer
    | MediaState
    | Restart
    | IceRestart
    | Quality
    | Leave
    | End
    | Admit
    | Pause
    | Resume
    | View
    | IncomingInterpreting
)

INCOMING: dict[str, type[Incoming]] = {
    "join": Join,
    "answer": Answer,
    "media": MediaState,
    "restart": Restart,
    "ice_restart": IceRestart,
    "quality": Quality,
    "leave": Leave,
    "end": End,
    "admit": Admit,
    "pause": Pause,
    "resume": Resume,
    "view": View,
    **INCOMING_INTERPRETING,
}

# The ability a seat needs for each event; None = being in the room is enough. Some seats have some of them
# only while they chair (`SeatSeed.chaired`).
ABILITY: dict[str, str | None] = {
    "join": "join",
    "answer": "join",
    "media": "join",
    "restart": "join",
    "ice_restart": "join",
    "quality": "join",
    "leave": None,
    "end": "end",
    "admit": "admit",
    "pause": "pause",
    "resume": "pause",
    "view": "join",
    **ABILITY_INTERPRETING,
}


# --- server to page -------------------------------------------------------------------------------------


class OfferedTrack(Message):
    """Whose track an m-line of the offer carries (downlink ones; mids 0..3 are the page's own)."""

    mid: str
    participant: str
    kind: TrackKind


class IceServer(Message):
    """A relay as RTCPeerConnection takes it; its credential ends after some hours, offers bring new ones."""

    urls: list[str]
    username: str
    credential: str = Field(repr=False)


class Offer(Message):
    """A `connection` other than the current one: close the old RTCPeerConnection, make a new one."""

    connection: ConnectionId
    offer_id: ConnectionId
    sdp: Sdp
    ice_restart: bool
    tracks: list[OfferedTrack]
    ice_servers: list[IceServer] = Field(default_factory=list)


class DegradedTrack(Message):
    """A track that is not being stored as it should, and why."""

    participant: str
    kind: str
    cause: str


class Recording(Message):
    """The recording light. `degraded` with an empty list: the store has not answered for 5 s (all tracks).

    `waits_for` says what a `waiting` light waits for, `paused` who paused a paused one.
    """

    state: LightState
    stored_until_ms: int | None
    degraded: list[DegradedTrack]
    waits_for: WaitsFor | None
    paused: Paused | None


class Closed(Message):
    """The last message; the server disconnects after it."""

    code: ClosedCode


OUTGOING: dict[str, type[Message]] = {
    "snapshot": Snapshot,
    "offer": Offer,
    "recording": Recording,
    "closed": Closed,
    **OUTGOING_INTERPRETING,
}


# --- parsing --------------------------------------------------------------------------------------------


M = TypeVar("M", bound=Message)


def parse(event: str, data: object) -> Incoming:
    """A page's event as a typed message; raises BadMessage with the field that is wrong."""
    model = INCOMING.get(event)
    if model is None:
        raise BadMessage("event")
    return parse_as(model, data)


def parse_connect(data: object) -> Connect:
    """The connect packet's auth; raises BadMessage."""
    return parse_as(Connect, data)


def parse_as(model: type[M], data: object) -> M:
    """A page's data as this message; raises BadMessage, also for a zero character, which no book keeps."""
    if not isinstance(data, dict) or _has_zero(data):
        raise BadMessage("")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        where = error.errors(include_url=False, include_input=False, include_context=False)[0]["loc"]
        raise BadMessage(".".join(str(part) for part in where)[:64]) from None


def _has_zero(data: object) -> bool:
    if isinstance(data, dict):
        return any(_has_zero(each) for pair in data.items() for each in pair)
    if isinstance(data, list):
        return any(_has_zero(each) for each in data)
    return isinstance(data, str) and "\0" in data
