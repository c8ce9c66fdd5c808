"""A consultation of three browsers, exported whole: lips in step, and who declined is nowhere."""

from __future__ import annotations

import io
import statistics
from typing import Any

import pytest
from playwright.sync_api import Page

from media.compose.layout import grid
from tests.integration.export_rig import pictures, samples
from tests.integration.test_export_film import onsets
from tests.support import decode, lipsync
from tests.support.analysis import colour_of, present_tones, tone_levels
from tests.support.browsers import Crowd
from tests.support.demo import Demo, until
from tests.support.fakes import FLASH_AND_BEEP, GREEN, RED
from tests.support.story import end, join, sign_in, wait_ready, wait_stored

pytestmark = [pytest.mark.browser, pytest.mark.long]

LIP_SYNC_MS = 80.0


def exported(page: Page, base: str, recording: str, order: dict[str, Any]) -> bytes:
    """A file by the page's own cookie."""
    path = f"{base}/api/recordings/{recording}/exports"
    origin = {"Origin": base, "Sec-Fetch-Site": "same-origin"}
    asked = page.request.post(path, data=order, headers=origin)
    assert asked.status == 201, asked.text()
    export = asked.json()["id"]

    def state() -> str:
        rows = page.request.get(path).json()["exports"]
        return next(row["state"] for row in rows if row["id"] == export)

    until("the film is made", lambda: state() not in ("queued", "running"), 300, 1)
    assert state() == "ready"
    found = page.request.get(f"{path}/{export}/file?reason=quality")
    assert found.status == 200
    return found.body()


def test_a_whole_consultation_as_a_film(demo: Demo, crowd: Crowd) -> None:
    guests = {
        "referring_physician": join(crowd.person(RED), demo, "referring_physician"),
        "consulting_physician": join(crowd.person(GREEN), demo, "consulting_physician", accept=False),
        "interpreter": join(crowd.person(init=FLASH_AND_BEEP), demo, "interpreter"),
    }
    wait_stored(guests["interpreter"], 30)
    end(guests["consulting_physician"])
    for guest in guests.values():
        guest.person.close()
    (recording,) = decode.recordings(demo.data)
    page = sign_in(crowd.person(), demo, "reviewer")
    wait_ready(demo, page, recording, 60)
    film = exported(page, demo.base_url, recording, {"kind": "film", "language": "ru"})
    assert io.BytesIO(film).read(8)[4:] == b"ftyp"
    tile, flashing = grid(2)
    colours, flashes, last = set(), [], -1.0
    for at, picture in pictures(film):
        middle = picture[tile.y + tile.h // 2 - 40, tile.x + tile.w // 2]
        colours.add(voice.name if (voice := colour_of(tuple(map(float, middle)))) else None)
        if picture[flashing.y + flashing.h // 2, flashing.x + flashing.w // 2].mean() > 140:
            if at - last > 0.3:
                flashes.append(at * 1000)
            last = at
    assert RED.name in colours
    assert GREEN.name not in colours
    sound = samples(film)
    assert present_tones(tone_levels(sound, 48_000)) == {RED.name}
    apart = lipsync.pairs(flashes, [at * 1000 for at in onsets(sound)])
    print(f"\nlip sync in the film, ms: {[round(each) for each in apart]}")  # noqa: T201
    assert len(apart) >= 20
    for part in (apart[:6], apart[len(apart) // 2 - 3 : len(apart) // 2 + 3], apart[-6:]):
        assert abs(statistics.median(part)) <= LIP_SYNC_MS, apart
