"""CSV as a spreadsheet opens it without running what is in it. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

MARK: Final = "\ufeff"
"""Without it Excel does not take a file for UTF-8."""
#: With these a spreadsheet begins a formula; the wide ones where the keyboard has them.
FORMULA: Final = "=+-@\uff1d\uff0b\uff0d\uff20"
#: Some take away what a cell begins with before they look, so these count as a formula themselves (OWASP).
_TAKEN_AWAY: Final = "\t\r\n"


def quoted(rows: Iterable[Sequence[str]], separator: str = ",") -> str:
    """Every cell quoted, none of them a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return out.getvalue()


def guarded(cell: str) -> str:
    """As a spreadsheet takes it for text; `unguarded` takes it back."""
    return "'" + cell if _runs(cell.lstrip("'")) else cell


def unguarded(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and _runs(cell.lstrip("'")) else cell


def _runs(cell: str) -> bool:
    """Whether a spreadsheet may take it for a formula: at its start, or after white space."""
    return cell[:1] in tuple(_TAKEN_AWAY) or cell.lstrip()[:1] in tuple(FORMULA)
