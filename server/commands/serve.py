"""`hyeopjin serve`: the server on real data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.app import Running
from server.commands.process import claim_directory, machinery_of, run_until_stopped
from server.config import ConfigError, load_settings
from server.log import configure_logging


def register(app: typer.Typer) -> None:
    app.command("serve")(serve)


def serve(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="TOML file")] = None,
    data: Annotated[Path | None, typer.Option(help="data directory")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port")] = None,
) -> None:
    """Serve until SIGINT or SIGTERM."""
    try:
        settings = load_settings(config, data_dir=data, port=port)
        configure_logging(settings.log_level, settings.log_format)
        claim_directory(settings.data_dir, "SERVE", settings.redis_url)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None

    async def ready(server: Running) -> None:
        typer.echo(f"{settings.public_url} (port {server.port})")

    run_until_stopped(settings, ready, machinery_of(context))
