"""Holidays of the countries that take part, checked against days that everybody there knows."""

from __future__ import annotations

from datetime import date

import pytest

from server.services.public_holidays import is_known, public_holidays

#: Fixed in law, or published: the Korean ones of 2026 by the Ministry, Nauryz, Navruz, Naadam, Nooruz.
DAYS = {
    "KR": ["2026-02-17", "2026-03-02", "2026-05-05", "2026-09-25", "2026-10-09", "2027-02-08"],
    "KZ": ["2026-01-07", "2026-03-21", "2026-03-23", "2026-12-16", "2027-03-15"],
    "UZ": ["2026-03-21", "2026-09-01", "2026-12-08"],
    "MN": ["2026-07-11", "2026-12-29"],
    "KG": ["2026-03-21", "2026-08-31"],
    "RU": ["2026-01-01", "2026-05-09"],
    "AE": ["2026-12-02"],
}


@pytest.mark.parametrize("country", sorted(DAYS))
def test_days_that_everybody_there_has_free_are_known(country: str) -> None:
    assert is_known(country)
    found = public_holidays(country, (2026, 2027))
    missing = [day for day in DAYS[country] if date.fromisoformat(day) not in found]
    assert not missing
    assert date(2026, 11, 24) not in found, "a plain Tuesday"


def test_a_country_that_is_not_known_has_none_and_says_so() -> None:
    for country in ("XX", "", "kr"):
        assert not is_known(country)
        assert public_holidays(country, (2026,)) == frozenset()
