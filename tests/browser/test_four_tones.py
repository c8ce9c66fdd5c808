"""Two physicians and two interpreters in four browsers, each with a tone of its own: who hears whom, how
loud, how soon after a change, and that nobody else notices.

L is the referring physician (Kazakh), K the consulting one (Korean, the chair), A and B interpret between
Kazakh, Russian and Korean. The tests are one consultation, in this order; at its end its table is printed.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support import listening, probes, two_interpreters
from tests.support.browsers import Crowd, Person
from tests.support.cells import Cells
from tests.support.demo import Demo
from tests.support.fakes import BLUE, GREEN, NO_CAMERA, RED, YELLOW
from tests.support.story import Guest, answer_and_join

pytestmark = [pytest.mark.browser, pytest.mark.long]

VOICES = {"L": RED, "K": GREEN, "A": BLUE, "B": YELLOW}
SOON_MS = 5_000
TOLD_MS = 500.0
"""A notice is there as soon as what it says."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    started = two_interpreters.starting(tmp_path_factory.mktemp("demo"), "kk/ru/ko,ru/ko/kk,kk")
    yield started
    started.kill()


@pytest.fixture(scope="module")
def waiting(demo: Demo, crowd: Crowd) -> dict[str, Guest]:
    """All four, at the door."""
    guests = {}
    for (letter, voice), seat in zip(VOICES.items(), demo.info["seats"], strict=True):
        person: Person = crowd.person(voice, init=listening.LISTENING + NO_CAMERA)
        page = person.page()
        page.goto(seat["room_url"])
        page.get_by_test_id("consent-accept").wait_for()
        guests[letter] = Guest(person, page, seat["role"], seat["room_url"].split("#")[0].rsplit("/", 1)[1])
    return guests


@pytest.fixture(scope="module")
def cells(waiting: dict[str, Guest]) -> Iterator[Cells]:
    """Three of them, who all hear each other. The floor is given by hand: no turn changes a volume."""
    made = Cells()
    for letter in "LKA":
        made.people[letter] = waiting[letter]
        answer_and_join(waiting[letter].page)
    made.hears = {"L": "KA", "K": "LA", "A": "LK"}
    for listener, source in ("LK", "KA", "AL"):
        hears(made, listener, source)
    give_floor(made)
    made.watch()
    made.learn()
    yield made
    print("\n" + made.table())  # noqa: T201 - the figures of the run


def hears(cells: Cells, listener: str, source: str) -> None:
    """Waits until there is sound, after connections were made."""
    one, other = cells.people[listener], cells.people[source]
    probes.wait_for_tone(one.page, other.seat, other.voice)


def give_floor(cells: Cells) -> None:
    floor, seat = cells.people["K"].page.get_by_test_id("floor"), cells.people["L"].seat
    floor.select_option("")
    floor.select_option(seat)
    for guest in cells.people.values():
        guest.page.locator(f"[data-testid=turn][data-holder='{seat}']").wait_for()


def pressed(guest: Guest, key: str) -> Callable[[], float]:
    def act() -> float:
        at_ms = held(guest, key)()
        guest.page.keyboard.up(key)
        return at_ms

    return act


def held(guest: Guest, key: str) -> Callable[[], float]:
    def act() -> float:
        guest.page.keyboard.down(key)
        return listening.touched(guest.page)

    return act


def let_go(guest: Guest, key: str) -> Callable[[], float]:
    def act() -> float:
        guest.page.keyboard.up(key)
        return listening.touched(guest.page)

    return act


def clicked(guest: Guest, selector: str) -> Callable[[], float]:
    def act() -> float:
        guest.page.locator(selector).click()
        return listening.touched(guest.page)

    return act


def chosen(guest: Guest, test_id: str, value: str) -> Callable[[], float]:
    def act() -> float:
        guest.page.get_by_test_id(test_id).select_option(value)
        return listening.touched(guest.page)

    return act


def shown(guest: Guest, test_id: str) -> None:
    guest.page.get_by_test_id(test_id).first.wait_for(timeout=SOON_MS)


def gone(guest: Guest, test_id: str) -> None:
    guest.page.get_by_test_id(test_id).first.wait_for(state="detached", timeout=SOON_MS)


def test_one_key_puts_the_interpreter_in_the_place_of_the_original(cells: Cells) -> None:
    cells.switch("simultaneous, by key", pressed(cells.people["A"], "m"), L="K", K="A", A="LK")


def test_a_late_interpreter_is_heard_and_hears_as_the_mode_is(
    cells: Cells, waiting: dict[str, Guest]
) -> None:
    def comes() -> None:
        cells.people["B"] = waiting["B"]
        answer_and_join(waiting["B"].page)
        hears(cells, "K", "B")
        hears(cells, "B", "L")

    cells.around("B comes late", comes, K="AB", B="LK")
    for letter in "AB":
        shown(cells.people[letter], "both-open")


def test_in_consecutive_mode_everybody_hears_everybody(cells: Cells) -> None:
    everybody = {"L": "KAB", "K": "LAB", "A": "LKB", "B": "LKA"}
    chair = cells.people["K"]
    cells.switch("consecutive, by the chair", clicked(chair, "[data-testid=mode-switch]"), **everybody)
    for letter in "AB":
        shown(cells.people[letter], "both-open")
    cells.learn()
    closed = {"L": "K", "K": "AB", "A": "LK", "B": "LK"}
    cells.switch("simultaneous", pressed(cells.people["A"], "m"), **closed)


def test_in_a_relay_the_second_interpreter_hears_the_first_and_the_listener_the_second(cells: Cells) -> None:
    a, b = cells.people["A"], cells.people["B"]
    cells.switch("A renders into Russian", chosen(a, "direction-all", "kk ru"), K="B")
    gone(a, "both-open")
    cells.switch("B renders from Russian", chosen(b, "direction-all", "ru ko"), K="BL")
    cells.switch("relay: B listens to A", chosen(b, "listen", a.seat), B="A", K="B")
    cells.switch("B listens to the floor again", chosen(b, "listen", ""), B="LK", K="BL")
    cells.switch("B renders from Kazakh", chosen(b, "direction-all", "kk ko"), K="B")
    cells.switch("A renders into Korean", chosen(a, "direction-all", "kk ko"), K="AB")


def test_the_passive_interpreter_is_silenced_by_key(cells: Cells) -> None:
    a, b = cells.people["A"], cells.people["B"]
    shown(a, "both-open")
    cells.switch("B is silenced", pressed(a, "p"), K="A")
    shown(b, "interpreter-muted")
    gone(a, "both-open")


def test_the_direction_is_turned_round_by_key(cells: Cells) -> None:
    a = cells.people["A"]
    cells.switch("the direction is turned", pressed(a, "d"), L="A", K="L")
    cells.switch("and back", pressed(a, "d"), L="K", K="A")


def test_a_listener_hears_what_they_choose(cells: Cells) -> None:
    k = cells.people["K"]
    cells.switch("K: the original", chosen(k, "hearing", "original"), K="L")
    cells.switch("K: both", chosen(k, "hearing", "both"), K="Al")
    cells.switch("K: the interpreter", chosen(k, "hearing", "interpreted"), K="A")


def test_a_cough_is_heard_by_nobody(cells: Cells) -> None:
    a = cells.people["A"]
    cells.switch("A holds the cough key", held(a, "c"), K="")
    cells.switch("and lets go", let_go(a, "c"), K="A")


def test_the_partner_line_is_heard_by_the_fellow_alone(cells: Cells) -> None:
    a, b = cells.people["A"], cells.people["B"]
    cells.switch("partner line, B to A", held(b, "t"), A="LKB")
    cells.switch("and off", let_go(b, "t"), A="LK")
    cells.switch("partner line, A to B", held(a, "t"), B="LKA", K="")
    cells.switch("and off again", let_go(a, "t"), B="LK", K="A")


def test_a_hand_over_changes_who_is_heard_at_once(cells: Cells) -> None:
    a, b = cells.people["A"], cells.people["B"]
    cells.switch("B asks for a hand-over", pressed(b, "h"))
    shown(a, "handover-asked")
    cells.switch("A accepts", pressed(a, "h"), K="B")
    shown(a, "interpreter-muted")


def test_who_steps_out_hears_nobody_and_is_heard_by_nobody(cells: Cells) -> None:
    referring, k = cells.people["L"], cells.people["K"]
    step = f"[data-testid=tile][data-participant='{k.seat}'] [data-testid=step]"
    cells.switch("K steps out", clicked(referring, step), L="", K="", A="L", B="L")
    shown(k, "stepped-out")
    cells.switch("and back", clicked(referring, step), L="K", K="B", A="LK", B="LK")


def test_after_a_reload_all_is_as_it_was(cells: Cells) -> None:
    page = cells.people["L"].page

    def reloads() -> None:
        page.reload()
        page.locator("[data-testid=tile]").first.wait_for()
        hears(cells, "L", "K")
        hears(cells, "A", "L")

    cells.around("L reloads", reloads, but="L")


def test_listeners_fall_back_to_the_original_when_the_interpreter_drops(cells: Cells) -> None:
    a, k = cells.people["A"], cells.people["K"]
    lost = cells.people.pop("B")
    for page in (k.page, cells.people["L"].page):
        page.evaluate(TOLD)

    killed: list[float] = []

    def drops() -> float:
        pids = lost.person.processes()
        killed.append(time.time() * 1_000)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        return killed[0]

    cells.switch("B’s browser is killed", drops, K="L")
    for letter in "LK":
        shown(cells.people[letter], "interpreter-lost")
        told = cells.people[letter].page.evaluate("window.testTold") - killed[0]
        assert told <= TOLD_MS, (letter, told)
    cells.switch("A takes over, by key", pressed(a, "h"), K="A")
    for letter in "LK":
        gone(cells.people[letter], "interpreter-lost")


TOLD = """
() => new MutationObserver(() => {
  if (document.querySelector('[data-testid=interpreter-lost]')) window.testTold ??= Date.now();
}).observe(document.body, { subtree: true, childList: true })
"""


def test_back_in_consecutive_mode_everybody_hears_everybody(cells: Cells) -> None:
    chair = cells.people["K"]
    give_floor(cells)
    cells.switch("consecutive", clicked(chair, "[data-testid=mode-switch]"), L="KA", K="LA", A="LK")
    for letter, guest in cells.people.items():
        assert not [line for line in guest.person.console if line.startswith("uncaught:")], letter
