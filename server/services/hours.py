"""Interpreters' hours as a table for whoever pays them: a row for each day, person and session."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from server.domain.errors import Refused
from server.domain.hours import by_day, local, minutes, presence
from server.domain.spreadsheet import guarded
from server.services.context import Context
from server.storage import accounts, audit
from server.storage import presence as sittings
from server.storage.database import Transaction

COLUMNS = (
    "date",
    "time_zone",
    "interpreter",
    "account",
    "site",
    "languages",
    "case",
    "session",
    "from",
    "to",
    "minutes",
)
MAX_DAYS = 400


@dataclass(frozen=True, slots=True)
class Row:
    """What one interpreter worked on one local day in one session. `account`: an address, or empty."""

    date: str
    time_zone: str
    interpreter: str = field(repr=False)
    account: str
    site: str
    languages: str
    case: str
    session: str
    from_: str
    to: str
    minutes: float


class Hours:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def between(self, first: date, last: date, zone: ZoneInfo | None = None) -> list[Row]:
        """Days from `first` to `last`, both included, in `zone`: without one, each in their own site's.

        Raises Refused `bad_request` for days in the wrong order, more than 400 of them, or at the calendar's
        ends.
        """
        if not 0 <= (last - first).days < MAX_DAYS:
            raise Refused("bad_request")
        async with self._context.database.read() as tx:
            return await self._rows(tx, first, last, zone)

    async def exported(
        self, first: date, last: date, zone: ZoneInfo | None, account: str, address: str
    ) -> str:
        """As CSV; that it was asked for is audited. Raises Refused `bad_request`."""
        rows = await self.between(first, last, zone)
        entry = audit.Entry(
            action="hours_exported",
            subject_type="hours",
            subject_id=f"{first.isoformat()}_{last.isoformat()}",
            address=address,
            account_id=account,
            detail={"rows": len(rows)},
        )
        async with self._context.database.write() as tx:
            await audit.append(tx, self._context.now_ms(), entry)
        return as_csv(rows)

    async def _rows(self, tx: Transaction, first: date, last: date, zone: ZoneInfo | None) -> list[Row]:
        try:  # a day of any zone lies within the day before and the day after it in UTC
            begin, end = _utc_ms(first - timedelta(days=1)), _utc_ms(last + timedelta(days=2))
        except OverflowError:  # before the year 1 or after 9999
            raise Refused("bad_request") from None
        sites = await accounts.all_sites(tx)
        found: list[Row] = []
        for sat in await sittings.interpreters_between(tx, begin, end):
            site = sites[sat.site_id]
            at = zone or ZoneInfo(site.time_zone)
            notes = await sittings.notes_of(tx, sat.session_id)
            spans = presence(notes, sat.seat_id, None if sat.ended else self._context.now_ms())
            for day, parts in by_day(spans, at).items():
                if not first.isoformat() <= day <= last.isoformat():
                    continue
                found.append(
                    Row(
                        date=day,
                        time_zone=str(at),
                        interpreter=sat.name,
                        account=sat.email or "",
                        site=site.name,
                        languages=sat.language,
                        case=sat.case_label,
                        session=sat.session_id,
                        from_=local(parts[0][0], at),
                        to=local(parts[-1][1], at),
                        minutes=minutes(parts),
                    )
                )
        return sorted(found, key=lambda row: (row.date, row.interpreter, row.from_))


def asked(first: str, last: str, zone: str | None) -> tuple[date, date, ZoneInfo | None]:
    """Days and a zone as somebody wrote them. Raises Refused `bad_request`."""
    try:
        days = date.fromisoformat(first), date.fromisoformat(last)
        return *days, None if zone is None else ZoneInfo(zone)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        raise Refused("bad_request") from None


def as_csv(rows: Sequence[Row]) -> str:
    """With a head line; no cell that a spreadsheet would take for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([guarded(str(getattr(row, "from_" if name == "from" else name))) for name in COLUMNS])
    return out.getvalue()


def _utc_ms(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
