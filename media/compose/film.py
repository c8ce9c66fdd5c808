"""The film: tiles and voices over a span of the session into one H.264/AAC MP4, sealed as it is written.

The index of the MP4 comes first (room for it is left and filled in at the end), so that the file starts at
once in any player. It must not know names or languages: plates, panels and digits come as pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO, cast

import av

from media.recordstore.sealed import SEGMENT

from .canvas import PANEL, Canvas, Patch, Rect, Scaler
from .layout import AREA, BAR, FPS, HEIGHT, WIDTH, Speaking, grid, speaker
from .output import Output, Patchable
from .pictures import PictureTrack
from .sound import RATE, Mixer, VoiceTrack, loudness
from .turning import fit_upright

SAMPLES = RATE // FPS
HALF_MS = 500 / FPS
MOOV_PER_S, MOOV_BASE = 1200, 32 * 1024
"""Room for the MP4's index: more than its tables take for a second of both streams, and for its frame."""
SMALL = 420
"""A tile narrower than this gets its texts at a smaller size."""
SMALL_SCALE = 0.6
Progress = Callable[[float], None]
Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class View:
    """One picture track of a tile; `present` in session ms."""

    track: PictureTrack
    present: Spans


@dataclass(frozen=True, slots=True)
class Tile:
    """Who or what is seen in one place. `views`: the best first; `voice`: index of its sound or None.
    `panels`: (from, to, number of the panel's picture); `blank` where none of them applies.
    """

    views: Sequence[View]
    voice: int | None
    plate: bytes
    panels: Sequence[tuple[int, int, int]]
    blank: int


@dataclass(frozen=True, slots=True)
class Bar:
    """The line below: a picture as wide as the film, and the digits with which the two clocks are set in it.

    `digits`: cells of `cell` pixels for `0123456789:`; each clock is shown at its x; `wall_ms` is the wall
    clock's reading (local, as if it were UTC) at the session's zero.
    """

    picture: bytes
    digits: bytes
    cell: int
    wall_x: int
    session_x: int
    wall_ms: int


@dataclass(frozen=True, slots=True)
class Script:
    """What the film is to be; ms since the session's start."""

    from_ms: int
    to_ms: int
    layout: str
    tiles: Sequence[Tile]
    panels: Sequence[bytes]
    bar: Bar | None
    voices: Sequence[VoiceTrack]


class Painter:
    """Keeps the canvas as it should be at an instant, touching only what changed."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._canvas = Canvas(WIDTH, HEIGHT)
        self._scalers = [Scaler() for _ in script.tiles]
        self._shown: list[object] = [None] * len(script.tiles)
        self._patches: dict[tuple[object, ...], Patch] = {}
        self._rects: list[Rect] = []
        self._active: int | None = None
        self._second: int | None = None
        self._places: dict[int, Rect] = {}

    def frame(self, at_ms: float, active: int) -> Any:
        """The whole picture."""
        tiles = self._script.tiles
        if active != self._active:
            self._active = active
            self._rects = (
                speaker(len(tiles), active) if self._script.layout == "speaker" else grid(len(tiles))
            )
            self._canvas.fill(AREA, (16, 128, 128))
            self._shown = [None] * len(tiles)
            self._places.clear()
        for n, tile in enumerate(tiles):
            self._tile(n, tile, at_ms)
        self._clock(at_ms)
        return self._canvas.frame()

    def _tile(self, n: int, tile: Tile, at_ms: float) -> None:
        rect = self._rects[n]
        for view in tile.views:
            if _within(view.present, at_ms) and (seen := view.track.at(at_ms, HALF_MS)) is not None:
                if self._shown[n] == (id(view), seen[0]):
                    return
                degrees = view.track.rotations.at(seen[0])
                patch, place = fit_upright(self._scalers[n], seen[1], degrees, rect)
                if self._places.get(n) != place:
                    self._canvas.fill(rect, (16, 128, 128))
                    self._places[n] = place
                self._canvas.paint(patch, place.x, place.y)
                self._shown[n] = (id(view), seen[0])
                self._plate(n, tile, rect)
                return
        panel = next((number for start, end, number in tile.panels if start <= at_ms < end), tile.blank)
        if self._shown[n] == panel:
            return
        self._canvas.fill(rect, PANEL)
        words = self._patch(self._script.panels[panel], rect, ("panel", panel))
        x, y = rect.x + ((rect.w - words.w) // 2 & ~1), rect.y + ((rect.h - words.h) // 2 & ~1)
        self._canvas.paint(words, x, y, rect)
        self._plate(n, tile, rect)
        self._shown[n] = panel
        self._places.pop(n, None)

    def _plate(self, n: int, tile: Tile, rect: Rect) -> None:
        plate = self._patch(tile.plate, rect, ("plate", n))
        self._canvas.paint(plate, rect.x, rect.y + rect.h - plate.h, rect)

    def _patch(self, png: bytes, rect: Rect, name: tuple[object, ...]) -> Patch:
        scale = SMALL_SCALE if rect.w < SMALL else 1.0
        key = (*name, rect.w, scale)
        if key not in self._patches:
            self._patches[key] = Patch.of_png(png, rect.w, scale)
        return self._patches[key]

    def _clock(self, at_ms: float) -> None:
        bar, second = self._script.bar, int(at_ms // 1000)
        if bar is None or second == self._second:
            return
        if self._second is None:
            self._patches["bar",] = Patch.of_png(bar.picture, WIDTH)
            self._patches["digits",] = Patch.of_png(bar.digits)
        self._second = second
        self._canvas.paint(self._patches["bar",], 0, HEIGHT - BAR)
        wall = (bar.wall_ms + int(at_ms)) // 1000
        self._digits(bar, bar.wall_x, f"{wall // 3600 % 24:02}:{wall // 60 % 60:02}:{wall % 60:02}")
        self._digits(bar, bar.session_x, f"{second // 3600}:{second // 60 % 60:02}:{second % 60:02}")

    def _digits(self, bar: Bar, x: int, text: str) -> None:
        strip = self._patches["digits",]
        for place, sign in enumerate(text):
            at = "0123456789:".index(sign) * bar.cell
            planes = [
                (data[at // half :], stride)
                for (data, stride), half in zip(strip.planes, (1, 2, 2), strict=True)
            ]
            self._canvas.paint(Patch(bar.cell, strip.h, planes), x + place * bar.cell, HEIGHT - BAR)


def _within(spans: Spans, at_ms: float) -> bool:
    return any(start <= at_ms < end for start, end in spans)


def make(script: Script, output: Output, progress: Progress) -> dict[str, object]:
    """Write the film; facts for the result line."""
    frames = max(1, round((script.to_ms - script.from_ms) * FPS / 1000))
    moov = MOOV_BASE + MOOV_PER_S * (frames // FPS + 1)
    with output.writer(hold=moov // SEGMENT + 2) as writer:
        box = av.open(
            cast(BinaryIO, Patchable(writer)), mode="w", format="mp4",
            container_options={"moov_size": str(moov), "fflags": "+bitexact"},
        )  # fmt: skip
        with box:
            _fill(box, script, frames, progress)
        writer.commit()
    return {"frames": frames, "duration_ms": round(frames * 1000 / FPS)}


def _fill(box: Any, script: Script, frames: int, progress: Progress) -> None:
    video = _video_stream(box)
    sound = box.add_stream("aac", rate=RATE, layout="mono")
    sound.bit_rate = 96_000
    sound.codec_context.time_base = Fraction(1, RATE)
    mixer, painter, speaking = Mixer(len(script.voices)), Painter(script), Speaking(len(script.tiles))
    for n in range(frames):
        at_ms = script.from_ms + n * 1000 / FPS
        pieces = [voice.take(SAMPLES) for voice in script.voices]
        for frame in mixer.add(pieces, SAMPLES):
            box.mux(sound.encode(frame))
        active = 0
        if script.layout == "speaker":
            heard = [loudness(piece) for piece in pieces]
            levels = [0.0 if tile.voice is None else heard[tile.voice] for tile in script.tiles]
            active = speaking.hear(levels, at_ms)
        picture = painter.frame(at_ms, active)
        picture.pts, picture.time_base = n, Fraction(1, FPS)
        box.mux(video.encode(picture))
        progress(n / frames)
    for frame in mixer.end():
        box.mux(sound.encode(frame))
    box.mux(sound.encode(None))
    box.mux(video.encode(None))


def _video_stream(box: Any) -> Any:
    video = box.add_stream("libx264", rate=FPS)
    video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context = video.codec_context
    context.time_base = Fraction(1, FPS)
    context.gop_size, context.max_b_frames = 2 * FPS, 0
    context.thread_count = 1
    # The pictures stay in the colours that cameras and VP8 have them in; the file says so.
    context.colorspace, context.color_primaries, context.color_trc, context.color_range = 6, 6, 6, 1
    context.options = {"preset": "veryfast", "crf": "23", "profile": "high"}
    return video
