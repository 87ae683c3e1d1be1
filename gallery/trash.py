"""The trash: what people delete stays there for a while, hidden from everything but its own page.

An edit in the store moves a photo there and another takes it out, so that the trash outlives the
catalogue and is in every backup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from featurestore.trash import trash_edit
from gallery import components
from gallery.errors import refusing_full_disk
from gallery.models import Image, ImageQuerySet
from gallery.originals import delete_images
from gallery.tasks import schedule_emptying, schedule_tending

# A database takes only so many values in a query.
BATCH = 500


def move_to_trash(image_ids: Iterable[int]) -> tuple[int, datetime]:
    """Move photos to the trash, durably; those that are not there, or in it, stay as they are.

    Returns:
        How many were moved, and the moment that all of them are marked with, by which this can be
        undone.

    Raises DiskFull, which changes nothing: even a deletion is written down.
    """
    moment = timezone.now()
    ids = _ids(image_ids, Image.objects.shown())
    _write(ids, moment)
    if ids:
        schedule_emptying(moment + kept_for())
    return len(ids), moment


def restore_from_trash(image_ids: Iterable[int]) -> int:
    """Bring photos back, durably; returns how many were in the trash. Raises DiskFull."""
    wanted = set(image_ids)
    # A process that was killed may have told the store alone.
    in_store = wanted.intersection(components.store().trashed())
    ids = sorted({*_ids(wanted, Image.objects.trashed()), *_ids(in_store, Image.objects.all())})
    _write(ids, None)
    return len(ids)


def is_in_trash(image: Image) -> bool:
    """Whether a photo is in the trash, also where only the store was told so."""
    return image.is_trashed or image.pk in components.store().trashed()


def moved_at(moment: datetime) -> ImageQuerySet:
    """Photos in the trash that were moved there together."""
    return Image.objects.trashed().filter(trashed_at=moment)


def kept_for() -> timedelta:
    """How long photos stay in the trash."""
    return timedelta(days=settings.TRASH_DAYS)


def expired(now: datetime) -> ImageQuerySet:
    """Photos whose time in the trash is over."""
    return Image.objects.trashed().filter(trashed_at__lte=now - kept_for())


def delete_expired(now: datetime) -> int:
    """Delete for good what was long enough in the trash; returns how many photos."""
    count = 0
    while batch := list(expired(now).order_by("pk")[:BATCH]):
        delete_images(batch)
        count += len(batch)
    return count


def end_moves() -> None:
    """Bring to the catalogue what the store says of the trash, where a killed process did not."""
    store = components.store()
    trashed = store.trashed()
    rows = dict(Image.objects.trashed().values_list("pk", "trashed_at"))
    ids = sorted(trashed)
    for start in range(0, len(ids), BATCH):
        batch = Image.objects.filter(pk__in=ids[start : start + BATCH])
        rows |= dict(batch.values_list("pk", "trashed_at"))
    # Read after the rows, and a row is changed only if nobody else has changed it since: so what
    # is moved at the same time is never undone.
    trashed = store.trashed()
    for image_id, known in rows.items():
        moment = moment_of(trashed.get(image_id))
        if not is_same_moment(known, moment):
            Image.objects.filter(pk=image_id, trashed_at=known).update(trashed_at=moment)


def moment_of(seconds: float | None) -> datetime | None:
    """A moment as the catalogue has it, of seconds as the store has them."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def is_same_moment(one: datetime | None, other: datetime | None) -> bool:
    """Whether two moments differ by no more than the store's rounding."""
    if one is None or other is None:
        return one is other
    return abs((one - other).total_seconds()) < 1e-3


def _write(image_ids: Sequence[int], moment: datetime | None) -> None:
    if not image_ids:
        return
    seconds = None if moment is None else moment.timestamp()
    now = timezone.now().timestamp()
    with refusing_full_disk():
        # First, because it also brings this to the catalogue should it be killed in between.
        schedule_tending()
        components.store().append_edits(
            [trash_edit(image_id, seconds, now) for image_id in image_ids]
        )
        for start in range(0, len(image_ids), BATCH):
            batch = Image.objects.filter(pk__in=image_ids[start : start + BATCH])
            batch.update(trashed_at=moment)


def _ids(image_ids: Iterable[int], among: ImageQuerySet) -> list[int]:
    wanted = sorted(set(image_ids))
    found: list[int] = []
    for start in range(0, len(wanted), BATCH):
        batch = among.filter(pk__in=wanted[start : start + BATCH])
        found += batch.order_by("pk").values_list("pk", flat=True)
    return found
