"""`hyeopjin` and `python -m server`: the command line. Each subcommand registers itself."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import typer

from server.storage.database import UNUSABLE, why_unusable

COMMANDS = (
    "serve",
    "demo",
    "migrate",
    "user",
    "consultation",
    "workers",
    "recordings",
    "retention",
    "receipts",
    "audit",
    "bench",
    "doctor",
    "phone",
    "programme",
    "hours",
)
DATABASE_HELP = "Is the data directory read-only, another account's, or its disk full?"


def build() -> typer.Typer:
    """All subcommands."""
    app = typer.Typer(
        name="hyeopjin",
        help="Video teleconsultation, recorded and reviewable.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,  # its tracebacks would show local variables: names, tokens
    )
    for name in COMMANDS:
        import_module(f"server.commands.{name}").register(app)
    return app


def main() -> None:
    """The entry point. Refuses to start among foreign packages of the same generic names."""
    strangers = _strangers()
    if strangers:
        print(f"Foreign packages stand in the way: {', '.join(strangers)}.", file=sys.stderr)
        raise SystemExit(2)
    try:
        build()()
    except UNUSABLE as error:
        print(f"The database cannot be used: {why_unusable(error)}. {DATABASE_HELP}", file=sys.stderr)
        raise SystemExit(2) from None


def _strangers() -> list[str]:
    import media
    import signaling

    home = Path(__file__).resolve().parents[1]
    return [
        package.__name__
        for package in (media, signaling)
        if not package.__file__ or Path(package.__file__).resolve().parents[1] != home
    ]


if __name__ == "__main__":
    main()
