"""What the books are asked meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import sqlalchemy.event

from tests.support.website import Website


@contextlib.contextmanager
def statements(site: Website) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    engine = site.database.engine.sync_engine
    sqlalchemy.event.listen(engine, "before_cursor_execute", note)
    yield seen
    sqlalchemy.event.remove(engine, "before_cursor_execute", note)
