"""A demo that already holds one finished recording, made without browsers: for tests of the review page."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from server.runtime.keystore import KeyStore
from tests.support import marks
from tests.support.demo import Demo
from tests.support.fakes import GREEN, RED, Voice, yuv
from tests.support.journals import STARTED_MS, record
from tests.support.recorded import Person
from tests.support.talkers import TALK, Talker

RECORDING = "rec_prepared-0001"
VOICES: dict[str, Voice] = {"referring_physician": RED, "consulting_physician": GREEN}


def _person(demo: Demo, role: str, voice: Voice, number: int) -> Person:
    return Person(
        demo.seat_id(role), yuv(voice.rgb), voice.tone, audio_ssrc=10 + number, video_ssrc=20 + number
    )


def two_people(demo: Demo) -> list[Person]:
    return [_person(demo, role, voice, n) for n, (role, voice) in enumerate(VOICES.items())]


def talkers(demo: Demo) -> list[Person]:
    """Two physicians and their interpreter, who talk by the script of `talkers.TALK`."""
    made: list[Person] = []
    for number, (role, talks) in enumerate(TALK.items()):
        tone = 400 + 150 * number
        made.append(Talker(demo.seat_id(role), tone_hz=tone, audio_ssrc=10 + number, talks=talks))
    return made


@contextmanager
def reviewed_demo(
    folder: Path,
    seconds: float = 8.0,
    who: Callable[[Demo], list[Person]] = two_people,
    notes: Sequence[tuple[int, str, str]] = (),
) -> Iterator[Demo]:
    """The demo is started, stopped, given a recording of people, and started again: it finalises it.

    `notes`: of its time line: ms since its start, word, role of the seat it concerns or "".
    """
    demo = Demo(folder, {"HYEOPJIN_RESTART_GRACE_S": "0"}).start()
    try:
        demo.stop(30)
        people = who(demo)
        with contextlib.closing(sqlite3.connect(demo.data / marks.DATABASE)) as db, db:
            (consultation,) = db.execute(
                "SELECT consultation_id FROM seats WHERE id = ?", (people[0].peer,)
            ).fetchone()
            db.execute(
                "INSERT INTO sessions (id, consultation_id, epoch, started_ms, ended_ms)"
                " VALUES (?, ?, 1, ?, ?)",
                (RECORDING, consultation, STARTED_MS, STARTED_MS + int(seconds * 1000)),
            )
            db.execute(
                "INSERT INTO recordings (id, state, generation, epochs_finalised, updated_ms)"
                " VALUES (?, 'recording', 0, 0, ?)",
                (RECORDING, STARTED_MS),
            )
            db.executemany(
                "INSERT INTO session_notes (session_id, at_ms, what, seat_id) VALUES (?, ?, ?, ?)",
                [
                    (RECORDING, STARTED_MS + at_ms, what, demo.seat_id(role) if role else None)
                    for at_ms, what, role in notes
                ],
            )
        keys = KeyStore.open(demo.data)

        def recorded() -> None:
            asyncio.run(record(demo.data, keys, people, seconds=seconds, recording=RECORDING))

        with ThreadPoolExecutor(1) as thread:  # Playwright's loop may be running in this one
            thread.submit(recorded).result()
        demo.start()
        yield demo
    finally:
        if demo.process is not None and demo.process.poll() is None:
            demo.kill()
