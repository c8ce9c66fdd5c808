"""What all tests share: where a run's screenshots go, and an honest word when Chromium is missing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.postgres import PostgresServer, postgres_server
from tests.support.redis_server import RedisServer, redis_server
from tests.support.s3 import S3Server, s3_server

TOP = Path(__file__).parents[1]

# Unit tests run at the lowest priority beside browsers: how long an example takes says nothing.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_configure() -> None:
    """A run that is stopped takes down what it started. Shells keep Ctrl-C from what runs behind."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def output() -> Path:
    """A git-ignored folder for screenshots and logs; kept after the run."""
    folder = TOP / "test-output"
    folder.mkdir(exist_ok=True)
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    chromium = os.environ.get("HYEOPJIN_CHROMIUM", "/usr/bin/chromium")
    if Path(chromium).exists():
        return
    missing = pytest.mark.skip(
        reason=f"{chromium} is not there: run `make test` as root once, or set HYEOPJIN_CHROMIUM"
    )
    for item in items:
        if "browser" in item.keywords:
            item.add_marker(missing)


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """One S3 server for the run; each test takes a prefix of its own."""
    with s3_server() as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """One Redis for the run; each test takes a prefix of its own, and one that kills starts its own."""
    with redis_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for the run; each test takes a database of its own."""
    with postgres_server() as server:
        yield server
