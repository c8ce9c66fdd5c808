"""`hyeopjin user add`: make an account. The password is asked for, or read from standard input."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from server.config import ConfigError, Settings, load_settings
from server.domain.people import Account, Site, normalised_email
from server.domain.permissions import Role
from server.services.context import unix_ms
from server.services.passwords import Passwords
from server.storage import accounts, audit
from server.storage.database import Database
from server.storage.ids import new_id
from server.storage.migrate import migrate

MIN_PASSWORD = 12
PEOPLE = tuple(role for role in Role if role not in (Role.ANYONE, Role.SIGNED_IN))


def register(app: typer.Typer) -> None:
    users = typer.Typer(help="Accounts.", no_args_is_help=True)
    users.command("add")(add)
    users.callback()(group)
    app.add_typer(users, name="user")


def group() -> None:
    """Accounts."""


def add(
    email: str,
    name: Annotated[str, typer.Option()],
    role: Annotated[list[str], typer.Option(help=", ".join(PEOPLE))],
    site: Annotated[str, typer.Option(help="site name; made when new")],
    time_zone: Annotated[str, typer.Option(help="IANA zone of a new site")] = "",
    country: Annotated[str, typer.Option(help="ISO 3166-1 code of a new site")] = "",
    language: Annotated[str, typer.Option()] = "en",
    verified: Annotated[bool, typer.Option(help="the licence was checked")] = False,
    config: Annotated[Path | None, typer.Option(help="TOML file")] = None,
    data: Annotated[Path | None, typer.Option(help="data directory")] = None,
) -> None:
    """Make an account; prints its id."""
    try:
        settings = load_settings(config, data_dir=data)
        if (settings.data_dir / "DEMO").exists():
            raise ConfigError("A demo's directory takes no real people.")
        unknown = sorted(set(role) - {str(known) for known in PEOPLE})
        if unknown:
            raise ConfigError(f"Unknown role: {', '.join(unknown)}.")
        password = _password()
        asked = Account(
            new_id(), normalised_email(email), name, language, "", tuple(role), verified, False, time_zone
        )
        typer.echo(asyncio.run(_add(settings, asked, site, country, password)))
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def _password() -> str:
    if sys.stdin.isatty():
        password = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    else:
        password = sys.stdin.readline().rstrip("\n")
    if len(password) < MIN_PASSWORD:
        raise ConfigError(f"A password needs at least {MIN_PASSWORD} characters.")
    return password


async def _add(settings: Settings, asked: Account, site: str, country: str, password: str) -> str:
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database, passwords = Database(settings.database), Passwords()
    try:
        await migrate(database)
        stored = await passwords.hash(password)
        async with database.write() as tx:
            known = {row.name: row for row in (await accounts.all_sites(tx)).values()}
            place = known.get(site)
            if place is None:
                if not asked.time_zone or len(country) != 2:
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
