"""Originals and their small versions, wherever they lie at the moment; deletion of all of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile

from gallery import components
from gallery.decoding import read_pixels, shrunken_jpeg
from gallery.models import Image
from gallery.thumbnails import Size


def read_original(image: Image) -> bytes:
    """The bytes as uploaded, from the spool or the store.

    Raises featurestore.errors.StoreError where neither has them undamaged.
    """
    if image.spool_name:
        try:
            return components.spool().path(image.spool_name).read_bytes()
        except FileNotFoundError:
            # A worker has moved it into the store since the row was read.
            pass
    return components.store().read_image(image.pk)


def thumbnail_path(image: Image, size: Size) -> Path:
    """The file of a thumbnail, which is made now where there is none.

    Raises StoreError or PhotoRefused where the original is lost or damaged.
    """
    thumbnails = components.thumbnails()
    path = thumbnails.path(image.sha256, size)
    if not path.exists():
        with NamedTemporaryFile(dir=components.spool().folder) as copy:
            copy.write(read_original(image))
            copy.flush()
            pixels = read_pixels(Path(copy.name), size)
        thumbnails.keep(image.sha256, size, shrunken_jpeg(pixels, size))
    return path


def delete_images(images: Iterable[Image]) -> None:
    """Delete images everywhere, for ever.

    The store comes first: should this be killed, `agree_after_crash` ends what it began.
    """
    doomed = list(images)
    components.store().delete(image.pk for image in doomed)
    Image.objects.filter(pk__in=[image.pk for image in doomed]).delete()
    for image in doomed:
        components.spool().remove(image.spool_name)
        components.thumbnails().remove(image.sha256)
