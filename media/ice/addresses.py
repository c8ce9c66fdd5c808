"""Which addresses the media port is announced under, and the candidate lines for them.

Must not open sockets.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

import ifaddr

UDP_TYPE_PREFERENCE = 126
"""Host candidates over UDP (RFC 8445 section 5.1.2.2)."""
TCP_TYPE_PREFERENCE = 90
"""Any TCP pair is worse than any UDP pair."""


@dataclass(frozen=True)
class CandidateLine:
    """One `a=candidate` of ours (RFC 8839 section 5.1, RFC 6544 section 4.5)."""

    foundation: str
    transport: str
    priority: int
    address: str
    port: int

    def text(self) -> str:
        tail = " tcptype passive" if self.transport == "tcp" else ""
        where = f"{self.address} {self.port}"
        return f"candidate:{self.foundation} 1 {self.transport} {self.priority} {where} typ host{tail}"


def interface_addresses() -> list[str]:
    """Every usable address of this machine: IPv4 first, then IPv6, loopback last.

    Link-local addresses are left out: a candidate line has no place for their zone.
    """
    found: list[str] = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            text = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            try:
                address = ipaddress.ip_address(text)
            except ValueError:
                continue
            if not (address.is_link_local or address.is_multicast or address.is_unspecified):
                found.append(str(address))
    return loopback_last(found)


def loopback_last(addresses: Sequence[str]) -> list[str]:
    """Without repeats, IPv4 before IPv6, loopback behind everything; otherwise in the given order.

    Raises ValueError for text that is no IP address.
    """
    parsed = [ipaddress.ip_address(text) for text in dict.fromkeys(addresses)]
    return [str(address) for address in sorted(parsed, key=lambda a: (a.is_loopback, a.version))]


def candidates(addresses: Sequence[str], udp_port: int, tcp_port: int | None) -> list[CandidateLine]:
    """Candidate lines in falling priority: UDP for every address, then passive TCP for every address."""
    ordered = loopback_last(addresses)
    lines = [
        CandidateLine(f"u{index}", "udp", _priority(UDP_TYPE_PREFERENCE, index), address, udp_port)
        for index, address in enumerate(ordered)
    ]
    if tcp_port is not None:
        lines += [
            CandidateLine(f"t{index}", "tcp", _priority(TCP_TYPE_PREFERENCE, index), address, tcp_port)
            for index, address in enumerate(ordered)
        ]
    return lines


def _priority(type_preference: int, index: int) -> int:
    return (type_preference << 24) | ((65535 - index) << 8) | 255
