"""Whether a recording may be used for teaching. Pure.

The patient is asked for `teaching`, and what is shown in teaching is the patient's illness whoever speaks of
it: so the patient's yes is needed for every recording of the case, sitting in it or not. Staff are not asked.
Silence is a no, but where nobody is real. Reasons: docs/decisions/0036.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from server.domain.person_consent import DECLINED, GRANTED, WITHDRAWN

PURPOSE: Final = "teaching"
NOBODY_REAL: Final = frozenset({"demonstration"})


def may_teach(said: str, bases: Collection[str]) -> bool:
    """By how the patient's word stands (`person_consent.state_of`) and the session's legal bases."""
    if said in (DECLINED, WITHDRAWN):
        return False
    return said == GRANTED or set(bases) == NOBODY_REAL
