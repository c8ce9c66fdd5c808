"""The patient's page while they wait outside, and how they come in: a real server, three windows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.test_screenshots import ALL, picture_all
from tests.support import probes
from tests.support.acts import SENDERS
from tests.support.browsers import Crowd
from tests.support.demo import Demo, until
from tests.support.fakes import RED
from tests.support.story import answer_and_join

pytestmark = pytest.mark.browser

RECEIVED = """
async () => {
  let packets = 0;
  for (const pc of window.hjConnections.filter((one) => one.connectionState !== 'closed')) {
    for (const one of (await pc.getStats()).values()) {
      if (one.type === 'inbound-rtp') packets += one.packetsReceived;
    }
  }
  return packets;
}
"""
ROLES = ("patient", "referring_physician", "consulting_physician")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    started = Demo(tmp_path_factory.mktemp("demo"), more=("--patient",)).start()
    yield started
    started.kill()


@pytest.fixture(scope="module")
def pages(demo: Demo, crowd: Crowd) -> dict[str, Page]:
    """At their doors; the patient's link is the demo's fourth."""
    browser = crowd.person(RED)
    found = {}
    for role in ROLES:
        profile = browser.profile("ru" if role == "patient" else "en")
        profile.add_init_script(SENDERS)
        found[role] = profile.new_page()
        found[role].goto(demo.seat(role)["room_url"], wait_until="commit")
    return found


def waits(patient: Page) -> bool:
    return patient.get_by_test_id("waiting").count() == 1


def test_a_patient_reads_what_happens_hears_nothing_and_comes_in_by_one_button(
    demo: Demo, pages: dict[str, Page], output: Path
) -> None:
    patient, referring, chair = (pages[role] for role in ROLES)
    patient.get_by_test_id("consent-accept").click()
    patient.get_by_test_id("join").click()
    patient.get_by_test_id("waiting").wait_for()
    assert patient.evaluate("document.documentElement.lang") == "ru"
    people = patient.get_by_test_id("waiting-person")
    assert [one.get_attribute("data-here") for one in people.all()] == [None, None, None]
    zones = [one.get_attribute("data-zone") for one in patient.get_by_test_id("waiting-clock").all()]
    assert zones == ["Asia/Almaty", "Asia/Seoul"], "their own place first"

    for page in (referring, chair):
        answer_and_join(page)
    seat = demo.seat_id("patient")
    for page in (referring, chair):
        page.locator(f"[data-testid=held][data-participant='{seat}'][data-here]").wait_for()
    here = patient.locator("[data-testid=waiting-person][data-here]")
    until("both are shown to be there", lambda: here.count() == 2, 10)
    until("the physicians see each other", lambda: len(probes.tiles(chair)) == 3, 10)
    until("they are connected", lambda: referring.evaluate(RECEIVED) > 50, 15)
    assert patient.evaluate(RECEIVED) == 0, "not one packet"
    assert patient.get_by_test_id("tile").count() == 0

    patient.reload()
    patient.get_by_test_id("waiting").wait_for()
    if ALL:
        assert not picture_all(patient, "waiting", folder(output))
    assert patient.evaluate(RECEIVED) == 0

    referring.locator(f"[data-testid=held][data-participant='{seat}'] [data-testid=let-in]").click()
    until("the patient sees the room", lambda: len(probes.tiles(patient)) == 3, 10)
    assert not waits(patient)
    until("and hears it", lambda: patient.evaluate(RECEIVED) > 20, 15)
    assert referring.get_by_test_id("held").count() == 0
    for tool in ("open-glossary", "pause-recording", "end-consultation", "step", "mode-switch", "desk"):
        assert patient.get_by_test_id(tool).count() == 0, tool
    assert patient.get_by_test_id("open-chat").count() == 1


def folder(output: Path) -> Path:
    made = output / "screenshots"
    made.mkdir(exist_ok=True)
    return made
