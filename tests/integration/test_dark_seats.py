"""A seat that goes dark until it is given up, in a whole server: that is no departure."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_kill_series import Talk, until
from tests.support.demo import Demo
from tests.support.faulty_disk import Faults
from tests.support.headless import HeadlessPage
from tests.support.impairment.profile import Profile
from tests.support.impairment.relay import Relay
from tests.support.ports import free_port

LINE = Profile(delay_ms=40)
ROLES = ("referring_physician", "consulting_physician", "interpreter")
GIVEN_UP_S = 70
"""Fifteen seconds until the socket is believed dead, thirty of grace."""


def present(page: HeadlessPage, seat: str) -> bool:
    """Whether, as far as this page knows, somebody has that seat."""
    return any(p["id"] == seat and p["present"] for s in page.snapshots[-1:] for p in s["participants"])


def causes(report: dict[str, Any], seat: str) -> list[list[str]]:
    """Of each track of the seat, its gaps over 2.5 s."""
    tracks = [track for track in report["tracks"] if track["peer"] == seat]
    return [[g["cause"] for g in track["gaps"] if g["to"] - g["from"] > 2500] for track in tracks]


@pytest.mark.long
async def test_a_seat_that_is_given_up_in_the_dark_did_not_leave_and_who_leaves_did(tmp_path: Path) -> None:
    port = free_port()
    demo = Demo(tmp_path / "demo", {"HYEOPJIN_MEDIA_UDP_PORT": str(port), "HYEOPJIN_RESTART_GRACE_S": "2"})
    await asyncio.to_thread(demo.start)
    async with Relay(port, LINE, seed=1) as media, Relay(demo.port, LINE, seed=2) as web:
        near, far, third = (HeadlessPage(demo, role, n) for n, role in enumerate(ROLES))
        far.web_port, far.media_port = web.port, media.port
        talk = Talk(demo, Faults(tmp_path), [near, far, third])
        try:
            for page in talk.pages:
                await page.enter()
            await talk.flowing()
            for relay in (media, web):
                relay.black_out(True)
            await third.leave()
            await until("the seat is given up", lambda: not present(near, far.seat), GIVEN_UP_S)
            for relay in (media, web):
                relay.black_out(False)
            times = len(far.connects)
            await until("it is back", lambda: len(far.connects) > times and far.flowing, 40)
            for page in (far, near):
                await page.leave()
            row, report = await talk.finalised()
        finally:
            for page in talk.pages:
                await page.close()
            await asyncio.to_thread(demo.kill)
    assert (row["epochs"], report["chain"]) == (1, "intact")
    assert causes(report, far.seat) == [["network_loss"], ["network_loss"]]
    assert causes(report, third.seat) == [["left"], ["left"]]
    assert causes(report, near.seat) == [[], []]
