"""Every socket event × every role of a seat, verified or not, chair or not: as the permissions table says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.domain.permissions import (
    ABILITIES,
    AS_CHAIR,
    PERMISSIONS,
    VERIFIED_ONLY,
    Role,
    abilities,
    chaired,
)
from signaling.ports import RoomSeed
from tests.integration.test_namespace import ABILITY, GOOD, Site, site
from tests.support.rooms import CONSULTING, REFERRING, ROOM, seat

__all__ = ["site"]

SEATED = (Role.CONSULTING_PHYSICIAN, Role.REFERRING_PHYSICIAN, Role.INTERPRETER, Role.PATIENT)
LAST = {"leave", "end"}


def expected(event: str, role: Role, *, verified: bool, chairs: bool) -> bool:
    """Whether the table lets this seat: read from the table itself, not from what seats are given."""
    ability = ABILITY[event]
    if ability is None:
        return True
    action = ABILITIES[ability]
    if role not in PERMISSIONS[action] or (action in VERIFIED_ONLY and not verified):
        return False
    return chairs or role not in AS_CHAIR.get(action, ())


def room(role: Role, *, verified: bool, chairs: bool) -> RoomSeed:
    """The seat asked about and another one; who chairs is the verified one with the lowest rank."""
    own = seat(REFERRING, str(role), set(abilities(role, verified=verified)), rank=1 if chairs else None)
    own = replace(own, verified=verified, chaired=chaired(role))
    other = seat(
        CONSULTING, "consulting_physician", set(abilities("consulting_physician", verified=True)), rank=2
    )
    return RoomSeed(seats=(own, replace(other, chaired=chaired("consulting_physician"))))


@pytest.mark.parametrize(
    ("role", "verified", "chairs"),
    [(role, verified, False) for role in SEATED for verified in (True, False)]
    + [(role, True, True) for role in SEATED[:2]],  # nobody else ever chairs
)
async def test_each_seat_may_send_exactly_what_its_rows_say(
    site: Site, role: Role, verified: bool, chairs: bool
) -> None:
    site.books.seeds[ROOM] = room(role, verified=verified, chairs=chairs)
    page, other = await site.connect(), await site.connect(CONSULTING)
    joined = await page.ask("join", {})
    assert joined["ok"] is expected("join", role, verified=verified, chairs=chairs)
    assert (await other.ask("join", {}))["ok"] is True
    found = []
    for event in sorted(set(ABILITY) - {"join"}, key=lambda one: (one in LAST, one != "leave", one)):
        site.clock.passes(1_000)
        code = (await page.ask(event, GOOD[event])).get("code")
        may = expected(event, role, verified=verified, chairs=chairs)
        if (code in ("forbidden", "not_chair")) is may:
            found.append(f"{event}: {code}, may: {may}")
        if event == "leave":
            assert (await page.ask("join", {}))["ok"] is True
    assert not found, found


def test_every_event_has_an_ability_and_every_ability_a_row() -> None:
    assert set(GOOD) == set(ABILITY)
    assert {ability for ability in ABILITY.values() if ability} <= set(ABILITIES)
