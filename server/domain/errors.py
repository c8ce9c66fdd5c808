"""Every refusal a person can meet, as a stable code. Texts are made by the pages, from `error-<code>`.

It must not know HTTP or any language; `server/web/errors.py` gives each code its status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: code → HTTP status it is told with. One table, so that a code without a status cannot exist.
STATUS_BY_CODE: Final[dict[str, int]] = {
    "bad_request": 400,
    "text_refused": 400,
    "form_refused": 400,
    "reason_missing": 400,
    "match_reason": 400,
    "glass_reason": 400,
    "gap_reason": 400,
    "chat_empty": 400,
    "term_empty": 400,
    "file_refused": 400,
    "flag_empty": 400,
    "answer_empty": 400,
    "password_short": 400,
    "password_common": 400,
    "sign_in_required": 401,
    "sign_in_refused": 401,
    "no_credential": 401,
    "forbidden": 403,
    "cross_site": 403,
    "not_verified": 403,
    "outside_flag": 403,
    "follow_up_refused": 403,
    "follow_up_unasked": 403,
    "own_account": 403,
    "role_above": 403,
    "code_refused": 403,
    "passkey_refused": 403,
    "provider_refused": 403,
    "provider_unverified": 403,
    "provider_unknown": 403,
    "proof_required": 403,
    "proof_refused": 403,
    "second_step_required": 403,
    "not_found": 404,
    "page_unknown": 404,
    "upload_offset": 409,
    "upload_over": 409,
    "upload_type": 415,
    "document_too_large": 413,
    "document_different": 422,
    "documents_full": 409,
    "document_waiting": 409,
    "document_missing": 409,
    "transfer_withdrawn": 409,
    "document_quarantined": 409,
    "document_gone": 410,
    "not_for_patient": 409,
    "too_many_uploads": 429,
    "storage_full": 507,
    "no_preview": 404,
    "link_unknown": 404,
    "passkey_missing": 404,
    "knock_unknown": 404,
    "method_not_allowed": 405,
    "link_used": 409,
    "link_unused": 409,
    "not_open": 409,
    "ended": 409,
    "consent_outdated": 409,
    "consent_missing": 409,
    "name_missing": 400,
    "drawing_refused": 400,
    "witness_missing": 400,
    "guardian_needed": 409,
    "guardian_unknown": 409,
    "witness_self": 409,
    "recipient_unknown": 409,
    "paper_missing": 409,
    "not_given": 409,
    "teaching_missing": 409,
    "code_unknown": 404,
    "policy_changed": 409,
    "not_held": 409,
    "glass_open": 409,
    "glass_over": 409,
    "review_signed": 409,
    "audit_broken": 409,
    "audit_whole": 409,
    "gap_changed": 409,
    "no_session": 409,
    "stepped_out": 409,
    "chat_full": 409,
    "extension_spent": 409,
    "withdrawn_already": 409,
    "term_changed": 409,
    "glossary_changed": 409,
    "glossary_full": 409,
    "nobody_invited": 409,
    "department_closed": 409,
    "interpreter_unfit": 409,
    "hour_past": 409,
    "hour_taken": 409,
    "hour_outside": 409,
    "hour_changed": 409,
    "under_way": 409,
    "not_begun": 409,
    "request_reused": 409,
    "wrong_state": 409,
    "self_test_over": 409,
    "referral_incomplete": 409,
    "patient_changed": 409,
    "referral_changed": 409,
    "licence_changed": 409,
    "licence_expired": 409,
    "not_booked": 409,
    "opinion_missing": 409,
    "plan_missing": 409,
    "outcome_missing": 409,
    "match_missing": 409,
    "match_changed": 409,
    "match_decided": 409,
    "invited_already": 409,
    "address_begun": 409,
    "second_step_set": 409,
    "passkey_known": 409,
    "too_many_passkeys": 409,
    "second_step_missing": 409,
    "second_step_needed": 409,
    "second_step_none": 409,
    "department_booked": 409,
    "physician_booked": 409,
    "physician_listed": 409,
    "step_over": 410,
    "link_dead": 410,
    "password_link_dead": 410,
    "withdrawn": 410,
    "destroyed": 410,
    "recording_not_ready": 409,
    "nothing_to_export": 409,
    "no_such_rendering": 409,
    "too_many_flags": 409,
    "export_gone": 410,
    "too_large": 413,
    "document_empty": 422,
    "document_kind": 422,
    "document_damaged": 422,
    "document_locked": 422,
    "document_too_heavy": 422,
    "document_too_many": 422,
    "archive_stranger": 422,
    "archive_nested": 422,
    "archive_path": 422,
    "archive_expands": 422,
    "json_only": 415,
    "range_not_satisfiable": 416,
    "locked": 423,
    "too_many_attempts": 429,
    "too_many_knocks": 429,
    "too_many_exports": 429,
    "too_many_messages": 429,
    "self_test_site_busy": 429,
    "internal": 500,
    "not_ready": 503,
    "provider_down": 503,
    "decoder_unavailable": 503,
    "self_test_full": 503,
}

#: What can be wrong with a field; pages say it beside the field as `field-<this>`.
WRONG: Final = frozenset(
    {
        "empty",
        "long",
        "zone",
        "country",
        "email",
        "taken",
        "roles",
        "language",
        "telephone",
        "emergency",
        "date",
    }
    | {"past", "number", "site"}
)


class Refused(Exception):  # noqa: N818 - it is the domain's word
    """Somebody asked for what they may not have, or not now. `facts` are numbers the page may show."""

    def __init__(self, code: str, **facts: int) -> None:
        if code not in STATUS_BY_CODE:
            raise ValueError(f"refusal code {code!r} has no row in STATUS_BY_CODE")
        super().__init__(code)
        self.code = code
        self.facts = facts

    @property
    def status(self) -> int:
        return STATUS_BY_CODE[self.code]


class FormRefused(Refused):
    """What was filled in wrongly: field → what is wrong, one of `WRONG`."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        unknown = set(fields.values()) - WRONG
        if unknown:
            raise ValueError(f"no such thing to be wrong: {unknown}")
        super().__init__("form_refused")
        self.fields = dict(fields)


def message_id(code: str) -> str:
    """The Fluent message for a code: `link_used` → `error-link-used`."""
    return "error-" + code.replace("_", "-")
