"""Brings a database to the newest schema. Forward only in operation; a backup is the way back."""

from __future__ import annotations

from functools import cache
from importlib import resources

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from server.storage import (  # noqa: F401 - their tables are part of METADATA
    schema_asides,
    schema_audit,
    schema_casework,
    schema_consents,
    schema_documents,
    schema_glossary,
    schema_mails,
    schema_matching,
    schema_people,
    schema_renderings,
    schema_schedule,
    schema_self_tests,
    schema_sign_in,
)
from server.storage.database import Database
from server.storage.schema import METADATA


def alembic_config(connection: Connection | None = None) -> Config:
    """Configuration without an ini file, so that it works from a wheel too."""
    config = Config()
    config.set_main_option("script_location", str(resources.files("server.storage") / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


async def migrate(database: Database) -> str:
    """Runs what is missing in one transaction and returns the revision reached."""
    async with database.write() as tx:
        await tx.run_sync(lambda connection: command.upgrade(alembic_config(connection), "head"))
        return await tx.run_sync(_revision) or ""


async def is_current(database: Database) -> bool:
    """Whether the database has the schema this version needs."""
    async with database.read() as tx:
        return await tx.run_sync(_revision) == _head()


@cache
def _head() -> str | None:
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


async def differences(database: Database) -> list[object]:
    """How the database differs from `schema.py`; empty when the migrations are complete."""
    async with database.read() as tx:
        return await tx.run_sync(
            lambda connection: list(compare_metadata(MigrationContext.configure(connection), METADATA))
        )


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
