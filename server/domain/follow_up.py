"""Whether the patient in a recording may be seen and heard by whoever reviews it for the follow-up. Pure.

What a patient says to `follow_up_review` is said about every lane of the seats where they sit. It closes
those lanes, it destroys nothing, and a later yes opens them again. Who looks for the consultation itself is
not asked (`Action.RECORDING_CONSULT`); until when that is so is `is_over`. Reasons: docs/decisions/0035.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from server.domain.life import State
from server.domain.person_consent import DECLINED, GRANTED, WITHDRAWN

PURPOSE: Final = "follow_up_review"
REFUSED, UNASKED = "follow_up_refused", "follow_up_unasked"
#: Legal bases under which a patient's silence closes: the patient is treated from afar, and has to want it.
ASKED_FIRST: Final = frozenset({"direct_care"})
#: Once a case stands here, what was said in its consultations is looked at again.
FOLLOWED: Final = frozenset({State.FOLLOW_UP, State.REVIEW, State.OUTCOME, State.CLOSED, State.REOPENED})
#: Where it stands meanwhile, a consulting physician treats the patient, however long ago they talked.
TREATED: Final = frozenset({State.IN_KOREA})
#: So long after the talk at most its consulting physicians still work on it.
CONSULTATION_DAYS: Final = 30
DAY_MS: Final = 86_400_000


def is_over(case_state: str, ended_ms: int | None, now_ms: int) -> bool:
    """Whether looking at a session that ended then is part of its consultation no more."""
    if case_state in FOLLOWED:
        return True
    if case_state in TREATED or ended_ms is None:
        return False
    return now_ms >= ended_ms + CONSULTATION_DAYS * DAY_MS


def withheld(said: str, bases: Collection[str]) -> str | None:
    """Why the patient's lanes are kept back, by how the patient's word stands (`person_consent.state_of`)
    and by the legal bases of the session's pairs of sites; None: they are not."""
    if said in (DECLINED, WITHDRAWN):
        return REFUSED
    if said != GRANTED and not ASKED_FIRST.isdisjoint(bases):
        return UNASKED
    return None
