"""`manage.py restore`: a backup into an empty data folder."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from tqdm import tqdm

from featurestore.compaction import compaction_lock
from featurestore.errors import BackupRefused
from gallery.access.people import has_owner
from gallery.backups import PEOPLE, restore
from gallery.catalogue import prepare_catalogue
from gallery.checking import check_gallery
from gallery.errors import GalleryRuns
from gallery.presence import be_alone_in_gallery


class Command(BaseCommand):
    help = "Restore a backup into an empty GALLERY_DATA, verify every checksum, and check it all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("src", type=Path, metavar="SRC")

    def handle(self, *args: Any, src: Path, **options: Any) -> None:
        try:
            with be_alone_in_gallery():
                prepare_catalogue()
                self._restore(src, quiet=options["verbosity"] == 0)
        except GalleryRuns as error:
            raise CommandError(str(error)) from error

    def _restore(self, src: Path, *, quiet: bool) -> None:
        with (
            compaction_lock(settings.STORE_DIR, wait=True),
            tqdm(unit="file", file=sys.stderr, disable=quiet) as progress,
        ):

            def show(done: int, total: int) -> None:
                progress.total = total
                progress.update(done - progress.n)

            try:
                report = restore(src, show)
            except BackupRefused as error:
                raise CommandError(str(error)) from error
            except OSError as error:
                raise CommandError(
                    f"The restoration broke off ({error}); give the command again to go on."
                ) from error
            findings = list(check_gallery())
        self.stdout.write(f"{report.rows} images and {report.people} accounts restored from {src}.")
        for finding in findings:
            self.stdout.write(str(finding))
        if PEOPLE in report.damaged and not has_owner():
            self.stdout.write(
                "The accounts could not be restored. Make an owner with "
                "`python manage.py create_owner NAME`."
            )
        if report.damaged:
            raise CommandError(
                f"Damaged in the backup: {', '.join(report.damaged)}. Everything else is "
                "restored; `python manage.py check_store --repair` salvages what is whole in them."
            )
        if findings:
            raise CommandError(f"{len(findings)} findings; see `python manage.py check_store`.")
        self.stdout.write("Checked: all sound.")
