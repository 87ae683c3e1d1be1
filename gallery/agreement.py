"""Makes spool, catalogue and store agree again after whatever was killed."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from pathlib import Path

from django.utils import timezone

from gallery import components
from gallery.adoption import adopt_original
from gallery.models import Image
from gallery.originals import delete_images
from gallery.spool import facts_in
from gallery.tags.photo_tags import agree_tags
from gallery.tasks import (
    schedule_emptying,
    schedule_ingestion,
    schedule_looking,
    schedule_previews,
    schedule_tending,
)
from gallery.trash import end_moves
from gallery.waiting_texts import end_take_over

logger = logging.getLogger(__name__)

# An upload is under way for minutes at the most; older files without a row are leftovers.
ABANDONED_SECONDS = 3600.0
# A database takes only so many values in a query.
BATCH = 500


def agree_after_crash() -> None:
    """End what killed processes began; run when a worker or an import starts."""
    components.store().sweep()
    end_deletions()
    end_renames()
    end_moves()
    agree_tags()
    _end_moves_into_store()
    settle_spool()
    end_take_over()
    schedule_ingestion(timezone.now())
    schedule_tending()
    schedule_emptying(timezone.now())
    schedule_previews()
    # Of photos from before there was an appearance model, or while its server was down.
    schedule_looking()


def is_abandoned(path: Path) -> bool:
    """Whether no process can still be at work on a file."""
    return path.stat().st_mtime < time.time() - ABANDONED_SECONDS


def end_deletions() -> None:
    """Remove what is left of photos that the store has as deleted."""
    # Met here, because a database takes only so many values in a query.
    deleted = set(components.store().deleted_ids().tolist())
    half_deleted = deleted.intersection(Image.objects.values_list("pk", flat=True).iterator())
    delete_images(Image.objects.filter(pk__in=half_deleted))


def end_renames() -> None:
    """Bring names that people gave to the catalogue where a killed process did not."""
    store = components.store()
    renamed = sorted(store.edited_names())
    rows: dict[int, str] = {}
    for start in range(0, len(renamed), BATCH):
        batch = Image.objects.filter(pk__in=renamed[start : start + BATCH])
        rows |= dict(batch.values_list("pk", "name"))
    # Read after the rows, and a row is changed only if nobody else has changed it since: so a
    # rename that comes at the same time is never undone.
    for image_id, name in store.edited_names().items():
        known = rows.get(image_id, name)
        if known != name:
            Image.objects.filter(pk=image_id, name=known).update(name=name)


def _end_moves_into_store() -> None:
    for image in Image.objects.ready().exclude(spool_name=""):
        if image.pk in components.store():
            components.spool().remove(image.spool_name)
            components.thumbnails().remove_pixels(image.sha256)
            Image.objects.filter(pk=image.pk).update(spool_name="")


def settle_spool() -> None:
    """Remove leftovers; take in whole originals that no row knows.

    Such an original is an upload that was killed before it was answered, or what is left of a
    lost catalogue: taking in the first does no harm, removing the second would.
    """
    for path in list(components.spool().folder.iterdir()):
        # Else it has moved on since the listing.
        with suppress(FileNotFoundError):
            if is_abandoned(path):
                _settle(path)


def _settle(path: Path) -> None:
    facts = facts_in(path.name)
    row = Image.objects.filter(sha256=facts[0]).first() if facts else None
    if facts is None or (row is not None and row.spool_name != path.name):
        path.unlink(missing_ok=True)
    elif row is None and adopt_original(path) is None:
        logger.error("%s is damaged: run `check_store --repair`.", path)
