"""Three browsers flash and beep at the same instants; one joins late, one mutes, one reloads, one leaves
and returns.

The flashes follow the wall clock of the machine, which all three share: so they say how far people are
apart, too.
"""

from __future__ import annotations

import statistics
import time

import pytest

from tests.support import decode, lipsync
from tests.support.browsers import Crowd
from tests.support.demo import Demo, until
from tests.support.fakes import FLASH_AND_BEEP
from tests.support.story import end, join, wait_stored

pytestmark = pytest.mark.browser

WITHIN_MS, BETWEEN_MS = 80.0, 150.0

# As FLASH_AND_BEEP, but at the wall's full seconds, which three browsers on one machine have in common.
TOGETHER = FLASH_AND_BEEP.replace(
    "let next = Math.ceil(context.currentTime) + 1, off = 0, step = 0;",
    "let next = Math.ceil(Date.now() / 1000) + 1, off = 0, step = 0;",
).replace(
    "const now = context.currentTime;\n      if (now >= next) {",
    "const now = context.currentTime;\n      if (Date.now() / 1000 >= next) {",
)


def test_three_people_are_on_one_clock_from_start_to_end(demo: Demo, crowd: Crowd) -> None:
    assert "Date.now()" in TOGETHER
    chair = join(crowd.person(init=TOGETHER), demo, "referring_physician")
    muter = join(crowd.person(init=TOGETHER), demo, "consulting_physician")
    wait_stored(chair, 3)
    mover = join(crowd.person(init=TOGETHER), demo, "interpreter")
    wait_stored(mover, 6)
    marks = [chair.light()[1]]
    for _ in range(2):
        for what in ("toggle-mic", "toggle-camera"):
            muter.page.get_by_test_id(what).click()
        if len(marks) == 1:
            marks.append(0)
            time.sleep(4)
            mover.page.reload()
            mover.page.locator("[data-testid=tile]").first.wait_for(timeout=20_000)
    wait_stored(mover, 6)
    marks = [marks[0], chair.light()[1]]
    mover.page.get_by_test_id("leave").click()
    mover.page.get_by_test_id("over").wait_for()
    wait_stored(chair, 4)
    mover.page.goto(f"{demo.base_url}/room/{mover.seat}")
    mover.page.get_by_test_id("join").click()
    mover.page.locator("[data-testid=tile]").first.wait_for(timeout=20_000)
    wait_stored(mover, 6)
    end(muter)
    (recording,) = decode.recordings(demo.data)
    until("ready", lambda: demo.command("recordings", "list")[0]["state"] == "ready", 40, 0.5)
    index, plain = decode.finished(demo.data, recording)
    first, second = (mark - index["started_at_ms"] for mark in marks)
    parts = {"start": (0.0, first), "middle": (first, second), "end": (second, 1e12)}
    seen: dict[str, list[tuple[str, float]]] = {part: [] for part in parts}
    for guest in (chair, muter, mover):
        mine = {t["id"].removeprefix(f"{guest.seat}-"): t for t in index["tracks"] if t["peer"] == guest.seat}
        flashes, beeps = (
            onsets(plain[mine[kind]["file"].removesuffix(".sealed")], mine[kind]["offset_ms"])
            for kind, onsets in (("camera", lipsync.flashes_of), ("audio", lipsync.beeps_of))
        )
        for part, (begin, stop) in parts.items():
            apart = lipsync.pairs([at for at in flashes if begin < at <= stop], beeps)
            if apart:
                assert abs(statistics.median(apart)) <= WITHIN_MS, (guest.role, part, apart)
            seen[part] += [(guest.seat, at) for at in beeps if begin < at <= stop]
    for part, beeps_there in seen.items():
        # The same second in different people's tracks: within 400 ms of one another.
        spans = []
        for seat, at in beeps_there:
            near = [other for who, other in beeps_there if who != seat and abs(other - at) < 400]
            spans += [max(abs(other - at) for other in near)] if near else []
        assert len({seat for seat, _ in beeps_there}) >= 2, (part, beeps_there)
        assert len(spans) >= 6, (part, beeps_there)
        print(f"\nbetween people, {part}: median {statistics.median(spans):.0f} ms of {len(spans)}")  # noqa: T201
        assert statistics.median(spans) <= BETWEEN_MS, (part, spans)
    assert index["tracks"]
    assert all(track["sync_error_ms"] <= WITHIN_MS for track in index["tracks"])
