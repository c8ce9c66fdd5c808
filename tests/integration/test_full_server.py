"""A server that can carry nobody more says so at the door; who waits loses nothing and gets in later."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.integration.test_live_rooms import JOIN, inhabited


async def test_one_too_many_is_refused_keeps_the_seat_and_is_let_in_when_somebody_has_left(
    tmp_path: Path,
) -> None:
    async with inhabited(tmp_path, media_max_people=1) as house:
        server = house.server
        inside, outside = await house.by_link("referring_physician"), await house.by_link("interpreter")
        first = await house.socket(inside, "referring_physician")
        second = await house.socket(outside, "interpreter")
        assert (await first.ask("join", JOIN))["ok"]
        await first.told("offer")  # the worker has the first person
        assert await second.ask("join", JOIN) == {"ok": False, "code": "no_capacity"}
        seat, _ = house.seat("interpreter")
        assert seat not in await server.hub.presence(house.table.consultation_id)
        assert (await outside.get(f"/api/seats/{seat}")).status == 200, "the seat is still theirs"
        assert b"hyeopjin_media_refused_no_capacity 1.0" in await server.health.text()

        again = await house.socket(inside, "referring_physician")
        assert (await again.ask("join", JOIN))["ok"], "who sits inside comes back however full it is"
        assert (await again.ask("leave"))["ok"]
        answer = {"ok": False}
        for _ in range(60):
            answer = await second.ask("join", JOIN)
            if answer["ok"]:
                break
            await asyncio.sleep(0.25)
        assert answer["ok"], answer
