"""How long a recording is kept: never early anywhere, over within a day everywhere, and held is held."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.config import ConfigError, load_settings
from server.domain import retention as rules
from server.domain.errors import Refused
from server.domain.retention import DAY_MS, Standing, Verdict, kept_until, verdict

ZONES = sorted(available_timezones())
instants = st.integers(0, int(datetime(2080, 1, 1, tzinfo=UTC).timestamp() * 1000))


def local(ms: int, zone: str) -> datetime:
    return datetime.fromtimestamp(ms / 1000, ZoneInfo(zone))


@given(instants, st.integers(1, 20), st.lists(st.sampled_from(ZONES), max_size=3))
def test_nothing_goes_before_its_last_day_is_over_at_every_place(
    ended: int, years: int, zones: list[str]
) -> None:
    until = kept_until(ended, years, zones)
    for zone in zones:
        assert local(until, zone).date() > rules.last_day(local(ended, zone).date(), years)
        assert local(until, zone) >= local(ended, zone)


@given(instants, st.integers(1, 20), st.lists(st.sampled_from(ZONES), max_size=3))
def test_and_no_more_than_two_days_after_the_same_date(ended: int, years: int, zones: list[str]) -> None:
    began = datetime.fromtimestamp(ended / 1000, UTC).date()
    same_date = datetime.combine(rules.last_day(began, years), datetime.min.time(), UTC)
    assert datetime.fromtimestamp(kept_until(ended, years, zones) / 1000, UTC) - same_date <= timedelta(
        days=3
    )


@given(instants, instants, st.integers(1, 20), st.sampled_from(ZONES))
def test_who_ended_earlier_goes_no_later(a: int, b: int, years: int, zone: str) -> None:
    first, second = sorted((a, b))
    assert kept_until(first, years, [zone]) <= kept_until(second, years, [zone])


@given(instants, st.integers(1, 19), st.sampled_from(ZONES))
def test_a_year_more_is_never_shorter(ended: int, years: int, zone: str) -> None:
    assert kept_until(ended, years, [zone]) < kept_until(ended, years + 1, [zone])


def test_a_leap_day_ends_with_the_last_of_february_or_with_itself() -> None:
    assert rules.last_day(date(2028, 2, 29), 5) == date(2033, 2, 28)
    assert rules.last_day(date(2028, 2, 29), 4) == date(2032, 2, 29)
    ended = int(datetime(2028, 2, 29, 3, tzinfo=UTC).timestamp() * 1000)
    assert local(kept_until(ended, 5, ["Asia/Seoul"]), "UTC") == datetime(2033, 3, 1, tzinfo=UTC)


def test_the_later_place_decides() -> None:
    # 23:30 UTC on 1 January: already the 2nd in Seoul, so the 2nd must be over there.
    ended = int(datetime(2026, 1, 1, 23, 30, tzinfo=UTC).timestamp() * 1000)
    until = kept_until(ended, 5, ["Asia/Seoul", "Asia/Almaty"])
    assert local(until, "Asia/Almaty") == datetime(2031, 1, 3, tzinfo=ZoneInfo("Asia/Almaty"))


@given(st.one_of(st.none(), instants), st.booleans(), st.booleans(), instants, st.integers(1, 400))
def test_only_what_is_over_and_not_held_is_due(
    until: int | None, held: bool, gone: bool, now: int, warn: int
) -> None:
    said = verdict(Standing(until, held, gone), now, warn)
    over = until is not None and now >= until
    assert (said is Verdict.DUE) == (over and not held and not gone)
    assert (said is Verdict.HELD) == (over and held and not gone)
    assert (said is Verdict.GONE) == gone
    if said is Verdict.WARNED:
        assert until is not None
        assert until - warn * DAY_MS <= now < until


@given(st.booleans(), st.booleans())
def test_a_destruction_begins_only_after_the_session_and_never_under_hold(ended: bool, held: bool) -> None:
    assert rules.may_begin(session_ended=ended, held=held) == (ended and not held)


def test_every_class_names_its_law_and_the_default_is_one() -> None:
    assert rules.DEFAULT_CLASS in rules.classes()
    assert all(each.years >= 1 and each.law for each in rules.classes().values())
    assert rules.classes()["chart"].years == 10
    assert rules.classes()["findings"].years == 5


def test_a_site_may_keep_longer_but_never_shorter_than_the_law() -> None:
    settings = load_settings(None, retention_years={"chart": 15})
    assert rules.years_of("chart", settings.retention_years) == 15
    assert rules.years_of("findings", settings.retention_years) == 5
    with pytest.raises(ConfigError, match="must be kept 10 to 100 years"):
        load_settings(None, retention_years={"chart": 9})
    with pytest.raises(ConfigError, match="no retention class"):
        load_settings(None, retention_years={"charts": 20})


def test_an_extension_is_given_once_and_at_most_as_long_again() -> None:
    assert rules.checked_extension("chart", 0, 10) == 10
    for already, years, code in ((1, 1, "extension_spent"), (0, 11, "bad_request"), (0, 0, "bad_request")):
        with pytest.raises(Refused) as refused:
            rules.checked_extension("chart", already, years)
        assert refused.value.code == code


def test_a_receipt_tells_the_day_after_the_last_backup_that_held_the_key() -> None:
    assert rules.no_backup_opens_from(1_000, 30) == 1_000 + 30 * DAY_MS
