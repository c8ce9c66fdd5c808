"""Sites and the people with accounts. Names and addresses live here only to be shown, never logged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Site:
    id: str
    name: str = field(repr=False)
    time_zone: str  # IANA
    country: str  # ISO 3166-1 alpha-2
    address: str = field(default="", repr=False)
    languages: tuple[str, ...] = ()  # spoken there
    emergency: str = ""  # dialled where the patient is, when somebody's life is at stake


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    email: str = field(repr=False)
    name: str = field(repr=False)
    language: str
    site_id: str
    roles: tuple[str, ...]
    verified: bool  # a licence was checked; see `in_force`
    disabled: bool
    time_zone: str
    verified_until_ms: int | None = None  # when that licence expires
    left_ms: int | None = None  # since when they are away for good


def is_verified(verified: bool, until_ms: int | None, now_ms: int) -> bool:
    """Checked, and not expired since."""
    return verified and (until_ms is None or now_ms < until_ms)


def in_force(account: Account, now_ms: int) -> Account:
    """The account as it counts now: an expired licence is none."""
    return replace(account, verified=is_verified(account.verified, account.verified_until_ms, now_ms))


@dataclass(frozen=True, slots=True)
class AccountSession:
    """One signed-in browser."""

    id: str
    account_id: str
    created_ms: int
    last_seen_ms: int
    revoked_ms: int | None
    agent: str = field(repr=False)
    second_step: str = ""  # totp | passkey | recovery | provider; "": none was shown
    active_ms: int | None = None  # when somebody last touched it; None: since it began
    proved_ms: int | None = None  # when it was last shown whose it is


def session_is_live(session: AccountSession, now_ms: int, lifetime_ms: int) -> bool:
    """Neither revoked nor older than its lifetime."""
    return session.revoked_ms is None and now_ms < session.created_ms + lifetime_ms


def normalised_email(text: str) -> str:
    """How an address is stored and looked up."""
    return text.strip().lower()
