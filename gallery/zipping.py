"""Many originals as one ZIP file, which is made while it is sent and nowhere as a whole."""

from __future__ import annotations

import io
import logging
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from django.utils import timezone

from featurestore.errors import StoreError
from gallery.models import Image
from gallery.originals import read_original

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

logger = logging.getLogger(__name__)

# Rows that are read from the catalogue at a time.
BATCH = 200
# Bytes that are handed on at a time.
PIECE = 1 << 20
# What some system forbids in the name of a file, and what it calls its devices.
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
LONGEST_NAME = 120
ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    "image/tiff": ".tiff",
    "image/heic": ".heic",
    "image/avif": ".avif",
}
MISSING = "missing photos.txt"


class SafeNames:
    """Gives each photo a name of its own that every system can have a file of."""

    def __init__(self) -> None:
        self._taken: set[str] = {MISSING}

    def of(self, image: Image) -> str:
        """The photo's name, or like `cat (2).jpg` where another has it."""
        name = safe_name(image.name, image.media_type)
        path = PurePath(name)
        number = 1
        # Upper and lower case are the same on some systems.
        while name.casefold() in self._taken:
            number += 1
            name = f"{path.stem} ({number}){path.suffix}"
        self._taken.add(name.casefold())
        return name


def safe_name(name: str, media_type: str) -> str:
    """A name without folders, devices and signs that some system forbids, with an ending."""
    clean = FORBIDDEN.sub("_", unicodedata.normalize("NFC", name)).strip(" .")
    ending = PurePath(clean).suffix
    if not ending or len(ending) > 6:
        ending = ENDINGS.get(media_type, "")
        stem = clean
    else:
        stem = clean.removesuffix(ending)
    stem = stem[:LONGEST_NAME].strip(" .") or "photo"
    if DEVICES.match(stem):
        stem = f"_{stem}"
    return stem + ending


class _Sink(io.RawIOBase):
    """What was written and not yet sent; it knows no way back, as a socket does not."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        size = len(self._written)
        self._written += data
        return len(self._written) - size

    def take(self) -> bytes:
        data = bytes(self._written)
        self._written.clear()
        return data


def zip_of(image_ids: Sequence[int]) -> Iterator[bytes]:
    """A ZIP file of originals, piece by piece; one original at a time is in memory.

    What cannot be read any more is named in a text file at its end.
    """
    sink = _Sink()
    names = SafeNames()
    missing: list[str] = []
    # Photos do not get smaller, so nothing is compressed.
    with ZipFile(sink, "w", ZIP_STORED) as archive:
        for start in range(0, len(image_ids), BATCH):
            some = image_ids[start : start + BATCH]
            rows = Image.objects.shown().in_bulk(some)
            for image in (rows[image_id] for image_id in some if image_id in rows):
                try:
                    original = read_original(image)
                except StoreError as error:
                    logger.error("Left out of a ZIP file: %s", error)
                    missing.append(image.name)
                    continue
                yield from _add(archive, sink, names.of(image), image, original)
        if missing:
            sentence = "The gallery could not read these photos:\r\n"
            archive.writestr(MISSING, sentence + "\r\n".join(missing) + "\r\n")
    yield sink.take()


def _add(
    archive: ZipFile, sink: _Sink, name: str, image: Image, original: bytes
) -> Iterator[bytes]:
    moment = timezone.localtime(image.uploaded_at)
    # The format knows no year before and behind these.
    year = min(max(moment.year, 1980), 2107)
    entry = ZipInfo(name, (year, *moment.timetuple()[1:6]))
    entry.external_attr = 0o644 << 16
    entry.file_size = len(original)
    with archive.open(entry, "w") as file:
        for start in range(0, len(original), PIECE):
            file.write(original[start : start + PIECE])
            yield sink.take()
