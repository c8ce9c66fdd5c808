"""The audit as a file: CSV for people, JSON lines to be verified elsewhere. Taking it out is itself an entry.

A file ends before the entry that tells of it, so that the same question gives the same file again.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from server.domain.errors import Refused
from server.domain.spreadsheet import MARK, quoted
from server.services.context import Context
from server.services.trail import Asked, filter_of, note, told
from server.storage import audit, audit_trail
from server.storage.audit_trail import Filter, Written
from server.storage.database import Transaction

REASONS: Final = ("review", "data_subject", "authority", "incident", "archive")
FORMATS: Final = ("csv", "json", "syslog")
AT_ONCE: Final = 500
COLUMNS: Final = (
    "number", "at_utc", "account", "name", "roles", "site", "seat", "seat_role", "address", "action",
    "patient", "case", "case_label", "object_type", "object", "reason", "detail", "hash",
)  # fmt: skip

Syslog = Callable[[Written], bytes]


class TrailExports:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def begin(
        self, asked: Asked, kind: str, reason: str, account_id: str | None, address: str
    ) -> Filter:
        """What the file will hold; audited. Raises Refused `bad_request`, `reason_missing`, `not_found`."""
        if kind not in FORMATS:
            raise Refused("bad_request")
        if reason not in REASONS:
            raise Refused("reason_missing")
        async with self._context.database.write() as tx:
            wanted = replace(await filter_of(tx, asked), up_to=(await audit.newest(tx))[0])
            now_ms = self._context.now_ms()
            await note(tx, now_ms, "audit_exported", account_id, address, wanted, format=kind, reason=reason)
        return wanted

    async def pieces(self, wanted: Filter, kind: str, syslog: Syslog | None = None) -> AsyncIterator[bytes]:
        """The file, oldest first, some hundred entries at a time.

        No more than those are held, and no transaction while whoever takes the file is slow: the chain only
        grows, and `wanted` ends where it stood.
        """
        if kind == "csv":
            yield (MARK + quoted([COLUMNS])).encode()
        number = 0
        while True:
            async with self._context.database.read() as tx:
                batch = await audit_trail.some_after(tx, wanted, number, AT_ONCE)
                if not batch:
                    return
                piece = await _piece(tx, batch, kind, syslog)
            yield piece
            number = batch[-1].id


async def _piece(tx: Transaction, batch: list[Written], kind: str, syslog: Syslog | None) -> bytes:
    if kind == "json":
        return b"".join(as_line(row) for row in batch)
    if kind == "syslog":
        assert syslog is not None  # noqa: S101 - who asks for it gives it
        return b"".join(syslog(row) + b"\n" for row in batch)
    shown = await told(tx, batch)
    return quoted([_cells(row, one) for row, one in zip(batch, shown, strict=True)]).encode()


def as_line(row: Written) -> bytes:
    """One line of JSON with everything that the hash is over: docs/audit.md says how to verify it."""
    one = row.entry
    facts = {
        "number": row.id, "version": row.version, "at_ms": row.at_ms, "account_id": one.account_id,
        "seat_id": one.seat_id, "action": one.action, "subject_type": one.subject_type,
        "subject_id": one.subject_id, "case_id": one.case_id, "patient_id": one.patient_id,
        "address": one.address, "detail": one.detail, "prev_hash": row.prev_hash, "hash": row.hash,
    }  # fmt: skip
    return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _cells(row: Written, one: dict[str, Any]) -> Sequence[str]:
    who, entry = one["account"], row.entry
    at = datetime.fromtimestamp(row.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    detail = json.dumps(one["detail"], sort_keys=True) if one["detail"] else ""
    cells = (
        row.id, at, entry.account_id,
        who and who["name"], who and " ".join(who["roles"]), who and who["site"],
        entry.seat_id, one["seat_role"], entry.address, entry.action, entry.patient_id, entry.case_id,
        one["case"], entry.subject_type, entry.subject_id, one["reason"], detail, row.hash,
    )  # fmt: skip
    return ["" if cell is None else str(cell) for cell in cells]
