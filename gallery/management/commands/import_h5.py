"""`manage.py import_h5`: takes over the photos of a file in the original system's layout."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
from django.core.management import BaseCommand, CommandError
from numpy.typing import NDArray
from PIL import Image as Pillow

from featurestore.corrections import Correction
from featurestore.durable import sha256_of
from featurestore.errors import NotOriginalLayout
from featurestore.original_layout import OriginalFile
from gallery import components
from gallery.bulk_import import BulkImport, ImportFacts, run_import
from gallery.photo_objects import bring_corrections


class Command(BaseCommand):
    help = (
        "Import the photos of an HDF5 file in the layout of the original system, as PNG, and wait "
        "until all are ready. Features are computed anew: those in the file are another model's."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--json", action="store_true", help="Print the counts as JSON.")

    def handle(self, *args: Any, file: Path, json: bool, **options: Any) -> None:
        try:
            original = OriginalFile(file)
        except (NotOriginalLayout, OSError) as error:
            raise CommandError(str(error)) from error
        run_import(
            self, lambda: _import(original, quiet=options["verbosity"] == 0), "photo", as_json=json
        )


def _import(original: OriginalFile, *, quiet: bool) -> ImportFacts:
    run = BulkImport(total=len(original.names), quiet=quiet)
    corrections: dict[str, Correction] = {}
    for name in original.names:
        try:
            pixels, correction = original.pixels(name), original.correction(name)
        except NotOriginalLayout as error:
            run.reject(name, str(error))
        else:
            sha256 = _receive(run, name, pixels)
            if correction is not None:
                corrections[sha256] = correction
    run.finish()
    bring_corrections(corrections)
    return run.facts()


def _receive(run: BulkImport, name: str, pixels: NDArray[np.uint8]) -> str:
    """The SHA-256 of the photo."""
    # The name stays as it is, so that an export of the import has the same names again.
    with NamedTemporaryFile(dir=components.spool().folder) as copy:
        Pillow.fromarray(pixels).save(copy, "PNG")
        copy.flush()
        sha256 = sha256_of(Path(copy.name))
        run.receive(Path(copy.name), name=name)
        return sha256
