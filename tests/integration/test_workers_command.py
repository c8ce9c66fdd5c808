"""The operator's `hyeopjin workers`: seen, drained for an upgrade, replaced; and what is refused."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from server.app import running
from server.commands import workers_check
from server.commands.workers import SENTENCES
from server.config import Settings, load_settings
from server.runtime import operator_socket
from server.runtime.operator_socket import OperatorError, OperatorSocket, ask
from tests.integration.test_fleet import Rig, eventually, untouched
from tests.support.demo import TOP


def settings_of(folder: Path, workers: int) -> Settings:
    return load_settings(
        None,
        demo=True,
        data_dir=folder,
        port=0,
        bind=("127.0.0.1",),
        media_announce=("127.0.0.1",),
        media_workers=workers,
    )


async def hyeopjin(*arguments: str) -> tuple[int, str]:
    """Exit code and everything said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server",
        *arguments,
        cwd=TOP,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def workers_of(data: Path) -> dict[str, dict[str, Any]]:
    answer = await asyncio.to_thread(ask, data / "run", {"op": "workers"})
    return {one["name"]: one for one in answer["workers"]}


async def test_a_worker_is_drained_and_replaced_from_the_command_line(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    code, said = await hyeopjin("workers", "list", *data)
    assert code == 2
    assert "No server runs" in said
    async with running(settings_of(tmp_path, 2)) as server:
        before = await workers_of(tmp_path)
        state, said_code, detail = await asyncio.to_thread(workers_check.check, server.settings)
        assert (state, said_code) == ("green", "ok"), detail
        assert [one["state"] for one in before.values()] == ["serving", "serving"]
        assert len({one["port"] for one in before.values()}) == 2
        with pytest.raises(OperatorError) as refused:
            await asyncio.to_thread(ask, tmp_path / "run", {"op": "drain", "worker": "7"})
        assert SENTENCES[refused.value.code].startswith("There is no such worker")
        code, said = await hyeopjin("workers", "drain", "0", "--wait", *data)
        assert (code, "fresh process" in said) == (0, True), said
        after = await workers_of(tmp_path)
        assert after["0"]["pid"] != before["0"]["pid"]
        assert after["0"]["port"] == before["0"]["port"]
        assert after["1"]["pid"] == before["1"]["pid"], "the other one was left alone"
        assert not await server.health.degraded()


async def test_a_drained_worker_keeps_its_room_to_the_end_and_gets_no_other(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    await rig.fleet.start()
    try:
        old, other = rig.room(), rig.room()
        await old.begin()
        place = next(p for p in rig.workers.places() if old.name in rig.living_on()[p.name])
        assert place.worker is not None
        await rig.fleet.drain(rig.fleet.links[place.worker])
        await other.begin()
        assert rig.living_on()[place.name] == {old.name}, "a new room goes elsewhere"
        old.load.phase = 1
        await eventually(lambda: rig.fleet.loads[str(place.worker)].raw.get("draining") == 1, "not told")
        await asyncio.sleep(1)  # the room goes on meanwhile: packets are counted over this second
        old.load.phase = 0
        await eventually(lambda: untouched(old), "a packet was lost while draining")
        assert rig.losses == []
        old.load.sending = False
        await rig.fleet.put_plan(old.plan(closed=True))

        def replaced() -> bool:
            now = next(p for p in rig.workers.places() if p.name == place.name)
            return now.starts == 2 and now.worker in rig.fleet.links

        await eventually(replaced, "no fresh process")
        assert rig.losses == [], "nobody lost anything by it"
        assert await rig.fleet.has_room(None)
    finally:
        await rig.stop()


async def test_with_its_only_worker_draining_a_server_takes_nobody_new(tmp_path: Path) -> None:
    rig = Rig(tmp_path, workers=1)
    await rig.fleet.start()
    try:
        room = rig.room()
        await room.begin()
        [link] = rig.fleet.links.values()
        await rig.fleet.drain(link)
        assert not await rig.fleet.has_room(None)
        assert await rig.fleet.has_room(room.name), "who belongs to the room still gets in"
    finally:
        await rig.stop()


async def test_the_operators_socket_is_for_its_owner_and_answers_rubbish_with_a_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path.joinpath(*["a-rather-long-name-of-a-directory"] * 4)

    async def handle(request: dict[str, object]) -> dict[str, object]:
        if request.get("op") == "fail":
            raise RuntimeError("MARK")
        return {"ok": request.get("op") == "good", "code": "bad_request"}

    asked = OperatorSocket(deep, handle)
    await asked.start()
    try:
        mode = (deep / operator_socket.NAME).stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert not mode & 0o077
        assert (await asyncio.to_thread(ask, deep, {"op": "good"}))["ok"]
        for request, code in (({"op": "bad"}, "bad_request"), ({"op": "fail"}, "internal")):
            with pytest.raises(OperatorError) as refused:
                await asyncio.to_thread(ask, deep, request)
            assert refused.value.code == code
        for line in (b"\n", b"[1]\n", b"x" * 9000 + b"\n"):
            assert (await asyncio.to_thread(raw, deep, line)) in (
                b"",
                b'{"ok": false, "code": "bad_request"}\n',
            )
        monkeypatch.setattr("server.runtime.operator_socket.os.getuid", lambda: 12345)
        monkeypatch.setattr("server.runtime.operator_socket._uid_of", lambda _writer: 54321)
        with pytest.raises(OperatorError) as refused:
            await asyncio.to_thread(ask, deep, {"op": "good"})
        assert refused.value.code == "forbidden"
    finally:
        await asked.close()
    with pytest.raises(OperatorError) as refused:
        ask(deep, {"op": "good"})
    assert refused.value.code == "no_server"


def raw(folder: Path, line: bytes) -> bytes:
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(f"/proc/self/fd/{handle}/{operator_socket.NAME}")
        client.sendall(line)
        try:
            answer = client.recv(1000)
        except ConnectionError:
            answer = b""
    os.close(handle)
    return answer
