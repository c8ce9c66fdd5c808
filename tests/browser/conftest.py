"""One demo and one crowd of browsers per module; the cases of a module share its people where they can."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright, expect, sync_playwright

from tests.support.browsers import Crowd
from tests.support.demo import Demo, running

expect.set_options(timeout=30_000)  # as everything else waits: how fast a busy machine is nobody promises


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    # Not for the whole session: while it runs, its loop keeps asyncio tests of other modules from running.
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running(tmp_path_factory.mktemp("demo")) as started:
        yield started


@pytest.fixture(scope="module")
def crowd(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    with Crowd(playwright, tmp_path_factory.mktemp("fakes")) as people:
        yield people
