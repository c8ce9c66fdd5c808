"""How an interpreter opens a session: what is confirmed once, and why something may be left out.

It blocks nothing: a consultation goes on whatever is open here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: In the order in which they are done. `hearing`: the interpreter hears everybody.
STEPS: Final = ("introduction", "hearing", "identity", "languages", "confidentiality")
SKIP_REASONS: Final = ("emergency", "done_before", "no_time", "other")
DONE, SKIPPED = "done", "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one interpreter in one session. `reason` only of a skipped one."""

    session_id: str
    seat_id: str
    step: str
    outcome: str  # done | skipped
    reason: str | None
    at_ms: int


def counts(before: Step | None, outcome: str) -> bool:
    """Whether this is news: what was skipped may still be done, what is done stays done."""
    return before is None or (before.outcome == SKIPPED and outcome == DONE)
