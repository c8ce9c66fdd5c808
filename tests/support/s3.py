"""A real S3 API over HTTP, in a process of its own: moto's server on a free port."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from server.runtime.bucket import Bucket, S3Options
from tests.support.ports import free_port

BUCKET = "synthetic-recordings"
_ALONE = "import sys; from moto.server import main; main(['-H', '127.0.0.1', '-p', sys.argv[1]])"


class S3Server:
    """Start, ask, kill, start again (empty: it keeps everything in memory)."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def options(self, prefix: str = "", bucket: str = BUCKET) -> S3Options:
        return S3Options(
            bucket, prefix, self.endpoint, "us-east-1", "synthetic", "synthetic-secret", allow_http=True
        )

    def bucket(self, prefix: str = "") -> Bucket:
        return Bucket.s3(self.options(prefix))

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _ALONE, str(self.port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                status, _ = self.ask("PUT", f"/{BUCKET}")
            except OSError:
                assert time.monotonic() < deadline, "moto does not start"
                assert self._process.poll() is None, "moto has ended"
                time.sleep(0.05)
            else:
                assert status == 200
                return

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, str]:
        """A request past our own client; moto asks for no signature."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            credential = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request"
            connection.request(method, path, body, {"Authorization": credential})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def s3_server() -> Iterator[S3Server]:
    server = S3Server()
    server.start()
    try:
        yield server
    finally:
        server.stop()


class SlowLine:
    """A TCP relay before the store that lets so many bytes a second go up, so that a kill finds an upload
    half-way. `up` counts what went up. Lives on the test's loop.
    """

    STEP = 64 * 1024

    def __init__(self, server: S3Server, bytes_per_second: float) -> None:
        self._server = server
        self._pause = self.STEP / bytes_per_second
        self._listening: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.up = 0
        self.port = 0

    async def __aenter__(self) -> SlowLine:
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._listening.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listening is not None
        self._listening.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, on = await asyncio.open_connection("127.0.0.1", self._server.port)
        self._writers += [back, on]
        for work in (self._carry(near, on, self._pause), self._carry(far, back, 0)):
            task = asyncio.get_running_loop().create_task(work)
            self._tasks.add(task)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, pause: float) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(self.STEP):
                self.up += len(data) if pause else 0
                sink.write(data)
                await sink.drain()
                await asyncio.sleep(pause)
        sink.close()
