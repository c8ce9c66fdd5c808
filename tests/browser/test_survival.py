"""One of two people sits behind a line of 80 kbit/s that loses every tenth packet, 300 ms from the other."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright

from tests.support import digits, pulse
from tests.support.browsers import Crowd
from tests.support.demo import running, until
from tests.support.impairment import candidates
from tests.support.impairment.aside import RelayAside
from tests.support.impairment.profile import CLEAN, Loss, Profile
from tests.support.ports import free_port
from tests.support.story import Guest, join, wait_recording

pytestmark = pytest.mark.browser

SEED = 4
FAR = Profile(delay_ms=150, loss=Loss.independent(0.1), header_bytes=28)
THIN = Profile(delay_ms=150, loss=Loss.independent(0.1), rate_bps=80_000, queue_bytes=20_000, header_bytes=28)
MODE_WITHIN_S, BACK_WITHIN_S = 30.0, 15.0
LONG_S, LEAST_DIGITS, RECOGNISED = 900.0, 200, 0.95
STILL_EVERY_S = 5.0


@dataclass
class Scene:
    line: RelayAside
    far: Guest
    near: Guest
    began: dict[str, pulse.Reading]
    """When the two were in; a page makes connections at the door, too."""

    @property
    def both(self) -> tuple[Guest, Guest]:
        return self.far, self.near

    def talk(self, rounds: int, each: int, dice: random.Random) -> None:
        """By turns, one speaking at a time."""
        for _ in range(rounds):
            for guest in self.both:
                seconds = digits.recite(guest.page, digits.text(each, dice))
                guest.page.wait_for_timeout((seconds + 0.6) * 1000)

    def tallies(self) -> dict[str, digits.Tally]:
        self.far.page.wait_for_timeout(digits.LATEST_S * 1000)
        return {
            "from the thin line": digits.tally(self.far.page, self.near.page),
            "to the thin line": digits.tally(self.near.page, self.far.page),
        }

    def used(self) -> dict[str, int]:
        """Bytes through the line so far each way, headers included, and packets its queue had no room for."""
        found = {}
        for name, one in self.line.stats().items():
            found[name] = one["bytes_out"] + 28 * one["left"]
            found[f"{name} dropped"] = one["queue_drops"]
        return found


@pytest.fixture
def scene(playwright: Playwright, tmp_path: Path) -> Iterator[Scene]:
    port = free_port()
    with (
        running(tmp_path / "demo", {"HYEOPJIN_MEDIA_UDP_PORT": str(port)}) as demo,
        RelayAside(port, CLEAN, seed=SEED) as line,
        Crowd(playwright, tmp_path) as crowd,
    ):
        led = candidates.init_script(line.port, tcp=False)
        far = join(crowd.person(init=pulse.SCRIPT + digits.SCRIPT + led), demo, "referring_physician")
        near = join(crowd.person(init=pulse.SCRIPT + digits.SCRIPT), demo, "consulting_physician")
        for here, there in ((far, near), (near, far)):
            until("pictures", lambda here=here: pulse.read(here.page).frames > 20, 40)  # type: ignore[misc]
            digits.listen(here.page, there.seat)
        yield Scene(line, far, near, {g.role: pulse.read(g.page) for g in (far, near)})


def banner(page: Page) -> str:
    """Whose lines the page says are thin; empty while it says nothing."""
    found = page.locator("[data-testid=survival-banner]")
    return (found.first.get_attribute("data-participants") or "") if found.count() else ""


def enter(scene: Scene) -> float:
    """The line gets thin; seconds until both pages say so."""
    began = pulse.read(scene.far.page).at_s
    scene.line.ask(lambda relay: relay.change(THIN))
    for guest in scene.both:
        until("survival mode is said", lambda g=guest: banner(g.page) == scene.far.seat, MODE_WITHIN_S)  # type: ignore[misc]
    entered_s = pulse.read(scene.far.page).at_s - began
    for guest in scene.both:  # until then the line was overfull, and checks may have been late in it
        reading = pulse.read(guest.page)
        assert reading.connections == scene.began[guest.role].connections, (guest.role, reading)
        scene.began[guest.role] = reading
    return entered_s


def leave(scene: Scene) -> float:
    """The line is good again; seconds until both pages say so."""
    began = pulse.read(scene.far.page).at_s
    scene.line.ask(lambda relay: relay.change(FAR))
    for guest in scene.both:
        until("survival mode is over", lambda g=guest: not banner(g.page), BACK_WITHIN_S + 5)  # type: ignore[misc]
        assert guest.page.get_by_test_id("survival-over").count() == 1
    return pulse.read(scene.far.page).at_s - began


def look(scene: Scene) -> dict[str, pulse.Reading]:
    for guest in scene.both:
        pulse.forget_stalls(guest.page)
    return {guest.role: pulse.read(guest.page) for guest in scene.both}


def stretches(scene: Scene, first: dict[str, pulse.Reading]) -> dict[str, pulse.Stretch]:
    found = {g.role: pulse.between(first[g.role], pulse.read(g.page)) for g in scene.both}
    for role, one in found.items():
        print(f"{role:22} {one.line()}")  # noqa: T201 - the figures of the run
    return found


def assert_never_fell(scene: Scene) -> None:
    for guest in scene.both:
        reading = pulse.read(guest.page)
        began = scene.began[guest.role]
        assert (reading.ice, reading.connections) == ("connected", began.connections), (guest.role, reading)
        since = slice(len(began.states), None)
        fell = list(zip(reading.states_at_s[since], reading.states[since], strict=True))
        print(f"{guest.role:22} in at {began.at_s:.1f} s, states since: {fell}")  # noqa: T201
        assert not {"disconnected", "failed"} & set(reading.states[since]), (guest.role, reading)


@pytest.mark.long
def test_voices_and_stills_go_on_over_80_kbit_and_video_returns_by_itself(scene: Scene, output: Path) -> None:
    for guest in scene.both:
        wait_recording(guest)
    entered_s = enter(scene)
    scene.far.page.wait_for_timeout(8_000)  # what was overfull when it began has passed
    first, before = look(scene), scene.used()
    scene.talk(2, 4, random.Random(SEED))
    shown = stretches(scene, first)
    bps = {
        name: (now - before[name]) * 8 / shown[scene.far.role].seconds for name, now in scene.used().items()
    }
    for guest, stills in ((scene.far, 2), (scene.near, 1)):  # the thin one's own goes out as stills, too
        assert guest.page.get_by_test_id("still").count() == stills, guest.role
        assert guest.light()[0] == "recording", guest.role
        assert guest.page.get_by_test_id("recording-banner").count() == 0, guest.role
    tallies = scene.tallies()
    left_s = leave(scene)
    for who, tally in tallies.items():
        print(f"{who:22} {tally.line()}")  # noqa: T201
    print(f"in after {entered_s:.1f} s, out after {left_s:.1f} s, bit/s {bps}")  # noqa: T201
    (output / "survival.json").write_text(json.dumps([shown, tallies, bps], default=vars, indent=1))
    for role, stretch in shown.items():  # in so short a run one late still counts; a look takes 0.2 s
        assert stretch.stall_s <= STILL_EVERY_S + 1, (role, stretch)
        assert stretch.frames_per_s < 3, "stills, not video"
    for who, tally in tallies.items():
        assert tally.share >= 0.75, (who, tally)  # of eight: the long run counts
    assert left_s <= BACK_WITHIN_S
    assert_never_fell(scene)
    goals = {guest.role: pulse.read(guest.page).frames + 60 for guest in scene.both}
    for guest in scene.both:
        until("video again", lambda g=guest: pulse.read(g.page).frames >= goals[g.role], 15)  # type: ignore[misc]


@pytest.mark.long
def test_fifteen_minutes_of_digits_are_understood_over_80_kbit(scene: Scene, output: Path) -> None:
    dice = random.Random(SEED)
    entered_s = enter(scene)
    scene.far.page.wait_for_timeout(4_000)
    first, before = look(scene), scene.used()
    start_s = first[scene.far.role].at_s
    stalls: dict[str, list[float]] = {guest.role: [] for guest in scene.both}
    while (passed_s := pulse.read(scene.far.page).at_s - start_s) < LONG_S:
        scene.talk(2, 6, dice)
        for guest in scene.both:
            reading = pulse.read(guest.page)
            stalls[guest.role].append(round(reading.stall_s, 1))
            pulse.forget_stalls(guest.page)
            assert reading.ice == "connected", (passed_s, guest.role, reading)
            assert reading.connections == scene.began[guest.role].connections, (passed_s, guest.role)
            assert banner(guest.page) == scene.far.seat, (passed_s, "survival mode was left")
            assert guest.light()[0] == "recording", (passed_s, guest.role)
    shown = stretches(scene, first)
    seconds = shown[scene.far.role].seconds
    bps = {name: (now - before[name]) * 8 / seconds for name, now in scene.used().items()}
    tallies = scene.tallies()
    left_s = leave(scene)
    (output / "survival-long.json").write_text(
        json.dumps([shown, tallies, bps, stalls, entered_s, left_s], default=vars, indent=1)
    )
    for who, tally in tallies.items():
        print(f"{who:22} {tally.line()}")  # noqa: T201
    print(f"{seconds:.0f} s, in after {entered_s:.1f} s, out after {left_s:.1f} s, bit/s {bps}")  # noqa: T201
    for role, longest in stalls.items():
        late = sum(stall > STILL_EVERY_S for stall in longest)
        print(f"{role:22} longest wait for a still {max(longest)} s, late in {late} of {len(longest)}")  # noqa: T201
    assert_never_fell(scene)
    for who, tally in tallies.items():
        assert tally.said >= LEAST_DIGITS, (who, tally)
        assert tally.share >= RECOGNISED, (who, tally)
    for role, longest in stalls.items():
        assert sum(stall > STILL_EVERY_S for stall in longest) <= 0.1 * len(longest), (role, longest)
    assert left_s <= BACK_WITHIN_S
