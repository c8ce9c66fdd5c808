"""Three in one room, one of them with Firefox: seen, heard, muted, reloaded, recorded, watched."""

from __future__ import annotations

import pytest

from tests.browser.test_review import play_from
from tests.support import decode, probes
from tests.support.browsers import Crowd
from tests.support.demo import Demo, until
from tests.support.fakes import BLUE, GREEN, RED
from tests.support.story import Guest, end, join, join_signed_in, sign_in, wait_ready, wait_recording

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.fixture(scope="module")
def three(demo: Demo, crowd: Crowd) -> tuple[Guest, Guest, Guest]:
    """Firefox, and two Chromium: the chair and the interpreter."""
    chair = join_signed_in(crowd.person(GREEN), demo, "consulting_physician")
    third = join(crowd.person(BLUE), demo, "interpreter")
    return join(crowd.firefox(RED), demo, "referring_physician"), chair, third


Three = tuple[Guest, Guest, Guest]


def meet(*guests: Guest) -> None:
    """Each sees each other's colour and hears each other's tone, and nobody else's."""
    for here in guests:
        for there in guests:
            if here is not there:
                probes.wait_for_colour(here.page, there.seat, there.voice, 20)
                probes.wait_for_tone(here.page, there.seat, there.voice, 20)


def test_firefox_and_chromium_see_and_hear_each_other(three: Three) -> None:
    meet(*three)
    for guest in three:
        wait_recording(guest)
        assert len(probes.tiles(guest.page)) == 3


def test_firefox_tells_how_good_its_line_is_and_sees_who_speaks(three: Three) -> None:
    fox, chair, _ = three
    sign = f"[data-participant='{fox.seat}'] .signs svg.bars"
    until("a word on the line", lambda: chair.page.locator(sign).count(), 15)
    speaking = f"[data-participant='{chair.seat}'] [data-speaking]"
    until("the ring round who speaks", lambda: fox.page.locator(speaking).count(), 10)


def test_a_camera_and_a_microphone_go_off_and_on_in_firefox(three: Three) -> None:
    fox, chair, _ = three
    fox.page.get_by_test_id("toggle-mic").click()
    fox.page.get_by_test_id("toggle-camera").click()
    until("silence", lambda: not probes.heard(chair.page, fox.seat), 10)
    cover = f"[data-testid=tile][data-participant='{fox.seat}'] .cover"
    chair.page.locator(cover).wait_for(timeout=5_000)
    fox.page.get_by_test_id("toggle-mic").click()
    fox.page.get_by_test_id("toggle-camera").click()
    probes.wait_for_colour(chair.page, fox.seat, fox.voice)
    probes.wait_for_tone(chair.page, fox.seat, fox.voice)
    until("the picture moves", lambda: probes.advancing(chair.page, fox.seat), 10)


def test_who_leaves_and_returns_is_seen_in_firefox_and_firefox_after_a_reload(three: Three) -> None:
    fox, chair, third = three
    third.page.get_by_test_id("leave").click()
    until("two are left", lambda: probes.remote_participants(fox.page) == [chair.seat], 10)
    third.page.reload()
    third.page.get_by_test_id("join").click()  # the question is answered
    fox.page.reload()
    fox.page.locator("[data-testid=tile]").first.wait_for(timeout=15_000)
    meet(fox, chair)
    probes.wait_for_colour(fox.page, third.seat, third.voice, 10)
    probes.wait_for_tone(fox.page, third.seat, third.voice, 10)
    probes.wait_for_tone(third.page, fox.seat, fox.voice, 10)
    assert len(probes.tiles(chair.page)) == 3


def test_what_firefox_sent_is_recorded_and_plays_in_firefox(three: Three, demo: Demo) -> None:
    fox, chair, _ = three
    end(chair)
    page = sign_in(fox.person, demo, "reviewer")
    (recording,) = decode.recordings(demo.data)
    wait_ready(demo, page, recording, 60)
    contents = decode.decode_segments(demo.data, recording)
    assert {seat: found.names() for seat, found in contents.items()} == {
        guest.seat: {guest.voice.name} for guest in three
    }
    assert demo.command("recordings", "verify", recording)["chain"] == "intact"
    tracks = page.request.get(f"{demo.base_url}/api/recordings/{recording}").json()["tracks"]
    begins, ends = max(
        (t["present"][-1] for t in tracks if t["participant"] == fox.seat), key=lambda one: one[0]
    )
    page.goto(f"{demo.base_url}/review/{recording}")
    page.get_by_test_id("review-play").wait_for()
    for guest in (fox, chair):
        play_from(page, begins + (ends - begins) // 4)
        until("seen", lambda guest=guest: probes.look_review(page, guest.seat) == guest.voice.name, 15)  # type: ignore[misc]
        until("heard", lambda guest=guest: probes.heard_review(page, guest.seat) == {guest.voice.name}, 15)  # type: ignore[misc]


def test_no_page_threw_anything_in_firefox(three: Three) -> None:
    assert not [line for line in three[0].person.console if line.startswith("uncaught:")]
