"""The tools that judge the product are judged first: they find what is there and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support import lipsync, marks
from tests.support.analysis import colour_of, present_tones, tone_levels
from tests.support.fakes import BLUE, GREEN, RED, VOICES, Voice

RATE = 48_000


def sine(voice: Voice, level: float) -> np.ndarray:
    return level * np.sin(2 * np.pi * voice.tone * np.arange(RATE) / RATE)


def test_each_colour_is_its_own_and_grey_is_nobodys() -> None:
    assert [colour_of(voice.rgb) for voice in VOICES] == list(VOICES)
    r, g, b = RED.rgb
    assert colour_of((r + 15, g - 15, b + 10)) == RED
    assert colour_of((128, 128, 128)) is None
    assert colour_of((0, 0, 0)) is None


def test_a_tone_is_found_and_one_forty_decibels_below_it_is_not() -> None:
    assert present_tones(tone_levels(sine(RED, 0.3), RATE)) == {"red"}
    assert present_tones(tone_levels(sine(RED, 0.3) + sine(BLUE, 0.1), RATE)) == {"red", "blue"}
    assert present_tones(tone_levels(sine(RED, 0.3) + sine(BLUE, 0.002), RATE)) == {"red"}
    assert present_tones(tone_levels(np.zeros(RATE), RATE)) == set()


def test_distortion_of_one_tone_is_not_taken_for_another() -> None:
    for voice in VOICES:
        clipped = np.clip(sine(voice, 0.9), -0.3, 0.3)
        assert present_tones(tone_levels(clipped, RATE)) == {voice.name}


def test_a_mark_is_found_however_it_is_spelled(tmp_path: Path) -> None:
    mark = "Marked Имя 김"
    for how, raw in marks.spellings(mark).items():
        (tmp_path / "file").write_bytes(b"\x00\x01" + raw + b"\xff")
        assert marks.marks_on_disk(tmp_path, [mark]), how
    (tmp_path / "file").write_bytes(b"nothing of the kind")
    assert not marks.marks_on_disk(tmp_path, [mark])


def test_plain_media_is_found_and_noise_is_not(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(np.random.default_rng(1).bytes(1 << 20))
    assert not marks.plain_media(tmp_path)
    (tmp_path / "track").write_bytes(b"\x1a\x45\xdf\xa3" + bytes(50) + b"V_VP8")
    assert len(marks.plain_media(tmp_path)) == 2


def test_a_beep_is_paired_with_the_nearest_flash_only() -> None:
    assert lipsync.pairs([1000, 2000, 3000], [1030, 2990]) == [30, -10]
    assert lipsync.pairs([1000], []) == []
    assert GREEN.tone % RED.tone != 0
