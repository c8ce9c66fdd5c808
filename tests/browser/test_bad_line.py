"""A consultation over 6,000 km: one of two people behind a line that loses, delays and forgets its NAT.

Everybody else is on the machine itself, so what goes wrong for either of them comes from that one line.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright

from tests.support import probes, pulse
from tests.support.browsers import Crowd
from tests.support.demo import running, until
from tests.support.fakes import GREEN, RED
from tests.support.impairment import candidates
from tests.support.impairment.aside import RelayAside
from tests.support.impairment.profile import SEOUL_ALMATY
from tests.support.ports import free_port
from tests.support.story import Guest, join

pytestmark = [pytest.mark.browser, pytest.mark.long]

SEED = 3
SECONDS = 15.0
"""Before and again after the rebinding."""
REBINDINGS = 3
BACK_WITHIN_S, WORST_S = 3.0, 6.0
"""A browser checks a path that works every 2.5 s, so a lost check costs another round: the median counts."""
CONCEALED = 0.12
"""Only that there is sound: what a line like this may cost it is a matter of the network matrix."""
Scene = tuple[RelayAside, Guest, Guest]


@pytest.fixture(scope="module")
def scene(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The far one comes in through the relay, over UDP alone; the near one directly."""
    port = free_port()
    env = {"HYEOPJIN_MEDIA_UDP_PORT": str(port)}
    with (
        running(tmp_path_factory.mktemp("bad-line"), env) as demo,
        RelayAside(port, SEOUL_ALMATY, seed=SEED) as line,
        Crowd(playwright, tmp_path_factory.mktemp("bad-line-fakes")) as crowd,
    ):
        led = candidates.init_script(line.port, tcp=False)
        far = join(crowd.person(RED, init=pulse.SCRIPT + led), demo, "referring_physician")
        near = join(crowd.person(GREEN, init=pulse.SCRIPT), demo, "consulting_physician")
        for here, there in ((far, near), (near, far)):
            probes.wait_for_colour(here.page, there.seat, there.voice, 30)
            probes.wait_for_tone(here.page, there.seat, there.voice, 20)
        yield line, far, near


def watch(guests: tuple[Guest, Guest], seconds: float) -> dict[str, pulse.Stretch]:
    for guest in guests:
        pulse.forget_stalls(guest.page)
    first = {guest.role: pulse.read(guest.page) for guest in guests}
    guests[0].page.wait_for_timeout(seconds * 1000)
    found = {guest.role: pulse.between(first[guest.role], pulse.read(guest.page)) for guest in guests}
    for role, stretch in found.items():
        print(f"{role:22} {stretch.line()}")  # noqa: T201 - the figures of the run
    return found


def judged(guests: tuple[Guest, Guest]) -> dict[str, pulse.Stretch]:
    """A stretch that is good for both. A machine that others use, too, stands still at times, and a page that
    saw it is careful for some seconds: of two stretches in a row one must do.
    """
    found = watch(guests, SECONDS)
    try:
        judge(found)
    except AssertionError:
        found = watch(guests, SECONDS)
        judge(found)
    return found


def judge(found: dict[str, pulse.Stretch]) -> None:
    for role, stretch in found.items():
        assert stretch.frames_per_s >= 10, (role, stretch)
        assert stretch.stall_s <= 2, (role, stretch)
        assert stretch.concealed <= CONCEALED, (role, stretch)


def test_media_flows_both_ways_and_survives_a_new_mapping_at_the_nat(scene: Scene, output: Path) -> None:
    line, far, near = scene
    began = {guest.role: pulse.read(guest.page) for guest in (far, near)}  # the door has made connections too
    before = judged((far, near))
    assert 140 <= before[far.role].rtt_ms <= 400
    gaps = [rebind(scene) for _ in range(REBINDINGS)]
    print("longest stall of either around each rebinding", [f"{gap:.2f} s" for gap in gaps])  # noqa: T201
    assert statistics.median(gaps) <= BACK_WITHIN_S, gaps
    assert max(gaps) <= WORST_S, gaps

    after = judged((far, near))
    stats = line.stats()
    print(json.dumps(stats))  # noqa: T201
    for direction in stats.values():
        assert 0.015 < direction["lost"] / direction["entered"] < 0.05, direction
        assert direction["queue_drops"] == direction["dark"] == direction["blocked"] == 0
    for guest in (far, near):
        reading = pulse.read(guest.page)
        then = began[guest.role]
        assert (reading.ice, reading.connections) == ("connected", then.connections), (guest.role, reading)
        states = reading.states[len(then.states) :]
        assert not {"disconnected", "failed"} & set(states), (guest.role, reading)
    write(output, before, after, gaps, stats)


def rebind(scene: Scene) -> float:
    """The longest stall at either page, seconds, once pictures flow again on both."""
    line, far, near = scene
    mapped = line.ask(lambda relay: relay.mappings())
    for guest in (far, near):
        pulse.forget_stalls(guest.page)
    goals = {guest.role: pulse.read(guest.page).frames + 20 for guest in (far, near)}
    line.ask(lambda relay: relay.rebind())
    assert line.ask(lambda relay: set(relay.mappings().values())).isdisjoint(mapped.values())
    for guest in (far, near):
        until("pictures again", lambda guest=guest: more(guest.page, goals[guest.role]), 10)  # type: ignore[misc]
    return max(pulse.read(guest.page).stall_s for guest in (far, near))


def more(page: Page, frames: int) -> bool:
    return pulse.read(page).frames >= frames


def write(output: Path, *figures: object) -> None:
    """For people and tables: what this run measured."""
    text = json.dumps(figures, default=vars, indent=1)
    (output / "bad-line.json").write_text(text)
