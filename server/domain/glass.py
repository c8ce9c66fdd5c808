"""Break-glass: one patient's cases read for a while by who does not stand to them, and why. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from server.domain.errors import Refused

LONGEST_REASON: Final = 1_000
MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Glass:
    """One breaking. `patient_id`: of the case then, whose other cases are open with it."""

    id: str
    account_id: str
    case_id: str
    patient_id: str | None
    reason: str = field(repr=False)
    opened_ms: int
    until_ms: int
    ended_ms: int | None = None

    def over_ms(self) -> int:
        """When it ended, or will."""
        return self.until_ms if self.ended_ms is None else min(self.until_ms, self.ended_ms)

    def is_open(self, now_ms: int) -> bool:
        return self.opened_ms <= now_ms < self.over_ms()

    def opens(self, case_id: str, patient_id: str | None) -> bool:
        return case_id == self.case_id or (patient_id is not None and patient_id == self.patient_id)


def checked_reason(text: str, least_words: int) -> str:
    """Raises Refused `glass_reason` with how many words are wanted: real ones, not the same one again."""
    words = text.split()
    different = {word.casefold() for word in words if any(letter.isalpha() for letter in word)}
    if len(different) < least_words or len(text) > LONGEST_REASON:
        raise Refused("glass_reason", words=least_words)
    return " ".join(words)
