"""A real worker process over its control channel: plans, epochs, ends, and what it refuses."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from media.control import ControlRefusedError, PeerPlan, RoomPlan
from media.control_client import ControlClient, ControlLostError
from tests.integration.worker_process import ROOT, WorkerProcess, plan, worker_process

KEY = bytes(range(32))


def peer(connection: str, **more: Any) -> PeerPlan:
    return PeerPlan(connection, grant="grant1", key=KEY, **more)


async def raw(worker: WorkerProcess) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_unix_connection(str(worker.socket))


async def test_the_socket_is_for_its_owner_alone() -> None:
    async with worker_process() as worker:
        assert stat.S_IMODE(worker.socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(worker.socket.parent.stat().st_mode) == 0o700
        assert worker.ready["udp_port"] == worker.ready["tcp_port"] > 0


async def test_a_plan_is_answered_with_what_is_and_an_older_one_changes_nothing() -> None:
    async with worker_process() as worker:
        client = worker.client
        state = await client.put_plan(plan("room1", 5, {"a": peer("a.1.1")}))
        assert (state["epoch"], state["version"]) == (1, 5)
        assert state["peers"]["a"] == {"connection": "a.1.1", "state": "connecting", "connected": False}
        older = await client.put_plan(plan("room1", 4, {}))
        assert (older["version"], set(older["peers"])) == (5, {"a"})
        offer = await worker.wait_event(ev="offer", peer="a")
        assert offer["room"] == "room1"
        assert [offer["connection"], offer["ice_restart"], offer["tracks"]] == ["a.1.1", False, []]
        both = await client.put_plan(plan("room1", 6, {"a": peer("a.1.1"), "b": peer("b.1.1")}))
        assert set(both["peers"]) == {"a", "b"}
        offer = await worker.wait_event(ev="offer", peer="b")
        assert {(t["participant"], t["kind"]) for t in offer["tracks"]} == {("a", "audio"), ("a", "camera")}


async def test_routes_change_nothing_in_what_is_offered() -> None:
    async with worker_process() as worker:
        peers = {name: peer(f"{name}.1.1") for name in "abc"}
        routes = {"a": (("b", "audio"),), "b": (("c", "camera"), ("nobody", "audio"))}
        await worker.client.put_plan(plan("room1", 1, peers, routes=routes))
        for name in peers:
            offer = await worker.wait_event(ev="offer", peer=name)
            offered = {(t["participant"], t["kind"]) for t in offer["tracks"]}
            assert offered == {(n, k) for n in peers if n != name for k in ("audio", "camera")}


async def test_a_new_connection_id_gets_a_new_offer() -> None:
    async with worker_process() as worker:
        await worker.client.put_plan(plan("room1", 1, {"a": peer("a.1.1")}))
        await worker.client.put_plan(plan("room1", 2, {"a": peer("a.1.2")}))
        await worker.wait_event(ev="offer", peer="a", connection="a.1.2")
        with pytest.raises(ControlRefusedError, match="unknown_connection"):
            await worker.client.answer("room1", "a", "a.1.1", "1", "v=0")


async def test_a_higher_epoch_ends_the_old_one_and_a_lower_never_comes_back() -> None:
    async with worker_process() as worker:
        client = worker.client
        await client.put_plan(plan("room1", 9, {"a": peer("a.1.1")}, room_key=KEY))
        state = await client.put_plan(plan("room1", 1, {"a": peer("a.2.1")}, epoch=2, room_key=KEY))
        assert (state["epoch"], state["peers"]["a"]["connection"]) == (2, "a.2.1")
        await worker.wait_event(ev="closed", room="room1", epoch=1)
        state = await client.put_plan(plan("room1", 10, {"a": peer("a.1.2")}))
        assert (state["epoch"], state["peers"]["a"]["connection"]) == (2, "a.2.1")
        state = await client.put_plan(plan("room1", 2, {}, epoch=2, closed=True))
        assert state["closed"]
        heads = await worker.wait_event(ev="heads", room="room1", epoch=2)
        assert "room" in heads["heads"]
        await worker.wait_event(ev="closed", room="room1", epoch=2)
        state = await client.put_plan(plan("room1", 3, {"a": peer("a.2.2")}, epoch=2))
        assert (state["closed"], state["peers"]) == (True, {})
        state = await client.put_plan(plan("room1", 0, {"a": peer("a.3.1")}, epoch=3))
        assert set(state["peers"]) == {"a"}


async def test_closing_a_room_that_was_never_opened_is_granted() -> None:
    async with worker_process() as worker:
        state = await worker.client.put_plan(plan("room9", 1, {}, closed=True))
        assert state["closed"]
        await worker.wait_event(ev="closed", room="room9", epoch=1)


async def test_every_client_hears_every_event() -> None:
    async with worker_process() as worker:
        events: list[dict[str, Any]] = []
        second = await ControlClient.connect(worker.socket, events.append)
        await worker.client.put_plan(plan("room1", 1, {"a": peer("a.1.1")}))
        await worker.wait_event(ev="offer")
        await worker.wait_event(ev="stored", room="room1")
        async with asyncio.timeout(5):  # each client is written to by itself
            while not {"offer", "stored"} <= {event["ev"] for event in events}:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await second.close()
        await worker.client.metrics()


async def test_what_cannot_be_read_is_refused_and_the_channel_stays() -> None:
    async with worker_process() as worker:
        reader, writer = await raw(worker)
        for line, code, about in (
            (b"rubbish", "bad_json", None),
            (b"[1]", "bad_message", None),
            (b'{"id":7,"op":"fly"}', "unknown_op", 7),
            (b'{"id":8,"op":"plan","plan":{}}', "bad_plan", 8),
        ):
            writer.write(line + b"\n")
            reply = json.loads(await asyncio.wait_for(reader.readline(), 5))
            assert reply == {"re": about, "ok": False, "code": code}
        writer.write(b'{"id":9,"op":"metrics"}\n')
        assert json.loads(await asyncio.wait_for(reader.readline(), 5))["ok"] is True
        writer.write(b"x" * (2 << 20))
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        assert (await worker.client.metrics())["rooms"] == 0


async def test_what_does_not_exist_is_refused_by_name() -> None:
    async with worker_process() as worker:
        client = worker.client
        with pytest.raises(ControlRefusedError, match="unknown_room"):
            await client.answer("room1", "a", "a.1.1", "1", "v=0")
        await client.put_plan(plan("room1", 1, {"a": peer("a.1.1")}))
        with pytest.raises(ControlRefusedError, match="unknown_peer"):
            await client.restart_ice("room1", "b", "b.1.1")
        offer = await worker.wait_event(ev="offer")
        with pytest.raises(ControlRefusedError, match="answer"):
            await client.answer("room1", "a", "a.1.1", offer["offer_id"], "v=0\r\nrubbish")
        await client.restart_ice("room1", "a", "a.1.1")
        await worker.wait_event(ev="offer", ice_restart=True)


async def test_a_draining_worker_takes_no_new_room() -> None:
    async with worker_process() as worker:
        client = worker.client
        await client.put_plan(plan("room1", 1, {"a": peer("a.1.1")}))
        await client.drain()
        await client.put_plan(plan("room1", 2, {}))
        with pytest.raises(ControlRefusedError, match="draining"):
            await client.put_plan(plan("room2", 1, {}))
        assert (await client.metrics())["draining"] == 1


async def test_withdrawn_consent_ends_that_seats_recording_at_once() -> None:
    async with worker_process() as worker:
        peers = {"a": peer("a.1.1"), "b": peer("b.1.1")}
        await worker.client.put_plan(plan("room1", 1, peers, room_key=KEY))
        await worker.wait_event(ev="stored", room="room1")
        last = worker.last("stored")
        assert last is not None
        assert set(last["seats"]) == {"a", "b"}
        peers["b"] = PeerPlan("b.1.1")
        await worker.client.put_plan(plan("room1", 2, peers, room_key=KEY))
        worker.events.clear()
        stored = await worker.wait_event(ev="stored", room="room1")
        assert set(stored["seats"]) == {"a"}
        names = {path.name for path in (worker.journal / "room1" / "1").glob("*.seg")}
        assert len(names) == 3


async def test_a_peer_that_never_connects_degrades_the_light() -> None:
    async with worker_process() as worker:
        await worker.client.put_plan(plan("room1", 1, {"a": peer("a.1.1", camera=False)}, room_key=KEY))
        wanted = [{"peer": "a", "kind": "audio", "cause": "no_packets"}]
        stored = await worker.wait_event(timeout=15, ev="stored", degraded=wanted)
        assert stored["stored_until_ms"] is not None


@pytest.mark.parametrize("how", ["stdin", "sigterm"])
async def test_the_end_of_the_supervisor_seals_everything_within_two_seconds(how: str) -> None:
    async with worker_process() as worker:
        rooms = [f"room{number}" for number in range(5)]
        for room in rooms:
            peers = {name: peer(f"{name}.1.1") for name in "abc"}
            await worker.client.put_plan(plan(room, 1, peers, room_key=KEY))
        await asyncio.sleep(1.2)
        if how == "sigterm":
            worker.process.send_signal(signal.SIGTERM)
        assert await worker.end() < 2
        assert worker.process.returncode == 0
        for room in rooms:
            assert any(e["ev"] == "closed" and e["room"] == room for e in worker.events), room
            assert any(e["ev"] == "heads" and e["room"] == room for e in worker.events), room
        assert not worker.socket.exists()
        with pytest.raises(ControlLostError):
            await worker.client.metrics()


async def test_ctrl_c_of_the_terminal_does_not_end_the_worker() -> None:
    async with worker_process() as worker:
        worker.process.send_signal(signal.SIGINT)
        await asyncio.sleep(0.3)
        assert (await worker.client.metrics())["rooms"] == 0


async def test_wrong_settings_and_a_taken_port_stop_the_start_with_a_sentence(tmp_path: Path) -> None:
    async def start(line: bytes) -> tuple[int | None, bytes]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "media.worker",
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        _, error = await asyncio.wait_for(process.communicate(line + b"\n"), 30)
        return process.returncode, error

    code, error = await start(b'{"socket":1}')
    assert (code, error) == (2, b"media worker: bad_settings\n")
    async with worker_process() as worker:
        settings = {
            "socket": str(tmp_path / "run" / "w.sock"),
            "journal_root": str(tmp_path),
            "udp_host": "127.0.0.1",
            "udp_port": worker.ready["udp_port"],
        }
        code, error = await start(json.dumps(settings).encode())
        assert code == 1
        assert b"cannot start" in error
        assert b"Traceback" not in error


async def test_one_room_that_fails_leaves_the_others_alone() -> None:
    async with worker_process() as worker:
        # A name that no file may have: the journal of that seat cannot be opened.
        broken = RoomPlan("broken", 1, 1, peers={"room": peer("x.1.1")}, room_key=KEY)
        await worker.client.put_plan(broken)
        state = await worker.client.put_plan(plan("sound", 1, {"a": peer("a.1.1")}, room_key=KEY))
        assert set(state["peers"]) == {"a"}
        stored = await worker.wait_event(ev="stored", room="broken")
        assert stored["seats"] == {}
        await worker.wait_event(ev="stored", room="sound")


async def test_a_journal_that_cannot_be_written_degrades_the_light_and_stops_nothing_else() -> None:
    async with worker_process() as worker:
        worker.journal.mkdir(parents=True, exist_ok=True)
        (worker.journal / "room1").write_text("a file where the room's directory should be")
        peers = {"a": peer("a.1.1", mic=False, camera=False)}
        await worker.client.put_plan(plan("room1", 1, peers, room_key=KEY))

        def degraded(event: dict[str, Any]) -> bool:
            return event.get("degraded") == [{"peer": "a", "kind": "audio", "cause": "io_error"}]

        stored = await worker.wait_for(degraded, timeout=15)
        assert stored["stored_until_ms"] is None
        await worker.client.put_plan(plan("room2", 1, {"a": peer("a.1.1")}, room_key=KEY))
        await worker.wait_for(lambda event: bool(event.get("stored_until_ms")), timeout=10)
