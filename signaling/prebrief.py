"""Professionals first: whether they are among themselves, and what somebody who waits outside is told. Pure.

Which seats wait is the application's word (`SeatSeed.waits`), or somebody's inside who told an empty seat to.
Must not: decide who hears whom; that follows from who is out (`signaling/interpretation.py`).
"""

from __future__ import annotations

from signaling import events as ev
from signaling import interpreting_events as ie
from signaling.document import RoomDocument
from signaling.wire_interpreting import InterpretationShown
from signaling.wire_snapshot import Participant, Snapshot

DESK = (
    ie.ModeChosen,
    ie.DirectionChosen,
    ie.FloorGiven,
    ie.ListenChosen,
    ie.Signalled,
    ie.HandoverStepped,
    ie.PassiveMuted,
    ie.PartnerLine,
    ie.PartnerTold,
)
"""What is done to the room from the interpreter's desk or the chair: nobody does it from outside."""

NOTHING_SHOWN = InterpretationShown(
    mode="consecutive",
    active=None,
    direction=None,
    floor=None,
    floor_by="voice",
    handover=None,
    both_open=False,
    muted=None,
    fallback=False,
)


def prebrief(document: RoomDocument) -> bool:
    """Somebody is inside, and of the seats that are to wait at first nobody has been let in yet."""
    later = [seat for seat in document.seats if seat.facts.waits]
    return bool(later) and bool(document.inside) and all(seat.waits for seat in later)


def from_outside(document: RoomDocument, event: ev.Event) -> bool:
    """Whether this is done to a room by a seat that has stepped out of it. Who talked to their fellow
    interpreter alone may let go of the key all the same."""
    if not isinstance(event, DESK) or (isinstance(event, ie.PartnerLine) and not event.on):
        return False
    seat = document.seat(event.seat)
    return seat is not None and seat.out and seat.socket == event.socket


def outside(whole: Snapshot) -> Snapshot:
    """What somebody who waits is shown of the room: who is there, and nothing of what happens inside.

    Made field by field: whoever adds one decides here too what of it is told outside.
    """
    own = whole.you.participant
    return Snapshot(
        version=whole.version,
        room=whole.room,
        state=whole.state,
        you=whole.you,
        chair=None,
        session=whole.session,
        started_at_ms=whole.started_at_ms,
        participants=[one if one.id == own else _named(one) for one in whole.participants],
        knocks=[],
        pause=None,
        interpretation=NOTHING_SHOWN,
    )


def _named(one: Participant) -> Participant:
    """Who sits there, and whether somebody does."""
    return Participant(
        id=one.id,
        role=one.role,
        name=one.name,
        site=one.site,
        time_zone=one.time_zone,
        language=one.language,
        verified=one.verified,
        present=one.present,
        speaks=one.speaks,
        interprets=one.interprets,
        away=False,
        mic=False,
        camera=False,
        screen=False,
        consent="undecided",
        recorded=False,
        recordable=False,
        quality=None,
        line=None,
        direction=None,
        hearing="original",
        out=False,
        waits=False,
        partner=None,
    )
