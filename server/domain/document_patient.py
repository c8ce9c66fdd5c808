"""Whom a DICOM study names, beside whom the case is about: what a physician is asked to look at. Pure.

Names go by `names.py`: scripts and spellings differ from clinic to clinic. It decides nothing: somebody does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from server.domain.names import alike, sounds
from server.domain.patient import Person

_SEXES: Final = {"M": "male", "F": "female", "O": "other"}
_PLAIN_DAY: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
WHOLE_NAME: Final = 2


def found(patients: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As a page shows them: {names, birth_date, sex, number}."""
    return [
        {
            "names": [" ".join(str(name).replace("^", " ").split()) for name in one.get("names", ())],
            "birth_date": _PLAIN_DAY.sub(r"\1-\2-\3", str(one.get("birth_date", ""))),
            "sex": _SEXES.get(str(one.get("sex", "")), ""),
            "number": str(one.get("number", "")),
        }
        for one in patients
    ]


def registered(person: Person) -> dict[str, Any]:
    """The case's patient, in the same words."""
    return {"names": list(person.names.values()), "birth_date": person.birth_date, "sex": person.sex}


def differs(named: Sequence[Mapping[str, Any]], person: Person) -> list[str]:
    """What does not fit: `several`, `name`, `birth_date`, `sex`. What one side does not say fits."""
    wrong = set[str]()
    if len({_same(one) for one in named}) > 1:
        wrong.add("several")
    own = [sounds(name) for name in person.names.values()]
    for one in named:
        theirs = [sounds(name) for name in one["names"] if sounds(name)]
        if own and theirs and not any(alike(a, b) == WHOLE_NAME for a in own for b in theirs):
            wrong.add("name")
        for what, known in (("birth_date", person.birth_date), ("sex", person.sex)):
            if one[what] and known and one[what] != known:
                wrong.add(what)
    return [word for word in ("several", "name", "birth_date", "sex") if word in wrong]


def _same(one: Mapping[str, Any]) -> tuple[str, ...]:
    """Two files of one person may be written by two machines: the numbers differ, the day does not."""
    return (one["birth_date"], *sorted(" ".join(sorted(sounds(name))) for name in one["names"]))
