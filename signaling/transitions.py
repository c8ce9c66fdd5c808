"""What pages and the application do to a room: document and event in, next document and commands out.

Must not: do I/O, read a clock, draw a random number. Plans and snapshots are not made here:
`signaling/room.py` derives them from the difference of the two documents, so no transition can forget one.
"""

from __future__ import annotations

from dataclasses import replace

from signaling import events as ev
from signaling.commands import (
    AnswerKnock,
    Close,
    Command,
    EndSession,
    ForwardAnswer,
    Note,
    Refused,
    RestartIce,
    Send,
)
from signaling.document import RoomDocument
from signaling.resumed import as_it_was
from signaling.steps import (
    MAX_KNOCKS,
    Next,
    begun,
    closing,
    noted,
    offer_message,
    on,
    reseeded,
    sitting,
    vacated,
    want_media,
)

UP_THIN_BPS = 100_000  # a page that can send no more has a voice and a few pictures
FRESH_CONNECTION_MS = 5_000  # a restart asked for sooner is answered by the connection just being made

# --- pages ----------------------------------------------------------------------------------------------


def joined(document: RoomDocument, event: ev.Joined, now_ms: int) -> Next:
    """The same seat returns to the same seat: an older socket is replaced, a living connection is kept."""
    if document.over or event.seed.ended:
        return document, [Refused("ended")]
    before = document
    document, commands = reseeded(document, event.seed)
    seat = document.seat(event.seat)
    if seat is None:
        return document, [*commands, Refused("removed")]
    if event.full and not seat.present:
        return before, [Refused("no_capacity")]
    if not document.able(seat, "join"):
        return document, [*commands, Refused("forbidden")]
    if seat.socket is not None and seat.socket != event.socket:
        commands.append(Close(seat.socket, "replaced"))
    what = "joined" if not seat.present else "back" if seat.socket is None else "replaced"
    if document.session is not None:
        commands.append(Note(document.session, what, seat.id))
    keep = event.resume is not None and event.resume == seat.connection
    seat = replace(
        seat,
        present=True,
        socket=event.socket,
        credential=event.credential,
        away_since_ms=None,
        lost=False,
        mic=seat.mic if event.mic is None else event.mic,
        camera=seat.camera if event.camera is None else event.camera,
        join_id=seat.join_id if keep else event.join_id,
        view=seat.view if keep else (),
        screen=seat.screen and keep,
    )
    if not keep:
        seat = seat.connect(document.epoch, now_ms) if document.media == "open" else seat.disconnect()
    elif seat.offer is not None:
        commands.append(Send(event.socket, "offer", offer_message(seat.offer), seat.id))
    document, asked = want_media(document.with_seat(seat), now_ms)
    return document, commands + asked


def left(document: RoomDocument, event: ev.Left, now_ms: int) -> Next:
    """At once, without the 30 seconds."""
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    return vacated(document, seat, "left")


def socket_lost(document: RoomDocument, event: ev.SocketLost, now_ms: int) -> Next:
    """Away: the seat is kept, and its media, for 30 s. A socket that was replaced is of no interest."""
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, []
    return document.with_seat(seat.lose_socket(now_ms, event.goodbye)), noted(document, "away", seat)


def answered(document: RoomDocument, event: ev.Answered, now_ms: int) -> Next:
    """Handed on to media if it is for the seat's current connection; media itself judges the rest."""
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    if document.session is None or document.media != "open" or event.connection != seat.connection:
        return document, [Refused("stale_connection")]
    done = seat.offer is not None and seat.offer.offer_id == event.offer_id
    forward = ForwardAnswer(document.session, seat.id, event.connection, event.offer_id, event.sdp)
    return document.with_seat(replace(seat, answered=True, offer=None if done else seat.offer)), [forward]


def media_changed(document: RoomDocument, event: ev.MediaChanged, now_ms: int) -> Next:
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    return document.with_seat(replace(seat, mic=event.mic, camera=event.camera, screen=event.screen)), []


def quality_reported(document: RoomDocument, event: ev.QualityReported, now_ms: int) -> Next:
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    up_thin = event.up_bps is not None and event.up_bps < UP_THIN_BPS
    return document.with_seat(replace(seat, quality=event.level, up_thin=up_thin)), []


def view_changed(document: RoomDocument, event: ev.ViewChanged, now_ms: int) -> Next:
    """Of seats that are not in this room nothing is remembered."""
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    known = {other.id for other in document.seats} - {seat.id}
    view = {(source, kind): height for source, kind, height in event.shown if source in known}
    shown = tuple((source, kind, height) for (source, kind), height in sorted(view.items()))
    return document.with_seat(replace(seat, view=shown)), []


def restart_asked(document: RoomDocument, event: ev.RestartAsked, now_ms: int) -> Next:
    """A new connection, unless one is just being made: then its offer is sent again if there is one."""
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    if document.media != "open":
        return want_media(document, now_ms)
    fresh = (
        seat.connection is not None and not seat.answered and now_ms - seat.made_at_ms < FRESH_CONNECTION_MS
    )
    if not fresh:
        return document.with_seat(seat.connect(document.epoch, now_ms)), noted(document, "restarted", seat)
    return document, [] if seat.offer is None else [
        Send(event.socket, "offer", offer_message(seat.offer), seat.id)
    ]


def ice_restart_asked(document: RoomDocument, event: ev.IceRestartAsked, now_ms: int) -> Next:
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    if document.session is None or document.media != "open" or seat.connection is None:
        return document, [Refused("stale_connection")]
    return document, [RestartIce(document.session, seat.id, seat.connection)]


def end_asked(document: RoomDocument, event: ev.EndAsked, now_ms: int) -> Next:
    """The chair ends it for everybody."""
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    if document.over:
        return document, []
    return closing(document, "ended", now_ms)


def knock_answered(document: RoomDocument, event: ev.KnockAnswered, now_ms: int) -> Next:
    """Admitting one of several who knock at a seat refuses the others: the seat is one place."""
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    answered = next((knock for knock in document.knocks if knock.id == event.knock), None)
    if answered is None:
        return document, [Refused("unknown_knock")]
    gone = {k.id for k in document.knocks if event.accept and k.seat == answered.seat} | {answered.id}
    rest = tuple(knock for knock in document.knocks if knock.id not in gone)
    return replace(document, knocks=rest), [AnswerKnock(event.knock, event.accept, seat.id)]


# --- application ----------------------------------------------------------------------------------------


def consent_changed(document: RoomDocument, event: ev.ConsentChanged, now_ms: int) -> Next:
    """Acts on media through the plan: without `granted` there is no grant in it."""
    seat = document.seat(event.seat)
    if seat is None:
        return document, []
    before = seat.facts
    accompanied = before.accompanied if event.accompanied is None else event.accompanied
    facts = replace(before, consent=event.decision, grant=event.grant, accompanied=accompanied)
    changed = document.with_seat(replace(seat, facts=facts))
    if changed == document:
        return document, []
    said = f"consent_{event.decision}"
    if event.decision == before.consent and event.grant != before.grant:  # elsewhere, of somebody at the seat
        said = "grant_given" if event.grant else "grant_taken"
    return changed, noted(document, said, seat)


def knock_arrived(document: RoomDocument, event: ev.KnockArrived, now_ms: int) -> Next:
    known = any(knock.id == event.knock.id for knock in document.knocks)
    if known or document.over or len(document.knocks) >= MAX_KNOCKS:
        return document, []
    return replace(document, knocks=(*document.knocks, event.knock)), []


def credential_revoked(document: RoomDocument, event: ev.CredentialRevoked, now_ms: int) -> Next:
    """Whoever sits by this credential is out at once."""
    commands: list[Command] = []
    for seat in document.present:
        if seat.credential == event.credential:
            document, more = vacated(document, seat, "revoked", "revoked")
            commands += more
    return document, commands


def room_closed(document: RoomDocument, event: ev.RoomClosed, now_ms: int) -> Next:
    return (document, []) if document.over else closing(document, event.reason, now_ms)


def session_opened(document: RoomDocument, event: ev.SessionOpened, now_ms: int) -> Next:
    """The books have a session; media may begin. One that came too late is given back."""
    ref = event.session
    if document.over:
        return document, [EndSession(ref.id, document.end_reason or "ended")]
    if document.session == ref.id and ref.epoch <= document.epoch:
        return document, []
    started = document.session is None
    document = replace(document, session=ref.id, started_at_ms=ref.started_at_ms, phase="live")
    if started:
        document = replace(document, pause=ref.pause, pause_kept=ref.pause is not None)
        document = as_it_was(document, ref)
    arrived: list[Command] = [Note(ref.id, "joined", s.id) for s in document.present] if started else []
    return begun(document, ref.epoch, now_ms), arrived


def epoch_granted(document: RoomDocument, event: ev.EpochGranted, now_ms: int) -> Next:
    if document.over or event.session != document.session or event.epoch <= document.epoch:
        return document, []
    return begun(document, event.epoch, now_ms), []


on(ev.Joined, joined)
on(ev.Left, left)
on(ev.SocketLost, socket_lost)
on(ev.Answered, answered)
on(ev.MediaChanged, media_changed)
on(ev.QualityReported, quality_reported)
on(ev.ViewChanged, view_changed)
on(ev.RestartAsked, restart_asked)
on(ev.IceRestartAsked, ice_restart_asked)
on(ev.EndAsked, end_asked)
on(ev.KnockAnswered, knock_answered)
on(ev.ConsentChanged, consent_changed)
on(ev.KnockArrived, knock_arrived)
on(ev.CredentialRevoked, credential_revoked)
on(ev.RoomClosed, room_closed)
on(ev.SessionOpened, session_opened)
on(ev.EpochGranted, epoch_granted)
