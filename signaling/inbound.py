"""Events of the media plane, from its control channel -> events of a room. Must not: trust their shape.

The channel has a strict parser of its own in front of this; what still does not fit is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from signaling import events as ev
from signaling.interpreting_events import TurnTaken
from signaling.messages import OfferedTrack
from signaling.seat import Line
from signaling.wire import LineMode, PausedWhy, PictureKind


class _Inbound(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)
    room: str
    epoch: int


class _Offer(_Inbound):
    peer: str
    connection: str
    offer_id: str
    sdp: str
    ice_restart: bool = False
    tracks: tuple[OfferedTrack, ...] = ()


class _Peer(_Inbound):
    peer: str
    connection: str
    state: str


class _SeatStored(BaseModel):
    until_ms: int | None = None
    grant: str | None = None


class _Dismissed(_Inbound):
    peer: str
    grant: str


class _Degraded(BaseModel):
    peer: str
    kind: str
    cause: str


class _Stored(_Inbound):
    stored_until_ms: int | None = None
    seats: dict[str, _SeatStored] = {}
    degraded: tuple[_Degraded, ...] = ()
    paused: bool = False


class _Line(BaseModel):
    down_bps: int = Field(ge=0)
    paused: tuple[tuple[str, PictureKind, PausedWhy], ...] = ()
    mode: LineMode


class _Lines(_Inbound):
    peers: dict[str, _Line] = {}


class _Turn(_Inbound):
    peer: str | None
    at_ms: int


class _Closed(_Inbound):
    pass


def media_event(raw: Mapping[str, Any]) -> tuple[str, ev.Event] | None:
    """(session id, event) or None when it is none of ours (`heads`, unknown, malformed).

    Raises ValueError for a malformed event of a known name; the text quotes nothing of it.
    """
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
    try:
        match raw.get("ev"):
            case "offer":
                offer = _Offer.model_validate(fields)
                return offer.room, ev.OfferMade(
                    offer.epoch,
                    offer.peer,
                    offer.connection,
                    offer.offer_id,
                    offer.ice_restart,
                    offer.tracks,
                    offer.sdp,
                )
            case "peer":
                peer = _Peer.model_validate(fields)
                return peer.room, ev.PeerChanged(peer.epoch, peer.peer, peer.connection, peer.state)
            case "stored":
                return _stored(_Stored.model_validate(fields))
            case "dismissed":
                gone = _Dismissed.model_validate(fields)
                return gone.room, ev.Dismissed(gone.epoch, gone.peer, gone.grant)
            case "lines":
                return _lines(_Lines.model_validate(fields))
            case "turn":
                turn = _Turn.model_validate(fields)
                return turn.room, TurnTaken(turn.epoch, turn.peer, turn.at_ms)
            case "closed":
                closed = _Closed.model_validate(fields)
                return closed.room, ev.EpochClosed(closed.epoch)
    except ValidationError:
        raise ValueError("malformed media event") from None
    return None


def _lines(report: _Lines) -> tuple[str, ev.Event]:
    lines = tuple((peer, Line(one.mode, one.down_bps, one.paused)) for peer, one in report.peers.items())
    return report.room, ev.LinesChanged(report.epoch, lines)


def _stored(report: _Stored) -> tuple[str, ev.Event]:
    return report.room, ev.Stored(
        epoch=report.epoch,
        stored_until_ms=report.stored_until_ms,
        seats=tuple((seat, entry.until_ms) for seat, entry in report.seats.items()),
        degraded=tuple((entry.peer, entry.kind, entry.cause) for entry in report.degraded),
        grants=tuple((seat, entry.grant) for seat, entry in report.seats.items() if entry.grant is not None),
        paused=report.paused,
    )
