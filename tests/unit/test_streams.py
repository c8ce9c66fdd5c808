"""Streams of a journal: put in order as they come, unwrapped, and summed up without keeping them."""

from __future__ import annotations

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from media.clock import NS
from media.recordstore.streams import FAR_BACK, Sequencer, Stream
from tests.support.recorded import ntp64, rtp

MS = 1_000_000
STEP = 20 * MS


def ordered(packets: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """(seq, RTP time, arrival ms) of packets in, unwrapped and in order out."""
    found: list[tuple[int, int, int]] = []
    sequencer = Sequencer(lambda seq, stamp, at, _packet: found.append((seq, stamp, at // MS)))
    for seq, stamp, at in packets:
        sequencer.feed(rtp(111, seq, stamp, 1, b""), at * MS)
    sequencer.flush()
    return found


@settings(deadline=None)
@given(st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1), st.randoms(use_true_random=False))
def test_disorder_repeats_and_wraps_come_out_in_order(start: int, stamp: int, chance: random.Random) -> None:
    sent = [((start + n) & 0xFFFF, (stamp + n * 960) & 0xFFFFFFFF, n * 20) for n in range(300)]
    come = sorted(sent + chance.sample(sent, 40), key=lambda p: p[2] + chance.random() * 150)
    found = ordered([(seq, ts, 20 * n) for n, (seq, ts, _) in enumerate(come)])
    first = found[0][0]
    assert first % 0x10000 == start
    assert [seq for seq, *_ in found] == list(range(first, first + 300))
    assert {b[1] - a[1] for a, b in itertools.pairwise(found)} == {960}


def test_a_lost_number_is_waited_for_and_given_up_after_three_seconds() -> None:
    sent = [(n, n * 960, n * 20) for n in range(400)]
    late = [p for p in sent if p[0] != 100]
    found = ordered([*late[:240], (100, 96_000, 4800), *late[240:]])  # 2.8 s after the one behind it
    assert [seq - 0x10000 for seq, *_ in found] == list(range(400))
    found = ordered([*late[:260], (100, 96_000, 5200), *late[260:]])
    assert [seq - 0x10000 for seq, *_ in found] == [n for n in range(400) if n != 100]


def test_a_step_back_is_no_wrap_and_a_wrap_is_no_step_back() -> None:
    found = ordered(
        [(1, 0xFFFF_FF00, 0), (2, 0xFFFF_FE00, 20), (3, 0x100, 40), (4, 0xFFFF_FFFF, 60), (5, 0x200, 80)]
    )
    first = found[0][1]
    assert [stamp - first for _, stamp, _ in found] == [0, -0x100, 0x200, 0xFF, 0x300]


def test_video_time_survives_thirteen_hours_and_a_quarter_and_sound_two_days() -> None:
    for rate, hours in ((90_000, 15), (48_000, 30)):
        sent = [(n & 0xFFFF, n * 60 * rate & 0xFFFFFFFF, n * 60_000) for n in range(hours * 60)]
        found = ordered(sent)
        assert {b[1] - a[1] for a, b in itertools.pairwise(found)} == {60 * rate}


def test_a_sender_that_begins_anew_is_believed_at_the_second_packet_and_has_lost_nothing() -> None:
    made = Stream(1, "p", "audio", "", "audio/opus", 1, 48_000)
    numbers = [*range(30_000, 30_200), *range(100, 300)]
    for n, seq in enumerate(numbers):
        made.add(rtp(111, seq, n * 960, 1, b""), n * STEP, 0, 0)
    made.done()
    assert made.packets == 399
    assert made.lost == 0


def test_what_a_second_file_repeats_is_no_new_beginning() -> None:
    sent = [(n & 0xFFFF, n * 960, n * 20) for n in range(60_000, 60_000 + 3 * FAR_BACK)]
    found = ordered(
        [*sent, *sent[: 2 * FAR_BACK], *[(seq + 3 * FAR_BACK, 0, at + 1) for seq, _, at in sent[-1:]]]
    )
    assert len([at for *_, at in found]) == len(sent) + 1


def test_a_stream_is_summed_up_in_few_rows() -> None:
    made = Stream(1, "p", "audio", "", "audio/opus", 1, 48_000)
    for n in range(50 * 600):
        if n % 1000 != 7:
            made.add(rtp(111, n, n * 960, 1, b""), n * STEP + 40 * MS, n // 3000, n)
    made.done()
    assert (made.packets, made.lost, len(made.losses)) == (50 * 600 - 30, 30, 30)
    assert len(made.floors) <= 1202
    assert (made.first, made.last) == ((0, 0), (9, 50 * 600 - 1))
    assert made.present == [[40 * MS, (50 * 600 - 1) * STEP + 40 * MS]]
    assert made.breaks == []


def test_a_report_before_the_first_packet_counts() -> None:
    made = Stream(1, "p", "audio", "", "audio/opus", 1, 48_000)
    made.report(ntp64(1_000_000 * NS), 0xFFFF_FFFF - 479, 0)
    for n in range(10):
        made.add(rtp(111, n, 480 + n * 960, 1, b""), n * STEP, 0, 0)
    made.done()
    ((stamp, ntp, _),) = made.reports
    assert abs(ntp - 1_000_000 * NS) <= 1
    assert made.floors.first_rtp[0] - stamp == 960, "over the wrap"
