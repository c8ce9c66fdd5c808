"""Removes journals that the policy lets go, here and in the object store, and only what is proven spare.

Order: the books' standing allows it → journal, signed manifest and every track are verified anew, from where
they lie → in one transaction the standing is asked again, and the journal counts as gone → copies and files
go → done. Killed anywhere, the next run goes on; from the third step on nobody takes what is left for a
journal. It must not touch a recording of which a single check did not hold.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from media.recordstore import layout
from server.domain.journal import Standing, kept_because
from server.runtime.bucket import Bucket, ObjectError
from server.runtime.keystore import fsync_directory
from server.runtime.tasks import describe
from server.storage.journals import Journals
from server.storage.recordings import RecordingRow, Recordings

log = logging.getLogger("hyeopjin.runtime.cleaner")

SPARE = ("note", "crash")
"""Verdicts of faults that do not speak against the finished tracks (`recordings verify`)."""

Report = Callable[[RecordingRow], Awaitable[dict[str, Any]]]


class JournalCleaner:
    """`run` now and then. `report` is `recordings verify` of a recording; `keep_days` None: keep for ever."""

    def __init__(
        self,
        rows: Recordings,
        journals: Journals,
        bucket: Bucket | None,
        journal_root: Path,
        report: Report,
        keep_days: int | None,
        now_ms: Callable[[], int],
    ) -> None:
        self._rows = rows
        self._journals = journals
        self._bucket = bucket
        self._root = journal_root
        self._report = report
        self._keep_days = keep_days
        self._now_ms = now_ms

    async def run(self) -> dict[str, str]:
        """Go on with what was begun, then with what may go. Recording -> why it stays, or `cleaned`."""
        told: dict[str, str] = {}
        for cleaning in await self._journals.under_way():
            told[cleaning.recording] = await self._guarded(self._remove(cleaning.recording))
        cleaned = await self._journals.cleaned()
        for row in await self._rows.all():
            if row.id not in cleaned:
                told[row.id] = await self._guarded(self._clean(row))
        return told

    async def look(self) -> dict[str, str]:
        """The same by the books alone: nothing is verified, nothing goes."""
        cleaned = await self._journals.cleaned()
        return {
            row.id: "cleaned" if row.id in cleaned else (await self._kept_because(row) or "may_go")
            for row in await self._rows.all()
        }

    async def _guarded(self, work: Awaitable[str]) -> str:
        try:
            return await work
        except ObjectError as error:
            log.warning("a journal could not be cleaned: %s", error.code)
            return error.code
        except Exception as error:
            log.error("cleaning a journal failed: %s", describe(error))
            return "failed"

    async def _kept_because(self, row: RecordingRow) -> str | None:
        return kept_because(
            standing_of(row, await self._journals.held(row.id)), self._keep_days, self._now_ms()
        )

    async def _clean(self, row: RecordingRow) -> str:
        reason = await self._kept_because(row)
        if reason is not None:
            return reason
        reason = unproven(await self._report(row))
        if reason is not None:
            log.warning("a journal that might go stays: %s", reason)
            return reason

        def still(now: RecordingRow, held: bool) -> bool:
            same = (now.generation, now.epoch) == (row.generation, row.epoch)
            return same and kept_because(standing_of(now, held), self._keep_days, self._now_ms()) is None

        if not await self._journals.begin_cleaning_if(row.id, row.generation, self._now_ms(), still):
            return "changed_meanwhile"
        return await self._remove(row.id)

    async def _remove(self, recording: str) -> str:
        """Idempotent."""
        if self._bucket is None and await self._journals.copies(recording):
            return "store_not_configured"  # its copies would be left for ever
        await remove_journal(self._bucket, self._root, recording)
        await self._journals.end_cleaning(recording, self._now_ms())
        log.info("a journal was cleaned away after its tracks were verified")
        return "cleaned"


async def remove_journal(bucket: Bucket | None, root: Path, recording: str) -> None:
    """Copies first: they can be listed only while the books know where they are. Idempotent.

    The books must already say that this journal is going (`Journals.begin_cleaning`).
    """
    if bucket is not None:
        await bucket.delete(*await asyncio.to_thread(copies_in, bucket, recording))
    await asyncio.to_thread(_remove_tree, root / layout.check_id(recording))


def copies_in(bucket: Bucket, recording: str) -> list[str]:
    """Where a journal's segments lie in the object store. Blocking."""
    return [entry.path for entry in bucket.listing(f"journal/{recording}")]


def _remove_tree(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
        fsync_directory(path.parent)


def standing_of(row: RecordingRow, held: bool) -> Standing:
    """What the rule asks of a row. A ready row was last touched when its generation was committed."""
    index = row.index or {}
    return Standing(
        state=row.state,
        generation=row.generation,
        epochs_finalised=row.epochs_finalised,
        epoch=row.epoch,
        ended_ms=row.ended_ms,
        verified_ms=row.updated_ms,
        chain=str(index.get("chain")),
        failed_tracks=len(index.get("failed", [])),
        held=held,
    )


def unproven(report: dict[str, Any]) -> str | None:
    """Why a verification does not prove that the journal is spare, None when it does."""
    if report["chain"] != "intact":
        return f"verify_{report['chain']}"
    checked = report["checked"]
    if not checked["journal"]:
        return "journal_missing"
    if not checked["manifest"] or checked["keyless"]:
        return "verify_incomplete"
    if any(fault["verdict"] not in SPARE for fault in report["faults"]):
        return "verify_faults"
    committed = [each for each in report["generations"] if each["state"] == "committed"]
    if len(committed) != 1 or committed[0]["read_back"] != committed[0]["tracks"]:
        return "not_read_back"
    return None
