"""What holds between a referring and a consulting site: the seat rule and the legal basis. Pure.

A policy is a row of the database that a privacy officer or a site's administrator changes; nothing here or
elsewhere in the code knows which law applies. A session keeps the policies it began under.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from server.domain.errors import Refused

REQUIRED, NOT_REQUIRED = "required", "not_required"
#: Whether talk with the patient is recorded only while a verified physician holds the referring seat.
SEAT_RULES: Final = (REQUIRED, NOT_REQUIRED)
#: Among medical personnel only (as the Korean act on foreign patients, art. 16, is read today), direct care
#: of a patient, or a demonstration with nobody real.
LEGAL_BASES: Final = ("medical_personnel", "direct_care", "demonstration")

Pair = tuple[str, str]
"""Referring site, consulting site."""


@dataclass(frozen=True, slots=True)
class Policy:
    """`version` grows with each change; 0 is the rule while nobody has decided anything."""

    pair: Pair
    version: int
    seat_rule: str
    legal_basis: str
    changed_by: str = ""
    changed_ms: int = 0


def default(pair: Pair) -> Policy:
    """The strictest: what an undecided pair of sites gets."""
    return Policy(pair, 0, REQUIRED, "medical_personnel")


def checked(seat_rule: str, legal_basis: str) -> None:
    """Raises Refused `bad_request`."""
    if seat_rule not in SEAT_RULES or legal_basis not in LEGAL_BASES:
        raise Refused("bad_request")


def requires_physician(policies: Iterable[Policy]) -> bool:
    """With several consulting sites the strictest of their policies holds; without any, the default."""
    rules = {policy.seat_rule for policy in policies}
    return not rules or REQUIRED in rules
