"""`manage.py ingest`: imports files and folders and waits until they can be searched."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from gallery.bulk_import import BulkImport, ImportFacts, run_import


class Command(BaseCommand):
    help = "Import photos and folders of photos, and wait until all are ready."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--json", action="store_true", help="Print the counts as JSON.")

    def handle(self, *args: Any, paths: list[Path], json: bool, **options: Any) -> None:
        missing = [str(path) for path in paths if not path.exists()]
        if missing:
            raise CommandError(f"There is no {', '.join(missing)}.")
        run_import(
            self, lambda: _ingest(paths, quiet=options["verbosity"] == 0), "file", as_json=json
        )


def _ingest(paths: list[Path], *, quiet: bool) -> ImportFacts:
    run = BulkImport(total=sum(1 for _ in _files(paths)), quiet=quiet)
    for path in _files(paths):
        run.receive(path)
    run.finish()
    return run.facts()


def _files(paths: list[Path]) -> Iterator[Path]:
    """Files in a steady order; hidden files and folders below a named folder are left out."""
    for path in paths:
        if path.is_dir():
            for folder, subfolders, names in os.walk(path):
                subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
                for name in sorted(names):
                    if not name.startswith("."):
                        yield Path(folder, name)
        else:
            yield path
