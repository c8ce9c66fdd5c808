"""What a flood of senseless datagrams costs a worker, and whether a call on it is disturbed. Loopback only.

Also the sender, `python -m media.bench.flood`: one JSON line on stdin, `{"port", "kind", "rate"}`; ends
with it.
"""

from __future__ import annotations

import json
import logging
import os
import random
import secrets
import socket
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from media.bench.report import drive, start, stop_worker, worker_settings
from media.control_client import ControlClient

KINDS = ("junk", "media", "stun")
"""Any bytes; media and DTLS of sources nobody knows; binding requests with a ufrag nobody has."""
RATE = 10_000
STEP_S = 0.005
SOCKETS = 50
"""So many addresses it comes from."""
MOST_PERCENT = 20.0


def datagrams(kind: str, dice: random.Random) -> list[bytes]:
    """A few hundred to be sent in turn."""
    if kind == "stun":
        return [_request(dice) for _ in range(300)]
    heads = range(256) if kind == "junk" else (22, 0x80, 0x90)
    return [bytes([dice.choice(heads)]) + dice.randbytes(dice.randrange(1200)) for _ in range(300)]


def _request(dice: random.Random) -> bytes:
    """A binding request (RFC 8489) for a ufrag of nobody's, with an integrity and fingerprint of nobody's."""
    name = secrets.token_hex(4).encode() + b":" + secrets.token_hex(2).encode()
    body = struct.pack("!HH", 0x0006, len(name)) + name + bytes(-len(name) % 4)
    body += struct.pack("!HHI", 0x0024, 4, 1845501695) + struct.pack("!HHQ", 0x802A, 8, dice.getrandbits(64))
    body += (
        struct.pack("!HH", 0x0008, 20)
        + dice.randbytes(20)
        + struct.pack("!HH", 0x8028, 4)
        + dice.randbytes(4)
    )
    return struct.pack("!HHI", 0x0001, len(body), 0x2112A442) + dice.randbytes(12) + body


async def measure(kind: str, seconds: float, native: bool = True) -> dict[str, Any]:
    """One three-party room without and with the flood: the worker's CPU in per cent of a core, and losses."""
    with tempfile.TemporaryDirectory(prefix="hj-flood-") as folder:
        path = Path(folder) / "worker.sock"
        worker, ready = await start("media.worker", worker_settings(Path(folder), path, native=native))
        settings = {"socket": str(path), "rooms": 1, "seconds": seconds, "record": True, "joins": 0}
        try:
            calm, calm_cpu, _ = await drive(worker, settings)
            flood, _ = await start(
                "media.bench.flood", {"port": ready["udp_port"], "kind": kind, "rate": RATE}
            )
            began, before = time.monotonic(), await _dropped(path)
            try:
                flooded, flooded_cpu, _ = await drive(worker, settings)
                arrived = (await _dropped(path) - before) / (time.monotonic() - began)
            finally:
                await stop_worker(flood)
        finally:
            await stop_worker(worker)
    percent = 100 * (flooded_cpu - calm_cpu) / seconds
    return {
        "kind": kind,
        "datagrams_per_second": round(arrived),
        "percent_of_a_core": round(percent, 1),
        "most": MOST_PERCENT,
        "lost": flooded["lost"],
        "corrupt": flooded["corrupt"],
        "latency_ms": {"calm": calm["latency_ms"], "flooded": flooded["latency_ms"]},
        "generator": flooded["generator"],
    }


async def _dropped(path: Path) -> float:
    """What the worker has refused so far."""
    client = await ControlClient.connect(path, lambda event: None)
    metrics = await client.metrics()
    await client.close()
    return sum(float(count) for name, count in metrics.items() if name.startswith("hub_dropped_"))


def send(port: int, kind: str, rate: int, stop: threading.Event) -> None:
    """Sends until told to stop."""
    what = datagrams(kind, random.Random(7))  # noqa: S311 - rubbish, not secrets
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(SOCKETS)]
    for sock in sockets:
        sock.setblocking(False)
        sock.connect(("127.0.0.1", port))
    began, sent = time.monotonic(), 0
    while not stop.is_set():
        owed = int((time.monotonic() - began) * rate) - sent
        for number in range(sent, sent + min(owed, rate // 10)):
            try:
                sockets[number % SOCKETS].send(what[number % len(what)])
            except OSError:  # full: it comes again
                continue
        sent += owed  # what was missed is not made up for
        time.sleep(STEP_S)
    for sock in sockets:
        sock.close()


def main() -> int:
    """Entry point of the sender."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    settings, stop = json.loads(sys.stdin.readline()), threading.Event()

    def wait() -> None:
        while os.read(0, 4096):
            pass
        stop.set()

    threading.Thread(target=wait, daemon=True).start()
    sys.stdout.write(json.dumps({"ready": True}) + "\n")
    sys.stdout.flush()
    send(settings["port"], settings["kind"], settings["rate"], stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
