"""Makes the catalogue from the store and the spool, and people from what is left of the old one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from featurestore.durable import fsync_folder
from featurestore.store import FeatureStore
from gallery import components
from gallery.access.binding import Login
from gallery.access.people import has_owner
from gallery.adoption import adopt_original
from gallery.catalogue import prepare_catalogue
from gallery.checking import catalogue_path
from gallery.groups.kept_decisions import bring_pairs
from gallery.models import AlikePair, Image
from gallery.spool import facts_in
from gallery.stored_rows import StoredRows, highest_id, raise_next_id
from gallery.tags.photo_tags import agree_tags
from gallery.tasks import schedule_emptying, schedule_ingestion, schedule_previews
from gallery.waiting_texts import forget_texts, put_texts_aside, take_over_texts

BATCH = 1000
# Ids that waiting photos may have had in the lost catalogue are passed over, because a browser
# or a worker may still know them.
PASSED_OVER_IDS = 1000
NO_OWNER = (
    "No owner's account is left. If people sign in to this gallery, make an owner with "
    "`python manage.py create_owner NAME`, or bring all accounts back from a backup: "
    "docs/backup-and-repair.md tells how."
)


@dataclass
class Rebuilt:
    """How many rows were made."""

    stored: int = 0
    waiting: int = 0
    """Photos that the spool held and the store did not."""
    damaged: int = 0
    """Spool files that are no longer what was uploaded."""
    people: int | None = None
    """Accounts of the old catalogue; None where it was not set aside, or they were unreadable."""


def rebuild_catalogue(progress: Callable[[int], object] = lambda images: None) -> Rebuilt:
    """Replace all rows by those that store and spool give, in one transaction.

    Hold the store's `compaction_lock`.

    Args:
        progress: called with the number of images done.
    """
    store = FeatureStore(settings.STORE_DIR)
    rebuilt = Rebuilt()
    twins: list[int] = []
    # They name photos, so they go with the rows and come again with them.
    kept_pairs = list(AlikePair.objects.kept())
    with transaction.atomic():
        Image.objects.all().delete()
        for images in StoredRows.of(store):
            # The same bytes twice in the store become one row; the other image goes below.
            Image.objects.bulk_create(images, batch_size=BATCH, ignore_conflicts=True)
            rows = set(
                Image.objects.filter(pk__in=[i.pk for i in images]).values_list("pk", flat=True)
            )
            twins += [image.pk for image in images if image.pk not in rows]
            progress(len(images))
        rebuilt.stored = Image.objects.count()
        agree_tags()
        _adopt_spool(rebuilt, highest_id(store))
        rebuilt.people = take_over_texts()
        bring_pairs(kept_pairs)
        schedule_ingestion(timezone.now())
        schedule_emptying(timezone.now())
        schedule_previews()
    # Only these: an image whose facts cannot be read has no row either, and is not to be lost.
    store.delete(twins)
    forget_texts()
    return rebuilt


def set_catalogue_aside() -> None:
    """Move a damaged SQLite database into quarantine and make an empty one.

    What can still be read of it and is not in the store waits in files for `rebuild_catalogue`,
    also after a kill.
    """
    put_texts_aside()
    connection.close()
    path = catalogue_path()
    quarantine = path.parent / "quarantine"
    quarantine.mkdir(exist_ok=True)
    for suffix in ("", "-wal", "-shm"):
        file = path.with_name(path.name + suffix)
        if file.exists():
            file.rename(quarantine / f"{timezone.now():%Y%m%dT%H%M%S}-{file.name}")
    fsync_folder(path.parent)
    prepare_catalogue()


def sentence_of_accounts(taken_over: int | None) -> str:
    """What became of the accounts of a lost catalogue; "" where it had none and needs none.

    Args:
        taken_over: how many there were, None where they are not known.
    """
    sentences = []
    if taken_over:
        accounts = "1 account was" if taken_over == 1 else f"{taken_over} accounts were"
        sentences.append(f"{accounts} taken over from the old catalogue.")
    needs_owner = taken_over != 0 or settings.GALLERY_LOGIN == Login.REQUIRED
    if needs_owner and not has_owner():
        sentences.append(NO_OWNER)
    return " ".join(sentences)


def _adopt_spool(rebuilt: Rebuilt, highest: int) -> None:
    files = [path for path in components.spool().folder.iterdir() if facts_in(path.name)]
    raise_next_id(highest + PASSED_OVER_IDS + len(files))
    # Oldest first, so that ids rise with time.
    for path in sorted(files, key=lambda path: path.stat().st_mtime_ns):
        sha256, _ = facts_in(path.name) or ("", "")
        if Image.objects.filter(sha256=sha256).exists():
            continue
        if adopt_original(path) is None:
            rebuilt.damaged += 1
        else:
            rebuilt.waiting += 1
