"""Whether the parts that the gallery is made of work, each by its name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError

from detector import GRPC_PREFIX, DetectorError
from detector.model_files import read_manifest
from featurestore.errors import StoreError
from gallery import components
from gallery.models import Image

# A server of detection that is well answers within milliseconds.
DETECTOR_SECONDS = 2.0


@dataclass(frozen=True)
class Part:
    """One part of the gallery, and in a sentence what is wrong with it, "" where nothing is."""

    name: str
    problem: str

    @property
    def is_well(self) -> bool:
        return not self.problem


def check_parts() -> list[Part]:
    """Database, store and detector, in this order."""
    return [
        Part("database", _problem(check_database)),
        Part("store", _problem(check_store)),
        Part("detector", _problem(check_detector)),
    ]


def check_database() -> None:
    """Read the catalogue. Raises DatabaseError."""
    Image.objects.exists()


def check_store() -> None:
    """See what there is to search, and whether more can be written. Raises StoreError or OSError.

    Every file of it is verified by `manage.py check_store`, which takes longer.
    """
    folder = settings.STORE_DIR
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} cannot be written to.")
    components.store().image_ids()
    components.index()


def check_detector() -> None:
    """Ask a server whether it has the model; look for the files of a local one.

    Raises DetectorError or ValueError (no such detector).
    """
    if settings.DETECTOR_URL.startswith(GRPC_PREFIX):
        components.detector().check(DETECTOR_SECONDS)
    else:
        # It is not loaded for this: only workers and searches by photo need it in memory.
        read_manifest(components.models_dir())


def _problem(check: Callable[[], None]) -> str:
    try:
        check()
    except (DatabaseError, StoreError, DetectorError, OSError, ValueError) as error:
        # Some drivers tell theirs over several lines.
        return " ".join(str(error).split()) or type(error).__name__
    return ""
