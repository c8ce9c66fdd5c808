"""The subcommands of `hyeopjin`; each file registers itself on the typer application."""
