"""The way in: one file becomes a durable original and a catalogue row, or is refused."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from featurestore.errors import ImageDamaged, ImageNotStored, StoreError
from gallery import components
from gallery.decoding import PhotoFacts
from gallery.errors import PhotoRefused, Refused, refusing_full_disk
from gallery.figures import grouped
from gallery.models import Image
from gallery.originals import delete_images, give_up_original, read_original
from gallery.preparing import keep_small_versions, read_small_versions
from gallery.tasks import schedule_ingestion
from gallery.trash import is_in_trash, restore_from_trash
from gallery.upload_handler import BoundedUpload

MAX_NAME_LENGTH = 255
# Of so many photos that wait the detector's pixels are kept, 0.3 MB each; others are decoded again.
MOST_KEPT_PIXELS = 1000


class Outcome(StrEnum):
    STORED = "stored"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@dataclass(frozen=True)
class UploadAnswer:
    """What became of one file."""

    name: str
    outcome: Outcome
    sentence: str
    image: Image | None = None
    status: int = 200
    """The HTTP status of a refusal."""


def receive_upload(upload: UploadedFile[bytes]) -> UploadAnswer:
    """Keep one file of a form or an API call; on return with STORED it survives a crash."""
    try:
        path = uploaded_path(upload)
    except Refused as refusal:
        return _refusal(clean_name(upload.name or ""), refusal)
    return receive_file(path, name=upload.name or "", size=upload.size or 0)


def receive_file(path: Path, *, name: str = "", size: int | None = None) -> UploadAnswer:
    """Keep a copy of a file of this machine; on return with STORED it survives a crash.

    Args:
        name: what the photo is called, where that is not the file's name.
        size: bytes that were sent, where the file was cut off at the limit.
    """
    name = clean_name(name or path.name)
    try:
        check_size(path.stat().st_size if size is None else size)
        with refusing_full_disk():
            return _keep(path, name)
    except Refused as refusal:
        return _refusal(name, refusal)


def uploaded_path(upload: UploadedFile[bytes]) -> Path:
    """Where `BoundedUploadHandler` put an uploaded file. Raises DiskFull where it could not."""
    if not isinstance(upload, BoundedUpload):
        raise TypeError(f"{upload.name} should be on the disk, is {type(upload).__name__}")
    if upload.disk_full:
        raise upload.disk_full
    return Path(upload.temporary_file_path())


def check_size(size: int) -> None:
    """Raises PhotoRefused for a file of too many bytes."""
    if size > settings.MAX_UPLOAD_BYTES:
        raise PhotoRefused(
            _("This file has %(size)s MB; the limit is %(limit)s MB.")
            % {"size": grouped(size / 2**20), "limit": settings.MAX_UPLOAD_BYTES // 2**20}
        )


def clean_name(name: str) -> str:
    """A file name as text to show: no folders, no control characters, at most 255 characters."""
    printable = printable_text(name.replace("\\", "/").rsplit("/", 1)[-1])
    if len(printable) > MAX_NAME_LENGTH:
        suffix = Path(printable).suffix[:20]
        printable = printable[: MAX_NAME_LENGTH - len(suffix)] + suffix
    return printable or "unnamed"


def printable_text(text: str) -> str:
    """Text without control characters and without blanks around it."""
    return "".join(
        character
        for character in text.encode("utf-8", "replace").decode()
        if not unicodedata.category(character).startswith("C")
    ).strip()


def _refusal(name: str, refusal: Refused) -> UploadAnswer:
    return UploadAnswer(name, Outcome.REFUSED, str(refusal), status=refusal.status)


def _keep(path: Path, name: str) -> UploadAnswer:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        duplicate = _duplicate(sha256, name)
        if duplicate:
            return duplicate
        file.seek(0)
        facts, small = read_small_versions(file)
        spool_name = components.spool().keep(file, sha256, name)
    # Before there is a row: a photo that is deleted must not leave its thumbnail behind.
    keep_small_versions(sha256, small, pixels=_has_few_waiting())
    try:
        image = _create_row(sha256, name, path.stat().st_size, facts, spool_name)
    except BaseException as error:
        is_given_up = give_up_original(spool_name)
        # The same bytes came in a second time at the same moment, and were first.
        if isinstance(error, IntegrityError) and (duplicate := _duplicate(sha256, name)):
            return duplicate
        if is_given_up:
            components.thumbnails().remove(sha256)
        raise
    return UploadAnswer(name, Outcome.STORED, _("Stored."), image)


def _has_few_waiting() -> bool:
    """Whether the pixels that wait for the detector take little room as yet."""
    return Image.objects.received()[:MOST_KEPT_PIXELS].count() < MOST_KEPT_PIXELS


def duplicate_of(sha256: str) -> Image | None:
    """The photo that has these bytes already, unless nothing is left of it."""
    image = Image.objects.filter(sha256=sha256).first()
    if image is None:
        return None
    if _has_no_original(image) or image.pk in components.store().deleted_ids():
        # Either its bytes are here again, or a killed process has not ended its deletion, which
        # would take this upload with it. The upload becomes a photo of its own.
        delete_images([image])
        return None
    return image


def _has_no_original(image: Image) -> bool:
    """Whether a photo is lost, or would be found to be once a worker comes to it."""
    if image.is_lost or image.is_ready:
        return image.is_lost
    try:
        read_original(image)
    except (ImageNotStored, ImageDamaged):
        return True
    except (StoreError, OSError):
        # The machine cannot tell just now.
        return False
    return False


def _duplicate(sha256: str, name: str) -> UploadAnswer | None:
    image = duplicate_of(sha256)
    if image is None:
        return None
    if is_in_trash(image):
        restore_from_trash([image.pk])
        sentence = _("It was in the trash and is back, as %(name)s.")
    else:
        sentence = _("Already there as %(name)s.")
    return UploadAnswer(name, Outcome.DUPLICATE, sentence % {"name": image.name}, image)


@transaction.atomic
def _create_row(sha256: str, name: str, size: int, facts: PhotoFacts, spool_name: str) -> Image:
    image = Image.objects.create(
        sha256=sha256,
        name=name,
        media_type=facts.media_type,
        size=size,
        width=facts.width,
        height=facts.height,
        spool_name=spool_name,
    )
    schedule_ingestion(image.due_at)
    return image
