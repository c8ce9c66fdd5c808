"""Films, clips and stills decoded by others: who is where, when and how loud; absence is said."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update

from media.compose.layout import grid, speaker
from server.export.making import ExportError
from server.export.plan import Order
from server.export.plates import plate
from server.storage.schema import seats
from tests.integration.export_rig import ExportRig, pictures, samples
from tests.support.flashing import Flashing, Late, instants
from tests.support.journals import RECORDING, SEATS, people
from tests.support.recorded import loudest_hz

SECONDS = 6.0
NAMES = ("김하늘 Әділ Ғалымұлы", "Үміт Қаңбақ Һәм Өмір", "이서연")
FRAME_MS = 1000 / 15
KEPT_DB = 20.0


@dataclass
class Made:
    """What the composer gave, and what it said of each."""

    grid: bytes
    speaker: bytes
    clip: bytes
    still: bytes
    without: bytes
    refused: list[str]
    length_ms: int


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return asyncio.run(_make(tmp_path_factory.mktemp("film")))


async def _make(data: Path) -> Made:
    plain = people(3)
    who = [
        Flashing(SEATS[0], audio_ssrc=1, video_ssrc=2),
        plain[1],
        Late(SEATS[2], plain[2].colour, plain[2].tone_hz, audio_ssrc=3, video_ssrc=4),
    ]
    rig = await ExportRig().open(data, SECONDS, list(who))
    async with rig.books.database.write() as tx:
        for seat, name in zip(SEATS, NAMES, strict=True):
            await tx.execute(update(seats).where(seats.c.id == seat).values(name=name))
    row = await rig.books.rows.get(RECORDING)
    assert row is not None
    assert row.duration_ms is not None
    end = row.duration_ms
    film = await rig.make(Order("film", "grid", "ko", "Asia/Seoul", 0, end))
    active = await rig.make(Order("film", "speaker", "ru", "Asia/Almaty", 0, end))
    clip = await rig.make(Order("clip", "grid", "en", "UTC", 2200, 4000))
    still = await rig.make(Order("still", from_ms=3000, to_ms=3000, track=f"{SEATS[1]}-camera"))
    refused = []
    rig.keys.destroy(RECORDING, SEATS[1])
    without = await rig.make(Order("film", "grid", "en", "UTC", 0, end))
    for order in (
        Order("still", from_ms=3000, track=f"{SEATS[1]}-camera"),
        Order("still", from_ms=500, track=f"{SEATS[2]}-camera"),
        Order("still", from_ms=3000, track=f"{SEATS[0]}-audio"),
    ):
        with pytest.raises(ExportError) as error:
            await rig.make(order)
        refused.append(error.value.code)
    await rig.close()
    return Made(film, active, clip, still, without, refused, end)


def tone_db(sound: np.ndarray, hz: int, begin_s: float, end_s: float) -> float:
    """Level of a tone in a stretch, dB."""
    part = sound[int(begin_s * 48_000) : int(end_s * 48_000)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)))) / len(part)
    at = round(hz * len(part) / 48_000)
    return 20 * float(np.log10(spectrum[at - 2 : at + 3].max() + 1e-9))


def middle(picture: np.ndarray, n: int, count: int) -> tuple[int, ...]:
    """The colour in the middle of a tile of the grid."""
    rect = grid(count)[n]
    return tuple(int(v) for v in picture[rect.y + rect.h // 2 - 30, rect.x + rect.w // 2])


def is_green(colour: tuple[int, ...]) -> bool:
    return colour[1] > 150 and colour[0] < 90


def is_blue(colour: tuple[int, ...]) -> bool:
    return colour[2] > 150 and colour[0] < 90 and colour[1] < 90


def test_a_film_is_h264_and_aac_of_the_right_length_with_its_index_first(made: Made) -> None:
    assert made.grid.index(b"moov") < made.grid.index(b"mdat")
    with av.open(io.BytesIO(made.grid)) as box:
        video, sound = box.streams.video[0], box.streams.audio[0]
        assert (video.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        assert (video.width, video.height, video.average_rate) == (1280, 720, 15)
        assert box.duration is not None
        assert abs(box.duration / 1000 - made.length_ms) < 2 * FRAME_MS
        box.seek(4_000_000)  # µs; a key frame at most 2 s before
        first = next(iter(box.decode(video)))
        assert 2.0 <= float(first.time) <= 4.0


def test_everybody_is_in_their_tile_while_they_are_there_and_never_frozen(made: Made) -> None:
    told = pictures(made.grid)
    for at, picture in told:
        if 0.3 < at < SECONDS - 0.3:
            assert is_green(middle(picture, 1, 3)), at
        there = 2.2 < at < SECONDS - 1.2
        if there:
            assert is_blue(middle(picture, 2, 3)), at
        if at < 1.9 or at > SECONDS - 0.7:
            assert max(middle(picture, 2, 3)) < 80, ("a neutral panel", at)


def test_all_voices_are_mixed_each_in_its_time(made: Made) -> None:
    sound = samples(made.grid)
    green, late = people(3)[1].tone_hz, people(3)[2].tone_hz
    assert tone_db(sound, green, 1.0, 1.4) - tone_db(sound, late, 1.0, 1.4) > KEPT_DB
    assert abs(tone_db(sound, green, 3.0, 3.4) - tone_db(sound, late, 3.0, 3.4)) < 6
    assert (
        tone_db(sound, green, SECONDS - 0.6, SECONDS - 0.2)
        - tone_db(sound, late, SECONDS - 0.6, SECONDS - 0.2)
        > KEPT_DB
    )
    assert np.abs(sound).max() <= 1.0


@pytest.mark.parametrize(("which", "begin_s"), [("grid", 0.0), ("clip", 2.2)])
def test_flash_and_beep_come_together_and_on_time(made: Made, which: str, begin_s: float) -> None:
    film = getattr(made, which)
    tile = grid(3)[0]
    lit = [at for at, p in pictures(film) if p[tile.y + tile.h // 2 - 30, tile.x + tile.w // 2, 1] > 140]
    flashes = [at for n, at in enumerate(lit) if n == 0 or at - lit[n - 1] > 0.3]
    sound = samples(film)
    beeps = onsets(sound)
    end_s = begin_s + len(sound) / 48_000
    wanted = [at - begin_s for at in instants(SECONDS) if begin_s + 0.1 < at < end_s - 0.3]
    assert len(wanted) >= 1
    for at in wanted:
        flash, beep = min(flashes, key=lambda f: abs(f - at)), min(beeps, key=lambda b: abs(b - at))
        assert abs(flash - beep) <= 0.08, (at, flash, beep)
        # The recorder's own clock may be off by the delay of the network.
        assert abs(flash - at) <= 0.08 + 0.06, (at, flash)


def onsets(sound: np.ndarray) -> list[float]:
    """Seconds at which the beep of 1000 Hz begins, to 10 ms."""
    step = 480
    at = np.exp(-2j * np.pi * 1000 * np.arange(step) / 48_000)
    level = [abs(sound[i : i + step] @ at) / step * 2 for i in range(0, len(sound) - step, step)]
    loud = [n for n, value in enumerate(level) if value > 0.12]
    return [n * step / 48_000 for k, n in enumerate(loud) if k == 0 or n - loud[k - 1] > 30]


def test_name_plates_are_rendered_in_hangul_and_cyrillic(made: Made) -> None:
    picture = pictures(made.grid)[45][1]
    roles = ("의뢰 의사", "자문 의사", "통역사")
    for n, name in enumerate(NAMES):
        rect = grid(3)[n]
        with Image.open(io.BytesIO(plate(name, roles[n]))) as drawn:
            wanted = np.asarray(drawn.convert("L"), dtype=float)
        h, w = wanted.shape
        seen = picture[rect.y + rect.h - h : rect.y + rect.h, rect.x : rect.x + w].mean(axis=2)
        assert np.corrcoef(seen.ravel(), wanted.ravel())[0, 1] > 0.97, name


def test_the_one_who_speaks_is_shown_large(made: Made) -> None:
    """The tone of the second is always there; nobody is louder, so it takes the place and keeps it."""
    at, picture = pictures(made.speaker)[60]
    main = speaker(3, 1)[1]
    assert is_green(tuple(int(v) for v in picture[main.y + main.h // 2, main.x + main.w // 2])), at


def test_a_clip_has_the_asked_length_to_a_frame(made: Made) -> None:
    frames = pictures(made.clip)
    assert len(frames) == round(1800 / FRAME_MS)
    assert is_green(middle(frames[0][1], 1, 3)), "the first frame is whole"
    assert abs(loudest_hz(samples(made.clip)[:24_000]) - people(3)[1].tone_hz) < 400


def test_a_still_is_the_tracks_own_picture_and_names_nobody(made: Made) -> None:
    with Image.open(io.BytesIO(made.still)) as still:
        assert (still.format, still.size) == ("PNG", (160, 120))
        colour = still.convert("RGB").getpixel((80, 60))
        assert isinstance(colour, tuple)
        assert is_green(colour)
        assert still.info == {
            "Software": "Hyeopjin",
            "Source": f"recording {RECORDING}, track {SEATS[1]}-camera, 3000 ms",
        }
    assert not any(name.encode() in made.still for name in NAMES)


def test_a_seat_whose_key_is_gone_is_in_nothing(made: Made) -> None:
    for _, picture in pictures(made.without)[::10]:
        assert not any(is_green(middle(picture, n, 2)) for n in range(2))
        assert int(((picture[..., 1] > 150) & (picture[..., 0] < 90)).sum()) < 50
    sound = samples(made.without)
    hz = people(3)[1].tone_hz
    assert tone_db(samples(made.grid), hz, 1.0, 1.4) - tone_db(sound, hz, 1.0, 1.4) > 30
    assert made.refused == ["nothing_there"] * 3
