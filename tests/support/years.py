"""A programme over years without media: cases, sessions, holds, withdrawals by a seed, and its own oracle.

The oracle reckons periods and holds by itself, from what was done, and never asks the rules under test.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from server.domain.case import Case
from server.domain.consent_text import newest, text_of
from server.domain.consultation import Consultation, Seat
from server.domain.people import Site
from server.domain.person_consent import GRANTED, Given, Places
from server.domain.retention import TEACHING
from server.runtime.keystore import KeyStore
from server.storage import accounts, cases, consultations, person_consents, retentions
from server.storage.database import Database
from server.storage.schema import consents, recordings, sessions

ZONES = ("Asia/Almaty", "Asia/Seoul")
YEARS = {"chart": 10, "findings": 5, "consultation": 5, "teaching": 2}
DAY_MS = 86_400_000
START = datetime(2027, 6, 1, 3, tzinfo=UTC)
LEAP = datetime(2028, 2, 29, 4, tzinfo=UTC)


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@dataclass
class Made:
    """A recording of the simulation as the oracle knows it."""

    id: str
    case: str
    ended_ms: int
    klass: str
    extended: int = 0
    withdrawn: dict[str, int] = field(default_factory=dict)

    @property
    def seats(self) -> tuple[str, str]:
        return f"{self.id}-aa", f"{self.id}-bb"

    def over_ms(self) -> int:
        """The first instant after the last day at each place."""
        ends = []
        for zone in (*ZONES, "UTC"):
            there = datetime.fromtimestamp(self.ended_ms / 1000, ZoneInfo(zone)).date()
            year = there.year + YEARS[self.klass] + self.extended
            try:
                last = there.replace(year=year)
            except ValueError:
                last = date(year, 2, 28)
            after = last + timedelta(days=1)
            ends.append(ms(datetime(after.year, after.month, after.day, tzinfo=ZoneInfo(zone))))
        return max(ends)


def agreed(case: str) -> Given:
    """The patient's yes to teaching, without which no recording is kept in that class."""
    text = text_of(TEACHING, newest(TEACHING), "ru")
    places = Places("S0", (), (), 5, ())
    return Given(
        f"agreed-{case}", case, TEACHING, GRANTED, text.version, "ru", text.sha256, places, "typed",
        "patient", "S", "", "", "", "", "", ms(START),
    )  # fmt: skip


class Programme:
    """The books' rows, fake objects and real keys of `count` recordings, and what was done to them."""

    def __init__(self, data: Path, database: Database, keys: KeyStore, count: int, seed: int) -> None:
        self.data = data
        self._database = database
        self._keys = keys
        self.random = random.Random(seed)
        self.made: list[Made] = []
        self.held: dict[str, list[tuple[int, int | None]]] = {}
        self._count = count
        self._cases = [f"case-simulated-{number:04d}" for number in range(max(3, count // 4))]

    async def found(self) -> None:
        """Two sites, the cases."""
        async with self._database.write() as tx:
            for number, zone in enumerate(ZONES):
                await accounts.add_site(tx, Site(f"site-simulated-{number:03d}", f"S{number}", zone, "XX"))
            for case in self._cases:
                patient: dict[str, object] = {"synthetic": True}
                await cases.add_case(
                    tx, Case(case, case, "site-simulated-000", "x", "x", patient, "open", ms(START))
                )
                await person_consents.add(tx, agreed(case))

    def days(self) -> Iterator[tuple[int, datetime]]:
        """When each ends: half in the first two years, others as cases reopen, some on a leap day."""
        for number in range(self._count):
            if number % 7 == 0:
                yield number, LEAP + timedelta(minutes=number)
            else:
                span = 2 * 365 if number % 2 else 8 * 365
                yield number, START + timedelta(minutes=self.random.randrange(span * 1440))

    async def record(self, number: int, at: datetime) -> Made:
        """A session that ended then, its keys, and something that lies there."""
        case = self.random.choice(self._cases)
        one = Made(f"rec-simulated-{number:06d}", case, ms(at), self.random.choice(sorted(YEARS)))
        consultation = f"con-simulated-{number:06d}"
        async with self._database.write() as tx:
            await consultations.add_consultation(
                tx, Consultation(consultation, case, "ended", one.ended_ms, one.ended_ms, one.ended_ms)
            )
            for place, seat in enumerate(one.seats):
                await consultations.add_seat(
                    tx,
                    Seat(
                        seat,
                        consultation,
                        "interpreter",
                        "S",
                        "ru",
                        f"site-simulated-{place:03d}",
                        None,
                        "dead",
                    ),
                    place,
                    f"{number:060d}{place:04d}",
                )
                grant = {"id": f"grant-{seat}", "consultation_id": consultation, "seat_id": seat}
                await tx.execute(
                    insert(consents).values(
                        purpose="recording", decision="granted", persons=["S"], version="1", language="ru",
                        at_ms=one.ended_ms - 1, **grant,
                    )
                )  # fmt: skip
            times = {
                "started_ms": one.ended_ms - 60_000,
                "emptied_ms": one.ended_ms,
                "ended_ms": one.ended_ms,
            }
            row = {"id": one.id, "consultation_id": consultation, "epoch": 1, "end_reason": "ended"}
            await tx.execute(insert(sessions).values(**row, **times))
            state = {"state": "ready", "generation": 1, "epochs_finalised": 1, "updated_ms": one.ended_ms}
            await tx.execute(insert(recordings).values(id=one.id, **state))
            await retentions.put(tx, one.id, one.klass, 0, None)
        for seat in (*one.seats, "room"):
            self._keys.seat_key(one.id, seat)
        self._lay(one)
        self.made.append(one)
        return one

    def _lay(self, one: Made) -> None:
        folder = self.data / "objects" / "recordings" / one.id / "g1"
        folder.mkdir(parents=True)
        for seat in one.seats:
            (folder / f"{seat}-audio.webm.sealed").write_bytes(b"sealed")
        (folder / "manifest.json").write_bytes(b"{}")
        journal = self.data / "journal" / one.id / "1"
        journal.mkdir(parents=True)
        (journal / "room.0001.seg").write_bytes(b"sealed")

    # --- the oracle ----------------------------------------------------------------------------------

    def is_held(self, case: str, at_ms: int) -> bool:
        return any(begin <= at_ms and (end is None or at_ms < end) for begin, end in self.held.get(case, []))

    def must_be_gone(self, now_ms: int, gone: set[str]) -> set[str]:
        """Recordings that are over and whose case is not held at this instant, or went before."""
        return {
            one.id
            for one in self.made
            if one.id in gone or (now_ms >= one.over_ms() and not self.is_held(one.case, now_ms))
        }

    def seats_that_must_be_gone(self, now_ms: int, gone: set[tuple[str, str]]) -> set[tuple[str, str]]:
        return {
            (one.id, seat)
            for one in self.made
            for seat in one.withdrawn
            if (one.id, seat) in gone or not self.is_held(one.case, now_ms)
        }
