"""The forms of referrals: which questions a specialty asks, when, and why. Data (`forms/*.toml`), read once.

What a form's keys mean is in `forms/README.md`. It must not judge answers: that is `referral.py`.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Final

from server.domain.errors import Refused
from server.domain.form_words import non_answers, not_alone, whole

SPECIALTIES: Final = (
    "oncology",
    "orthopaedics",
    "cardiothoracic",
    "neurosurgery",
    "paediatrics",
    "gynaecology",
    "ent",
    "gastroenterology",
    "urology",
    "general",
)
KINDS: Final = ("text", "long_text", "number", "date", "choice", "many")
#: Facts of the patient that a condition may name.
PATIENT_FACTS: Final = ("patient.sex", "patient.age")

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Condition:
    """All that is given must hold of the answer to `field`, which must have been asked."""

    field: str
    one_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    above: float | None = None
    below: float | None = None
    filled: bool | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    id: str
    label: Texts


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `required`: None never, else the conditions (none of them: always)."""

    id: str
    section: str
    kind: str
    label: Texts
    why: Texts
    required: tuple[Condition, ...] | None
    asked_when: tuple[Condition, ...] = ()
    choices: tuple[Choice, ...] = ()
    exclusive: tuple[str, ...] = ()
    not_alone: tuple[str, ...] = ()
    least: int = 1
    least_value: float | None = None
    most_value: float | None = None
    unit: str = ""
    pattern: str = ""
    fresh_days: int = 0
    not_known: bool = False
    none_ok: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """A specialty's form. `sha256`: of its two files, so that a submitted referral can be held against it."""

    specialty: str
    version: int
    label: Texts
    sections: Mapping[str, Texts]
    questions: tuple[Question, ...]
    non_answers: frozenset[str]
    sha256: str = field(repr=False)

    @property
    def id(self) -> str:
        """As drafts and submitted versions name it: `oncology/1`."""
        return f"{self.specialty}/{self.version}"

    def question(self, name: str) -> Question | None:
        return next((question for question in self.questions if question.id == name), None)


@cache
def newest(specialty: str) -> Form:
    """The form that new drafts get. Raises Refused `not_found`."""
    if specialty not in SPECIALTIES:
        raise Refused("not_found")
    return form_of(f"{specialty}/{max(_numbers(specialty))}")


@cache
def form_of(form_id: str) -> Form:
    """A form by its id, old ones too. Raises Refused `not_found`."""
    match = re.fullmatch(r"([a-z]+)/([1-9][0-9]{0,3})", form_id)
    if match is None or match[1] not in SPECIALTIES or int(match[2]) not in _numbers(match[1]):
        raise Refused("not_found")
    own, own_bytes = _read(f"{match[1]}-{match[2]}.toml")
    common, common_bytes = _read(f"common-{int(own['common'])}.toml")
    rows = [*common["fields"], *({"section": "specialty", **_whole(row, common)} for row in own["fields"])]
    order = list(common["sections"])
    rows.sort(key=lambda row: order.index(row["section"]))
    return Form(
        match[1],
        int(match[2]),
        whole(own["label"]),
        {name: whole(label) for name, label in common["sections"].items()},
        tuple(_question(row, common["sets"]) for row in rows),
        frozenset([*common["non_answers"], *non_answers()]),
        hashlib.sha256(common_bytes + own_bytes).hexdigest(),
    )


def told(form: Form) -> dict[str, Any]:
    """As a page gets it, in all its languages."""
    return {
        "id": form.id,
        "specialty": form.specialty,
        "version": form.version,
        "label": dict(form.label),
        "sections": [{"id": name, "label": dict(label)} for name, label in form.sections.items()],
        "questions": [
            {
                "id": one.id,
                "section": one.section,
                "kind": one.kind,
                "label": dict(one.label),
                "why": dict(one.why),
                "optional": one.required is None,
                "choices": [{"id": choice.id, "label": dict(choice.label)} for choice in one.choices],
                "exclusive": list(one.exclusive),
                "unit": one.unit,
                "min": one.least_value,
                "max": one.most_value,
                "not_known": one.not_known,
            }
            for one in form.questions
        ],
    }


def _files() -> Any:
    return resources.files("server.domain").joinpath("forms")


@cache
def _numbers(name: str) -> tuple[int, ...]:
    found = (re.fullmatch(rf"{name}-([1-9][0-9]*)\.toml", entry.name) for entry in _files().iterdir())
    return tuple(int(match[1]) for match in found if match)


@cache
def _read(name: str) -> tuple[dict[str, Any], bytes]:
    data: bytes = _files().joinpath(name).read_bytes()
    return tomllib.loads(data.decode()), data


def _whole(row: dict[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    """A row that uses a shared question, with what it replaces."""
    return row if "use" not in row else {"id": row["use"], **common["shared"][row["use"]], **row}


def _question(row: dict[str, Any], sets: dict[str, Any]) -> Question:
    required = row["required"]
    choices = row.get("choices", ())
    return Question(
        id=row["id"],
        section=row["section"],
        kind=row["kind"],
        label=whole(row["label"], row["id"]),
        why=whole(row["why"], row["id"]),
        required=None if required == "never" else () if required == "always" else _conditions(required),
        asked_when=_conditions(row.get("asked_when", ())),
        choices=tuple(
            _choice(one, row["id"]) for one in (sets[choices] if isinstance(choices, str) else choices)
        ),
        exclusive=tuple(row.get("exclusive", ())),
        not_alone=(*row["not_alone"], *not_alone(row["id"])) if "not_alone" in row else (),
        least=row.get("least", 1),
        least_value=row.get("min"),
        most_value=row.get("max"),
        unit=row.get("unit", ""),
        pattern=row.get("pattern", ""),
        fresh_days=row.get("fresh_days", 0),
        not_known=row.get("not_known", False),
        none_ok=row.get("none_ok", False),
    )


def _choice(row: dict[str, str], question: str) -> Choice:
    label = {language: text for language, text in row.items() if language != "id"}
    return Choice(row["id"], whole(label, question))


def _conditions(rows: Sequence[Mapping[str, Any]]) -> tuple[Condition, ...]:
    return tuple(
        Condition(
            row["field"],
            tuple(row.get("in", ())),
            tuple(row.get("not_in", ())),
            row.get("above"),
            row.get("below"),
            row.get("filled"),
        )
        for row in rows
    )
