"""Every action of the audit is known by one list, which the chain keeps to, and has words everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.domain.audit_actions import ACTIONS
from server.domain.trail import OWN_READ, SIGN_IN_FAILED, is_look
from server.i18n import LANGUAGES, value_text
from server.services.audit_report import SECTIONS
from server.services.audit_reviews import rendered
from server.storage import audit
from server.storage.audit import Entry
from server.storage.audit_reviews import Review
from server.storage.database import Database
from server.storage.migrate import migrate
from tests.unit.test_i18n_catalogues import catalogue

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 48
"""Of the column; a syslog MSGID takes 32."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_action_has_words_of_its_own_in_every_language(language: str) -> None:
    messages = catalogue(language)
    missing = [one for one in sorted(ACTIONS) if f"act-{one.replace('_', '-')}" not in messages]
    assert not missing, missing
    stray = [
        one
        for one in messages
        if one.startswith("act-") and one[4:].replace("-", "_") not in {*ACTIONS, "other"}
    ]
    assert not stray, stray
    words = [value_text(language, "act", one) for one in sorted(ACTIONS)]
    assert len(set(words)) == len(words), sorted({one for one in words if words.count(one) > 1})


def test_the_page_offers_the_same_actions_to_search_for() -> None:
    text = (ROOT / "static/js/audit-actions.js").read_text(encoding="utf-8")
    listed = text[text.index("`\n") : text.rindex("`")].strip("`").split()
    assert listed == sorted(ACTIONS)


def test_an_actions_code_fits_its_column_and_says_whether_it_is_a_look() -> None:
    assert max(map(len, ACTIONS)) <= LONGEST
    assert {"case_read", "patients_searched", "document_downloaded", "glossary_read", OWN_READ} <= {
        one for one in ACTIONS if is_look(one)
    }
    assert not is_look(SIGN_IN_FAILED)


async def test_the_chain_takes_no_action_without_words(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'books.sqlite3'}")
    await migrate(database)
    async with database.write() as tx:
        with pytest.raises(ValueError, match="case_peeked"):
            await audit.append(tx, 1, Entry("case_peeked", "case", "1", ""))
        assert await audit.newest(tx) == (0, audit.FIRST)
    await database.close()


def test_the_monthly_review_says_in_words_what_was_copied_and_keeps_the_code_in_its_table() -> None:
    columns = ["at_ms", "site", "name", "role", "case", "action", "reason"]
    row = [0, "Seoul", "Kim", "reviewer", "C-1", "export_downloaded", "patient_copy"]
    sections = [{"id": one, "review": False, "columns": columns, "rows": [row]} for one in SECTIONS[3:4]]
    review = Review("r", "2026-11", 0, None, {"month": "2026-11", "sections": sections}, "0" * 64)
    for language in LANGUAGES:
        page = rendered(review, "html", language, "UTC").decode()
        assert value_text(language, "act", "export_downloaded") in page
        assert "export_downloaded" not in page
        assert "patient_copy" not in page
    assert '"export_downloaded"' in rendered(review, "csv", "en", "UTC").decode()
    assert value_text("en", "act", "written_by_a_newer_version") == "Something else"
