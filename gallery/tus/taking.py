"""Takes the pieces of an upload, and the whole file in the end as if a form had sent it."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings
from django.utils.translation import gettext as _

from gallery.access.visitors import Visitor
from gallery.errors import PhotoRefused, Refused
from gallery.tus.protocol import Checksum, TusRefused
from gallery.tus.unfinished import Limits, Record, Source, Unfinished, sweep_all
from gallery.uploads import Outcome, UploadAnswer, check_size, clean_name, receive_file

# Each file is small beside its bytes, but a folder of them is listed when an upload begins.
MAX_UPLOADS = 1000


def limits() -> Limits:
    return Limits(
        total_bytes=settings.MAX_UNFINISHED_BYTES,
        uploads=MAX_UPLOADS,
        seconds=settings.UNFINISHED_SECONDS,
    )


def unfinished_of(visitor: Visitor) -> Unfinished:
    """The uploads that a visitor has begun; nobody sees those of others."""
    if visitor.token:
        name = f"token-{visitor.token.pk}"
    elif visitor.user:
        name = f"person-{visitor.user.pk}"
    else:
        name = "anybody"
    return Unfinished(settings.UNFINISHED_DIR / name, limits())


def begin(unfinished: Unfinished, length: int, name: str) -> Record:
    """Begin an upload. Raises TusRefused (413 for a file that is too large, 429) or DiskFull."""
    try:
        check_size(length)
    except PhotoRefused as refusal:
        raise TusRefused(str(refusal), 413) from None
    return unfinished.create(length, clean_name(name))


def take(
    unfinished: Unfinished,
    upload_id: str,
    source: Source,
    *,
    offset: int,
    count: int,
    checksum: Checksum | None = None,
) -> Record:
    """Add bytes to an upload, and keep the photo once all are there.

    On return each byte before the record's offset is safe, and so is the photo of a record that
    has an answer. Sending no bytes to a whole upload asks once more what became of it.

    Raises TusRefused or DiskFull, after which the upload can go on.
    """
    with unfinished.held(upload_id) as record:
        if offset != record.offset:
            raise TusRefused(
                _("The next byte of this file is %(offset)d.") % {"offset": record.offset}, 409
            )
        if offset + count > record.length:
            raise TusRefused(
                _("This is more than the %(length)d bytes that were announced.")
                % {"length": record.length},
                413,
            )
        again = record.is_whole
        if count:
            record = unfinished.append(record, source, count, checksum)
        if record.is_whole and record.answer is None:
            record = _receive(unfinished, record, again=again)
        return record


def remove(unfinished: Unfinished, upload_id: str) -> None:
    """Cancel an upload; a photo that it became stays. Raises TusRefused."""
    with unfinished.held(upload_id) as record:
        unfinished.forget(record)


def sweep() -> None:
    """Remove the unfinished uploads that have expired."""
    sweep_all(settings.UNFINISHED_DIR, limits())


def _receive(unfinished: Unfinished, record: Record, *, again: bool) -> Record:
    """Make a whole file a photo, or refuse it; `again`: a request before has tried that."""
    whole_since = datetime.fromtimestamp(record.changed_at, UTC)
    answer = receive_file(unfinished.part_path(record.upload_id), name=record.name)
    if answer.outcome == Outcome.REFUSED and answer.status >= 500:
        # Want of room, which may pass: the bytes stay, and are not to be sent again.
        raise _Postponed(answer)
    image = answer.image
    if (
        image is not None
        and answer.outcome == Outcome.DUPLICATE
        and (image.uploaded_at >= whole_since and image.name == record.name)
        and again
    ):
        # A request before this one made the photo and was killed before it could say so.
        answer = UploadAnswer(record.name, Outcome.STORED, _("Stored."), image)
    return unfinished.finish(record, as_facts(answer))


def as_facts(answer: UploadAnswer) -> dict[str, str | int | None]:
    """What became of a file, as the API says it."""
    image = answer.image
    return {
        "name": answer.name,
        "outcome": answer.outcome,
        "sentence": answer.sentence,
        "id": image.pk if image else None,
        "url": image.get_absolute_url() if image else None,
        "thumbnail_url": image.grid_url if image else None,
        "duplicate_of": image.pk if image and answer.outcome == Outcome.DUPLICATE else None,
    }


class _Postponed(Refused):
    """A whole file that cannot be kept just now."""

    def __init__(self, answer: UploadAnswer) -> None:
        super().__init__(answer.sentence)
        self.status = answer.status
