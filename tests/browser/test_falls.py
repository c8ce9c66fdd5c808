"""Another network, blackouts, a closed lid, ten falls in a row: one seat, one lane, no ghost, named gaps.

Everything the far page sends goes through the line that is cut, its socket too. A sleeping computer is a
browser whose processes are all stopped.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.support import pulse
from tests.support.demo import until
from tests.support.falls import Fallen, two

pytestmark = pytest.mark.browser

MEDIA_GAP_S = 2.0
BACK_WITHIN_S = 5.0
SEED = 11


@pytest.fixture
def fallen(playwright: Playwright, tmp_path: Path) -> Iterator[Fallen]:
    with two(playwright, tmp_path) as made:
        yield made


def say(text: str) -> None:
    print(text)  # noqa: T201 - the figures of the run


def another_network(fallen: Fallen) -> float:
    """Seconds for which one of the two saw no new picture."""
    pages = (fallen.far.page, fallen.near.page)
    for page in pages:
        pulse.forget_stalls(page)
    goals = [pulse.read(page).frames + 20 for page in pages]
    fallen.line.rebind()
    for page, goal in zip(pages, goals, strict=True):
        until("pictures again", lambda page=page, goal=goal: pulse.read(page).frames >= goal, 10)  # type: ignore[misc]
    return max(pulse.read(page).stall_s for page in pages)


def test_another_network_costs_two_seconds_and_twenty_dark_ones_neither_seat_nor_session(
    fallen: Fallen,
) -> None:
    """Again if it took longer: a busy machine is no slow product."""
    gaps: list[float] = []
    while not gaps or (min(gaps) > MEDIA_GAP_S + 0.4 and len(gaps) < 3):
        gaps.append(another_network(fallen))
        say(f"\nanother network: longest stall {gaps[-1]:.2f} s")
    assert min(gaps) <= MEDIA_GAP_S + 0.4, "a stall is seen up to two looks too long"
    dark: list[float] = []
    while not dark or (min(dark) > BACK_WITHIN_S and len(dark) < 2):
        fallen.line.black_out(20)
        dark.append(fallen.both_see_each_other(30))
        say(f"20 s dark: pictures both ways {dark[-1]:.1f} s after")
    assert min(dark) <= BACK_WITHIN_S
    fallen.no_ghost()
    fallen.ended()


@pytest.mark.long
def test_pictures_do_not_wait_for_what_blackouts_took(fallen: Fallen) -> None:
    """So long that the senders' memories still have what was lost, and the line was thought full before."""
    for seconds in (8.6, 9.0, 9.3, 5.5, 6.0, 8.0):
        fallen.line.black_out(seconds)
        back = fallen.both_see_each_other(BACK_WITHIN_S + 5)
        say(f"\n{seconds} s dark: pictures both ways {back:.1f} s after")
        assert back <= BACK_WITHIN_S
    fallen.no_ghost()
    answer = fallen.finished()
    holes = fallen.gaps(answer, 5000)
    assert {hole["cause"] for hole in holes} == {"network_loss"}, holes


@pytest.mark.long
@pytest.mark.parametrize("act", ["blackout", "lid"])
def test_sixty_dark_seconds_and_a_closed_lid_cost_no_seat(fallen: Fallen, act: str) -> None:
    spans = {"blackout": (60.0,), "lid": (20.0, 90.0)}[act]
    for seconds in spans:
        if act == "blackout":
            fallen.line.black_out(seconds)
        else:
            with fallen.lid_closed():
                time.sleep(seconds)
        back = fallen.both_see_each_other(BACK_WITHIN_S + 5)
        say(f"\n{act} of {seconds:.0f} s: pictures both ways {back:.1f} s after")
        assert back <= BACK_WITHIN_S
        fallen.no_ghost()
    answer = fallen.finished()
    holes = fallen.gaps(answer, 5000)
    say(f"the far voice's gaps: {[(hole['to'] - hole['from'], hole['cause']) for hole in holes]}")
    assert [hole["cause"] for hole in holes] == ["network_loss"] * len(spans), holes


@pytest.mark.long
def test_ten_falls_leave_one_seat_and_one_lane(fallen: Fallen) -> None:
    dice = random.Random(SEED)
    falls: dict[str, Callable[[], object]] = {
        "reload": fallen.far.page.reload,
        "another network": fallen.line.rebind,
        "dark": lambda: fallen.line.black_out(dice.uniform(4, 15)),
        "lid": lambda: sleep(fallen, dice.uniform(6, 15)),
        "worker": lambda: os.kill(fallen.demo.worker(), signal.SIGKILL),
    }
    order = [*falls, *falls]
    dice.shuffle(order)
    for name in order:
        falls[name]()
        back = fallen.both_see_each_other(15)
        fallen.no_ghost()
        say(f"{name:16} pictures both ways {back:4.1f} s after")
        assert back <= (10 if name == "worker" else BACK_WITHIN_S), name
    fallen.finished()


def sleep(fallen: Fallen, seconds: float) -> None:
    with fallen.lid_closed():
        time.sleep(seconds)
