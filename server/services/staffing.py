"""What all changes of people share: whom one may change, and the audit entry."""

from __future__ import annotations

from server.domain.errors import Refused
from server.domain.people import Account
from server.domain.staff import require_within
from server.services.booking import Order
from server.storage import accounts, audit
from server.storage.database import Transaction


async def required(tx: Transaction, account_id: str, actor: Account, *, own: bool = False) -> Account:
    """Somebody whom this actor may change; oneself only where `own` says so.

    Raises Refused `not_found`, `own_account`, `role_above`.
    """
    account = await accounts.by_id(tx, account_id)
    if account is None:
        raise Refused("not_found")
    if account.id == actor.id and not own:
        raise Refused("own_account")
    require_within(actor, account.roles)
    return account


async def noted(
    tx: Transaction,
    now_ms: int,
    action: str,
    account_id: str,
    order: Order,
    detail: dict[str, int | str] | None = None,
) -> None:
    """Something was done to somebody's account."""
    by = order.account.id
    entry = audit.Entry(action, "account", account_id, order.address, account_id=by, detail=detail or {})
    await audit.append(tx, now_ms, entry)
