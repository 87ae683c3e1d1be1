"""`manage.py compact`: what the worker does by itself, now and for everything."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError

from gallery.catalogue import prepare_catalogue
from gallery.tending import tend_store


class Command(BaseCommand):
    help = "Merge small segments, take deleted photos off the disk, renew index and gallery.h5."

    def handle(self, *args: Any, **options: Any) -> None:
        prepare_catalogue()
        try:
            done = tend_store(everything=True)
        except OSError as error:
            raise CommandError(f"Nothing was changed: {error}") from error
        if done is None:
            raise CommandError("A worker or a backup is at it just now; try again later.")
        self.stdout.write(
            f"{done.merged} segments replaced by {done.written}, "
            f"{done.bytes_read / 2**20:.1f} MB by {done.bytes_written / 2**20:.1f} MB."
        )
        if done.damaged:
            raise CommandError("Damaged segments were left: run `check_store --repair`.")
