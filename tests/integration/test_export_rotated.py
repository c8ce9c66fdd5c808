"""A phone that is turned in the middle: films, clips and stills show its pictures upright, at their shape."""

from __future__ import annotations

import asyncio
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from media.codecs import EXT_VIDEO_ORIENTATION
from media.compose.canvas import Rect
from media.compose.layout import grid, speaker
from media.compose.turning import Rotations
from server.export.plan import Order
from tests.integration.export_rig import ExportRig, pictures
from tests.support.journals import SEATS, people
from tests.support.recorded import FPS, HEIGHT, NS, WIDTH, Packet, Person

TURNS = (0, 90, 270, 180, 0)
"""How the phone is held, a second each."""
CORNERS = {"red": (81, 90, 240), "green": (145, 54, 34), "blue": (41, 240, 110), "white": (235, 128, 128)}
"""Of the scene: above left, above right, below left, below right; Y, U, V."""


def scene(degrees: int) -> np.ndarray:
    """What the sensor of a phone held so sees, as planar 4:2:0: to be turned by `degrees` to be upright."""
    quarter = degrees // 90
    planes = []
    for plane in range(3):
        half = 1 if plane == 0 else 2
        h, w = (HEIGHT // half, WIDTH // half) if quarter % 2 == 0 else (WIDTH // half, HEIGHT // half)
        upright = np.empty((h, w), np.uint8)
        values = [colour[plane] for colour in CORNERS.values()]
        upright[: h // 2, : w // 2], upright[: h // 2, w // 2 :] = values[:2]
        upright[h // 2 :, : w // 2], upright[h // 2 :, w // 2 :] = values[2:]
        planes.append(np.rot90(upright, quarter).reshape(-1))
    return np.concatenate(planes).reshape(HEIGHT * 3 // 2, WIDTH)


class Turning(Person):
    """A phone's camera; every frame says how it is held."""

    def video(self, begin_s: float, seconds: float, wall_ns: int, mtu: int = 1000) -> Iterator[Packet]:
        codec = av.CodecContext.create("libvpx", "w")
        codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        codec.time_base, codec.gop_size, codec.bit_rate = Fraction(1, FPS), 40, 2_000_000
        codec.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"}
        for n in range(int(seconds * FPS)):
            degrees = TURNS[min(n // FPS, len(TURNS) - 1)]
            frame = av.VideoFrame.from_ndarray(scene(degrees), format="yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, FPS)
            (data,) = codec.encode(frame)
            captured = int((begin_s + n / FPS) * NS)
            stamp = (self.video_rtp + round((begin_s + n / FPS) * 90_000)) & 0xFFFFFFFF
            head = struct.pack(">BBHII", 0x90, 0x80 | 96, (self.seq + n) & 0xFFFF, stamp, self.video_ssrc)
            turned = struct.pack(">HHBBH", 0xBEDE, 1, EXT_VIDEO_ORIENTATION << 4, degrees // 90, 0)
            yield Packet(captured + self.delay_ns, "camera", head + turned + b"\x10" + bytes(data))
            if n % FPS == 5:
                at = captured + self.delay_ns
                yield self.report("camera", at, captured, self.video_ssrc, stamp, wall_ns)


@dataclass
class Made:
    """What the composer gave. `turns`: (film's second, degrees) as the index has them."""

    film: bytes
    speaker: bytes
    clip: bytes
    stills: dict[int, bytes]
    told: dict[int, tuple[int, int]]
    turns: list[tuple[float, int]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return asyncio.run(_make(tmp_path_factory.mktemp("turned")))


async def _make(data: Path) -> Made:
    who = [Turning(SEATS[0], audio_ssrc=1, video_ssrc=2), people(2)[1]]
    rig = await ExportRig().open(data, float(len(TURNS)), who)
    material = await rig.making.material("rec_synthetic-0001")
    assert material is not None
    row = next(t for t in material.index["tracks"] if t["id"] == f"{SEATS[0]}-camera")
    assert [degrees for _, degrees in row["rotations"]] == list(TURNS[1:])
    turns = [(row["offset_ms"] / 1000, 0), *((at / 1000, degrees) for at, degrees in row["rotations"])]
    film = await rig.make(Order("film", "grid", "en", "UTC", 0, 5000))
    active = await rig.make(Order("film", "speaker", "ko", "Asia/Seoul", 0, 5000))
    clip = await rig.make(Order("clip", "grid", "en", "UTC", 2600, 4600))
    stills, told = {}, {}
    for n, at_s in enumerate((0.6, 1.6, 2.6, 3.6)):
        ms = int(at_s * 1000)
        stills[TURNS[n]] = await rig.make(Order("still", from_ms=ms, to_ms=ms, track=f"{SEATS[0]}-camera"))
        told[TURNS[n]] = (rig.result["width"], rig.result["height"])
    await rig.close()
    return Made(film, active, clip, stills, told, turns)


def named(colour: np.ndarray) -> str:
    """The corner whose colour it is, or "" for none."""
    r, g, b = (int(v) for v in colour)
    found = {
        "red": r > 150 and g < 110 and b < 110,
        "green": g > 110 and r < 110 and b < 110,
        "blue": b > 150 and r < 110 and g < 110,
        "white": min(r, g, b) > 190,
    }
    return "".join(name for name, yes in found.items() if yes)


def corners(picture: np.ndarray, place: Rect) -> list[str]:
    """Colours at a fifth from each corner, above left to below right; a name plate lies lower."""
    xs, ys = (place.x + place.w // 5, place.x + place.w * 4 // 5), (place.h // 5, place.h * 7 // 10)
    return [named(picture[place.y + y, x]) for y in ys for x in xs]


def check(film: bytes, rect: Rect, begin_s: float, turns: list[tuple[float, int]]) -> set[int]:
    """Every frame of the film is upright; the rotations that were seen."""
    seen = set()
    for at_s, picture in pictures(film):
        at = begin_s + at_s
        if at < turns[0][0] + 0.1 or at > turns[0][0] + len(TURNS) - 0.3:
            continue
        if any(abs(at - turn) < 0.08 for turn, _ in turns):
            continue  # the film's grid of 15 frames a second: the frame before or after
        degrees = [d for turn, d in turns if turn <= at][-1]
        place = rect.inside(*((HEIGHT, WIDTH) if degrees % 180 else (WIDTH, HEIGHT)))
        assert corners(picture, place) == list(CORNERS), (at, degrees)
        # The picture has its own shape: it reaches to its edges, and beside them is nothing of it.
        middle = place.y + place.h // 2
        assert named(picture[middle - 20, place.x + 4]) == "red", (at, degrees)
        assert named(picture[middle - 20, place.x + place.w - 5]) == "green", (at, degrees)
        assert named(picture[place.y + 4, place.x + place.w // 5]) == "red", (at, degrees)
        if place.x - rect.x > 12:
            assert picture[middle, place.x - 6].max() < 60, (at, degrees)
            assert picture[middle, place.x + place.w + 6].max() < 60, (at, degrees)
        seen.add(degrees)
    return seen


def test_a_film_shows_a_turned_phone_upright_however_it_is_held(made: Made) -> None:
    assert check(made.film, grid(2)[0], 0.0, made.turns) == {0, 90, 180, 270}


def test_the_speakers_view_shows_it_upright_too(made: Made) -> None:
    places = speaker(2, 0), speaker(2, 1)
    late = [p for at, p in pictures(made.speaker) if 1.3 < at < 1.9]
    for picture in late:
        # Whoever is loudest is large: the phone is in the strip or in the main place, upright in both.
        found = [corners(picture, rects[0].inside(HEIGHT, WIDTH)) for rects in places]
        assert list(CORNERS) in found


def test_a_clip_that_begins_after_a_turn_is_upright_from_its_first_frame(made: Made) -> None:
    assert check(made.clip, grid(2)[0], 2.6, made.turns) == {0, 180, 270}


def test_a_still_is_upright_and_has_the_shape_of_what_is_seen(made: Made) -> None:
    assert set(made.stills) == {0, 90, 180, 270}
    for degrees, png in made.stills.items():
        size = (HEIGHT, WIDTH) if degrees % 180 else (WIDTH, HEIGHT)
        with Image.open(io.BytesIO(png)) as still:
            assert still.size == made.told[degrees] == size
            picture = np.asarray(still.convert("RGB"))
        assert corners(picture, Rect(0, 0, *size)) == list(CORNERS), degrees


def test_a_rotation_that_is_none_of_the_four_is_refused() -> None:
    rotations = Rotations([[2000, 450], [1000, 270]])
    assert [rotations.at(ms) for ms in (0, 998, 999, 1999, 5000)] == [0, 0, 270, 90, 90]
    with pytest.raises(ValueError, match="rotation"):
        Rotations([[0, 45]])
