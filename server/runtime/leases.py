"""Leases of a cluster in Redis: who lives, which worker has which room under which epoch. No keys, no names.

    hyeopjin:worker:{id}        {socket, name, instance, leases, sessions, draining}, gone after 6 s
    hyeopjin:room:{id}:lease    worker|epoch; the epoch is the fencing token, and only ever grows
    hyeopjin:instance:{id}      a web process, gone after 6 s

A lease holds while its worker's heartbeat does. Every change is one script that compares and sets. The only
file of this package with Redis in it. It must not know what a room is, nor decide where one lives.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.runtime.placements import Placement

PREFIX = "hyeopjin:"
TTL_S = 6.0
"""A worker or an instance that was not renewed for so long is gone."""
RENEW_S = 2.0
KEPT_S = 86_400
"""A lease is remembered for a day: a worker that slept long must not find its old epoch free."""
CONNECT_S, ANSWER_S = 1.0, 2.0
NOBODY = "-"

_CLAIM = """
local now = redis.call('GET', KEYS[1])
if now then
  local e = tonumber(string.match(now, '|(%d+)$'))
  if e >= tonumber(ARGV[2]) then return now end
end
local mine = ARGV[1] .. '|' .. ARGV[2]
redis.call('SET', KEYS[1], mine, 'EX', ARGV[3])
redis.call('SADD', KEYS[2], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[3])
return mine
"""
_RELEASE = """
local now = redis.call('GET', KEYS[1])
if not now then return 0 end
if tonumber(string.match(now, '|(%d+)$')) > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], '-|' .. ARGV[1], 'EX', ARGV[2])
return 1
"""
_RENEW = """
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('SADD', KEYS[2], ARGV[1])
local lost = {}
for i = 4, #KEYS do
  local epoch = ARGV[2 * (i - 4) + 6]
  local now = redis.call('GET', KEYS[i])
  local mine = ARGV[1] .. '|' .. epoch
  if not now or now == mine or tonumber(string.match(now, '|(%d+)$')) < tonumber(epoch) then
    redis.call('SET', KEYS[i], mine, 'EX', ARGV[4])
    redis.call('SADD', KEYS[3], ARGV[2 * (i - 4) + 5])
  else
    lost[#lost + 1] = ARGV[2 * (i - 4) + 5]
  end
end
redis.call('EXPIRE', KEYS[3], ARGV[4])
return lost
"""


@dataclass(frozen=True, slots=True)
class Examined:
    """What a Redis says of itself. `home`: whose it is, empty for nobody's yet."""

    home: str
    version: tuple[int, ...]
    evicts: bool
    persists: bool


class LeasesAwayError(Exception):
    """Redis does not answer: nothing is granted and nothing taken away."""


class Leases:
    """A client of the leases. `start` before anything else."""

    def __init__(self, url: str, prefix: str = PREFIX, now_s: Callable[[], float] = time.monotonic) -> None:
        self._redis = Redis.from_url(
            url, socket_connect_timeout=CONNECT_S, socket_timeout=ANSWER_S, retry=Retry(NoBackoff(), 1)
        )
        self._prefix = prefix
        self._now_s = now_s
        self._claim = self._redis.register_script(_CLAIM)
        self._release = self._redis.register_script(_RELEASE)
        self._renew = self._redis.register_script(_RENEW)
        self._run = ""
        self._since_s = self._born_s = 0.0

    async def start(self, home: str) -> bool:
        """Make this Redis the cluster's of the data directory `home`; False when it is another one's already.

        Raises LeasesAwayError.
        """
        await self._ask(lambda: self._redis.set(f"{self._prefix}home", home, nx=True))
        told = await self._ask(lambda: self._redis.get(f"{self._prefix}home"))
        await self.look()
        return bool(told is not None and told.decode() == home)

    async def aclose(self) -> None:
        with contextlib.suppress(RedisError, OSError):
            await self._redis.aclose()

    async def ping(self) -> bool:
        """Whether Redis answers (for /readyz)."""
        return bool(await self._ask(lambda: self._redis.ping()))

    async def examine(self) -> Examined:
        """For the doctor; raises LeasesAwayError."""
        home = await self._ask(lambda: self._redis.get(f"{self._prefix}home"))
        told = await self._ask(lambda: self._redis.info("everything"))
        save: dict[str, str] = {}
        with contextlib.suppress(LeasesAwayError):  # a managed Redis may not tell
            save = await self._ask(lambda: self._redis.config_get("save"))
        version = tuple(
            int(part) for part in str(told.get("redis_version", "0")).split(".") if part.isdigit()
        )
        policy, limit = str(told.get("maxmemory_policy", "noeviction")), int(told.get("maxmemory", 0))
        return Examined(
            home="" if home is None else home.decode(),
            version=version,
            evicts=limit > 0 and policy != "noeviction",
            persists=bool(told.get("aof_enabled")) or bool(save.get("save")),
        )

    async def look(self) -> None:
        """Notice whether this is the Redis of before: a fresh one knows nobody until all were renewed."""
        try:
            told = await self._ask(lambda: self._redis.info("server"))
        except LeasesAwayError:
            self._run = ""
            raise
        run = str(told.get("run_id", ""))
        self._born_s = self._now_s() - float(told.get("uptime_in_seconds", 0))
        if run != self._run:
            self._run, self._since_s = run, self._now_s()

    @property
    def steady(self) -> bool:
        """Whether we have heard Redis for so long that who is not in it is not there."""
        return bool(self._run) and self._now_s() - self._since_s > TTL_S

    @property
    def settled(self) -> bool:
        """Whether this Redis is so old that every lease of before it is in it again."""
        return bool(self._run) and self._now_s() - self._born_s > TTL_S

    # --- heartbeats ----------------------------------------------------------------------------------------

    async def renew_instance(self, instance: str) -> bool:
        """A heartbeat; False when the one before had run out (or there was none)."""
        key = f"{self._prefix}instance:{instance}"
        was = await self._ask(lambda: self._redis.set(key, 1, px=int(TTL_S * 1000), get=True))
        await self._ask(lambda: self._redis.sadd(f"{self._prefix}instances", instance))
        return was is not None

    async def instances(self) -> set[str]:
        """Those that live."""
        return set(await self._living("instance"))

    async def end_instance(self, instance: str) -> None:
        await self._ask(lambda: self._redis.delete(f"{self._prefix}instance:{instance}"))

    async def renew_worker(self, worker: str, info: Mapping[str, Any], rooms: Mapping[str, int]) -> list[str]:
        """A heartbeat, and the leases of its rooms (room -> epoch); told back are those it has lost."""
        keys = [self._worker(worker), f"{self._prefix}workers", self._rooms_of(worker)]
        values: list[str | int] = [worker, json.dumps(dict(info)), int(TTL_S * 1000), KEPT_S]
        for room, epoch in rooms.items():
            keys.append(self._lease(room))
            values += [room, epoch]
        lost = await self._ask(lambda: self._renew(keys=keys, args=values))
        return [room.decode() for room in lost]

    async def workers(self) -> dict[str, dict[str, Any]]:
        """Those that live, with what they say of themselves."""
        return {worker: json.loads(value) for worker, value in (await self._living("worker")).items()}

    async def end_worker(self, worker: str) -> None:
        """It has died, and whoever looks may know it at once."""
        await self._ask(lambda: self._redis.delete(self._worker(worker)))

    # --- leases of rooms -----------------------------------------------------------------------------------

    async def find(self, room: str) -> Placement | None:
        """The newest grant; of an epoch that is over the worker is NOBODY; None: nothing is known."""
        return _placement(await self._ask(lambda: self._redis.get(self._lease(room))))

    async def claim(self, room: str, epoch: int, worker: str) -> Placement:
        """Lease the room to the worker, unless this epoch or a newer one is granted; returns what stands."""
        keys = [self._lease(room), self._rooms_of(worker)]
        values: list[str | int] = [worker, epoch, KEPT_S, room]
        stands = _placement(await self._ask(lambda: self._claim(keys=keys, args=values)))
        assert stands is not None  # noqa: S101 - the script returns what it has set
        return stands

    async def release(self, room: str, epoch: int) -> None:
        """This epoch and those before are over; the number stays, so that none of them is granted again."""
        await self._ask(lambda: self._release(keys=[self._lease(room)], args=[epoch, KEPT_S]))

    async def of_worker(self, worker: str) -> dict[str, int]:
        """Rooms whose newest epoch was granted to it."""
        names = [n.decode() for n in await self._ask(lambda: self._redis.smembers(self._rooms_of(worker)))]
        if not names:
            return {}
        values = await self._ask(lambda: self._redis.mget([self._lease(name) for name in names]))
        placed = {name: _placement(value) for name, value in zip(names, values, strict=True)}
        return {name: one.epoch for name, one in placed.items() if one is not None and one.worker == worker}

    # --- inside --------------------------------------------------------------------------------------------

    def _worker(self, worker: str) -> str:
        return f"{self._prefix}worker:{worker}"

    def _rooms_of(self, worker: str) -> str:
        return f"{self._prefix}worker:{worker}:rooms"

    def _lease(self, room: str) -> str:
        return f"{self._prefix}room:{room}:lease"

    async def _living(self, kind: str) -> dict[str, Any]:
        index = f"{self._prefix}{kind}s"
        names = sorted(name.decode() for name in await self._ask(lambda: self._redis.smembers(index)))
        if not names:
            return {}
        keys = [f"{self._prefix}{kind}:{name}" for name in names]
        values = dict(zip(names, await self._ask(lambda: self._redis.mget(keys)), strict=True))
        gone = [name for name, value in values.items() if value is None]
        if gone:
            await self._ask(lambda: self._redis.srem(index, *gone))
        return {name: value for name, value in values.items() if value is not None}

    async def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            async with asyncio.timeout(ANSWER_S + CONNECT_S):
                return await question()
        except (RedisError, OSError) as error:  # also a TimeoutError
            raise LeasesAwayError from error


def _placement(value: bytes | None) -> Placement | None:
    if value is None:
        return None
    worker, _, epoch = value.decode().rpartition("|")
    return Placement(worker, int(epoch))
