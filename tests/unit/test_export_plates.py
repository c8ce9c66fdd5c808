"""Plates draw every letter that our people's names have; layouts and the choice of the speaker."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageFont

from media.compose.layout import AREA, FLOOR, Speaking, grid, speaker
from server.export import plates
from server.export.plates import Words, fitted, plate, width_of

LETTERS = "ӘәҒғҚқҢңӨөҰұҮүҺһІі" + "ЁёЙйЩщЪъЫыЭэ" + "가각힣김박최황뷁" + "ÄéŞışğÑ" + "Ww09.,-()"


@pytest.mark.parametrize("weight", [plates.BOLD, plates.PLAIN])
def test_no_letter_of_a_name_is_drawn_as_an_empty_box(weight: int) -> None:
    drawn = {}
    for letter in LETTERS:
        path = plates._slice_of(letter)
        assert path is not None, letter
        font = ImageFont.truetype(str(path), 40)
        font.set_variation_by_axes([weight])
        shape = bytes(font.getmask(letter))
        missing = bytes(font.getmask("\U0010fffd"))
        assert shape != missing, f"{letter!r} is not in {path.name}"
        drawn[letter] = shape
    assert len(set(drawn.values())) == len(LETTERS)


def test_a_long_name_is_cut_and_the_plate_stays_within_its_width() -> None:
    long = "Әбдірахманқызы " * 8
    cut = fitted(Words(long), 20, 300)
    assert cut.text.endswith("…")
    assert width_of(cut, 20) <= 300
    with Image.open(io.BytesIO(plate(long, "Консультирующий врач"))) as drawn:
        assert drawn.width <= 600
        assert drawn.size[0] % 2 == 0


@pytest.mark.parametrize("count", range(1, 10))
def test_tiles_lie_inside_the_picture_and_do_not_overlap(count: int) -> None:
    for rects in (grid(count), *(speaker(count, active) for active in range(count))):
        assert len(rects) == count
        for n, one in enumerate(rects):
            assert one.w > 60
            assert one.h > 60
            assert not {one.x % 2, one.y % 2, one.w % 2, one.h % 2} - {0}
            assert one.x >= AREA.x
            assert one.y >= AREA.y
            assert one.x + one.w <= AREA.w
            assert one.y + one.h <= AREA.h
            for other in rects[n + 1 :]:
                apart = one.x + one.w <= other.x or other.x + other.w <= one.x
                assert apart or one.y + one.h <= other.y or other.y + other.h <= one.y


def test_the_speaker_changes_after_a_while_and_not_for_a_cough() -> None:
    speaking, now = Speaking(2), 0.0

    def hear(first: float, second: float, ms: int) -> int:
        nonlocal now
        for _ in range(ms // 66):
            now += 66
            speaking.hear((first, second), now)
        return speaking.active

    assert hear(3000, 0, 3000) == 0
    assert hear(0, 5000, 400) == 0, "a cough"
    assert hear(3000, 0, 1000) == 0
    assert hear(0, 3000, 2000) == 1
    assert hear(3000, 3000, 3000) == 1, "both at once: no change"
    assert hear(FLOOR / 2, 0, 5000) == 1, "nobody speaks: no change"
    assert hear(3000, 0, 3000) == 0
