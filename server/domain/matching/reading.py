"""A referral's text, read once: where which known word stands, and what the words around say about it.

It must not weigh anything. Positions are numbers of letters in the text without spaces, so that a name inside
a Korean compound and a name of three Russian words can be compared.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from server.domain.matching.rules import Rules, Term
from server.domain.matching.text import Word, begins_nearly, has_hangul, words

MOST: Final = 50  # times that one term is looked at: who repeats a word a thousand times says nothing new
GAP: Final = 2  # words that may stand between those of one name
BEFORE, RELATIVE, BEHIND = 3, 4, 2  # how far a negation, a relative, a negation behind reaches, in words
# "이나" is "이" and "나": read in two ways, a row of them would be tried in every combination, for hours.
_PARTICLES: Final = re.compile(
    r"(?:은|는|이|가|을|를|의|에|도|로|으로|와|과|에서|만|까지|부터|나|및|후|중|성|증|술|시|의심|소견|환자)*"
)
MIN_JAMO: Final = 7  # shortest Korean name that may be misspelt, in letters


@dataclass(frozen=True, slots=True)
class Place:
    """Where a term stands: the letters it covers, its first and last word."""

    letters: frozenset[int]
    first: int
    last: int


def jamo(text: str) -> str:
    return unicodedata.normalize("NFD", text)


class Reading:
    """One text with one set of rules."""

    def __init__(self, text: str, rules: Rules) -> None:
        self.words: list[Word] = words(text)
        self.rules = rules
        self._at: dict[str, list[int]] = defaultdict(list)
        self._starts: list[int] = []
        solid: list[str] = []
        length = 0
        for number, (word, before) in enumerate(zip(self.words, [None, *self.words], strict=False)):
            if before is not None and before.sentence != word.sentence:
                solid.append("\n")
                length += 1
            self._starts.append(length)
            solid.append(word.text)
            length += len(word.text)
            for each in rules.vocabulary.meant(word):
                self._at[each].append(number)
        self._solid = "".join(solid)
        self._korean: dict[str, list[tuple[int, str]]] = defaultdict(list)  # by their first two letters
        for number, word in enumerate(self.words):
            if has_hangul(word.text):
                letters = jamo(word.text)
                self._korean[letters[:2]].append((number, letters))
        self._question = self._questions()
        self._spans = {name: self._from_cue(name) for name in ("beside", "main")}
        self._before = self._ends("negation.before")
        self._relatives = self._ends("somebody_else")
        self._behind = self.any_of("negation.after")

    def find(self, wanted: Term) -> list[Place]:
        """Everywhere it stands, negated or not."""
        return self._find_hangul(wanted.solid) if wanted.hangul else self._find_words(wanted)

    def negated(self, place: Place) -> bool:
        """Somebody wrote that it is not so, or that a relative has it."""
        first = self.words[place.first]
        for end in self._before:
            word = self.words[end]
            if 0 < place.first - end <= BEFORE and word.clause == first.clause:
                return True
        for end in self._relatives:
            if 0 < place.first - end <= RELATIVE and self.words[end].sentence == first.sentence:
                return True
        return self._negated_behind(place)

    def asked(self, place: Place) -> bool:
        """Whether it stands in a sentence that asks."""
        return self.words[place.first].sentence in self._question

    def said(self, name: str, place: Place) -> bool:
        """`beside` or `main`: a cue stands before it in the same sentence."""
        return place.first in self._spans[name]

    def any_of(self, cue: str) -> list[Place]:
        """Where any term of a group of `words.toml` stands."""
        return [place for each in self.rules.cues[cue] for place in self.find(each)]

    def _find_words(self, wanted: Term) -> list[Place]:
        lists = [self._at.get(each, []) for each in wanted.stems]
        if not all(lists):
            return []
        found = []
        reach = len(lists) + GAP
        if len(lists) == 1:
            capitals = [at for at in lists[0] if not wanted.capitals or self.words[at].capitals]
            return [self._place([at]) for at in capitals[:MOST]]
        rare = min(range(len(lists)), key=lambda number: len(lists[number]))
        for anchor in lists[rare][:MOST]:
            taken = [anchor]
            for number, places in enumerate(lists):
                if number == rare:
                    continue
                close = places[bisect_left(places, anchor - reach) : bisect_right(places, anchor + reach)]
                near = [p for p in close if abs(p - anchor) < reach and p not in taken]
                if not near:
                    break
                taken.append(min(near, key=lambda p: (abs(p - anchor), -p)))
            if len(taken) == len(lists) and self._together(taken, reach, wanted.capitals):
                found.append(self._place(taken))
        return found

    def _together(self, taken: list[int], reach: int, capitals: bool) -> bool:
        if max(taken) - min(taken) >= reach:
            return False
        if capitals and not all(self.words[number].capitals for number in taken):
            return False
        return len({self.words[number].sentence for number in taken}) == 1

    def _place(self, taken: list[int]) -> Place:
        letters = frozenset(
            letter
            for number in taken
            for letter in range(self._starts[number], self._starts[number] + len(self.words[number].text))
        )
        return Place(letters, min(taken), max(taken))

    def _find_hangul(self, solid: str) -> list[Place]:
        found: list[Place] = []
        start = self._solid.find(solid)
        while start >= 0 and len(found) < MOST:
            first, last = self._word_at(start), self._word_at(start + len(solid) - 1)
            if len(solid) > 2 or self._stands_alone(solid, start, first, last):
                found.append(Place(frozenset(range(start, start + len(solid))), first, last))
            start = self._solid.find(solid, start + 1)
        return found or self._misspelt_hangul(solid)

    def _stands_alone(self, solid: str, start: int, first: int, last: int) -> bool:
        """Two syllables must begin or end a word, one must be the whole word, particles aside."""
        begins = start == self._starts[first]
        end = self._starts[last] + len(self.words[last].text)
        rest = self._solid[start + len(solid) : end]
        ends = bool(_PARTICLES.fullmatch(rest))
        return (begins and ends) if len(solid) == 1 else (begins or ends)

    def _word_at(self, letter: int) -> int:
        return bisect_right(self._starts, letter) - 1

    def _misspelt_hangul(self, solid: str) -> list[Place]:
        """One Korean letter wrong in one word; the first two must be right."""
        letters = jamo(solid)
        if len(solid) < 3 or len(letters) < MIN_JAMO or not letters.isalpha():
            return []
        return [
            self._place([number])
            for number, word in self._korean.get(letters[:2], ())
            if begins_nearly(word, letters)
        ]

    def _ends(self, cue: str) -> list[int]:
        return [place.last for place in self.any_of(cue)]

    def _from_cue(self, cue: str) -> frozenset[int]:
        """Numbers of the words behind a cue, up to the end of its sentence."""
        found = set()
        for place in self.any_of(cue):
            sentence = self.words[place.first].sentence
            found |= {
                number
                for number in range(place.last + 1, len(self.words))
                if self.words[number].sentence == sentence
            }
        return frozenset(found)

    def _questions(self) -> frozenset[int]:
        marked = {word.sentence for word in self.words if word.asked}
        return frozenset(marked | {self.words[place.first].sentence for place in self.any_of("question")})

    def _negated_behind(self, place: Place) -> bool:
        clause = self.words[place.last].clause
        for end in self._behind:
            same = end.first == place.last and min(end.letters) > max(place.letters)
            if same or (0 < end.first - place.last <= BEHIND and self.words[end.first].clause == clause):
                between = range(place.last + 1, end.first)
                return all(self.words[number].clause == clause for number in between)
        return False
