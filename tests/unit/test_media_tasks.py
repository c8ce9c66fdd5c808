"""Owned tasks, the loop's lag, and the counters' names."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest

from media.metrics import Counters, LoopLag, kernel_drops, process_usage
from media.tasks import TaskOwner


async def test_an_owner_ends_its_tasks_when_it_closes() -> None:
    owner = TaskOwner("test")
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    task = owner.start(work())
    await asyncio.sleep(0)
    await owner.close()
    assert ended.is_set()
    assert task.cancelled()


async def test_a_task_that_fails_is_told_with_its_owners_name(caplog: pytest.LogCaptureFixture) -> None:
    owner = TaskOwner("careful")

    async def work() -> None:
        raise ValueError("broken")

    with caplog.at_level(logging.ERROR, "hyeopjin.media.tasks"):
        task = owner.start(work())
        await asyncio.wait([task])
        await asyncio.sleep(0)
    assert "careful" in caplog.text
    await owner.close()


def test_the_worst_lag_of_late_is_told_however_often_it_is_asked() -> None:
    lag = LoopLag()
    for late in (0.001, 0.05, -0.2, 0.002):
        lag.note(late)
    assert lag.values()["loop_lag_worst_ms"] == 50
    assert lag.values()["loop_lag_worst_ms"] == 50, "reading changes nothing: several ask"


def test_counters_are_plain_numbers_without_labels() -> None:
    counters = Counters()
    counters.packets_in += 2
    told = counters.as_dict()
    assert told["packets_in"] == 2
    assert all(isinstance(value, int) and name.replace("_", "").isalpha() for name, value in told.items())
    assert process_usage()["rss_peak_mb"] > 1


def test_what_the_kernel_drops_because_nobody_reads_is_counted() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as slow,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.bind(("127.0.0.1", 0))
        assert kernel_drops([slow, sender]) == 0
        for _ in range(200):
            sender.sendto(b"x" * 1000, slow.getsockname())
        assert kernel_drops([slow, sender]) > 100
