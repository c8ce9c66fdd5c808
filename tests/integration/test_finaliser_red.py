"""Sound with redundancy: what the line lost is in the finished track all the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from media.codecs import RED_PT
from tests.support.recorded import Packet, Person, opus
from tests.support.studio import Studio, track
from tests.unit.test_red import pack

ANNA = Person("seat-synthetic-0001")
SECONDS = 8.0


def redundant(plain: list[Packet], distance: int = 1) -> Iterator[Packet]:
    """Each packet as RED, with the payload of those before it, as Chromium sends it."""
    sound = [p for p in plain if p.data]
    at = {id(p): n for n, p in enumerate(sound)}
    for p in plain:
        if not p.data:
            yield p
            continue
        n = at[id(p)]
        older = [(111, 960 * (n - k), sound[k].data[12:]) for k in range(max(0, n - distance), n)]
        data = bytes((p.data[0], RED_PT)) + p.data[2:12] + pack([*older, (111, 0, p.data[12:])])
        yield replace(p, data=data)


def payloads(studio: Studio, row: dict[str, Any]) -> list[bytes]:
    return [bytes(packet) for packet in studio.open(row).demux(audio=0) if packet.size]


def finished(studio: Studio, sent: list[Packet]) -> dict[str, Any]:
    studio.session({ANNA.peer: sent})
    return track(studio.finalise(), ANNA.peer, "audio")


@pytest.mark.parametrize("distance", [1, 2])
def test_redundant_blocks_stand_for_lost_packets(tmp_path: Path, distance: int) -> None:
    studio = Studio(tmp_path)
    sent = list(redundant(list(ANNA.audio(0.5, SECONDS, studio.wall_ns)), distance))
    chance = random.Random(6)
    lost = {n for n in range(10, len(sent) - 10, 10) if chance.random() < 0.8}
    lost |= {n + 1 for n in lost if distance == 2}
    row = finished(studio, [p for n, p in enumerate(sent) if n not in lost or not p.data])
    gone = len([n for n in lost if sent[n].data])
    assert (row["recovered_packets"], row["lost_packets"]) == (gone, 0)
    assert payloads(studio, row) == list(opus(ANNA.tone_hz, SECONDS)), "every packet once, in order"
    assert row["gaps"] == []


def test_redundancy_of_what_came_adds_nothing(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    row = finished(studio, list(redundant(list(ANNA.audio(0.5, SECONDS, studio.wall_ns)), 2)))
    assert (row["recovered_packets"], row["lost_packets"]) == (0, 0)
    assert payloads(studio, row) == list(opus(ANNA.tone_hz, SECONDS))


def test_a_longer_hole_keeps_its_time_and_ends_a_frame_earlier(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    sent = list(redundant(list(ANNA.audio(0.5, SECONDS, studio.wall_ns))))
    row = finished(studio, [p for n, p in enumerate(sent) if not 100 <= n < 200])
    assert row["recovered_packets"] == 1
    found, whole = payloads(studio, row), list(opus(ANNA.tone_hz, SECONDS))
    assert len(found) == len(whole), "silence in between"
    assert found[210:] == whole[210:]
    (gap,) = row["gaps"]
    assert gap["cause"] == "network_loss"


def test_a_packet_of_nonsense_is_a_hole_and_no_more(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    sent = list(redundant(list(ANNA.audio(0.5, SECONDS, studio.wall_ns))))
    bad = next(n for n in range(50, 60) if sent[n].data)
    sent[bad] = replace(sent[bad], data=sent[bad].data[:12] + b"\xff\xff\xff\xff")
    row = finished(studio, sent)
    assert row["packets"] == len([p for p in sent if p.data])
    assert abs(len(payloads(studio, row)) - len(opus(ANNA.tone_hz, SECONDS))) <= 1
