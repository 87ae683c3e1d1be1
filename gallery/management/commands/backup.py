"""`manage.py backup`: a consistent copy while the gallery runs."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from tqdm import tqdm

from featurestore.errors import BackupRefused
from gallery.backups import back_up
from gallery.catalogue import prepare_catalogue


class Command(BaseCommand):
    help = "Bring the backup in a folder up to date; only what is new is copied."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dest", type=Path, metavar="DEST")

    def handle(self, *args: Any, dest: Path, **options: Any) -> None:
        prepare_catalogue()
        with tqdm(unit="file", file=sys.stderr, disable=options["verbosity"] == 0) as progress:

            def show(done: int, total: int) -> None:
                progress.total = total
                progress.update(done - progress.n)

            try:
                report = back_up(dest, show)
            except BackupRefused as error:
                raise CommandError(str(error)) from error
            except OSError as error:
                raise CommandError(
                    f"The backup could not be written ({error}); the one before it is still whole."
                ) from error
        self.stdout.write(
            f"{report.images} images backed up to {dest}: {report.copied} files copied, "
            f"{report.kept} were there, {report.removed} removed; {report.people} accounts."
        )
        if report.damaged:
            names = ", ".join(str(path) for path in report.damaged)
            raise CommandError(
                f"Damaged, so not in this backup: {names}. Run `python manage.py check_store`; "
                "docs/backup-and-repair.md tells how to bring them back."
            )
