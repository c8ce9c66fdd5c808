"""Ends documents of a case for good: keys first, then everything sealed under them, then a receipt.

A row of `destructions` says which (its plan, noted before the first key goes); from that moment nobody opens
them. Every step may be done again, so that a killed process resumes where it was, and it says `done` only
after it has looked. It must not decide what is to go: `server/services/document_retention.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from server.runtime.destruction import DestroyerOptions, NotGoneError, facts_of, held_meanwhile
from server.runtime.document_store import DocumentStore
from server.runtime.keystore import KeyStore
from server.runtime.receipts import OF_DOCUMENTS, Receipts
from server.services.document_retention import DocumentRetention
from server.storage import audit, destructions, documents, holds
from server.storage.database import Database
from server.storage.destructions import BEGUN, DONE, Destruction

#: Every place at which a process may die; each begins with what its name says.
DOCUMENT_STEPS = ("begin", "keys", "bytes", "look", "receipt", "books")


class DocumentDestruction:
    """One per process that holds the data directory; `step` is told each step before it is taken."""

    def __init__(
        self,
        database: Database,
        retention: DocumentRetention,
        store: DocumentStore,
        keys: KeyStore,
        receipts: Receipts,
        options: DestroyerOptions,
        step: Callable[[str], None] = lambda _name: None,
    ) -> None:
        self._database = database
        self._retention = retention
        self._store = store
        self._keys = keys
        self._receipts = receipts
        self._options = options
        self._step = step

    async def run(self, row: Destruction) -> bool:
        """Carry it out; False while a hold stands, or when it is no longer to be done.

        Raises NotGoneError, ObjectError, OSError: then again.
        """
        self._step("begin")
        begun = row if row.state == BEGUN else await self._begin(row)
        if begun is None:
            return False
        self._step("keys")
        for document in _ids(begun):
            await asyncio.to_thread(self._keys.destroy, begun.case_id, document)
        if begun.destroyed_ms is None:
            begun = await self._dated(begun)
        self._step("bytes")
        for document in _ids(begun):
            async with self._database.read() as tx:
                parts = await documents.parts_of(tx, document)
            await self._store.destroy(begun.case_id, document, parts)
        self._step("look")
        await self._look(begun)
        self._step("receipt")
        await self._finish(begun)
        return True

    async def _begin(self, row: Destruction) -> Destruction | None:
        """Note what there is, and close it. Asked again whether it is to go: something may have happened in
        the case since, or the patient may have agreed again.
        """
        now_ms = self._options.now_ms()
        async with self._database.write() as tx:
            if await holds.case_is_held(tx, row.case_id):
                return None
            ending = await self._retention.ending_of(tx, row.case_id, now_ms)
            if ending is None or ending.cause != row.cause:
                await destructions.forget(tx, row.id)
                entry = audit.Entry("documents_kept", "case", row.case_id, "", case_id=row.case_id)
                await audit.append(tx, now_ms, entry)
                return None
            plan = {
                "keys": [
                    {"seat": one.id, "fingerprint": self._keys.fingerprint(row.case_id, one.id)}
                    for one in ending.documents
                ],
                "documents": [
                    {"document": one.id, "sha256": one.sha256, "size": one.size} for one in ending.documents
                ],
                "held": await held_meanwhile(tx, row, now_ms),
            }
            await documents.close(tx, [one.id for one in ending.documents])
            await destructions.change(tx, row.id, state=BEGUN, plan=plan)
            return await destructions.by_id(tx, row.id)

    async def _dated(self, row: Destruction) -> Destruction:
        async with self._database.write() as tx:
            await destructions.change(tx, row.id, destroyed_ms=self._options.now_ms())
            return await destructions.by_id(tx, row.id) or row

    async def _look(self, row: Destruction) -> None:
        """Raises NotGoneError: nobody is told of a destruction that did not happen."""
        for document in _ids(row):
            if not await asyncio.to_thread(self._store.destroyed, row.case_id, document):
                raise NotGoneError("key_left")
            if await asyncio.to_thread(self._store.left_now, document):
                raise NotGoneError("object_left")

    async def _finish(self, row: Destruction) -> None:
        async with self._database.read() as tx:
            head = await audit.head(tx)
        receipt = await asyncio.to_thread(self._receipts.issue, self._facts(row, head))
        self._step("books")
        now_ms = self._options.now_ms()
        told = "documents_destroyed" if row.receipt is None else "destruction_relearned"
        detail: dict[str, int | str] = {"receipt": receipt.number, "hash": receipt.hash, "cause": row.cause}
        entry = audit.Entry(told, "case", row.case_id, "", case_id=row.case_id, detail=detail)
        async with self._database.write() as tx:
            for document in _ids(row):
                await documents.end(tx, document, row.destroyed_ms or now_ms)
            await destructions.change(
                tx,
                row.id,
                state=DONE,
                receipt=receipt.envelope.decode("ascii"),
                receipt_number=receipt.number,
                receipt_hash=receipt.hash,
            )
            await audit.append(tx, now_ms, entry)

    def _facts(self, row: Destruction, head: str) -> Mapping[str, Any]:
        return facts_of(row, head, self._options) | {
            "kind": OF_DOCUMENTS,
            "recording": "",
            "seat": "",
            "documents": row.plan["documents"],
        }


def _ids(row: Destruction) -> Sequence[str]:
    return [str(key["seat"]) for key in row.plan["keys"]]
