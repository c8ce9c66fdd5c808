"""The generator process: `python -m media.bench.generator`, one JSON line of settings on stdin.

Settings: `{"socket", "rooms", "seconds", "record", "layered", "joins"}`; `joins`: so many newcomers into
rooms of their own while it measures, two a second, not counted in the result. For a bare forwarder `{"bare":
UDP port, "keys", …}` instead of a socket, for Janus `{"janus": its socket, …}`. Prints `{"phase":
"measuring"}` when it begins to count and `{"phase": "measured"}` when it ends, so that the parent can read
the worker's CPU time at those instants; then one `{"result": …}` or `{"error": …}`. It never shares a process
with a media worker.
"""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import uvloop

from media.bench.bare_room import BareRoom
from media.bench.dtls import Identity
from media.bench.janus import Api
from media.bench.janus_room import JanusRoom, own_address
from media.bench.room import SEATS, BenchRoom, Load, Pacer
from media.bench.traffic import AUDIO, LOW, VIDEO
from media.bench.uplink import socket_drops
from media.control_client import ControlClient
from media.tasks import TaskOwner

JOIN_TIMEOUT = 30.0
WARM_UP = 1.0  # s after everybody sees everybody
SETTLE = 1.0  # s for the last packets and retransmissions
CLOSE_TIMEOUT = 10.0
JOIN_EVERY = 0.5


AnyRoom = BenchRoom | BareRoom | JanusRoom
Beside = Callable[[Load], Coroutine[Any, Any, None]]


class BenchError(Exception):
    """The bench could not measure, with the reason."""


def say(message: dict[str, Any]) -> None:
    """One JSON line to the parent."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def percentile(ordered: list[float], part: float) -> float:
    """Nearest-rank percentile of an ordered list; 0 when empty."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


async def run(settings: dict[str, Any]) -> dict[str, Any]:
    """Joins the rooms, sends for the given seconds, returns the tallies; raises BenchError."""
    if "bare" in settings:
        return await run_bare(settings)
    if "janus" in settings:
        return await run_janus(settings)
    rooms: dict[str, BenchRoom] = {}
    lost = asyncio.Event()

    def dispatch(event: dict[str, Any]) -> None:
        if event.get("room") in rooms:
            rooms[event["room"]].event(event)

    client = await ControlClient.connect(settings["socket"], dispatch, lost.set)
    owner, identity = TaskOwner("bench"), Identity()
    try:
        for number in range(settings["rooms"]):
            room = BenchRoom(number, client, owner, identity, settings.get("layered", False))
            rooms[room.room] = room
            await client.put_plan(room.plan(settings["record"]))
        counted = list(rooms.values())
        late = [
            BenchRoom(len(rooms) + n, client, owner, identity) for n in range(-(-settings["joins"] // SEATS))
        ]
        rooms |= {room.room: room for room in late}
        newcomers = partial(_newcomers, late, settings["joins"], client)
        result = await _play(counted, lost, settings["seconds"], newcomers)
        result["joined"] = sum(peer.connected.is_set() for room in late for peer in room.peers.values())
        await _close([*counted, *late], client)
        return result
    finally:
        for room in rooms.values():
            room.close()
        await owner.close()
        await client.close()


async def run_bare(settings: dict[str, Any]) -> dict[str, Any]:
    """The same traffic through a forwarder that only forwards."""
    identity, keys, port = Identity(), settings["keys"], settings["bare"]
    rooms = [
        BareRoom(number, identity, port, keys[number * SEATS :][:SEATS], settings.get("layered", False))
        for number in range(settings["rooms"])
    ]
    try:
        return await _play(rooms, asyncio.Event(), settings["seconds"])
    finally:
        for room in rooms:
            room.close()


async def run_janus(settings: dict[str, Any]) -> dict[str, Any]:
    """The same through Janus."""
    api, identity, host = Api(settings["janus"]), Identity(), own_address()
    rooms: list[JanusRoom] = []
    try:
        await api.open()
        for number in range(settings["rooms"]):
            rooms.append(JanusRoom(number, api, identity, host))
            await rooms[-1].open()
        return await _play(rooms, asyncio.Event(), settings["seconds"])
    finally:
        for room in rooms:
            room.close()
        api.close()


async def _newcomers(rooms: list[BenchRoom], count: int, client: ControlClient, load: Load) -> None:
    """Joins so many peers one after the other; each sends from when it is connected."""
    for number in range(count):
        room = rooms[number // SEATS]
        peer = list(room.peers.values())[number % SEATS]
        await client.put_plan(room.plan(record=True, present=number % SEATS + 1))
        async with asyncio.timeout(JOIN_TIMEOUT):
            await peer.connected.wait()
        Pacer(peer, load).start(0)
        await asyncio.sleep(JOIN_EVERY)


async def _play(
    rooms: Sequence[AnyRoom], lost: asyncio.Event, seconds: float, beside: Beside | None = None
) -> dict[str, Any]:
    load, owner = Load(), TaskOwner("beside")
    pacers = await _join(rooms, load, lost)
    if beside is not None:
        owner.start(beside(load))
    try:
        drops = await _measure(rooms, load, lost, seconds)
    finally:
        await owner.close()
    return summary(rooms, pacers, load, drops)


async def _join(rooms: Sequence[AnyRoom], load: Load, lost: asyncio.Event) -> list[Pacer]:
    peers = [peer for room in rooms for peer in room.peers.values()]
    pacers = []
    deadline = asyncio.get_running_loop().time() + JOIN_TIMEOUT
    for number, peer in enumerate(peers):
        while not peer.connected.is_set():
            await _check(rooms, lost, deadline, "not connected")
        if not peer.sends:
            continue
        pacer = Pacer(peer, load)
        pacer.start(number / len(peers) / 50)
        pacers.append(pacer)
    while not all(room.complete() for room in rooms):
        for peer in peers:
            peer.ask_picture()
        await _check(rooms, lost, deadline, "media did not arrive everywhere", 0.3)
    await asyncio.sleep(WARM_UP)
    return pacers


async def _check(
    rooms: Sequence[AnyRoom], lost: asyncio.Event, deadline: float, what: str, pause: float = 0.02
) -> None:
    trouble = next((t for room in rooms if (t := room.trouble())), None)
    if lost.is_set():
        raise BenchError("the worker went away")
    if trouble:
        raise BenchError(trouble)
    if asyncio.get_running_loop().time() > deadline:
        raise BenchError(what)
    await asyncio.sleep(pause)


async def _measure(rooms: Sequence[AnyRoom], load: Load, lost: asyncio.Event, seconds: float) -> int:
    ports = {peer.port for room in rooms for peer in room.peers.values()}
    before = socket_drops(ports)
    say({"phase": "measuring"})
    load.phase = 1
    deadline = asyncio.get_running_loop().time() + seconds
    while (left := deadline - asyncio.get_running_loop().time()) > 0:
        await _check(rooms, lost, deadline + 60, "", min(left, 0.5))
    load.phase = 0
    say({"phase": "measured"})
    await asyncio.sleep(SETTLE)
    load.sending = False
    return socket_drops(ports) - before


async def _close(rooms: list[BenchRoom], client: ControlClient) -> None:
    for room in rooms:
        await client.put_plan(room.plan(record=False, closed=True))
    async with asyncio.timeout(CLOSE_TIMEOUT):
        for room in rooms:
            await room.closed.wait()


def summary(rooms: Sequence[AnyRoom], pacers: list[Pacer], load: Load, drops: int) -> dict[str, Any]:
    """Adds up all receivers. Every packet a peer sent in the measured phase is owed to SEATS - 1 others."""
    peers = [peer for room in rooms for peer in room.peers.values()]
    tallies = [tally for peer in peers for tally in peer.received.tallies.values()]
    sent = sum(pacer.measured[kind] for pacer in pacers for kind in (AUDIO, VIDEO))
    got = sum(tally.measured for tally in tallies)
    ages = sorted(ns / 1e6 for peer in peers for ns in peer.received.latencies_ns)
    late = sorted(load.late_ms)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "packets_in": sent + sum(pacer.measured[LOW] for pacer in pacers),
        "packets_out": got,
        "lost": sent * (SEATS - 1) - got,
        "corrupt": sum(peer.received.corrupt for peer in peers),
        "misrouted": sum(peer.received.misrouted for peer in peers),
        "low_forwarded": sum(peer.received.low for peer in peers),
        "reordered": sum(tally.reordered for tally in tallies),
        "duplicates": sum(tally.duplicates for tally in tallies),
        "latency_ms": {"p50": round(percentile(ages, 0.5), 3), "p99": round(percentile(ages, 0.99), 3)},
        "generator": {
            "dropped": drops,
            "skipped": load.skipped,
            "send_blocked": sum(peer.counters.send_blocked for peer in peers),
            "late_ms_p99": round(percentile(late, 0.99), 3),
            "nacks_answered": sum(peer.counters.resent for peer in peers),
            "keyframe_requests": sum(peer.counters.keyframe_requests for peer in peers),
            "twcc_reports": sum(peer.counters.twcc for peer in peers),
            "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
        },
    }


def main() -> int:
    """Entry point of the process."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    settings = json.loads(sys.stdin.readline())
    try:
        say({"result": uvloop.run(run(settings))})
    except (BenchError, OSError, TimeoutError) as error:
        say({"error": f"{type(error).__name__}: {error}"})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
