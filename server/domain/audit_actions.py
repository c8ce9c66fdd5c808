"""Every action that the audit chain may hold, by its code. Pure: what they are to a reader is in `trail.py`.

The chain takes no other (`server/storage/audit.py`), and each has words in every language (`act-<code>`).
A code is never used for something else: what was written with it stays in the chain for ever.
"""

from __future__ import annotations

from typing import Final

from server.domain.life import LIFE

_ACTIONS: Final = """
sign_in sign_in_failed session_revoked sessions_revoked session_proven password_set password_reset_asked
totp_on totp_off passkey_on passkey_off recovery_codes_made recovery_used provider_linked second_step_reset
account_added account_changed account_invited account_left account_returned account_disabled account_enabled
account_password_set licence_entered licence_verified licence_unverified telephone_changed feed_made
feed_revoked
site_added site_changed department_saved department_closed department_opened physician_removed hours_set
absence_added
absence_removed room_set
interpreter_set
policy_changed self_test_begun self_test_done hours_exported
consultation_booked consultation_moved consultation_cancelled consultation_missed
patients_searched patients_listed patient_read patient_registered patient_changed case_patient_chosen
case_begun case_read draft_read draft_saved referral_read match_read match_proposed match_accepted
match_overridden
consents_read own_consents_read patients_code_made patient_consent_granted patient_consent_declined
patient_consent_withdrawn consent_witnessed consent_granted consent_declined consent_withdrawn
documents_listed document_looked document_downloaded document_begun document_complete document_cancelled
document_confirm document_confirmed document_ready document_refused document_quarantined document_expired
document_destroyed document_changed document_withdrawn documents_ended documents_kept documents_destroyed
room_entered seat_taken seat_declined seat_declined_back knock knock_admitted knock_refused arrival_said
session_started session_ended
recording_paused recording_resumed chat_said chat_read conduct_confirmed conduct_skipped
glossary_read glossary_exported glossary_imported term_added term_edited term_confirmed term_deleted
recording_opened recording_track_opened rendering_flagged rendering_heard rendering_answered export_asked
export_cancelled export_downloaded export_destroyed
hold_set hold_lifted retention_classed retention_extended retention_expired media_destroyed
destruction_relearned destruction_taken_up journal_cleaned
audit_searched audit_exported audit_reviewed audit_review_signed audit_review_exported
audit_gap_acknowledged glass_broken glass_ended
"""
#: A case's own moves are those of its table.
ACTIONS: Final = frozenset({*_ACTIONS.split(), *(move.audit for move in LIFE)})
