"""Mends what `check_gallery` found: the store first, then whatever follows from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from featurestore.checking import Finding, Remedy
from featurestore.repair import quarantine, repair_store
from featurestore.segments import EDITS, Edit
from featurestore.store import FeatureStore
from featurestore.trash import trash_edit
from gallery import components
from gallery.agreement import settle_spool
from gallery.checking import catalogue_path, has_original_in_spool
from gallery.models import Image
from gallery.originals import delete_images
from gallery.rebuilding import rebuild_catalogue, sentence_of_accounts, set_catalogue_aside
from gallery.stored_rows import (
    FIELDS,
    CatalogueFacts,
    StoredRows,
    differing_fields,
    highest_id,
    raise_next_id,
)
from gallery.tags.photo_tags import agree_tags, store_tags
from gallery.tasks import schedule_ingestion, schedule_looking
from gallery.trash import is_same_moment
from gallery.waiting_texts import end_take_over

LOST_REASON = "Its original was damaged on disk; only a backup can bring it back."


@dataclass
class GalleryRepair:
    """What a repair did."""

    quarantined: list[Path] = field(default_factory=list)
    healed: list[Path] = field(default_factory=list)
    """Segments that are again what they were."""
    removed: list[Path] = field(default_factory=list)
    salvaged_images: int = 0
    rows_written: int = 0
    to_derive: int = 0
    """Images whose features are computed again in the background."""
    lost: dict[int, str] = field(default_factory=dict)
    """Names of lost photos by image id, empty where the name is not known."""
    accounts: str = ""
    """What became of people, in a sentence, where the catalogue was lost."""


def is_catalogue_lost(findings: Sequence[Finding]) -> bool:
    """Whether a repair makes the catalogue anew: it is damaged, or it is empty."""
    if is_catalogue_damaged(findings):
        return True
    return len(FeatureStore(settings.STORE_DIR).image_ids()) > 0 and not Image.objects.exists()


def is_catalogue_damaged(findings: Sequence[Finding]) -> bool:
    """Whether the database itself is damaged, not just a row of it."""
    return any(
        finding.path == catalogue_path() and finding.image_id is None for finding in findings
    )


def repair_gallery(findings: Sequence[Finding]) -> GalleryRepair:
    """Leave a sound gallery; repeat it where it was killed.

    Hold the store's `compaction_lock`, and be alone in the gallery where the catalogue is lost.
    """
    damaged, lost = is_catalogue_damaged(findings), is_catalogue_lost(findings)
    done = repair_store(settings.STORE_DIR, findings, known=None if damaged else CatalogueFacts())
    components.store.cache_clear()
    repair = GalleryRepair(done.quarantined, done.healed, done.removed, done.salvaged_images)
    repair.lost = dict.fromkeys(done.lost_ids, "")
    _clear_folders(findings, repair)
    if damaged:
        set_catalogue_aside()
    if lost:
        # Or a repair was killed once the damaged catalogue was set aside.
        rebuilt = rebuild_catalogue()
        repair.rows_written += rebuilt.stored
        repair.accounts = sentence_of_accounts(rebuilt.people)
    reconcile_rows(repair, catalogue_knows_names=EDITS in done.kinds)
    return repair


def reconcile_rows(repair: GalleryRepair, *, catalogue_knows_names: bool = False) -> None:
    """Make the catalogue agree with store and spool.

    Args:
        catalogue_knows_names: where edits were damaged, believe the catalogue's names, and what
            it has in the trash and of tags.
    """
    store = FeatureStore(settings.STORE_DIR)
    deleted = store.deleted_ids().tolist()
    for start in range(0, len(deleted), 500):
        delete_images(Image.objects.filter(pk__in=deleted[start : start + 500]))
    stored = StoredRows.of(store)
    for images in stored:
        with transaction.atomic():
            rows = Image.objects.in_bulk([image.pk for image in images])
            for image in images:
                row = rows.get(image.pk)
                if row is None:
                    repair.rows_written += _add_row(image, store)
                    continue
                if catalogue_knows_names:
                    _restore_edits(row, image, store)
                _correct_row(row, image, stored, repair)
    highest_row: int = Image.objects.aggregate(highest=Max("pk"))["highest"] or 0
    raise_next_id(max(highest_id(store), highest_row))
    settle_spool()
    end_take_over()
    if catalogue_knows_names:
        store_tags(store)
    agree_tags()
    _name_lost(store, repair)
    repair.to_derive = Image.objects.received().count()
    schedule_ingestion(timezone.now())
    schedule_looking()


def _clear_folders(findings: Sequence[Finding], repair: GalleryRepair) -> None:
    """Put damaged spool files into quarantine; remove rubbish and damaged thumbnails."""
    for path, remedy in {finding.path: finding.remedy for finding in findings}.items():
        if path.is_relative_to(settings.STORE_DIR) or path == catalogue_path():
            continue
        if remedy == Remedy.SALVAGE and path.exists():
            repair.quarantined.append(quarantine(path.parent.parent, path))
        elif remedy == Remedy.REMOVE:
            path.unlink(missing_ok=True)
            repair.removed.append(path)


def _add_row(image: Image, store: FeatureStore) -> bool:
    """Add the row of a stored image; False where the store has the same bytes twice."""
    twin = Image.objects.filter(sha256=image.sha256).first()
    if twin is not None and twin.pk in store:
        store.delete([image.pk])
        return False
    if twin is not None:
        twin.delete()
    image.save(force_insert=True)
    return True


def _correct_row(row: Image, image: Image, stored: StoredRows, repair: GalleryRepair) -> None:
    fields = differing_fields(row, image)
    wrong_state = (
        row.is_lost
        or row.state not in Image.State.values
        or (row.is_ready and not stored.has_features(row.pk))
    )
    if not fields and not wrong_state:
        return
    for name in FIELDS:
        setattr(row, name, getattr(image, name))
    if wrong_state:
        row.state, row.failure, row.tries, row.due_at = image.state, "", 0, timezone.now()
    row.save()
    repair.rows_written += 1


def _restore_edits(row: Image, image: Image, store: FeatureStore) -> None:
    """Have the store, and what it says, agree with a row in what people change."""
    now = timezone.now().timestamp()
    if row.name != image.name:
        name = json.dumps(row.name, ensure_ascii=False)
        store.append_edits([Edit(row.pk, "name", name, now)])
        image.name = row.name
    if not is_same_moment(row.trashed_at, image.trashed_at):
        seconds = None if row.trashed_at is None else row.trashed_at.timestamp()
        store.append_edits([trash_edit(row.pk, seconds, now)])
        image.trashed_at = row.trashed_at


def _name_lost(store: FeatureStore, repair: GalleryRepair) -> None:
    rows = Image.objects.order_by("pk")
    known = rows.in_bulk(list(repair.lost))
    repair.lost.update({image_id: row.name for image_id, row in known.items()})
    for row in rows.iterator(chunk_size=2000):
        if row.pk in store or has_original_in_spool(row):
            continue
        if not row.is_lost:
            repair.lost[row.pk] = row.name
            Image.objects.filter(pk=row.pk).update(
                state=Image.State.LOST, failure=LOST_REASON, spool_name=""
            )
