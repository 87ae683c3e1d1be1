"""What a command needs before it can work: the catalogue's tables and the models."""

from __future__ import annotations

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from detector import DetectorError
from detector.model_files import read_manifest


def check_models() -> None:
    """Raises CommandError, with what to do, where the models are not set up."""
    try:
        for what, path in (
            ("word vectors", settings.WORD_VECTORS),
            ("lexicon", settings.LEXICON),
        ):
            if not path.exists():
                raise FileNotFoundError(f"no {what} at {path}: run `make setup`")
        if settings.DETECTOR_URL.startswith("local:"):
            read_manifest(settings.GALLERY_MODELS)
    except (OSError, DetectorError) as error:
        raise CommandError(f"The models are not set up: {error}.") from error


def prepare_catalogue() -> None:
    """Make the embedded SQLite database current; ask for it where a server holds the database.

    Several processes of a PostgreSQL deploy start at once, so there one step of it migrates.
    Raises CommandError.
    """
    try:
        executor = MigrationExecutor(connection)
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return
        if connection.vendor == "sqlite":
            call_command("migrate", verbosity=0, interactive=False)
            return
    except OperationalError as error:
        raise CommandError(f"The catalogue cannot be opened: {error}.") from error
    raise CommandError("The database is not up to date: run `python manage.py migrate`.")
