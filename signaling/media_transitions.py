"""What the media plane does to a room. Pure, as `signaling/transitions.py`.

Word of an epoch that is not the running one, or of a connection that is not the seat's, is ignored.
"""

from __future__ import annotations

from dataclasses import replace

from signaling import events as ev
from signaling.commands import Send
from signaling.document import RoomDocument
from signaling.seat import PendingOffer
from signaling.steps import (
    Next,
    ended,
    noted,
    offer_message,
    on,
    running,
    want_media,
)

STORED_FRESH_MS = 5_000  # a seat is being written if the store has it this close to its newest

# --- media ----------------------------------------------------------------------------------------------


def offer_made(document: RoomDocument, event: ev.OfferMade, now_ms: int) -> Next:
    """To the page if it is for the current connection; kept until answered, in case the page is away."""
    seat = document.seat(event.peer)
    if not running(document, event.epoch) or seat is None or seat.connection != event.connection:
        return document, []
    tracks = tuple((track.mid, track.participant, track.kind) for track in event.tracks)
    offer = PendingOffer(event.connection, event.offer_id, event.sdp, event.ice_restart, tracks)
    changed = document.with_seat(replace(seat, offer=offer))
    return changed, [] if seat.socket is None else [Send(seat.socket, "offer", offer_message(offer), seat.id)]


def peer_changed(document: RoomDocument, event: ev.PeerChanged, now_ms: int) -> Next:
    """A failed connection is replaced by itself; an absent page gets a new one when it returns."""
    seat = document.seat(event.peer)
    if not running(document, event.epoch) or seat is None or seat.connection != event.connection:
        return document, []
    if event.state != "failed":
        return document.with_seat(replace(seat, connected=event.state == "connected")), []
    again = seat.disconnect() if seat.socket is None else seat.connect(document.epoch, now_ms)
    return document.with_seat(again), noted(document, "connection_failed", seat)


def answer_refused(document: RoomDocument, event: ev.AnswerRefused, now_ms: int) -> Next:
    """Remembered: the next tick makes a new connection, so a page of rubbish gets one every two seconds."""
    seat = document.seat(event.peer)
    if document.media != "open" or seat is None or seat.connection != event.connection or seat.connected:
        return document, []
    return document.with_seat(replace(seat, refused=True)), []


def stored(document: RoomDocument, event: ev.Stored, now_ms: int) -> Next:
    if not running(document, event.epoch):
        return document, []
    newest = event.stored_until_ms or 0
    writing = 0
    for seat_id, until_ms in event.seats:
        seat = document.seat(seat_id)
        granted = seat is not None and seat.present and document.grant_of(seat) is not None
        writing += granted or (until_ms is not None and newest - until_ms < STORED_FRESH_MS)
    grants = dict(event.grants)
    document = document.with_seats(replace(seat, admitted=grants.get(seat.id)) for seat in document.seats)
    light = document.light.report(now_ms, event.stored_until_ms, writing, event.degraded, event.paused)
    return replace(document, light=light), []


def dismissed(document: RoomDocument, event: ev.Dismissed, now_ms: int) -> Next:
    """The page that withdrew has waited for this. A newer grant of the seat is another matter."""
    seat = document.seat(event.peer)
    if not running(document, event.epoch) or seat is None or seat.admitted != event.grant:
        return document, []
    return document.with_seat(replace(seat, admitted=None)), []


def lines_changed(document: RoomDocument, event: ev.LinesChanged, now_ms: int) -> Next:
    """Kept with the seat while its connection lasts; one without a connection has no line."""
    if not running(document, event.epoch):
        return document, []
    lines = dict(event.lines)
    return document.with_seats(
        replace(seat, line=lines[seat.id]) if seat.id in lines and seat.connection is not None else seat
        for seat in document.seats
    ), []


def epoch_closed(document: RoomDocument, event: ev.EpochClosed, now_ms: int) -> Next:
    """After the end: everything is sealed, now the pages may go."""
    if document.phase != "closing" or event.epoch != document.epoch:
        return document, []
    return ended(replace(document, light=replace(document.light, sealed=True)))


def media_lost(document: RoomDocument, event: ev.MediaLost, now_ms: int) -> Next:
    """All connections are gone; a new epoch is asked for while somebody is in. Late word changes nothing."""
    if event.epoch is not None and event.epoch < document.epoch:
        return document, []
    if document.media != "open":
        return ended(document) if document.phase == "closing" else (document, [])
    gone = document.with_seats(replace(seat.disconnect(), admitted=None) for seat in document.seats)
    lost = replace(gone, media="lost")
    commands = noted(document, "media_lost")
    if not lost.present:
        return lost, commands
    lost, asked = want_media(lost, now_ms)
    return lost, commands + asked


on(ev.OfferMade, offer_made)
on(ev.PeerChanged, peer_changed)
on(ev.AnswerRefused, answer_refused)
on(ev.Stored, stored)
on(ev.Dismissed, dismissed)
on(ev.LinesChanged, lines_changed)
on(ev.EpochClosed, epoch_closed)
on(ev.MediaLost, media_lost)
