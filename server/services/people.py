"""The people with accounts: added with an invitation, their roles and licences kept, each change audited."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from server.domain.errors import FormRefused, Refused
from server.domain.people import Account
from server.domain.permissions import Action, allowed
from server.domain.staff import (
    LICENSED,
    Form,
    Licence,
    checked_licence,
    checked_number,
    checked_person,
    end_of_day_ms,
    grantable,
    licence_state,
    require_within,
)
from server.i18n import LANGUAGES
from server.services.access import to_person
from server.services.booking import Order
from server.services.context import Context
from server.services.invitations import invite
from server.services.second_steps import ways
from server.services.staffing import noted, required
from server.storage import accounts, calendars, provider_subjects, staff, telephones
from server.storage.database import Transaction
from server.storage.ids import new_id

MANAGING: Final = (
    Action.PERSON_WRITE,
    Action.LICENCE_WRITE,
    Action.LICENCE_VERIFY,
    Action.PERSON_LEAVE,
    Action.SECOND_STEP_RESET,
)


class People:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def listed(self, account: Account) -> dict[str, Any]:
        """Those that this account may look at; also who has left."""
        now_ms = self._context.now_ms()
        async with self._context.database.read() as tx:
            found = await staff.everybody(tx)
            sites = await accounts.all_sites(tx)
            licences = await staff.licences_of(tx, {one.id for one in found})
        return {
            "people": [
                {**_short(one, licences.get(one.id), now_ms), "site": sites[one.site_id].name}
                for one in sorted(found, key=lambda each: (sites[each.site_id].name, each.name, each.id))
                if allowed(Action.PERSON_READ, account.roles, to_person(account, one))
            ]
        }

    async def look(self, account: Account, person_id: str) -> dict[str, Any]:
        """Raises Refused `not_found`."""
        async with self._context.database.read() as tx:
            return await self._told(tx, account, person_id)

    async def add(self, site_id: str, asked: Account, telephone: str, order: Order) -> dict[str, Any]:
        """An account without a password, and the invitation to set one.

        Raises FormRefused, Refused `not_found` (the site), `role_above`.
        """
        now_ms = self._context.now_ms()
        made = checked_person(replace(asked, id=new_id(), site_id=site_id), LANGUAGES)
        number = _number(telephone)
        require_within(order.account, made.roles)
        async with self._context.database.write() as tx:
            if site_id not in await accounts.all_sites(tx):
                raise Refused("not_found")
            if await accounts.by_email(tx, made.email) is not None:
                raise FormRefused({"email": "taken"})
            await accounts.add_account(tx, made, accounts.NO_PASSWORD)
            await telephones.put(tx, made.id, number)
            await noted(tx, now_ms, "account_added", made.id, order, {"roles": " ".join(made.roles)})
            return {**await self._told(tx, order.account, made.id), **await self._invited(tx, made.id, order)}

    async def save(self, person_id: str, asked: Account, telephone: str, order: Order) -> dict[str, Any]:
        """Name, language, roles and number anew; the address stays. Their own roles nobody changes.

        Raises FormRefused, Refused `not_found`, `own_account`, `role_above`.
        """
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            before = await required(tx, person_id, order.account, own=True)
            after = checked_person(
                replace(before, name=asked.name, language=asked.language, roles=asked.roles), LANGUAGES
            )
            number = _number(telephone)
            require_within(order.account, after.roles)
            if before.id == order.account.id and set(before.roles) != set(after.roles):
                raise Refused("own_account")
            await staff.put_account(tx, after)
            await telephones.put(tx, person_id, number)
            detail: dict[str, int | str] = {}
            if set(before.roles) != set(after.roles):
                detail = {"from": " ".join(before.roles), "to": " ".join(after.roles)}
            await noted(tx, now_ms, "account_changed", person_id, order, detail)
            return await self._told(tx, order.account, person_id)

    async def correct_address(self, person_id: str, email: str, order: Order) -> dict[str, Any]:
        """Of somebody who has not begun: the invitation goes to the right one, the link sent before is void.

        Later it is nobody's to change: whoever can read mails there sets the password.
        Raises FormRefused, Refused `not_found`, `own_account`, `role_above`, `address_begun`.
        """
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            before = await required(tx, person_id, order.account)
            made = checked_person(replace(before, email=email), LANGUAGES)
            begun = await accounts.has_password(tx, person_id) or await ways(tx, person_id)
            if begun or await provider_subjects.is_known(tx, person_id):
                raise Refused("address_begun")
            other = await accounts.by_email(tx, made.email)
            if other is not None and other[0].id != person_id:
                raise FormRefused({"email": "taken"})
            await staff.set_email(tx, person_id, made.email)
            await noted(tx, now_ms, "account_changed", person_id, order, {"address": "corrected"})
            return {
                **await self._told(tx, order.account, person_id),
                **await self._invited(tx, person_id, order),
            }

    async def enter_licence(self, licence: Licence, order: Order) -> dict[str, Any]:
        """As told; it counts once somebody has seen it. The same again leaves it seen.

        Raises FormRefused, Refused `not_found`, `role_above`.
        """
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            account = await self._licensed(tx, licence.account_id, order)
            made = checked_licence(replace(licence, entered_by=order.account.id), account.time_zone, now_ms)
            before = (await staff.licences_of(tx, {account.id})).get(account.id)
            if before is None or _content(before) != _content(made):
                await staff.put_licence(tx, made)
                await staff.set_verified(tx, account.id, False, None)
                await noted(tx, now_ms, "licence_entered", account.id, order)
            return await self._told(tx, order.account, account.id)

    async def verify_licence(self, person_id: str, number: str, seen: bool, order: Order) -> dict[str, Any]:
        """Says that this number was seen (or that it counts no more): one's own nobody verifies.

        Raises Refused `not_found`, `own_account`, `licence_changed`, `licence_expired`.
        """
        now_ms = self._context.now_ms()
        async with self._context.database.write() as tx:
            account = await required(tx, person_id, order.account)
            licence = (await staff.licences_of(tx, {person_id})).get(person_id)
            if licence is None or licence.number != number:
                raise Refused("licence_changed")
            until = end_of_day_ms(licence.expires, account.time_zone) if licence.expires else None
            if seen and until is not None and until <= now_ms:
                raise Refused("licence_expired")
            by = (order.account.id, now_ms) if seen else (None, None)
            await staff.put_licence(tx, replace(licence, verified_by=by[0], verified_ms=by[1]))
            await staff.set_verified(tx, person_id, seen, until if seen else None)
            action = "licence_verified" if seen else "licence_unverified"
            await noted(tx, now_ms, action, person_id, order)
            return await self._told(tx, order.account, person_id)

    async def invite(self, person_id: str, order: Order) -> dict[str, bool]:
        """The invitation once more; the one before is void.

        Raises Refused `not_found`, `own_account`, `role_above`, `invited_already`.
        """
        async with self._context.database.write() as tx:
            await required(tx, person_id, order.account)
            return await self._invited(tx, person_id, order)

    async def _invited(self, tx: Transaction, person_id: str, order: Order) -> dict[str, bool]:
        """Whether a mail is on its way: a server without a mail server leaves it in the outbox."""
        await invite(tx, person_id, order.account.id, order.address, self._context.now_ms())
        return {"invited": bool(self._context.settings.mail.host)}

    async def _licensed(self, tx: Transaction, person_id: str, order: Order) -> Account:
        """Whose licence the actor may enter: their own, or that of somebody whom they keep."""
        if person_id != order.account.id:
            return await required(tx, person_id, order.account)
        return order.account

    async def _told(self, tx: Transaction, account: Account, person_id: str) -> dict[str, Any]:
        one = await accounts.by_id(tx, person_id)
        if one is None:
            raise Refused("not_found")
        site = (await accounts.all_sites(tx))[one.site_id]
        licence = (await staff.licences_of(tx, {person_id})).get(person_id)
        by = {id_ for id_ in (licence and licence.entered_by, licence and licence.verified_by) if id_}
        names = await accounts.names(tx, by)
        interprets = (await calendars.all_interpreters(tx)).get(person_id)
        held = to_person(account, one)
        within = {*one.roles} <= grantable(account.roles)
        may = [action for action in MANAGING if within and allowed(action, account.roles, held)]
        return {
            **_short(one, licence, self._context.now_ms()),
            "language": one.language,
            "time_zone": site.time_zone,
            "site": site.name,
            "telephone": (await telephones.of(tx, {person_id})).get(person_id, ""),
            "has_password": await accounts.has_password(tx, person_id),
            "licence": None if licence is None else _licence(licence, names),
            "verified_until_ms": one.verified_until_ms,
            "pairs": [] if interprets is None else sorted(list(pair) for pair in interprets.pairs),
            "fields": [] if interprets is None else sorted(interprets.fields),
            "left_ms": one.left_ms,
            "second_step": await ways(tx, person_id) if Action.SECOND_STEP_RESET in may else None,
            "may": may + ([Action.LICENCE_WRITE] if one.id == account.id and not within else []),
            "grantable": sorted(grantable(account.roles)),
        }


def _short(one: Account, licence: Licence | None, now_ms: int) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "email": one.email,
        "site_id": one.site_id,
        "roles": list(one.roles),
        "licence_state": licence_state(one, licence, now_ms),
        "licence_needed": any(role in LICENSED for role in one.roles),
        "left": one.disabled,
    }


def _licence(licence: Licence, names: dict[str, str]) -> dict[str, Any]:
    return {
        "number": licence.number,
        "country": licence.country,
        "institution": licence.institution,
        "expires": licence.expires,
        "entered_by": names.get(licence.entered_by),
        "entered_ms": licence.entered_ms,
        "verified_by": names.get(licence.verified_by or ""),
        "verified_ms": licence.verified_ms,
    }


def _content(licence: Licence) -> tuple[str | None, ...]:
    return licence.number, licence.country, licence.institution, licence.expires


def _number(telephone: str) -> str:
    form = Form()
    kept = checked_number(form, "telephone", telephone)
    form.done()
    return kept
