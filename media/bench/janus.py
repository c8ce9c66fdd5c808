"""Debian's Janus under the same peers and traffic, to set our figures beside something everybody knows.

Its VideoRoom plugin forwards, over its Unix-socket API; each participant has a connection for sending and one
for receiving, as that plugin wants. Tuned: ice-lite, one event loop. Nothing is recorded. Nothing leaves the
machine.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import socket
import tempfile
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path
from typing import Any

from media.bench.report import BenchFailedError, drive

COMMAND = "janus"
READY_TIMEOUT = 15.0
TRIES = 20
PLUGIN = "janus.plugin.videoroom"
MAX_MESSAGE = 1 << 18
SETTINGS = """
general: {{ configs_folder = "{folder}"  session_timeout = 0  debug_level = 2  event_loops = 1
  server_name = "bench" }}
nat: {{ ice_lite = true }}
media: {{ rtp_port_range = "20000-29999" }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
"""
PLUGINS = ("audiobridge", "duktape", "echotest", "lua", "nosip", "recordplay", "sip", "streaming", "textroom")
TRANSPORTS = ("http", "mqtt", "nanomsg", "rabbitmq", "websockets")


def installed() -> bool:
    """Whether there is a Janus here."""
    return shutil.which(COMMAND) is not None


async def start(folder: Path) -> Process:
    """A Janus of its own with its socket in `folder`; raises BenchFailedError."""
    path = folder / "janus.sock"
    settings = SETTINGS.format(
        folder=folder,
        plugins=",".join(f"libjanus_{name}.so" for name in PLUGINS),
        transports=",".join(f"libjanus_{name}.so" for name in TRANSPORTS),
    )
    (folder / "janus.jcfg").write_text(settings)
    (folder / "janus.transport.pfunix.jcfg").write_text(
        f'general: {{ enabled = true  json = "compact"  path = "{path}"  type = "SOCK_SEQPACKET" }}\n'
    )
    (folder / "janus.plugin.videoroom.jcfg").write_text("general: { }\n")
    for _ in range(TRIES):  # 1.1.2 now and then finds no transport of its own and ends at once
        process = await asyncio.create_subprocess_exec(
            COMMAND, "-C", str(folder / "janus.jcfg"), "-F", str(folder), stdin=DEVNULL, stdout=DEVNULL
        )
        deadline = asyncio.get_running_loop().time() + READY_TIMEOUT
        while process.returncode is None and asyncio.get_running_loop().time() < deadline:
            if path.exists():
                return process
            await asyncio.sleep(0.05)
        if process.returncode is None:
            process.kill()
            await process.wait()
    raise BenchFailedError("Janus did not become ready")


async def measure(rooms: int, seconds: float) -> dict[str, Any]:
    """CPU µs per forwarded packet of Janus, like `report.measure`; raises BenchFailedError."""
    with tempfile.TemporaryDirectory(prefix="hj-janus-") as text:
        folder = Path(text)
        process = await start(folder)
        try:
            settings = {"janus": str(folder / "janus.sock"), "rooms": rooms, "seconds": seconds}
            result, cpu, rss = await drive(process, settings)
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
    return {
        "cpu_us_per_forwarded_packet": round(cpu * 1e6 / max(1, result["packets_out"]), 2),
        "rss_mb": round(rss / 1e6, 1),
        **result,
    }


class Api:
    """Requests and their answers over Janus's Unix socket. Close it."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.connect(path)
        self._socket.setblocking(False)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._readable)
        self.session = 0

    async def open(self) -> None:
        """One session for everything."""
        self.session = (await self.ask({"janus": "create"}))["data"]["id"]

    async def handle(self) -> int:
        """A new handle of the plugin: one connection of one participant."""
        answer = await self.ask({"janus": "attach", "session_id": self.session, "plugin": PLUGIN})
        return int(answer["data"]["id"])

    async def tell(
        self, handle: int, body: dict[str, Any], jsep: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """A message of the plugin's; its answer, with `plugindata` and perhaps `jsep`."""
        message = {"janus": "message", "session_id": self.session, "handle_id": handle, "body": body}
        return await self.ask(message | ({} if jsep is None else {"jsep": jsep}))

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Raises ConnectionError for an error and TimeoutError for silence."""
        transaction = secrets.token_hex(8)
        future = self._waiting[transaction] = self._loop.create_future()
        self._socket.send(json.dumps({**message, "transaction": transaction}).encode())
        async with asyncio.timeout(READY_TIMEOUT):
            answer: dict[str, Any] = await future
        said = answer.get("plugindata", {}).get("data", {})
        if answer["janus"] == "error" or "error" in said:
            raise ConnectionError(f"Janus: {answer.get('error') or said['error']}")
        return answer

    def _readable(self) -> None:
        try:
            data = self._socket.recv(MAX_MESSAGE)
        except BlockingIOError:
            return
        message = json.loads(data) if data else {}
        future = self._waiting.get(message.get("transaction", ""))
        if future is not None and not future.done() and message["janus"] != "ack":
            del self._waiting[message["transaction"]]
            future.set_result(message)

    def close(self) -> None:
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
