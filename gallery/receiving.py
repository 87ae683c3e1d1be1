"""Many files at once: durable originals and catalogue rows for all of them, or refusals.

`uploads` does the same for one file, without decoding it for the detector.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from gallery import components
from gallery.decoding import PhotoFacts
from gallery.errors import Refused, refusing_full_disk
from gallery.ingest import Ingestion
from gallery.models import Image
from gallery.originals import give_up_original
from gallery.preparing import Prepared, prepare
from gallery.tasks import schedule_ingestion
from gallery.trash import restore_from_trash
from gallery.uploads import check_size, clean_name, duplicate_of


@dataclass(frozen=True)
class NewFile:
    """A file that was read."""

    shown: str
    """What its user calls it."""
    name: str
    """What the photo is to be called."""
    data: bytes
    sha256: str

    @classmethod
    def read(cls, path: Path, name: str, shown: str) -> NewFile:
        """Raises PhotoRefused for a file that is too large, OSError."""
        check_size(path.stat().st_size)
        data = path.read_bytes()
        return cls(shown, clean_name(name), data, hashlib.sha256(data).hexdigest())


@dataclass
class Received:
    """What became of some files."""

    stored: list[tuple[NewFile, Image, Prepared]] = field(default_factory=list)
    """With rows that this process holds as if it had claimed them."""
    duplicates: list[NewFile] = field(default_factory=list)
    refused: list[tuple[NewFile, str]] = field(default_factory=list)
    """With the reason."""


@dataclass(frozen=True)
class _Kept:
    """A file whose original is durable."""

    file: NewFile
    facts: PhotoFacts
    prepared: Prepared
    spool_name: str


def receive_files(files: Sequence[NewFile], ingestion: Ingestion) -> Received:
    """Keep copies of different files and hold their rows for `ingestion`, whose threads decode.

    On return the stored survive a crash: where this process is killed, a worker takes them over.
    """
    received = Received()
    decoding: list[tuple[NewFile, Future[_Kept]]] = []
    known = set(
        Image.objects.filter(sha256__in=[file.sha256 for file in files]).values_list(
            "sha256", flat=True
        )
    )
    for file in files:
        try:
            is_there = file.sha256 in known and _is_there(file)
        except Refused as refusal:
            received.refused.append((file, str(refusal)))
            continue
        if is_there:
            received.duplicates.append(file)
        else:
            decoding.append((file, ingestion.decoders.submit(_keep, file)))
    kept: list[_Kept] = []
    for file, future in decoding:
        try:
            kept.append(future.result())
        except Refused as refusal:
            received.refused.append((file, str(refusal)))
        except OSError as error:
            reason = _("This file cannot be kept (%(why)s).") % {"why": error.strerror or error}
            received.refused.append((file, reason))
        ingestion.renew_leases()
    if kept:
        components.spool().make_names_durable()
    _create_rows(kept, received)
    return received


def _is_there(file: NewFile) -> bool:
    """Whether the gallery has a photo of these bytes, perhaps out of the trash. Raises DiskFull."""
    twin = duplicate_of(file.sha256)
    if twin is None:
        return False
    # Does nothing unless it is in the trash.
    restore_from_trash([twin.pk])
    return True


def _keep(file: NewFile) -> _Kept:
    """Decode a file and keep it, all but its name durably; it runs in a thread.

    Raises Refused, OSError.
    """
    facts, prepared = prepare(file.data)
    with refusing_full_disk():
        spool_name = components.spool().keep(
            io.BytesIO(file.data), file.sha256, file.name, name_is_durable=False
        )
    return _Kept(file, facts, prepared, spool_name)


def _create_rows(kept: list[_Kept], received: Received) -> None:
    """Make the rows of files in one transaction."""
    images = [_row(each) for each in kept]
    try:
        with refusing_full_disk(), transaction.atomic():
            Image.objects.bulk_create(images)
            # Should this process be killed, the task that comes then takes its images over.
            schedule_ingestion(Image.lease_end())
    except BaseException as error:
        if isinstance(error, IntegrityError) and len(kept) > 1:
            # The bytes of one came in a second time at the same moment, and were first.
            for each in kept:
                _create_rows([each], received)
            return
        for each in kept:
            give_up_original(each.spool_name)
        if isinstance(error, Refused):
            received.refused += [(each.file, str(error)) for each in kept]
        elif isinstance(error, IntegrityError):
            received.duplicates += [each.file for each in kept]
        else:
            raise
    else:
        received.stored += [
            (each.file, image, each.prepared) for each, image in zip(kept, images, strict=True)
        ]


def _row(kept: _Kept) -> Image:
    facts = kept.facts
    return Image(
        sha256=kept.file.sha256,
        name=kept.file.name,
        media_type=facts.media_type,
        size=len(kept.file.data),
        width=facts.width,
        height=facts.height,
        spool_name=kept.spool_name,
        priority=Image.Priority.IMPORT,
        tries=1,
        due_at=Image.lease_end(),
    )
