"""A patient as registered at a site: names in three scripts, and what a referral must know of a person. Pure.

Whatever was typed so far may be kept; `problems` says what is missing before a referral can be submitted.
What the patient says of their illness is part of the referral (`forms/common-*.toml`: own words, preference).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

from server.domain.consent import clean_name
from server.domain.names import alike, sounds
from server.domain.referral import OLDEST, Problem, age_in_years, day_of

SCRIPTS: Final = ("latin", "cyrillic", "hangul")
SEXES: Final = ("female", "male", "other")
CONTACTS: Final = ("phone", "email", "messenger")
OF_AGE: Final = 18
MAX_GUARDIANS: Final = 4
MAX_LANGUAGES: Final = 6


@dataclass(frozen=True, slots=True)
class Guardian:
    name: str = field(default="", repr=False)
    relation: str = field(default="", repr=False)  # mother, grandfather, court … in words
    phone: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of a patient; empty strings where nothing is."""

    names: Mapping[str, str] = field(default_factory=dict, repr=False)  # by script
    birth_date: str = field(default="", repr=False)  # YYYY-MM-DD
    sex: str = field(default="", repr=False)
    nationality: str = field(default="", repr=False)  # ISO 3166-1 alpha-2
    languages: tuple[str, ...] = ()
    contact: Mapping[str, str] = field(default_factory=dict, repr=False)
    guardians: tuple[Guardian, ...] = ()


@dataclass(frozen=True, slots=True)
class Patient:
    """`version` grows with each change. `distinct_from`: patients whom somebody found to be others."""

    id: str
    site_id: str
    version: int
    person: Person
    distinct_from: tuple[str, ...]
    synthetic: bool
    created_ms: int
    changed_ms: int


@dataclass(frozen=True, slots=True)
class Alike:
    """Another patient of the site who may be the same person. `sure`: nothing speaks against it."""

    patient: Patient
    sure: bool


def cleaned(person: Person) -> Person:
    """As it is kept: names and words on one line each."""
    return Person(
        {script: name for script in SCRIPTS if (name := clean_name(person.names.get(script, "")))},
        person.birth_date.strip(),
        person.sex,
        person.nationality.strip().upper(),
        tuple(dict.fromkeys(person.languages)),
        {kind: text for kind in CONTACTS if (text := clean_name(person.contact.get(kind, "")))},
        tuple(
            made
            for one in person.guardians
            if (made := Guardian(clean_name(one.name), clean_name(one.relation), clean_name(one.phone)))
            != Guardian()
        ),
    )


def as_json(person: Person) -> dict[str, Any]:
    return {
        "names": dict(person.names),
        "birth_date": person.birth_date,
        "sex": person.sex,
        "nationality": person.nationality,
        "languages": list(person.languages),
        "contact": dict(person.contact),
        "guardians": [asdict(one) for one in person.guardians],
    }


def from_json(content: Mapping[str, Any]) -> Person:
    return Person(
        content["names"],
        content["birth_date"],
        content["sex"],
        content["nationality"],
        tuple(content["languages"]),
        content["contact"],
        tuple(Guardian(**one) for one in content["guardians"]),
    )


def facts(person: Person, today: date) -> dict[str, str | int]:
    """What a form's conditions may ask of the patient."""
    known: dict[str, str | int] = {"patient.sex": person.sex} if person.sex else {}
    age = age_in_years(person.birth_date, today)
    return known if age is None else known | {"patient.age": age}


def called(person: Person) -> str:
    """The one name that a list shows."""
    return next((person.names[script] for script in SCRIPTS if person.names.get(script)), "")


def summary(patient: Patient) -> dict[str, object]:
    """What a case shows of its patient."""
    person = patient.person
    return {
        "name": called(person),
        "birth_date": person.birth_date,
        "sex": person.sex or "other",
        "synthetic": patient.synthetic,
    }


def problems(person: Person, today: date) -> list[Problem]:
    """What is missing, as `patient.…` fields."""
    found = []
    if not person.names.get("latin"):
        found.append(Problem("patient.name", "missing"))
    born, age = day_of(person.birth_date), age_in_years(person.birth_date, today)
    if not person.birth_date:
        found.append(Problem("patient.birth_date", "missing"))
    elif born is None or age is None or born < OLDEST:
        found.append(Problem("patient.birth_date", "not_a_date"))
    for name in ("sex", "nationality", "languages"):
        if not getattr(person, name):
            found.append(Problem(f"patient.{name}", "missing"))
    if not person.contact:
        found.append(Problem("patient.contact", "missing"))
    if age is not None and age < OF_AGE:
        whole = [one for one in person.guardians if one.name and one.relation and one.phone]
        if not whole:
            found.append(Problem("patient.guardians", "missing"))
    return found


def near_dates(birth_date: str) -> frozenset[str]:
    """Dates that the same one may have been typed as: itself, day and month changed over, one digit wrong."""
    if day_of(birth_date) is None:
        return frozenset()
    year, month, day = birth_date.split("-")
    tried = {birth_date, f"{year}-{day}-{month}"}
    for at, letter in enumerate(birth_date):
        if letter != "-":
            tried |= {birth_date[:at] + digit + birth_date[at + 1 :] for digit in "0123456789"}
    return frozenset(one for one in tried if day_of(one))


def found_alike(patient: Patient, others: Iterable[Patient]) -> list[Alike]:
    """Those of the site's patients who may be this one, and were not found to be others; the surest first."""
    found = []
    own = [sounds(name) for name in patient.person.names.values()]
    for other in others:
        known = other.id in patient.distinct_from or patient.id in other.distinct_from
        if other.id == patient.id or other.site_id != patient.site_id or known:
            continue
        names = [sounds(name) for name in other.person.names.values()]
        match = max((alike(one, another) for one in own for another in names), default=0)
        same_day = other.person.birth_date == patient.person.birth_date
        near = same_day or other.person.birth_date in near_dates(patient.person.birth_date)
        if patient.person.birth_date and near and (match == 2 or (match == 1 and same_day)):
            found.append(Alike(other, match == 2 and same_day))
    return sorted(found, key=lambda one: (not one.sure, one.patient.created_ms))
