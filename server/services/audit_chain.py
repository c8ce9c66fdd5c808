"""Whether the audit is whole: each entry, its end against every signed checkpoint, and gaps that are known.

It changes nothing but by `acknowledge`, which is an entry itself. Checkpoints lie in files, which
`server/runtime/checkpoints.py` reads.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from server.domain.audit_gap import Checkpoint, Gap, checked_words, details, range_of, unanswered
from server.domain.errors import Refused
from server.domain.trail import GAP_ACKNOWLEDGED
from server.runtime import checkpoints
from server.services.context import Context
from server.storage import accounts, audit, audit_gaps
from server.storage.database import Transaction
from server.storage.ids import new_id


@dataclass(slots=True)
class Verdict:
    """`broken`: the first entry that does not follow. `missing_after`: the chain ends before a checkpoint
    that nobody has answered for, or goes on otherwise. `gaps`: those that somebody has.
    """

    entries: int = 0
    broken: int | None = None
    missing_after: int | None = None
    checkpoint_ms: int | None = None
    checkpoints: int = 0
    newest_ms: int | None = None
    unsigned: list[str] = field(default_factory=list)
    guarded: bool = True
    gaps: list[dict[str, Any]] = field(default_factory=list)
    lost: str = ""  # what somebody acknowledges who has seen this


class AuditChain:
    """`verify_key` and `places` are set by whoever has the key store: without, there are no checkpoints."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._checking = asyncio.Lock()
        self.verify_key = b""
        self.places: Sequence[Path] = ()

    async def verdict(self, *, whole: bool) -> Verdict:
        """`whole`: every entry is hashed again, which takes a while; else the end alone is looked at."""
        points, unsigned = await asyncio.to_thread(self._read)
        async with self._checking, self._context.database.read() as tx:
            made = Verdict(checkpoints=len(points), unsigned=unsigned)
            made.broken = await audit.first_broken(tx) if whole else None
            made.entries = (await audit.newest(tx))[0]
            made.guarded = await audit.is_guarded(tx)
            made.newest_ms = max((one.at_ms for one in points), default=None)
            gaps = await audit_gaps.every(tx)
            made.gaps = await _told(tx, gaps)
            missing = unanswered(await _lost(tx, points), gaps)
            if missing:
                made.missing_after = (await _kept(tx, missing))[0]
                made.checkpoint_ms, made.lost = missing[0].at_ms, _digest(missing)
        return made

    async def acknowledge(self, lost: str, reason: str, account_id: str, address: str) -> Gap:
        """Answers for what a `verdict` called `lost`. The caller has looked whether this account may.

        Raises Refused `gap_reason`; `audit_broken`: an entry was changed, which nobody can answer for;
        `audit_whole`: nothing is missing; `gap_changed`: more or less is missing than they saw.
        """
        words = checked_words(reason)
        async with self._checking, self._context.database.read() as tx:
            if await audit.first_broken(tx) is not None:
                raise Refused("audit_broken")
        points, _ = await asyncio.to_thread(self._read)
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            missing = unanswered(await _lost(tx, points), await audit_gaps.every(tx))
            if not missing:
                raise Refused("audit_whole")
            if _digest(missing) != lost:
                raise Refused("gap_changed")
            gone = range_of(missing, *await _kept(tx, missing))
            gap = Gap(new_id(), account_id, now_ms, gone, frozenset(one.hash for one in missing), words)
            await audit_gaps.add_words(tx, gap.id, words)
            for detail in details(gone, missing, hashlib.sha256(words.encode()).hexdigest()):
                entry = audit.Entry(
                    GAP_ACKNOWLEDGED, "audit_gap", gap.id, address, account_id=account_id, detail=detail
                )
                await audit.append(tx, now_ms, entry)
        return gap

    def _read(self) -> tuple[list[Checkpoint], list[str]]:
        """Those of all places, each once; and the names of files that are none of ours."""
        points: dict[Checkpoint, None] = {}
        unsigned = []
        for path in checkpoints.files(self.places):
            try:
                points[checkpoints.read(path, self.verify_key)] = None
            except checkpoints.CheckpointError:
                unsigned.append(path.name)
        return list(points), unsigned


async def _lost(tx: Transaction, points: Sequence[Checkpoint]) -> list[Checkpoint]:
    """Those that saw an entry which is not there, or is another."""
    present = await audit_gaps.hashes_at(tx, {one.number for one in points})
    return [one for one in points if present.get(one.number) != one.hash]


async def _kept(tx: Transaction, missing: Sequence[Checkpoint]) -> tuple[int, int]:
    """The newest entry that the lost ones came after, as far as instants tell: number and instant."""
    first = missing[0]
    return await audit_gaps.last_before(tx, first.at_ms, first.number)


async def _told(tx: Transaction, gaps: Sequence[Gap]) -> list[dict[str, Any]]:
    names = await accounts.names(tx, {gap.account_id for gap in gaps})
    return [
        {
            "id": gap.id,
            "name": names.get(gap.account_id, ""),
            "made_ms": gap.made_ms,
            "reason": gap.reason,
            **asdict(gap.range),
        }
        for gap in gaps
    ]


def _digest(missing: Sequence[Checkpoint]) -> str:
    return hashlib.sha256(" ".join(sorted(one.hash for one in missing)).encode()).hexdigest()
