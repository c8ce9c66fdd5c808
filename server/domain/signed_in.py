"""What a signed-in browser may do now, and when it was last proven whose it is. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from server.domain.calendar import MINUTE_MS
from server.domain.hours import Span
from server.domain.people import AccountSession
from server.domain.permissions import Action

PROOF_LIFE_MS: Final = 10 * MINUTE_MS
"""So long after a password or a passkey was shown, ways of signing in may be changed."""


#: What may still be done while nobody touched it, until it is unlocked.
WHILE_LOCKED: Final = frozenset({Action.ACCOUNT_ME, Action.ACCOUNT_PROVE, Action.SIGN_OUT})
#: And while a role asks for a second step: set one up.
WHILE_UNPROVEN: Final = WHILE_LOCKED | {
    Action.ACCOUNT_ACTIVE,
    Action.ACCOUNT_READ,
    Action.ACCOUNT_REVOKE,
    Action.ACCOUNT_SECURITY,
}


class Standing(StrEnum):
    FULL = "full"
    LOCKED = "locked"  # nobody touched it for a while: it may only be unlocked
    UNPROVEN = "unproven"  # a role asks for a second step, and none was shown: it may only set one up


def is_idle(session: AccountSession, now_ms: int, idle_ms: int, sat: Iterable[Span] = ()) -> bool:
    """`idle_ms` 0: never. `sat`: when somebody sat in a room by it, in order; too late is no use."""
    last = session.created_ms if session.active_ms is None else session.active_ms
    for begin, end in sat:
        if begin - last < idle_ms:
            last = max(last, end)
    return idle_ms > 0 and now_ms - last >= idle_ms


def standing(
    session: AccountSession, roles: Iterable[str], now_ms: int, idle_ms: int, second_step_roles: Iterable[str]
) -> Standing:
    if is_idle(session, now_ms, idle_ms):
        return Standing.LOCKED
    if not session.second_step and not set(roles).isdisjoint(second_step_roles):
        return Standing.UNPROVEN
    return Standing.FULL


def is_proven(session: AccountSession, now_ms: int) -> bool:
    proved = session.created_ms if session.proved_ms is None else session.proved_ms
    return now_ms - proved < PROOF_LIFE_MS
