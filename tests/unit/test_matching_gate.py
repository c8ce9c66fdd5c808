"""The gate of matching: how well the rules do on the vignettes that were held out, and that they copy none.

Run with `-s` to see the figures: `pytest -s tests/unit/test_matching_gate.py`.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterable
from dataclasses import replace

import pytest

from server.domain.matching import rules
from server.domain.matching.assess import Assessment, Referral, assess
from server.domain.referral_form import SPECIALTIES
from tests.support.vignettes import DEV, HELD_OUT, Vignette

PARTS = {"dev": DEV, "held out": HELD_OUT}
RUN = 5


def told(line: str) -> None:
    """Shown with `-s`."""
    sys.stdout.write(line)


def judged(one: Vignette) -> Assessment:
    return assess(Referral(one.chosen, one.fields, one.age), rules.standard())


def figures(part: Iterable[Vignette]) -> dict[str, float]:
    """Shares: right place first; complete ones passed on; incomplete ones passed on; lack named."""
    rows = [(one, judged(one)) for one in part]
    known = [found.place in one.expect for one, found in rows if one.expect]
    complete = [found.accepted for one, found in rows if one.complete]
    incomplete = [found.accepted for one, found in rows if not one.complete]
    named = [set(found.missing) >= set(one.missing) for one, found in rows if not one.complete]
    shares = {"top1": known, "complete": complete, "incomplete": incomplete, "named": named}
    return {name: sum(row) / len(row) for name, row in shares.items()}


@pytest.fixture(scope="module")
def shares() -> dict[str, dict[str, float]]:
    found = {name: figures(part) for name, part in PARTS.items()}
    for name, row in found.items():
        told(f"\n{name}: {len(PARTS[name])} vignettes, " + ", ".join(f"{k} {v:.3f}" for k, v in row.items()))
    return found


@pytest.mark.parametrize("part", PARTS)
def test_nine_in_ten_go_to_the_right_sub_specialty_at_once(
    shares: dict[str, dict[str, float]], part: str
) -> None:
    assert shares[part]["top1"] >= 0.9


@pytest.mark.parametrize("part", PARTS)
def test_no_incomplete_one_is_passed_on(shares: dict[str, dict[str, float]], part: str) -> None:
    assert shares[part]["incomplete"] == 0


@pytest.mark.parametrize("part", PARTS)
def test_nine_in_ten_of_the_complete_ones_are_passed_on(
    shares: dict[str, dict[str, float]], part: str
) -> None:
    assert shares[part]["complete"] >= 0.9


@pytest.mark.parametrize("part", PARTS)
def test_what_is_missing_is_named(shares: dict[str, dict[str, float]], part: str) -> None:
    assert shares[part]["named"] >= 0.8


def misspelt(text: str, seed: int) -> str:
    """Every fourth word of six letters or more with two neighbours swapped, not at its beginning."""
    chosen = random.Random(seed)

    def typo(match: re.Match[str]) -> str:
        word = match[0]
        if chosen.random() > 0.25:
            return word
        at = chosen.randrange(2, len(word) - 1)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    return re.sub(r"[A-Za-zА-Яа-яё]{6,}", typo, text)


def test_typos_cost_little() -> None:
    typed = [
        replace(one, fields={name: misspelt(text, seed=6) for name, text in one.fields.items()})
        for one in (*DEV, *HELD_OUT)
    ]
    changed = sum(a.fields != b.fields for a, b in zip(typed, (*DEV, *HELD_OUT), strict=True))
    share = figures(typed)
    told(f"\nwith typos in {changed} of {len(typed)}: top1 {share['top1']:.3f}")
    assert changed > len(typed) / 2
    assert share["top1"] >= 0.85
    assert share["incomplete"] == 0


def runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[start : start + RUN]) for start in range(len(words) - RUN + 1)}


def test_no_rule_copies_five_words_of_a_vignette() -> None:
    known = rules.standard()
    terms = [
        term.text
        for group in (*(terms for rule in known.rules for terms in rule.terms.values()), *known.cues.values())
        for term in group
    ]
    # The files as a whole: a run may not be cut into neighbouring terms either.
    written = set().union(*(runs(text) for text in (*terms, *rule_files())))
    copied = {
        one.id
        for one in (*DEV, *HELD_OUT)
        for text in one.fields.values()
        if not runs(text).isdisjoint(written)
    }
    assert not copied


def rule_files() -> list[str]:
    from importlib import resources

    folder = resources.files("server.domain.matching")
    names = [folder.joinpath("rules", f"{name}.toml") for name in SPECIALTIES]
    return [path.read_text(encoding="utf-8") for path in (*names, folder.joinpath("words.toml"))]
