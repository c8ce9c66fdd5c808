"""Journals as the real recorder writes them, and the books that go with them, for what comes after."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert

from media.recorder import RoomRecorder
from media.recordstore.store import StoreWriter
from server.domain.case import Case
from server.domain.consultation import Consultation, Seat
from server.domain.people import Site
from server.runtime.keystore import KeyStore
from server.storage import accounts, cases, consultations
from server.storage.database import Database
from server.storage.recordings import Recordings
from server.storage.schema import recordings, sessions
from tests.support.fresh import migrated
from tests.support.recorded import FPS, NS, FakeClock, Packet, Person, in_order, rtp

RECORDING = "rec_synthetic-0001"
CONSULTATION = "con_synthetic-0001"
CASE = "case_synthetic-001"
SITE = "site_synthetic-001"
SEATS = ("seat_synthetic-aa", "seat_synthetic-bb", "seat_synthetic-cc")
ROLES = ("referring_physician", "consulting_physician", "interpreter")
STARTED_MS = 1_790_000_000_000


@dataclass(frozen=True, slots=True)
class Books:
    """A database with one case, one consultation, three seats and one recording."""

    database: Database
    rows: Recordings


async def make_books(data: Path, epoch: int = 1, recording: str = RECORDING) -> Books:
    database = Database(f"sqlite+aiosqlite:///{data / 'hyeopjin.sqlite3'}")
    await migrated(database)
    async with database.write() as tx:
        await accounts.add_site(tx, Site(SITE, "Synthetic clinic", "Asia/Almaty", "KZ"))
        case = Case(
            id=CASE,
            label="C-1",
            site_id=SITE,
            specialty="neurology",
            question="Synthetic question",
            patient={"name": "Synthetic", "synthetic": True},
            state="open",
            created_ms=STARTED_MS,
        )
        await cases.add_case(tx, case)
        day = 86_400_000
        await consultations.add_consultation(
            tx, Consultation(CONSULTATION, CASE, "live", STARTED_MS, STARTED_MS, STARTED_MS + 10_000 * day)
        )
        for place, (seat, role) in enumerate(zip(SEATS, ROLES, strict=True)):
            sitting = Seat(seat, CONSULTATION, role, f"Synthetic {role}", "ru", SITE, None, "unused")
            await consultations.add_seat(tx, sitting, place, f"{place:064d}")
        await add_session(tx, recording, epoch)
    return Books(database, Recordings(database))


async def add_session(tx: object, recording: str, epoch: int) -> None:
    execute = tx.execute  # type: ignore[attr-defined]
    await execute(
        insert(sessions).values(
            id=recording, consultation_id=CONSULTATION, epoch=epoch, started_ms=STARTED_MS
        )
    )
    await execute(
        insert(recordings).values(
            id=recording, state="recording", generation=0, epochs_finalised=0, updated_ms=STARTED_MS
        )
    )


def people(count: int = 2, kind: type[Person] = Person) -> list[Person]:
    """Persons of different colours and tones at the first seats."""
    looks = [((90, 54, 240), 440), ((145, 54, 34), 660), ((41, 240, 110), 880)]
    return [
        kind(
            peer=SEATS[n],
            colour=looks[n][0],
            tone_hz=looks[n][1],
            audio_ssrc=0x1000 + n,
            video_ssrc=0x2000 + n,
        )
        for n in range(count)
    ]


class Noisy(Person):
    """A camera of `FRAME_BYTES` of noise a frame: nothing to look at, but much to carry."""

    FRAME_BYTES = 4000

    def video(self, begin_s: float, seconds: float, wall_ns: int, mtu: int = 1000) -> Iterator[Packet]:
        noise = random.Random(self.peer)
        seq = self.seq
        for i in range(int(seconds * FPS)):
            captured = int((begin_s + i / FPS) * NS)
            stamp = self.video_rtp + round((begin_s + i / FPS) * 90_000)
            key = i % 40 == 0
            head = b"\x10\x02\x00\x9d\x01\x2a\xa0\x00\x78\x00" if key else b"\x11\x02\x00"
            frame = head + noise.randbytes(self.FRAME_BYTES - len(head))
            parts = [frame[n : n + mtu] for n in range(0, len(frame), mtu)]
            for n, part in enumerate(parts):
                start = b"\x90" if n == 0 else b"\x80"
                payload = start + b"\x80" + bytes((i & 0x7F,)) + part
                packet = rtp(96, seq, stamp, self.video_ssrc, payload, n == len(parts) - 1)
                yield Packet(captured + self.delay_ns + n * 100_000, "camera", packet)
                seq += 1


class Wandering(Person):
    """A person whose reports of sound wander by a third of a second."""

    def report(self, kind: str, at: int, sent_ns: int, ssrc: int, stamp: int, wall_ns: int) -> Packet:
        wrong = random.Random(at).randint(-16_000, 16_000) if kind == "audio" else 0
        return super().report(kind, at, sent_ns, ssrc, stamp + wrong, wall_ns)


async def record(
    data: Path,
    keys: KeyStore,
    who: Sequence[Person],
    *,
    seconds: float = 4.0,
    epoch: int = 1,
    begin_s: float = 0.0,
    recording: str = RECORDING,
    roll_after_s: float = 0.0,
    end: bool = True,
) -> dict[str, dict[str, object]]:
    """Record people into `journal/<recording>/<epoch>` in no real time; the last chain heads.

    `roll_after_s`: files end after so long of the recording's own time. `end` False: as if the worker had
    been killed when everything was synced.
    """
    clock = FakeClock(wall_ns=STARTED_MS * 1_000_000)
    clock.now_ns += int(begin_s * NS)
    start_ns = clock.start_ns
    store = StoreWriter(clock, sync_every_s=0.05, roll_after_s=roll_after_s)
    store.start()
    room_key = keys.seat_key(recording, "room")
    root = data / "journal"
    recorder = RoomRecorder(root, recording, epoch, store, room_key, clock, lambda _peer, _kind, _rid: None)
    for person in who:
        recorder.admit(person.peer, f"grant-{person.peer}", keys.seat_key(recording, person.peer))
    wall = STARTED_MS * 1_000_000
    sources = [
        (person, packet)
        for person in who
        for packet in in_order(person.video(begin_s, seconds, wall), person.audio(begin_s, seconds, wall))
    ]
    tick = clock.now_ns
    for person, packet in sorted(sources, key=lambda pair: pair[1].at_ns):
        clock.now_ns = at = start_ns + packet.at_ns
        if packet.data:
            recorder.rtp(person.peer, packet.kind, "", packet.data, at)
        else:
            recorder.sender_report(person.peer, packet.kind, packet.ssrc, packet.ntp, packet.rtp, at)
        if at - tick >= NS:
            recorder.stored(at)
            tick = at
            if roll_after_s:
                await asyncio.wrap_future(store.flushed())  # a second of the recording is one of the store
    if end:
        await recorder.close()
        heads = recorder.heads()
    else:
        recorder.stored(clock.now_ns)
        await asyncio.wrap_future(store.flushed())
        heads = recorder.heads()
        for feed in list(store._feeds):
            if feed._segment is not None:
                feed._segment.abandon()
        store._feeds.clear()
    await asyncio.to_thread(store.close)
    return heads


def tear(data: Path, recording: str = RECORDING, epoch: int = 1, octets: int = 60) -> None:
    """What a power cut leaves: every segment of an epoch ends in the middle of a seal.

    The room's file loses more, so that it has not yet heard of what the others lost.
    """
    for path in (data / "journal" / recording / str(epoch)).glob("*.seg"):
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.truncate(size * 3 // 5 if path.name.startswith("room.") else size - octets)
