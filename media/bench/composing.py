"""Measures a film: three synthetic 1280×720 cameras and voices, sealed, through the real composition.

Decoding, scaling, painting, x264, AAC and sealing run in this process on one thread; ciphertext is served by
another one. CPU seconds say more than wall seconds on a shared machine. It writes sealed files only.
"""

from __future__ import annotations

import io
import os
import random
import resource
import socket
import tempfile
import threading
import time
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, cast

import av
from PIL import Image

from media.compose.film import Script, Tile, View, make
from media.compose.output import Output
from media.compose.pictures import PictureTrack
from media.compose.sound import RATE, VoiceTrack
from media.compose.source import ANSWER, QUESTION, Ranges, SealedSource
from media.recordstore.sealed import seal_bytes

WIDTH, HEIGHT, FPS = 1280, 720, 15
BIT_RATE = 1_200_000


def _camera(seconds: int) -> bytes:
    """A WebM of moving blocks over a still ground, about as hard as a talking head."""
    dice, out = random.Random(7), io.BytesIO()  # noqa: S311 - pictures, not secrets
    box = av.open(cast(BinaryIO, out), "w", format="webm")
    stream: Any = box.add_stream("libvpx", rate=FPS)
    stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", BIT_RATE
    stream.options = {"deadline": "realtime", "cpu-used": "10", "lag-in-frames": "0"}
    ground = bytearray(dice.randbytes(WIDTH // 16 * 45) * 256)[: WIDTH * HEIGHT]
    for n in range(seconds * FPS):
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        luma = bytearray(ground)
        for row in range(160, 560):
            start = row * WIDTH + 400 + (n * 5) % 300
            luma[start : start + 260] = bytes(((row + n * 3) % 200 + 20,)) * 260
        for plane, content in zip(frame.planes, (luma, None, None), strict=True):
            plane.update(bytes(content) if content is not None else bytes((128,)) * plane.buffer_size)
        frame.pts, frame.time_base = n, Fraction(1, FPS)
        box.mux(stream.encode(frame))
    box.mux(stream.encode(None))
    box.close()
    return out.getvalue()


def _voice(seconds: int) -> bytes:
    out = io.BytesIO()
    box = av.open(cast(BinaryIO, out), "w", format="webm")
    stream: Any = box.add_stream("libopus", rate=RATE, layout="mono")
    dice = random.Random(3)  # noqa: S311 - noise, not secrets
    for n in range(seconds * 50):
        frame = av.AudioFrame(format="s16", layout="mono", samples=960)
        frame.planes[0].update(dice.randbytes(1920))
        frame.sample_rate, frame.pts, frame.time_base = RATE, n * 960, Fraction(1, RATE)
        box.mux(stream.encode(frame))
    box.mux(stream.encode(None))
    box.close()
    return out.getvalue()


def _plate() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (200, 36)).save(out, "PNG")
    return out.getvalue()


def _serve(link: socket.socket, files: list[Path]) -> None:
    with link:
        while question := link.recv(QUESTION.size, socket.MSG_WAITALL):
            number, start, length = QUESTION.unpack(question)
            with files[number].open("rb") as file:
                file.seek(start)
                data = file.read(length)
            link.sendall(ANSWER.pack(len(data)) + data)


def measure(seconds: int, layout: str, tiles: int = 3) -> dict[str, object]:
    """Figures of one film of so many seconds."""
    with tempfile.TemporaryDirectory() as folder:
        key, associated = os.urandom(32), b"bench"
        files = [Path(folder) / "camera.sealed", Path(folder) / "voice.sealed"]
        for path, plain in zip(files, (_camera(seconds), _voice(seconds)), strict=True):
            seal_bytes(path, key, associated, plain)
        ours, theirs = socket.socketpair()
        threading.Thread(target=_serve, args=(theirs, files), daemon=True).start()
        ranges, sizes = Ranges(ours), [path.stat().st_size for path in files]

        def source(number: int) -> SealedSource:
            return SealedSource(ranges, number, sizes[number], key, associated)

        end, png = seconds * 1000, _plate()
        seen = [Tile([View(PictureTrack(source(0), 0), [(0, end)])], n, png, [], 0) for n in range(tiles)]
        voices = [VoiceTrack(source(1), 0, 0) for _ in range(tiles)]
        script = Script(0, end, layout, seen, [png], None, voices)
        output = Output(Path(folder) / "film.sealed", key, associated)
        wall, cpu = time.monotonic(), time.process_time()
        make(script, output, lambda _share: None)
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
        size, _ = output.read_back()
        ours.close()
    return {
        "tiles": tiles,
        "layout": layout,
        "seconds": seconds,
        "cpu_s": round(cpu, 1),
        "wall_s": round(wall, 1),
        "times_real_time_per_core": round(seconds / cpu, 1),
        "film_kbit_s": round(size * 8 / seconds / 1000),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
