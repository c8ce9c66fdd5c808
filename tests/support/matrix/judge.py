"""What was played against what was said: PESQ (ITU-T P.862.2) and STOI, in pieces aligned one by one.

A receiver stretches and squeezes time to keep its buffer short; so each piece is looked up by itself in the
endless repetition of what was said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pesq import NoUtterancesError, pesq
from pystoi import stoi
from scipy.signal import resample_poly

from tests.support.matrix.speech import RATE, Sound

HERTZ = 16_000
PIECE_S = 3.0


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
    length = int(PIECE_S * HERTZ)
    pieces = [played[at : at + length] for at in range(0, len(played) - length + 1, length)]
    found = [_piece(said, piece) for piece in pieces]
    level = float(np.std(played) / np.std(said)) if len(played) else 0.0
    if not found:
        return Heard(1.0, 0.0, level)
    return Heard(float(np.mean([p for p, _ in found])), float(np.mean([s for _, s in found])), level)


def _piece(said: Sound, piece: Sound) -> tuple[float, float]:
    at = place(said, piece)
    original = np.take(said, range(at, at + len(piece)), mode="wrap")
    if np.std(piece) < 1e-4:
        return 1.0, 0.0
    try:
        quality = float(pesq(HERTZ, original, piece, "wb"))
    except NoUtterancesError:
        quality = 1.0
    return quality, float(stoi(original, piece, HERTZ))


def place(said: Sound, piece: Sound) -> int:
    """Where in the repetition of `said` the piece fits best, in samples."""
    size = len(said)
    padded = np.zeros(size)
    padded[: len(piece)] = piece
    fits = np.fft.irfft(np.fft.rfft(said) * np.conj(np.fft.rfft(padded)), size)
    return int(np.argmax(fits))
