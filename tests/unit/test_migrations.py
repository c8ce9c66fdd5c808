"""Migrations are one line: two people's next number is a conflict that git does not see."""

from __future__ import annotations

import re
from pathlib import Path

VERSIONS = Path(__file__).parents[2] / "server" / "storage" / "migrations" / "versions"


def test_every_migration_follows_the_one_before_it() -> None:
    files = sorted(VERSIONS.glob("[0-9]*.py"))
    for number, path in enumerate(files, 1):
        text = path.read_text()
        own = re.search(r'^revision = "(\d{4})"$', text, re.MULTILINE)
        before = re.search(r'^down_revision = (?:"(\d{4})"|None)$', text, re.MULTILINE)
        assert own, path.name
        assert before, path.name
        assert path.name.startswith(own[1]), path.name
        assert own[1] == f"{number:04}", path.name
        assert before[1] == (f"{number - 1:04}" if number > 1 else None), path.name
