"""What a patient, or a guardian for them, has agreed to: by purpose, each to one version of a text. Pure.

A decision is only ever added; the newest of a purpose counts. Undecided means no. What was agreed to an older
text, to other recipients, or read aloud and not yet witnessed, counts for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from server.domain.consent import clean_name
from server.domain.consent_text import PURPOSES, newest, text_of
from server.domain.errors import Refused
from server.domain.names import alike, sounds
from server.domain.patient import OF_AGE, Person
from server.domain.referral import age_in_years

GRANTED, DECLINED, WITHDRAWN = "granted", "declined", "withdrawn"
#: Tapped and a name typed, a name drawn, read aloud before a witness, or signed on paper and scanned.
METHODS: Final = ("typed", "drawn", "read_aloud", "paper")
PATIENT: Final = "@patient"
"""At a seat's door, in the place of a name: the patient of the case sits here too."""
MAX_DRAWING = 12_000
#: A signature in a box of 1000 × 400: moves and lines with whole numbers, nothing else that SVG knows.
_DRAWING = re.compile(r"M\d{1,4} \d{1,4}(?:[ML]\d{1,4} \d{1,4}){4,}")


@dataclass(frozen=True, slots=True)
class Places:
    """What a text's holes were filled with: names of sites, ISO countries, and the recipients' ids."""

    clinic: str
    recipients: tuple[str, ...]
    countries: tuple[str, ...]
    years: int
    recipient_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """One decision. `by`: `patient` or `guardian`; `witnessed_by` is empty until the witness has said so."""

    id: str
    case_id: str
    purpose: str
    decision: str
    version: int
    language: str
    sha256: str
    places: Places
    method: str
    by: str
    name: str = field(repr=False)
    relation: str = field(repr=False)
    drawing: str = field(repr=False)
    witness: str = field(repr=False)
    document_id: str
    recorded_by: str  # account, seat, or empty: the patient by their own link
    at_ms: int
    witnessed_by: str = ""
    witnessed_ms: int | None = None


def required(countries: Collection[str]) -> tuple[str, ...]:
    """What being recorded needs of everybody at a seat."""
    abroad = ("transfer_abroad",) if len(set(countries)) > 1 else ()
    return ("consultation", "recording", *abroad)


def newest_of(decisions: Iterable[Given]) -> dict[str, Given]:
    """The one that counts of each purpose."""
    ordered = sorted(decisions, key=lambda one: (one.at_ms, one.id))
    return {one.purpose: one for one in ordered}


def state_of(given: Given | None, recipients: Collection[str]) -> str:
    """`undecided`, `declined`, `withdrawn`, `unwitnessed`, `outdated` (text or recipients), or `granted`."""
    if given is None:
        return "undecided"
    if given.decision != GRANTED:
        return given.decision
    if given.method == "read_aloud" and not given.witnessed_by:
        return "unwitnessed"
    others = given.purpose == "transfer_abroad" and not set(recipients) <= set(given.places.recipient_ids)
    return "outdated" if others or given.version != newest(given.purpose) else GRANTED


def missing(
    purposes: Iterable[str], decisions: Mapping[str, Given], recipients: Collection[str]
) -> list[str]:
    """Which of these the patient has not agreed to, as things are now."""
    return [one for one in purposes if state_of(decisions.get(one), recipients) != GRANTED]


def is_minor(person: Person, today: date) -> bool:
    age = age_in_years(person.birth_date, today)
    return age is not None and age < OF_AGE


def names_patient(name: str, person: Person) -> bool:
    """Whether somebody named at a seat is the patient: said so, or by a name that sounds like theirs."""
    if name == PATIENT:
        return True
    heard = sounds(name)
    return any(alike(heard, sounds(known)) == 2 and len(heard) > 1 for known in person.names.values())


def checked_giver(person: Person, by: str, name: str, today: date) -> tuple[str, str]:
    """Name and relation as they are kept. Raises Refused `bad_request`, `name_missing`, `guardian_needed`
    (a minor does not consent alone), `guardian_unknown` (not registered with the patient)."""
    kept = clean_name(name)
    if by not in ("patient", "guardian"):
        raise Refused("bad_request")
    if not kept:
        raise Refused("name_missing")
    if by == "patient":
        if is_minor(person, today):
            raise Refused("guardian_needed")
        return kept, ""
    known = next((one for one in person.guardians if clean_name(one.name) == kept), None)
    if known is None:
        raise Refused("guardian_unknown")
    return kept, known.relation


def checked_drawing(method: str, drawing: str) -> str:
    """Raises Refused `drawing_refused`: too long, a dot, or anything but lines."""
    if method != "drawn":
        return ""
    if len(drawing) > MAX_DRAWING or not _DRAWING.fullmatch(drawing):
        raise Refused("drawing_refused")
    return drawing


def checked_witness(method: str, witness: str, giver: str) -> str:
    """Raises Refused `witness_missing`: nobody named, or the giver themselves."""
    if method != "read_aloud":
        return ""
    kept = clean_name(witness)
    if not kept or kept.casefold() == giver.casefold():
        raise Refused("witness_missing")
    return kept


def checked_text(purpose: str, version: int, language: str, sha256: str, decision: str) -> str:
    """The hash of the text that was shown. Raises Refused `bad_request`, `not_found`, `consent_outdated`: not
    the one that is asked for now. A no is a no to whatever text."""
    if purpose not in PURPOSES or decision not in (GRANTED, DECLINED):
        raise Refused("bad_request")
    text = text_of(purpose, version, language)
    if decision == GRANTED and (version != newest(purpose) or sha256 != text.sha256):
        raise Refused("consent_outdated")
    return text.sha256
