"""A large study: what it costs the server in memory, and what a kill costs the upload."""

from __future__ import annotations

import contextlib
import http.client
import random
import threading
from pathlib import Path

import pytest

from tests.support.demo import until
from tests.support.document_server import MB, PIECE, Server, sha256_of


def carried_over(folder: Path, size: int, kills: int, seed: int) -> int:
    """Upload `size` bytes through so many kills, and download; bytes of memory above the start, at most."""
    luck = random.Random(seed)
    server = Server(folder)
    try:
        document = server.begin(size, sha256_of(size))
        share = size // (2 * kills)  # the kills are in the first half
        for number in range(kills):
            stop = share * number + luck.randrange(share // 4, share)
            with contextlib.suppress(OSError, http.client.HTTPException):
                server.send(document, size, server.offset(document), stop)
                # dies somewhere in the next piece
                threading.Timer(luck.random() * 0.05, server.kill).start()
                while True:
                    server.send(document, size, server.offset(document), stop + 4 * PIECE)
            server.process.wait()
            server = Server(folder)
            kept = server.offset(document)
            assert kept >= stop, "what was acknowledged is there"
        base = server.memory()
        server.forget()
        server.send(document, size, server.offset(document))
        until("it is judged", lambda: server.state(document)["state"] != "checking", 120)
        assert server.state(document)["state"] == "ready", server.state(document)
        assert server.download(document) == sha256_of(size)
        return server.memory("VmHWM") - base
    finally:
        server.kill()


def test_an_upload_goes_on_after_a_kill_and_takes_little_memory(tmp_path: Path) -> None:
    grown = carried_over(tmp_path / "data", 24 * MB, kills=1, seed=1)
    assert grown < 60 * MB, grown


@pytest.mark.long
def test_two_gigabytes_over_three_kills_take_less_than_100_mb(tmp_path: Path) -> None:
    grown = carried_over(tmp_path / "data", 2048 * MB, kills=3, seed=7)
    print(f"2 GiB, 3 kills: {grown / MB:.0f} MB more memory")  # noqa: T201
    assert grown < 100 * MB, grown
