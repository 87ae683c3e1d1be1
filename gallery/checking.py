"""Finds everything in which catalogue, store, spool and thumbnails are damaged or disagree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import QuerySet

from featurestore.checking import Finding, Remedy, check_store
from featurestore.durable import sha256_of
from featurestore.live_rows import contains
from featurestore.store import FeatureStore
from gallery import components
from gallery.agreement import is_abandoned
from gallery.models import Image
from gallery.spool import facts_in
from gallery.stored_rows import StoredRows, differing_fields
from gallery.thumbnails import SUFFIXES, is_undamaged


def check_gallery(progress: Callable[[int], object] = lambda size: None) -> Iterator[Finding]:
    """Everything that is wrong, while web and worker run.

    Hold the store's `compaction_lock`.

    Args:
        progress: called with the bytes of each file that has been checked.
    """
    yield from check_store(settings.STORE_DIR, progress)
    broken = list(check_database())
    yield from broken
    if not broken:
        yield from check_rows()
        yield from _check_spool(progress)
        yield from _check_thumbnails(progress)


def catalogue_path() -> Path:
    """The database's file, or its name on a server."""
    return Path(str(settings.DATABASES["default"]["NAME"]))


def check_database() -> Iterator[Finding]:
    """Whether the database holds together and each row can be read."""
    problem = ""
    try:
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA integrity_check(1)")
                problem = cursor.fetchone()[0].replace("ok", "")
        for _ in Image.objects.iterator():
            pass
    except (DatabaseError, ValueError, TypeError, UnicodeError) as error:
        problem = str(error)
    if problem:
        yield Finding(catalogue_path(), f"is damaged: {problem}", Remedy.REWRITE)


def check_rows() -> Iterator[Finding]:
    """Rows that the store contradicts, and images without a row."""
    suspicions = _suspicious_rows()
    if suspicions:
        # Uploads, edits, deletions and ingestion go on meanwhile: only what stays so is a finding.
        still_so = set(_suspicious_rows())
        yield from (suspicion for suspicion in suspicions if suspicion in still_so)


def _suspicious_rows() -> list[Finding]:
    stored = StoredRows.of(FeatureStore(settings.STORE_DIR))
    return [*_contradicted_rows(stored), *_rows_without_original(stored)]


def has_original_in_spool(image: Image) -> bool:
    """Whether the spool has an image's original, undamaged."""
    path = components.spool().path(image.spool_name)
    try:
        return bool(image.spool_name) and sha256_of(path) == image.sha256
    except OSError:
        return False


def _contradicted_rows(stored: StoredRows) -> Iterator[Finding]:
    for images in stored:
        rows = Image.objects.in_bulk([image.pk for image in images])
        for image in images:
            row = rows.get(image.pk)
            if row is None:
                problem = f"has no row of image {image.pk}, which is in the store."
                yield _row_finding(problem, Remedy.REWRITE, image.pk)
                continue
            fields = differing_fields(row, image)
            if fields:
                problem = f"has another {', '.join(fields)} of image {image.pk} than the store."
                yield _row_finding(problem, Remedy.REWRITE, image.pk)
            if row.is_ready and not stored.has_features(row.pk):
                problem = f"calls image {row.pk} ready, which has no features of the current model."
                yield _row_finding(problem, Remedy.RE_DERIVE, row.pk)
            if row.is_lost or row.state not in Image.State.values:
                problem = f"has a wrong state of image {row.pk}, whose original is in the store."
                yield _row_finding(problem, Remedy.RE_DERIVE, row.pk)


def _rows_without_original(stored: StoredRows) -> Iterator[Finding]:
    stored_ids, deleted_ids = stored.store.image_ids(), stored.store.deleted_ids()
    rows: QuerySet[Image] = Image.objects.order_by("pk")
    for row in rows.iterator(chunk_size=2000):
        place = np.array([row.pk])
        if contains(deleted_ids, place)[0]:
            problem = f"has a row of image {row.pk}, which is deleted."
            yield _row_finding(problem, Remedy.REWRITE, row.pk)
        elif (
            not contains(stored_ids, place)[0]
            and not row.is_lost
            and not has_original_in_spool(row)
        ):
            problem = f"has image {row.pk} ({row.name}), whose original is gone or damaged."
            yield _row_finding(problem, Remedy.LOST, row.pk)


def _row_finding(problem: str, remedy: Remedy, image_id: int) -> Finding:
    return Finding(catalogue_path(), problem, remedy, image_id)


def _check_spool(progress: Callable[[int], object]) -> Iterator[Finding]:
    owned = set(Image.objects.exclude(spool_name="").values_list("spool_name", flat=True))
    for path in sorted(components.spool().folder.iterdir()):
        try:
            facts = facts_in(path.name)
            if path.name not in owned:
                if is_abandoned(path):
                    yield Finding(path, "belongs to no photo.", _remedy_for_unowned(path))
            elif facts is not None and sha256_of(path) != facts[0]:
                yield Finding(path, "has changed on disk.", Remedy.SALVAGE)
            progress(path.stat().st_size)
        except FileNotFoundError:
            continue  # Its photo has become ready.


def _remedy_for_unowned(path: Path) -> Remedy:
    facts = facts_in(path.name)
    if facts is None:
        return Remedy.REMOVE
    # A whole original is taken into the catalogue, as a starting worker does.
    return Remedy.REWRITE if sha256_of(path) == facts[0] else Remedy.SALVAGE


def _check_thumbnails(progress: Callable[[int], object]) -> Iterator[Finding]:
    for folder, paths in groupby(sorted(components.thumbnails().files()), lambda path: path.parent):
        of_folder = Image.objects.filter(sha256__startswith=folder.name)
        known = set(of_folder.values_list("sha256", flat=True))
        for path in paths:
            try:
                content = path.read_bytes()
                if path.name.partition("-")[0] not in known or path.suffix not in SUFFIXES:
                    if is_abandoned(path):
                        yield Finding(path, "belongs to no photo.", Remedy.REMOVE)
                elif not is_undamaged(content):
                    yield Finding(path, "has changed on disk.", Remedy.REMOVE)
            except FileNotFoundError:
                continue  # Its photo has been deleted.
            progress(len(content))
