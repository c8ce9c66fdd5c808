"""What pages and media do to the interpretation: document and event in, next document and commands out. Pure.

Who hears whom is not decided here: it follows from the document (`signaling/interpretation.py`), and so do
the plan, the snapshots and the lines of the time line. Nobody comes here who has stepped out
(`signaling/prebrief.py`).
"""

from __future__ import annotations

from dataclasses import replace

from signaling import interpreting_events as ie
from signaling.commands import Command, Refused, Send
from signaling.document import RoomDocument
from signaling.interpretation import Direction, Handover, Interpretation
from signaling.seat import Seat
from signaling.steps import Next, noted, on, running, sitting
from signaling.voices import fellows, interpreters, voice_of
from signaling.wire import Message
from signaling.wire_interpreting import PartnerSaid, Signalled, Turn


def mode_chosen(document: RoomDocument, event: ie.ModeChosen, now_ms: int) -> Next:
    """At once; from where to where an interpreter begins who has not said so: `voices.settled`."""
    if sitting(document, event.seat, event.socket) is None:
        return document, [Refused("not_joined")]
    return _with(document, mode=event.mode), []


def direction_chosen(document: RoomDocument, event: ie.DirectionChosen, now_ms: int) -> Next:
    """Between two languages that this interpreter speaks."""
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    if event.source == event.target or not {event.source, event.target} <= set(seat.speaks):
        return document, [Refused("bad_direction")]
    return document.with_seat(replace(seat, direction=Direction(event.source, event.target))), []


def hearing_chosen(document: RoomDocument, event: ie.HearingChosen, now_ms: int) -> Next:
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    return document.with_seat(replace(seat, hearing=event.choice)), []


def floor_given(document: RoomDocument, event: ie.FloorGiven, now_ms: int) -> Next:
    """By hand it stays until it is given back to the voices."""
    if sitting(document, event.seat, event.socket) is None:
        return document, [Refused("not_joined")]
    if event.participant is None:
        return _with(document, floor=None, floor_by="voice"), _turn(document, None, now_ms)
    chosen = document.seat(event.participant)
    if chosen is None or chosen not in document.inside:
        return document, [Refused("unknown_participant")]
    return _with(document, floor=chosen.id, floor_by="hand"), _turn(document, chosen.id, now_ms)


def listen_chosen(document: RoomDocument, event: ie.ListenChosen, now_ms: int) -> Next:
    """Whom this interpreter renders from; one who is not here is listened to when they come."""
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    if event.participant is not None and (
        event.participant == seat.id or document.seat(event.participant) is None
    ):
        return document, [Refused("unknown_participant")]
    return document.with_seat(replace(seat, listens=event.participant)), []


def signalled(document: RoomDocument, event: ie.Signalled, now_ms: int) -> Next:
    """To whoever has the floor and to fellow interpreters; to all that an interpreter speaks for themselves,
    and while nobody has the floor."""
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    floor = None if document.interpretation.floor is None else document.seat(document.interpretation.floor)
    told = document.inside
    if event.kind != "own_words" and floor is not None and not floor.interprets:
        told = [floor, *interpreters(document)]
    message = Signalled(by=seat.id, kind=event.kind, at_ms=now_ms)
    return document, _to(told, "signal", message) + noted(document, f"signal:{event.kind}", seat)


def handover_stepped(document: RoomDocument, event: ie.HandoverStepped, now_ms: int) -> Next:
    """Asked by one, accepted by another. Who renders and is not there any more need not be asked."""
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    state = document.interpretation
    if event.step == "cancel":
        return _with(document, handover=None), []
    if not fellows(document, seat):
        return document, [Refused("no_partner")]
    if event.step == "request":
        active = None if state.active is None else document.seat(state.active)
        if active is not None and active.id != seat.id and not voice_of(document, active).there:
            return _handed(document, active, seat), []
        known = state.handover is not None and state.handover.by == seat.id
        return (document if known else _with(document, handover=Handover(seat.id, now_ms))), []
    asked = state.handover
    if asked is None or asked.by == seat.id:
        return document, [Refused("no_handover")]
    other = document.seat(asked.by)
    old = None if state.active is None else document.seat(state.active)
    if other is None or old is None:
        return document, [Refused("no_handover")]
    return _handed(document, old, seat if old.id == other.id else other), []


def _handed(document: RoomDocument, old: Seat, new: Seat) -> RoomDocument:
    """The new one renders where the old one did; the old one is heard no more."""
    way = old.direction
    if way is not None and {way.source, way.target} <= set(new.speaks):
        new = replace(new, direction=way)
    return _with(document.with_seat(new), active=new.id, muted=old.id, handover=None)


def passive_muted(document: RoomDocument, event: ie.PassiveMuted, now_ms: int) -> Next:
    """Of several, one who renders into the same language before one who renders into another."""
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    if document.interpretation.active != seat.id:
        return document, [Refused("not_active")]
    others = fellows(document, seat)
    if not others:
        return document, [Refused("no_partner")]
    same = [other for other in others if other.direction == seat.direction]
    return _with(document, muted=(same or others)[0].id), []


def partner_line(document: RoomDocument, event: ie.PartnerLine, now_ms: int) -> Next:
    """It stays on when the fellow leaves: what was said for one pair of ears is not let out to all."""
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    if event.on and not fellows(document, seat):
        return document, [Refused("no_partner")]
    return document.with_seat(replace(seat, partner=event.on)), []


def partner_told(document: RoomDocument, event: ie.PartnerTold, now_ms: int) -> Next:
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    if not event.text:
        return document, [Refused("chat_empty")]
    if not fellows(document, seat):
        return document, [Refused("no_partner")]
    said = PartnerSaid(by=seat.id, text=event.text, at_ms=now_ms)
    return document, _to(interpreters(document), "partner_text", said)


def stepped(document: RoomDocument, event: ie.Stepped, now_ms: int) -> Next:
    """Also a seat in which nobody is yet: whoever takes it waits."""
    if sitting(document, event.seat, event.socket) is None:
        return document, [Refused("not_joined")]
    target = document.seat(event.participant)
    if target is None:
        return document, [Refused("unknown_participant")]
    waits = event.out and (target.waits or not target.present)
    return document.with_seat(replace(target, out=event.out, waits=waits)), []


def turn_taken(document: RoomDocument, event: ie.TurnTaken, now_ms: int) -> Next:
    """Media's word of whose voice it is. By hand it is decided otherwise."""
    state = document.interpretation
    if not running(document, event.epoch) or state.floor_by == "hand":
        return document, []
    seat = None if event.peer is None else document.seat(event.peer)
    floor = seat.id if seat is not None and seat.present and not seat.out else None
    if floor == state.floor:
        return document, []
    return _with(document, floor=floor), _turn(document, floor, event.at_ms)


def _with(document: RoomDocument, **fields: object) -> RoomDocument:
    changed: Interpretation = replace(document.interpretation, **fields)  # type: ignore[arg-type]
    return replace(document, interpretation=changed)


def _turn(document: RoomDocument, floor: str | None, at_ms: int) -> list[Command]:
    return _to(document.inside, "turn", Turn(floor=floor, at_ms=at_ms))


def _to(seats: list[Seat], event: str, message: Message) -> list[Command]:
    sockets = dict.fromkeys(seat.socket for seat in seats if seat.socket is not None)
    return [Send(socket, event, message) for socket in sockets]


on(ie.ModeChosen, mode_chosen)
on(ie.DirectionChosen, direction_chosen)
on(ie.HearingChosen, hearing_chosen)
on(ie.FloorGiven, floor_given)
on(ie.ListenChosen, listen_chosen)
on(ie.Signalled, signalled)
on(ie.HandoverStepped, handover_stepped)
on(ie.PassiveMuted, passive_muted)
on(ie.PartnerLine, partner_line)
on(ie.PartnerTold, partner_told)
on(ie.Stepped, stepped)
on(ie.TurnTaken, turn_taken)
