"""A site's self-test whose every request meets another instance: two of them, a real Redis, a real relay."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from media.bench.dtls import Identity
from media.bench.peer import SyntheticPeer
from media.bench.traffic import AUDIO, AUDIO_BYTES, AUDIO_CLOCK, STAMP, stamp
from server.domain.self_test import STEPS
from server.runtime.measuring import MOST
from tests.support.instances import Instance, Pair, pair, until
from tests.unit.test_self_test import GOOD

pytestmark = pytest.mark.long
SENDS, RECEIVES = "sends", "receives"


class Taking:
    """One signed-in browser behind a balancer that remembers nobody: to each instance in its turn."""

    def __init__(self, both: Pair, http: aiohttp.ClientSession, turn: Iterator[Instance]) -> None:
        self.both, self.http, self._turn = both, http, turn

    async def post(self, path: str, body: Any = None, at: Instance | None = None) -> tuple[int, Any]:
        instance = at or next(self._turn)
        origin = {"Origin": instance.base_url}
        async with self.http.post(instance.base_url + path, json=body, headers=origin) as answer:
            return answer.status, await answer.json() if answer.content_type == "application/json" else None


async def signed_in(both: Pair, stack: AsyncExitStack, role: str = "site_operator") -> Taking:
    jar = aiohttp.CookieJar(unsafe=True)
    http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
    taking = Taking(both, http, itertools.cycle(both.instances))
    account = next(one for one in both.one.info["accounts"] if one["role"] == role)
    body = {"email": account["email"], "password": account["password"]}
    assert (await taking.post("/api/sign-in", body, at=both.one))[0] == 200
    return taking


def rooms_of(both: Pair) -> float:
    return sum(one.labelled("hyeopjin_worker_rooms") for one in both.instances)


async def test_a_line_is_measured_whichever_instance_is_asked(tmp_path: Path) -> None:
    with pair(tmp_path) as both:
        async with AsyncExitStack() as stack:
            taking = await signed_in(both, stack)
            for opener in both.instances:
                await measured(both, taking, opener)
            await slots_are_free_again(both, stack)


async def measured(both: Pair, taking: Taking, opener: Instance) -> None:
    """The room is lent by one; both answers, the figures and the end come to the other."""
    other = next(one for one in both.instances if one is not opener)
    status, begun = await taking.post("/api/self-tests", {"device": "Room 3"})
    assert status == 201, begun
    path = f"/api/self-tests/{begun['id']}"
    status, lent = await taking.post(f"{path}/line", at=opener)
    assert status == 200, lent
    identity = Identity()
    peers = {
        peer: SyntheticPeer(peer, index, identity, {SENDS: 0, RECEIVES: 1})
        for index, peer in enumerate((SENDS, RECEIVES))
    }
    try:
        for peer, made in peers.items():
            offer = lent["offers"][peer]
            wrong = {"peer": peer, "offer_id": "another", "sdp": "v=0"}
            assert (await taking.post(f"{path}/line/answer", wrong, at=other))[1]["error"][
                "code"
            ] == "wrong_state"
            sdp = made.accept_offer(offer["sdp"], offer["tracks"])
            told = {"peer": peer, "offer_id": offer["offer_id"], "sdp": sdp}
            assert (await taking.post(f"{path}/line/answer", told, at=other))[0] == 204
        for made in peers.values():
            await asyncio.wait_for(made.connected.wait(), 20)
        await until(lambda: rooms_of(both) == 1, "one room on one worker")
        await came_back(peers)
    finally:
        for made in peers.values():
            made.close()
    for step in STEPS:
        status, told = await taking.post(f"{path}/steps/{step}", GOOD[step], at=other)
        assert status == 200, told
    assert told["whole"] == "green"
    await until(lambda: rooms_of(both) == 0, "given back by the other instance")


async def came_back(peers: dict[str, SyntheticPeer]) -> None:
    """What one sends is what the other gets."""
    filler = os.urandom(AUDIO_BYTES)
    for number in range(400):
        body = b"\xfc" + filler[: AUDIO_BYTES - 1 - STAMP.size]
        peers[SENDS].send_rtp(AUDIO, stamp(body, 0, AUDIO, 1, number, 0), number * AUDIO_CLOCK // 50, False)
        if sum(len(one.seen) for one in peers[RECEIVES].received.tallies.values()) > 5:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("nothing came back")


async def slots_are_free_again(both: Pair, stack: AsyncExitStack) -> None:
    """What another instance has closed does not count for the one that opened it."""
    roles = ("referring_physician", "coordinator", "consulting_physician", "reviewer", "site_admin")
    for role in roles[: MOST + 1]:
        taking = await signed_in(both, stack, role)
        _, begun = await taking.post("/api/self-tests", {"device": ""}, at=both.one)
        path = f"/api/self-tests/{begun['id']}"
        status, told = await taking.post(f"{path}/line", at=both.one)
        assert status == 200, told
        assert (await taking.post(f"{path}/steps/line", GOOD["line"], at=both.other))[0] == 200
        await until(lambda: rooms_of(both) == 0, "given back")
