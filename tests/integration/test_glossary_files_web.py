"""A glossary as a file over HTTP: looked at first, taken whole or not at all, never a formula."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest

from server.domain.glossary_file import MAX_BYTES
from server.services.demo import CASE_ID
from tests.support.website import Answer, Browser, Website

CASE = f"/api/cases/{CASE_ID}/glossary"
SHEET = "ko;ru;note\r\n척추;позвоночник;\r\n협착증;стеноз;сужение\r\n"


@pytest.fixture
async def physician(site: Website) -> Browser:
    return await site.signed_in("consulting_physician")


async def sent(browser: Browser, data: bytes, seen: str | None = None) -> Answer:
    body: dict[str, Any] = {"file": base64.b64encode(data).decode()}
    return await browser.post(f"{CASE}/file", body if seen is None else body | {"seen": seen})


async def test_a_file_is_looked_at_before_anything_changes(site: Website, physician: Browser) -> None:
    data = SHEET.encode("utf-16")
    look = (await sent(physician, data)).json
    counts = ("rows", "added", "changed", "same", "unconfirmed", "too_many", "problems")
    assert {key: look[key] for key in counts} == dict(zip(counts, (2, 2, 0, 0, 0, 0, []), strict=True))
    assert (await physician.get(CASE)).json["total"] == 0
    assert (await sent(physician, data, "0" * 64)).code == "glossary_changed"
    assert (await sent(physician, data + "\r\n".encode("utf-16-le"), look["seen"])).code == "glossary_changed"
    done = await sent(physician, data, look["seen"])
    assert done.json == {"added": 2, "changed": 0, "same": 0, "unconfirmed": 0}
    assert (await sent(physician, data, look["seen"])).code == "glossary_changed", "once"
    assert (await sent(physician, data)).json["same"] == 2


async def test_a_row_that_is_there_already_gets_its_new_languages_and_loses_its_confirmation(
    physician: Browser, site: Website
) -> None:
    texts = {"ko": "척추", "ru": "позвоночник"}
    term = (await physician.post(CASE, {"texts": texts, "note": "kept"})).json
    await physician.post(f"{CASE}/{term['id']}/confirm", {"version": 1})
    data = "ko,kk,note\n척추,омыртқа,\n감기,,cold\n".encode()
    look = (await sent(physician, data)).json
    assert (look["added"], look["changed"], look["unconfirmed"]) == (1, 1, 1)
    assert (await sent(physician, data, look["seen"])).status == 200
    listed = {one["texts"]["ko"]: one for one in (await physician.get(CASE)).json["terms"]}
    changed = listed["척추"]
    assert (changed["id"], changed["version"], changed["confirmed"]) == (term["id"], 3, None)
    assert (changed["texts"], changed["note"]) == (texts | {"kk": "омыртқа"}, "kept")
    states = (await physician.get(f"{CASE}/{term['id']}/history")).json["states"]
    assert [one["what"] for one in states] == ["imported", "confirmed", "added"]


async def test_a_wrong_file_is_refused_whole_with_its_lines(physician: Browser) -> None:
    data = SHEET.encode() + "\u202e;x;\r\n;;only a note\r\n".encode()
    look = (await sent(physician, data)).json
    assert look["problems"] == [
        {"line": 4, "reason": "control", "column": "ko"},
        {"line": 5, "reason": "empty", "column": ""},
    ]
    refused = await sent(physician, data, look["seen"])
    assert (refused.status, refused.code) == (400, "file_refused")
    assert refused.json["error"]["line"] == 4
    assert (await physician.get(CASE)).json["total"] == 0


async def test_a_file_that_is_none_or_too_large_is_refused(physician: Browser) -> None:
    for body in ({}, {"file": "%%%"}, {"file": "a"}, {"file": 5}, {"file": "", "seen": "no"}):
        assert (await physician.post(f"{CASE}/file", body)).code == "bad_request", body
    assert (await sent(physician, b"a" * (MAX_BYTES + 1))).json["problems"][0]["reason"] == "too_big"
    endless = io.BytesIO(b'{"file": "' + b"a" * (2 * MAX_BYTES) + b'"}')
    kind = {"Content-Type": "application/json"}
    assert (await physician.ask("POST", f"{CASE}/file", data=endless, headers=kind)).code == "too_large"
    large = {"query": "a" * 70_000}
    assert (await physician.post(f"{CASE}/search", large)).code == "too_large", "only a file may be so large"


async def test_a_file_taken_out_has_no_formula_and_comes_back_as_it_was(
    site: Website, physician: Browser
) -> None:
    for texts in (
        {"ko": "=cmd|' /C calc'!A0", "ru": "+7"},
        {"en": "@SUM(A1)", "uz": "'=1"},
        {"en": 'a "b"; c'},
    ):
        assert (await physician.post(CASE, {"texts": texts, "note": "-1"})).status == 201
    answer = await physician.get(f"{CASE}/file?separator=semicolon")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="hyeopjin-glossary.csv"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    cells = [cell for line in answer.text.splitlines()[1:] for cell in line.split('";"')]
    assert not [cell for cell in cells if cell.lstrip('"\ufeff')[:1] in tuple("=+-@")]
    assert (await physician.get(f"{CASE}/file?separator=|")).code == "bad_request"
    back = (await sent(physician, answer.text.encode())).json
    assert (back["same"], back["added"], back["changed"], back["problems"]) == (3, 0, 0, [])
    async with site.database.read() as tx:
        rows = (await tx.exec_driver_sql("SELECT detail FROM audit WHERE action = 'glossary_exported'")).all()
    assert len(rows) == 1
