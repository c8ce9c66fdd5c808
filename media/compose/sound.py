"""Voices: each track as an unbroken row of 16-bit samples on the session's clock, and all of them mixed.

What a track does not have is silence. Nothing is shifted: a track's samples lie where its times say.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, cast

import av

from .source import SealedSource
from .webm import decoded, open_webm

RATE = 48_000
SLACK = RATE // 100
"""Times in the file are whole ms; what is off by less than this is taken as unbroken."""
EVERY = 8
"""Loudness is measured on every eighth sample."""
AAC_FRAME = 1024


class VoiceTrack:
    """Mono samples from `from_ms` on."""

    def __init__(self, source: SealedSource, offset_ms: int, from_ms: int) -> None:
        self._box = open_webm(source)
        self._stream = self._box.streams.audio[0]
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        self._shift = round((offset_ms - from_ms) * RATE / 1000)
        if from_ms > offset_ms:
            # Opus needs a little run-up before a place sounds as it should (RFC 7845, 4.6: 80 ms).
            self._box.seek(max(0, (from_ms - offset_ms - 100) * 1000), backward=True)
        self._parts = self._decode()
        self._held = bytearray()
        self._at = 0  # the sample at which `_held` begins
        self._ended = False

    def take(self, samples: int) -> bytes:
        """The next so many samples, little-endian; silence where there is nothing."""
        end = self._at + samples
        while not self._ended and self._at + len(self._held) // 2 < end:
            self._more()
        piece = bytes(self._held[: 2 * samples])
        del self._held[: 2 * samples]
        self._at = end
        return piece + bytes(2 * samples - len(piece))

    def _more(self) -> None:
        part = next(self._parts, None)
        if part is None:
            self._ended = True
            return
        start, data = part
        missing = start - (self._at + len(self._held) // 2)
        if missing > SLACK:
            self._held += bytes(2 * missing)
        elif missing < -SLACK:
            data = data[-2 * missing :]
        self._held += data

    def _decode(self) -> Iterator[tuple[int, bytes]]:
        for at_s, frame in decoded(self._box, self._stream):
            start = round(at_s * RATE) + self._shift
            for part in self._resampler.resample(frame):
                data = bytes(part.planes[0])[: 2 * part.samples]
                yield start, data
                start += part.samples

    def close(self) -> None:
        """Frees the decoder."""
        self._box.close()


def loudness(samples: bytes) -> float:
    """Mean magnitude, 0 to 32768."""
    thinned = array("h", samples)[::EVERY]
    return sum(map(abs, thinned)) / max(1, len(thinned))


class Mixer:
    """Sums voices at their own loudness, limited at the top; gives AAC-sized frames."""

    def __init__(self, voices: int) -> None:
        self._voices = voices
        self._given = 0
        self._read = 0
        self._fifo = av.AudioFifo()
        graph = self._graph = av.filter.Graph()
        self._inputs = [
            graph.add_abuffer(
                sample_rate=RATE, format="s16", layout="mono", time_base=Fraction(1, RATE), name=f"voice{n}"
            )
            for n in range(max(1, voices))
        ]
        mix = graph.add("amix", f"inputs={len(self._inputs)}:normalize=0:dropout_transition=0")
        limit = graph.add("alimiter", "limit=0.97:level=false:latency=true")
        form = graph.add("aformat", "sample_fmts=fltp:channel_layouts=mono")
        sink = self._sink = graph.add("abuffersink")
        for n, each in enumerate(self._inputs):
            each.link_to(mix, 0, n)
        mix.link_to(limit)
        limit.link_to(form)
        form.link_to(sink)
        graph.configure()

    def add(self, pieces: Sequence[bytes], samples: int) -> Iterator[Any]:
        """The same number of samples of every voice → finished frames."""
        for each, piece in zip(self._inputs, pieces or [bytes(2 * samples)], strict=True):
            frame = av.AudioFrame(format="s16", layout="mono", samples=samples)
            frame.planes[0].update(piece)
            frame.sample_rate, frame.pts, frame.time_base = RATE, self._given, Fraction(1, RATE)
            each.push(frame)
        self._given += samples
        yield from self._frames(whole=True)

    def end(self) -> Iterator[Any]:
        """What is left."""
        for each in self._inputs:
            each.push(None)
        yield from self._frames(whole=False)

    def _frames(self, *, whole: bool) -> Iterator[Any]:
        while True:
            try:
                mixed = self._sink.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                break
            mixed.pts = None
            self._fifo.write(cast(Any, mixed))
        while frame := self._fifo.read(AAC_FRAME, partial=not whole):
            frame.pts, frame.time_base = self._read, Fraction(1, RATE)
            self._read += frame.samples
            yield frame
