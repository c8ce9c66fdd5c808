"""What happens to a room because several processes serve it. Pure, as `signaling/transitions.py`."""

from __future__ import annotations

from signaling import events as ev
from signaling.commands import Command, PutPlan, Refused, Send
from signaling.document import RoomDocument
from signaling.plan import plan_of
from signaling.seat import Seat, instance_of
from signaling.steps import Next, noted, offer_message, on
from signaling.view import snapshot_of


def instance_lost(document: RoomDocument, event: ev.InstanceLost, now_ms: int) -> Next:
    """Who sat there by a socket of the dead is away; media and pages are told again what they may lack."""
    commands: list[Command] = []
    for seat in document.present:
        if seat.socket is not None and instance_of(seat.socket) == event.instance:
            document = document.with_seat(seat.lose_socket(now_ms))
            commands += noted(document, "away", seat)
        else:
            commands += _offer_again(seat)
    plan = plan_of(document)
    return document, commands if plan is None else [*commands, PutPlan(plan)]


def mend_asked(document: RoomDocument, event: ev.MendAsked, now_ms: int) -> Next:
    """The room as it stands, for a page that may have missed something; refused: it does not sit there."""
    seat = document.seat(event.seat)
    if document.over:
        return document, [Refused("ended")]
    if seat is None or seat.socket is None:
        return document, [Refused("not_joined")]
    if seat.socket != event.socket:
        return document, [Refused("replaced")]
    return document, [Send(event.socket, "snapshot", snapshot_of(document, seat)), *_offer_again(seat)]


def _offer_again(seat: Seat) -> list[Command]:
    if seat.socket is None or seat.offer is None:
        return []
    return [Send(seat.socket, "offer", offer_message(seat.offer), seat.id)]


on(ev.InstanceLost, instance_lost)
on(ev.MendAsked, mend_asked)
