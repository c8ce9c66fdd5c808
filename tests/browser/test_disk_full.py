"""The server's disk is really full in mid-consultation: all are told, nobody is cut off, nothing is lost."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.test_screenshots import picture_all
from tests.support import decode, probes
from tests.support.browsers import Crowd
from tests.support.demo import Demo, until
from tests.support.fakes import GREEN, RED
from tests.support.small_disk import SmallDisk
from tests.support.story import Guest, end, join, sign_in, wait_ready, wait_recording, wait_stored

pytestmark = pytest.mark.browser

TOLD_WITHIN = 5.0
SMALL = {"HYEOPJIN_DISK_FLOOR_MB": "16", "HYEOPJIN_DISK_RESERVE_MB": "16"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Demo, SmallDisk]]:
    folder = tmp_path_factory.mktemp("small")
    with SmallDisk(folder / "data", 96) as disk:
        demo = Demo(folder, SMALL, prefix=disk.prefix).start()
        disk.of(demo.pid)
        until("the server is ready", lambda: demo.get("/readyz")[0] == 200, 30)
        try:
            yield demo, disk
        finally:
            demo.kill()


def metric(demo: Demo, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", demo.get("/metrics")[1].decode(), re.MULTILINE)
    assert found, name
    return float(found[1])


def banner(guest: Guest) -> str:
    """The cause that the page's banner tells, or nothing."""
    look = "() => document.querySelector('[data-testid=banner-advice]')?.dataset.cause ?? ''"
    return str(guest.page.evaluate(look))  # in one look: it may go between two


def sign_in_works(demo: Demo) -> bool:
    """A new session and its audit entry: rows that have to be committed."""
    account = demo.account("reviewer")
    body = json.dumps({"email": account["email"], "password": account["password"]}).encode()
    headers = {"Content-Type": "application/json", "Origin": demo.base_url}
    request = urllib.request.Request(demo.base_url + "/api/sign-in", body, headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.long
def test_a_full_disk_is_told_to_everybody_and_costs_nothing_when_room_is_made(
    small: tuple[Demo, SmallDisk], crowd: Crowd, output: Path
) -> None:
    demo, disk = small
    referring = join(crowd.person(RED), demo, "referring_physician")
    consulting = join(crowd.person(GREEN), demo, "consulting_physician")
    guests = (referring, consulting)
    probes.wait_for_tone(referring.page, consulting.seat, consulting.voice)
    wait_stored(referring, 4)
    assert metric(demo, "hyeopjin_recording_degraded_tracks") == 0
    assert metric(demo, "hyeopjin_recording_reserve_held") == 1

    disk.fill()
    began = time.monotonic()
    until("the banner on both pages", lambda: [banner(g) for g in guests] == ["no_space"] * 2, TOLD_WITHIN)
    assert time.monotonic() - began < TOLD_WITHIN
    until("the alert's number rises", lambda: metric(demo, "hyeopjin_recording_degraded_tracks") >= 4, 5)
    assert metric(demo, "hyeopjin_recording_accepting") == 0
    until("the reserve is given back", lambda: metric(demo, "hyeopjin_recording_reserve_held") == 0, 5)
    until("the database commits", lambda: sign_in_works(demo), 5)

    forwarded = metric(demo, "hyeopjin_media_packets_forwarded")
    for one, other in ((referring, consulting), (consulting, referring)):
        assert probes.advancing(one.page, other.seat)
        probes.wait_for_tone(one.page, other.seat, other.voice)
    assert metric(demo, "hyeopjin_media_packets_forwarded") > forwarded + 100
    assert [banner(guest) for guest in guests] == ["no_space"] * 2

    disk.free()
    until("the banner is gone", lambda: [banner(guest) for guest in guests] == ["", ""], 10)
    for guest in guests:
        wait_recording(guest)
    wait_stored(referring, 3)
    until("the reserve is taken again", lambda: metric(demo, "hyeopjin_recording_reserve_held") == 1, 5)
    assert metric(demo, "hyeopjin_recording_degraded_tracks") == 0
    assert metric(demo, "hyeopjin_recording_lost_packets") == 0, "it waited in memory"

    disk.fill(leave=8 << 20)  # below the floor, but not at the end: the light's pictures for people to judge
    until("the banner again", lambda: banner(consulting) == "no_space", TOLD_WITHIN)
    folder = output / "screenshots"
    folder.mkdir(exist_ok=True)
    assert not picture_all(consulting.page, "disk-full", folder)
    end(consulting)
    case = sign_in(crowd.people[0], demo, "reviewer")
    case.get_by_test_id("worklist-row").first.locator("a[href^='/cases/']").first.click()
    case.locator("[data-testid=recording-row][data-waits-for=space]").wait_for(timeout=20_000)
    assert not picture_all(case, "case-waits-for-space", folder)

    disk.free()
    found = case.request.get(case.url.replace("/cases/", "/api/cases/")).json()
    recording = found["recordings"][0]
    wait_ready(demo, case, recording["id"], 60)
    contents = decode.decode_finished(disk.path, recording["id"])
    assert set().union(*(content.names() for content in contents.values())) == {RED.name, GREEN.name}
