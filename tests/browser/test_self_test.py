"""A site's self-test in real Chromium: all well is green; a silent microphone and a thin line are red.

Blocked UDP is in test_firewalls.py, where a firewall really drops.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright

from tests.browser.test_screenshots import picture_all
from tests.support.browsers import NETWORK_FLAGS, Crowd, Person
from tests.support.demo import Demo, running
from tests.support.impairment import candidates
from tests.support.impairment.aside import RelayAside
from tests.support.impairment.profile import Profile
from tests.support.ports import free_port
from tests.support.selftest import open_test, steps_of, take_test, write_words
from tests.support.story import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.long]

THIN = Profile(delay_ms=40, rate_bps=110_000)


@dataclass
class Scene:
    demo: Demo
    crowd: Crowd
    line: RelayAside
    folder: Path

    def person(self, sound: str, language: str, init: str = "") -> Person:
        return self.crowd.person(
            None,
            language,
            flags=(*NETWORK_FLAGS, f"--use-file-for-fake-audio-capture={self.folder / sound}.wav"),
            init=init,
        )


@pytest.fixture(scope="module")
def scene(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder, port = tmp_path_factory.mktemp("self-test"), free_port()
    env = {"HYEOPJIN_MEDIA_UDP_PORT": str(port), "HYEOPJIN_SELF_TEST_LINE_S": "10"}
    for name, loudness in (("voice", 0.25), ("silence", 0.0)):
        write_words(folder / f"{name}.wav", loudness)
    with (
        running(folder / "demo", env) as demo,
        RelayAside(port, THIN, THIN, seed=3) as line,
        Crowd(playwright, folder) as crowd,
    ):
        yield Scene(demo, crowd, line, folder)


@pytest.fixture(scope="module")
def good(scene: Scene) -> Page:
    page = sign_in(scene.person("voice", "ru"), scene.demo, "site_operator")
    open_test(page, scene.demo, "Video room 1")
    take_test(page)
    return page


def test_a_site_where_all_is_well_is_green_and_kept(scene: Scene, good: Page, output: Path) -> None:
    found = steps_of(good)
    assert {step: row["verdict"] for step, row in found.items()} == dict.fromkeys(found, "green"), found
    figures = found["line"]["figures"]
    assert min(figures["up_kbps"], figures["down_kbps"]) > 400, figures
    assert found["loop"]["figures"]["via"] == "relay", "what others hear came back"
    assert good.get_by_test_id("self-test").get_attribute("data-whole") == "green"
    folder = output / "screenshots"
    folder.mkdir(exist_ok=True)
    assert not picture_all(good, "self-test", folder)
    board = sign_in(scene.person("voice", "en"), scene.demo, "coordinator")
    board.get_by_test_id("to-site-checks").click()
    rows = board.get_by_test_id("site-row")
    rows.first.wait_for()
    verdicts = rows.evaluate_all("(all) => all.map((one) => [one.dataset.verdict, one.dataset.why])")
    assert {tuple(one) for one in verdicts} == {("green", "tested"), ("red", "never")}
    assert ["green", "tested"] in verdicts[:2], "its hour is near: before those that have none"
    board.locator("[data-testid=site-row][data-verdict=green] summary").first.click()
    board.get_by_test_id("site-test").first.wait_for()
    assert not picture_all(board, "site-checks", folder)


def test_a_silent_microphone_is_red_and_says_what_to_look_at(scene: Scene, output: Path) -> None:
    page = sign_in(scene.person("silence", "ko"), scene.demo, "consulting_physician")
    open_test(page, scene.demo, "")
    take_test(page, heard=False)
    found = steps_of(page)
    red = {step for step, row in found.items() if row["verdict"] == "red"}
    assert red == {"microphone", "loop"}, found
    assert [one["code"] for one in found["microphone"]["findings"]] == ["microphone_silent"]
    advice = page.locator("[data-code=microphone_silent]").inner_text()
    assert "마이크" in advice
    assert not picture_all(page, "self-test-silent", output / "screenshots")


def test_a_thin_line_is_red_with_its_rate(scene: Scene, output: Path) -> None:
    led = candidates.init_script(scene.line.port, tcp=False)
    page = sign_in(scene.person("voice", "en", init=led), scene.demo, "referring_physician")
    open_test(page, scene.demo, "Laptop")
    take_test(page)
    found = steps_of(page)
    line = found["line"]
    assert line["verdict"] == "red", found
    assert line["figures"]["up_kbps"] < 160, line
    assert "line_up" in [one["code"] for one in line["findings"]]
    assert {found[step]["verdict"] for step in ("browser", "camera", "microphone")} == {"green"}, found
    assert not picture_all(page, "self-test-thin", output / "screenshots")
