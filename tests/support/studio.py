"""Records synthetic people through the real recorder and store, and finalises them in the real child
process.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av

from media.recorder import RoomRecorder
from media.recordstore.sealed import SealedReader, final_key
from media.recordstore.store import StoreWriter
from media.recordstore.verify import verify_journal
from tests.support.recorded import NS, RECORDING, FakeClock, Packet, key

ROOM_KEY, SIGNING_KEY = b"r" * 32, b"s" * 32
Event = tuple[float, str, str, dict[str, int | str]]
"""Seconds since the start, peer, name, fields."""


@dataclass
class Studio:
    """One recording under `root`; every session() is an epoch."""

    root: Path
    clock: FakeClock = field(default_factory=FakeClock)
    keys: dict[str, bytes] = field(default_factory=dict)
    epoch: int = 0
    generation: int = 0

    @property
    def journal(self) -> Path:
        return self.root / "journal"

    @property
    def wall_ns(self) -> int:
        """Unix ns of the session's start."""
        return self.clock._wall_ns

    def files(self, peer: str, epoch: int = 1) -> list[Path]:
        return sorted((self.journal / RECORDING / str(epoch)).glob(f"{peer}.*.seg"))

    def verified(self) -> dict[str, Any]:
        """What `verify_journal` says of it now, by the keys."""
        started_ms = self.wall_ns // 1_000_000
        return dict(verify_journal(self.journal, RECORDING, self.keys, ROOM_KEY, (), started_ms))

    def session(
        self, media: dict[str, Iterable[Packet]], events: Iterable[Event] = (), *, crash: bool = False
    ) -> None:
        """Record an epoch: each peer's packets at their arrivals. `crash`: as after SIGKILL, without end
        marks.
        """
        asyncio.run(self._session(media, sorted(events, key=lambda e: e[0]), crash))

    async def _session(self, media: dict[str, Iterable[Packet]], events: list[Event], crash: bool) -> None:
        self.epoch += 1
        store = StoreWriter(self.clock, sync_every_s=0.05)
        store.start()
        everything = sorted(
            (
                (packet.at_ns, peer, n, packet)
                for peer, packets in media.items()
                for n, packet in enumerate(packets)
            ),
            key=lambda item: item[:3],
        )
        self.clock.now_ns = self.clock.start_ns + (everything[0][0] if everything else 0)
        recorder = RoomRecorder(
            self.journal, RECORDING, self.epoch, store, ROOM_KEY, self.clock, lambda _peer, _kind, _rid: None
        )
        for peer in media:
            recorder.admit(peer, f"grant-{peer[-4:]}", self.keys.setdefault(peer, key()))
        second = self.clock.now_ns
        for at_ns, peer, _, packet in everything:
            now = self.clock.now_ns = self.clock.start_ns + at_ns
            while events and events[0][0] * NS <= at_ns:
                at_s, who, name, fields = events.pop(0)
                recorder.event(who, name, self.clock.start_ns + int(at_s * NS), **fields)
            if now - second >= NS:
                second = now
                recorder.stored(now)
                await asyncio.wrap_future(store.flushed())
            if packet.ntp:
                recorder.sender_report(peer, packet.kind, packet.ssrc, packet.ntp, packet.rtp, now)
            else:
                recorder.rtp(peer, packet.kind, packet.rid, packet.data, now)
        if crash:
            # What a SIGKILL leaves: the files as they are. The idle thread goes with the test process.
            await asyncio.wrap_future(store.flushed())
            return
        await recorder.close()
        assert store.close()

    def job(self, out: Path) -> bytes:
        """The finaliser's job as the server would write it."""
        return json.dumps(
            {
                "journal_root": str(self.journal),
                "recording": RECORDING,
                "epochs": list(range(1, self.epoch + 1)),
                "keys": {peer: base64.b64encode(value).decode() for peer, value in self.keys.items()},
                "room_key": base64.b64encode(ROOM_KEY).decode(),
                "signing_key": base64.b64encode(SIGNING_KEY).decode(),
                "out_dir": str(out),
                "generation": self.generation,
                "session": {"started_at_ms": self.wall_ns // 1_000_000},
            }
        ).encode()

    def finalise(self) -> dict[str, Any]:
        """Run the child; its result line."""
        self.generation += 1
        self.out = self.root / f"g{self.generation}"
        done = subprocess.run(
            [sys.executable, "-m", "media.finaliser"],
            input=self.job(self.out),
            capture_output=True,
            timeout=600,  # it gives way to everything else on the machine
        )
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert done.returncode == (0 if result["ok"] else 1), done.stderr.decode()
        return result

    def plain(self, track: dict[str, Any]) -> bytes:
        """A finished track, unsealed."""
        seat_key, associated = final_key(self.keys[track["peer"]], RECORDING, self.generation, track["id"])
        with SealedReader(self.out / track["file"], seat_key, associated) as reader:
            return b"".join(reader.chunks())

    def open(self, track: dict[str, Any]) -> Any:
        """A finished track as a container."""
        return av.open(io.BytesIO(self.plain(track)))


def track(result: dict[str, Any], peer: str, kind: str, rid: str | None = None) -> dict[str, Any]:
    """The one track of a peer and kind (and layer)."""
    tracks = [t for t in result["index"]["tracks"] if (t["peer"], t["kind"]) == (peer, kind)]
    (found,) = [t for t in tracks if rid is None or t["rid"] == rid]
    return dict(found)
