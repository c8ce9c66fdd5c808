"""Addresses, candidate lines and buckets."""

from __future__ import annotations

import ipaddress

import pytest

from media.ice.addresses import candidates, interface_addresses, loopback_last
from media.ice.limits import Bucket, KeyedBuckets

SECOND_NS = 1_000_000_000


def test_loopback_comes_last_and_repeats_are_dropped() -> None:
    given = ["::1", "127.0.0.1", "2001:db8::1", "192.0.2.1", "192.0.2.1"]
    assert loopback_last(given) == ["192.0.2.1", "2001:db8::1", "127.0.0.1", "::1"]


def test_an_address_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="clinic"):
        loopback_last(["clinic.example"])


def test_interfaces_end_with_loopback() -> None:
    found = interface_addresses()
    assert ipaddress.ip_address(found[-1]).is_loopback
    assert not any(ipaddress.ip_address(text).is_link_local for text in found)


def test_priorities_fall_from_udp_to_tcp_and_from_real_addresses_to_loopback() -> None:
    lines = candidates(["127.0.0.1", "192.0.2.1"], 4000, 4000)
    assert [(line.transport, line.address) for line in lines] == [
        ("udp", "192.0.2.1"),
        ("udp", "127.0.0.1"),
        ("tcp", "192.0.2.1"),
        ("tcp", "127.0.0.1"),
    ]
    assert sorted((line.priority for line in lines), reverse=True) == [line.priority for line in lines]
    assert len({line.foundation for line in lines}) == 4
    assert lines[0].text() == f"candidate:u0 1 udp {lines[0].priority} 192.0.2.1 4000 typ host"
    assert lines[2].text().endswith("192.0.2.1 4000 typ host tcptype passive")


def test_without_tcp_there_are_only_udp_lines() -> None:
    assert {line.transport for line in candidates(["192.0.2.1"], 1, None)} == {"udp"}


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = Bucket(2.0, 5.0, 0)
    assert [bucket.take(0) for _ in range(6)] == [True] * 5 + [False]
    assert [bucket.take(SECOND_NS) for _ in range(3)] == [True, True, False]
    assert not bucket.take(0)


def test_keyed_buckets_forget_the_key_unused_longest() -> None:
    buckets = KeyedBuckets(1.0, 1.0, 2)
    assert buckets.take("a", 0)
    assert buckets.take("b", 0)
    assert not buckets.take("a", 0)
    assert buckets.take("c", 0)
    assert len(buckets) == 2
    assert not buckets.take("a", 0)
