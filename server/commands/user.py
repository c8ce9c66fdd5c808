"""`hyeopjin user add | invite | password | reset-second-step | disable | enable`: accounts.

A password is asked for, or read. They may run beside the server: it asks the
books about every session, so a change acts within 5 s.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import available_timezones

import typer

from server.commands.directory import ConfigOption, DataOption, books, data_settings, settings_of
from server.config import ConfigError, Settings
from server.domain.consent import clean_name
from server.domain.errors import Refused
from server.domain.password import LONGEST, SHORTEST, weakness
from server.domain.people import Account, Site, normalised_email
from server.domain.permissions import Role
from server.domain.second_step import CHECKED, WHY
from server.domain.staff import EMAIL, EVERY_ROLE, MAX_EMAIL
from server.i18n import LANGUAGES
from server.services.context import unix_ms
from server.services.ending import end_sessions, replace_password
from server.services.leaving import cut_off
from server.services.passwords import Passwords
from server.services.second_step_resets import entry_of, take_away
from server.storage import accounts, audit
from server.storage.database import Database
from server.storage.ids import new_id
from server.storage.migrate import migrate

COUNTRY = re.compile(r"[A-Za-z]{2}")
PEOPLE = tuple(role for role in Role if role in EVERY_ROLE)


def register(app: typer.Typer) -> None:
    users = typer.Typer(help="Accounts.", no_args_is_help=True)
    users.command("add")(add)
    users.command("invite")(invite)
    users.command("password")(password)
    users.command("reset-second-step")(reset_second_step)
    users.command("disable")(disable)
    users.command("enable")(enable)
    users.callback()(group)
    app.add_typer(users, name="user")


def group() -> None:
    """Accounts."""


def add(
    email: str,
    name: Annotated[str, typer.Option()],
    role: Annotated[list[str], typer.Option(help=f"one or several of {', '.join(PEOPLE)}")],
    site: Annotated[str, typer.Option(help="site name; made when new")],
    time_zone: Annotated[str, typer.Option(help="IANA zone of a new site")] = "",
    country: Annotated[str, typer.Option(help="ISO 3166-1 code of a new site")] = "",
    language: Annotated[str, typer.Option(help=", ".join(LANGUAGES))] = "en",
    verified: Annotated[bool, typer.Option(help="the licence was checked")] = False,
    invited: Annotated[
        bool, typer.Option("--invite", help="mail a link instead of asking for a password")
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Make an account; prints its id."""
    settings = settings_of(config, data)
    try:
        if (settings.data_dir / "DEMO").exists():
            raise ConfigError("A demo's directory takes no real people.")
        asked = Account(
            new_id(),
            normalised_email(email),
            clean_name(name),
            language,
            "",
            tuple(dict.fromkeys(role)),
            verified,
            False,
            time_zone,
        )
        wrong = _wrong(asked, clean_name(site), country)
        if wrong:
            raise ConfigError(" ".join(wrong))
        first = "" if invited else _password()
        typer.echo(asyncio.run(_add(settings, asked, clean_name(site), country, first)))
        if invited:
            asyncio.run(_invite(settings, email))
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def invite(email: str, config: ConfigOption = None, data: DataOption = None) -> None:
    """Mail somebody without a password a link that sets one; the server sends it."""
    _run(lambda settings: _invite(settings, email), config, data)


def password(email: str, config: ConfigOption = None, data: DataOption = None) -> None:
    """Set a new password; every signed-in browser of this account is signed out."""
    _run(lambda settings: _change(settings, email, "account_password_set", _password()), config, data)


def reset_second_step(
    email: str,
    why: Annotated[str, typer.Option(help=", ".join(WHY))],
    checked: Annotated[str, typer.Option(help=f"that it is they who ask: {', '.join(CHECKED)}")],
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Take a lost authenticator app, passkeys and recovery codes away; every browser is signed out."""
    _run(lambda settings: _reset(settings, email, why, checked), config, data)


def disable(email: str, config: ConfigOption = None, data: DataOption = None) -> None:
    """Let nobody in with this account any more; who is in with it is out within 5 s."""
    _run(lambda settings: _change(settings, email, "account_disabled"), config, data)


def enable(email: str, config: ConfigOption = None, data: DataOption = None) -> None:
    """Let a disabled account in again."""
    _run(lambda settings: _change(settings, email, "account_enabled"), config, data)


def _run(
    work: Callable[[Settings], Coroutine[Any, Any, None]], config: Path | None, data: Path | None
) -> None:
    settings = data_settings(config, data)
    try:
        asyncio.run(work(settings))
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def _wrong(asked: Account, site: str, country: str) -> list[str]:
    """A sentence for each thing that could not be used later."""
    wrong = []
    if not EMAIL.fullmatch(asked.email) or len(asked.email) > MAX_EMAIL:
        wrong.append("The e-mail address is none.")
    if not asked.name or not site:
        wrong.append("Neither --name nor --site may be empty.")
    unknown = sorted(set(asked.roles) - {str(known) for known in PEOPLE})
    if unknown:
        wrong.append(f"Unknown role: {', '.join(unknown)}.")
    if asked.language not in LANGUAGES:
        wrong.append(f"--language is one of {', '.join(LANGUAGES)}.")
    if asked.time_zone and asked.time_zone not in available_timezones():
        wrong.append("--time-zone is no IANA zone; an example is Asia/Almaty.")
    if country and not COUNTRY.fullmatch(country):
        wrong.append("--country is a code of two letters, like KZ.")
    return wrong


def _password() -> str:
    try:
        if sys.stdin.isatty():
            password = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
        else:
            password = sys.stdin.readline().rstrip("\r\n")
        password.encode()
    except UnicodeError:
        raise ConfigError("The password is not UTF-8.") from None
    if not SHORTEST <= len(password) <= LONGEST:
        raise ConfigError(f"A password has {SHORTEST} to {LONGEST} characters.")
    if weakness(password):
        raise ConfigError("This password is one of the first that somebody would try.")
    return password


async def _change(settings: Settings, email: str, action: str, new_password: str = "") -> None:
    database, passwords = Database(settings.database), Passwords()
    try:
        stored = await passwords.hash(new_password) if new_password else ""
        async with database.write() as tx:
            found = await accounts.by_email(tx, normalised_email(email))
            if found is None:
                raise ConfigError("There is no account with this address.")
            account_id, now_ms = found[0].id, unix_ms()
            if stored:
                await replace_password(tx, account_id, stored, now_ms)
            else:
                disabled = action == "account_disabled"
                await accounts.set_disabled(tx, account_id, disabled)
                if disabled:
                    await cut_off(tx, account_id, now_ms)
                else:
                    await end_sessions(tx, account_id, now_ms)
            await audit.append(tx, now_ms, audit.Entry(action, "account", account_id, ""))
    finally:
        passwords.close()
        await database.close()


async def _reset(settings: Settings, email: str, why: str, checked: str) -> None:
    reason = next((each for each in WHY if each == why), None)
    proof = next((each for each in CHECKED if each == checked), None)
    if reason is None or proof is None:
        raise ConfigError(f"--why is one of {', '.join(WHY)}; --checked one of {', '.join(CHECKED)}.")
    database = Database(settings.database)
    try:
        async with database.write() as tx:
            found = await accounts.by_email(tx, normalised_email(email))
            if found is None:
                raise ConfigError("There is no account with this address.")
            await take_away(tx, entry_of(found[0].id, reason, proof, "", None), unix_ms())
    except Refused:
        raise ConfigError("This account has no second step.") from None
    finally:
        await database.close()


async def _invite(settings: Settings, email: str) -> None:
    if not settings.mail.host:
        raise ConfigError("Nothing can be mailed: [mail] has no host.")
    async with books(settings) as services:
        async with services.context.database.read() as tx:
            found = await accounts.by_email(tx, normalised_email(email))
        try:
            await services.invitations.invite(found[0].id if found else "", by="")
        except Refused as refused:
            words = {"invited_already": "This account has a password already."}
            raise ConfigError(words.get(refused.code, "There is no such account that may sign in.")) from None


async def _add(settings: Settings, asked: Account, site: str, country: str, password: str) -> str:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database, passwords = Database(settings.database), Passwords()
    try:
        await migrate(database)
        stored = await passwords.hash(password) if password else accounts.NO_PASSWORD
        async with database.write() as tx:
            known = {row.name: row for row in (await accounts.all_sites(tx)).values()}
            place = known.get(site)
            if place is None:
                if not asked.time_zone or not country:
                    raise ConfigError("A new site needs --time-zone and --country.")
                place = Site(new_id(), site, asked.time_zone, country.upper())
                await accounts.add_site(tx, place)
            if await accounts.by_email(tx, asked.email) is not None:
                raise ConfigError("There is an account with this address already.")
            account = Account(
                asked.id,
                asked.email,
                asked.name,
                asked.language,
                place.id,
                asked.roles,
                asked.verified,
                False,
                place.time_zone,
            )
            await accounts.add_account(tx, account, stored)
            await audit.append(tx, unix_ms(), audit.Entry("account_added", "account", account.id, ""))
        return account.id
    finally:
        passwords.close()
        await database.close()
