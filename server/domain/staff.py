"""Who is given which roles by whom, and what a form about a site, a person or a licence must say. Pure.

A site admin keeps the people of their own site and gives them that site's roles; roles of the whole
programme, new sites and the word that a licence was seen are a programme admin's. Nobody changes somebody who
has a role that they could not give: an account above one's own is not taken over by way of its form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from server.domain.errors import FormRefused, Refused
from server.domain.matching.deciding import one_line
from server.domain.people import Account, Site, normalised_email
from server.domain.permissions import GUESTS, Role
from server.domain.telephone import telephone

MAX_NAME: Final = 120
MAX_ADDRESS: Final = 400
MAX_EMAIL: Final = 254
MAX_NUMBER: Final = 64
#: No spaces, no control characters, and none that no eye sees or that turns what follows round.
_UNSEEN: Final = (
    r"@\s\x00-\x1f\x7f-\xa0\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
)
EMAIL: Final = re.compile(rf"[^{_UNSEEN}]+@[^{_UNSEEN}]+")
EMERGENCY: Final = re.compile(r"\+?[0-9](?:[ \-()]?[0-9]){1,14}")
SPOKEN: Final = ("ko", "ru", "kk", "uz", "mn", "en", "ar", "zh", "ja", "vi", "ky", "tg")
"""What departments and sites can say that they speak."""
COUNTRY: Final = re.compile(r"[A-Z]{2}")

#: Who treats: nothing of theirs counts before somebody has seen their licence.
LICENSED: Final = frozenset({Role.REFERRING_PHYSICIAN, Role.CONSULTING_PHYSICIAN})
#: Roles that say nothing about other sites' people.
OF_A_SITE: Final = frozenset(
    {
        Role.REFERRING_PHYSICIAN,
        Role.SITE_OPERATOR,
        Role.CONSULTING_PHYSICIAN,
        Role.INTERPRETER,
        Role.REVIEWER,
        Role.SITE_ADMIN,
    }
)
EVERY_ROLE: Final = frozenset(Role) - {Role.ANYONE, Role.SIGNED_IN, *GUESTS}


@dataclass(frozen=True, slots=True)
class Licence:
    """As it was entered; `verified_by` saw it. `expires`: the last day it holds."""

    account_id: str
    number: str = field(repr=False)
    country: str
    institution: str = field(repr=False)
    expires: str | None
    entered_by: str
    entered_ms: int
    verified_by: str | None = None
    verified_ms: int | None = None


def grantable(roles: Collection[str]) -> frozenset[Role]:
    """What somebody with these roles may give and take."""
    if Role.PROGRAMME_ADMIN in roles:
        return EVERY_ROLE
    return OF_A_SITE if Role.SITE_ADMIN in roles else frozenset()


def require_within(actor: Account, roles: Iterable[str]) -> None:
    """Raises Refused `role_above`: somebody has, or is to have, a role that the actor may not give."""
    if not set(roles) <= {str(role) for role in grantable(actor.roles)}:
        raise Refused("role_above")


def licence_state(account: Account, licence: Licence | None, now_ms: int) -> str:
    """`none`, `unverified`, `expired`, `verified`."""
    if account.verified:
        until = account.verified_until_ms
        return "verified" if until is None or now_ms < until else "expired"
    return "none" if licence is None else "unverified"


def end_of_day_ms(day: str, zone: str) -> int:
    """When this day is over on the clock there."""
    last = datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), ZoneInfo(zone))
    return round(last.timestamp() * 1000)


@cache
def zones() -> frozenset[str]:
    """IANA names of places; not `localtime`, nor what is no place."""
    return frozenset(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))


class Form:
    """Takes a form's fields one by one and keeps what is wrong with each."""

    def __init__(self) -> None:
        self.wrong: dict[str, str] = {}

    def text(self, name: str, value: str, most: int = MAX_NAME, *, needed: bool = True) -> str:
        """One line without control and direction characters."""
        kept = one_line(unicodedata.normalize("NFC", value))
        if needed and not kept:
            self.wrong[name] = "empty"
        elif len(kept) > most:
            self.wrong[name] = "long"
        return kept

    def check(self, name: str, what: str, good: bool) -> None:
        """The first thing wrong with a field is the one that is told."""
        if not good:
            self.wrong.setdefault(name, what)

    def done(self) -> None:
        """Raises FormRefused."""
        if self.wrong:
            raise FormRefused(self.wrong)


def checked_site(site: Site, number: str, others: Iterable[Site]) -> tuple[Site, str]:
    """The site and its telephone number as they are kept. Raises FormRefused."""
    form = Form()
    name = form.text("name", site.name)
    form.check("name", "taken", all(one.name != name for one in others if one.id != site.id))
    form.check("time_zone", "zone", site.time_zone in zones())
    form.check("country", "country", COUNTRY.fullmatch(site.country) is not None)
    form.check("languages", "language", set(site.languages) <= set(SPOKEN))
    emergency = form.text("emergency", site.emergency, needed=False)
    form.check("emergency", "emergency", not emergency or EMERGENCY.fullmatch(emergency) is not None)
    address = form.text("address", site.address, MAX_ADDRESS, needed=False)
    kept = checked_number(form, "telephone", number)
    form.done()
    languages = tuple(dict.fromkeys(site.languages))
    return Site(site.id, name, site.time_zone, site.country, address, languages, emergency), kept


def checked_number(form: Form, name: str, number: str) -> str:
    """A telephone number, or none."""
    try:
        return telephone(number) if number.strip() else ""
    except ValueError:
        form.check(name, "telephone", False)
        return ""


def checked_person(account: Account, known: Collection[str]) -> Account:
    """An account's form; `known`: languages of the pages. Raises FormRefused."""
    form = Form()
    name = form.text("name", account.name, 80)
    email = normalised_email(account.email)
    form.check("email", "empty", bool(email))
    form.check("email", "email", EMAIL.fullmatch(email) is not None and len(email) <= MAX_EMAIL)
    form.check("language", "language", account.language in known)
    roles = tuple(dict.fromkeys(account.roles))
    form.check("roles", "roles", bool(roles) and set(roles) <= {str(role) for role in EVERY_ROLE})
    form.done()
    return Account(
        account.id,
        email,
        name,
        account.language,
        account.site_id,
        roles,
        account.verified,
        account.disabled,
        account.time_zone,
        account.verified_until_ms,
        account.left_ms,
    )


def checked_licence(licence: Licence, zone: str, now_ms: int) -> Licence:
    """Raises FormRefused."""
    form = Form()
    number = form.text("number", licence.number, MAX_NUMBER)
    institution = form.text("institution", licence.institution)
    form.check("country", "country", COUNTRY.fullmatch(licence.country) is not None)
    expires = licence.expires or None
    if expires is not None:
        try:
            expires = date.fromisoformat(expires).isoformat()
            form.check("expires", "past", now_ms < end_of_day_ms(expires, zone))
        except (ValueError, OverflowError):
            form.check("expires", "date", False)
    form.done()
    return Licence(
        licence.account_id, number, licence.country, institution, expires, licence.entered_by, now_ms
    )
