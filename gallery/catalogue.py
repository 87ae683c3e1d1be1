"""The catalogue's tables, brought up to date before a command uses them."""

from __future__ import annotations

from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


def prepare_catalogue() -> None:
    """Make the embedded SQLite database current; ask for it where a server holds the database.

    Several processes of a PostgreSQL deploy start at once, so there one step of it migrates.
    Raises CommandError.
    """
    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return
    if connection.vendor != "sqlite":
        raise CommandError("The database is not up to date: run `python manage.py migrate`.")
    call_command("migrate", verbosity=0, interactive=False)
