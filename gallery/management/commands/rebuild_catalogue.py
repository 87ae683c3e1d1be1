"""`manage.py rebuild_catalogue`: the SQL catalogue anew from store and spool."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError, connection
from tqdm import tqdm

from featurestore.compaction import compaction_lock
from featurestore.store import FeatureStore
from gallery.catalogue import prepare_catalogue
from gallery.checking import check_database
from gallery.errors import GalleryRuns
from gallery.models import Image
from gallery.presence import be_alone_in_gallery
from gallery.rebuilding import rebuild_catalogue, sentence_of_accounts, set_catalogue_aside


class Command(BaseCommand):
    help = "Make the catalogue from the store alone, after the database was lost."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--force", action="store_true", help="Replace the rows of a catalogue that has some."
        )

    def handle(self, *args: Any, force: bool, **options: Any) -> None:
        try:
            with be_alone_in_gallery():
                self._rebuild(force=force, quiet=options["verbosity"] == 0)
        except GalleryRuns as error:
            raise CommandError(str(error)) from error

    def _rebuild(self, *, force: bool, quiet: bool) -> None:
        problem = _problem_of_database()
        if problem:
            if not force or connection.vendor != "sqlite":
                raise CommandError(
                    f"The database cannot be read ({problem}). With SQLite, stop the gallery and "
                    "run this with --force: it keeps the damaged file in quarantine."
                )
            set_catalogue_aside()
        has_rows = Image.objects.exists()
        if has_rows and not force:
            raise CommandError("The catalogue is not empty; --force replaces its rows.")
        with (
            compaction_lock(settings.STORE_DIR, wait=True),
            tqdm(
                total=len(FeatureStore(settings.STORE_DIR).image_ids()),
                unit="photo",
                file=sys.stderr,
                disable=quiet,
            ) as progress,
        ):
            rebuilt = rebuild_catalogue(progress.update)
        self.stdout.write(
            f"{rebuilt.stored} photos from the store and {rebuilt.waiting} that wait for their "
            f"features; {rebuilt.damaged} damaged files in the spool were left out."
        )
        # One that had rows until now has kept its people.
        accounts = "" if has_rows else sentence_of_accounts(rebuilt.people)
        if accounts:
            self.stdout.write(accounts)


def _problem_of_database() -> str:
    """What is damaged in it, "" where it is sound."""
    try:
        prepare_catalogue()
    except DatabaseError as error:
        return str(error)
    finding = next(check_database(), None)
    return finding.problem if finding else ""
