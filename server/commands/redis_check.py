"""What `hyeopjin doctor` asks of the Redis that instances share. It changes nothing there."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from server.config import LOOPBACK_NAMES, Settings
from server.runtime.leases import Examined, Leases, LeasesAwayError

State = Literal["green", "yellow", "grey", "red"]
OLDEST = (6, 2)
SENTENCES = {
    "no_answer": "nobody answers at redis_url: is it running, is its password right?",
    "another_home": "it belongs to another data directory: give each installation a Redis of its own",
    "too_old": "it is older than 6.2",
    "evicts": "it forgets rooms when its memory is full: set maxmemory-policy noeviction",
    "writes_to_disk": "it writes names of people to its disk: set save '' and appendonly no, we need neither",
    "no_password": "whoever reaches it can end consultations: give it a password, or a unix:// socket",
    "ok": "answers, and keeps nothing on a disk",
}


async def check(settings: Settings) -> tuple[State, str, str]:
    """The worst that was found, with a sentence for the operator."""
    leases = Leases(settings.redis_url)
    try:
        code = verdict(settings, await leases.examine())
    except LeasesAwayError:
        code = "no_answer"
    finally:
        await leases.aclose()
    mild = code in ("writes_to_disk", "no_password")
    return "green" if code == "ok" else "yellow" if mild else "red", code, SENTENCES[code]


def verdict(settings: Settings, found: Examined) -> str:
    """A code of SENTENCES."""
    path = settings.data_dir / "HOME"
    if found.home and path.exists() and found.home != path.read_text().strip():
        return "another_home"
    if found.version < OLDEST:
        return "too_old"
    if found.evicts:
        return "evicts"
    if found.persists:
        return "writes_to_disk"
    parts = urlsplit(settings.redis_url)
    near = parts.scheme == "unix" or parts.hostname in LOOPBACK_NAMES
    return "ok" if near or parts.password else "no_password"
