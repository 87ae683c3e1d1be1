"""From an original to what the detector and the pages need of it, with no database."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurestore.errors import ImageNotStored, StoreError
from gallery import components
from gallery.decoding import PhotoFacts, detector_input, read_photo, shrunken_jpeg
from gallery.errors import PhotoRefused, is_disk_full
from gallery.models import Image
from gallery.thumbnails import Size

DISK_FULL = "The disk is full."


@dataclass(frozen=True)
class Prepared:
    """A photo that was read and decoded once."""

    original: bytes
    facts: PhotoFacts
    pixels: NDArray[np.uint8]
    """(300, 300, 3) for the detector."""
    thumbnail: bytes


@dataclass(frozen=True)
class NotPrepared:
    """Why a photo could not be read or decoded."""

    reason: str
    disk_full: bool = False


def prepare(original: bytes) -> Prepared:
    """A photo's bytes, decoded. Raises PhotoRefused."""
    facts, pixels = read_photo(io.BytesIO(original), Size.GRID)
    return Prepared(original, facts, detector_input(pixels), shrunken_jpeg(pixels, Size.GRID))


def prepare_image(image: Image) -> Prepared | NotPrepared:
    """The photo of a row, from spool or store, or the reason why there is none.

    It runs in a thread, which has no business with the database.
    """
    try:
        # Read once, because a deletion may take the file away at any time.
        prepared = prepare(_read(image))
    except (FileNotFoundError, ImageNotStored):
        return NotPrepared("The original is missing from the spool.")
    except (PhotoRefused, StoreError) as error:
        return NotPrepared(str(error))
    except OSError as error:
        if is_disk_full(error):
            return NotPrepared(DISK_FULL, disk_full=True)
        return NotPrepared(f"The original cannot be read: {error.strerror or error}.")
    if hashlib.sha256(prepared.original).hexdigest() != image.sha256:
        return NotPrepared("The original has changed on disk since it was uploaded.")
    return prepared


def _read(image: Image) -> bytes:
    if image.spool_name:
        try:
            return components.spool().path(image.spool_name).read_bytes()
        except FileNotFoundError:
            # A worker has moved it into the store since the row was read.
            pass
    return components.store().read_image(image.pk)
