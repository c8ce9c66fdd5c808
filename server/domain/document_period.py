"""How long the documents of a case are kept, and what becomes of those that may no longer be abroad. Pure.

They follow their case. It has no end of its own that would start a clock once, so the clock starts anew with
whatever happens in it last: a move of the case, a version of the referral, a session, a document; then come
the years of one class (`retention.py`), and no recording of the case outlives its documents. Nothing is over
while a session runs.

A patient who takes back (or refuses) the consent to the transfer abroad closes what the referring site
brought to everybody else at once. Where nobody abroad has acted on it, in a room or in writing, it is
destroyed `GRACE_DAYS` later, unless they have agreed again: well within the five days of the standard
guidelines on personal information (article 10 (1)). Where somebody has, it is part of what a hospital must
keep (Medical Service Act, enforcement rule, article 15): closed, until the case's period is over.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from server.domain.documents import BRINGS, Document, Side, State, Viewer
from server.domain.permissions import Relation
from server.domain.retention import DAY_MS, kept_until

GRACE_DAYS: Final = 3
EXPIRED, WITHDRAWN = "expired", "withdrawn"  # causes, as of recordings
#: States of which something is kept, and which nothing else ends.
KEPT: Final = frozenset({State.CHECKING, State.CONFIRM, State.READY, State.QUARANTINED, State.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What has happened in a case. `recordings_until_ms`: the latest end of its recordings' periods;
    `withdrawn_ms`: since when the transfer abroad is no longer agreed to, after the newest decision.
    """

    case_id: str
    last_ms: int
    running: bool
    acted_on: bool  # there was a session, or a written answer
    recordings_until_ms: int | None
    withdrawn_ms: int | None


def is_kept(document: Document) -> bool:
    return document.state in KEPT and document.destroyed_ms is None and not document.destroy


def until_ms(facts: CaseFacts, years: int, zones: Collection[str]) -> int | None:
    """The first instant at which all documents of the case may go; None while a session runs."""
    if facts.running:
        return None
    return max(kept_until(facts.last_ms, years, zones), facts.recordings_until_ms or 0)


def abroad_until_ms(facts: CaseFacts) -> int | None:
    """When what was sent abroad goes because the consent to it did; None: not for that."""
    if facts.withdrawn_ms is None or facts.acted_on or facts.running:
        return None
    return facts.withdrawn_ms + GRACE_DAYS * DAY_MS


def was_abroad(document: Document, cited: Collection[str], withdrawn_ms: int) -> bool:
    """Whether a withdrawal at that instant reaches it: the referring site's, and others could see it then."""
    shown = document.visibility != "site" or document.id in cited
    there = document.complete_ms is not None and document.complete_ms <= withdrawn_ms
    return document.side is Side.REFERRING and shown and there


def is_closed(viewer: Viewer, document: Document) -> bool:
    """Whether a withdrawn transfer closes it to them: to all but its site, and whoever broke the glass."""
    at_home = viewer.among(BRINGS[Side.REFERRING])
    glass = Relation.BREAK_GLASS in viewer.relations
    return document.side is Side.REFERRING and not at_home and not glass
