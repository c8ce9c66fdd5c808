"""The room: `handle(document, event, now_ms)` gives the next document and what is to be done. Pure.

Must not: do I/O, keep anything between two events, read a clock, draw a random number. What everybody must
hear follows from the difference between the two documents: a plan when media should change, a snapshot to
each page whose view changed, the recording light each second.
"""

from __future__ import annotations

from dataclasses import replace

from signaling import events as ev
from signaling import instances, interpreting, media_transitions, pause, time_line, transitions, voices  # noqa: F401 - they register
from signaling import interpreting_events as ie
from signaling import steps as tr
from signaling.commands import (
    Command,
    Emptied,
    EndSession,
    NextEpoch,
    Note,
    OpenSession,
    PutPlan,
    Refused,
    Send,
)
from signaling.document import RoomDocument
from signaling.events import Event, Joined, PageEvent, PauseKept, Stored, Tick
from signaling.interpretation import Interpretation
from signaling.light import Light
from signaling.messages import ABILITY
from signaling.plan import plan_of
from signaling.prebrief import from_outside
from signaling.seat import ALL_AWAY_LIMIT_MS, AWAY_LIMIT_MS
from signaling.view import DARK, recording_of, snapshots_of

EMPTY_CLOSES_EPOCH_MS = 5_000
EMPTY_ENDS_SESSION_MS = 600_000
SEALING_LIMIT_MS = 2_000  # the pages wait so long for media's word that the journal is sealed
REFUSED_ANSWER_MS = 2_000  # a connection whose answer media refused lives so long, then a new one is made
KNOCK_LIFE_MS = 600_000  # then nobody stands at the door any more
ASK_AGAIN_MS = 5_000  # the directory is asked again when it has not answered

NEEDS: dict[type[Event], str | None] = {
    ev.Answered: ABILITY["answer"],
    ev.MediaChanged: ABILITY["media"],
    ev.QualityReported: ABILITY["quality"],
    ev.RestartAsked: ABILITY["restart"],
    ev.IceRestartAsked: ABILITY["ice_restart"],
    ev.EndAsked: ABILITY["end"],
    ev.KnockAnswered: ABILITY["admit"],
    ev.PauseAsked: ABILITY["pause"],
    ev.ResumeAsked: ABILITY["resume"],
    ev.ViewChanged: ABILITY["view"],
    ev.Left: ABILITY["leave"],
    ie.ModeChosen: ABILITY["mode"],
    ie.DirectionChosen: ABILITY["direction"],
    ie.HearingChosen: ABILITY["hearing"],
    ie.FloorGiven: ABILITY["floor"],
    ie.ListenChosen: ABILITY["listen"],
    ie.Signalled: ABILITY["signal"],
    ie.HandoverStepped: ABILITY["handover"],
    ie.PassiveMuted: ABILITY["mute_passive"],
    ie.PartnerLine: ABILITY["partner"],
    ie.PartnerTold: ABILITY["partner_text"],
    ie.Stepped: ABILITY["step"],
}


def handle(
    document: RoomDocument,
    event: Event,
    now_ms: int,
    *,
    number: int | None = None,
    session_ends_after_ms: int = EMPTY_ENDS_SESSION_MS,
) -> tuple[RoomDocument, list[Command]]:
    """The next document and the commands, in the order in which they are to be executed.

    A document that did not change is returned as it was (same version). A refused event changes nothing.
    `number`: of an event of media; several processes hear each, the first one's word counts.
    """
    number = number if getattr(event, "epoch", None) == document.epoch else None
    if number is not None and number <= document.heard:
        return document, []
    if isinstance(event, Tick):
        after, commands = _tick(document, now_ms, session_ends_after_ms)
    elif _forbidden(document, event):
        return document, [Refused("forbidden")]
    elif from_outside(document, event):
        return document, [Refused("stepped_out")]
    else:
        after, commands = tr.HANDLERS[type(event)](document, event, now_ms)
    after = _settled(after, now_ms)
    if number is not None:
        after = replace(after, heard=number)
    if after == document:
        return document, commands + _lights(document, document, event, now_ms)
    after = replace(after, version=document.version + 1)
    # No plan, no snapshot and no line of the time line is made because of these three.
    before = replace(document, version=after.version, light=after.light, heard=after.heard)
    if before != after:
        commands = _plan_changes(before, after) + _snapshots(before, after, event) + commands
        commands += time_line.lines(before, after)
    if (
        document.media in ("open", "lost")
        and after.media in ("closed", "none")
        and document.session is not None
    ):
        commands.append(Emptied(document.session))
    return after, commands + _lights(document, after, event, now_ms)


def _forbidden(document: RoomDocument, event: Event) -> bool:
    """Whether the seat sits there but may not do this now (`signaling/messages.py`, ABILITY)."""
    ability = NEEDS.get(type(event))
    if ability is None or not isinstance(event, PageEvent):
        return False
    seat = tr.sitting(document, event.seat, event.socket)
    return seat is not None and not document.able(seat, ability)


def refusal(commands: list[Command]) -> str | None:
    """The code if the event was refused."""
    return next((command.code for command in commands if isinstance(command, Refused)), None)


def _settled(document: RoomDocument, now_ms: int) -> RoomDocument:
    """With what follows from the rest: since when it is empty, and whether something ought to be stored."""
    empty = document.session is not None and not document.present
    since = (document.empty_since_ms or now_ms) if empty else None
    expected = (
        document.media == "open"
        and document.pause is None
        and any(
            seat.connected
            and document.grant_of(seat) is not None
            and not seat.private
            and (seat.mic or seat.camera)
            for seat in document.present
        )
    )
    document = voices.settled(document)
    return replace(document, empty_since_ms=since, light=document.light.expect(expected, now_ms))


def _tick(document: RoomDocument, now_ms: int, session_ends_after_ms: int) -> tr.Next:
    commands: list[Command] = []
    alone = not any(seat.socket for seat in document.present)
    for seat in document.present:
        limit = ALL_AWAY_LIMIT_MS if alone and not seat.connected else AWAY_LIMIT_MS
        if seat.away_since_ms is not None and now_ms - seat.away_since_ms >= limit:
            document, more = tr.vacated(document, seat, "gone")
            commands += more
    if document.phase == "closing" and now_ms - (document.closing_since_ms or 0) >= SEALING_LIMIT_MS:
        document, more = tr.ended(document)
        return document, commands + more
    document, more = _renewed(document, now_ms)
    commands += more
    document, more = _ask_again(_without_old_knocks(document, now_ms), now_ms)
    commands += more
    document, more = pause.keep_again(document, now_ms)
    commands += more
    session = document.session
    if document.empty_since_ms is None or session is None or document.over:
        return document, commands
    empty_ms = now_ms - document.empty_since_ms
    if empty_ms >= EMPTY_CLOSES_EPOCH_MS and document.media in ("open", "lost"):
        document = replace(tr.shut(document), light=Light())
    elif empty_ms >= session_ends_after_ms:
        commands += [Note(session, "emptied"), EndSession(session, "emptied")]
        document = _forgotten_session(document)
    return document, commands


def _renewed(document: RoomDocument, now_ms: int) -> tr.Next:
    """With a new connection for who sits there with one that can never connect."""
    commands: list[Command] = []
    for seat in document.present:
        if seat.refused and seat.socket is not None and now_ms - seat.made_at_ms >= REFUSED_ANSWER_MS:
            document = document.with_seat(seat.connect(document.epoch, now_ms))
            commands += tr.noted(document, "answer_refused", seat)
    return document, commands


def _without_old_knocks(document: RoomDocument, now_ms: int) -> RoomDocument:
    waiting = tuple(knock for knock in document.knocks if now_ms - knock.since_ms < KNOCK_LIFE_MS)
    return document if waiting == document.knocks else replace(document, knocks=waiting)


def _ask_again(document: RoomDocument, now_ms: int) -> tr.Next:
    if document.wanted is None:
        if document.present and not document.over:
            return tr.want_media(document, now_ms)
        return document, []
    if now_ms - document.wanted_ms < ASK_AGAIN_MS:
        return document, []
    if not document.present:
        return replace(document, wanted=None), []
    again: Command = OpenSession()
    if document.wanted == "epoch" and document.session is not None:
        again = NextEpoch(document.session)
    return replace(document, wanted_ms=now_ms), [again]


def _forgotten_session(document: RoomDocument) -> RoomDocument:
    return replace(
        document,
        phase="waiting",
        session=None,
        started_at_ms=None,
        epoch=0,
        media="none",
        wanted=None,
        light=Light(),
        pause=None,
        pause_unkept_ms=None,
        pause_kept=False,
        interpretation=Interpretation(),
    )


def _plan_changes(before: RoomDocument, after: RoomDocument) -> list[Command]:
    """When media would see a difference."""
    plan = plan_of(after)
    return [] if plan is None or plan_of(before) == plan else [PutPlan(plan)]


def _snapshots(before: RoomDocument, after: RoomDocument, event: Event) -> list[Command]:
    """To each page whose view changed; who joins has it in the ack. Of a turn of speech pages have heard by
    its own message, and it changes nothing else."""
    if isinstance(event, ie.TurnTaken):
        return []
    joiner = event.socket if isinstance(event, Joined) else None
    told = [(seat.socket, seat) for seat in after.seats if seat.socket is not None and seat.socket != joiner]
    now = snapshots_of(after, [seat for _, seat in told])
    was = snapshots_of(before, [seat for seat in before.seats if seat.id in now])
    return [
        Send(socket, "snapshot", now[seat.id]) for socket, seat in told if was.get(seat.id) != now[seat.id]
    ]


def _lights(before: RoomDocument, after: RoomDocument, event: Event, now_ms: int) -> list[Command]:
    """To everybody each second, and at once when the store's word changes it; to who joins, at once."""
    if not isinstance(event, Tick | Stored | Joined | PauseKept):
        return []
    light = recording_of(after, now_ms)
    if isinstance(event, Stored | PauseKept):
        old = recording_of(before, now_ms)
        if old.model_copy(update={"stored_until_ms": light.stored_until_ms}) == light:
            return []
    told = [seat for seat in after.seats if seat.socket is not None]
    if isinstance(event, Joined):
        told = [seat for seat in told if seat.socket == event.socket]
    return [Send(seat.socket or "", "recording", DARK if seat.waits else light) for seat in told]
