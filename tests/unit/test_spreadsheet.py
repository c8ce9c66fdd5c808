"""CSV that a spreadsheet opens without running what is in it."""

from __future__ import annotations

import csv
import io

import pytest

from server.domain.spreadsheet import guarded, quoted, unguarded

HARM = [
    "=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\uff1d1", "\uff201", "\t=1", "\r=1", "\n=1", " =1",
    "\u3000=1",
    "\u00a0@x", "  \t -1", "\ttext", "'=1", "''=1", "' =1",
]  # fmt: skip
PLAIN = ["", "a", "a=1", "1-2", "'", "it's", " a", "'quoted'", "Ә=1", "{=1}"]


@pytest.mark.parametrize("cell", HARM)
def test_nothing_that_a_spreadsheet_may_run_stands_at_the_start_of_a_cell(cell: str) -> None:
    made = guarded(cell)
    assert made[0] == "'"
    assert unguarded(made) == cell


@pytest.mark.parametrize("cell", PLAIN)
def test_what_is_no_formula_stays_as_it_is(cell: str) -> None:
    assert guarded(cell) == cell
    assert unguarded(cell) == cell


def test_a_cell_cannot_leave_its_quotes() -> None:
    harm = ['",=1,"', '"\r\n=1', 'a";=1', "a\n=1", *HARM]
    text = quoted([harm, ["last"]])
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows == [[guarded(one) for one in harm], ["last"]]
    assert text.startswith('"')
