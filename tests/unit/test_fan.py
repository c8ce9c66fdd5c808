"""The short way to many receivers: each gets what it would if it were asked for each packet."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest

from media.rtp import rtcp
from media.subscription import Subscription
from tests.support.outbox import Outbox, Stage

NAMES = ("s", "t", "u")


def tell(stage: Stage, chance: random.Random) -> None:
    """Something of what happens in a call, the same for the same chance."""
    numbers = {"audio": 40_000, "l": 0, "h": 0}
    held: list[tuple[str, int]] = []
    for _ in range(700):
        what = chance.random()
        if what < 0.86:
            stream = chance.choice(("audio", "h", "h", "l"))
            number = numbers[stream] = numbers[stream] + chance.choice((1,) * 30 + (2, 3, 9, 3500))
            if chance.random() < 0.03:
                held.append((stream, number))
            else:
                send(stage, stream, number, chance.random() < 0.08)
        elif what < 0.89 and held:
            send(stage, *held.pop(0), False)
        elif what < 0.91:
            send(stage, "audio", numbers["audio"] - chance.randrange(4), False)
        elif what < 0.93:
            index = chance.randrange(len(NAMES))
            newest = [packet for packet in stage.subscribers[index].rtp if packet[8:12] != bytes(4)][-1:]
            for packet in newest:
                sequence, ssrc = int.from_bytes(packet[2:4], "big"), int.from_bytes(packet[8:12], "big")
                stage.from_subscriber(rtcp.build_nack(1, ssrc, [sequence - 1 & 0xFFFF]), index)
        elif what < 0.95:
            subscription = subscriptions(stage)[chance.randrange(6)]
            subscription.hold_back(chance.choice((0, 200_000_000)), stage.time.now_ns)
        elif what < 0.96:
            subscriptions(stage)[chance.randrange(6)].hold()
            stage.relay.relink()
        elif what < 0.97:
            away = chance.choice(stage.subscribers)
            assert away.sink is not None
            away.sink.on_state("disconnected")
            away.sink.on_state("connected")
        elif what < 0.98:
            layer = subscriptions(stage)[chance.choice((1, 3, 5))].layer
            layer.highest = chance.choice(("high", "low", "stills", "off"))
        stage.time.advance(chance.choice((0, 0, 0, 5, 20)))
        if what > 0.98:
            stage.time.advance(chance.choice((100, 1000)))
            stage.relay.tick(stage.time.now_ns)


def subscriptions(stage: Stage) -> list[Subscription]:
    """Of each subscriber its sound and its picture."""
    found = [endpoint.subscriptions for name, endpoint in stage.relay.endpoints.items() if name in NAMES]
    return [of["p", kind] for of in found for kind in ("audio", "camera")]


def send(stage: Stage, stream: str, number: int, key: bool) -> None:
    if stream == "audio":
        stage.audio(number)
    else:
        stage.layer(stream, number, key=key, size=number % 3)


def story(seed: int) -> tuple[list[Outbox], list[tuple[int, ...]]]:
    stage = Stage(*NAMES, layered=True)
    for stream in ("l", "h"):
        send(stage, stream, 0, True)
    tell(stage, random.Random(seed))
    counts = [(s.packets, s.octets, s.last, s.last_ns, s.last_timestamp) for s in subscriptions(stage)]
    return stage.subscribers, counts


@pytest.mark.parametrize("seed", range(12))
def test_each_gets_the_very_bytes_it_would_if_it_were_asked_for_each_packet(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = SimpleNamespace(randbelow=lambda most: most // 3, randbits=lambda bits: (1 << bits) // 3)
    monkeypatch.setattr("media.subscription.secrets", chance)
    together, counts = story(seed)
    monkeypatch.setattr(Subscription, "way", lambda self, stream: None)
    apart, counts_apart = story(seed)
    assert [box.rtp for box in together] == [box.rtp for box in apart]
    assert sum(len(box.rtp) for box in together) > 300
    assert counts == counts_apart
    assert [len(box.rtcp) for box in together] == [len(box.rtcp) for box in apart]


def test_no_number_is_sent_twice_with_other_bytes() -> None:
    for seed in range(8):
        for box in story(seed)[0]:
            known: dict[bytes, bytes] = {}
            for packet in box.rtp:
                assert known.setdefault(packet[2:4] + packet[8:12], packet) == packet


def test_packets_in_order_are_not_asked_about_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(*NAMES)
    stage.audio(1)
    stage.audio(2)
    monkeypatch.setattr(Subscription, "deliver", None)
    for number in range(3, 20):
        stage.audio(number)
    assert [len(box.rtp) for box in stage.subscribers] == [19, 19, 19]
