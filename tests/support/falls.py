"""Two in a room, one of them behind a line that can be cut whole: the page's own connections and its media.

What falls are for: the far one's `fall_*` acts, and what must be so afterwards: one seat each, one lane each,
each missing second with its cause.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Playwright

from tests.support import decode, probes, pulse
from tests.support.browsers import NETWORK_FLAGS, Crowd
from tests.support.demo import Demo, running, until
from tests.support.fakes import GREEN, RED
from tests.support.impairment import candidates
from tests.support.impairment.aside import RelayAside
from tests.support.impairment.profile import Profile
from tests.support.ports import free_port
from tests.support.story import Guest, end, join, join_signed_in, sign_in, wait_ready

MOBILE = Profile(delay_ms=40, jitter_ms=5)
"""Each way; what falls are about is not its quality."""

LANES = "(all) => all.map((e) => [e.dataset.participant, e.dataset.kind])"


@dataclass
class Line:
    """The far one's access: `media` and `web` are cut together."""

    media: RelayAside
    web: RelayAside

    def dark(self, dark: bool) -> None:
        for relay in (self.media, self.web):
            relay.ask(lambda one: one.black_out(dark))

    def black_out(self, seconds: float) -> None:
        """Nothing passes for so long."""
        self.dark(True)
        time.sleep(seconds)
        self.dark(False)

    def rebind(self) -> None:
        """Another network, or a NAT that forgot: new ports for media, connections reset."""
        for relay in (self.media, self.web):
            relay.ask(lambda one: one.rebind())


@dataclass
class Fallen:
    """The two of them; `near` is the chair and on the machine itself."""

    demo: Demo
    line: Line
    far: Guest
    near: Guest

    def seats(self) -> list[str]:
        return sorted((self.far.seat, self.near.seat))

    def both_see_each_other(self, limit: float) -> float:
        """Seconds until new pictures have come to both pages."""
        began = time.monotonic()
        for guest in (self.near, self.far):
            until("pictures", _Pictures(guest), max(1.0, began + limit - time.monotonic()), 0.05)
        return time.monotonic() - began

    def no_ghost(self) -> None:
        """Two tiles on each page, one per seat, and both voices."""
        for here, there in ((self.near, self.far), (self.far, self.near)):
            probes.wait_for_tone(here.page, there.seat, there.voice, 10)
            assert sorted(tile["participant"] for tile in probes.tiles(here.page)) == self.seats()

    @contextmanager
    def lid_closed(self) -> Iterator[None]:
        """The far computer sleeps: none of the browser's processes runs."""
        asleep = self.far.person.processes()
        for pid in asleep:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in asleep:
                os.kill(pid, signal.SIGCONT)

    def ended(self) -> str:
        """Ends it; one recording, its chain whole, each voice at its own seat alone. Its id."""
        end(self.near)
        (recording,) = decode.recordings(self.demo.data)
        assert self.demo.command("recordings", "verify", recording)["chain"] == "intact"
        contents = decode.decode_segments(self.demo.data, recording)
        assert {seat: found.names() for seat, found in contents.items()} == {
            self.far.seat: {RED.name},
            self.near.seat: {GREEN.name},
        }
        return recording

    def finished(self) -> dict[str, Any]:
        """Ends it; what the reviewer is told of the one recording, which has one lane per person and kind."""
        recording = self.ended()
        page = sign_in(self.far.person, self.demo, "reviewer")
        wait_ready(self.demo, page, recording, 90)
        page.goto(f"{self.demo.base_url}/review/{recording}")
        page.get_by_test_id("review-play").wait_for()
        lanes = page.get_by_test_id("lane").evaluate_all(LANES)
        assert sorted(lanes) == sorted([seat, kind] for seat in self.seats() for kind in ("audio", "camera"))
        answer: dict[str, Any] = page.request.get(f"{self.demo.base_url}/api/recordings/{recording}").json()
        return answer

    def gaps(self, answer: dict[str, Any], longer_than_ms: int) -> list[dict[str, Any]]:
        """The far one's holes in the voice."""
        (track,) = (
            one for one in answer["tracks"] if (one["participant"], one["kind"]) == (self.far.seat, "audio")
        )
        return [gap for gap in track["gaps"] if gap["to"] - gap["from"] > longer_than_ms]


class _Pictures:
    """True once so many pictures came since it was made, over whichever connection."""

    def __init__(self, guest: Guest, count: int = 5) -> None:
        self._page, self._count = guest.page, count
        self._seen = pulse.read(self._page).frames

    def __call__(self) -> bool:
        now = pulse.read(self._page).frames
        if now < self._seen:  # another connection counts anew
            self._seen = 0
        return now >= self._seen + self._count


@contextmanager
def two(playwright: Playwright, folder: Path, profile: Profile = MOBILE, seed: int = 7) -> Iterator[Fallen]:
    """Both are in, see and hear each other."""
    port = free_port()
    with (
        running(folder / "demo", {"HYEOPJIN_MEDIA_UDP_PORT": str(port)}) as demo,
        RelayAside(port, profile, seed=seed) as media,
        RelayAside(demo.port, profile, seed=seed + 1) as web,
        Crowd(playwright, folder) as crowd,
    ):
        led = candidates.init_script(media.port, tcp=False)
        rule = f"--host-resolver-rules=MAP localhost:{demo.port} 127.0.0.1:{web.port}"
        person = crowd.person(RED, flags=(*NETWORK_FLAGS, rule), init=pulse.SCRIPT + led)
        near = join_signed_in(crowd.person(GREEN, init=pulse.SCRIPT), demo, "consulting_physician")
        far = join(person, demo, "referring_physician")
        made = Fallen(demo, Line(media, web), far, near)
        made.both_see_each_other(30)
        assert web.ask(lambda one: one.connections), "the far page comes through the relay"
        yield made
