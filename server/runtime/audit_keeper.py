"""Tells the audit again outside of its database: signed checkpoints, and every entry to a syslog collector.

It decides nothing and changes no entry. What was not told when this process dies is told at the next start;
a collector may hear an entry twice, never not at all (by UDP as far as UDP goes).
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from urllib.parse import urlsplit

from media.recordstore import dsse
from server.config import Settings
from server.domain.audit_gap import Checkpoint
from server.domain.syslog import message
from server.runtime import checkpoints
from server.runtime.syslog_target import SyslogTarget
from server.runtime.tasks import TaskOwner, describe
from server.services.context import Context
from server.storage import audit, audit_trail
from server.storage.audit_trail import Written

log = logging.getLogger("hyeopjin.runtime.audit_keeper")

LOOK_EVERY_S = 2.0
BATCH = 200
SYSLOG_MARK = "syslog"


def places(settings: Settings) -> list[Path]:
    """Where checkpoints lie."""
    second = settings.audit.second_place
    return [settings.audit_dir, *([second] if second else [])]


def as_syslog(row: Written, settings: Settings) -> bytes:
    """One entry for a collector: ids, codes, hashes."""
    one = row.entry
    facts = {
        "id": row.id, "account": one.account_id, "seat": one.seat_id, "address": one.address,
        "patient": one.patient_id, "case": one.case_id, "object": f"{one.subject_type}/{one.subject_id}",
        **{f"d.{name}": value for name, value in one.detail.items()},
        "hash": row.hash, "previous": row.prev_hash,
    }  # fmt: skip
    host = urlsplit(settings.public_url).hostname or "-"
    return message(row.at_ms, one.action, facts, host, settings.audit.syslog_enterprise)


class AuditKeeper:
    """Order: construct, `start`, …, `stop`, which writes a last checkpoint."""

    def __init__(self, context: Context, signing_key: bytes) -> None:
        self._context = context
        self._signing_key = signing_key
        self._verify_key = dsse.public_key(signing_key)
        self._owner = TaskOwner("audit")
        self._told: Checkpoint | None = None
        settings = context.settings.audit
        self._target = SyslogTarget(settings) if settings.syslog else None
        self.behind = 0  # entries that the collector has not taken
        self.second_place_away = False

    async def start(self) -> None:
        self._owner.spawn(self._loop(), "keeper")

    async def stop(self) -> None:
        await self._owner.close()
        try:
            await self.checkpoint(at_once=True)
        except Exception as error:
            log.error("the last checkpoint was not written: %s", describe(error))
        if self._target is not None:
            await self._target.close()

    async def checkpoint(self, *, at_once: bool = False) -> bool:
        """Writes one when there is something new and the last is old enough; whether it did."""
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:
            number, newest = await audit.newest(tx)
        last = self._told
        if number == 0 or (last is not None and last.hash == newest):
            return False
        if not at_once and last and now_ms - last.at_ms < self._context.settings.audit.checkpoint_s * 1000:
            return False
        point = Checkpoint(number, newest, now_ms)
        home, *second = places(self._context.settings)
        await self._put(home, point)
        self._told = point
        for place in second:
            try:
                await self._put(place, point)
                self.second_place_away = False
            except OSError as error:
                self.second_place_away = True
                log.error("a checkpoint was not written to the second place: %s", describe(error))
        return True

    async def _put(self, place: Path, point: Checkpoint) -> None:
        """Never over one that saw entries which are not there any more. Raises OSError."""
        held = await asyncio.to_thread(checkpoints.of_day, place, point.at_ms, self._verify_key)
        if held is not None:
            async with self._context.database.read() as tx:
                follows = await audit.hash_at(tx, held.number) == held.hash
            if not follows:
                log.error(
                    "entry %d of the audit is gone or another: run `hyeopjin audit verify`", held.number
                )
                await asyncio.to_thread(checkpoints.set_aside, place, held)
        await asyncio.to_thread(checkpoints.put, place, point, self._signing_key)

    async def forward(self) -> int:
        """Sends what the collector has not heard; how many. Raises OSError."""
        assert self._target is not None  # noqa: S101 - asked for only then
        sent = 0
        while True:
            async with self._context.database.read() as tx:
                mark = await audit_trail.mark(tx, SYSLOG_MARK) or 0
                rows = await audit_trail.next_after(tx, mark, BATCH)
                self.behind = (await audit.newest(tx))[0] - mark
            if not rows:
                return sent
            await self._target.send([as_syslog(row, self._context.settings) for row in rows])
            async with self._context.database.write() as tx:
                await audit_trail.set_mark(tx, SYSLOG_MARK, rows[-1].id)
            sent += len(rows)
            self.behind -= len(rows)

    async def metrics(self) -> dict[str, float]:
        now_ms = self._context.now_ms()
        age_ms = 0 if self._told is None else now_ms - self._told.at_ms
        return {
            "hyeopjin_audit_checkpoint_age_seconds": age_ms / 1000,
            "hyeopjin_audit_second_place_away": float(self.second_place_away),
            "hyeopjin_audit_syslog_behind": float(self.behind),
        }

    async def _loop(self) -> None:
        while True:
            try:
                await self.checkpoint()
                if self._target is not None:
                    await self.forward()
            except Exception as error:
                log.error("the audit was not told again: %s", describe(error))
            await asyncio.sleep(LOOK_EVERY_S)
