"""A glossary's file: what Excel writes is taken, what is wrong is named by its line, nothing is a formula."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.glossary import LANGUAGES, MAX_TEXT, Wording, WrongText, folded, wording_of
from server.domain.glossary_file import (
    MAX_BYTES,
    MAX_PROBLEMS,
    MAX_ROWS,
    REASONS,
    Problem,
    read,
    write,
)
from server.domain.spreadsheet import FORMULA

PLAIN = "ko,ru,note\r\n척추,позвоночник,\r\n협착증,стеноз,сужение\r\n"
TAKEN = [
    (2, Wording({"ko": "척추", "ru": "позвоночник"})),
    (3, Wording({"ko": "협착증", "ru": "стеноз"}, "сужение")),
]


def told(value: object) -> str | None:
    """Bytes make no names of tests."""
    return "-" if isinstance(value, bytes) else None


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode(),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        PLAIN.replace(",", ";").encode("utf-8-sig"),
        PLAIN.replace(",", "\t").encode("utf-16"),
        PLAIN.replace("\r\n", "\n").encode(),
        PLAIN.replace("ko,ru,note", "KO, Ru ,Note").encode(),
        PLAIN.replace("척추", '"척추"').encode(),
        PLAIN.replace("\r\n", ",,\r\n").encode(),  # empty columns to the right, as spreadsheets have them
    ],
    ids=told,
)
def test_what_excel_and_people_write_is_taken(data: bytes) -> None:
    sheet = read(data)
    assert sheet.problems == ()
    assert list(sheet.rows) == TAKEN


def test_excels_own_word_for_the_separator_counts_as_a_line() -> None:
    sheet = read(("sep=;\r\n" + PLAIN.replace(",", ";")).encode())
    assert [line for line, _ in sheet.rows] == [3, 4]


@pytest.mark.parametrize(
    ("data", "line", "reason", "column"),
    [
        (b"", 1, "header", ""),
        (b"term,meaning\r\nx,y\r\n", 1, "header", ""),
        (b"ko,ko\r\nx,y\r\n", 1, "header", ""),
        (b"ko,fr\r\nx,y\r\n", 1, "header", ""),
        (b"note\r\nx\r\n", 1, "header", ""),
        (b"ko,ru\r\n", 1, "no_rows", ""),
        (b"ko,ru\r\n\r\n,\r\n", 1, "no_rows", ""),
        (PLAIN.encode() + "хребет\r\n".encode(), 4, "columns", ""),
        (PLAIN.encode() + b"a,b,c,d\r\n", 4, "columns", ""),
        (PLAIN.encode() + b",,only a note\r\n", 4, "empty", ""),
        (PLAIN.encode() + b"a,\x00b,\r\n", 4, "control", "ru"),
        (PLAIN.encode() + "a,b,\u202ec\r\n".encode(), 4, "control", "note"),
        (PLAIN.encode() + f"{'a' * (MAX_TEXT + 1)},b,\r\n".encode(), 4, "too_long", "ko"),
        (PLAIN.encode() + " 척추 ,спина,\r\n".encode(), 4, "twice", "ko"),
        (PLAIN.encode() + b'a,"b,\r\nc,d,\r\n', 4, "quote", ""),
        (PLAIN.encode() + b'a,"b"c,\r\n', 4, "quote", ""),
        (PLAIN.encode("cp1251", "replace") + "шов,шов,\r\n".encode("cp1251"), 2, "encoding", ""),
        (PLAIN.encode("cp949", "replace"), 2, "encoding", ""),
        (PLAIN.encode("utf-16-le"), 1, "encoding", ""),
        (PLAIN.encode("utf-16")[:-1], 3, "encoding", ""),
        (b"ko\r\n" + b"a" * MAX_BYTES, 1, "too_big", ""),
        (PLAIN.encode() + b"a," + b"b" * 100_000 + b",\r\n", 4, "too_long", "ru"),
        (PLAIN.encode() + b'a,"' + b"b\r\n" * 50_000 + b'",\r\n', 4, "quote", ""),
        (PLAIN.encode() + b"a" + b"," * 400_000 + b"b\r\n", 4, "columns", ""),
        (b"ko," + b"ru," * 100_000, 1, "header", ""),
    ],
    ids=told,
)
def test_what_is_wrong_is_named_by_its_line(data: bytes, line: int, reason: str, column: str) -> None:
    sheet = read(data)
    assert sheet.rows == ()
    assert sheet.problems[0] == Problem(line, reason, column)
    assert reason in REASONS


def test_problems_are_told_together_but_not_without_end() -> None:
    sheet = read(("ko,ru\n" + "only\n" * 50).encode())
    assert [one.line for one in sheet.problems] == list(range(2, 2 + MAX_PROBLEMS))


def test_a_line_after_a_cell_of_two_lines_keeps_the_number_an_editor_shows() -> None:
    sheet = read(b'ko,note\r\na,"two\r\nlines"\r\nb\r\n')
    assert sheet.problems == (Problem(4, "columns"),)


def test_a_file_has_an_end() -> None:
    rows = "".join(f"term {number}\n" for number in range(MAX_ROWS + 1))
    assert read(("en\n" + rows).encode()).problems == (Problem(MAX_ROWS + 2, "too_many"),)
    assert len(read(("en\n" + rows.removesuffix(f"term {MAX_ROWS}\n")).encode()).rows) == MAX_ROWS


LETTERS = st.text(
    st.sampled_from([*"=+-@\uff1d'\"`,;\n\t aбё척추ә", "\u0301", "\x00", "\u202e", "\ufeff", "\U0001f600"]),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.fixed_dictionaries(dict.fromkeys(LANGUAGES, LETTERS)), LETTERS), max_size=6),
    st.sampled_from([",", ";"]),
)
def test_what_is_written_is_read_back_whole_and_no_cell_is_a_formula(
    drawn: list[tuple[dict[str, str], str]], separator: str
) -> None:
    wordings: list[Wording] = []
    firsts: set[tuple[str, str]] = set()
    for texts, note in drawn:
        try:
            wording = wording_of(texts, note)
        except WrongText:
            continue
        first = next((name, folded(wording.texts[name])) for name in LANGUAGES if name in wording.texts)
        if first not in firsts:
            firsts.add(first)
            wordings.append(wording)
    data = write(wordings, separator)
    for line in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=separator):
        assert not [cell for cell in line if cell[:1] in tuple(FORMULA)]
    sheet = read(data)
    assert [wording for _, wording in sheet.rows] == wordings
    assert [one.reason for one in sheet.problems] == ([] if wordings else ["no_rows"])


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_problems(data: bytes) -> None:
    whole_or_wrong(data)
    whole_or_wrong(b"ko;ru;note\r\n" + data)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.sampled_from(["utf-8-sig", "utf-16"]), st.sampled_from(",;\t"))
def test_any_text_is_rows_or_problems(text: str, encoding: str, separator: str) -> None:
    whole_or_wrong(separator.join(("ko", "ru", "note")).encode(encoding) + text.encode(encoding, "replace"))
    whole_or_wrong((separator.join(("ko", "ru")) + "\n" + text).encode(encoding, "replace"))


def whole_or_wrong(data: bytes) -> None:
    sheet = read(data)
    assert bool(sheet.rows) != bool(sheet.problems)
    assert all(problem.line >= 1 and problem.reason in REASONS for problem in sheet.problems)
    lines = [line for line, _ in sheet.rows]
    assert lines == sorted(set(lines))
    for _, wording in sheet.rows:
        assert wording_of(wording.texts, wording.note) == wording
