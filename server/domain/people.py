"""Sites and the people with accounts. Names and addresses live here only to be shown, never logged."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Site:
    id: str
    name: str = field(repr=False)
    time_zone: str  # IANA
    country: str  # ISO 3166-1 alpha-2


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    email: str = field(repr=False)
    name: str = field(repr=False)
    language: str
    site_id: str
    roles: tuple[str, ...]
    verified: bool  # a licence was checked
    disabled: bool
    time_zone: str


@dataclass(frozen=True, slots=True)
class AccountSession:
    """One signed-in browser."""

    id: str
    account_id: str
    created_ms: int
    last_seen_ms: int
    revoked_ms: int | None
    agent: str = field(repr=False)


def session_is_live(session: AccountSession, now_ms: int, lifetime_ms: int) -> bool:
    """Neither revoked nor older than its lifetime."""
    return session.revoked_ms is None and now_ms < session.created_ms + lifetime_ms


def normalised_email(text: str) -> str:
    """How an address is stored and looked up."""
    return text.strip().lower()
