"""A session that outlived the memory of its room: what its time line says of it, put back. Pure."""

from __future__ import annotations

from dataclasses import replace

from signaling.document import RoomDocument
from signaling.interpretation import Direction
from signaling.ports import SessionRef
from signaling.seat import Seat


def as_it_was(document: RoomDocument, ref: SessionRef) -> RoomDocument:
    """Mode, directions, whom and what each chose to hear, who had stepped out and who had been let in. What
    somebody has chosen since they came back stays."""
    mode = document.interpretation.mode if ref.mode == "consecutive" else ref.mode
    interpretation = replace(document.interpretation, mode=mode)
    known = {seat.id for seat in document.seats}
    seats = (_seat(seat, ref, known) for seat in document.seats)
    return replace(document.with_seats(seats), interpretation=interpretation)


def _seat(seat: Seat, ref: SessionRef, known: set[str]) -> Seat:
    been_in = seat.waits and seat.id in ref.let_in
    way = ref.directions.get(seat.id)
    spoken = way is not None and seat.interprets and set(way) <= set(seat.speaks)
    source = ref.listens.get(seat.id)
    return replace(
        seat,
        out=seat.id in ref.out or (seat.out and not been_in),
        waits=seat.waits and not been_in,
        hearing=seat.hearing or ref.hearing.get(seat.id),
        direction=seat.direction or (Direction(*way) if spoken and way is not None else None),
        listens=seat.listens or (source if seat.interprets and source in known else None),
    )
