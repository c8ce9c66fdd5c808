"""A consultation of three browsers, exported whole: lips in step, and who declined is nowhere."""

from __future__ import annotations

import io
import os
import signal
import statistics
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from media.compose.layout import grid
from tests.integration.export_rig import pictures, samples
from tests.integration.test_export_film import onsets
from tests.support import decode, lipsync
from tests.support.analysis import colour_of, present_tones, tone_levels
from tests.support.browsers import Crowd
from tests.support.demo import Demo, alive, until
from tests.support.fakes import FLASH_AND_BEEP, GREEN, RED
from tests.support.prepared import RECORDING, reviewed_demo
from tests.support.story import end, join, sign_in, wait_ready, wait_stored

pytestmark = [pytest.mark.browser, pytest.mark.long]

LIP_SYNC_MS = 80.0


def asked(page: Page, base: str, recording: str, order: dict[str, Any]) -> str:
    """An export is asked for by the page's own cookie; its id."""
    origin = {"Origin": base, "Sec-Fetch-Site": "same-origin"}
    told = page.request.post(f"{base}/api/recordings/{recording}/exports", data=order, headers=origin)
    assert told.status == 201, told.text()
    return str(told.json()["id"])


def row_of(page: Page, base: str, recording: str, export: str) -> dict[str, Any]:
    rows = page.request.get(f"{base}/api/recordings/{recording}/exports").json()["exports"]
    return dict(next(row for row in rows if row["id"] == export))


def made(page: Page, base: str, recording: str, export: str) -> bytes:
    """The file, once it is ready."""
    path = f"{base}/api/recordings/{recording}/exports"

    def state() -> str:
        return str(row_of(page, base, recording, export)["state"])

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
    export = asked(page, demo.base_url, recording, {"kind": "film", "language": "ru"})
    film = made(page, demo.base_url, recording, export)
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


PLAIN = (b"ftypisom", b"lmvhd", b"B\x82\x84webm", b"OpusHead")


def test_a_film_that_a_killed_server_was_making_is_made_after_its_start(crowd: Crowd, tmp_path: Path) -> None:
    with reviewed_demo(tmp_path, seconds=150) as killed:
        page = sign_in(crowd.person(), killed, "reviewer")
        wait_ready(killed, page, RECORDING, 60)
        base = killed.base_url
        export = asked(page, base, RECORDING, {"kind": "film"})
        until("it is in work", lambda: row_of(page, base, RECORDING, export)["progress"], 60)
        composer = killed.child("media.composer")
        os.kill(killed.pid, signal.SIGKILL)
        until("the composer dies with the server", lambda: not alive(composer), 5)
        files = [path for path in killed.data.rglob("*") if path.is_file() and "sqlite" not in path.name]
        assert not [path for path in files if any(mark in path.read_bytes() for mark in PLAIN)]
        assert not list((killed.data / "exports").rglob("export.sealed"))
        killed.kill()
        killed.start()
        film = made(page, base, RECORDING, export)
        assert film[4:8] == b"ftyp"
        kept = [path.name for path in (killed.data / "exports").rglob("*") if path.is_file()]
        assert kept == ["export.sealed"]
