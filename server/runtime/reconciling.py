"""At the start: what receipts and tombstones say was destroyed, the restored rest learns again.

A database, a journal, objects or a key store of before may have been put back. Receipts lie apart and are the
newest there is: every key they name is destroyed again if it came back; every recording they name is taken up
as a destruction that has begun, so that its media goes again and its state in the books is right. It must run
before the media worker and the finaliser start, and must not issue a receipt itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from server.runtime.keystore import ROOM, KeyStore, KeyStoreError
from server.runtime.objects import Objects
from server.runtime.receipts import OF_DOCUMENTS, Receipt, Receipts, folder_of
from server.storage import audit, destructions, documents
from server.storage.database import Database
from server.storage.destructions import BEGUN, DOCUMENTS, DONE, THE_DOCUMENTS, WHOLE, Destruction
from server.storage.ids import new_id
from server.storage.recordings import RecordingRow, Recordings

log = logging.getLogger("hyeopjin.runtime.reconciling")


@dataclass(slots=True)
class Learned:
    """What a start found out: keys that had come back, destructions the books did not know, receipts lost."""

    keys: int = 0
    destructions: int = 0
    receipts: int = 0


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that may have been put back."""

    database: Database
    keys: KeyStore
    objects: Objects
    receipts: Receipts
    journal_root: Path

    def left_of(self, recording: str, seat: str) -> bool:
        """Whether media lies there that should be gone."""
        if seat == WHOLE and (self.journal_root / recording).exists():
            return True
        return any(
            seat == WHOLE or name.startswith(f"{seat}-")
            for number in self.objects.generations(recording)
            for name in self.objects.names(recording, number)
        )


async def reconcile(store: Store, now_ms: int) -> Learned:
    """Correct keys, books and receipts; the destructions taken up are carried out by `Destroyer`."""
    database, receipts = store.database, store.receipts
    learned = Learned()
    async with database.read() as tx:
        known = {row.id: row for row in await destructions.everything(tx)}
    for row in known.values():
        if row.receipt is not None and row.receipt_number is not None:
            back = receipts.put_back
            learned.receipts += await asyncio.to_thread(back, row.receipt_number, row.receipt.encode())
    found = [each for each in await asyncio.to_thread(receipts.all) if "receipt_unsigned" not in each.faults]
    for receipt in found:
        if receipt.payload:
            await _one(store, receipt, known, now_ms, learned)
    await _tombs(database, store.keys, now_ms, learned)
    if learned != Learned():
        log.warning(
            "learned again: %d keys destroyed, %d destructions, %d receipts put back",
            learned.keys,
            learned.destructions,
            learned.receipts,
        )
    return learned


async def _one(
    store: Store, receipt: Receipt, known: Mapping[str, Destruction], now_ms: int, learned: Learned
) -> None:
    keys = store.keys
    told = receipt.payload
    if told.get("kind") == OF_DOCUMENTS:
        await _documents(store, receipt, known, now_ms, learned)
        return
    recording, seat = str(told["recording"]), str(told["seat"])
    back = [str(key["seat"]) for key in told["keys"] if not keys.is_gone(recording, str(key["seat"]))]
    for each in back:
        await asyncio.to_thread(keys.destroy, recording, each)
    learned.keys += len(back)
    row = known.get(str(told["destruction"]))
    left = await asyncio.to_thread(store.left_of, recording, seat)
    if row is not None and row.state == DONE and not back and not left:
        return
    plan = {name: told[name] for name in ("keys", "objects", "journal", "exports", "held")} | {"lanes": []}
    made = _begun(receipt, recording, seat, row.plan if row is not None and row.plan else plan)
    await _take_up(store.database, made, now_ms)
    learned.destructions += 1


async def _documents(
    store: Store, receipt: Receipt, known: Mapping[str, Destruction], now_ms: int, learned: Learned
) -> None:
    """The same of a case's documents: taken up where the books, or a key, are of before."""
    told, folder = receipt.payload, folder_of(receipt.payload)
    named = [str(key["seat"]) for key in told["keys"]]
    back = [each for each in named if not store.keys.is_gone(folder, each)]
    for each in back:
        await asyncio.to_thread(store.keys.destroy, folder, each)
    learned.keys += len(back)
    async with store.database.read() as tx:
        left = await documents.undestroyed(tx, named)
    row = known.get(str(told["destruction"]))
    if row is not None and row.state == DONE and not back and not left:
        return
    plan = {name: told[name] for name in ("keys", "documents", "held")}
    made = replace(_begun(receipt, str(told["destruction"]), THE_DOCUMENTS, plan), kind=DOCUMENTS)
    await _take_up(store.database, made, now_ms)
    learned.destructions += 1


def _begun(receipt: Receipt, recording: str, seat: str, plan: Mapping[str, Any]) -> Destruction:
    """What a receipt tells of, as it stood before it was done."""
    told = receipt.payload
    return Destruction(
        id=str(told["destruction"]),
        recording_id=recording,
        seat_id=seat,
        case_id=str(told["case"]),
        cause=str(told["cause"]),
        reason=str(told["reason"]),
        requested_by=str(told["requested_by"]),
        on_behalf=bool(told["on_behalf"]),
        requested_ms=int(told["requested_at_ms"]),
        state=BEGUN,
        plan=plan,
        destroyed_ms=int(told["destroyed_at_ms"]),
        receipt=receipt.envelope.decode("ascii"),
        receipt_number=receipt.number,
        receipt_hash=receipt.hash,
    )


async def _tombs(database: Database, keys: KeyStore, now_ms: int, learned: Learned) -> None:
    """Marks that neither the books nor a receipt explain: a destruction was cut short and its row is gone."""
    buried: dict[str, set[str]] = {}
    for recording, seat in await asyncio.to_thread(lambda: list(keys.tombs())):
        buried.setdefault(recording, set()).add(seat)
    rows = Recordings(database)
    for recording, seats in buried.items():
        async with database.read() as tx:
            blocked = await destructions.blocked(tx, recording)
        row = await rows.get(recording)
        if row is None or WHOLE in blocked:
            continue
        lost: Iterable[str] = [WHOLE] if ROOM in seats else sorted(seats - blocked)
        for seat in lost:
            await _take_up(database, _unexplained(row, seat, keys, seats, now_ms), now_ms)
            learned.destructions += 1


def _unexplained(row: RecordingRow, seat: str, keys: KeyStore, seats: set[str], now_ms: int) -> Destruction:
    named = sorted(seats) if seat == WHOLE else [seat]
    plan: dict[str, Any] = {
        "keys": [{"seat": each, "fingerprint": _print(keys, row.id, each)} for each in named],
        "objects": [],
        "journal": {"segments": 0, "bytes": 0, "removed": seat == WHOLE},
        "exports": [],
        "lanes": [],
        "held": [],
    }
    cause = "expired" if seat == WHOLE else "withdrawn"
    return Destruction(
        new_id(), row.id, seat, row.case_id, cause, "relearned", "", False, now_ms, BEGUN, plan, now_ms
    )


def _print(keys: KeyStore, recording: str, seat: str) -> str | None:
    try:
        return keys.fingerprint(recording, seat)
    except KeyStoreError:
        return None


async def _take_up(database: Database, row: Destruction, now_ms: int) -> None:
    """Into the books as begun, in place of what they say of this recording and seat."""
    media = row.kind != DOCUMENTS
    entry = audit.Entry(
        "destruction_taken_up",
        "recording" if media else "case",
        row.recording_id if media else row.case_id,
        "",
        seat_id=(row.seat_id or None) if media else None,
        case_id=row.case_id or None,
        detail={"cause": row.cause},
    )
    async with database.write() as tx:
        await destructions.replace(tx, row)
        await audit.append(tx, now_ms, entry)
    if row.seat_id == WHOLE:
        await Recordings(database).expire(row.recording_id, now_ms)
