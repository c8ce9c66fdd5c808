"""Which mails an agreed hour needs, when reminders are due, when to try again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from server.domain.calendar import DAY_MS, MINUTE_MS

INVITATION, MOVED, CANCELLED = "invitation", "moved", "cancelled"
DECLINED = "declined"
"""To coordinators: somebody cannot come. Once for each state of an hour; the worklist says who and why."""
#: The longest before first, as instants: where a clock is changed meanwhile, an hour more or less.
REMINDERS: Final = (("reminder_3d", 3 * DAY_MS), ("reminder_1d", DAY_MS), ("reminder_1h", 60 * MINUTE_MS))
WAITING, SENT, STALE, REFUSED = "waiting", "sent", "stale", "refused"
FIRST_RETRY_MS: Final = MINUTE_MS
LAST_RETRY_MS: Final = 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Mail:
    """What one person is to be told of one hour. Its words are made when it is sent, in their language."""

    id: str
    account_id: str
    consultation_id: str
    kind: str
    sequence: int
    starts_at_ms: int
    ends_at_ms: int
    attempts: int
    made_ms: int

    @property
    def has_calendar(self) -> bool:
        return self.kind in (INVITATION, MOVED, CANCELLED)


def reminder_due(starts_at_ms: int, agreed_ms: int, now_ms: int) -> str | None:
    """The newest reminder whose time has come since the hour was agreed; older ones are overtaken by it.

    An hour agreed two days before is not reminded of as if it were in three.
    """
    if now_ms >= starts_at_ms:
        return None
    due = [kind for kind, before in REMINDERS if agreed_ms < starts_at_ms - before <= now_ms]
    return due[-1] if due else None


def retry_at(attempts: int, now_ms: int) -> int:
    """After so many failures: a minute, two, four … an hour. It is given up only when the hour is past."""
    return now_ms + min(FIRST_RETRY_MS << min(attempts - 1, 16), LAST_RETRY_MS)
