"""A web front with documents in a process of its own, to be measured and killed: `… <data directory>`.

It prints one line of JSON: address, e-mail, password of a referring physician.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.client
import json
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.uploads import BASE, BYTES, ByFirstBytes
from tests.support.website import website

PIECE = 8 * 1024 * 1024
MB = 1024 * 1024


async def serve(folder: Path) -> None:
    async with website(folder, decoder=ByFirstBytes()) as site:
        assert site.documents is not None
        await site.documents.checks.start()
        email, password = site.password("referring_physician")
        told = {"address": site.address, "email": email, "password": password}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


class Server:
    """The process, and a signed-in client that streams."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.support.document_server", str(folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.told = json.loads(self.process.stdout.readline())
        self._cookie = ""
        body = {"email": self.told["email"], "password": self.told["password"]}
        answer, _ = self.ask("POST", "/api/sign-in", body)
        self._cookie = str(answer.headers["Set-Cookie"]).split(";")[0]

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """One request on a connection of its own. `body`: JSON, or pieces of bytes."""
        line = self.connect()
        if isinstance(body, dict):
            body, headers = json.dumps(body), {**headers, "Content-Type": "application/json"}
        with contextlib.closing(line):
            line.request(method, path, body, {**headers, "Cookie": self._cookie})
            answer = line.getresponse()
            return answer, answer.read()

    def connect(self) -> http.client.HTTPConnection:
        host, port = self.told["address"].removeprefix("http://").split(":")
        return http.client.HTTPConnection(host, int(port), timeout=120)

    def begin(self, size: int, sha256: str = "") -> str:
        wish = {"name": "study.pdf", "size": size, "kind": "imaging", "sha256": sha256}
        answer, said = self.ask("POST", BASE, wish)
        assert answer.status == 201, said
        return str(json.loads(said)["id"])

    def offset(self, document: str) -> int:
        _, said = self.ask("GET", f"{BASE}/{document}/upload")
        return int(json.loads(said)["offset"])

    def send(self, document: str, size: int, offset: int, stop: int | None = None) -> None:
        """From `offset` on to `stop`, a piece a request. Raises OSError when the server dies."""
        while offset < (stop or size):
            length = min(PIECE, (stop or size) - offset)
            headers = {**BYTES, "Upload-Offset": str(offset), "Content-Length": str(length)}
            answer, said = self.ask("PATCH", f"{BASE}/{document}/upload", content(offset, length), **headers)
            assert answer.status == 204, said
            offset = int(str(answer.headers["Upload-Offset"]))

    def state(self, document: str) -> Any:
        return json.loads(self.ask("GET", f"{BASE}/{document}")[1])

    def download(self, document: str) -> str:
        """Its SHA-256."""
        line, digest = self.connect(), hashlib.sha256()
        path = f"{BASE}/{document}/content?reason=treatment"
        with contextlib.closing(line):
            line.request("GET", path, headers={"Cookie": self._cookie})
            answer = line.getresponse()
            while piece := answer.read(MB):
                digest.update(piece)
        return digest.hexdigest()

    def memory(self, what: str = "VmRSS") -> int:
        """Bytes; `VmHWM` is the most since the start or `forget`."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split(f"{what}:")[1].split()[0]) * 1024

    def forget(self) -> None:
        """Begin to measure the most anew."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


_BLOCK = hashlib.shake_256(b"synthetic").digest(64 * 1024 - 8)


def content(start: int, length: int) -> Iterator[bytes]:
    """Bytes of an endless file that begins like a PDF; each 64 KiB carry their place. `start`: of a block."""
    end = start + length
    while start < end:
        inside = start % (64 * 1024)
        block = struct.pack("!Q", start - inside) + _BLOCK if start >= 64 * 1024 else b"%PDF-1.7" + _BLOCK
        yield block[inside : inside + end - start]
        start += min(len(block) - inside, end - start)


def sha256_of(size: int) -> str:
    digest = hashlib.sha256()
    for piece in content(0, size):
        digest.update(piece)
    return digest.hexdigest()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
