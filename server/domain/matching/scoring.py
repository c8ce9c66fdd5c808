"""Which sub-specialty a referral is for, and which words made it so. Every point can be traced to a rule.

It must not choose a hospital (`ranking.py`) nor judge whether the referral is complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from server.domain.matching.reading import Place, Reading
from server.domain.matching.rules import CHILD, Rule, Rules

#: The strongest word counts whole, what else fits less and less: many hints do not make a certainty.
SHARES: Final = (1.0, 0.5, 0.3, 0.2, 0.1)
#: A name inside a longer name of somebody else ("lupus" in "lupus nephritis") counts this much.
INSIDE: Final = 0.25
#: A department for adults, when a child is referred; one for children, when the age is not known.
WRONG_AGE, AGE_UNKNOWN = 0.3, 0.5
#: What children's own rules add to what the rules for adults found already.
OWN_AND_TAKEN: Final = 0.5


@dataclass(frozen=True, slots=True)
class Spoke:
    """A term of a rule that was found: what it weighed in the end and in which way it was found."""

    term: str
    level: str
    weight: float
    beside: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    place: str  # specialty/sub-specialty
    points: float
    spoke: tuple[Spoke, ...]  # the strongest first
    for_children: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    rule: Rule
    level: str
    text: str
    where: Place


def scores(reading: Reading, rules: Rules, age: int | None, chosen: str | None = None) -> list[Score]:
    """Every place with points above zero, the best first; equal ones in the order of their names."""
    found = [
        _Found(rule, level, term.text, place)
        for rule in rules.rules
        for level, terms in rule.terms.items()
        for term in terms
        for place in reading.find(term)
        if not reading.negated(place)
    ]
    longest = [each for each in found if each.level == "sure"]
    raw = {
        rule.place: _points(rule, [f for f in found if f.rule is rule], longest, reading, rules.weights)
        for rule in rules.rules
    }
    handed_over = frozenset(place for rule in rules.rules for place in rule.instead_of)
    made = []
    for rule in rules.rules:
        points, spoke = _by_age(rule, raw, age, handed_over)
        if points <= 0:
            continue
        if rule.specialty == chosen:
            points += rules.weights["chosen"]
        made.append(Score(rule.place, round(points, 2), spoke, rule.for_children))
    return sorted(made, key=lambda score: (-score.points, score.place))


def _points(
    rule: Rule, found: list[_Found], longest: list[_Found], reading: Reading, weights: Mapping[str, float]
) -> tuple[float, tuple[Spoke, ...]]:
    best: dict[str, tuple[Spoke, Place]] = {}
    for each in found:
        spoke = _weighed(each, longest, reading, weights)
        if each.text not in best or abs(spoke.weight) > abs(best[each.text][0].weight):
            best[each.text] = (spoke, each.where)
    ordered = sorted(best.values(), key=lambda pair: (-pair[0].weight, pair[0].term))
    total, counted = 0.0, 0
    covered: list[frozenset[int]] = []
    told: list[Spoke] = []
    for spoke, place in ordered:
        if spoke.weight < 0:
            continue
        if any(place.letters <= other for other in covered):  # a shorter name of the same thing
            continue
        covered.append(place.letters)
        total += spoke.weight * SHARES[min(counted, len(SHARES) - 1)]
        counted += 1
        told.append(spoke)
    against = [spoke for spoke, _ in ordered if spoke.weight < 0]
    if against:
        total += min(spoke.weight for spoke in against)
        told += against
    return total, tuple(told)


def _weighed(each: _Found, longest: list[_Found], reading: Reading, weights: Mapping[str, float]) -> Spoke:
    weight = weights[each.level]
    beside, asked = reading.said("beside", each.where), reading.asked(each.where)
    if each.level != "against":
        weight *= weights["question"] if asked else 1
        weight *= weights["main"] if reading.said("main", each.where) else 1
        weight *= weights["beside"] if beside else 1
        if _inside(each, longest):
            weight *= INSIDE
    return Spoke(each.text, each.level, round(weight, 2), beside, asked)


def _inside(each: _Found, longest: list[_Found]) -> bool:
    """Whether a longer sure name of another place covers it, and its own place knows none as long."""
    covering = [other for other in longest if each.where.letters < other.where.letters]
    return bool(covering) and not any(other.rule is each.rule for other in covering)


def _by_age(
    rule: Rule,
    raw: Mapping[str, tuple[float, tuple[Spoke, ...]]],
    age: int | None,
    handed_over: frozenset[str],
) -> tuple[float, tuple[Spoke, ...]]:
    points, spoke = raw[rule.place]
    if not rule.for_children:
        child = age is not None and age <= CHILD and rule.place in handed_over
        return points * (WRONG_AGE if child else 1), spoke
    if age is not None and not rule.ages[0] <= age <= rule.ages[1]:
        return 0.0, ()
    if age is None:
        return points * AGE_UNKNOWN, spoke
    taken = max((raw[place] for place in rule.instead_of), key=lambda pair: pair[0], default=(0.0, ()))
    if taken[0] <= 0:
        return points, spoke
    return max(points, 0) * OWN_AND_TAKEN + taken[0], (*taken[1], *spoke)
