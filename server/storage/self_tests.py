"""Sites' self-tests: who made one where and when, and its figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from server.domain.site_ready import Checked
from server.storage.database import Transaction
from server.storage.schema_self_tests import self_tests


@dataclass(frozen=True, slots=True)
class LentRoom:
    """A room of the media relay. `offers`: peer → (connection, offer) that it waits for an answer to."""

    name: str
    offers: dict[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SelfTest:
    """`steps`: step → {verdict, figures, findings}. `verdict` None: it is not finished."""

    id: str
    site_id: str
    account_id: str
    device: str = field(repr=False)
    begun_ms: int
    done_ms: int | None = None
    verdict: str | None = None
    steps: dict[str, Any] = field(default_factory=dict)
    lines: int = 0
    away: bool = False
    room: LentRoom | None = None


async def add(tx: Transaction, test: SelfTest) -> None:
    await tx.execute(
        insert(self_tests).values(
            id=test.id,
            site_id=test.site_id,
            account_id=test.account_id,
            device=test.device,
            away=test.away,
            begun_ms=test.begun_ms,
            steps={},
            lines=0,
            line_until_ms=0,
        )
    )


async def by_id(tx: Transaction, test_id: str) -> SelfTest | None:
    row = (await tx.execute(select(self_tests).where(self_tests.c.id == test_id))).one_or_none()
    return None if row is None else _test(row)


async def put_steps(
    tx: Transaction, test_id: str, steps: dict[str, Any], done_ms: int | None, verdict: str | None
) -> None:
    await tx.execute(
        update(self_tests)
        .where(self_tests.c.id == test_id)
        .values(steps=steps, done_ms=done_ms, verdict=verdict)
    )


async def put_line(tx: Transaction, test_id: str, lines: int, until_ms: int) -> None:
    """How often it asked, and until when it may be on the relay; the room it had is its no more."""
    values = {"lines": lines, "line_until_ms": until_ms, "room": None}
    await tx.execute(update(self_tests).where(self_tests.c.id == test_id).values(values))


async def put_room(tx: Transaction, test_id: str, room: LentRoom) -> None:
    kept = {"name": room.name, "offers": {peer: list(offer) for peer, offer in room.offers.items()}}
    await tx.execute(update(self_tests).where(self_tests.c.id == test_id).values(room=kept))


async def lines_in_use(tx: Transaction, site_id: str, but: str, now_ms: int) -> int:
    """Of this site's other tests, how many may be on the media relay now."""
    query = select(func.count()).where(
        self_tests.c.site_id == site_id, self_tests.c.id != but, self_tests.c.line_until_ms > now_ms
    )
    return int((await tx.execute(query)).scalar_one())


async def of_site(tx: Transaction, site_id: str, limit: int) -> list[SelfTest]:
    """Newest first."""
    query = (
        select(self_tests)
        .where(self_tests.c.site_id == site_id)
        .order_by(self_tests.c.begun_ms.desc(), self_tests.c.id)
        .limit(limit)
    )
    return [_test(row) for row in await tx.execute(query)]


async def under_way(tx: Transaction, account_id: str, since_ms: int) -> list[SelfTest]:
    """An account's that have neither ended nor grown old."""
    query = select(self_tests).where(
        self_tests.c.account_id == account_id,
        self_tests.c.done_ms.is_(None),
        self_tests.c.begun_ms >= since_ms,
    )
    return [_test(row) for row in await tx.execute(query)]


async def since(tx: Transaction, site_ids: Iterable[str], since_ms: int) -> dict[str, list[Checked]]:
    """Of each of these sites: those begun since then, and the last one before."""
    wanted = set(site_ids)
    last = (
        select(self_tests.c.site_id, func.max(self_tests.c.begun_ms).label("begun_ms"))
        .where(self_tests.c.site_id.in_(wanted))
        .group_by(self_tests.c.site_id)
        .subquery()
    )
    columns = (
        self_tests.c[name] for name in ("site_id", "device", "account_id", "begun_ms", "verdict", "away")
    )
    query = (
        select(*columns)
        .join(last, self_tests.c.site_id == last.c.site_id)
        .where((self_tests.c.begun_ms >= since_ms) | (self_tests.c.begun_ms == last.c.begun_ms))
    )
    found: dict[str, list[Checked]] = {site_id: [] for site_id in wanted}
    for row in await tx.execute(query):
        checked = Checked(row.device, row.account_id, row.begun_ms, row.verdict, row.away)
        found[row.site_id].append(checked)
    return found


async def forget_before(tx: Transaction, before_ms: int) -> None:
    await tx.execute(delete(self_tests).where(self_tests.c.begun_ms < before_ms))


def _test(row: Row[Any]) -> SelfTest:
    return SelfTest(
        id=row.id,
        site_id=row.site_id,
        account_id=row.account_id,
        device=row.device,
        begun_ms=row.begun_ms,
        done_ms=row.done_ms,
        verdict=row.verdict,
        steps=dict(row.steps),
        lines=row.lines,
        away=row.away,
        room=None if row.room is None else _room(row.room),
    )


def _room(kept: dict[str, Any]) -> LentRoom:
    return LentRoom(kept["name"], {peer: (told[0], told[1]) for peer, told in kept["offers"].items()})
