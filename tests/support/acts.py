"""What people do about the recording while they are in the room, and what their pages say of it."""

from __future__ import annotations

import os
import signal
import time

from playwright.sync_api import Page

from tests.support import probes, switchable
from tests.support.demo import Demo, until
from tests.support.fakes import YELLOW, Voice
from tests.support.story import Guest, wait_recording

# What the page's only connection sends, told by the senders themselves.
SENDERS = """
(() => {
  const Original = window.RTCPeerConnection;
  window.hjConnections = [];
  window.RTCPeerConnection = class extends Original {
    constructor(...args) { super(...args); window.hjConnections.push(this); }
  };
})();
"""
SENT = """
() => window.hjConnections.filter((pc) => pc.connectionState !== 'closed')
  .flatMap((pc) => pc.getSenders()).filter((sender) => sender.track).length
"""
CLICK = """
([rgb, hz, id]) => { window.hjVoice(rgb, hz); document.querySelector(`[data-testid=${id}]`).click(); }
"""


def recording_banner(guest: Guest) -> str:
    """What the page says of tracks that are not stored, empty when it says nothing."""
    return probes.words(guest.page, "recording-banner")


def until_stored(guest: Guest, timeout: float = 20.0) -> None:
    """Until the page names no track any more and says recording; tells what it named when it goes on."""
    try:
        until("no banner", lambda: not recording_banner(guest), timeout)
    except AssertionError as error:
        raise AssertionError(f"{guest.role} still reads: {recording_banner(guest)}") from error
    wait_recording(guest)


def pause_banner(guest: Guest) -> str:
    """What the page says of the pause, empty when it says nothing."""
    return probes.words(guest.page, "pause-banner")


def plate_name(page: Page, seat: str) -> str:
    """The name on somebody's tile."""
    return page.locator(f"[data-participant='{seat}'] .plate-name").inner_text().split(" (")[0]


def wait_paused(chair: Guest, *others: Guest, timeout: float = 20.0) -> None:
    """All pages show the pause, and the chair's alone can end it."""
    for guest in (chair, *others):
        until("the light says paused", lambda guest=guest: guest.light()[0] == "paused", timeout)  # type: ignore[misc]
        strip = guest.page.get_by_test_id("pause-banner")
        assert strip.get_attribute("data-phase") == "paused"
    may = [1] + [0] * len(others)
    until("the chair alone may resume", lambda: [resumable(one) for one in (chair, *others)] == may, 10)


def resumable(guest: Guest) -> int:
    return guest.page.get_by_test_id("resume-recording").count()


def click_as(page: Page, voice: Voice, test_id: str) -> None:
    """Touches a control and takes on another colour and tone in the same instant."""
    page.evaluate(CLICK, [list(voice.rgb), voice.tone, test_id])


def change(to: Voice, seen: Guest, by: Guest) -> None:
    """From here on another voice; returns once nothing of the former one is on its way any more."""
    switchable.become(seen.page, to)
    probes.wait_for_colour(by.page, seen.seat, to, 20)
    time.sleep(1)


def recorded(guest: Guest) -> bool:
    """What the page says of its own seat; its panel has to be open."""
    words = guest.page.get_by_test_id("seat-recorded")
    return words.get_attribute("data-recorded") == "true"


def signed(guest: Guest, seat: str) -> bool:
    """Whether this page shows that a seat is not recorded."""
    tile = guest.page.locator(f"[data-testid=tile][data-participant='{seat}']")
    return tile.locator(".sign-plain").count() == 1


def withdraw_from_a_silent_worker(demo: Demo, own: Guest, other: Guest, seconds: float) -> None:
    """Consent is taken back while media says nothing: the page sends nothing all the while."""
    worker = demo.worker()
    os.kill(worker, signal.SIGSTOP)
    try:
        click_as(own.page, YELLOW, "consent-change")
        until("the page sends nothing", lambda: own.page.evaluate(SENT) == 0, 5, 0.02)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            assert own.page.evaluate(SENT) == 0
            assert own.page.get_by_test_id("withdrawal-banner").is_visible()
            assert recorded(own), "media has not said that it is over"
            own.page.wait_for_timeout(200)
        assert not signed(other, own.seat), "nobody is told what is not known yet"
    finally:
        os.kill(worker, signal.SIGCONT)


def until_unrecorded(own: Guest, other: Guest) -> None:
    """Media has confirmed it, the other sees it, and the page sends again."""
    until("media has confirmed", lambda: not recorded(own), 15)
    until("no banner", lambda: own.page.get_by_test_id("withdrawal-banner").count() == 0, 20)
    until("the other sees it", lambda: signed(other, own.seat), 20)
    until("the page sends again", lambda: own.page.evaluate(SENT) == 2, 15)
    probes.wait_for_colour(other.page, own.seat, YELLOW, 20)


def until_recorded(own: Guest, other: Guest) -> None:
    until("it is recorded again", lambda: not signed(other, own.seat) and own.light()[0] == "recording", 30)
