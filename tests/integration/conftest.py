"""The front that most tests ask, a mail server, and the two databases; a test file may have its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.postgres import PostgresServer
from tests.support.smtp import Post, post_office
from tests.support.website import Website, website


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Website]:
    async with website(tmp_path / "data") as made:
        yield made


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    async with post_office() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, postgres: PostgresServer) -> str:
    """As the setting: nothing is SQLite in the data directory, the other has today's tables already."""
    return "" if request.param == "sqlite" else await postgres.migrated()
