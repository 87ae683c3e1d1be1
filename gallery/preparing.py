"""From an original to what the detector and the pages need of it, with no database.

A photo is decoded once. An upload is decoded to find out whether it is a photo at all, and what is
made of its pixels then waits on the disk for the worker, which decodes only where that is lost.
"""

from __future__ import annotations

import hashlib
import io
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from featurestore.errors import ImageNotStored, StoreError
from gallery import components
from gallery.decoding import PhotoFacts, detector_input, read_photo, shrunken_jpeg
from gallery.errors import PhotoRefused
from gallery.models import Image
from gallery.thumbnails import Size


@dataclass(frozen=True)
class SmallVersions:
    """What is made of a photo's pixels, once they are decoded."""

    pixels: NDArray[np.uint8]
    """(300, 300, 3) for the detector."""
    thumbnail: bytes

    @classmethod
    def of(cls, photo: Pillow.Image) -> SmallVersions:
        """Of upright RGB pixels, `Size.GRID` long or longer where the photo is."""
        return cls(detector_input(photo), shrunken_jpeg(photo, Size.GRID))


@dataclass(frozen=True)
class Prepared:
    """A photo that was read, and decoded if that had not been done before."""

    original: bytes
    pixels: NDArray[np.uint8]
    """(300, 300, 3) for the detector."""
    thumbnail: bytes | None
    """None where it is kept already."""


@dataclass(frozen=True)
class NotPrepared:
    """Why a photo could not be read or decoded."""

    reason: str


def read_small_versions(file: BinaryIO) -> tuple[PhotoFacts, SmallVersions]:
    """Facts and small versions of a photo whose pixels can all be decoded. Raises PhotoRefused."""
    facts, photo = read_photo(file, Size.GRID)
    return facts, SmallVersions.of(photo)


def prepare(original: bytes) -> tuple[PhotoFacts, Prepared]:
    """A photo's bytes, decoded. Raises PhotoRefused."""
    facts, small = read_small_versions(io.BytesIO(original))
    return facts, Prepared(original, small.pixels, small.thumbnail)


def keep_small_versions(sha256: str, small: SmallVersions, *, pixels: bool) -> None:
    """Keep the thumbnail, and if so wished the detector's pixels, for when they are needed."""
    # Where there is no room for them they are made later; see `prepare_image`.
    with suppress(OSError):
        components.thumbnails().keep(sha256, Size.GRID, small.thumbnail)
        if pixels:
            components.thumbnails().keep_pixels(sha256, small.pixels)


def prepare_image(image: Image) -> Prepared | NotPrepared:
    """The photo of a row, from spool or store, or the reason why there is none.

    It runs in a thread, which has no business with the database.
    """
    try:
        # Read once, because a deletion may take the file away at any time.
        original = _read(image)
        is_unchanged = hashlib.sha256(original).hexdigest() == image.sha256
        kept = _kept(image, original) if is_unchanged else None
        prepared = kept or prepare(original)[1]
    except (FileNotFoundError, ImageNotStored):
        return NotPrepared("The original is missing from the spool.")
    except (PhotoRefused, StoreError) as error:
        return NotPrepared(str(error))
    except OSError as error:
        return NotPrepared(f"The original cannot be read: {error.strerror or error}.")
    if not is_unchanged:
        return NotPrepared("The original has changed on disk since it was uploaded.")
    return prepared


def _kept(image: Image, original: bytes) -> Prepared | None:
    """What an upload left of its decoding, if it is all there."""
    thumbnails = components.thumbnails()
    pixels = thumbnails.pixels(image.sha256)
    if pixels is None or not thumbnails.path(image.sha256, Size.GRID).exists():
        return None
    return Prepared(original, pixels, None)


def _read(image: Image) -> bytes:
    if image.spool_name:
        try:
            return components.spool().path(image.spool_name).read_bytes()
        except FileNotFoundError:
            # A worker has moved it into the store since the row was read.
            pass
    return components.store().read_image(image.pk)
