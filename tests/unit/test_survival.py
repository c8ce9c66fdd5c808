"""The verdict over a line: in when it carries too little, out when it carries enough, never to and fro."""

from __future__ import annotations

from media.survival import (
    ENTER_BPS,
    EVERY_HOPEFUL_NS,
    EVERY_NS,
    EVERY_SUSPECT_NS,
    HOLD_NS,
    LEAVE_BPS,
    MOST_HOLD_NS,
    Line,
    Reading,
)

S = 1_000_000_000
THIN = Reading(60_000, False, 80_000, (80_000, 79_000, 82_000, 81_000))
QUIET = Reading(60_000, False, 4_000_000, (4_000_000,) * 4)
"""A voice alone: the estimate is low, the line is not."""
GOOD = Reading(900_000, False, 2_000_000, (2_000_000,) * 4)


class Watch:
    def __init__(self) -> None:
        self.line, self.now_ns = Line(), 100 * S

    def see(self, reading: Reading, seconds: float) -> float | None:
        """Shows the same for so long; after how many seconds the verdict first changed."""
        for tenth in range(round(seconds * 10)):
            self.now_ns += S // 10
            if self.line.look(reading, self.now_ns):
                return (tenth + 1) / 10
        return None


def test_a_line_that_carries_too_little_goes_into_survival_at_once() -> None:
    watch = Watch()
    assert watch.see(THIN, 1) == 0.1
    assert (watch.line.survival, watch.line.cause) == (True, "down")


def test_a_quiet_line_is_not_thin() -> None:
    watch = Watch()
    assert watch.see(QUIET, 60) is None


def test_a_line_whose_way_back_is_full_is_not_thin() -> None:
    """Pictures of the page's own came between the two answers of most pairs."""
    between = Reading(60_000, False, 110_000, (400_000, 110_000, 80_000, 390_000))
    assert Watch().see(between, 60) is None
    once = Reading(60_000, False, 80_000, (400_000, 81_000, 80_000, 79_000))
    assert Watch().see(once, 1) == 0.1


def test_a_low_estimate_makes_it_measure_and_a_good_one_does_not() -> None:
    watch = Watch()
    watch.see(GOOD, 1)
    assert watch.line.probe_every_ns(GOOD) == 0
    low = Reading(60_000, False, 0)
    watch.see(low, 1)
    assert watch.line.probe_every_ns(low) == EVERY_SUSPECT_NS


def test_a_line_so_full_that_no_probe_comes_back_is_thin() -> None:
    watch = Watch()
    assert watch.see(Reading(60_000, False, 0, (), 2), 20) is None
    taken = Watch().see(Reading(60_000, False, 0, (), 4), 20)
    assert 5 < (taken or 0) < 7


def test_what_the_page_says_of_its_way_up_counts_when_it_stands() -> None:
    watch = Watch()
    up = Reading(900_000, True, 0)
    assert watch.see(up, 2.5) is None
    assert watch.see(GOOD, 1) is None
    assert watch.see(up, 5) is not None
    assert watch.line.cause == "up"


def test_it_leaves_when_four_probes_in_a_row_are_good() -> None:
    watch = Watch()
    watch.see(THIN, 1)
    watch.see(THIN, 10)
    assert watch.see(Reading(60_000, False, 80_000, (80_000, 2_000_000, 2_000_000, 2_000_000)), 10) is None
    assert watch.see(Reading(60_000, False, 2_000_000, (2_000_000,) * 4), 10) == 0.1
    assert not watch.line.survival


def test_between_the_two_thresholds_nothing_changes() -> None:
    between = (ENTER_BPS + LEAVE_BPS) // 2
    watch = Watch()
    assert watch.see(Reading(60_000, False, between, (between,) * 4), 30) is None
    watch.see(THIN, 1)
    assert watch.see(Reading(60_000, False, between, (between,) * 4), 300) is None


def test_low_estimates_right_after_leaving_are_no_reason_to_go_back() -> None:
    watch = Watch()
    watch.see(THIN, 1)
    watch.see(QUIET, 20)
    assert not watch.line.survival
    assert watch.see(THIN, 9) is None
    assert watch.see(THIN, 5) is not None


def test_a_line_that_fails_again_is_held_longer_each_time() -> None:
    watch = Watch()
    held = []
    for _ in range(7):
        assert watch.see(THIN, 30) is not None
        assert watch.see(QUIET, 200) is not None
        held.append(watch.now_ns - watch.line.since_ns)
    assert held == sorted(held)
    assert (held[0], held[1], held[-1]) == (HOLD_NS, 2 * HOLD_NS, MOST_HOLD_NS)


def test_in_survival_it_is_probed_slowly_until_there_is_hope() -> None:
    watch = Watch()
    watch.see(THIN, 1)
    assert watch.line.probe_every_ns(THIN) == EVERY_NS
    assert watch.line.probe_every_ns(Reading(0, False, 80_000, (80_000, 900_000))) == EVERY_HOPEFUL_NS


def test_pairs_that_an_address_change_took_are_no_sign_while_others_are_answered() -> None:
    line = Line()
    reading = Reading(40_000, False, 0, newest=(2_400_000, 20_000_000), unanswered=4)
    for second in range(1, 20):
        assert not line.look(reading, second * 1_000_000_000)
    assert line.look(Reading(40_000, False, 0, unanswered=4), 21_000_000_000)
