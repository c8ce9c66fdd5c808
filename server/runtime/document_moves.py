"""Moves finished documents to the object store, where one is set up, and tries again while it is away.

The disk is the queue: what is finished by the books and still lies here is to go. A store that does not
answer is asked again after half a minute, then after twice as long each time, up to a quarter of an hour; one
document that it refuses does not stop the others. Meanwhile everything is read from here. It must not decide
what is finished, nor remove what the store has not confirmed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import Final

from server.domain.documents import Document
from server.runtime.bucket import ObjectError
from server.runtime.document_store import DocumentStore
from server.runtime.tasks import describe
from server.services.context import Context
from server.storage import documents

log = logging.getLogger("hyeopjin.runtime.documents")

IDLE_S: Final = 60.0
FIRST_MS: Final = 30_000
MOST_MS: Final = 15 * 60_000
AWAY: Final = frozenset({"store_unreachable", "store_refused"})


@dataclass(slots=True)
class _Backoff:
    """How often in a row it did not work, and before when it is not tried again."""

    failures: int = 0
    not_before_ms: int = 0

    def failed(self, now_ms: int) -> None:
        self.not_before_ms = now_ms + min(MOST_MS, FIRST_MS * 2 ** min(self.failures, 16))
        self.failures += 1


class DocumentMoves:
    """`run` in a task that somebody owns; `nudge` when a document is finished."""

    def __init__(self, context: Context, store: DocumentStore) -> None:
        self._context = context
        self._store = store
        self._wake = asyncio.Event()
        self._away = _Backoff()
        self._refused: dict[str, _Backoff] = {}
        self._moved = 0
        self._here: list[Document] = []  # what was not moved when it was looked last

    def nudge(self) -> None:
        self._wake.set()

    @property
    def answers(self) -> bool:
        """False while the store does not take what waits for it."""
        return self._away.failures == 0

    async def run(self) -> None:
        """For ever; nothing to do where there is no object store."""
        while self._store.moves_out:
            self._wake.clear()
            try:
                await self.turn()
            except Exception as error:
                log.error("documents were not moved: %s", describe(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._pause_s())

    async def turn(self) -> None:
        """Move what is due now."""
        self._here = await self._waiting()
        if self._context.now_ms() < self._away.not_before_ms:
            return
        left = []
        for at, row in enumerate(self._here):
            if not await self._try(row):
                left.append(row)
            if self._away.not_before_ms > self._context.now_ms():
                left += self._here[at + 1 :]
                break
        self._here = left
        known = {row.id for row in left}
        self._refused = {each: backoff for each, backoff in self._refused.items() if each in known}

    async def metrics(self) -> dict[str, float]:
        """Of this instance; zeros where another one looks after the documents."""
        oldest_ms = min((row.complete_ms or row.touched_ms for row in self._here), default=None)
        waits_ms = 0 if oldest_ms is None else self._context.now_ms() - oldest_ms
        return {
            "hyeopjin_documents_to_move": float(len(self._here)),
            "hyeopjin_documents_to_move_oldest_seconds": waits_ms / 1000,
            "hyeopjin_documents_move_failures": float(self._away.failures),
            "hyeopjin_documents_moved": float(self._moved),
        }

    async def _waiting(self) -> list[Document]:
        here = await asyncio.to_thread(self._store.lying_here)
        async with self._context.database.read() as tx:
            return await documents.finished(tx, here)

    async def _try(self, row: Document) -> bool:
        """Whether it lies there now."""
        own = self._refused.get(row.id)
        if own is not None and self._context.now_ms() < own.not_before_ms:
            return False
        async with self._context.database.read() as tx:
            parts = await documents.parts_of(tx, row.id)
        try:
            await self._store.move_out(row.case_id, row.id, parts)
        except ObjectError as error:
            self._failed(row, error.code)
            return False
        if self._away.failures:
            log.info("the object store takes documents again")
        self._away = _Backoff()
        self._moved += 1
        return True

    def _failed(self, row: Document, code: str) -> None:
        now_ms = self._context.now_ms()
        if code in AWAY:
            self._away.failed(now_ms)
            log.warning("documents wait for the object store: %s", code)
        else:
            self._refused.setdefault(row.id, _Backoff()).failed(now_ms)
            log.error("a document is not moved to the object store: %s", code)

    def _pause_s(self) -> float:
        left_ms = self._away.not_before_ms - self._context.now_ms()
        return min(IDLE_S, left_ms / 1000) if left_ms > 0 else IDLE_S
