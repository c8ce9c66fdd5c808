"""Entries that a signed checkpoint saw and that the chain has no more, and who answers for it. Pure.

After an older backup was put back such a gap is right and stays. Acknowledging it is an entry of the chain
that names each checkpoint by its hash, so that whatever is missing beside it is found as before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from server.domain.errors import Refused
from server.domain.glass import checked_reason

AT_ONCE: Final = 64
"""So many checkpoints stand in one entry: it fits a syslog message. A longer gap has several."""
LEAST_WORDS: Final = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where the chain ended at that instant: the newest entry's number and hash."""

    number: int
    hash: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Range:
    """What is lost: the entries after `kept_to` up to `lost_to`, written after `from_ms` until `to_ms`.

    `to_ms` is when the last of those checkpoints was signed: what was written later is lost as well, unseen.
    """

    kept_to: int
    lost_to: int
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Gap:
    """As it was acknowledged. `lost`: the checkpoints' hashes. `reason`: words, from a table of its own."""

    id: str
    account_id: str
    made_ms: int
    range: Range
    lost: frozenset[str]
    reason: str = field(default="", repr=False)


def unanswered(lost: Iterable[Checkpoint], gaps: Iterable[Gap]) -> list[Checkpoint]:
    """Those that nobody has answered for, the oldest first."""
    known = {each for gap in gaps for each in gap.lost}
    return sorted((one for one in lost if one.hash not in known), key=lambda one: (one.at_ms, one.number))


def range_of(lost: Sequence[Checkpoint], kept_to: int, kept_ms: int) -> Range:
    """`kept_to`, `kept_ms`: the newest entry that is older than the first of them."""
    return Range(kept_to, max(one.number for one in lost), kept_ms, max(one.at_ms for one in lost))


def details(range_: Range, lost: Sequence[Checkpoint], digest: str) -> list[dict[str, int | str]]:
    """What the chain says of it, one for each entry: numbers and hashes. `digest`: of the words."""
    about: dict[str, int | str] = {
        "kept_to": range_.kept_to,
        "lost_to": range_.lost_to,
        "from_ms": range_.from_ms,
        "to_ms": range_.to_ms,
        "sha256": digest,
    }
    hashes = [one.hash for one in lost]
    return [{**about, "lost": " ".join(hashes[at : at + AT_ONCE])} for at in range(0, len(hashes), AT_ONCE)]


def told_of(id_: str, account_id: str, made_ms: int, found: Sequence[Mapping[str, Any]]) -> Gap | None:
    """A gap from its entries' details; None where they are not those of one."""
    try:
        first = found[0]
        numbers = [int(first[name]) for name in ("kept_to", "lost_to", "from_ms", "to_ms")]
        lost = frozenset(each for one in found for each in str(one["lost"]).split())
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    return Gap(id_, account_id, made_ms, Range(*numbers), lost)


def checked_words(text: str) -> str:
    """Raises Refused `gap_reason`."""
    try:
        return checked_reason(text, LEAST_WORDS)
    except Refused:
        raise Refused("gap_reason", words=LEAST_WORDS) from None
