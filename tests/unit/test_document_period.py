"""Until when a case's documents are kept, and what a withdrawn transfer abroad reaches and closes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.document_period import (
    GRACE_DAYS,
    CaseFacts,
    abroad_until_ms,
    is_closed,
    is_kept,
    until_ms,
    was_abroad,
)
from server.domain.documents import Side, State
from server.domain.retention import DAY_MS
from tests.unit.test_documents import ALSO, OPINION, PEOPLE, READY

ZONES = ("Asia/Almaty", "Asia/Seoul")


def ms(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc,arg-type]


CASE = CaseFacts("case", ms(2026, 11, 26, 3), False, False, None, None)


def test_the_period_is_counted_in_years_of_days_at_every_place() -> None:
    assert until_ms(CASE, 5, ZONES) == ms(2031, 11, 27)
    assert until_ms(CASE, 5, ("America/New_York",)) == ms(2031, 11, 27)
    late = replace(CASE, last_ms=ms(2026, 11, 26, 20))  # the 27th in Almaty and Seoul
    assert until_ms(late, 5, ZONES) == ms(2031, 11, 27, 19), "Almaty's day ends last"
    assert until_ms(replace(CASE, last_ms=ms(2028, 2, 29)), 5, ()) == ms(2033, 3, 1)


def test_no_recording_outlives_the_documents_of_its_case() -> None:
    longer = ms(2040, 1, 1)
    assert until_ms(replace(CASE, recordings_until_ms=longer), 5, ZONES) == longer
    assert until_ms(replace(CASE, recordings_until_ms=ms(2027, 1, 1)), 5, ZONES) == ms(2031, 11, 27)


def test_nothing_is_over_while_a_session_runs() -> None:
    assert until_ms(replace(CASE, running=True), 5, ZONES) is None
    assert abroad_until_ms(replace(CASE, running=True, withdrawn_ms=1)) is None


def test_a_withdrawn_transfer_ends_what_nobody_has_acted_on_within_the_five_days_of_the_guidelines() -> None:
    taken = replace(CASE, withdrawn_ms=1000)
    assert abroad_until_ms(taken) == 1000 + GRACE_DAYS * DAY_MS
    assert GRACE_DAYS < 5, "an object store may be away for a day"
    assert abroad_until_ms(replace(taken, acted_on=True)) is None
    assert abroad_until_ms(CASE) is None


def test_a_withdrawal_reaches_what_others_could_see_then() -> None:
    there = replace(READY, complete_ms=500)
    assert was_abroad(there, (), 1000)
    assert was_abroad(replace(there, visibility="site"), (READY.id,), 1000), "a referral went out with it"
    assert not was_abroad(replace(there, visibility="site"), (), 1000)
    assert not was_abroad(replace(there, complete_ms=1001), (), 1000), "brought afterwards"
    assert not was_abroad(replace(OPINION, complete_ms=500), (), 1000), "the hospital's own"


def test_a_withdrawn_transfer_closes_to_all_but_the_referring_site_and_who_broke_the_glass() -> None:
    closed = {name for name, one in (PEOPLE | ALSO).items() if is_closed(one, READY)}
    assert closed == {"kp", "rv", "kc", "in", "elsewhere", "colleague", "busan", "stranger"}
    assert not any(is_closed(one, OPINION) for one in (PEOPLE | ALSO).values())


@pytest.mark.parametrize("state", State)
def test_what_is_gone_or_will_go_by_itself_is_not_kept(state: State) -> None:
    one = replace(READY, state=state)
    gone = (State.UPLOADING, State.REFUSED, State.ENDED, State.EXPIRED, State.CANCELLED)
    assert is_kept(one) == (state not in gone)
    assert not is_kept(replace(one, destroy=True))
    assert not is_kept(replace(one, destroyed_ms=1))
    assert one.side is Side.REFERRING


@given(
    last=st.integers(ms(2024, 1, 1), ms(2035, 1, 1)),
    more=st.integers(0, 10 * 365 * DAY_MS),
    years=st.integers(1, 30),
    recorded=st.none() | st.integers(ms(2024, 1, 1), ms(2060, 1, 1)),
)
def test_later_events_and_longer_recordings_never_shorten_a_period(
    last: int, more: int, years: int, recorded: int | None
) -> None:
    facts = replace(CASE, last_ms=last, recordings_until_ms=recorded)
    until = until_ms(facts, years, ZONES)
    assert until is not None
    assert until >= last + years * 365 * DAY_MS
    later = until_ms(replace(facts, last_ms=last + more), years, ZONES)
    assert later is not None
    assert later >= until >= (recorded or 0)
