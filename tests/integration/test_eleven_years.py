"""Eleven years by an injected clock: nothing early, nothing held, all that is due in a day, with receipts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from server.domain.errors import Refused
from server.storage import audit, destructions
from server.storage.schema import consents, recordings, seats, sessions
from tests.support.shredding import ADDRESS, Shredding
from tests.support.years import DAY_MS, START, Made, Programme, ms

ELEVEN_YEARS = 11 * 365 + 3
OFFICER = "officer-account-0001"


class Simulation:
    """One run: each day some events, one run of the runner, and a comparison with the oracle."""

    def __init__(self, rig: Shredding, programme: Programme) -> None:
        self.rig, self.programme = rig, programme
        self.gone: set[str] = set()
        self.gone_seats: set[tuple[str, str]] = set()
        self.holds: dict[str, str] = {}
        self.counted = {"held": 0, "lifted": 0, "withdrawn": 0, "deferred": 0, "extended": 0}

    async def day(self, now_ms: int) -> None:
        await self.events(now_ms)
        await self.rig.runner.tick(now_ms)
        async with self.rig.database.read() as tx:
            done = [row for row in await destructions.everything(tx) if row.state == destructions.DONE]
        whole = {row.recording_id for row in done if row.whole}
        parts = {(row.recording_id, row.seat_id) for row in done if not row.whole}
        assert whole == self.programme.must_be_gone(now_ms, self.gone), "early, held, or late"
        assert parts == self.programme.seats_that_must_be_gone(now_ms, self.gone_seats)
        self.gone, self.gone_seats = whole, parts

    async def events(self, now_ms: int) -> None:
        """At most one of each kind a day, by the seed."""
        chance, made = self.programme.random, self.programme.made
        self.rig.now_ms = now_ms
        if not made:
            return
        one = chance.choice(made)
        kept = self.rig.services.retention
        if chance.random() < 0.05 and one.case not in self.holds:
            self.holds[one.case] = (await kept.hold(one.case, "dispute", OFFICER, ADDRESS)).id
            self.programme.held.setdefault(one.case, []).append((now_ms, None))
            self.counted["held"] += 1
        elif chance.random() < 0.04 and self.holds:
            case, hold = chance.choice(sorted(self.holds.items()))
            await kept.lift(hold, "settled", OFFICER, ADDRESS)
            del self.holds[case]
            begun = self.programme.held[case].pop()[0]
            self.programme.held[case].append((begun, now_ms))
            self.counted["lifted"] += 1
        elif chance.random() < 0.06:
            await self.withdraw(one, now_ms)
        elif chance.random() < 0.02 and one.id not in self.gone and not one.extended:
            one.extended = 1
            await kept.extend(one.id, 1, "continued_treatment", OFFICER, ADDRESS)
            self.counted["extended"] += 1

    async def withdraw(self, one: Made, now_ms: int) -> None:
        seat = one.seats[self.programme.random.randrange(2)]
        if seat in one.withdrawn or one.id in self.gone:
            with pytest.raises(Refused, match=r"withdrawn_already|destroyed"):
                await self.rig.services.withdrawals.withdraw(one.id, seat, "consent_withdrawn", seat, ADDRESS)
            return
        await self.rig.services.withdrawals.withdraw(one.id, seat, "consent_withdrawn", seat, ADDRESS)
        one.withdrawn[seat] = now_ms
        self.counted["withdrawn"] += 1
        self.counted["deferred"] += self.programme.is_held(one.case, now_ms)

    async def at_the_end(self) -> None:
        rig, made = self.rig, self.programme.made
        receipts = rig.receipts.all()
        assert not [receipt.faults for receipt in receipts if receipt.faults]
        assert len(receipts) == len(self.gone) + len(self.gone_seats)
        async with rig.database.read() as tx:
            assert {receipt.hash for receipt in receipts} == await audit.hashes_told(tx)
            assert await audit.first_broken(tx) is None
            for table, count in ((sessions, 1), (recordings, 1), (seats, 2), (consents, 2)):
                there = (await tx.execute(select(func.count()).select_from(table))).scalar_one()
                assert there == count * len(made), f"{table.name}: attendance outlives the media"
        for one in made:
            for seat in (*one.seats, "room"):
                gone = one.id in self.gone or (one.id, seat) in self.gone_seats
                assert rig.keys.is_gone(one.id, seat) is gone, (one, seat)
            folder = rig.data / "objects" / "recordings" / one.id / "g1" / "manifest.json"
            assert folder.exists() is (one.id not in self.gone)
        learned = await rig.learn()
        assert (learned.keys, learned.destructions, learned.receipts) == (0, 0, 0)


@pytest.mark.parametrize(
    ("count", "stride"),
    [pytest.param(24, 25, id="coarse"), pytest.param(300, 1, id="every day", marks=pytest.mark.long)],
)
async def test_eleven_years(tmp_path: Path, count: int, stride: int) -> None:
    rig = await Shredding(tmp_path).open()
    programme = Programme(tmp_path, rig.database, rig.keys, count, seed=20271)
    await programme.found()
    coming = sorted(programme.days(), key=lambda pair: pair[1])
    simulation = Simulation(rig, programme)
    run = Run(simulation, coming)
    for day in range(0, ELEVEN_YEARS, stride):
        at_ms = ms(START + timedelta(days=day))
        # with a coarse stride also the day on which something becomes due: to the hour, and not before
        for edge in run.edges(at_ms - stride * DAY_MS, at_ms) if stride > 1 else []:
            await run.until(edge - 1)
            await run.until(edge)
        await run.until(at_ms)
    await simulation.at_the_end()
    print(f"\n{count} recordings, {len(simulation.gone)} expired, {simulation.counted}")  # noqa: T201
    assert simulation.counted["held"] > 2
    assert simulation.counted["withdrawn"] > 2
    assert simulation.gone
    assert len(simulation.gone) < count or count < 100
    await rig.close()


class Run:
    """Moves the clock: sessions that ended by then come first."""

    def __init__(self, simulation: Simulation, coming: list[tuple[int, object]]) -> None:
        self._simulation = simulation
        self._coming = coming

    def edges(self, after_ms: int, until_ms: int) -> list[int]:
        """Instants in between at which a recording's period is over."""
        programme = self._simulation.programme
        return sorted({one.over_ms() for one in programme.made if after_ms < one.over_ms() <= until_ms})

    async def until(self, at_ms: int) -> None:
        while self._coming and ms(self._coming[0][1]) <= at_ms:  # type: ignore[arg-type]
            number, at = self._coming.pop(0)
            await self._simulation.programme.record(number, at)  # type: ignore[arg-type]
        await self._simulation.day(at_ms)
