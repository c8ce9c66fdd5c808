"""From the room's document to what media should have. Pure: the plan is a function of the document alone."""

from __future__ import annotations

from signaling.document import RoomDocument
from signaling.ports import PeerPlan, Plan
from signaling.voices import aside, routes_of


def plan_of(document: RoomDocument) -> Plan | None:
    """The whole wanted state of the room's media, or None while there is no epoch of it.

    Only present seats with a connection are peers; a closed epoch has none. A seat that does not consent
    has no grant here, whatever the document remembers of an older one.
    """
    if document.session is None or document.media in ("none", "lost"):
        return None
    peers = {
        seat.id: PeerPlan(
            connection=seat.connection,
            mic=seat.mic,
            camera=seat.camera,
            grant=document.grant_of(seat),
            view=seat.view,
            up_thin=seat.up_thin,
            aside=aside(document, seat),
            private=seat.private,
        )
        for seat in document.present
        if seat.connection is not None and document.media == "open"
    }
    return Plan(
        room=document.session,
        epoch=document.epoch,
        version=document.version,
        closed=document.media == "closed",
        peers=peers,
        pause=document.pause,
        lost=tuple(seat.id for seat in document.seats if seat.lost and seat.id not in peers),
        routes=routes_of(document) if peers else None,
    )
