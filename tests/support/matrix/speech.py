"""Something like speech, made up: a voice with pitch, formants, fricatives and pauses, the same for one seed.

Nobody's recording. It has what PESQ and STOI look at: syllables at speech rate, harmonics below 4 kHz, noise
above, silence between phrases. It never repeats within its length, so that a place in it can be found again.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter, lfiltic

RATE = 48_000
STEP = RATE // 200
"""Samples for which a voice's shape stands still: 5 ms."""
Sound = NDArray[np.float64]

# F1..F4 in Hz: Peterson and Barney's men, rounded; F4 fixed.
VOWELS = (
    (270, 2290, 3010, 3500),
    (390, 1990, 2550, 3500),
    (530, 1840, 2480, 3500),
    (660, 1720, 2410, 3500),
    (730, 1090, 2440, 3500),
    (570, 840, 2410, 3500),
    (440, 1020, 2240, 3500),
    (300, 870, 2240, 3500),
)
WIDTHS = (60, 90, 120, 180)
NOISES = ((4500, 2500), (2600, 1400), (1500, 1200))
"""Centre and width in Hz of hissing: s, sh, f and h."""


def speech(seconds: float, seed: int, pitch_hz: float = 120.0) -> Sound:
    """Mono samples in -1..1, about -23 dBFS while it speaks."""
    dice = np.random.default_rng(seed)
    frames = int(seconds * RATE) // STEP
    voiced, hissed = np.zeros(frames), np.zeros(frames)
    formants = np.zeros((frames, 4))
    pitch, noise = np.full(frames, pitch_hz), np.zeros((frames, 2))
    at = 10
    while at < frames - 60:
        at = _phrase(dice, at, frames - 60, (voiced, hissed, formants, pitch, noise), pitch_hz)
        at += int(dice.uniform(40, 70))
    source = _pulses(dice, pitch) * np.repeat(_smooth(voiced), STEP)
    hiss = dice.standard_normal(frames * STEP) * np.repeat(_smooth(hissed), STEP)
    sound = _shape(source, formants) + _hiss(hiss, noise)
    return np.asarray(sound * (0.5 / np.max(np.abs(sound))))


def _phrase(dice: np.random.Generator, at: int, end: int, tracks: tuple[Sound, ...], pitch_hz: float) -> int:
    voiced, hissed, formants, pitch, noise = tracks
    start, syllables = at, int(dice.integers(5, 10))
    for number in range(syllables):
        consonant, vowel = int(dice.integers(6, 16)), int(dice.integers(18, 36))
        if at + consonant + vowel >= end:
            break
        shape = NOISES[int(dice.integers(len(NOISES)))]
        noise[at : at + consonant] = shape
        hissed[at : at + consonant] = dice.choice([0.0, 0.25, 0.4])
        first, last = (np.array(VOWELS[int(dice.integers(len(VOWELS)))], float) for _ in range(2))
        glide = np.linspace(0, dice.uniform(0, 0.7), vowel)[:, None]
        here = slice(at + consonant, at + consonant + vowel)
        formants[here] = first * (1 - glide) + last * glide
        voiced[here] = dice.uniform(0.5, 1.0) * np.hanning(vowel + 8)[4:-4] ** 0.4
        pitch[here] = pitch_hz * (1.25 - 0.4 * number / syllables + dice.uniform(-0.05, 0.05))
        at = here.stop
    formants[start:at][formants[start:at, 0] == 0] = (500, 1500, 2500, 3500)
    return at


def _smooth(track: Sound) -> Sound:
    return np.convolve(track, (0.25, 0.5, 0.25), "same")


def _pulses(dice: np.random.Generator, pitch: Sound) -> Sound:
    """A glottis and lips: one pulse a period, a little irregular, falling with 6 dB an octave."""
    hertz = np.repeat(pitch, STEP) * (1 + 0.01 * np.repeat(dice.standard_normal(len(pitch)), STEP))
    cycle = np.cumsum(hertz) / RATE
    pulses = np.diff(np.floor(cycle), prepend=0.0)
    return np.asarray(lfilter([1.0], [1.0, -0.94], pulses))


def _shape(source: Sound, formants: Sound) -> Sound:
    out = source
    for index, width in enumerate(WIDTHS):
        out = _resonate(
            out, np.where(formants[:, index] > 0, formants[:, index], 500.0), np.full(len(formants), width)
        )
    return out / (np.max(np.abs(out)) or 1.0)


def _hiss(source: Sound, noise: Sound) -> Sound:
    out = _resonate(
        source, np.where(noise[:, 0] > 0, noise[:, 0], 3000.0), np.where(noise[:, 1] > 0, noise[:, 1], 1500.0)
    )
    return 0.25 * out / (np.max(np.abs(out)) or 1.0)


def _resonate(source: Sound, centre: Sound, width: Sound) -> Sound:
    """A resonance that moves every STEP samples, with its memory kept."""
    out = np.empty_like(source)
    memory: Sound = np.zeros(2)
    for frame in range(len(centre)):
        radius = np.exp(-np.pi * width[frame] / RATE)
        poles = [1.0, -2 * radius * np.cos(2 * np.pi * centre[frame] / RATE), radius**2]
        here = slice(frame * STEP, (frame + 1) * STEP)
        gain = [1 + poles[1] + poles[2]]
        state = lfiltic(gain, poles, memory)
        out[here], _ = lfilter(gain, poles, source[here], zi=state)
        memory = out[here][-1:-3:-1]
    return out


def write(path: Path, sound: Sound) -> Path:
    """16-bit mono WAV, as Chromium's fake microphone reads it."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path
