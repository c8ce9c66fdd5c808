"""When a journal may go: the truth that finished tracks were made of is kept unless the policy says so.

Pure: `now` is an argument. It must not look at a disk; whoever acts on it verifies first, and asks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What the books say of a recording. `verified_ms`: when its newest generation was read back."""

    state: str
    generation: int
    epochs_finalised: int
    epoch: int
    ended_ms: int | None
    verified_ms: int
    chain: str
    failed_tracks: int
    held: bool


def kept_because(of: Standing, keep_days: int | None, now_ms: int) -> str | None:
    """Why the journal stays, None when it may go. Codes: policy, session_open, not_finalised, chain_…,
    tracks_failed, held, not_yet.
    """
    if keep_days is None:
        return "policy"
    if of.held:
        return "held"
    if of.ended_ms is None:
        return "session_open"
    if of.state != "ready" or not of.generation or of.epochs_finalised < of.epoch:
        return "not_finalised"
    if of.chain != "intact":
        return f"chain_{of.chain}"
    if of.failed_tracks:
        return "tracks_failed"
    if now_ms < max(of.verified_ms, of.ended_ms) + keep_days * DAY_MS:
        return "not_yet"
    return None
