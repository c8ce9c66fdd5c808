"""One referral judged: what for, how surely, what it lacks, is it urgent. The entry to this package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from server.domain.matching.completeness import Missing, age_in, missing, recognised, speaks_of_a_child
from server.domain.matching.reading import Reading
from server.domain.matching.rules import Rules
from server.domain.matching.scoring import Score, scores

#: The field whose words are the question itself.
QUESTION: Final = "question"
A_CHILD: Final = 10  # where only "child" is said, for the choice of a department
#: More is not read: some pages of text say it all, and reading has to end.
MOST_LETTERS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Referral:
    """What matching needs of a referral. `fields` in the order of its form; texts are never in a log."""

    specialty: str  # as the referring physician chose it
    fields: Mapping[str, str] = field(repr=False)
    age: int | None = None  # whole years
    languages: tuple[str, ...] = ()  # of the patient and the referring physician
    preference: str | None = None  # a hospital the patient asked for
    site_id: str = ""
    time_zone: str = "UTC"  # where the referring physician sits
    established: frozenset[Missing] = frozenset()  # what a form had in fields of its own

    @property
    def text(self) -> str:
        """One line a field: a sentence never runs from one into the next."""
        return "\n".join(self.fields.values())[:MOST_LETTERS]


@dataclass(frozen=True, slots=True)
class Assessment:
    age: int | None
    scores: tuple[Score, ...]  # the best first; empty where nothing was recognised
    missing: tuple[Missing, ...]
    red_flags: tuple[str, ...]
    close: bool  # the second is nearly as good: a coordinator should look twice

    @property
    def accepted(self) -> bool:
        """Whether it may be passed on as it stands."""
        return not self.missing

    @property
    def place(self) -> str | None:
        """`specialty/sub-specialty` of the best, even while something is missing."""
        return self.scores[0].place if self.scores else None


def assess(referral: Referral, rules: Rules) -> Assessment:
    text = referral.text
    reading = Reading(text, rules)
    age = referral.age if referral.age is not None else age_in(text)
    for_choice = A_CHILD if age is None and speaks_of_a_child(text) else age
    ranked = scores(reading, rules, for_choice, referral.specialty)
    lacks = missing(reading, text, rules, ranked, age, referral.fields.get(QUESTION, ""))
    return Assessment(
        age=age,
        scores=tuple(ranked) if recognised(ranked, rules) else (),
        missing=tuple(lack for lack in lacks if lack not in referral.established),
        red_flags=tuple(_red_flags(reading)),
        close=len(ranked) > 1 and ranked[0].points < ranked[1].points * rules.weights["close"],
    )


def _red_flags(reading: Reading) -> list[str]:
    names = sorted(cue.removeprefix("red.") for cue in reading.rules.cues if cue.startswith("red."))
    return [
        name
        for name in names
        if any(
            not reading.negated(place) and not reading.said("beside", place)
            for place in reading.any_of(f"red.{name}")
        )
    ]
