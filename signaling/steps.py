"""Steps that several transitions share: document in, next document and commands out. Pure, as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from signaling import events as ev
from signaling.commands import Close, Command, EndSession, NextEpoch, Note, OpenSession, Send
from signaling.document import RoomDocument
from signaling.messages import Offer, OfferedTrack
from signaling.ports import EndReason, RoomSeed
from signaling.seat import PendingOffer, Seat
from signaling.view import recording_of
from signaling.wire import ClosedCode

Next = tuple[RoomDocument, list[Command]]
E = TypeVar("E")

MAX_KNOCKS = 16

HANDLERS: dict[type, Callable[[RoomDocument, ev.Event, int], Next]] = {}


def on(kind: type[E], handler: Callable[[RoomDocument, E, int], Next]) -> None:
    """Register the transition of one kind of event."""

    def typed(document: RoomDocument, event: ev.Event, now_ms: int) -> Next:
        assert isinstance(event, kind)  # noqa: S101 - looked up by its type
        return handler(document, event, now_ms)

    HANDLERS[kind] = typed


def sitting(document: RoomDocument, seat_id: str, socket: str) -> Seat | None:
    """The seat if this very socket sits on it."""
    seat = document.seat(seat_id)
    return seat if seat is not None and seat.socket == socket else None


def running(document: RoomDocument, epoch: int) -> bool:
    """Whether media's word about this epoch still counts."""
    return document.media == "open" and document.epoch == epoch


def offer_message(offer: PendingOffer) -> Offer:
    """The offer as the page gets it."""
    return Offer(
        connection=offer.connection,
        offer_id=offer.offer_id,
        sdp=offer.sdp,
        ice_restart=offer.ice_restart,
        tracks=[
            OfferedTrack.model_validate({"mid": m, "participant": p, "kind": k}) for m, p, k in offer.tracks
        ],
    )


def noted(document: RoomDocument, what: str, seat: Seat | None = None) -> list[Command]:
    """A line of the session's time line, if there is a session."""
    return (
        [] if document.session is None else [Note(document.session, what, None if seat is None else seat.id)]
    )


def want_media(document: RoomDocument, now_ms: int) -> Next:
    """Ask the directory for what is missing to have media: a session, or a new epoch of it. Not for those
    alone who wait outside."""
    if document.media == "open" or document.wanted is not None or not document.inside:
        return document, []
    if document.media == "lost" and document.session is not None:
        return replace(document, wanted="epoch", wanted_ms=now_ms), [NextEpoch(document.session)]
    return replace(document, wanted="session", wanted_ms=now_ms), [OpenSession()]


def begun(document: RoomDocument, epoch: int, now_ms: int) -> RoomDocument:
    """With an open epoch, in which every present page gets a connection of its own."""
    seats = [
        seat.connect(epoch, now_ms) if seat.present and seat.socket is not None else seat.disconnect()
        for seat in (replace(seat, admitted=None) for seat in document.seats)
    ]
    return replace(document.with_seats(seats), epoch=epoch, media="open", wanted=None, heard=0)


def vacated(document: RoomDocument, seat: Seat, what: str, code: ClosedCode | None = None) -> Next:
    """The seat without anybody; with a code its socket is closed."""
    close: list[Command] = [Close(seat.socket, code)] if code and seat.socket else []
    empty = replace(seat.vacate(), lost=seat.lost and what == "gone")
    return document.with_seat(empty), close + noted(document, what, seat)


def reseeded(document: RoomDocument, seed: RoomSeed) -> Next:
    """With what the application says now. A seat that is no more loses its socket."""
    commands: list[Command] = []
    kept = {facts.id for facts in seed.seats}
    for seat in document.present:
        if seat.id not in kept:
            document, more = vacated(document, seat, "removed", "removed")
            commands += more
    now = {seat.id: seat for seat in document.seats}
    seats = [replace(now[f.id], facts=f) if f.id in now else Seat.untaken(f) for f in seed.seats]
    return replace(document.with_seats(seats), knocks=seed.knocks[:MAX_KNOCKS]), commands


def closing(document: RoomDocument, reason: EndReason, now_ms: int) -> Next:
    """Over: media seals the journal; the pages stay until it has, or for two seconds."""
    document = replace(document, phase="closing", closing_since_ms=now_ms, end_reason=reason, wanted=None)
    if document.session is None:
        return ended(document)
    commands = [*noted(document, reason), EndSession(document.session, reason)]
    if document.media == "open":
        return shut(document), commands
    document, more = ended(shut(document))
    return document, commands + more


def ended(document: RoomDocument) -> Next:
    """The last state: the pages are told and disconnected."""
    code: ClosedCode = "removed" if document.end_reason == "cancelled" else "ended"
    commands: list[Command] = []
    for seat in document.seats:
        if seat.socket is not None:
            commands.append(Send(seat.socket, "recording", recording_of(replace(document, session=None), 0)))
            commands.append(Close(seat.socket, code))
    return replace(document.with_seats(seat.vacate() for seat in document.seats), phase="ended"), commands


def shut(document: RoomDocument) -> RoomDocument:
    """With the epoch closed: media is asked to seal it, or it is dead already."""
    unconnected = document.with_seats(seat.disconnect() for seat in document.seats)
    if document.media == "open":
        return replace(unconnected, media="closed")
    return replace(unconnected, media="none") if document.media == "lost" else unconnected
