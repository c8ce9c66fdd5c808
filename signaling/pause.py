"""Pausing the recording: the chair asks, the books keep it, media acts on it. Pure.

A pause belongs to the session: it outlives whoever made it, their page, the media worker and this process.
Only whoever chairs at the moment ends it. Whether it has taken effect is media's word (`signaling/light.py`),
and it is called paused only when the books have it too: what they lack a killed server would forget.
"""

from __future__ import annotations

from dataclasses import replace

from signaling import events as ev
from signaling.commands import Command, KeepPause, Refused
from signaling.document import RoomDocument
from signaling.ports import Pause
from signaling.steps import Next, noted, on, sitting

KEEP_AGAIN_MS = 5_000  # the books are told again when they have not answered


def pause_asked(document: RoomDocument, event: ev.PauseAsked, now_ms: int) -> Next:
    """At once. Asked again it only changes the reason: who paused and since when stay."""
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    if document.session is None or document.over:
        return document, [Refused("no_session")]
    old = document.pause
    pause = Pause(seat.id, event.reason, now_ms) if old is None else replace(old, reason=event.reason)
    if pause == old:
        return document, []
    changed, commands = _kept(replace(document, pause=pause), seat.id, now_ms)
    return changed, commands + ([] if old is not None else noted(document, "paused", seat))


def resume_asked(document: RoomDocument, event: ev.ResumeAsked, now_ms: int) -> Next:
    """What is not paused stays so."""
    seat = sitting(document, event.seat, event.socket)
    if seat is None:
        return document, [Refused("not_joined")]
    if document.pause is None:
        return document, []
    changed, commands = _kept(replace(document, pause=None, pause_kept=False), seat.id, now_ms)
    return changed, commands + noted(document, "resumed", seat)


def pause_kept(document: RoomDocument, event: ev.PauseKept, now_ms: int) -> Next:
    """The books have it; an answer to an older wish is none."""
    if event.session != document.session:
        return document, []
    if event.pause is not None and document.pause is not None:
        same = replace(event.pause, reason=document.pause.reason) == document.pause
        document = replace(document, pause_kept=document.pause_kept or same)
    if event.pause != document.pause:
        return document, []
    return replace(document, pause_unkept_ms=None), []


def keep_again(document: RoomDocument, now_ms: int) -> Next:
    """A pause that the books have not taken would be forgotten with this process."""
    since_ms = document.pause_unkept_ms
    if since_ms is None or document.session is None or now_ms - since_ms < KEEP_AGAIN_MS:
        return document, []
    return _kept(document, document.pause_by, now_ms)


def _kept(document: RoomDocument, by_seat: str, now_ms: int) -> Next:
    commands: list[Command] = []
    if document.session is not None:
        commands.append(KeepPause(document.session, document.pause, by_seat))
    return replace(document, pause_unkept_ms=now_ms, pause_by=by_seat), commands


on(ev.PauseAsked, pause_asked)
on(ev.ResumeAsked, resume_asked)
on(ev.PauseKept, pause_kept)
