"""What the audit's actions are to who reads it: looks at a patient, copies taken out, signing in. Pure."""

from __future__ import annotations

from typing import Final

LOOK_ENDINGS: Final = ("_read", "_opened", "_looked", "_heard", "_viewed", "_previewed", "_listed")
COPY_ENDINGS: Final = ("_downloaded", "_exported", "_copied")
SIGN_IN, SIGN_IN_FAILED, SIGNED_OUT = "sign_in", "sign_in_failed", "session_revoked"
LOGINS: Final = (SIGN_IN, SIGN_IN_FAILED, SIGNED_OUT)
PATIENTS_SEARCHED, PATIENTS_LISTED, SHOWN = "patients_searched", "patients_listed", "shown"
"""Their `detail` names the patients who were listed by name, with spaces between."""
LISTS: Final = (PATIENTS_SEARCHED, PATIENTS_LISTED)
OWN_READ: Final = "own_consents_read"
"""The patient's own look, by their code."""
GLASS_BROKEN, GLASS_ENDED = "glass_broken", "glass_ended"
ROOM_ENTERED: Final = "room_entered"
"""Who was in the room saw and heard the patient."""
NO_LOOKS: Final = frozenset({"department_opened"})
"""They are called like one and show nothing of a patient."""
GAP_ACKNOWLEDGED: Final = "audit_gap_acknowledged"
"""Entries are missing, and somebody answers for it: `audit_gap.py`."""


def is_copy(action: str) -> bool:
    """Something of it was taken out of this server."""
    return action.endswith(COPY_ENDINGS)


def is_look(action: str) -> bool:
    """Somebody saw something of a patient, or took it away."""
    if action in NO_LOOKS:
        return False
    return is_copy(action) or action.endswith(LOOK_ENDINGS) or action in (PATIENTS_SEARCHED, ROOM_ENTERED)
