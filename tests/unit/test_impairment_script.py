"""What changes when on a bad line, and how a browser is led to it."""

from __future__ import annotations

import pytest

from tests.support.impairment import candidates
from tests.support.impairment.clock import VirtualClock
from tests.support.impairment.profile import CLEAN, SEOUL_ALMATY, Profile
from tests.support.impairment.script import (
    Block,
    Change,
    Direction,
    Playing,
    Rebind,
    at,
    blackout,
    falls,
    swing,
    together,
)


class Notes:
    """A line that writes down what is done to it."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.seen: list[tuple[float, str, object]] = []

    def note(self, what: str, value: object = None) -> None:
        self.seen.append((round(self.clock.time(), 3), what, value))

    def change(self, profile: Profile, direction: Direction = "both") -> None:
        self.note(direction, profile)

    def black_out(self, dark: bool) -> None:
        self.note("dark", dark)

    def rebind(self) -> None:
        self.note("rebind")

    def block_udp(self, blocked: bool) -> None:
        self.note("udp", blocked)

    def block_tcp(self, blocked: bool) -> None:
        self.note("tcp", blocked)


def test_everything_happens_at_its_time_and_in_its_order() -> None:
    clock = VirtualClock()
    clock.run_to(100)
    line = Notes(clock)
    story = together(
        blackout(20, 5), at(10, Change(SEOUL_ALMATY, "up")), at(10, Rebind()), at(15, Block("udp")),
        at(16, Block("udp", False)), at(17, Block("tcp")),
    )  # fmt: skip
    playing = Playing(story, line, clock)
    clock.run_to(119)
    assert not playing.finished
    clock.run_to(200)
    assert playing.finished
    assert line.seen == [
        (110, "up", SEOUL_ALMATY), (110, "rebind", None), (115, "udp", True), (116, "udp", False),
        (117, "tcp", True), (120, "dark", True), (125, "dark", False),
    ]  # fmt: skip
    assert [act for _, act in playing.done] == [moment.act for moment in story]


def test_a_stopped_script_does_no_more() -> None:
    clock = VirtualClock()
    line = Notes(clock)
    playing = Playing(blackout(1, 1), line, clock)
    clock.run_to(1.5)
    playing.stop()
    clock.run_to(5)
    assert line.seen == [(1, "dark", True)]


def test_falls_are_as_many_as_asked_apart_and_the_same_for_a_seed() -> None:
    story = falls(3, 10, 300, (2, 20))
    assert story == falls(3, 10, 300, (2, 20))
    assert story != falls(4, 10, 300, (2, 20))
    times = [moment.at_s for moment in story]
    assert len(times) == 20
    assert times == sorted(times)
    assert all(2 <= end - start <= 20 for start, end in zip(times[::2], times[1::2], strict=True))
    with pytest.raises(ValueError, match="fit"):
        falls(1, 10, 100, (1, 10))


def test_a_swing_walks_through_the_profiles_until_the_end() -> None:
    story = swing(1, (CLEAN, SEOUL_ALMATY), (1, 5), 60)
    assert story == swing(1, (CLEAN, SEOUL_ALMATY), (1, 5), 60)
    times = [moment.at_s for moment in story]
    assert times[0] == 0
    assert 55 <= times[-1] < 60
    assert {moment.act for moment in story} == {Change(CLEAN), Change(SEOUL_ALMATY)}


OFFER = (
    "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-lite\r\n"
    "a=candidate:u0 1 udp 2130706431 192.0.2.10 4000 typ host\r\n"
    "a=candidate:u1 1 udp 2130706175 127.0.0.1 4000 typ host\r\n"
    "a=candidate:t0 1 tcp 1518280447 192.0.2.10 4000 typ host tcptype passive\r\n"
    "a=end-of-candidates\r\na=mid:0\r\n"
)


def test_an_offer_is_led_through_the_relay_and_is_otherwise_the_same() -> None:
    assert candidates.through(OFFER, 5555) == (
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-lite\r\n"
        "a=candidate:u0 1 udp 2130706431 127.0.0.1 5555 typ host\r\n"
        "a=candidate:t0 1 tcp 1518280447 127.0.0.1 5555 typ host tcptype passive\r\n"
        "a=end-of-candidates\r\na=mid:0\r\n"
    )


def test_an_offer_may_name_one_transport_only() -> None:
    assert "tcptype" not in candidates.through(OFFER, 5555, tcp=False)
    only_tcp = candidates.through(OFFER, 5555, udp=False)
    assert only_tcp.count("a=candidate") == 1
    assert "a=candidate:t0 1 tcp 1518280447 127.0.0.1 5555" in only_tcp


def test_every_m_line_of_an_offer_is_led() -> None:
    twice = OFFER + OFFER.partition("\r\n")[2]
    assert candidates.through(twice, 5555).count(" 127.0.0.1 5555 ") == 4
