"""Windows, chairs, consent, sessions, refusals: the pure rules."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.consent import (
    CONSENT_VERSION,
    MAX_NAME,
    Consent,
    checked_persons,
    clean_name,
    decision_of,
    grant_of,
)
from server.domain.consultation import (
    DEAD,
    RECENT_SEAT_MS,
    UNUSED,
    Consultation,
    Seat,
    chair_ranks,
    effective_state,
    is_joinable,
    is_recent,
    require_joinable,
    require_link_alive,
    state_after_session,
)
from server.domain.errors import STATUS_BY_CODE, Refused, message_id
from server.domain.people import AccountSession, normalised_email, session_is_live
from server.domain.session import Session, continues
from server.i18n import LANGUAGES, text

C = Consultation("c", "case", "scheduled", starts_at_ms=1_000, opens_at_ms=500, closes_at_ms=2_000)


def seat(name: str, role: str, link: str = UNUSED) -> Seat:
    return Seat(name, "c", role, name, "ru", "site", None, link)


@pytest.mark.parametrize(("now", "open_"), [(499, False), (500, True), (1_999, True), (2_000, False)])
def test_a_window_opens_and_closes_at_its_instants(now: int, open_: bool) -> None:
    assert is_joinable(C, now) is open_


def test_a_seat_counts_from_its_booking_and_afterwards_for_a_month_only_where_somebody_sat() -> None:
    live, over = replace(C, state="live"), replace(C, state="ended", ended_ms=1_500)
    for booked in (C, live, replace(C, starts_at_ms=10**12, opens_at_ms=10**12, closes_at_ms=10**12 + 1)):
        assert is_recent(booked, False, 1)
    assert is_recent(live, False, 10**12), "it still runs"
    for sat in (True, False):
        assert is_recent(over, sat, 1_500) is sat
        assert is_recent(over, sat, 1_499 + RECENT_SEAT_MS) is sat
        assert not is_recent(over, sat, 1_500 + RECENT_SEAT_MS)
    run_dry = 2_000 + RECENT_SEAT_MS  # nobody ended it: its window did
    assert (is_recent(C, True, run_dry - 1), is_recent(C, True, run_dry)) == (True, False)
    assert not is_recent(C, False, 2_000)
    assert not is_recent(replace(C, state="cancelled", ended_ms=1), False, 2)


def test_a_live_consultation_lets_people_return_after_its_window() -> None:
    live = replace(C, state="live")
    assert is_joinable(live, 9_999)
    assert effective_state(live, 9_999) == "live"


@pytest.mark.parametrize("state", ["ended", "cancelled"])
def test_nobody_joins_what_is_over(state: str) -> None:
    with pytest.raises(Refused) as refused:
        require_joinable(replace(C, state=state), 600)
    assert refused.value.code == "ended"


def test_too_early_says_when_it_opens() -> None:
    with pytest.raises(Refused) as refused:
        require_joinable(C, 0)
    assert (refused.value.code, refused.value.facts) == ("not_open", {"opens_at_ms": 500})


def test_links_die_with_the_window_the_state_and_by_themselves() -> None:
    require_link_alive(C, seat("a", "interpreter"), 600)
    for consultation, link, now in (
        (C, UNUSED, 2_000),
        (replace(C, state="ended"), UNUSED, 600),
        (C, DEAD, 600),
    ):
        with pytest.raises(Refused) as refused:
            require_link_alive(consultation, seat("a", "interpreter", link), now)
        assert refused.value.code == "link_dead"


def test_the_first_consulting_physician_chairs_and_an_interpreter_never() -> None:
    seats = [
        seat("lp", "referring_physician"),
        seat("kp1", "consulting_physician"),
        seat("in", "interpreter"),
        seat("kp2", "consulting_physician"),
    ]
    assert chair_ranks(seats) == {"kp1": 0, "kp2": 1, "lp": 2, "in": None}


@pytest.mark.parametrize(
    ("reason", "now", "after"),
    [
        ("ended", 600, "ended"),
        ("cancelled", 600, "cancelled"),
        ("emptied", 600, "scheduled"),
        ("emptied", 2_000, "ended"),
    ],
)
def test_where_a_consultation_stands_after_a_session(reason: str, now: int, after: str) -> None:
    assert state_after_session(replace(C, state="live"), reason, now) == after


def test_what_is_over_stays_over() -> None:
    assert state_after_session(replace(C, state="cancelled"), "emptied", 600) == "cancelled"


def test_a_session_continues_within_the_grace() -> None:
    session = Session("s", "c", 1, started_ms=0, emptied_ms=1_000, ended_ms=None)
    assert continues(session, 600_999, 600_000)
    assert not continues(session, 601_000, 600_000)
    assert continues(replace(session, emptied_ms=None), 10**9, 600_000)
    assert not continues(replace(session, ended_ms=1), 2, 600_000)


CONSENT = Consent("grant", "c", "seat", "granted", ("A",), CONSENT_VERSION, "ru", 1)


def test_only_a_grant_of_todays_text_is_a_grant() -> None:
    assert grant_of(CONSENT) == "grant"
    assert grant_of(None) is None
    assert grant_of(replace(CONSENT, decision="declined")) is None
    assert grant_of(replace(CONSENT, version="older")) is None
    assert (decision_of(None), decision_of(CONSENT)) == ("undecided", "granted")


def test_names_of_nothing_but_spaces_are_nobody() -> None:
    with pytest.raises(Refused) as refused:
        checked_persons("granted", ["  ", "\u202e"], CONSENT_VERSION)
    assert refused.value.code == "consent_missing"
    assert checked_persons("declined", [], CONSENT_VERSION) == ()


@given(st.text(max_size=300))
def test_a_clean_name_is_short_single_spaced_and_stays_clean(name: str) -> None:
    cleaned = clean_name(name)
    assert len(cleaned) <= MAX_NAME
    assert cleaned == cleaned.strip()
    assert "  " not in cleaned
    assert not any(ch in cleaned for ch in "\n\r\t\x00\u202a\u202e\u2066")
    assert clean_name(cleaned) == cleaned


def test_names_keep_their_letters() -> None:
    for name in ("Әлия Қожа", "김데모", "O'Neill-Ng", "Нұрғүл"):
        assert clean_name(name) == name


def test_an_account_session_ends_by_age_and_by_revocation() -> None:
    session = AccountSession("s", "a", created_ms=0, last_seen_ms=0, revoked_ms=None, agent="")
    assert session_is_live(session, 99, 100)
    assert not session_is_live(session, 100, 100)
    assert not session_is_live(replace(session, revoked_ms=5), 6, 100)


def test_addresses_are_one_whatever_their_case() -> None:
    assert normalised_email("  Doctor@Example.KZ ") == "doctor@example.kz"


def test_a_code_without_a_row_cannot_be_raised() -> None:
    with pytest.raises(ValueError, match="no row"):
        Refused("made_up")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", sorted(STATUS_BY_CODE))
def test_every_refusal_has_a_sentence_in_every_language(language: str, code: str) -> None:
    assert text(language, message_id(code)) != message_id(code)
