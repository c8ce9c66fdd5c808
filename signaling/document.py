"""The room's document: everything a room is, as one versioned value with a JSON form. Must not: act.

No Room object outlives an event: a process loads the document, `room.handle` makes the next one,
it is stored by compare-and-set (`signaling/hub.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from signaling.interpretation import Direction, Handover, Interpretation
from signaling.light import Light
from signaling.ports import EndReason, Knock, Pause, RoomSeed, SeatSeed
from signaling.seat import Line, PendingOffer, Seat

SCHEMA = 1
Phase = Literal["waiting", "live", "closing", "ended"]
Wanted = Literal["session", "epoch"]
Media = Literal["none", "open", "closed", "lost"]


@dataclass(frozen=True, slots=True)
class RoomDocument:
    """One room. `phase` closing = over, but the journal is not sealed yet; `version` >= 1 once stored."""

    room: str
    version: int = 0
    phase: Phase = "waiting"
    seats: tuple[Seat, ...] = ()
    knocks: tuple[Knock, ...] = ()
    session: str | None = None
    started_at_ms: int | None = None
    epoch: int = 0  # the last one granted, 0 = none
    media: Media = "none"  # what became of that epoch: closed = media was asked to close it
    wanted: Wanted | None = None  # asked of the directory, not answered yet
    wanted_ms: int = 0
    empty_since_ms: int | None = None
    closing_since_ms: int | None = None
    end_reason: EndReason | None = None
    light: Light = field(default_factory=Light)
    pause: Pause | None = None  # of this session
    pause_by: str = ""  # the seat that changed it last
    pause_unkept_ms: int | None = None  # told to the books then, not answered yet
    heard: int = 0  # number of the last event of this epoch's media that was acted on
    pause_kept: bool = False  # the books have this pause, if maybe with an older reason
    interpretation: Interpretation = field(default_factory=Interpretation)

    def seat(self, seat_id: str) -> Seat | None:
        """The seat of this id, if the room has it."""
        return next((seat for seat in self.seats if seat.id == seat_id), None)

    def with_seat(self, changed: Seat) -> RoomDocument:
        """With this seat in place of the one of the same id."""
        return self.with_seats(changed if seat.id == changed.id else seat for seat in self.seats)

    def with_seats(self, seats: Iterable[Seat]) -> RoomDocument:
        """With these seats."""
        return replace(self, seats=tuple(seats))

    @property
    def present(self) -> list[Seat]:
        """Seats with somebody there, also those away for less than 30 s."""
        return [seat for seat in self.seats if seat.present]

    @property
    def inside(self) -> list[Seat]:
        """Those of them who have not stepped out; what is said in the room is told to nobody else."""
        return [seat for seat in self.present if not seat.out]

    @property
    def unaccompanied(self) -> bool:
        """Somebody takes part who may be recorded in company only, and there is none."""
        here = [seat.facts for seat in self.inside]
        return any(one.accompanied for one in here) and not any(one.accompanies for one in here)

    def grant_of(self, seat: Seat) -> str | None:
        """The grant under which this seat may be recorded now."""
        return None if self.unaccompanied else seat.grant

    @property
    def chair(self) -> str | None:
        """The present seat of least rank."""
        ranked = [
            (seat.facts.chair_rank, seat.id) for seat in self.present if seat.facts.chair_rank is not None
        ]
        return min(ranked)[1] if ranked else None

    @property
    def over(self) -> bool:
        """Nobody joins any more."""
        return self.phase in ("closing", "ended")

    def able(self, seat: Seat, ability: str) -> bool:
        """Whether this seat may do it now; some it may do only as chair."""
        if ability not in seat.facts.abilities:
            return False
        return ability not in seat.facts.chaired or self.chair == seat.id


def new_document(room: str, seed: RoomSeed) -> RoomDocument:
    """The document of a room in which nobody has been yet."""
    return RoomDocument(
        room=room,
        phase="ended" if seed.ended else "waiting",
        seats=tuple(Seat.untaken(facts) for facts in seed.seats),
        knocks=seed.knocks,
    )


def to_json(document: RoomDocument) -> str:
    """The document as JSON text."""
    return json.dumps({"schema": SCHEMA, **asdict(document)}, default=sorted, separators=(",", ":"))


def from_json(text: str) -> RoomDocument:
    """The document from `to_json`'s text; raises ValueError for another schema."""
    fields: dict[str, Any] = json.loads(text)
    if fields.pop("schema", None) != SCHEMA:
        raise ValueError("room document of another schema")
    fields["seats"] = tuple(_seat(entry) for entry in fields["seats"])
    fields["knocks"] = tuple(Knock(**entry) for entry in fields["knocks"])
    light = fields["light"]
    fields["light"] = Light(**{**light, "degraded": _triples(light["degraded"])})
    pause = fields["pause"]
    fields["pause"] = None if pause is None else Pause(**pause)
    told = fields.get("interpretation", {})  # older documents, of a server that is being replaced, have none
    asked = told.get("handover")
    asked = None if asked is None else Handover(**asked)
    fields["interpretation"] = Interpretation(**{**told, "handover": asked})
    return RoomDocument(**fields)


def _seat(entry: dict[str, Any]) -> Seat:
    told = entry["facts"]
    sets = {name: frozenset(told[name]) for name in ("abilities", "chaired") if name in told}
    facts = SeatSeed(**{**told, **sets})
    way = entry.get("direction")
    offer = entry["offer"]
    if offer is not None:
        offer = PendingOffer(**{**offer, "tracks": _triples(offer["tracks"])})
    line = entry["line"]
    if line is not None:
        line = Line(**{**line, "paused": _triples(line["paused"])})
    view = tuple((seat, kind, height) for seat, kind, height in entry["view"])
    direction = None if way is None else Direction(**way)
    made = {"facts": facts, "offer": offer, "line": line, "view": view, "direction": direction}
    return Seat(**{**entry, **made})


def _triples(rows: list[list[str]]) -> tuple[tuple[str, str, str], ...]:
    return tuple((first, second, third) for first, second, third in rows)
