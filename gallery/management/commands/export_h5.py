"""`manage.py export_h5`: writes the gallery into one file in the original system's layout."""

from __future__ import annotations

import io
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management import BaseCommand, CommandError
from numpy.typing import NDArray
from tqdm import tqdm

from featurestore.compaction import compaction_lock
from featurestore.errors import StoreError
from featurestore.original_layout import export_original
from gallery import components
from gallery.catalogue import prepare_catalogue
from gallery.decoding import read_photo
from gallery.errors import PhotoRefused, is_disk_full
from gallery.models import Image


class Command(BaseCommand):
    help = (
        "Write all photos as arrays of pixels, with their features, into one HDF5 file in the "
        "layout of the original system. The file takes many times the room of the photos."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--force", action="store_true", help="Replace a file that is there.")

    def handle(self, *args: Any, file: Path, force: bool, **options: Any) -> None:
        if file.exists() and not force:
            raise CommandError(f"{file} is there already; --force replaces it.")
        prepare_catalogue()
        store = components.store()
        # Segments may not be removed while they are read.
        with (
            compaction_lock(store.folder, wait=True),
            tqdm(
                total=len(store.image_ids()), unit="photo", disable=options["verbosity"] == 0
            ) as progress,
        ):
            try:
                written = export_original(
                    store, components.model_id(), file, _pixels, on_image=progress.update
                )
            except OSError as error:
                reason = "The disk is full." if is_disk_full(error) else error
                raise CommandError(f"Nothing was written: {reason}") from error
            except (StoreError, PhotoRefused) as error:
                raise CommandError(f"Nothing was written: {error}") from error
        self.stdout.write(f"{written} photos written to {file}.")
        waiting = Image.objects.exclude(spool_name="").count()
        if waiting:
            self.stdout.write(f"{waiting} photos that are not ready yet were left out.")
        damaged = store.damaged_segments()
        if damaged:
            self.stdout.write(
                f"What is in {len(damaged)} damaged segments was left out: "
                "run `python manage.py check_store`."
            )


def _pixels(data: bytes) -> NDArray[np.uint8]:
    """(H, W, 3) of an original, upright and in its full size."""
    # No side of a photo is longer than it may have pixels.
    return np.asarray(read_photo(io.BytesIO(data), settings.MAX_PIXELS)[1], np.uint8)
