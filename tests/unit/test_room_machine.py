"""Whatever happens to a room, in whatever order: what must never be true is never true."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from signaling import commands as cm
from signaling import events as ev
from signaling import messages as ms
from signaling.document import RoomDocument, from_json, new_document, to_json
from signaling.plan import plan_of
from signaling.ports import Consent, Plan, SessionRef
from signaling.room import handle
from tests.support.rooms import CONSULTING, INTERPRETER, REFERRING, ROOM, knock, three_seats

SEATS = st.sampled_from([REFERRING, CONSULTING, INTERPRETER])
SOCKETS = st.sampled_from(["a", "b"])
FLAGS = st.sampled_from([True, False, None])


class AnyRoom(RuleBasedStateMachine):
    """Pages, the application and media do as they please; time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.document = new_document(ROOM, three_seats())
        self.now = 1_000_000
        self.joins = 0
        self.granted = 0  # epochs
        self.versions: list[tuple[int, int]] = []  # of plans, in one session's life
        self.gone: set[str] = set()  # connections that once were
        self.consents: dict[str, str] = {seat.id: seat.consent for seat in three_seats().seats}
        self.commands: list[cm.Command] = []

    def do(self, event: ev.Event) -> None:
        before = self.document
        self.document, self.commands = handle(before, event, self.now)
        now = self.connections(self.document)
        assert not now & self.gone, "a connection that is gone never comes back"
        self.gone |= self.connections(before) - now
        assert from_json(to_json(self.document)) == self.document
        if self.document is not before:
            assert self.document.version == before.version + 1
        for command in self.commands:
            if isinstance(command, cm.PutPlan):
                self.check(command.plan)

    @staticmethod
    def connections(document: RoomDocument) -> set[str]:
        return {seat.connection for seat in document.seats if seat.connection is not None}

    def check(self, plan: Plan) -> None:
        assert not self.versions or self.versions[-1] < (plan.epoch, plan.version)
        self.versions.append((plan.epoch, plan.version))
        assert not (plan.closed and plan.peers)
        if self.document.over:
            assert not plan.peers
        for seat_id, peer in plan.peers.items():
            assert peer.grant is None or self.consents[seat_id] == "granted"
            assert peer.connection.split(".")[1] == str(plan.epoch)
        assert plan.pause == self.document.pause

    def socket(self, seat: str, which: str) -> str:
        return f"{seat}-{which}"

    @rule(seat=SEATS, which=SOCKETS, mic=FLAGS, camera=FLAGS, resume=st.booleans())
    def join(self, seat: str, which: str, mic: bool | None, camera: bool | None, resume: bool) -> None:
        self.joins += 1
        held = self.document.seat(seat)
        assert held is not None
        seed = three_seats()
        changed = {s.id: s.facts for s in self.document.seats}
        self.do(
            ev.Joined(
                seat=seat,
                socket=self.socket(seat, which),
                credential=f"credential-{seat}",
                join_id=f"j{self.joins}",
                seed=type(seed)(seats=tuple(changed.values()), knocks=self.document.knocks),
                mic=mic,
                camera=camera,
                resume=held.connection if resume else None,
            )
        )

    @rule(seat=SEATS, which=SOCKETS)
    def leave(self, seat: str, which: str) -> None:
        self.do(ev.Left(seat, self.socket(seat, which)))

    @rule(seat=SEATS, which=SOCKETS)
    def lose_socket(self, seat: str, which: str) -> None:
        self.do(ev.SocketLost(seat, self.socket(seat, which)))

    @rule(
        seat=SEATS,
        which=SOCKETS,
        what=st.sampled_from(
            ["restart", "ice", "media", "quality", "end", "admit", "pause", "resume", "view"]
        ),
    )
    def page_event(self, seat: str, which: str, what: str) -> None:
        socket = self.socket(seat, which)
        events: dict[str, ev.Event] = {
            "restart": ev.RestartAsked(seat, socket),
            "ice": ev.IceRestartAsked(seat, socket),
            "media": ev.MediaChanged(seat, socket, False, True),
            "quality": ev.QualityReported(seat, socket, "fair"),
            "end": ev.EndAsked(seat, socket),
            "admit": ev.KnockAnswered(seat, socket, "knock-1", True),
            "pause": ev.PauseAsked(seat, socket, "other"),
            "resume": ev.ResumeAsked(seat, socket),
            "view": ev.ViewChanged(seat, socket, ((REFERRING, "camera", 300),)),
        }
        before = self.document
        self.do(events[what])
        if self.document.pause != before.pause:
            assert before.chair == seat, "only the chair pauses and resumes"

    @rule(seat=SEATS, state=st.sampled_from(["connecting", "connected", "disconnected", "failed"]))
    def peer(self, seat: str, state: str) -> None:
        held = self.document.seat(seat)
        assert held is not None
        self.do(ev.PeerChanged(self.document.epoch, seat, held.connection or "none", state))

    @rule(seat=SEATS, which=SOCKETS)
    def offer_and_answer(self, seat: str, which: str) -> None:
        held = self.document.seat(seat)
        assert held is not None
        connection = held.connection or "none"
        self.do(ev.OfferMade(self.document.epoch, seat, connection, "o1", False, (), "v=0"))
        self.do(ev.Answered(seat, self.socket(seat, which), connection, "o1", "v=0"))

    @rule(seat=SEATS, decision=st.sampled_from(["granted", "declined", "undecided"]), grant=st.booleans())
    def consent(self, seat: str, decision: Consent, grant: bool) -> None:
        self.consents[seat] = decision
        self.do(ev.ConsentChanged(seat, decision, "g" if grant else None))

    @rule(until=st.integers(0, 100), seats=st.sets(SEATS))
    def stored(self, until: int, seats: set[str]) -> None:
        self.do(ev.Stored(self.document.epoch, until, tuple((s, until) for s in sorted(seats)), ()))

    @rule(until=st.integers(101, 10_000), seat=SEATS, ms_=st.sampled_from([4_000, 6_000]))
    def stored_and_then_silence(self, until: int, seat: str, ms_: int) -> None:
        self.do(ev.Stored(self.document.epoch, until, ((seat, until),), ()))
        self.now += ms_
        self.do(ev.Stored(self.document.epoch, until, ((seat, until),), ()))

    @rule()
    def session_opens(self) -> None:
        if self.document.wanted == "session":
            self.granted += 1
            self.do(
                ev.SessionOpened(SessionRef(self.document.session or f"s{self.granted}", self.granted, 1))
            )

    @rule()
    def epoch_is_granted(self) -> None:
        if self.document.wanted == "epoch" and self.document.session is not None:
            self.granted += 1
            self.do(ev.EpochGranted(self.document.session, self.granted))

    @rule(what=st.sampled_from(["lost", "closed", "knock", "revoked", "cancelled"]), seat=SEATS)
    def world(self, what: str, seat: str) -> None:
        events: dict[str, ev.Event] = {
            "lost": ev.MediaLost(),
            "closed": ev.EpochClosed(self.document.epoch),
            "knock": ev.KnockArrived(knock()),
            "revoked": ev.CredentialRevoked(f"credential-{seat}"),
            "cancelled": ev.RoomClosed("cancelled"),
        }
        if what != "cancelled" or self.joins > 12:
            self.do(events[what])

    @rule(ms_=st.sampled_from([500, 1_000, 6_000, 31_000, 601_000]))
    def time_passes(self, ms_: int) -> None:
        self.now += ms_
        self.do(ev.Tick())

    @invariant()
    def a_seat_has_one_socket_and_one_connection_and_nobody_shares_them(self) -> None:
        sockets = [seat.socket for seat in self.document.seats if seat.socket is not None]
        connections = [seat.connection for seat in self.document.seats if seat.connection is not None]
        assert len(set(sockets)) == len(sockets)
        assert len(set(connections)) == len(connections)

    @invariant()
    def who_is_not_there_has_nothing(self) -> None:
        for seat in self.document.seats:
            if not seat.present:
                assert (seat.socket, seat.connection, seat.away_since_ms) == (None, None, None)
            else:
                assert (seat.socket is None) == (seat.away_since_ms is not None)

    @invariant()
    def a_connection_exists_only_while_media_runs(self) -> None:
        if self.document.media != "open":
            assert all(seat.connection is None for seat in self.document.seats)
        plan = plan_of(self.document)
        if self.document.over:
            assert plan is None or not plan.peers

    @invariant()
    def the_light_never_says_recording_without_the_stores_word(self) -> None:
        light = self.document.light
        if light.state(self.now, self.document.session is not None) == "recording":
            assert light.advanced_ms is not None
            assert self.now - light.advanced_ms <= 5_000

    @invariant()
    def an_ended_room_is_empty(self) -> None:
        if self.document.phase == "ended":
            assert self.document.present == []
        for command in self.commands:
            if isinstance(command, cm.Send) and isinstance(command.message, ms.Snapshot):
                assert command.message.version == self.document.version


AnyRoom.TestCase.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAnyRoom = AnyRoom.TestCase
