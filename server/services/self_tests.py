"""A site's self-test: begun by somebody of the site, judged step by step, kept with its figures.

The page measures and is believed: it cheats its own site alone. What costs the server something (the media
relay for some seconds) is given to one test of an account at a time, and to few of a site. Which room a test
has there is written down with it, so that any instance of the server can go on with it.
"""

from __future__ import annotations

from typing import Any, Protocol

from server.domain.calendar import DAY_MS, MINUTE_MS
from server.domain.errors import Refused
from server.domain.people import Account
from server.domain.self_test import STEPS, Figures, judged, verdict_of, whole
from server.services.context import Context
from server.services.limiting import Attempts
from server.services.probing import Probing
from server.storage import accounts, audit, calendars, self_tests
from server.storage.database import Transaction
from server.storage.ids import new_id
from server.storage.self_tests import LentRoom, SelfTest

LIFE_MS = 10 * MINUTE_MS
"""A test that is not finished by then was given up."""
KEPT_MS = 400 * DAY_MS
SHOWN = 50
LINES = 3
"""So often one test may ask for the relay: a repetition is for a line that broke."""
SITE_LINES = 2
GRACE_S = 10
"""Beside the measuring itself: to connect, and to be done."""


class Lines(Protocol):
    """The media relay for a page alone (`server/runtime/measuring.py`)."""

    async def open(self, life_s: float) -> tuple[str, dict[str, Any]]: ...

    async def answer(self, name: str, peer: str, connection: str, offer_id: str, sdp: str) -> None: ...

    async def close(self, name: str) -> None: ...


class NoLines:
    """There is no media plane."""

    async def open(self, life_s: float) -> tuple[str, dict[str, Any]]:
        raise Refused("not_ready")

    async def answer(self, name: str, peer: str, connection: str, offer_id: str, sdp: str) -> None:
        raise Refused("wrong_state")

    async def close(self, name: str) -> None:
        return None


class SelfTests:
    """`lines` is set by the composition root once the media plane is there."""

    def __init__(self, context: Context, attempts: Attempts, probing: Probing) -> None:
        self._context = context
        self._attempts = attempts
        self._probing = probing
        self.lines: Lines = NoLines()

    async def begin(
        self, account: Account, device: str, address: str, *, away: bool = False
    ) -> dict[str, Any]:
        """`{id, now_ms, line_s, steps}`; one that this account had begun ends unfinished.

        `away`: they are not at the site, so that it says nothing of the site's own rooms.

        Raises Refused `too_many_attempts`.
        """
        await self._attempts.self_test(account.id)
        now_ms = self._context.now_ms()
        test = SelfTest(new_id(), account.site_id, account.id, device, now_ms, away=away)
        async with self._context.database.write() as tx:
            before = await self_tests.under_way(tx, account.id, now_ms - LIFE_MS)
            for other in before:
                await self_tests.put_steps(tx, other.id, other.steps, now_ms, None)
                await self_tests.put_line(tx, other.id, other.lines, 0)
            await self_tests.forget_before(tx, now_ms - KEPT_MS)
            await self_tests.add(tx, test)
            await self._note(tx, "self_test_begun", test, address)
        for other in before:
            await self._let_go(other)
        line_s = self._context.settings.self_test_line_s
        return {"id": test.id, "now_ms": now_ms, "line_s": line_s, "steps": list(STEPS)}

    async def probe(self, account: Account, test_id: str) -> dict[str, Any]:
        """What a page tries its ways with. Raises Refused `not_found`, `not_ready`, `too_many_attempts`."""
        await self._attempts.probe(test_id, account.id)
        await self._own(account, test_id)
        return await self._probing.ways(test_id)

    async def line(self, account: Account, test_id: str) -> dict[str, Any]:
        """The media relay for some seconds: `{offers: {sends, receives}, seconds}`.

        Raises Refused `not_found`, `self_test_site_busy`, `self_test_full`, `not_ready`,
        `too_many_attempts`.
        """
        seconds = self._context.settings.self_test_line_s
        life_s = seconds + GRACE_S
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            test = await self._mine(tx, account, test_id)
            if test.lines >= LINES:
                raise Refused("too_many_attempts", retry_after_s=life_s)
            if await self_tests.lines_in_use(tx, test.site_id, test.id, now_ms) >= SITE_LINES:
                raise Refused("self_test_site_busy", retry_after_s=life_s)
            await self_tests.put_line(tx, test.id, test.lines + 1, now_ms + life_s * 1000)
        await self._let_go(test)
        try:
            name, offers = await self.lines.open(life_s)
        except Refused:
            await self._line_over(test.id, test.lines)
            raise
        room = LentRoom(
            name, {peer: (offer["connection"], offer["offer_id"]) for peer, offer in offers.items()}
        )
        async with self._context.database.write() as tx:
            await self_tests.put_room(tx, test.id, room)
        servers = self._probing.relays_of(test.id)
        return {
            "offers": {peer: {**offer, "ice_servers": servers} for peer, offer in offers.items()},
            "seconds": seconds,
        }

    async def answer(self, account: Account, test_id: str, peer: str, offer_id: str, sdp: str) -> None:
        """Raises Refused `not_found`, `wrong_state`, `bad_request`, `not_ready`."""
        room = (await self._own(account, test_id)).room
        connection, offered = room.offers.get(peer, ("", "")) if room else ("", "")
        if room is None or offered != offer_id:
            raise Refused("wrong_state")
        await self.lines.answer(room.name, peer, connection, offer_id, sdp)

    async def step(
        self, account: Account, test_id: str, step: str, figures: Figures, address: str
    ) -> dict[str, Any]:
        """Judges and keeps one step's figures; the last one ends the test: `{verdict, findings, whole}`.

        A step that is told again takes the place of the one before. Raises Refused `not_found`.
        """
        before = await self._own(account, test_id)
        found = judged(step, figures)
        told: dict[str, Any] = {"verdict": verdict_of(found), "findings": [one.wire() for one in found]}
        if step == "line":
            await self._let_go(before)
        if step == "path" and figures["relay"] is False:
            told["relay_fault"] = await self._probing.relay_fault()
        async with self._context.database.write() as tx:
            test = await self._mine(tx, account, test_id)
            if step == "line":
                await self_tests.put_line(tx, test.id, test.lines, 0)
            steps = {**test.steps, step: {**told, "figures": dict(figures)}}
            verdicts = {name: kept["verdict"] for name, kept in steps.items()}
            ended = verdicts.keys() >= set(STEPS)
            verdict = whole(verdicts) if ended else None
            now_ms = self._context.now_ms()
            await self_tests.put_steps(tx, test.id, steps, now_ms if ended else None, verdict)
            if ended:
                await self._note(tx, "self_test_done", test, address, verdict=verdict or "")
        return {**told, "whole": verdict}

    async def of_site(self, site_id: str) -> dict[str, Any]:
        """`{now_ms, site, rooms, tests}`, newest first. Raises Refused `not_found`."""
        async with self._context.database.read() as tx:
            site = (await accounts.all_sites(tx)).get(site_id)
            if site is None:
                raise Refused("not_found")
            rooms = await calendars.rooms_of(tx, {site_id})
            found = await self_tests.of_site(tx, site_id, SHOWN)
            names = await accounts.names(tx, {test.account_id for test in found})
        return {
            "now_ms": self._context.now_ms(),
            "site": {"id": site.id, "name": site.name, "time_zone": site.time_zone},
            "rooms": [room.name for room in rooms if not room.closed],
            "tests": [_shown(test, names.get(test.account_id, "")) for test in found],
        }

    async def _own(self, account: Account, test_id: str) -> SelfTest:
        async with self._context.database.read() as tx:
            return await self._mine(tx, account, test_id)

    async def _mine(self, tx: Transaction, account: Account, test_id: str) -> SelfTest:
        """Of this account, and under way. Somebody else's looks like none."""
        test = await self_tests.by_id(tx, test_id)
        if test is None or test.account_id != account.id:
            raise Refused("not_found")
        if test.done_ms is not None or test.begun_ms <= self._context.now_ms() - LIFE_MS:
            raise Refused("self_test_over")
        return test

    async def _let_go(self, test: SelfTest) -> None:
        if test.room is not None:
            await self.lines.close(test.room.name)

    async def _line_over(self, test_id: str, lines: int) -> None:
        """It was not given: it does not count."""
        async with self._context.database.write() as tx:
            await self_tests.put_line(tx, test_id, lines, 0)

    async def _note(
        self, tx: Transaction, action: str, test: SelfTest, address: str, **detail: int | str
    ) -> None:
        entry = audit.Entry(
            action, "site", test.site_id, address, account_id=test.account_id, detail={**detail}
        )
        await audit.append(tx, self._context.now_ms(), entry)


def _shown(test: SelfTest, who: str) -> dict[str, Any]:
    return {
        "id": test.id,
        "device": test.device,
        "away": test.away,
        "who": who,
        "begun_ms": test.begun_ms,
        "done_ms": test.done_ms,
        "verdict": test.verdict,
        "steps": test.steps,
    }
