"""A glossary as a file: CSV as Excel writes it, read strictly, and written without formulas.

Pure. A file is taken whole or not at all: every problem has a line (the file's own, from 1) and a reason.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from server.domain.glossary import LANGUAGES, Wording, WrongText, folded, wording_of
from server.domain.spreadsheet import MARK, quoted, unguarded

MAX_BYTES: Final = 512 * 1024
MAX_ROWS: Final = 1_000
MAX_PROBLEMS: Final = 20
NOTE: Final = "note"
COLUMNS: Final = (*LANGUAGES, NOTE)
SEPARATORS: Final = (";", ",", "\t")  # a tab: what Excel calls Unicode text
REASONS: Final = (
    "encoding", "quote", "header", "columns", "empty", "control", "too_long", "twice", "too_many", "too_big",
    "no_rows",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file cannot be taken. `column` names the cell's, where one is to blame."""

    line: int
    reason: str
    column: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file says: rows with their lines, or problems and no rows."""

    rows: tuple[tuple[int, Wording], ...] = ()
    problems: tuple[Problem, ...] = ()


class _Refused(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, line: int, reason: str, column: str = "") -> None:
        super().__init__(reason)
        self.problem = Problem(line, reason, column)


def read(data: bytes) -> Sheet:
    """UTF-8 with or without a mark, or UTF-16 with one; `;`, `,` or tab, as the first line shows."""
    try:
        return _sheet(_text(data))
    except _Refused as refused:
        return Sheet(problems=(refused.problem,))


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise _Refused(1, "too_big")
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if encoding != "utf-16" and b"\0" in data[:4]:
        raise _Refused(1, "encoding")  # UTF-16 without its mark
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as wrong:
        before = data[: wrong.start].decode(encoding, "ignore")
        raise _Refused(before.count("\n") + 1, "encoding") from None


def _sheet(text: str) -> Sheet:
    lines = _lines(text)
    number, header = next(lines, (1, []))
    columns = _columns(number, header)
    rows: list[tuple[int, Wording]] = []
    problems: list[Problem] = []
    seen: set[tuple[str, str]] = set()
    for number, cells in lines:
        if len(rows) >= MAX_ROWS:
            raise _Refused(number, "too_many")
        try:
            wording = _row(number, columns, cells)
            first = next((one, folded(wording.texts[one])) for one in LANGUAGES if one in wording.texts)
            if first in seen:
                raise _Refused(number, "twice", first[0])
        except _Refused as refused:
            problems.append(refused.problem)
            if len(problems) >= MAX_PROBLEMS:
                break
            continue
        seen.add(first)
        rows.append((number, wording))
    if not rows and not problems:
        raise _Refused(number, "no_rows")
    return Sheet(problems=tuple(problems)) if problems else Sheet(tuple(rows))


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """(the line where it begins, cells) of every line that is not blank."""
    skipped = 0
    if text[:4].lower() == "sep=":  # Excel's own hint
        text, skipped = text.partition("\n")[2], 1
    separator = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        began = reader.line_num + 1 + skipped
        try:
            cells = next(reader, None)
        except csv.Error:
            raise _Refused(began, "quote") from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield began, cells


def _separator(text: str) -> str:
    """The one that the first line has most of; there are none within names of columns."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=first.count)


def _columns(number: int, header: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in header]
    while names and not names[-1]:
        names.pop()
    known = [name for name in names if name in LANGUAGES]
    if not known or len(set(names)) != len(names):
        raise _Refused(number, "header")
    for name in names:
        if name not in COLUMNS:
            raise _Refused(number, "header")
    return names


def _row(number: int, columns: list[str], cells: list[str]) -> Wording:
    if len(cells) < len(columns) or any(cell.strip() for cell in cells[len(columns) :]):
        raise _Refused(number, "columns")
    said = {name: unguarded(cell.strip()) for name, cell in zip(columns, cells, strict=False)}
    note = said.pop(NOTE, "")
    for column in columns:  # one by one, to name the cell
        try:
            wording_of(
                {column: said[column]} if column != NOTE else {"en": "-"}, "" if column != NOTE else note
            )
        except WrongText as wrong:
            if wrong.reason != "empty":
                raise _Refused(number, wrong.reason, column) from None
    try:
        return wording_of(said, note)
    except WrongText as wrong:
        raise _Refused(number, wrong.reason) from None


def write(wordings: Iterable[Wording], separator: str) -> bytes:
    """UTF-8 with the mark that Excel wants, every cell quoted, none of them a formula."""
    lines = (
        [*(wording.texts.get(language, "") for language in LANGUAGES), wording.note] for wording in wordings
    )
    return (MARK + quoted([COLUMNS, *lines], separator)).encode()
