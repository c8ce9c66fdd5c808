"""What the books know of journals: confirmed copies of segments, and journals that were cleaned away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.storage import audit, holds
from server.storage.database import Database
from server.storage.recordings import RecordingRow, recording_in
from server.storage.schema import journal_cleanings, segment_copies


@dataclass(frozen=True, slots=True)
class SegmentCopy:
    """A segment that the object store has given back as it is here. `sha256` of the whole file."""

    epoch: int
    segment: str
    size: int
    sha256: str
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Cleaning:
    """A journal on its way out, or gone (`done`). `generation` is what had been read back before."""

    recording: str
    generation: int
    done: bool


class Journals:
    """The repository. Every method is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_copy(self, recording: str, copy: SegmentCopy) -> bool:
        """Note a confirmed copy; a second time says nothing new. False: the journal is being cleaned away."""
        key = (
            segment_copies.c.recording_id == recording,
            segment_copies.c.epoch == copy.epoch,
            segment_copies.c.segment == copy.segment,
        )
        going = select(func.count()).where(journal_cleanings.c.recording_id == recording)
        async with self._database.write() as tx:
            if (await tx.execute(going)).scalar_one():
                return False
            if (await tx.execute(select(func.count()).where(*key))).scalar_one():
                return True
            await tx.execute(
                insert(segment_copies).values(
                    recording_id=recording,
                    epoch=copy.epoch,
                    segment=copy.segment,
                    size=copy.size,
                    sha256=copy.sha256,
                    at_ms=copy.at_ms,
                )
            )
        return True

    async def copies(self, recording: str) -> list[SegmentCopy]:
        """Confirmed copies, by epoch and name."""
        query = (
            select(segment_copies)
            .where(segment_copies.c.recording_id == recording)
            .order_by(segment_copies.c.epoch, segment_copies.c.segment)
        )
        async with self._database.read() as connection:
            found = (await connection.execute(query)).all()
        return [SegmentCopy(row.epoch, row.segment, row.size, row.sha256, row.at_ms) for row in found]

    async def cleaning(self, recording: str) -> Cleaning | None:
        """Whether this journal is going or gone."""
        query = select(journal_cleanings).where(journal_cleanings.c.recording_id == recording)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else Cleaning(recording, row.generation, row.done_ms is not None)

    async def under_way(self) -> list[Cleaning]:
        """Cleanings that were begun and not finished."""
        query = select(journal_cleanings).where(journal_cleanings.c.done_ms.is_(None))
        async with self._database.read() as connection:
            found = (await connection.execute(query)).all()
        return [Cleaning(row.recording_id, row.generation, False) for row in found]

    async def cleaned(self) -> set[str]:
        """Recordings whose journal is going or gone."""
        async with self._database.read() as connection:
            found = (await connection.execute(select(journal_cleanings.c.recording_id))).all()
        return {row.recording_id for row in found}

    async def held(self, recording: str) -> bool:
        """Whether a legal hold stands on the recording's case."""
        async with self._database.read() as tx:
            return await holds.recording_is_held(tx, recording)

    async def begin_cleaning(self, recording: str, generation: int, now_ms: int) -> None:
        """From now on the journal counts as gone; for whoever has asked and noted already why it goes."""
        async with self._database.write() as tx:
            await self._begin(tx, recording, generation, now_ms)

    async def begin_cleaning_if(
        self, recording: str, generation: int, now_ms: int, still: Callable[[RecordingRow, bool], bool]
    ) -> bool:
        """The same by the policy, if `still(row, held)` says so within the transaction; audited."""
        async with self._database.write() as tx:
            row = await recording_in(tx, recording)
            if row is None or not still(row, await holds.recording_is_held(tx, recording)):
                return False
            await self._begin(tx, recording, generation, now_ms)
            entry = audit.Entry(
                "journal_cleaned", "recording", recording, "", case_id=row.case_id,
                detail={"generation": generation},
            )  # fmt: skip
            await audit.append(tx, now_ms, entry)
        return True

    @staticmethod
    async def _begin(tx: AsyncConnection, recording: str, generation: int, now_ms: int) -> None:
        values = {"recording_id": recording, "generation": generation, "began_ms": now_ms}
        await tx.execute(insert(journal_cleanings).values(values))

    async def end_cleaning(self, recording: str, now_ms: int) -> None:
        """Nothing of it is left, here or in the object store."""
        async with self._database.write() as tx:
            await tx.execute(delete(segment_copies).where(segment_copies.c.recording_id == recording))
            await tx.execute(
                update(journal_cleanings)
                .where(journal_cleanings.c.recording_id == recording)
                .values(done_ms=now_ms)
            )
