"""The room as one seat may see it. Pure; what is not in here no page ever learns."""

from __future__ import annotations

from collections.abc import Sequence

from signaling.document import RoomDocument
from signaling.interpretation import Voice
from signaling.messages import DegradedTrack, Recording
from signaling.ports import Pause
from signaling.prebrief import outside
from signaling.seat import Line, Seat
from signaling.voices import direction_shown, hearing_of, levels_for, shown, voices_of
from signaling.wire import RoomState, WaitsFor
from signaling.wire_snapshot import LineState, Participant, Paused, Snapshot, WaitingKnock, You

DARK = Recording(state="off", stored_until_ms=None, degraded=[], waits_for=None, paused=None)
"""The light of somebody who waits outside: they are not recorded, and what is they are not told."""


def snapshot_of(document: RoomDocument, seat: Seat) -> Snapshot:
    """The whole room for this seat."""
    return snapshots_of(document, (seat,))[seat.id]


def snapshots_of(document: RoomDocument, seats: Sequence[Seat]) -> dict[str, Snapshot]:
    """The whole room for each of these seats, by id; for who waits outside, who is there. What several see
    alike is made once."""
    here = voices_of(document)
    interpretation = shown(document, here)
    people = {
        fellow: [_participant(document, one, fellow) for one in document.seats]
        for fellow in {seat.interprets for seat in seats}
    }
    whole = {
        seat.id: Snapshot(
            version=document.version,
            room=document.room,
            state=_state(document),
            you=_you(document, seat, here),
            chair=document.chair,
            session=document.session,
            started_at_ms=document.started_at_ms,
            participants=people[seat.interprets],
            knocks=_knocks(document, seat),
            pause=_pause(document.pause),
            interpretation=interpretation,
        )
        for seat in seats
    }
    return {seat.id: outside(whole[seat.id]) if seat.waits else whole[seat.id] for seat in seats}


def _you(document: RoomDocument, seat: Seat, here: Sequence[Voice]) -> You:
    return You(
        participant=seat.id,
        abilities=sorted(a for a in seat.facts.abilities if document.able(seat, a)),
        connection=seat.connection,
        levels=levels_for(document, seat, here),
        listening=seat.listens,
    )


def _knocks(document: RoomDocument, seat: Seat) -> list[WaitingKnock]:
    """For those who may admit."""
    if not document.able(seat, "admit"):
        return []
    return [WaitingKnock(id=k.id, seat=k.seat, name=k.name, since_ms=k.since_ms) for k in document.knocks]


def recording_of(document: RoomDocument, now_ms: int) -> Recording:
    """The recording light as every page gets it: its state from the store's word, the names from the room."""
    light = document.light
    state = light.state(now_ms, document.session is not None)
    if state == "paused" and not document.pause_kept:
        state = "waiting"  # the books do not have it: a killed server would forget it
    consenting = any(seat.grant is not None and not seat.private for seat in document.present)
    waits_for: WaitsFor = "company" if document.unaccompanied else "store" if consenting else "consent"
    return Recording(
        state=state,
        stored_until_ms=light.stored_until_ms,
        degraded=[DegradedTrack(participant=p, kind=k, cause=c) for p, k, c in light.degraded],
        waits_for=None if state != "waiting" else waits_for,
        paused=_pause(document.pause) if state == "paused" else None,
    )


def _pause(pause: Pause | None) -> Paused | None:
    if pause is None:
        return None
    return Paused.model_validate({"by": pause.by, "reason": pause.reason, "since_ms": pause.since_ms})


def _state(document: RoomDocument) -> RoomState:
    if document.phase == "closing":
        return "ended"
    return document.phase


def _participant(document: RoomDocument, seat: Seat, fellow: bool) -> Participant:
    """One seat as others may see it; `fellow`: as an interpreter may."""
    facts = seat.facts
    return Participant(
        id=seat.id,
        role=facts.role,
        name=facts.name,
        site=facts.site,
        time_zone=facts.time_zone,
        language=facts.language,
        verified=facts.verified,
        present=seat.present,
        away=seat.away_since_ms is not None,
        mic=seat.mic,
        camera=seat.camera,
        screen=seat.screen,
        consent=facts.consent,
        recorded=seat.admitted is not None,
        recordable=document.grant_of(seat) is not None,
        quality=seat.quality,
        line=_line(seat.line),
        speaks=list(seat.speaks),
        interprets=seat.interprets,
        direction=direction_shown(seat) if seat.interprets else None,
        hearing=hearing_of(document, seat),
        out=seat.out,
        waits=seat.waits,
        partner=seat.partner if fellow else None,
    )


def _line(line: Line | None) -> LineState | None:
    if line is None:
        return None
    paused = [{"participant": p, "kind": k, "why": why} for p, k, why in line.paused]
    return LineState.model_validate({"mode": line.mode, "down_bps": line.down_bps, "paused": paused})
