"""The composed server over what a killed one left: finalised after the grace, then there to be watched."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from aiohttp import ClientSession

from server.app import Running, running
from server.config import Settings
from server.domain.people import Account, AccountSession
from server.runtime.keystore import KeyStore
from server.services.context import unix_ms
from server.storage import accounts, cases
from server.storage.ids import hashed, new_cookie
from server.storage.recordings import Recordings
from tests.support.journals import CASE, RECORDING, SITE, Wandering, make_books, people, record, tear


async def left_by_a_kill(data: Path) -> str:
    """A torn journal, an unfinished row, and a reviewer who is signed in; their cookie."""
    books = await make_books(data)
    await record(data, KeyStore.open(data), people(2))
    tear(data)
    await books.rows.set_state(RECORDING, "finalising", unix_ms())
    secret, now_ms = new_cookie(), unix_ms()
    person = Account(
        "acc-reviewer", "r@synthetic.test", "Synthetic", "en", SITE, ("reviewer",), True, False, "Asia/Almaty"
    )
    async with books.database.write() as tx:
        await accounts.add_account(tx, person, "x")
        await cases.add_person(tx, CASE, person.id, "follows")
        session = AccountSession("ses-reviewer", person.id, now_ms, now_ms, None, "test")
        await accounts.add_session(tx, session, hashed(secret))
    await books.database.close()
    return secret


async def until_ready(rows: Recordings) -> None:
    async with asyncio.timeout(40):
        while True:
            row = await rows.get(RECORDING)
            assert row is not None
            if row.state == "ready":
                return
            await asyncio.sleep(0.1)


async def test_a_killed_servers_recording_is_ready_after_the_next_start(tmp_path: Path) -> None:
    secret = await left_by_a_kill(tmp_path)
    stray = tmp_path / "objects" / ".scratch" / f"{RECORDING}.stray"
    stray.mkdir(parents=True)
    settings = Settings(
        data_dir=tmp_path, bind=("127.0.0.1",), port=0, restart_grace_s=0.5, media_announce=("127.0.0.1",)
    )
    async with running(settings) as server:
        assert not stray.exists()
        await until_ready(server.services.recordings)
        base = f"http://127.0.0.1:{server.port}"
        async with ClientSession(base, headers={"Cookie": f"session={secret}"}) as browser:
            path = f"/api/recordings/{RECORDING}"
            async with browser.get(path) as response:
                told = await response.json()
            assert (told["state"], told["chain"], len(told["tracks"])) == ("ready", "intact", 4)
            for track in told["tracks"]:
                async with browser.get(f"{path}/tracks/{track['id']}") as response:
                    assert (await response.read()).startswith(b"\x1aE\xdf\xa3")
            async with browser.get("/readyz") as response:
                assert response.status == 200


async def out_of_step(server: Running) -> float:
    """What /metrics says to whoever asks, as the alert does."""
    async with (
        ClientSession(f"http://127.0.0.1:{server.port}") as browser,
        browser.get("/metrics") as response,
    ):
        text = await response.text()
    (found,) = re.findall(r"^hyeopjin_tracks_out_of_step (\S+)$", text, re.MULTILINE)
    return float(found)


async def test_a_running_server_tells_the_tracks_that_are_out_of_step(tmp_path: Path) -> None:
    books = await make_books(tmp_path)
    await record(tmp_path, KeyStore.open(tmp_path), people(2, Wandering)[:1], seconds=40)
    await books.rows.set_state(RECORDING, "finalising", unix_ms())
    await books.database.close()
    settings = Settings(
        data_dir=tmp_path, bind=("127.0.0.1",), port=0, restart_grace_s=3.0, media_announce=("127.0.0.1",)
    )
    async with running(settings) as server:
        assert await out_of_step(server) == 0
        await until_ready(server.services.recordings)
        assert await out_of_step(server) == 1
