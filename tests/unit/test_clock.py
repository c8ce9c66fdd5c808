"""Clocks: regressions with outliers, least delay with drift, and where a stream is cut."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from media.clock import NS, SystemClock, ntp_to_ns
from media.finalise_time import Connection, connections, cut, tie
from media.recordstore.index import Event
from media.recordstore.streams import Stream
from media.regression import LeastDelay, SenderReports, fit
from tests.support.recorded import ntp64, rtp

RATE = 48_000


@given(st.integers(0, 2**31 * NS))
def test_ntp_time_is_read_to_the_nanosecond(unix_ns: int) -> None:
    assert abs(ntp_to_ns(ntp64(unix_ns)) - unix_ns) <= 1


def test_regression_leaves_outliers_out() -> None:
    chance = random.Random(1)
    points = [(float(x), x * 2.0 + chance.gauss(0, 1)) for x in range(0, 2000, 100)]
    points[7] = (points[7][0], points[7][1] + 500)
    line = fit(points, 2.0, 0.01)
    assert abs(line.at(1000.0) - 2000) < 2
    assert line.used in (18, 19)


def test_reports_map_rtp_to_the_senders_clock_in_spite_of_jitter() -> None:
    chance = random.Random(2)
    points = [(i * RATE, 10**18 + i * NS + int(chance.gauss(0, 5e6))) for i in range(60)]
    points[30] = (points[30][0], points[30][1] + 300_000_000)
    reports = SenderReports(points, RATE)
    for second in (0, 12.5, 30, 59, 70):
        assert abs(reports.ntp_ns(int(second * RATE)) - 10**18 - int(second * NS)) < 12_000_000
    assert reports.spread_ns < 20_000_000


def test_one_report_is_enough_to_begin_with() -> None:
    assert SenderReports([(RATE, 5 * NS)], RATE).ntp_ns(3 * RATE) == 7 * NS


def test_least_delay_is_the_lower_edge_and_follows_a_drifting_quartz() -> None:
    chance = random.Random(3)
    points = []
    for second in range(1800):
        sent = second * NS
        server = int(sent * (1 + 60e-6)) + 40_000_000
        points.append((sent, server + int(chance.expovariate(1 / 30e6))))
    line = LeastDelay(points)
    for second in (5, 900, 1795):
        true = int(second * NS * (1 + 60e-6)) + 40_000_000
        assert abs(line.server_ns(second * NS) - true) < 12_000_000


def stream(
    spans: list[tuple[float, float, float]],
    *,
    jitter: float = 0.0,
    ssrc: int = 1,
    held: tuple[float, float] = (0, 0),
    reports: list[tuple[float, float, float]] | None = None,
) -> Stream:
    """Audio from (wall begin, seconds, RTP time in seconds at its begin), with reports of (RTP seconds, the
    sender's clock in seconds, arrival). What is due between the two times of `held` arrives at the second.
    """
    chance = random.Random(4)
    made = Stream(1, "p", "audio", "", "audio/opus", ssrc, RATE)
    seq = 0
    due = sorted(reports or [], key=lambda report: report[2])
    for begin, seconds, media in spans:
        for i in range(int(seconds * 50)):
            at = begin + i * 0.02 + chance.random() * jitter
            at = held[1] if held[0] <= at < held[1] else at
            while due and due[0][2] <= at:
                stamp, clock, came = due.pop(0)
                made.report(ntp64(int((1_000_000 + clock) * NS)), int(stamp * RATE), int(came * NS))
            made.add(rtp(111, seq, int((media + i * 0.02) * RATE), ssrc, b""), int(at * NS), 0, 0)
            seq += 1
    for stamp, clock, came in due:
        made.report(ntp64(int((1_000_000 + clock) * NS)), int(stamp * RATE), int(came * NS))
    made.done()
    return made


def test_a_standstill_of_rtp_time_cuts_a_stream_and_nothing_else_does() -> None:
    assert len(cut(stream([(0, 10, 0), (15.5, 10, 10)]))) == 2
    assert len(cut(stream([(0, 10, 0), (15.5, 10, 15.5)]))) == 1, "a pause with RTP time going on"
    assert len(cut(stream([(0, 20, 0)], jitter=0.2))) == 1, "a jittery network"
    assert len(cut(stream([(0, 10, 0), (10, 10, 300)]))) == 2, "RTP time that jumped"


def test_a_stalled_network_is_not_a_standstill() -> None:
    """One second of packets comes at once, late; then all is as before."""
    assert len(cut(stream([(0, 20, 0)], held=(10, 11)))) == 1


def test_a_longer_way_is_not_a_standstill_when_reports_say_so() -> None:
    longer: list[tuple[float, float, float]] = [(0, 10, 0), (10.5, 10, 10)]  # after a pause in arrival
    assert len(cut(stream(longer))) == 2
    reports: list[tuple[float, float, float]] = [(n, n, n + 0.5 * (n >= 10)) for n in range(20)]
    assert len(cut(stream(longer, reports=reports))) == 1


def test_late_first_reports_of_sound_still_agree_with_pictures() -> None:
    sound = stream([(0.04, 20, 0)], reports=[(n, n, n + 0.04) for n in range(5, 20)])
    picture = Stream(1, "p", "camera", "", "video/VP8", 2, 90_000)
    for i in range(400):
        packet = rtp(96, i, 7_000 + i * 4500, 2, b"\x10\x00" + bytes(9))
        picture.add(packet, int((0.09 + i * 0.05) * NS), 0, 0)
        if i % 20 == 0 and i:
            second = i // 20
            picture.report(
                ntp64((1_000_000 + second) * NS), 7_000 + second * 90_000, int((second + 0.04) * NS)
            )
    picture.done()
    runs = {run.stream.kind: run for run in tie(Connection([sound, picture]))}
    assert abs(runs["audio"].starts() - runs["camera"].starts()) < 2_000_000
    assert all(max(run.within_ns, run.across_ns) < 10_000_000 for run in runs.values())


def test_a_jittery_way_is_no_error_between_lips_and_voice() -> None:
    chance = random.Random(5)
    reports = [[(n, n, n + 0.04 + 0.3 * chance.random()) for n in range(1, 30)] for _ in range(2)]
    sound = stream([(0.4, 30, 0)], ssrc=1, reports=reports[0])
    picture = stream([(0.4, 30, 0)], ssrc=2, reports=reports[1])
    picture.kind = "camera"
    for run in tie(Connection([sound, picture])):
        assert run.within_ns < 2_000_000
        assert 10_000_000 < run.across_ns < 300_000_000


def falling_behind(seconds: float) -> list[tuple[float, float, float]]:
    """Forty seconds whose stamps fall behind by so much between the tenth and the fifteenth."""
    return [(n / 2, 0.5, n / 2 - seconds * min(1.0, max(0.0, (n - 20) / 10))) for n in range(80)]


def test_a_picture_whose_stamps_fall_behind_its_packets_is_said_to_be_out_of_step() -> None:
    reports: list[tuple[float, float, float]] = [(n, n, n + 0.04) for n in range(1, 40)]
    for both, least, most in ((False, 0.155, 0.165), (True, 0.0, 0.03)):
        sound = stream(falling_behind(0.16) if both else [(0, 40, 0)], ssrc=1, reports=reports)
        picture = stream(falling_behind(0.16), ssrc=2, reports=reports)
        picture.kind = "camera"
        error = {run.stream.kind: run.within_ns / NS for run in tie(Connection([sound, picture]))}
        assert least <= error["camera"] <= most, (both, error)
        assert error["audio"] < 0.03


def test_a_sender_that_holds_its_pictures_back_for_a_while_is_not_out_of_step() -> None:
    """A queue before a thin line passes within the two seconds that Chromium's may stand."""
    reports: list[tuple[float, float, float]] = [(n, n, n + 0.04) for n in range(1, 40)]
    sound = stream([(0, 40, 0)], ssrc=1, reports=reports)
    picture = stream([(0, 40, 0)], ssrc=2, held=(20, 22), reports=reports)
    picture.kind = "camera"
    for run in tie(Connection([sound, picture])):
        assert run.within_ns < 30_000_000


def test_one_report_is_not_taken_for_certainty() -> None:
    sound = stream([(0.04, 3, 0)], reports=[(2, 2, 2.04)])
    (run,) = tie(Connection([sound]))
    assert run.within_ns >= 20_000_000


def test_another_ssrc_of_a_kind_is_another_connection() -> None:
    first, second = stream([(0, 2, 0)], ssrc=1), stream([(5, 2, 0)], ssrc=2)
    assert len(connections([first, second], [])) == 2
    picture = Stream(1, "p", "camera", "", "video/VP8", 3, 90_000)
    picture.add(rtp(96, 1, 1, 3, b""), 3 * NS, 0, 0)
    assert len(connections([first, picture], [])) == 1
    joined = Event(int(2.5 * NS), 1, "p", "joined", {})
    assert len(connections([first, picture], [joined])) == 2


def test_the_machines_clock_tells_the_same_boot_twice() -> None:
    one, two = SystemClock(), SystemClock()
    assert one.boot_id == two.boot_id
    assert len(one.boot_id) == 16
    assert one.boottime_ns() <= two.boottime_ns()
