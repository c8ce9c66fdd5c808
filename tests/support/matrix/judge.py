"""What was played against what was said: PESQ (ITU-T P.862.2) and STOI, in pieces aligned one by one.

A receiver stretches and squeezes time to keep its buffer short; so each piece is looked up by itself in the
endless repetition of what was said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pesq import NoUtterancesError, pesq
from pystoi import stoi
from scipy.signal import resample_poly

from tests.support.matrix.speech import RATE, Sound

HERTZ = 16_000
PESQ_PIECE_S, STOI_PIECE_S = 3.0, 1.5
"""PESQ follows a shift within a piece by itself, STOI does not."""
SILENCE = 1e-4


@dataclass(frozen=True)
class Heard:
    """Means over the pieces. PESQ 1.0 to 4.6, STOI 0 to 1; `level` the sound's RMS against the original's."""

    pesq: float
    stoi: float
    level: float


def to_judged(samples: NDArray[np.int16] | Sound) -> Sound:
    """At the rate of the judges, in -1..1."""
    scale = 32768.0 if samples.dtype == np.int16 else 1.0
    return np.asarray(resample_poly(samples.astype(float) / scale, HERTZ, RATE))


def judge(said: Sound, played: Sound) -> Heard:
    """Both at HERTZ; `said` repeats for ever. Silence is judged as such: 1.0 and 0.0."""
    level = float(np.std(played) / np.std(said)) if len(played) else 0.0
    quality = [_pesq(*pair) for pair in _pairs(said, played, PESQ_PIECE_S)]
    clear = [_stoi(*pair) for pair in _pairs(said, played, STOI_PIECE_S)]
    if not quality:
        return Heard(1.0, 0.0, level)
    return Heard(float(np.mean(quality)), float(np.mean(clear)), level)


def _pairs(said: Sound, played: Sound, seconds: float) -> Iterator[tuple[Sound, Sound]]:
    length = int(seconds * HERTZ)
    for at in range(0, len(played) - length + 1, length):
        piece = played[at : at + length]
        start = place(said, piece)
        yield np.take(said, range(start, start + length), mode="wrap"), piece


def _pesq(original: Sound, piece: Sound) -> float:
    try:
        return float(pesq(HERTZ, original, piece, "wb")) if np.std(piece) > SILENCE else 1.0
    except NoUtterancesError:
        return 1.0


def _stoi(original: Sound, piece: Sound) -> float:
    return float(stoi(original, piece, HERTZ)) if np.std(piece) > SILENCE else 0.0


def place(said: Sound, piece: Sound) -> int:
    """Where in the repetition of `said` the piece fits best, in samples.

    By the normalised correlation of the differences: a loud vowel elsewhere fits no better for being loud,
    and a low voice's fundamental, which codecs turn, does not decide.
    """
    size = len(said)
    edges = np.diff(said, append=said[:1])
    padded, window = np.zeros(size), np.zeros(size)
    padded[: len(piece) - 1] = np.diff(piece)
    window[: len(piece) - 1] = 1.0
    fits = _correlate(edges, padded)
    energy = np.maximum(_correlate(edges**2, window), 1e-9 + 1e-3 * float(np.max(edges**2)))
    return int(np.argmax(fits / np.sqrt(energy)))


def _correlate(whole: Sound, part: Sound) -> Sound:
    return np.fft.irfft(np.fft.rfft(whole) * np.conj(np.fft.rfft(part)), len(whole))
