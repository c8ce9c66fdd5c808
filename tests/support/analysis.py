"""Says whose a colour or a sound is. Used alike on live pages, segments and final tracks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tests.support.fakes import VOICES, Voice

COLOUR_DISTANCE = 60.0  # of 441; the palette's colours are > 120 apart
PRESENT_DB = -35.0  # dBFS; the fakes send -10
ABSENT_BELOW_DB = 40.0  # under the loudest tone


def colour_of(rgb: tuple[float, float, float] | npt.NDArray[np.float64]) -> Voice | None:
    """The voice whose colour this is, or None."""
    best = min(VOICES, key=lambda voice: float(np.linalg.norm(np.subtract(voice.rgb, rgb))))
    return best if float(np.linalg.norm(np.subtract(best.rgb, rgb))) < COLOUR_DISTANCE else None


def tone_levels(samples: npt.NDArray[np.float64], rate: int) -> dict[str, float]:
    """The greatest level of each voice's tone over windows of half a second, in dBFS (sine peak = 0)."""
    size = rate // 2
    window = np.blackman(size)
    levels = {voice.name: -120.0 for voice in VOICES}
    for start in range(0, len(samples) - size + 1, size):
        spectrum = np.abs(np.fft.rfft(samples[start : start + size] * window)) * 2 / window.sum()
        for voice in VOICES:
            at = round(voice.tone * size / rate)
            peak = float(spectrum[at - 3 : at + 4].max())
            levels[voice.name] = max(levels[voice.name], 20 * float(np.log10(peak + 1e-6)))
    return levels


def present_tones(levels: Mapping[str, float], floor_db: float = PRESENT_DB) -> set[str]:
    """The voices that are heard: above the floor and within 40 dB of the loudest."""
    loudest = max(levels.values(), default=-120.0)
    return {name for name, db in levels.items() if db > floor_db and db > loudest - ABSENT_BELOW_DB}
