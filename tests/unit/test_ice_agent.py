"""The ICE-lite agent without sockets: who gets the media, and when."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.ice import agent as agents
from media.ice import stun
from media.ice.agent import AMPLIFICATION, MAX_ADDRESSES, SECOND_NS, IceLiteAgent
from media.ice.endpoint import Path
from media.ice.seen import SeenIds

THEIR_PASSWORD = "t" * 24


@dataclass(eq=False)
class Wire:
    """A path that keeps what is sent on it."""

    port: int
    sent: list[bytes] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        return "192.0.2.1", self.port

    def send(self, data: bytes | bytearray | memoryview) -> bool:
        self.sent.append(bytes(data))
        return True


class Story:
    """An agent, its peer's password, and everything the agent reported."""

    def __init__(self) -> None:
        self.now = 1_000 * SECOND_NS
        self.events: list[tuple[str, object]] = []
        self.agent = IceLiteAgent(self, self.now)
        self.agent.set_remote("theirs", THEIR_PASSWORD, self.now)

    def on_known(self, path: Path) -> None:
        self.events.append(("known", path))

    def on_validated(self, path: Path) -> None:
        self.events.append(("validated", path))

    def on_selected(self, path: Path) -> None:
        self.events.append(("selected", path))

    def on_forgotten(self, path: Path) -> None:
        self.events.append(("forgotten", path))

    def on_retired(self, ufrag: str) -> None:
        self.events.append(("retired", ufrag))

    def on_ice_state(self, state: str) -> None:
        self.events.append(("state", state))

    def request(self, *, use_candidate: bool = True, transaction: bytes | None = None) -> bytes:
        local = self.agent.local
        return stun.request(
            transaction or secrets.token_bytes(12),
            "theirs",
            local.ufrag,
            local.password,
            1,
            controlling=True,
            use_candidate=use_candidate,
        )

    def take(self, data: bytes, wire: Wire) -> None:
        self.agent.on_datagram(data, wire, self.now)

    def answer_checks(self, wire: Wire, password: str = THEIR_PASSWORD) -> None:
        for data in wire.sent[:]:
            message = stun.parse(data)
            if message.is_request:
                self.take(stun.success(message, ("192.0.2.9", 9), password), wire)

    def connect(self, port: int = 1) -> Wire:
        wire = Wire(port)
        self.take(self.request(), wire)
        self.answer_checks(wire)
        assert self.agent.selected is wire
        return wire

    def later(self, seconds: float) -> None:
        self.now += int(seconds * SECOND_NS)
        self.agent.tick(self.now)


@pytest.fixture
def story() -> Story:
    return Story()


def test_an_address_is_selected_only_after_it_answered_us(story: Story) -> None:
    wire = Wire(1)
    story.take(story.request(), wire)
    assert story.agent.selected is None
    assert [stun.parse(data).is_request for data in wire.sent] == [True, False]
    story.answer_checks(wire)
    assert story.agent.selected is wire
    assert [name for name, _ in story.events] == ["known", "validated", "selected", "state"]
    assert story.agent.state == "connected"


def test_an_address_that_wrote_before_the_answer_is_checked_when_it_comes() -> None:
    story = Story()
    story.agent = IceLiteAgent(story, story.now)
    wire = Wire(1)
    story.take(story.request(), wire)
    assert [stun.parse(data).is_success for data in wire.sent] == [True]
    story.agent.set_remote("theirs", THEIR_PASSWORD, story.now)
    story.answer_checks(wire)
    assert story.agent.selected is wire


def test_a_copied_request_moves_nothing_and_is_not_answered(story: Story) -> None:
    wire, copycat = Wire(1), Wire(2)
    request = story.request()
    story.take(request, wire)
    story.answer_checks(wire)
    story.take(request, copycat)
    assert copycat.sent == []
    assert story.agent.selected is wire
    assert story.agent.counters["replayed"] == 1


def test_a_copy_from_an_address_that_proved_itself_is_answered_but_nominates_nothing(story: Story) -> None:
    first = story.connect(1)
    second = story.connect(2)
    nomination = story.request()
    story.take(nomination, second)
    sent = len(first.sent)
    story.take(nomination, first)
    assert len(first.sent) == sent + 1
    assert story.agent.selected is second


def test_a_retransmission_from_its_own_address_is_answered_again(story: Story) -> None:
    wire = story.connect()
    request = story.request()
    sent = len(wire.sent)
    story.take(request, wire)
    story.take(request, wire)
    assert len(wire.sent) == sent + 2


def test_a_transaction_stays_seen_for_the_life_of_the_ufrag(story: Story) -> None:
    wire = story.connect()
    request = story.request()
    story.take(request, wire)
    for _ in range(3000):
        story.now += SECOND_NS
        story.take(story.request(), wire)
    copycat = Wire(2)
    story.take(request, copycat)
    assert copycat.sent == []


def test_without_room_for_transactions_no_new_address_is_believed(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = story.connect()
    monkeypatch.setattr(agents, "MAX_TRANSACTIONS", 2)
    story.take(story.request(), wire)
    newcomer = Wire(2)
    story.take(story.request(), newcomer)
    assert newcomer.sent == []
    assert story.agent.selected is wire


def test_an_unproved_address_gets_at_most_three_times_what_it_sent(story: Story) -> None:
    wire = Wire(1)
    sent = 0
    for _ in range(40):
        request = story.request()
        sent += len(request)
        story.take(request, wire)
        story.now += SECOND_NS // 10
        assert sum(map(len, wire.sent)) <= AMPLIFICATION * sent


def test_an_answer_nobody_asked_for_proves_nothing(story: Story) -> None:
    wire = Wire(1)
    story.take(story.request(use_candidate=True), wire)
    invented = stun.parse(stun.request(secrets.token_bytes(12), "a", "b", THEIR_PASSWORD, 1))
    story.take(stun.success(invented, ("192.0.2.9", 9), THEIR_PASSWORD), wire)
    assert story.agent.selected is None
    assert story.agent.counters["answer_unasked"] == 1


def test_an_answer_from_another_address_proves_nothing(story: Story) -> None:
    victim, attacker = Wire(1), Wire(2)
    story.take(story.request(), victim)
    story.take(story.request(use_candidate=False), attacker)
    check = next(stun.parse(data) for data in victim.sent if stun.parse(data).is_request)
    story.take(stun.success(check, ("192.0.2.9", 9), THEIR_PASSWORD), attacker)
    assert story.agent.selected is None


def test_an_answer_after_five_seconds_is_too_late(story: Story) -> None:
    wire = Wire(1)
    story.take(story.request(), wire)
    story.now += 6 * SECOND_NS
    story.answer_checks(wire)
    assert story.agent.selected is None


def test_requests_for_the_wrong_peer_or_with_the_wrong_key_are_dropped(story: Story) -> None:
    wire = Wire(1)
    local = story.agent.local
    story.take(stun.request(secrets.token_bytes(12), "other", local.ufrag, local.password, 1), wire)
    story.take(stun.request(secrets.token_bytes(12), "theirs", local.ufrag, "w" * 24, 1), wire)
    story.take(stun.request(secrets.token_bytes(12), "theirs", "unknown", local.password, 1), wire)
    assert wire.sent == []
    assert story.agent.counters == {"remote_ufrag": 1, "integrity": 1, "ufrag": 1}


def test_a_peer_that_thinks_it_is_controlled_hears_of_the_conflict(story: Story) -> None:
    wire = Wire(1)
    local = story.agent.local
    story.take(stun.request(secrets.token_bytes(12), "theirs", local.ufrag, local.password, 1), wire)
    message = stun.parse(wire.sent[0])
    assert not message.is_success
    assert not message.is_request


def test_a_restart_keeps_the_old_address_until_the_new_one_is_proved(story: Story) -> None:
    wire = story.connect()
    old = story.agent.local
    story.agent.restart(story.now)
    story.take(
        stun.request(secrets.token_bytes(12), "theirs", old.ufrag, old.password, 1, controlling=True), wire
    )
    assert story.agent.selected is wire
    story.agent.set_remote("theirs", THEIR_PASSWORD, story.now)
    moved = story.connect(2)
    assert story.agent.selected is moved
    assert ("retired", old.ufrag) not in story.events
    for _ in range(70):
        story.take(story.request(), moved)
        story.later(0.5)
    assert ("retired", old.ufrag) in story.events
    assert story.agent.ufrags == [story.agent.local.ufrag]
    assert story.agent.state == "connected"


def test_restarts_that_nobody_answers_do_not_pile_up(story: Story) -> None:
    story.connect()
    first = story.agent.local
    for _ in range(10):
        story.agent.restart(story.now)
    assert story.agent.ufrags == [first.ufrag, story.agent.local.ufrag]


def test_silence_is_disconnected_after_five_seconds_and_failed_after_twenty(story: Story) -> None:
    wire = story.connect()
    story.later(4.9)
    assert story.agent.state == "connected"
    story.later(0.2)
    assert story.agent.state == "disconnected"
    story.take(story.request(), wire)
    assert story.agent.state == "connected"
    story.later(19)
    assert story.agent.state == "disconnected"
    story.later(1.1)
    assert story.agent.state == "failed"
    story.take(story.request(), wire)
    assert story.agent.state == "failed"


def test_media_alone_keeps_a_peer_alive(story: Story) -> None:
    story.connect()
    for _ in range(100):
        story.agent.heard(story.now)
        story.later(0.5)
    assert story.agent.state == "connected"


def test_nobody_coming_within_thirty_seconds_is_a_failure(story: Story) -> None:
    story.later(30)
    assert story.agent.state == "connecting"
    story.later(0.1)
    assert story.agent.state == "failed"


def test_time_in_which_the_machine_stood_still_is_nobodys_silence(story: Story) -> None:
    story.connect()
    story.now += 3600 * SECOND_NS
    story.agent.slept(3600 * SECOND_NS)
    story.agent.tick(story.now)
    assert story.agent.state == "connected"


def test_addresses_that_prove_nothing_are_forgotten_first(story: Story) -> None:
    wire = story.connect()
    for port in range(2, 2 * MAX_ADDRESSES):
        story.now += SECOND_NS // 10
        story.take(story.request(), Wire(port))
    assert story.agent.selected is wire
    assert len(story.agent._remotes) == MAX_ADDRESSES
    story.agent.heard(story.now)
    story.later(21)
    assert list(story.agent._remotes) == [wire]


def test_a_lost_tcp_connection_hands_the_media_to_another_proved_address(story: Story) -> None:
    first = story.connect(1)
    second = story.connect(2)
    story.agent.forget(second)
    assert story.agent.selected is first
    story.agent.forget(first)
    assert story.agent.selected is None


def test_closing_forgets_every_address_and_ufrag(story: Story) -> None:
    wire = story.connect()
    ufrag = story.agent.local.ufrag
    story.agent.close()
    assert ("forgotten", wire) in story.events
    assert ("retired", ufrag) in story.events
    story.agent.close()


def test_stun_beyond_the_limit_is_dropped_before_it_is_parsed(story: Story) -> None:
    wire = Wire(1)
    for _ in range(1000):
        story.take(bytes(20), wire)
    assert story.agent.counters["stun_rate"] == 1000 - agents.STUN_BURST


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=120)), max_size=20))
def test_no_datagram_raises_or_selects(datagrams: list[tuple[int, bytes]]) -> None:
    story = Story()
    for port, data in datagrams:
        story.take(data, Wire(port))
    assert story.agent.selected is None


class Town(Story):
    """An honest peer with two addresses, an observer with two that copies everything and can sign nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.honest = [Wire(1), Wire(2)]
        self.observer = [Wire(3), Wire(4)]
        self.heard: list[bytes] = []
        self.given = {3: 0, 4: 0}

    def deliver(self, data: bytes, wire: Wire) -> None:
        self.heard.append(data)
        self.given[wire.port] = self.given.get(wire.port, 0) + len(data)
        self.take(data, wire)

    def honest_request(self, which: int, *, overtaken_by: int | None) -> None:
        data = self.request(use_candidate=bool(which & 2))
        self.heard.append(data)
        if overtaken_by is not None:
            self.deliver(data, self.observer[overtaken_by])
        self.deliver(data, self.honest[which & 1])

    def honest_answers(self) -> None:
        for wire in self.honest:
            for data in wire.sent:
                self.heard.append(data)
                message = stun.parse(data)
                if message.is_request and message.signed_with(THEIR_PASSWORD):
                    self.deliver(stun.success(message, wire.address, THEIR_PASSWORD), wire)
            wire.sent.clear()

    def copy(self, index: int, which: int) -> None:
        """Any datagram ever on the wire, from an address of the observer or forged from an honest one."""
        if self.heard:
            self.deliver(self.heard[index % len(self.heard)], [*self.observer, *self.honest][which])

    def reflect(self) -> None:
        for wire in self.observer:
            for data in wire.sent:
                self.deliver(data, self.observer[0])


STEP = st.one_of(
    st.tuples(st.just("request"), st.integers(0, 3), st.sampled_from([None, 0, 1])),
    st.tuples(st.just("answers")),
    st.tuples(st.just("copy"), st.integers(0, 10_000), st.integers(0, 3)),
    st.tuples(st.just("reflect")),
    st.tuples(st.just("later"), st.floats(0, 7)),
    st.tuples(st.just("restart")),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, max_size=40))
def test_whatever_is_copied_in_whatever_order_media_goes_to_an_honest_address_only(
    steps: list[tuple[Any, ...]],
) -> None:
    town = Town()
    for name, *arguments in steps:
        if name == "request":
            town.honest_request(arguments[0], overtaken_by=arguments[1])
        elif name == "answers":
            town.honest_answers()
        elif name == "copy":
            town.copy(*arguments)
        elif name == "reflect":
            town.reflect()
        elif name == "later":
            town.later(arguments[0])
        else:
            town.agent.restart(town.now)
            town.agent.set_remote("theirs", THEIR_PASSWORD, town.now)
        assert town.agent.selected is None or town.agent.selected in town.honest
        for wire in town.observer:
            assert sum(map(len, wire.sent)) <= AMPLIFICATION * town.given[wire.port]


def test_seen_ids_forget_nothing_and_cost_little() -> None:
    seen = SeenIds()
    identities = [number.to_bytes(12, "big") for number in range(5000)]
    for identity in identities:
        seen.add(identity)
        seen.add(identity)
    assert len(seen) == 5000
    assert all(identity in seen for identity in identities)
    assert sum(number.to_bytes(12, "big") in seen for number in range(10**6, 10**6 + 5000)) <= 1
    assert len(seen._slots) * 4 <= 5000 * 16


def test_a_probe_goes_to_where_media_goes_and_tells_when_it_was_answered(story: Story) -> None:
    told: list[tuple[int, int]] = []
    assert not story.agent.probe(0, story.now, lambda sent, heard: told.append((sent, heard)))
    wire = story.connect()
    least = story.agent.round_trip.least_ns
    wire.sent.clear()
    sent = story.now
    assert story.agent.probe(stun.MAX_FILL, sent, lambda at, heard: told.append((at, heard)))
    assert stun.MAX_FILL < len(wire.sent[0]) <= stun.MAX_BYTES
    told_software = stun.stun.parse_message(wire.sent[0]).attributes["SOFTWARE"]
    assert len(told_software) < 128, "characters (RFC 8489 14.14): Firefox does not answer to more"
    assert len(told_software.encode()) == stun.MAX_FILL
    story.now += 1_000_000
    story.answer_checks(wire)
    assert told == [(sent, story.now)]
    assert story.agent.round_trip.least_ns == least
