"""Somebody leaves: cut off at once from everything, what they were booked for stands and is flagged.

Undone, they may sign in again and their coming hours are theirs; links, feeds and browsers are made anew.
"""

from __future__ import annotations

from typing import Any

from server.domain.account_mail import LINK_LIFE_MS
from server.domain.people import Account, is_verified
from server.domain.staff import LICENSED
from server.services.booking import Order
from server.services.break_glass import end_open
from server.services.context import Context
from server.services.ending import end_sessions, tell
from server.services.staffing import noted, required
from server.services.two_clocks import clocks
from server.storage import account_mails, accounts, appointments, cases, consultations, feeds, staff
from server.storage.database import Transaction

AHEAD_MS = 400 * 86_400_000
"""As far ahead as anything is booked."""


async def cut_off(
    tx: Transaction, account_id: str, now_ms: int, by: str | None = None, address: str = ""
) -> list[str]:
    """Sessions, seats with their links, feeds, links in mails, an open emergency access.

    `by`: None for the command line. Credentials that fell, for `ending.tell`.
    """
    await end_open(tx, account_id, by, address, now_ms)
    await feeds.revoke(tx, account_id, now_ms)
    await account_mails.void(tx, account_id, LINK_LIFE_MS, now_ms)
    by_seat = await staff.cut_seats(tx, account_id, now_ms)
    return by_seat + await end_sessions(tx, account_id, now_ms)


class Leaving:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def leave(self, account_id: str, order: Order) -> dict[str, int]:
        """`{hours}`: how many hours ahead they are still booked for. A second time is the same.

        Raises Refused `not_found`, `own_account`, `role_above`.
        """
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            account = await required(tx, account_id, order.account)
            fallen = await cut_off(tx, account_id, now_ms, order.account.id, order.address)
            if account.left_ms is None:
                await staff.set_left(tx, account_id, now_ms)
            hours = await appointments.of_account(tx, account_id, now_ms)
            ahead = sum(agreed.state == "booked" for _, agreed, _ in hours)
            await noted(tx, now_ms, "account_left", account_id, order, {"hours": ahead})
        await tell(self._context, fallen)
        return {"hours": ahead}

    async def come_back(self, account_id: str, order: Order) -> None:
        """Raises Refused `not_found`, `own_account`, `role_above`."""
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            await required(tx, account_id, order.account)
            await staff.set_left(tx, account_id, None)
            await noted(tx, now_ms, "account_returned", account_id, order)

    async def hours_at_risk(self) -> dict[str, Any]:
        """`{hours}`: booked ones ahead with somebody who has left, or whose licence will not hold then."""
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:
            ahead = await appointments.beginning_between(tx, now_ms, now_ms + AHEAD_MS)
            seats = await consultations.seats_of(tx, {consultation.id for consultation, _ in ahead})
            people = {
                one.id: one
                for one in await accounts.by_ids(tx, {s.account_id for s in seats if s.account_id})
            }
            by_case = await cases.all_by_id(tx, {consultation.case_id for consultation, _ in ahead})
            sites = await accounts.all_sites(tx)
        rows = []
        for consultation, _ in ahead:
            around = [seat for seat in seats if seat.consultation_id == consultation.id]
            places = [
                sites[id_] for id_ in dict.fromkeys(s.site_id for s in around if s.role != "interpreter")
            ]
            rows += [
                {
                    "consultation": consultation.id,
                    "case_id": consultation.case_id,
                    "case_label": by_case[consultation.case_id].label,
                    "begins": clocks(consultation.starts_at_ms, places),
                    "role": seat.role,
                    "name": seat.name,
                    "why": why,
                }
                for seat in around
                if seat.account_id in people
                and (why := _risk(people[seat.account_id], seat.role, consultation.starts_at_ms))
            ]
        return {"hours": rows}


def _risk(account: Account, role: str, at_ms: int) -> str | None:
    if account.disabled:
        return "left"
    if role in LICENSED and not is_verified(account.verified, account.verified_until_ms, at_ms):
        return "licence"
    return None
