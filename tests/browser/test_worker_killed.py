"""The media worker dies in mid-consultation: pages come back by themselves, the recording survives."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.support import decode, probes
from tests.support.browsers import Crowd
from tests.support.demo import Demo, until
from tests.support.fakes import GREEN, RED
from tests.support.story import end, join, sign_in, wait_ready, wait_recording, wait_stored

pytestmark = pytest.mark.browser

BACK_WITHIN = 10.0


def test_media_is_back_in_ten_seconds_and_the_recording_names_the_gap(demo: Demo, crowd: Crowd) -> None:
    referring = join(crowd.person(RED), demo, "referring_physician")
    consulting = join(crowd.person(GREEN), demo, "consulting_physician")
    probes.wait_for_tone(referring.page, consulting.seat, consulting.voice)
    wait_stored(referring, 4)

    worker = demo.worker()
    os.kill(worker, signal.SIGKILL)
    died = time.monotonic()
    until("a new worker", lambda: _worker_other_than(demo, worker), BACK_WITHIN)
    pairs = ((referring, consulting), (consulting, referring))
    for one, other in pairs:
        until(
            "pictures move again",
            lambda one=one, other=other: probes.advancing(one.page, other.seat),  # type: ignore[misc]
            max(0.1, died + BACK_WITHIN - time.monotonic()),
        )
    assert time.monotonic() - died < BACK_WITHIN + 1  # a look takes half a second
    for one, other in pairs:
        probes.wait_for_tone(one.page, other.seat, other.voice)
        assert sorted(probes.remote_participants(one.page)) == [other.seat]
    wait_recording(referring)
    wait_stored(referring, 4)
    end(consulting)

    recording = decode.recordings(demo.data)[0]
    wait_ready(demo, sign_in(crowd.people[0], demo, "reviewer"), recording)
    report = demo.command("recordings", "verify", recording)
    causes = {gap["cause"] for gap in report["gaps"]}
    assert causes, report
    assert any(gap["to"] > gap["from"] for gap in report["gaps"]), report
    contents = decode.decode_segments(demo.data, recording)
    assert contents[referring.seat].names() == {RED.name}
    assert contents[consulting.seat].names() == {GREEN.name}
    assert contents[referring.seat].seconds > 8
    finished = decode.decode_finished(demo.data, recording)
    assert set().union(*(content.names() for content in finished.values())) == {RED.name, GREEN.name}


def _worker_other_than(demo: Demo, old: int) -> bool:
    try:
        return demo.worker() != old
    except AssertionError:
        return False
