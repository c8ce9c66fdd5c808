"""A room at a bare forwarder (`media.bench.bare`): the same peers and sending, no plan, no offers."""

from __future__ import annotations

from typing import Any

from media.bench.dtls import Identity
from media.bench.keys import AgreedKeys
from media.bench.peer import SyntheticPeer
from media.bench.traffic import AUDIO, KINDS


class BareRoom:
    """Looks to the generator like a `BenchRoom`. `pairs` are the keys of its peers."""

    def __init__(
        self, number: int, identity: Identity, port: int, pairs: list[list[str]], layered: bool
    ) -> None:
        first = number * len(pairs)
        indices = {f"peer{first + seat}": first + seat for seat in range(len(pairs))}
        self.peers = {
            name: SyntheticPeer(name, index, identity, indices, layered) for name, index in indices.items()
        }
        streams = {
            out.ssrc: (peer.index, min(out.kind, len(KINDS) - 1))
            for peer in self.peers.values()
            for out in peer.outbound.values()
        }
        for peer, pair in zip(self.peers.values(), pairs, strict=True):
            peer.join_bare(port, AgreedKeys(pair), streams)

    def event(self, event: dict[str, Any]) -> None:
        """There are none."""

    def complete(self) -> bool:
        """True when everybody has got sound of everybody else."""
        everybody = {peer.index for peer in self.peers.values()}
        return all(
            everybody - {peer.index} <= {who for who, kind in peer.received.tallies if kind == AUDIO}
            for peer in self.peers.values()
        )

    def trouble(self) -> str | None:
        """The first thing that went wrong in this room, or None."""
        return next((peer.failed for peer in self.peers.values() if peer.failed), None)

    def close(self) -> None:
        for peer in self.peers.values():
            peer.close()
