"""Public holidays of a country, from the `holidays` package: the only place that knows it.

A country it does not know has none here, and `is_known` says so: whoever schedules is told to look. A holiday
is a day without work even where a government moves the work to a Saturday: hours are never extended.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import holidays as package

CODE = re.compile(r"[A-Z]{2}")


def is_known(country: str) -> bool:
    """`country`: ISO 3166-1 alpha-2."""
    return _of_year(country, 2026) is not None


@lru_cache(maxsize=512)
def _of_year(country: str, year: int) -> frozenset[date] | None:
    if not CODE.fullmatch(country):
        return None
    try:
        return frozenset(package.country_holidays(country, years=year))
    except NotImplementedError:
        return None


def public_holidays(country: str, years: Iterable[int]) -> frozenset[date]:
    """Local dates without work; empty for a country that is not known."""
    found = [_of_year(country, year) or frozenset[date]() for year in years]
    return frozenset[date]().union(*found)
