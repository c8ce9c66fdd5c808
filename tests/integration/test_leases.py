"""Leases and heartbeats in a real Redis: an epoch is granted once and only grows, whoever asks."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.commands.process import claim_directory
from server.commands.redis_check import check, verdict
from server.config import ConfigError, Settings
from server.runtime.cluster import SharedPlacements, is_ours
from server.runtime.leases import TTL_S, Examined, Leases, LeasesAwayError
from server.runtime.placements import Placement
from tests.support.redis_server import RedisServer, redis_server

INFO = {"socket": "/nowhere", "name": "0", "instance": "one", "leases": {}, "sessions": 0, "draining": False}


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def leases(redis: RedisServer) -> AsyncIterator[Leases]:
    made = Leases(redis.url, secrets.token_hex(4) + ":", Clock())
    yield made
    await made.aclose()


async def test_of_two_that_claim_an_epoch_one_gets_it_and_both_are_told_who(leases: Leases) -> None:
    told = await asyncio.gather(*(leases.claim("room", 1, f"worker-{n}") for n in range(8)))
    assert len(set(told)) == 1
    assert await leases.find("room") == told[0]


async def test_an_older_epoch_is_never_granted_again(leases: Leases) -> None:
    assert await leases.claim("room", 2, "a") == Placement("a", 2)
    assert await leases.claim("room", 1, "b") == Placement("a", 2)
    assert await leases.claim("room", 3, "b") == Placement("b", 3)
    assert await leases.of_worker("a") == {}
    assert await leases.of_worker("b") == {"room": 3}
    await leases.release("room", 2)
    assert await leases.find("room") == Placement("b", 3), "what is newer stands"
    await leases.release("room", 3)
    assert await leases.find("room") == Placement("-", 3)
    assert (await leases.claim("room", 3, "a")).worker == "-", "and its number is used up"
    assert await leases.claim("room", 4, "a") == Placement("a", 4)


async def test_a_worker_that_renews_is_told_what_it_has_lost(leases: Leases) -> None:
    await leases.claim("stays", 1, "a")
    await leases.claim("moves", 1, "a")
    await leases.claim("ended", 1, "a")
    await leases.claim("moves", 2, "b")
    await leases.release("ended", 1)
    lost = await leases.renew_worker("a", INFO, {"stays": 1, "moves": 1, "ended": 1, "new": 1})
    assert sorted(lost) == ["ended", "moves"]
    assert await leases.find("moves") == Placement("b", 2)
    assert await leases.find("new") == Placement("a", 1), "of a Redis that has forgotten"
    assert await leases.workers() == {"a": INFO}
    await leases.end_worker("a")
    assert await leases.workers() == {}


async def test_after_a_restart_of_redis_the_newest_epoch_wins_whoever_comes_first(leases: Leases) -> None:
    assert await leases.renew_worker("stale", INFO, {"room": 1}) == []
    assert await leases.renew_worker("current", INFO, {"room": 2}) == []
    assert await leases.renew_worker("stale", INFO, {"room": 1}) == ["room"]


async def test_an_instance_is_there_until_its_heartbeat_has_run_out(leases: Leases) -> None:
    assert not await leases.renew_instance("one")
    assert await leases.renew_instance("one")
    assert await leases.instances() == {"one"}
    await leases.end_instance("one")
    assert await leases.instances() == set()


async def test_a_redis_serves_one_data_directory(leases: Leases) -> None:
    assert await leases.start("home-1")
    assert await leases.start("home-1")
    assert not await leases.start("home-2")


async def test_who_is_missing_from_a_fresh_redis_is_not_taken_for_dead() -> None:
    clock = Clock()
    with redis_server() as own:
        leases = Leases(own.url, now_s=clock)
        await leases.look()
        assert not leases.steady
        clock.now += TTL_S + 1
        assert leases.steady
        shared = SharedPlacements(leases)
        await shared.claim("room", 1, "a")
        own.kill()
        with pytest.raises(LeasesAwayError):
            await leases.look()
        assert not leases.steady
        assert await shared.find("room") == Placement("a", 1), "remembered: media goes on"
        assert await shared.of_worker("a") == {"room": 1}
        shared.learn("b", {"other": 4})
        assert await shared.find("other") == Placement("b", 4), "heard of by its worker's heartbeat"
        with pytest.raises(LeasesAwayError):
            await shared.claim("room", 2, "b")
        own.start()
        await leases.look()
        assert not leases.steady, "all get the time to say that they live"
        assert await shared.find("room") == Placement("a", 1), "Redis has forgotten, and it still stands"
        with pytest.raises(LeasesAwayError):
            await shared.find("stranger")
        clock.now += TTL_S + 1
        assert await shared.find("stranger") is None, "by now all leases are in it again"
        await shared.release("room", 1)
        assert await shared.find("room") is None
        await leases.aclose()


async def test_the_doctor_says_what_is_wrong_with_a_redis(redis: RedisServer, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, redis_url=redis.url)
    assert (await check(settings))[:2] == ("green", "ok")
    gone = Settings(data_dir=tmp_path, redis_url="redis://127.0.0.1:1/0")
    assert (await check(gone))[:2] == ("red", "no_answer")
    (tmp_path / "HOME").write_text("mine")
    good = {"home": "mine", "version": (7, 0), "evicts": False, "persists": False}
    wrong = {
        "another_home": {"home": "theirs"}, "too_old": {"version": (6, 0)},
        "evicts": {"evicts": True}, "writes_to_disk": {"persists": True}, "ok": {},
    }  # fmt: skip
    for code, changed in wrong.items():
        assert verdict(settings, Examined(**{**good, **changed})) == code  # type: ignore[arg-type]
    far = Settings(data_dir=tmp_path, redis_url="redis://redis.internal/0", redis_allow_plain=True)
    assert verdict(far, Examined(**good)) == "no_password"  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["redis://redis.internal/0", "rediss://redis.internal/0", "http://localhost"])
def test_a_redis_elsewhere_needs_tls_and_a_password(url: str) -> None:
    with pytest.raises(ValueError, match="redis_url"):
        Settings(redis_url=url)
    assert Settings(redis_url="rediss://:secret@redis.internal/0").redis_url
    assert "hunter2" not in repr(Settings(redis_url="rediss://:hunter2@redis.internal/0"))


def test_instances_of_one_redis_share_a_data_directory_and_nobody_else_does(tmp_path: Path) -> None:
    path = tmp_path / "data"
    here = "redis://127.0.0.1:7777/0"
    claim_directory(path, "SERVE", here)
    claim_directory(path, "SERVE", here)
    with pytest.raises(ConfigError, match="uses another redis_url"):
        claim_directory(path, "SERVE", "redis://127.0.0.1:7777/1")
    with pytest.raises(ConfigError, match="runs on the data directory"):
        claim_directory(path, "SERVE")


def test_a_socket_that_others_may_have_made_gets_no_keys(tmp_path: Path) -> None:
    private, public = tmp_path / "private", tmp_path / "public"
    private.mkdir(mode=0o700)
    public.mkdir(mode=0o755)
    public.chmod(0o755)
    for folder in (private, public):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(folder / "w.sock"))
            (folder / "file").write_text("")
            (folder / "link").symlink_to(folder / "w.sock")
            good = folder is private
            assert is_ours(folder / "w.sock") is good
            assert not is_ours(folder / "file")
            assert not is_ours(folder / "link")
            assert not is_ours(folder / "nobody")
