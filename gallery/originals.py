"""Originals and their small versions, wherever they lie at the moment; deletion of all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from featurestore.errors import ImageDamaged, ImageNotStored
from gallery import components
from gallery.decoding import read_pixels, shrunken_jpeg
from gallery.errors import refusing_full_disk
from gallery.models import Image
from gallery.tasks import schedule_tending
from gallery.thumbnails import Size


def read_original(image: Image) -> bytes:
    """The bytes as uploaded, from the spool or the store.

    Raises featurestore.errors.StoreError where neither has them undamaged.
    """
    if image.spool_name:
        try:
            path = components.spool().path(image.spool_name)
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() != image.sha256:
                raise ImageDamaged(image.pk, path)
            return data
        except FileNotFoundError:
            # A worker has moved it into the store since the row was read.
            pass
    return components.store().read_image(image.pk)


@contextmanager
def original_file(image: Image) -> Iterator[Path]:
    """The original as a file: the spool's own, or a copy out of the store for this while.

    Raises StoreError where it is lost or damaged, OSError (a full disk).
    """
    path = components.spool().path(image.spool_name)
    if image.spool_name and path.exists():
        yield path
        return
    with NamedTemporaryFile(dir=components.spool().folder) as copy:
        copy.write(read_original(image))
        copy.flush()
        yield Path(copy.name)


def thumbnail_path(image: Image, size: Size) -> Path:
    """The file of a thumbnail, which is made now where there is none.

    Raises StoreError or PhotoRefused where the original is lost or damaged, or DiskFull.
    """
    thumbnails = components.thumbnails()
    path = thumbnails.path(image.sha256, size)
    if not path.exists():
        with refusing_full_disk():
            with original_file(image) as original:
                pixels = read_pixels(original, size)
            thumbnails.keep(image.sha256, size, shrunken_jpeg(pixels, size))
        if image.pk in components.store().deleted_ids():
            # It may have come into its place after the deletion had looked there.
            thumbnails.remove(image.sha256)
            raise ImageNotStored(image.pk)
    return path


def delete_images(images: Iterable[Image]) -> None:
    """Delete images everywhere, for ever.

    The store comes first: should this be killed, the next tending ends what it began.

    Raises DiskFull, which changes nothing: even a deletion is written down.
    """
    doomed = list(images)
    if not doomed:
        return
    with refusing_full_disk():
        # First, because it also ends what this leaves undone when it is killed.
        schedule_tending()
        components.store().delete(image.pk for image in doomed)
    for image in doomed:
        components.spool().remove(image.spool_name)
        components.thumbnails().remove(image.sha256)
    # Last, because without its row nobody would know whose files are left to remove.
    Image.objects.filter(pk__in=[image.pk for image in doomed]).delete()
