"""Terms of a case's glossary, their history, and the marks they leave on a session's time line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from server.domain.glossary import Term, Wording, in_order, search_text
from server.storage.database import Transaction
from server.storage.schema_glossary import glossary_marks, glossary_terms, glossary_versions


@dataclass(frozen=True, slots=True)
class Hand:
    """Who changes something: an account, a seat, or an account at its seat."""

    account_id: str | None = None
    seat_id: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A term was shown to everybody: when, what it said then, by which seat (None: one not recorded)."""

    at_ms: int
    term_id: str
    texts: dict[str, str] = field(repr=False)
    seat_id: str | None


@dataclass(frozen=True, slots=True)
class State:
    """A state a term has had: what happened, what it said then and before, and whose hand it was."""

    term_id: str
    version: int
    what: str  # added | edited | confirmed | imported | deleted
    wording: Wording
    before: Wording | None
    hand: Hand
    at_ms: int


async def by_id(tx: Transaction, case_id: str, term_id: str) -> Term | None:
    """A term of this very case."""
    query = select(glossary_terms).where(glossary_terms.c.id == term_id, glossary_terms.c.case_id == case_id)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _term(row)


async def of_case(tx: Transaction, case_id: str, query: str = "") -> list[Term]:
    """All whose folded texts contain the folded query, the best answers first."""
    wanted = select(glossary_terms).where(glossary_terms.c.case_id == case_id)
    if query:
        wanted = wanted.where(glossary_terms.c.lines.contains(query, autoescape=True))
    rows = (await tx.execute(wanted)).all()
    return in_order(((row.lines, _term(row)) for row in rows), query)


async def count(tx: Transaction, case_id: str) -> int:
    query = select(func.count()).where(glossary_terms.c.case_id == case_id)
    return int((await tx.execute(query)).scalar_one())


async def counts(tx: Transaction, case_ids: list[str]) -> dict[str, int]:
    """How many terms each of these cases has; one without any is absent."""
    query = (
        select(glossary_terms.c.case_id, func.count())
        .where(glossary_terms.c.case_id.in_(case_ids))
        .group_by(glossary_terms.c.case_id)
    )
    return {case_id: int(number) for case_id, number in (await tx.execute(query)).all()}


async def add(tx: Transaction, term: Term) -> None:
    await tx.execute(insert(glossary_terms).values(id=term.id, case_id=term.case_id, **_values(term)))


async def replace(tx: Transaction, term: Term) -> bool:
    """In place of the version before; False when that one is no longer there."""
    done = await tx.execute(
        update(glossary_terms)
        .where(glossary_terms.c.id == term.id, glossary_terms.c.version == term.version - 1)
        .values(**_values(term))
    )
    return done.rowcount == 1


async def remove(tx: Transaction, term_id: str, version: int) -> bool:
    """False when this version is no longer there. Its history stays."""
    done = await tx.execute(
        delete(glossary_terms).where(glossary_terms.c.id == term_id, glossary_terms.c.version == version)
    )
    return done.rowcount == 1


async def remember(tx: Transaction, term: Term, what: str, hand: Hand) -> None:
    """One state of a term, kept whatever becomes of it."""
    await tx.execute(
        insert(glossary_versions).values(
            term_id=term.id,
            version=term.version,
            case_id=term.case_id,
            what=what,
            texts=dict(term.texts),
            note=term.note,
            account_id=hand.account_id,
            seat_id=hand.seat_id,
            at_ms=term.changed_ms,
        )
    )


async def history(tx: Transaction, case_id: str, term_id: str | None, most: int) -> list[State]:
    """States of one term of the case, or of all of them, also of what was deleted; newest first."""
    before = glossary_versions.alias()
    query = (
        select(glossary_versions, before.c.texts.label("old_texts"), before.c.note.label("old_note"))
        .outerjoin(
            before,
            (before.c.term_id == glossary_versions.c.term_id)
            & (before.c.version == glossary_versions.c.version - 1),
        )
        .where(glossary_versions.c.case_id == case_id)
    )
    if term_id is not None:
        query = query.where(glossary_versions.c.term_id == term_id)
    newest = (
        glossary_versions.c.at_ms.desc(),
        glossary_versions.c.term_id,
        glossary_versions.c.version.desc(),
    )
    rows = (await tx.execute(query.order_by(*newest).limit(most))).all()
    return [
        State(
            row.term_id,
            row.version,
            row.what,
            Wording(row.texts, row.note),
            None if row.old_texts is None else Wording(row.old_texts, row.old_note),
            Hand(row.account_id, row.seat_id),
            row.at_ms,
        )
        for row in rows
    ]


async def mark(
    tx: Transaction, session_id: str, at_ms: int, term: tuple[str, int], seat_id: str | None
) -> None:
    """On the time line of the session's recording: this version of this term was shown."""
    term_id, version = term
    await tx.execute(
        insert(glossary_marks).values(
            session_id=session_id, at_ms=at_ms, term_id=term_id, version=version, seat_id=seat_id
        )
    )


async def marks_of(tx: Transaction, session_id: str) -> list[Mark]:
    """Oldest first, each with what the term said when it was shown."""
    query = (
        select(glossary_marks, glossary_versions.c.texts)
        .join(
            glossary_versions,
            (glossary_versions.c.term_id == glossary_marks.c.term_id)
            & (glossary_versions.c.version == glossary_marks.c.version),
        )
        .where(glossary_marks.c.session_id == session_id)
        .order_by(glossary_marks.c.at_ms, glossary_marks.c.id)
    )
    rows = (await tx.execute(query)).all()
    return [Mark(row.at_ms, row.term_id, row.texts, row.seat_id) for row in rows]


def _values(term: Term) -> dict[str, Any]:
    return {
        "version": term.version,
        "texts": dict(term.texts),
        "note": term.note,
        "lines": search_text(term.wording),
        "confirmed_by": term.confirmed_by,
        "confirmed_ms": term.confirmed_ms,
        "changed_ms": term.changed_ms,
    }


def _term(row: Row[Any]) -> Term:
    return Term(
        id=row.id,
        case_id=row.case_id,
        version=row.version,
        wording=Wording(row.texts, row.note),
        confirmed_by=row.confirmed_by,
        confirmed_ms=row.confirmed_ms,
        changed_ms=row.changed_ms,
    )
