"""A room's document as the table of `signaling/interpretation.py` sees it, and what follows from it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from signaling.document import RoomDocument
from signaling.interpretation import Voice, both_open, fallen_back, first_direction, heard, hearing, routes
from signaling.seat import Seat
from signaling.wire_interpreting import (
    DirectionShown,
    HandoverAsked,
    Hearing,
    InterpretationShown,
    Level,
)


def voice_of(document: RoomDocument, seat: Seat) -> Voice:
    """One seat. While the room has no media nobody is missed for lack of it."""
    media = document.media == "open"
    return Voice(
        id=seat.id,
        speaks=seat.speaks,
        interprets=seat.interprets,
        there=seat.present and seat.socket is not None and (seat.connected or not media),
        mic=seat.mic,
        out=seat.out,
        partner=seat.partner,
        muted=document.interpretation.muted == seat.id,
        direction=seat.direction,
        chosen=seat.hearing,
        listens=seat.listens,
    )


def voices_of(document: RoomDocument) -> tuple[Voice, ...]:
    """Everybody who is present."""
    return tuple(voice_of(document, seat) for seat in document.present)


def levels_for(document: RoomDocument, seat: Seat, here: Sequence[Voice]) -> dict[str, Level]:
    """How one seat hears the others that are `here` (`voices_of`)."""
    if not seat.present:
        return {}
    return heard(document.interpretation.mode, here, voice_of(document, seat))


def routes_of(document: RoomDocument) -> dict[str, tuple[tuple[str, str], ...]] | None:
    """What media is to let through; None = everything."""
    return routes(document.interpretation.mode, voices_of(document))


def hearing_of(document: RoomDocument, seat: Seat) -> Hearing:
    """What this seat hears of what is rendered: chosen, or by the languages of who renders now."""
    active = document.interpretation.active
    renders = None if active is None else document.seat(active)
    return hearing(voice_of(document, seat), None if renders is None else renders.direction)


def aside(document: RoomDocument, seat: Seat) -> bool:
    """Not for the room just now."""
    return seat.private or document.interpretation.muted == seat.id


def interpreters(document: RoomDocument) -> list[Seat]:
    """Those present who have not stepped out."""
    return [seat for seat in document.inside if seat.interprets]


def fellows(document: RoomDocument, seat: Seat) -> list[Seat]:
    """The other interpreters who have not stepped out."""
    return [other for other in interpreters(document) if other.id != seat.id]


def settled(document: RoomDocument) -> RoomDocument:
    """With what follows from who is here: somebody renders, nobody who has left or stepped out has a part,
    and in simultaneous mode every interpreter has a direction, whenever they came."""
    state = document.interpretation
    here = [seat.id for seat in interpreters(document)]
    inside = {seat.id for seat in document.inside}
    active = state.active
    if active not in here:
        active = next((one for one in here if one != state.muted), here[0] if here else None)
    muted = state.muted if state.muted in here and state.muted != active else None
    asked = state.handover if state.handover and state.handover.by in here and len(here) > 1 else None
    floor = state.floor if state.floor in inside else None
    by_hand = state.floor_by == "hand" and floor is not None
    after = replace(
        state,
        active=active,
        muted=muted,
        handover=asked,
        floor=floor,
        floor_by="hand" if by_hand else "voice",
    )
    document = document if after == state else replace(document, interpretation=after)
    if state.mode == "consecutive":
        return document
    for seat in document.present:
        if seat.interprets and seat.direction is None:
            document = document.with_seat(_with_direction(document, seat))
    return document


def _with_direction(document: RoomDocument, seat: Seat) -> Seat:
    chair = None if document.chair is None else document.seat(document.chair)
    others = [voice_of(document, other) for other in document.present if not other.interprets]
    way = first_direction(
        voice_of(document, seat), None if chair is None else voice_of(document, chair), others
    )
    return replace(seat, direction=way)


def without_interpreter(document: RoomDocument) -> bool:
    """Whether everyone hears the original because nobody is there to render it."""
    return fallen_back(document.interpretation.mode, voices_of(document))


def shown(document: RoomDocument, here: Sequence[Voice]) -> InterpretationShown:
    """As every page gets it; `here`: `voices_of`."""
    state = document.interpretation
    active = None if state.active is None else document.seat(state.active)
    handover = state.handover
    return InterpretationShown(
        mode=state.mode,
        active=state.active,
        direction=None if active is None else direction_shown(active),
        floor=state.floor,
        floor_by=state.floor_by,
        handover=None if handover is None else HandoverAsked(by=handover.by, since_ms=handover.since_ms),
        both_open=both_open(state.mode, here),
        muted=state.muted,
        fallback=fallen_back(state.mode, here),
    )


def direction_shown(seat: Seat) -> DirectionShown | None:
    """From where to where this interpreter renders."""
    way = seat.direction
    return None if way is None else DirectionShown(source=way.source, target=way.target)
