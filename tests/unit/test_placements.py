"""A room's epoch is placed once; what is released is forgotten. The same for every store of placements."""

from __future__ import annotations

from server.runtime.placements import LocalPlacements, Placement


async def test_the_first_claim_of_an_epoch_stands() -> None:
    places = LocalPlacements()
    assert await places.find("r") is None
    assert await places.claim("r", 1, "0.1") == Placement("0.1", 1)
    assert await places.claim("r", 1, "1.1") == Placement("0.1", 1)
    assert await places.claim("r", 2, "1.1") == Placement("1.1", 2)
    assert await places.claim("r", 1, "0.1") == Placement("1.1", 2), "an older epoch is placed no more"


async def test_only_what_is_sealed_is_released() -> None:
    places = LocalPlacements()
    await places.claim("r", 2, "0.1")
    await places.release("r", 1)
    assert await places.find("r") == Placement("0.1", 2)
    await places.release("r", 2)
    await places.release("r", 2)
    assert await places.find("r") is None


async def test_a_workers_rooms_are_those_whose_newest_epoch_is_there() -> None:
    places = LocalPlacements()
    await places.claim("a", 1, "0.1")
    await places.claim("b", 1, "0.1")
    await places.claim("b", 2, "1.1")
    assert await places.of_worker("0.1") == {"a": 1}
    assert await places.of_worker("1.1") == {"b": 2}
