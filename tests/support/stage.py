"""A room on stage: events in, commands out, a clock that the test moves. For transcripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from signaling import commands as cm
from signaling import events as ev
from signaling import messages as ms
from signaling.document import RoomDocument, from_json, new_document, to_json
from signaling.ports import Plan, RoomSeed, SessionRef
from signaling.room import handle, refusal
from tests.support.rooms import CONSULTING, ROOM, three_seats

C = TypeVar("C")


@dataclass
class Stage:
    """A room, a clock, and the commands of the last event."""

    document: RoomDocument = field(default_factory=lambda: new_document(ROOM, three_seats()))
    now: int = 1_000_000
    seed: RoomSeed = field(default_factory=three_seats)
    commands: list[cm.Command] = field(default_factory=list)
    joins: int = 0

    def on(self, event: ev.Event) -> list[cm.Command]:
        self.document, self.commands = handle(self.document, event, self.now)
        assert from_json(to_json(self.document)) == self.document
        return self.commands

    def join(
        self, seat_id: str, socket: str, resume: str | None = None, **on: bool | None
    ) -> list[cm.Command]:
        self.joins += 1
        joined = ev.Joined(
            seat=seat_id,
            socket=socket,
            credential=f"credential-{seat_id}",
            join_id=f"j{self.joins}",
            seed=self.seed,
            mic=on.get("mic", True),
            camera=on.get("camera", True),
            resume=resume,
            full=bool(on.get("full")),
        )
        return self.on(joined)

    def live(self, *seats: str) -> Stage:
        """With these seats in and media running in epoch 1; sockets are `s-<seat>`."""
        for seat_id in seats:
            self.join(seat_id, f"s-{seat_id}")
        self.on(ev.SessionOpened(SessionRef("session-1", 1, self.now)))
        return self

    def passes(self, ms_: int) -> list[cm.Command]:
        self.now += ms_
        return self.on(ev.Tick())

    def seconds(self, count: int) -> list[cm.Command]:
        return [command for _ in range(count) for command in self.passes(1_000)]

    def all(self, kind: type[C]) -> list[C]:
        return [command for command in self.commands if isinstance(command, kind)]

    def sent(self, event: str) -> dict[str, ms.Message]:
        return {c.socket: c.message for c in self.all(cm.Send) if c.event == event}

    def connection(self, seat_id: str) -> str | None:
        found = self.document.seat(seat_id)
        assert found is not None
        return found.connection

    def code(self) -> str | None:
        return refusal(self.commands)

    def offer(self, seat_id: str, offer_id: str = "o1") -> ev.OfferMade:
        track = ms.OfferedTrack(mid="4", participant=CONSULTING, kind="camera")
        connection = self.connection(seat_id) or "none"
        return ev.OfferMade(self.document.epoch, seat_id, connection, offer_id, False, (track,), "v=0")

    def light(self) -> str:
        return self.document.light.state(self.now, self.document.session is not None)


def plan_in(commands: list[cm.Command]) -> Plan | None:
    return next((c.plan for c in reversed(commands) if isinstance(c, cm.PutPlan)), None)
