"""`hyeopjin recordings withdraw`: consent to one seat of a recording withdrawn, by an account that may.

It asks in the books, which blocks access at once; then it destroys, or waits for the server that runs on the
directory to have done so, and prints the receipt's number. Under a hold it says that it waits for that.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Annotated, Any

import typer

from server.commands.directory import (
    ConfigOption,
    DataOption,
    JsonOption,
    alone,
    books,
    data_settings,
    destroying,
)
from server.config import Settings
from server.domain.errors import Refused
from server.domain.people import normalised_email
from server.domain.permissions import Action
from server.domain.retention import WITHDRAWAL_REASONS
from server.services.access import Subject
from server.services.bundle import Services
from server.storage import accounts, destructions, holds
from server.storage.destructions import DONE, Destruction

WAIT_S = 60.0
POLL_S = 0.3
SENTENCES = {
    "not_found": "There is no such recording, or the seat is not one of it.",
    "forbidden": "This account may not withdraw consent for this seat.",
    "withdrawn_already": "This was asked for already; `hyeopjin receipts list` says whether it is done.",
    "destroyed": "The whole recording is destroyed or about to be.",
    "bad_request": "The reason is not one of those that --help names.",
}


def withdraw(
    recording: str,
    seat: str,
    by: Annotated[str, typer.Option(help="e-mail of the account that asks, its own seat or on behalf")],
    reason: Annotated[str, typer.Option(help=", ".join(WITHDRAWAL_REASONS))] = WITHDRAWAL_REASONS[0],
    data: DataOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Destroy what a seat said and showed in a recording, for good; everybody else stays playable."""
    try:
        told = asyncio.run(_withdraw(data_settings(config, data), recording, seat, reason, by))
    except Refused as refused:
        typer.echo(SENTENCES.get(refused.code, refused.code), err=True)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(json.dumps(told))
    elif told["state"] == DONE:
        typer.echo(f"destroyed; receipt {told['receipt']}")
    elif told["held"]:
        typer.echo("no longer playable; destroyed when the legal hold on its case is lifted")
    else:
        typer.echo("no longer playable; not destroyed yet: the server does it as soon as it can")


async def _withdraw(settings: Settings, recording: str, seat: str, reason: str, by: str) -> dict[str, Any]:
    async with books(settings) as services:
        database = services.context.database
        async with database.read() as tx:
            found = await accounts.by_email(tx, normalised_email(by))
        if found is None or found[0].disabled:
            raise Refused("forbidden")
        await services.access.require(found[0], Action.SEAT_WITHDRAW, Subject.SEAT, seat)
        await services.withdrawals.withdraw(recording, seat, reason, found[0].id, "", account=found[0].id)
        row = await _carried_out(settings, services, recording, seat)
        async with database.read() as tx:
            held = await holds.case_is_held(tx, row.case_id)
    return {"state": row.state, "receipt": row.receipt_number, "held": held}


async def _carried_out(settings: Settings, services: Services, recording: str, seat: str) -> Destruction:
    with alone(settings) as nobody:
        if nobody:
            await (await destroying(settings, services)).destroyer.run_waiting()
    until = time.monotonic() + WAIT_S
    while True:
        async with services.context.database.read() as tx:
            row = await destructions.get(tx, recording, seat)
            held = row is not None and await holds.case_is_held(tx, row.case_id)
        if row is None:
            raise Refused("not_found")
        if row.state == DONE or held or nobody or time.monotonic() > until:
            return row
        await asyncio.sleep(POLL_S)
