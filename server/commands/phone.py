"""`hyeopjin phone site | account`: where somebody is reached when sound and picture fail (the plan-B card).

A site's number is shown to who sits in a consultation with that site, an account's only while it sits
there as interpreter.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from server.commands.directory import ConfigOption, DataOption, books, data_settings
from server.config import ConfigError, Settings
from server.domain.people import normalised_email
from server.domain.telephone import telephone
from server.services.context import unix_ms
from server.storage import accounts, audit, telephones
from server.storage.database import Transaction

NumberArgument = Annotated[
    str, typer.Argument(help="international form, like +82 2 000 0000; '' takes it away")
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Telephone numbers for when sound and picture fail.", no_args_is_help=True)
    group.command("site")(site)
    group.command("account")(account)
    app.add_typer(group, name="phone")


def site(name: str, number: NumberArgument, config: ConfigOption = None, data: DataOption = None) -> None:
    """The number of a site, by the site's name."""
    _run("site", name, number, config, data)


def account(email: str, number: NumberArgument, config: ConfigOption = None, data: DataOption = None) -> None:
    """The number of an account, by its address."""
    _run("account", email, number, config, data)


def _run(kind: str, whose: str, number: str, config: Path | None, data: Path | None) -> None:
    settings = data_settings(config, data)
    try:
        kept = telephone(number) if number else ""
        asyncio.run(_put(settings, kind, whose, kept))
    except (ConfigError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


async def _put(settings: Settings, kind: str, whose: str, number: str) -> None:
    async with books(settings) as services, services.context.database.write() as tx:
        owner = await (_site(tx, whose) if kind == "site" else _account(tx, whose))
        await telephones.put(tx, owner, number)
        await audit.append(tx, unix_ms(), audit.Entry("telephone_changed", kind, owner, ""))


async def _site(tx: Transaction, name: str) -> str:
    found = next((one.id for one in (await accounts.all_sites(tx)).values() if one.name == name), None)
    if found is None:
        raise ConfigError("There is no site of this name.")
    return found


async def _account(tx: Transaction, email: str) -> str:
    found = await accounts.by_email(tx, normalised_email(email))
    if found is None:
        raise ConfigError("There is no account with this address.")
    return found[0].id
