"""Which kinds of documents a referral of each specialty wants, and which of them it must have. Pure.

What is wanted is only mentioned. What is required (an installation's own setting) stops a submission.
Written by engineers after common referral practice; it wants review by the programme's departments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from server.domain.documents import HELD, KINDS, Document, Side, State
from server.domain.referral_form import SPECIALTIES

WANTED: Final[Mapping[str, tuple[str, ...]]] = {
    "oncology": ("pathology", "imaging", "report"),
    "orthopaedics": ("imaging", "report"),
    "cardiothoracic": ("imaging", "report", "laboratory"),
    "neurosurgery": ("imaging", "report"),
    "paediatrics": ("report", "laboratory"),
    "gynaecology": ("imaging", "report", "laboratory"),
    "ent": ("imaging", "report"),
    "gastroenterology": ("report", "laboratory"),
    "urology": ("imaging", "laboratory"),
    "general": ("report",),
}


def wanted(
    specialty: str, required: Mapping[str, Sequence[str]], documents: Sequence[Document]
) -> list[dict[str, Any]]:
    """Each kind that is wanted, the required ones first, with the documents of it that are there."""
    must = list(required.get(specialty, ()))
    kinds = [*must, *(kind for kind in WANTED.get(specialty, ()) if kind not in must)]
    there = [one for one in _of_referral(documents) if one.state in HELD]
    there = [one for one in there if one.state is not State.QUARANTINED]
    return [
        {"kind": kind, "required": kind in must, "documents": [one.id for one in there if one.kind == kind]}
        for kind in kinds
    ]


def missing(
    specialty: str, required: Mapping[str, Sequence[str]], documents: Sequence[Document]
) -> list[str]:
    """Required kinds of which nothing is ready that would go out with the referral."""
    sent = {one.kind for one in _of_referral(documents) if _goes_out(one)}
    return [kind for kind in required.get(specialty, ()) if kind not in sent]


def _goes_out(document: Document) -> bool:
    return document.state is State.READY and document.visibility != "site"


def _of_referral(documents: Sequence[Document]) -> list[Document]:
    return [one for one in documents if one.side is Side.REFERRING]


def wrong_in(required: Mapping[str, Sequence[str]]) -> str:
    """What is no specialty or kind in a setting, as a sentence; empty when all is well."""
    for specialty, kinds in required.items():
        if specialty not in SPECIALTIES:
            return f"required names no specialty of ours: {specialty}"
        if strange := [kind for kind in kinds if kind not in KINDS]:
            return f"required.{specialty} names no kind of document: {strange[0]}"
    return ""
