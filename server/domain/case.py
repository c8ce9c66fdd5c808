"""A case: one patient's question at one site."""

from __future__ import annotations

from dataclasses import dataclass, field

RELATIONS_ON_CASE = ("invited", "follows")


@dataclass(frozen=True, slots=True)
class Case:
    id: str
    label: str  # said aloud and shown in lists; holds nothing of the patient
    site_id: str
    specialty: str
    question: str = field(repr=False)
    patient: dict[str, object] = field(repr=False)
    state: str
    created_ms: int
