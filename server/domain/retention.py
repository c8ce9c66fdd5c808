"""How long a recording is kept, and when it may or must go. Pure: `now` and time zones are arguments.

The clock starts at the end of the session, whatever becomes of the case: the date that is shown is the
date that holds. Years are counted as the Korean Civil Act does (articles 157, 160): the first day is not
counted, the period ends with the end of the day of the same number in the last month, or of that month's
last day (29 February). It ends only when that day is over at every place that took part. A legal hold stops
everything, consent withdrawn included; what it stopped goes when it is lifted.
"""

from __future__ import annotations

import calendar
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from server.domain.errors import Refused

DAY_MS: Final = 86_400_000
DEFAULT_CLASS: Final = "consultation"
#: Only with the patient's consent: `teaching.py`.
TEACHING: Final = "teaching"
MAX_YEARS: Final = 100
#: How long before its end a recording stands in the warning list.
WARN_DAYS: Final = 90

#: Why a case is under hold or no more, why somebody withdrew: codes, so that nobody writes of a person.
HOLD_REASONS: Final = ("dispute", "complaint", "authority", "incident")
LIFT_REASONS: Final = ("settled", "mistake")
WITHDRAWAL_REASONS: Final = ("consent_withdrawn", "recorded_by_mistake")
CLASS_REASONS: Final = ("mistake", "content", "authority")
EXTENSION_REASONS: Final = ("continued_treatment",)


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """A kind of recording: for how many years at least, and by which rule."""

    name: str
    years: int
    law: str


@cache
def classes() -> Mapping[str, RetentionClass]:
    """The classes by name, as `retention_classes.toml` has them."""
    text = resources.files("server.domain").joinpath("retention_classes.toml").read_text(encoding="utf-8")
    return {
        name: RetentionClass(name, int(row["years"]), str(row["law"]))
        for name, row in tomllib.loads(text).items()
    }


def class_of(name: str) -> RetentionClass:
    """Raises Refused `bad_request` for an unknown class."""
    found = classes().get(name)
    if found is None:
        raise Refused("bad_request")
    return found


def years_of(name: str, configured: Mapping[str, int]) -> int:
    """The years a class is kept here: the site's own, never fewer than the class's."""
    least = class_of(name).years
    return max(least, configured.get(name, least))


def checked_years(configured: Mapping[str, int]) -> list[str]:
    """A sentence for every setting that is no class or shorter than the law; empty when all is well."""
    wrong = []
    for name, years in configured.items():
        known = classes().get(name)
        if known is None:
            wrong.append(f"{name!r} is no retention class ({', '.join(sorted(classes()))})")
        elif not known.years <= years <= MAX_YEARS:
            wrong.append(f"{name!r} must be kept {known.years} to {MAX_YEARS} years")
    return wrong


def last_day(day: date, years: int) -> date:
    """The day with whose end a period of years that began on `day` is over (Civil Act, article 160)."""
    year = day.year + years
    return date(year, day.month, min(day.day, calendar.monthrange(year, day.month)[1]))


def zone_of(name: str) -> tzinfo:
    """A place's zone; an unknown one counts as UTC."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def kept_until(ended_ms: int, years: int, zones: Iterable[str]) -> int:
    """The first instant at which the recording may go: its last day is over at every one of the places."""
    ends = []
    for zone in {zone_of(name) for name in (*zones, "UTC")}:
        began = datetime.fromtimestamp(ended_ms / 1000, zone).date()
        after = last_day(began, years) + timedelta(days=1)
        ends.append(int(datetime(after.year, after.month, after.day, tzinfo=zone).timestamp() * 1000))
    return max(ends)


def checked_extension(name: str, already: int, years: int) -> int:
    """Years added for continued treatment: once, at most the class's own period (article 15 (1), proviso).

    Raises Refused `extension_spent` or `bad_request`.
    """
    if already:
        raise Refused("extension_spent")
    if not 1 <= years <= class_of(name).years:
        raise Refused("bad_request")
    return years


class Verdict(StrEnum):
    """What the rules say of a recording now."""

    RUNNING = "running"  # its session has not ended
    KEPT = "kept"
    WARNED = "warned"  # its end is near
    HELD = "held"  # it would be due, but the case is under hold
    DUE = "due"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a recording stands. `kept_until_ms` is None while its session runs."""

    kept_until_ms: int | None
    held: bool
    gone: bool


def verdict(standing: Standing, now_ms: int, warn_days: int = WARN_DAYS) -> Verdict:
    if standing.gone:
        return Verdict.GONE
    if standing.kept_until_ms is None:
        return Verdict.RUNNING
    if now_ms >= standing.kept_until_ms:
        return Verdict.HELD if standing.held else Verdict.DUE
    near = now_ms >= standing.kept_until_ms - warn_days * DAY_MS
    return Verdict.WARNED if near else Verdict.KEPT


def is_overdue(standing: Standing, now_ms: int) -> bool:
    """Due for more than a day: whoever should have seen to it has not run."""
    late = standing.kept_until_ms is not None and now_ms >= standing.kept_until_ms + DAY_MS
    return late and verdict(standing, now_ms) is Verdict.DUE


def may_begin(*, session_ended: bool, held: bool) -> bool:
    """Whether a destruction that was asked for may be carried out now."""
    return session_ended and not held


def no_backup_opens_from(destroyed_ms: int, backup_days: int) -> int:
    """From when no backup of the key store holds the key any more."""
    return destroyed_ms + backup_days * DAY_MS
