"""A line that is measured, on a real media worker: two offers, no key and no journal, few at once, an end."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.domain.errors import Refused
from server.runtime.load import Limits, Load
from server.runtime.measuring import MOST, MeasuringRooms
from tests.integration.test_fleet import Rig, eventually


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path, workers=1, limits=Limits.of(120))
    await made.fleet.start()
    yield made
    await made.stop()


async def refused(rooms: MeasuringRooms) -> tuple[str, dict[str, int]]:
    with pytest.raises(Refused) as told:
        await rooms.open(10)
    return told.value.code, told.value.facts


async def test_a_line_is_lent_without_key_or_journal_and_taken_back(rig: Rig, tmp_path: Path) -> None:
    heard: list[object] = []
    rig.media_event = heard.append  # type: ignore[assignment, method-assign]
    rooms = MeasuringRooms(rig.fleet)
    name, offers = await rooms.open(10)
    assert offers.keys() == {"sends", "receives"}
    tracks = {(one["participant"], one["kind"]) for one in offers["receives"]["tracks"]}
    assert ("sends", "audio") in tracks
    sends = offers["sends"]
    with pytest.raises(Refused, match="wrong_state"):
        await rooms.answer(name, "sends", "another", sends["offer_id"], "v=0")
    with pytest.raises(Refused, match="bad_request"):
        await rooms.answer(name, "sends", sends["connection"], sends["offer_id"], "v=0")
    others = [await rooms.open(10) for _ in range(MOST - 1)]
    assert await refused(rooms) == ("self_test_full", {"retry_after_s": 10})
    for one, _ in [(name, offers), *others]:
        await rooms.close(one)
    with pytest.raises(Refused, match=r"wrong_state|not_ready"):
        await rooms.answer(name, "sends", sends["connection"], sends["offer_id"], "v=0")
    assert rig.living_on() == {"0": set()}
    assert heard == [], "the rooms of consultations are told nothing"
    assert not list((tmp_path / "keys").rglob("*.key"))
    assert not list((tmp_path / "journal").iterdir())
    short, _ = await rooms.open(0.2)
    await eventually(lambda: rig.living_on() == {"0": set()}, "it did not end by itself")
    await rooms.close(short)
    rig.fleet.loads = {worker: Load(sessions=90) for worker in rig.fleet.links}
    assert await rig.fleet.has_room(None)
    assert (await refused(rooms))[0] == "self_test_full", "what is left is for consultations"
    await rooms.stop()


async def test_a_worker_that_dies_takes_the_line_with_it_and_tells_no_room(rig: Rig) -> None:
    rooms = MeasuringRooms(rig.fleet)
    name, offers = await rooms.open(10)
    (place,) = rig.workers.places()
    assert place.pid is not None
    lost = set(rig.fleet.links)
    os.kill(place.pid, signal.SIGKILL)
    await eventually(lambda: not lost & set(rig.fleet.links), "not noticed")
    with pytest.raises(Refused):
        await rooms.answer(name, "sends", offers["sends"]["connection"], offers["sends"]["offer_id"], "v=0")
    await rooms.close(name)
    await rooms.stop()
