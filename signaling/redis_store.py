"""Room documents in Redis, for several instances that serve the same rooms.

Each document is one hash {v: version, t: token of the write, s: session, d: JSON}, set by compare-and-set in
one script. Redis need not write to a disk: every instance keeps the newest document it has seen of each room
that exists, and when Redis has restarted the greatest version goes back before anybody goes on. While Redis
is away every method raises StoreAwayError at once. It must not decide, nor log what a document says.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from signaling.document import RoomDocument, from_json, to_json
from signaling.store import StoreAwayError
from signaling.tasks import TaskOwner, failure_site

log = logging.getLogger("hyeopjin.signaling.redis_store")

PREFIX = "hyeopjin:"
CONNECT_S = 1.0
ANSWER_S = 2.0  # Redis answers in less than a millisecond; this long means that it does not
LOOK_S = 0.5
RESTORE_S = 1.5  # after a restart of Redis: all instances put back what they know before one goes on
TURN_MS = 900  # a tick is claimed for so long, a little less than ticks are apart

_SET = """
local v = redis.call('HGET', KEYS[1], 'v')
if (v or '0') ~= ARGV[1] then
  return redis.call('HGET', KEYS[1], 't') == ARGV[3] and 1 or 0
end
local s = redis.call('HGET', KEYS[1], 's')
if s and s ~= '' and s ~= ARGV[6] then redis.call('HDEL', KEYS[3], s) end
redis.call('HSET', KEYS[1], 'v', ARGV[2], 't', ARGV[3], 'd', ARGV[4], 's', ARGV[6])
redis.call('SADD', KEYS[2], ARGV[5])
if ARGV[6] ~= '' then redis.call('HSET', KEYS[3], ARGV[6], ARGV[5]) end
return 1
"""
_REMOVE = """
if redis.call('HGET', KEYS[1], 'v') ~= ARGV[1] then return 0 end
local s = redis.call('HGET', KEYS[1], 's')
if s and s ~= '' then redis.call('HDEL', KEYS[3], s) end
redis.call('SREM', KEYS[2], ARGV[2])
return redis.call('DEL', KEYS[1])
"""
_PUT_BACK = """
if tonumber(redis.call('HGET', KEYS[1], 'v') or '0') >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'v', ARGV[1], 't', '', 'd', ARGV[2], 's', ARGV[4])
redis.call('SADD', KEYS[2], ARGV[3])
if ARGV[4] ~= '' then redis.call('HSET', KEYS[3], ARGV[4], ARGV[3]) end
return 1
"""


def _nothing() -> None:
    return None


def connect(url: str) -> Redis:
    """A client that never waits long: one try again for a connection that had died unnoticed."""
    return Redis.from_url(
        url, socket_connect_timeout=CONNECT_S, socket_timeout=ANSWER_S, retry=Retry(NoBackoff(), 1)
    )


class RedisRoomStore:
    """A RoomStore. `start` before it is asked; `on_back` is called when Redis was away and is back."""

    def __init__(self, url: str, prefix: str = PREFIX) -> None:
        self.on_back: Callable[[], None] = _nothing
        self._redis = connect(url)
        self._prefix = prefix
        self._set = self._redis.register_script(_SET)
        self._removed = self._redis.register_script(_REMOVE)
        self._put_back = self._redis.register_script(_PUT_BACK)
        self._newest: dict[str, tuple[int, str, str]] = {}  # room -> version, JSON, session
        self._sessions: dict[str, str] = {}
        self._run = ""  # the running Redis process, by its own word
        self._up = asyncio.Event()
        self._tasks = TaskOwner()

    async def start(self) -> None:
        """Raises StoreAwayError when Redis does not answer."""
        try:
            self._run = await self._running()
        except (RedisError, OSError) as error:
            raise StoreAwayError from error
        self._up.set()
        self._tasks.start(self._watch(), "redis-watch")

    async def aclose(self) -> None:
        await self._tasks.aclose()
        with contextlib.suppress(RedisError, OSError):
            await self._redis.aclose()

    # --- RoomStore -----------------------------------------------------------------------------------------

    async def load(self, room: str) -> tuple[int, RoomDocument] | None:
        found = await self._ask(lambda: self._redis.hmget(self._key(room), ["v", "d", "s"]))
        if found[0] is None:
            return None
        version, text, session = int(found[0]), found[1].decode(), found[2].decode()
        self._saw(room, version, text, session)
        return version, from_json(text)

    async def compare_and_set(self, room: str, version: int, document: RoomDocument) -> bool:
        """Raises ValueError when the document's own version would not grow."""
        if document.version <= version:
            raise ValueError("a document's version grows")
        text, session = to_json(document), document.session or ""
        # The token tells "somebody else was first" from "it was us, and the answer was lost on its way".
        values: list[str | int] = [version, document.version, secrets.token_hex(8), text, room, session]
        stored = await self._ask(lambda: self._set(keys=self._keys(room), args=values))
        if stored:
            self._saw(room, document.version, text, session)
        return bool(stored)

    async def remove(self, room: str, version: int) -> bool:
        if version == 0:
            return False
        gone = await self._ask(lambda: self._removed(keys=self._keys(room), args=[version, room]))
        if gone:
            self._newest.pop(room, None)
        return bool(gone)

    async def rooms(self) -> list[str]:
        before = set(self._newest)
        names = {name.decode() for name in await self._ask(lambda: self._redis.smembers(self._index))}
        for gone in before - names:
            self._newest.pop(gone, None)
        self._sessions = {session: room for session, room in self._sessions.items() if room in names}
        return sorted(names)

    async def room_of(self, session: str) -> str | None:
        room = self._sessions.get(session)
        if room is None:
            found = await self._ask(lambda: self._redis.hget(f"{self._prefix}sessions", session))
            if found is None:
                return None
            room = self._sessions[session] = found.decode()
        return room

    async def turn(self, room: str) -> bool:
        key = f"{self._prefix}room:{room}:tick"
        return bool(await self._ask(lambda: self._redis.set(key, 1, nx=True, px=TURN_MS)))

    @property
    def away(self) -> bool:
        return not self._up.is_set()

    async def back(self) -> None:
        await self._up.wait()

    # --- inside --------------------------------------------------------------------------------------------

    def _key(self, room: str) -> str:
        return f"{self._prefix}room:{room}:document"

    @property
    def _index(self) -> str:
        return f"{self._prefix}rooms"

    def _keys(self, room: str) -> list[str]:
        return [self._key(room), self._index, f"{self._prefix}sessions"]

    def _saw(self, room: str, version: int, text: str, session: str) -> None:
        known = self._newest.get(room)
        if known is None or known[0] < version:
            self._newest[room] = (version, text, session)

    async def _ask(self, question: Callable[[], Any]) -> Any:
        if self.away:
            raise StoreAwayError
        try:
            return await question()
        except (RedisError, OSError) as error:
            self._lost(error)
            raise StoreAwayError from error

    def _lost(self, error: BaseException) -> None:
        if self._up.is_set():
            log.error("Redis does not answer: %s", failure_site(error))
        self._up.clear()

    async def _running(self) -> str:
        told = await self._redis.info("server")
        return str(told.get("run_id", ""))

    async def _watch(self) -> None:
        """Notices that Redis is gone, back, or another one than before."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                run = await self._running()
                if run != self._run:
                    self._up.clear()
                if self.away:
                    await self._return(run)
            except (RedisError, OSError) as error:
                self._lost(error)

    async def _return(self, run: str) -> None:
        put = 0
        for room, (version, text, session) in list(self._newest.items()):
            put += int(await self._put_back(keys=self._keys(room), args=[version, text, room, session]))
        if run != self._run:
            await asyncio.sleep(RESTORE_S)
        self._run = run
        self._up.set()
        log.warning("Redis is back; %d documents were put back", put)
        self.on_back()
