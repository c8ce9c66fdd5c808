"""Monthly reviews: made, kept as they were made, handed out as a file, signed by who read them."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from html import escape
from typing import Any, Final
from zoneinfo import ZoneInfo

from server.domain.errors import Refused
from server.domain.spreadsheet import MARK, quoted
from server.i18n import text, value_text
from server.services.audit_report import report
from server.services.context import Context
from server.storage import accounts, audit, audit_reviews
from server.storage.audit_reviews import Review
from server.storage.database import Transaction
from server.storage.ids import new_id

LISTED: Final = 36
LONGEST_REMARKS: Final = 4_000
STYLE: Final = (
    "body{font:15px/1.5 sans-serif;margin:2rem;color:#111}table{border-collapse:collapse;margin:.5rem 0 2rem}"
    "th,td{border:1px solid #999;padding:.25rem .5rem;text-align:left;vertical-align:top}th{background:#eee}"
)


class AuditReviews:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def make(self, month: str, account_id: str | None, address: str) -> Review:
        """The report of a month as the audit is now. Raises Refused `bad_request`."""
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:  # a month is long: nobody who writes waits for it
            made = await report(tx, month, now_ms)
        async with self._context.database.write() as tx:
            review = Review(new_id(), month, now_ms, account_id, made, digest(made))
            await audit_reviews.add(tx, review)
            await _note(tx, now_ms, "audit_reviewed", review, account_id, address)
        return review

    async def listed(self) -> dict[str, Any]:
        """`{reviews}`: the newest first, without their rows."""
        async with self._context.database.read() as tx:
            found = await audit_reviews.newest(tx, LISTED)
            names = await accounts.names(tx, {one.signed_by for one in found if one.signed_by})
        return {"reviews": [_told(one, names) for one in found]}

    async def look(self, review_id: str) -> dict[str, Any]:
        """With its report. Raises Refused `not_found`."""
        review = await self.get(review_id)
        async with self._context.database.read() as tx:
            names = await accounts.names(tx, {review.signed_by} - {None})  # type: ignore[arg-type]
        return {**_told(review, names), "report": review.report, "sha256": review.sha256}

    async def get(self, review_id: str) -> Review:
        """Raises Refused `not_found`."""
        async with self._context.database.read() as tx:
            review = await audit_reviews.by_id(tx, review_id)
        if review is None:
            raise Refused("not_found")
        return review

    async def sign(self, review_id: str, sha256: str, remarks: str, account_id: str, address: str) -> None:
        """That it was read: what they saw is named by its hash. Raises Refused `not_found`, `review_signed`,
        `bad_request` (another report than theirs)."""
        review = await self.get(review_id)
        if sha256 != review.sha256:
            raise Refused("bad_request")
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            if not await audit_reviews.sign(tx, review_id, account_id, now_ms, remarks.strip()):
                raise Refused("review_signed")
            said = hashlib.sha256(remarks.strip().encode()).hexdigest()
            await _note(tx, now_ms, "audit_review_signed", review, account_id, address, remarks_sha256=said)

    async def file(
        self, review_id: str, kind: str, language: str, zone: str, account_id: str | None, address: str
    ) -> tuple[Review, bytes]:
        """As HTML or CSV; audited. Raises Refused `not_found`."""
        review = await self.get(review_id)
        async with self._context.database.write() as tx:
            now_ms = self._context.now_ms()
            await _note(tx, now_ms, "audit_review_exported", review, account_id, address, format=kind)
        return review, rendered(review, kind, language, zone)


def rendered(review: Review, kind: str, language: str, zone: str) -> bytes:
    return (_html(review, language, zone) if kind == "html" else _csv(review)).encode()


def digest(made: dict[str, Any]) -> str:
    """SHA-256 of the report as canonical JSON."""
    whole = json.dumps(made, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def _told(review: Review, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": review.id,
        "month": review.month,
        "made_ms": review.made_ms,
        "so_far": review.report["so_far"],
        "to_review": sum(len(one["rows"]) for one in review.report["sections"] if one["review"]),
        "signed_ms": review.signed_ms,
        "signed_by": names.get(review.signed_by or "", ""),
        "remarks": review.remarks,
    }


async def _note(
    tx: Transaction,
    now_ms: int,
    action: str,
    review: Review,
    account_id: str | None,
    address: str,
    **detail: str,
) -> None:
    about: dict[str, int | str] = {"month": review.month, "sha256": review.sha256, **detail}
    entry = audit.Entry(action, "audit_review", review.id, address, account_id=account_id, detail=about)
    await audit.append(tx, now_ms, entry)


def _csv(review: Review) -> str:
    """Each section with a head line of its own; the first column says which."""
    rows: list[list[str]] = []
    for section in review.report["sections"]:
        rows.append([review.month, *section["columns"]])
        for row in section["rows"]:
            cells = zip(section["columns"], row, strict=True)
            told = [_instant(cell, "UTC") if name.endswith("_ms") else str(cell) for name, cell in cells]
            rows.append([section["id"], *told])
    return MARK + quoted(rows)


def _html(review: Review, language: str, zone: str) -> str:
    title = escape(text(language, "audit-review-title", month=review.month))
    parts = [f"<h1>{title}</h1><p>{escape(text(language, 'audit-review-lead'))}</p>"]
    for section in review.report["sections"]:
        heads = "".join(
            f"<th>{escape(text(language, 'audit-review-column-' + name.replace('_', '-')))}</th>"
            for name in section["columns"]
        )
        parts.append(f"<h2>{escape(text(language, 'audit-review-section-' + section['id']))}</h2>")
        if not section["rows"]:
            parts.append(f"<p>{escape(text(language, 'audit-review-nothing'))}</p>")
            continue
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td>{escape(_words(name, cell, language, zone))}</td>"
                for name, cell in zip(section["columns"], row, strict=True)
            )
            + "</tr>"
            for row in section["rows"]
        )
        parts.append(f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>")
    parts.append(f"<p>SHA-256 {review.sha256}</p>")
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="{language}"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _words(column: str, cell: str | int | None, language: str, zone: str) -> str:
    if cell is None or cell == "":
        return "–"
    if column.endswith("_ms"):
        return _instant(cell, zone)
    if column == "role":
        return ", ".join(text(language, f"role-{role}") for role in str(cell).split())
    if column == "action":
        return value_text(language, "act", str(cell))
    if column == "reason":
        return value_text(language, "audit-why", str(cell))
    return str(cell)


def _instant(cell: object, zone: str) -> str:
    at = datetime.fromtimestamp(int(str(cell)) / 1000, UTC if zone == "UTC" else ZoneInfo(zone))
    return at.isoformat(sep=" ", timespec="minutes")
