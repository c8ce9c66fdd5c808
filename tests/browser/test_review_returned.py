"""Lips and voice in step where it is hard: after six muted seconds, and after a reload."""

from __future__ import annotations

import statistics
import time

import pytest

from tests.support import decode, lipsync
from tests.support.browsers import Crowd
from tests.support.demo import Demo, until
from tests.support.fakes import FLASH_AND_BEEP, RED
from tests.support.story import end, join, wait_stored

pytestmark = pytest.mark.browser

LIP_SYNC_MS = 80.0
MUTED_S = 6


def test_lips_and_voice_are_in_step_after_a_mute_and_a_reload(demo: Demo, crowd: Crowd) -> None:
    chair = join(crowd.person(RED), demo, "referring_physician")
    other = join(crowd.person(init=FLASH_AND_BEEP), demo, "interpreter")
    wait_stored(other, 6)
    marks = [other.light()[1]]
    for _ in range(2):
        for what in ("toggle-mic", "toggle-camera"):
            other.page.get_by_test_id(what).click()
        if len(marks) == 1:
            time.sleep(MUTED_S)
            marks.append(0)
    wait_stored(other, 6)
    marks = [marks[0], other.light()[1]]
    other.page.reload()
    other.page.locator("[data-testid=tile]").first.wait_for(timeout=20_000)
    wait_stored(other, 6)
    end(chair)
    (recording,) = decode.recordings(demo.data)
    until("ready", lambda: demo.command("recordings", "list")[0]["state"] == "ready", 30, 0.5)
    index, plain = decode.finished(demo.data, recording)
    mine = {t["kind"]: t for t in index["tracks"] if t["peer"] == other.seat}
    assert set(mine) == {"audio", "camera"}, "one lane each, whatever was reloaded"
    flashes, beeps = (
        onsets(plain[mine[kind]["file"].removesuffix(".sealed")], mine[kind]["offset_ms"])
        for kind, onsets in (("camera", lipsync.flashes_of), ("audio", lipsync.beeps_of))
    )
    first, second = (mark - index["started_at_ms"] for mark in marks)
    for begin, stop in ((0, first), (first, second), (second, 1 << 40)):
        apart = lipsync.pairs([at for at in flashes if begin < at <= stop], beeps)
        assert len(apart) >= 3, (flashes, beeps, marks)
        assert abs(statistics.median(apart)) <= LIP_SYNC_MS, apart
    for track in mine.values():
        causes = {gap["cause"]: gap["to"] - gap["from"] for gap in track["gaps"]}
        assert MUTED_S * 1000 - 1000 < causes["muted"] < MUTED_S * 1000 + 3000, track["gaps"]
        assert track["sync_error_ms"] <= LIP_SYNC_MS
