"""Measures a film: three synthetic cameras and voices, sealed, through the real composition.

Decoding, scaling, painting, x264, AAC and sealing run in one process on one thread; ciphertext is served by
another one. CPU seconds say more than wall seconds on a shared machine. It writes sealed files only.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import random
import resource
import socket
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
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

FPS = 15
ASSOCIATED = b"bench"
BITS_PER_PIXEL = 0.087
LOOP_S = 30
"""So much is encoded, and repeated to the asked length."""


def _camera(seconds: int, height: int) -> bytes:
    """A WebM of moving blocks over a still ground, about as hard as a talking head."""
    dice, out = random.Random(7), io.BytesIO()  # noqa: S311 - pictures, not secrets
    width = height * 16 // 9
    box = av.open(cast(BinaryIO, out), "w", format="webm")
    stream: Any = box.add_stream("libvpx", rate=FPS)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.bit_rate = round(width * height * FPS * BITS_PER_PIXEL)
    stream.options = {"deadline": "realtime", "cpu-used": "10", "lag-in-frames": "0"}
    ground = bytearray(dice.randbytes(width * height // 256) * 256).ljust(width * height, b"\x80")
    loop: list[Any] = []
    for n in range(min(seconds, LOOP_S) * FPS):
        frame = av.VideoFrame(width, height, "yuv420p")
        luma, wide = bytearray(ground), width * 260 // 1280
        for row in range(height * 2 // 9, height * 7 // 9):
            start = row * width + width * 5 // 16 + (n * width // 256) % (width * 15 // 64)
            luma[start : start + wide] = bytes(((row + n * 3) % 200 + 20,)) * wide
        for plane, content in zip(frame.planes, (luma, None, None), strict=True):
            rows = _rows(content or b"\x80" * (plane.width * plane.height), plane.width, plane.line_size)
            plane.update(rows.ljust(plane.buffer_size, b"\x80"))
        frame.pts, frame.time_base = n, Fraction(1, FPS)
        loop += stream.encode(frame)
    _repeat(box, stream, [*loop, *stream.encode(None)], seconds * FPS, 1, FPS)
    box.close()
    return out.getvalue()


def _rows(content: bytes | bytearray, width: int, line: int) -> bytes:
    """Rows of a plane, each as long as the plane keeps them."""
    if width == line:
        return bytes(content)
    return b"".join(bytes(content[at : at + width]).ljust(line) for at in range(0, len(content), width))


def _repeat(box: Any, stream: Any, loop: list[Any], count: int, step: int, rate: int) -> None:
    """Packets again and again with their times going on, until there are `count` of `step` each."""
    encoded = [bytes(packet) for packet in loop]
    for n in range(count):
        packet = av.Packet(encoded[n % len(encoded)])
        packet.stream, packet.time_base = stream, Fraction(1, rate)
        packet.pts = packet.dts = n * step
        packet.is_keyframe = loop[n % len(loop)].is_keyframe
        box.mux(packet)


def _voice(seconds: int) -> bytes:
    out = io.BytesIO()
    box = av.open(cast(BinaryIO, out), "w", format="webm")
    stream: Any = box.add_stream("libopus", rate=RATE, layout="mono")
    dice = random.Random(3)  # noqa: S311 - noise, not secrets
    loop: list[Any] = []
    for n in range(min(seconds, LOOP_S) * 50):
        frame = av.AudioFrame(format="s16", layout="mono", samples=960)
        frame.planes[0].update(dice.randbytes(1920))
        frame.sample_rate, frame.pts, frame.time_base = RATE, n * 960, Fraction(1, RATE)
        loop += stream.encode(frame)
    _repeat(box, stream, [*loop, *stream.encode(None)], seconds * 50, 960, RATE)
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


def measure(seconds: int, layout: str, tiles: int = 3, height: int = 720) -> dict[str, object]:
    """Figures of one film of so many seconds, composed in a process of its own: the memory is that one's."""
    with tempfile.TemporaryDirectory() as folder:
        key = os.urandom(32)
        for name, plain in (("camera", _camera(seconds, height)), ("voice", _voice(seconds))):
            seal_bytes(Path(folder) / f"{name}.sealed", key, ASSOCIATED, plain)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
            figures = alone.submit(_compose, folder, key, seconds, layout, tiles).result()
    return {"tiles": tiles, "camera": f"{height * 16 // 9}x{height}", "layout": layout, **figures}


def _compose(folder: str, key: bytes, seconds: int, layout: str, tiles: int) -> dict[str, object]:
    files = [Path(folder) / "camera.sealed", Path(folder) / "voice.sealed"]
    ours, theirs = socket.socketpair()
    threading.Thread(target=_serve, args=(theirs, files), daemon=True).start()
    ranges, sizes = Ranges(ours), [path.stat().st_size for path in files]

    def source(number: int) -> SealedSource:
        return SealedSource(ranges, number, sizes[number], key, ASSOCIATED)

    end, png = seconds * 1000, _plate()
    seen = [Tile([View(PictureTrack(source(0), 0), [(0, end)])], n, png, [], 0) for n in range(tiles)]
    voices = [VoiceTrack(source(1), 0, 0) for _ in range(tiles)]
    script = Script(0, end, layout, seen, [png], None, voices)
    output = Output(Path(folder) / "film.sealed", key, ASSOCIATED)
    wall, cpu = time.monotonic(), time.process_time()
    make(script, output, lambda _share: None)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    size, _ = output.read_back()
    ours.close()
    return {
        "seconds": seconds,
        "cpu_s": round(cpu, 1),
        "wall_s": round(wall, 1),
        "times_real_time_per_core": round(seconds / cpu, 1),
        "film_kbit_s": round(size * 8 / seconds / 1000),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
