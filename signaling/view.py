"""The room as one seat may see it. Pure; what is not in here no page ever learns."""

from __future__ import annotations

from signaling.document import RoomDocument
from signaling.messages import Participant, RoomState, Snapshot, WaitingKnock, You
from signaling.seat import Seat


def snapshot_of(document: RoomDocument, seat: Seat) -> Snapshot:
    """The whole room for this seat. Knocks are shown to those who may admit."""
    knocks = document.knocks if document.able(seat, "admit") else ()
    return Snapshot(
        version=document.version,
        room=document.room,
        state=_state(document),
        you=You(
            participant=seat.id,
            abilities=sorted(a for a in seat.facts.abilities if document.able(seat, a)),
            connection=seat.connection,
        ),
        chair=document.chair,
        session=document.session,
        started_at_ms=document.started_at_ms,
        participants=[_participant(other) for other in document.seats],
        knocks=[WaitingKnock(id=k.id, seat=k.seat, name=k.name, since_ms=k.since_ms) for k in knocks],
    )


def _state(document: RoomDocument) -> RoomState:
    if document.phase == "closing":
        return "ended"
    return document.phase


def _participant(seat: Seat) -> Participant:
    facts = seat.facts
    return Participant(
        id=seat.id,
        role=facts.role,
        name=facts.name,
        site=facts.site,
        time_zone=facts.time_zone,
        language=facts.language,
        verified=facts.verified,
        present=seat.present,
        away=seat.away_since_ms is not None,
        mic=seat.mic,
        camera=seat.camera,
        consent=facts.consent,
        quality=seat.quality,
    )
