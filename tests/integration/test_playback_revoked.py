"""A right that ends while a slow reader is being served: little more arrives, and then the line breaks."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from server.storage.schema import accounts, case_people
from tests.integration.playback_rig import PlaybackRig, Profile
from tests.support.followed import patient_sits, says
from tests.support.journals import RECORDING, SEATS

TRACK = f"/api/recordings/{RECORDING}/tracks/{SEATS[0]}-camera"
MEBIBYTE = 1 << 20


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[PlaybackRig]:
    made = await PlaybackRig().open(tmp_path, seconds=60)
    yield made
    await made.close()


class SlowReader:
    """A bare socket that reads as slowly as it likes."""

    def __init__(self, rig: PlaybackRig, profile: Profile) -> None:
        self._rig = rig
        self._profile = profile
        self.got = 0

    async def __aenter__(self) -> SlowReader:
        loop = asyncio.get_running_loop()
        self._socket = socket.socket()
        self._socket.setblocking(False)
        await loop.sock_connect(self._socket, ("127.0.0.1", self._rig.port))
        request = f"GET {TRACK} HTTP/1.1\r\nHost: localhost\r\nCookie: session={self._profile.secret}\r\n\r\n"
        await loop.sock_sendall(self._socket, request.encode())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close()

    async def read(self, octets: int) -> bool:
        """Read so many bytes; False at the end of the line, however it ended."""
        loop = asyncio.get_running_loop()
        while octets > 0:
            try:
                piece = await asyncio.wait_for(loop.sock_recv(self._socket, min(octets, 16384)), 10)
            except ConnectionError:
                return False
            if not piece:
                return False
            self.got += len(piece)
            octets -= len(piece)
        return True


async def revoke_session(rig: PlaybackRig, profile: Profile) -> None:
    await rig.services.accounts.revoke(profile.account, profile.session, "127.0.0.1")


async def disable_account(rig: PlaybackRig, profile: Profile) -> None:
    async with rig.books.database.write() as tx:
        await tx.execute(update(accounts).where(accounts.c.id == profile.account).values(disabled=True))


async def take_off_the_case(rig: PlaybackRig, profile: Profile) -> None:
    async with rig.books.database.write() as tx:
        await tx.execute(delete(case_people).where(case_people.c.account_id == profile.account))


async def change_role(rig: PlaybackRig, profile: Profile) -> None:
    async with rig.books.database.write() as tx:
        await tx.execute(
            update(accounts).where(accounts.c.id == profile.account).values(roles=["coordinator"])
        )


async def refuse_the_follow_up(rig: PlaybackRig, _: Profile) -> None:
    await patient_sits(rig.services, SEATS[0])
    await says(rig.services, "declined")


@pytest.mark.parametrize(
    "end", [refuse_the_follow_up, revoke_session, disable_account, take_off_the_case, change_role]
)
async def test_after_the_right_ends_a_slow_reader_gets_less_than_a_mebibyte(
    rig: PlaybackRig, end: Callable[[PlaybackRig, Profile], Awaitable[None]]
) -> None:
    profile = await rig.profile("acc-reviewer", ("reviewer",), "follows")
    size = len(await rig.plaintext(f"{SEATS[0]}-camera"))
    assert size > 3 * MEBIBYTE
    async with SlowReader(rig, profile) as reader:
        for _ in range(10):
            assert await reader.read(32 * 1024)
            await asyncio.sleep(0.02)
        await end(rig, profile)
        before = reader.got
        for _ in range(size // (32 * 1024) + 1):
            if not await reader.read(32 * 1024):
                break
            await asyncio.sleep(0.005)
        assert reader.got - before <= MEBIBYTE
        assert reader.got < size


async def test_an_undisturbed_slow_reader_gets_everything(rig: PlaybackRig) -> None:
    profile = await rig.profile("acc-reviewer", ("reviewer",), "follows")
    size = len(await rig.plaintext(f"{SEATS[0]}-camera"))
    async with SlowReader(rig, profile) as reader:
        assert await reader.read(size)
        assert reader.got == size
