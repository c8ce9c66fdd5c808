"""What a coordinator decides on a proposal, and what must hold. Pure."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import dataclass, field
from typing import Final

from server.domain.errors import Refused
from server.domain.matching.assess import Referral

#: Why it is not the first of the list: codes, so that they can be counted; `other` and `wrong` need a note.
WHY: Final = ("patient_wish", "expertise", "capacity", "language", "urgency", "cost", "wrong", "other")
NEEDS_NOTE: Final = ("wrong", "other")
MAX_NOTE: Final = 500


@dataclass(frozen=True, slots=True)
class Decision:
    department_id: str
    physician_id: str | None
    why: str | None  # None: the first of the list was taken
    note: str = field(default="", repr=False)

    @property
    def overrides(self) -> bool:
        return self.why is not None


def decide(
    ranked: list[str],
    missing: list[str],
    department_id: str,
    physician_id: str | None,
    why: str | None,
    note: str,
) -> Decision:
    """`ranked`: departments as proposed, the best first.

    Raises Refused `match_missing` (an incomplete referral is passed on by nobody), `match_reason`
    (something else than the first was chosen and nobody said why), `bad_request`.
    """
    if missing:
        raise Refused("match_missing")
    note = one_line(note)
    if len(note) > MAX_NOTE or (why is not None and why not in WHY):
        raise Refused("bad_request")
    if ranked and ranked[0] == department_id:
        return Decision(department_id, physician_id, None, note)
    if why is None or (why in NEEDS_NOTE and not note):
        raise Refused("match_reason")
    return Decision(department_id, physician_id, why, note)


def one_line(text: str) -> str:
    """Without control and direction characters, single spaces."""
    kept = (" " if unicodedata.category(letter) in ("Cc", "Zs") else letter for letter in text)
    shown = (letter for letter in kept if unicodedata.category(letter) not in ("Cf", "Cs", "Co", "Cn"))
    return " ".join("".join(shown).split())


def fingerprint(referral: Referral) -> str:
    """SHA-256 over what matching reads: another one means that a proposal is about something else."""
    row = [
        referral.specialty,
        list(referral.fields.items()),
        referral.age,
        list(referral.languages),
        referral.site_id,
        sorted(referral.established),
    ]
    return hashlib.sha256(json.dumps(row, ensure_ascii=True).encode()).hexdigest()
