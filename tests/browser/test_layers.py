"""Real pages send their camera in two layers over a line that loses: both are stored, decoded and watched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright

from media.recordstore import layout
from tests.support import decode, frames, probes, pulse
from tests.support.browsers import Crowd, Person
from tests.support.demo import Demo, running, until
from tests.support.fakes import BLUE, GREEN, RED
from tests.support.impairment import candidates
from tests.support.impairment.aside import RelayAside
from tests.support.impairment.profile import Loss, Profile
from tests.support.ports import free_port
from tests.support.story import Guest, end, join, sign_in, wait_ready, wait_stored

pytestmark = [pytest.mark.browser, pytest.mark.long]

LOSSY = Profile(delay_ms=30, jitter_ms=5, loss=Loss.independent(0.03), media_only=True)
SECONDS = 12.0

FIRST_PICTURE = """
(() => {
  const Original = window.RTCPeerConnection;
  const seen = window.__first = { packet: null, picture: null, connected: null };
  window.RTCPeerConnection = class extends Original {
    constructor(...all) {
      super(...all);
      const timer = setInterval(async () => {
        for (const s of (await this.getStats()).values()) {
          if (s.type !== 'inbound-rtp') continue;
          if (s.packetsReceived > 0) seen.packet ??= performance.now();
          if (s.kind === 'video' && s.framesDecoded > 0) seen.picture ??= performance.now();
        }
        if (this.connectionState === 'connected') seen.connected ??= performance.now();
        if (seen.picture) clearInterval(timer);
      }, 50);
    }
  };
})();
"""


@dataclass
class Told:
    """The consultation, finished, and what was seen while it ran."""

    demo: Demo
    lossy: Guest
    clear: Guest
    late: Guest
    recording: str
    reviewer: Person
    first: dict[str, float]
    shown: pulse.Stretch
    lost: int
    """Packets of the lossy one that never came, retransmissions included."""

    def stored(self, guest: Guest) -> dict[str, frames.Pictures]:
        return on_disk(self.demo, self.recording, guest)


def on_disk(demo: Demo, recording: str, guest: Guest) -> dict[str, frames.Pictures]:
    """What the journal holds of somebody's layers, by rid; also while it is being written."""
    journal = demo.data / "journal"
    paths = [
        path
        for epoch in layout.epochs_of(journal, recording)
        for path in layout.segments_of(journal, recording, epoch)
        if path.name.startswith(guest.seat)
    ]
    return frames.layers(paths, decode.keys_of(demo.data, recording)[guest.seat])


@pytest.fixture(scope="module")
def told(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory, output: Path) -> Iterator[Told]:
    port = free_port()
    env = {"HYEOPJIN_MEDIA_UDP_PORT": str(port)}
    with (
        running(tmp_path_factory.mktemp("layers"), env) as demo,
        RelayAside(port, LOSSY, seed=11) as line,
        Crowd(playwright, tmp_path_factory.mktemp("layers-fakes")) as crowd,
    ):
        led = candidates.init_script(line.port, tcp=False)
        lossy = join(crowd.person(RED, init=led), demo, "referring_physician")
        clear = join(crowd.person(GREEN, init=pulse.SCRIPT), demo, "consulting_physician")
        probes.wait_for_colour(clear.page, lossy.seat, RED, 30)
        wait_stored(clear, 5)
        recording = decode.recordings(demo.data)[0]
        for guest in (lossy, clear):  # on a busy machine a browser begins its high layer late
            until("a high layer", lambda guest=guest: "h" in on_disk(demo, recording, guest), 60, 1)  # type: ignore[misc]
        pulse.forget_stalls(clear.page)
        begun = pulse.read(clear.page)
        clear.page.wait_for_timeout(SECONDS * 1000)
        shown = pulse.between(begun, pulse.read(clear.page))
        late = join(crowd.person(BLUE, init=FIRST_PICTURE), demo, "interpreter")
        first = until("a picture at the late one's", lambda: first_picture(late.page), 15)
        wait_stored(clear, 3)
        end(clear)
        reviewer = crowd.person()
        wait_ready(demo, sign_in(reviewer, demo, "reviewer"), recording)
        found = Told(demo, lossy, clear, late, recording, reviewer, first, shown, line.stats()["up"]["lost"])
        figures = {
            guest.role: {rid: {**vars(one), "share": one.share} for rid, one in found.stored(guest).items()}
            for guest in (lossy, clear)
        }
        text = json.dumps(
            {"stored": figures, "lost": found.lost, "late": first, "shown": vars(shown)}, indent=1
        )
        (output / "layers.json").write_text(text)
        print(text)  # noqa: T201 - the figures of the run
        yield found


def first_picture(page: Page) -> dict[str, float] | None:
    seen: dict[str, Any] = page.evaluate("() => window.__first")
    return seen if seen["picture"] else None


def test_both_layers_are_stored_and_show_the_same(told: Told) -> None:
    index, plain = decode.finished(told.demo.data, told.recording)
    for guest in (told.lossy, told.clear):
        tracks = {t["id"]: t for t in index["tracks"] if t["peer"] == guest.seat}
        assert set(tracks) == {f"{guest.seat}-{name}" for name in ("audio", "camera", "camera-l")}
        high, low = tracks[f"{guest.seat}-camera"], tracks[f"{guest.seat}-camera-l"]
        assert (high["rid"], low["rid"]) == ("h", "l")
        assert (high["height"], low["height"]) == (360, 180)
        for found in (high, low):
            content = decode.decode_file(plain[found["file"].removesuffix(".sealed")])
            # On a busy machine a browser may begin the high layer late.
            assert content.pictures == found["frames"] > (150 if found is low else 30)
            assert content.colours[guest.voice.name] > 0.95 * content.pictures
        sound = decode.decode_file(plain[tracks[f"{guest.seat}-audio"]["file"].removesuffix(".sealed")])
        assert sound.tones == {guest.voice.name}


def test_nearly_every_stored_picture_can_be_decoded(told: Told) -> None:
    assert told.lost > 40, "the line was to lose three in a hundred"
    for guest in (told.lossy, told.clear):
        for rid, found in told.stored(guest).items():
            assert found.seconds > (SECONDS if rid == "l" else 3.0), (guest.role, rid, found)
            assert found.share >= 0.99, (guest.role, rid, found)
            assert found.worst_s <= 1.0, (guest.role, rid, found)
            assert found.seconds / found.key_frames <= 12, (guest.role, rid, found)


def test_whoever_comes_late_sees_within_a_second(told: Told) -> None:
    assert told.first["picture"] - told.first["packet"] <= 1000, told.first


def test_the_others_see_one_continuous_picture(told: Told) -> None:
    assert told.shown.stall_s <= 1.5, told.shown
    assert told.shown.frames_per_s >= 10, told.shown


def test_the_review_shows_one_picture_per_person_and_the_one_looked_at_sharp(told: Told) -> None:
    page = told.reviewer.page()
    page.goto(f"{told.demo.base_url}/review/{told.recording}")
    page.get_by_test_id("review-play").wait_for()
    assert page.get_by_test_id("review-video").count() == 3
    assert page.get_by_test_id("lane").count() == 6

    def heights() -> dict[str, int]:
        found: dict[str, int] = page.evaluate(
            "() => Object.fromEntries([...document.querySelectorAll('[data-testid=review-video]')]"
            ".map((v) => [v.dataset.participant, v.videoHeight]))"
        )
        return {seat: found[seat] for seat in everyone}

    # The late one was hardly there: a browser begins with the low layer.
    everyone = [told.lossy.seat, told.clear.seat]
    seek = "(e) => { e.value = e.max * 0.7; e.dispatchEvent(new Event('input', { bubbles: true })); }"
    page.get_by_test_id("review-seek").evaluate(seek)
    until("all sharp", lambda: heights() == dict.fromkeys(everyone, 360), 10)
    page.locator(f"[data-testid=review-focus][data-participant='{told.clear.seat}']").click()
    expected = {**dict.fromkeys(everyone, 180), told.clear.seat: 360}
    until("the one looked at sharp, the others thin", lambda: heights() == expected, 10)
    for guest in (told.lossy, told.clear):
        until("in colour", lambda guest=guest: probes.look_review(page, guest.seat) == guest.voice.name, 5)  # type: ignore[misc]
    page.locator(f"[data-testid=review-focus][data-participant='{told.clear.seat}']").click()
    until("all sharp again", lambda: heights() == dict.fromkeys(everyone, 360), 10)
