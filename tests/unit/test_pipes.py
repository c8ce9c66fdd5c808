"""What children say on stderr arrives in our log at its own level, and an endless line does no harm."""

from __future__ import annotations

import asyncio
import logging

import pytest

from server.runtime.pipes import MAX_LINE, pass_through

LOG = logging.getLogger("hyeopjin.test_child")


async def heard(content: bytes, caplog: pytest.LogCaptureFixture) -> list[tuple[str, int, str]]:
    stream = asyncio.StreamReader()
    stream.feed_data(content)
    stream.feed_eof()
    with caplog.at_level(logging.DEBUG):
        await pass_through(stream, LOG)
    return [record for record in caplog.record_tuples if record[0].startswith("hyeopjin.")]


async def test_a_json_line_keeps_its_logger_level_and_fields(caplog: pytest.LogCaptureFixture) -> None:
    line = b'{"event": "room closed", "level": "warning", "logger": "hyeopjin.media.room", "seals": 3}\n'
    assert await heard(line, caplog) == [("hyeopjin.media.room", logging.WARNING, "room closed seals=3")]


async def test_another_line_is_an_error_of_the_child(caplog: pytest.LogCaptureFixture) -> None:
    assert await heard(b"Traceback (most recent call last):\n\n[1]\nrest", caplog) == [
        ("hyeopjin.test_child", logging.ERROR, text)
        for text in ("Traceback (most recent call last):", "[1]", "rest")
    ]


async def test_a_child_cannot_speak_for_a_foreign_logger(caplog: pytest.LogCaptureFixture) -> None:
    line = b'{"event": "x", "level": "no such level", "logger": "root"}\n'
    assert await heard(line, caplog) == [("hyeopjin.test_child", logging.INFO, "x")]


async def test_an_endless_line_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    stream = asyncio.StreamReader()
    with caplog.at_level(logging.DEBUG):
        reading = asyncio.ensure_future(pass_through(stream, LOG))
        for _ in range(50):
            stream.feed_data(b"x" * 65536)
            await asyncio.sleep(0)
        stream.feed_data(b"\n\xff\xfe\n")
        stream.feed_eof()
        await reading
    texts = [record[2] for record in caplog.record_tuples if record[0] == LOG.name]
    assert [len(text) for text in texts] == [MAX_LINE, 2]
