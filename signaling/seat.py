"""A seat: what the application says of it, and who sits there now. Pure. Must not: know what a role means.

A seat is one place for one person (or one microphone): it never has two sockets or two connections.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from signaling.interpretation import Direction, spoken
from signaling.ports import SeatSeed, Shown
from signaling.wire import LineMode, QualityLevel
from signaling.wire_interpreting import Hearing

INTERPRET = "interpret"  # the ability that makes a seat an interpreter's
AWAY_LIMIT_MS = 30_000  # a lost socket may return to its seat, and to its media, for so long
ALL_AWAY_LIMIT_MS = 10_000  # without a socket in the whole room, and without media: nobody waits for anybody


def instance_of(socket: str) -> str:
    """The process that holds this socket; empty where there is but one. Sockets are named `instance/id`."""
    return socket.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class PendingOffer:
    """The media plane's last offer that has not been answered; sent again when the page returns."""

    connection: str
    offer_id: str
    sdp: str
    ice_restart: bool
    tracks: tuple[tuple[str, str, str], ...]  # mid, participant, kind


@dataclass(frozen=True, slots=True)
class Line:
    """What the line to a seat carries, by media's word: bit/s (0 = not measured), and the pictures it is not
    sent, each with why."""

    mode: LineMode
    down_bps: int
    paused: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat with its present state. `connection` None = media has nothing for it."""

    facts: SeatSeed
    present: bool = False
    socket: str | None = None
    credential: str | None = None
    away_since_ms: int | None = None  # set while present without a socket
    lost: bool = False  # its line was lost, nobody left; remembered until somebody sits down again
    mic: bool = False
    camera: bool = False
    screen: bool = False  # it is shared
    quality: QualityLevel | None = None
    join_id: str = ""  # random, from the hub; begins the ids of this join's connections
    connections: int = 0  # how many this seat has had; part of the id, never goes back
    connection: str | None = None
    connected: bool = False  # media says so
    answered: bool = False  # the current connection has answered an offer
    refused: bool = False  # media could not take the current connection's answer
    made_at_ms: int = 0  # when the current connection was made
    offer: PendingOffer | None = None
    view: tuple[Shown, ...] = ()  # what its page shows how large
    up_thin: bool = False  # its page believes to be able to send next to nothing
    line: Line | None = None  # of the current connection; media has said nothing: None
    admitted: str | None = None  # the grant under which media records it, by media's own word
    hearing: Hearing | None = None  # as chosen; None: what follows from the languages
    out: bool = False  # stepped out, whoever sits there
    waits: bool = False  # out since before anybody sat here: they have not been in yet
    direction: Direction | None = None  # of an interpreter
    listens: str | None = None  # an interpreter's own source; None = the floor
    partner: bool = False  # the microphone goes to fellow interpreters only

    @classmethod
    def untaken(cls, facts: SeatSeed) -> Seat:
        """A seat that nobody has taken yet."""
        return cls(facts=facts, out=facts.waits, waits=facts.waits)

    @property
    def id(self) -> str:
        return self.facts.id

    @property
    def speaks(self) -> tuple[str, ...]:
        """Languages, the first one first."""
        return spoken(self.facts.language)

    @property
    def interprets(self) -> bool:
        return INTERPRET in self.facts.abilities

    @property
    def private(self) -> bool:
        """What is said and shown here is not for the room, and not for the recording."""
        return self.out or self.partner

    @property
    def grant(self) -> str | None:
        """The grant under which this seat may be recorded; never one without consent."""
        return self.facts.grant if self.facts.consent == "granted" else None

    def connect(self, epoch: int, now_ms: int) -> Seat:
        """With a new connection of this epoch in place of the old one."""
        number = self.connections + 1
        return replace(
            self,
            connections=number,
            connection=f"{self.join_id}.{epoch}.{number}",
            connected=False,
            answered=False,
            refused=False,
            made_at_ms=now_ms,
            offer=None,
            line=None,
            up_thin=False,
        )

    def disconnect(self) -> Seat:
        """Without a connection."""
        return replace(
            self, connection=None, connected=False, answered=False, refused=False, offer=None, line=None
        )

    def vacate(self) -> Seat:
        """Nobody here; microphone, camera, consent, hearing and having stepped out are remembered."""
        return replace(
            self.disconnect(),
            present=False,
            socket=None,
            credential=None,
            away_since_ms=None,
            quality=None,
            view=(),
            up_thin=False,
            screen=False,
            listens=None,
            partner=False,
        )

    def lose_socket(self, now_ms: int, goodbye: bool = False) -> Seat:
        """Away: the socket is gone, media stays. A goodbye that comes while media hears nothing is an old
        one: it was said on a socket that had lost its line."""
        return replace(self, socket=None, away_since_ms=now_ms, lost=not (goodbye and self.connected))
