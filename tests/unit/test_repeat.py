"""Sound goes twice to who takes no redundancy and loses it, the very same bytes, and to nobody else."""

from __future__ import annotations

import struct

from media.rtp import rtcp
from tests.support.outbox import MS, Outbox, fields
from tests.unit.test_redundancy import Voices


def report(stage: Voices, fraction: int, index: int) -> None:
    block = rtcp.ReportBlock(100, fraction, 0, stage.time.now_ns // MS & 0xFFFF, 0, 0, 0)
    stage.from_subscriber(rtcp.build_receiver_report(9, [block]), index)
    stage.time.advance(1000)
    stage.relay.tick(stage.time.now_ns)


def say(stage: Voices, numbers: range, *, red: bool = True) -> None:
    for number in numbers:
        if red:
            stage.red(number)
        else:
            stage.audio(number, payload=struct.pack("!I", number))
        stage.time.advance(20)


def times(outbox: Outbox) -> list[int]:
    """How often each number was sent, and never two different packets for one."""
    seen: dict[int, list[bytes]] = {}
    for packet in outbox.rtp:
        seen.setdefault(fields(packet)[1], []).append(packet)
    assert all(len(set(same)) == 1 for same in seen.values())
    return [len(same) for same in seen.values()]


def test_a_lossy_line_without_redundancy_gets_each_packet_again_with_the_next() -> None:
    for red in (True, False):
        stage = Voices()
        say(stage, range(1, 11), red=red)
        for index in (0, 1):
            report(stage, 12, index)
        for outbox in (stage.speaks, stage.plain):
            assert times(outbox) == [1] * 10
            outbox.rtp.clear()
        say(stage, range(11, 21), red=red)
        assert times(stage.speaks) == [1] * 10, "it has redundancy, or asks for what it misses"
        assert sorted(times(stage.plain)) == [1, 1, *[2] * 9], (
            "the one before the first, and not yet the last"
        )


def test_a_line_that_loses_little_gets_each_packet_once() -> None:
    stage = Voices()
    say(stage, range(1, 5))
    report(stage, 3, 1)
    say(stage, range(5, 11))
    assert times(stage.plain) == [1] * 10


def test_it_ends_a_minute_after_the_last_report_of_loss() -> None:
    stage = Voices()
    say(stage, range(1, 3))
    report(stage, 20, 1)
    for second in range(70):
        report(stage, 0, 1)
        if second == 30:
            stage.plain.rtp.clear()
            say(stage, range(3, 6))
            assert max(times(stage.plain)) == 2
    stage.plain.rtp.clear()
    say(stage, range(6, 11))
    assert times(stage.plain) == [1] * 5
    assert stage.time.now_ns > 60_000 * MS


def test_what_the_uplink_lost_is_not_made_up() -> None:
    stage = Voices()
    say(stage, range(1, 3), red=False)
    report(stage, 20, 1)
    stage.plain.rtp.clear()
    say(stage, range(4, 7), red=False)
    assert times(stage.plain) == [2, 2, 1]
