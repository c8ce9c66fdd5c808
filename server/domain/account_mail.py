"""Mails about an account itself: which there are, and how long a link in one works. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from server.domain.calendar import DAY_MS, MINUTE_MS

INVITATION, RESET = "invitation", "reset"
#: How long the link works, and with it how long the mail is worth sending.
LINK_LIFE_MS: Final = {INVITATION: 7 * DAY_MS, RESET: 30 * MINUTE_MS}
#: What tells its owner that something was changed; no link, so whoever reads it can do nothing with it.
CHANGES: Final = (
    "password_changed",
    "totp_on",
    "totp_off",
    "passkey_on",
    "passkey_off",
    "recovery_used",
    "second_step_reset",
    "provider_linked",
)
GLASS_BROKEN = "glass_broken"
"""Somebody reads a patient's cases without standing to them. No link, nothing of the patient."""
NEWS_LIFE_MS: Final = 7 * DAY_MS
KINDS: Final = (*LINK_LIFE_MS, *CHANGES, GLASS_BROKEN)


@dataclass(frozen=True, slots=True)
class AccountMail:
    id: str
    account_id: str
    kind: str
    attempts: int
    made_ms: int
    expires_ms: int

    @property
    def has_link(self) -> bool:
        return self.kind in LINK_LIFE_MS


@dataclass(frozen=True, slots=True)
class PasswordLink:
    """A link that sets a password. `used_ms`: it did, or a newer one took its place."""

    mail_id: str
    account_id: str
    kind: str
    expires_ms: int
    used_ms: int | None

    def works(self, now_ms: int) -> bool:
        return self.used_ms is None and now_ms < self.expires_ms
