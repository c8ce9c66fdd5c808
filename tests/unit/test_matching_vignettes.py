"""The synthetic vignettes are what their README says: enough, marked, spread, a third held out by hash."""

from __future__ import annotations

import hashlib
from collections import Counter

from tests.support.vignettes import DEV, HELD_OUT, SPECIALTIES, Vignette

MISSING = {"age", "condition", "course", "evidence", "evidence_date", "question"}


def held_out(vignette: Vignette) -> bool:
    digest = hashlib.sha256(f"matching:{vignette.id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 3 == 0


def test_a_third_is_held_out_by_the_hash_of_its_name() -> None:
    assert all(held_out(one) for one in HELD_OUT)
    assert not any(held_out(one) for one in DEV)
    assert 0.3 < len(HELD_OUT) / (len(HELD_OUT) + len(DEV)) < 0.36
    names = [one.id for one in (*DEV, *HELD_OUT)]
    assert sorted(names) == [f"v{n:03d}" for n in range(1, len(names) + 1)]
    assert len(names) >= 150


def test_each_is_marked_synthetic_and_says_what_is_right_and_what_is_missing() -> None:
    for one in (*DEV, *HELD_OUT):
        assert one.synthetic, one.id
        assert set(one.missing) <= MISSING, one.id
        assert one.complete == (not one.missing), one.id
        assert one.expect or "condition" in one.missing, one.id
        assert {place.split("/")[0] for place in one.expect} | {one.chosen} <= SPECIALTIES, one.id


def test_both_parts_hold_all_three_languages_wrong_choices_and_incomplete_ones() -> None:
    for part in (DEV, HELD_OUT):
        languages = Counter(one.lang for one in part)
        assert min(languages[lang] for lang in ("ko", "ru", "en")) >= len(part) // 6
        wrong = [
            one for one in part if one.expect and one.chosen not in {e.split("/")[0] for e in one.expect}
        ]
        assert len(wrong) >= len(part) // 5
        assert sum(not one.complete for one in part) >= len(part) // 8


def test_together_they_ask_for_every_specialty() -> None:
    asked = {place.split("/")[0] for one in (*DEV, *HELD_OUT) for place in one.expect}
    assert asked == SPECIALTIES
