"""Consent to recording: per seat, by name, in a language, to one version of the text. Undecided means no."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from server.domain.errors import Refused

RECORDING = "recording"
#: Raised whenever the consent text in static/i18n changes its meaning.
CONSENT_VERSION = "2026-11-23"
MAX_PERSONS = 8
MAX_NAME = 80


@dataclass(frozen=True, slots=True)
class Consent:
    """The newest decision of a seat. `id` is the grant's name on its way to the media plane."""

    id: str
    consultation_id: str
    seat_id: str
    decision: str
    persons: tuple[str, ...] = field(repr=False)
    version: str
    language: str
    at_ms: int
    patient: bool = False  # the case's patient is one of the persons
    #: What each of them read and agreed to: purpose → version, language, hash. None: an older answer.
    texts: Mapping[str, tuple[int, str, str]] | None = None


def checked_persons(decision: str, persons: Sequence[str], version: str) -> tuple[str, ...]:
    """The names as they will be stored.

    A grant names everybody at the seat (1–8), since it holds only while *all* of them consent.
    Raises Refused `consent_outdated` or `consent_missing`.
    """
    names = tuple(name for name in (clean_name(person) for person in persons) if name)[:MAX_PERSONS]
    if decision == "granted" and version != CONSENT_VERSION:  # a no is a no to whatever text
        raise Refused("consent_outdated")
    if decision == "granted" and not names:
        raise Refused("consent_missing")
    return names


def grant_of(consent: Consent | None) -> str | None:
    """The grant id under which a seat may be recorded; None = must not be."""
    if consent is None or consent.decision != "granted" or consent.version != CONSENT_VERSION:
        return None
    return consent.id


def decision_of(consent: Consent | None) -> str:
    return "undecided" if consent is None else consent.decision


def clean_name(text: str) -> str:
    """A name for display: no control or direction-override characters, single spaces, 80 characters."""
    kept = "".join(
        " " if unicodedata.category(ch) in ("Zs", "Cc") else ch
        for ch in text
        if unicodedata.category(ch) not in ("Cf", "Cs", "Co", "Cn") or ch in "\u200c\u200d"
    )
    return " ".join(kept.split())[:MAX_NAME].strip()
