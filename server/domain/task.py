"""What needs somebody now besides the turn of a case (`life.py`): why, since when, by when. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from server.domain.calendar import DAY_MS
from server.domain.person_consent import DECLINED, GRANTED, WITHDRAWN, Given, state_of

WHYS: Final = (
    "declined", "consents", "consent_refused", "hour_passed", "mail_refused",
    "document_confirm", "document_quarantined",
    "licence", "licence_expired", "own_licence", "own_licence_ends", "invited",
    "audit_review", "flags",
)  # fmt: skip
NEAR_MS: Final = 36 * 3_600_000
"""A coordinator chases what is missing from the day before on."""
AHEAD_MS: Final = 14 * DAY_MS
"""A site is reminded of what its next hours lack."""
PASSED_MS: Final = 60 * DAY_MS
"""So long an hour that nobody came to stays somebody's task."""
LICENCE_ENDS_MS: Final = 30 * DAY_MS
INVITED_MS: Final = 3 * DAY_MS
"""So long an invitation is nobody's trouble."""
REVIEW_WITHIN_MS: Final = 14 * DAY_MS
#: Without these nobody talks about the patient at all; the others only decide what is recorded.
NEEDED_TO_TALK: Final = frozenset({"consultation", "transfer_abroad"})


@dataclass(frozen=True, slots=True)
class Task:
    """`case`: its id, `label` what it is called aloud. `about`, `name`: of the person with an account whom it
    concerns. `begins`: the hour it is about, on every place's clock. `lacking`: purposes of consents.
    `reason`: why somebody cannot come."""

    why: str
    since_ms: int | None = None
    due_ms: int | None = None
    case: str = ""
    label: str = ""
    about: str = ""
    name: str = field(default="", repr=False)
    count: int = 1
    lacking: Sequence[str] = ()
    begins: Sequence[Mapping[str, Any]] = ()
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def unanswered(
    purposes: Sequence[str], given: Mapping[str, Given], recipients: Sequence[str]
) -> tuple[str, tuple[str, ...]] | None:
    """(why, purposes) of what a patient has still to be asked, or has refused; None: nothing.

    A no to being recorded is an answer and nobody's task; a no to the consultation is one.
    """
    states = {one: state_of(given.get(one), recipients) for one in purposes}
    refused = tuple(one for one in purposes if one in NEEDED_TO_TALK and states[one] in (DECLINED, WITHDRAWN))
    if refused:
        return "consent_refused", refused
    open_ones = tuple(one for one in purposes if states[one] not in (GRANTED, DECLINED, WITHDRAWN))
    return ("consents", open_ones) if open_ones else None


def month_before(now_ms: int) -> str:
    """`2026-10` all through November, in UTC as the monthly reviews are."""
    first = datetime.fromtimestamp(now_ms / 1000, UTC).replace(day=1)
    return (first - timedelta(days=1)).strftime("%Y-%m")
