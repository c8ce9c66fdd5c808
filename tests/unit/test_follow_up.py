"""Whose word closes a patient's lanes to the follow-up, and until when a look belongs to the consultation."""

from __future__ import annotations

import pytest

from server.domain.follow_up import CONSULTATION_DAYS, DAY_MS, REFUSED, UNASKED, is_over, withheld
from server.domain.life import State
from server.domain.site_policy import LEGAL_BASES

UNSAID = ("undecided", "outdated", "unwitnessed")
LIMIT_MS = CONSULTATION_DAYS * DAY_MS


@pytest.mark.parametrize("basis", LEGAL_BASES)
def test_a_patients_no_closes_and_their_yes_opens_whatever_the_legal_basis(basis: str) -> None:
    assert withheld("declined", {basis}) == withheld("withdrawn", {basis}) == REFUSED
    assert withheld("granted", {basis}) is None


@pytest.mark.parametrize("said", UNSAID)
def test_a_patient_who_said_nothing_that_counts_is_kept_back_only_where_they_must_be_asked_first(
    said: str,
) -> None:
    assert withheld(said, {"medical_personnel", "demonstration"}) is None
    assert withheld(said, ()) is None, "a case that nobody was asked to join yet"
    assert withheld(said, {"medical_personnel", "direct_care"}) == UNASKED, "the strictest of several"


def test_a_look_belongs_to_the_consultation_for_its_days_and_never_once_the_case_is_followed() -> None:
    assert not is_over("ended", 0, LIMIT_MS - 1)
    assert is_over("ended", 0, LIMIT_MS)
    assert not is_over("live", None, LIMIT_MS), "a session that has not ended"
    assert not is_over(State.IN_KOREA, 0, 10 * LIMIT_MS), "who is treated now is not followed from afar"
    for state in (State.FOLLOW_UP, State.REVIEW, State.OUTCOME, State.CLOSED, State.REOPENED):
        assert is_over(state, 0, 1), state
