"""Backup of a gallery that is running, and its restoration into an empty data folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction

from featurestore.backup import (
    BackupFile,
    BackupFolder,
    Manifest,
    copy_durably,
    free_bytes,
    models_file,
    quarantined_files,
    read_manifest,
    store_files,
)
from featurestore.compaction import compaction_lock
from featurestore.current_model import MODELS_FILE
from featurestore.durable import sha256_of, write_durably
from featurestore.errors import BackupRefused
from featurestore.store import FeatureStore
from featurestore.view import write_view
from gallery import components
from gallery.access.kept_people import bring_people, people_text
from gallery.groups.kept_decisions import bring_decisions, decisions_text
from gallery.learnt import pack, unpack
from gallery.models import Image
from gallery.rebuilding import rebuild_catalogue
from gallery.repairing import GalleryRepair, reconcile_rows
from gallery.saved.kept_searches import bring_searches, searches_text
from gallery.stored_rows import MOMENTS
from gallery.waiting_texts import write_privately

T = TypeVar("T")

CATALOGUE = "catalogue.jsonl"
PEOPLE = "people.json"
SEARCHES = "searches.jsonl"
LEARNT = "learnt.zip"
DECISIONS = "decisions.jsonl"
OF_THE_CATALOGUE = (CATALOGUE, PEOPLE, SEARCHES, LEARNT, DECISIONS)
ROW_FIELDS = (
    *("id", "sha256", "name", "media_type", "size", "width", "height"),
    *("uploaded_at", "trashed_at", "state", "spool_name", "failure"),
)
BATCH = 1000
# Says in a data folder that a restoration was begun, and of which backup.
MARKER = "restoring.json"


@dataclass
class BackupReport:
    """What a backup did."""

    images: int = 0
    rows: int = 0
    people: int = 0
    copied: int = 0
    kept: int = 0
    """Files that the backup had already."""
    removed: int = 0
    damaged: list[Path] = field(default_factory=list)
    """Files of the gallery that were left out."""


@dataclass
class RestoreReport:
    """What a restoration did."""

    images: int = 0
    rows: int = 0
    people: int = 0
    damaged: list[str] = field(default_factory=list)
    """Files of the backup that are not what its manifest says."""


def back_up(folder: Path, progress: Callable[[int, int], None]) -> BackupReport:
    """Bring a backup up to date, whatever web and worker do meanwhile.

    Rows come first, then the originals that wait in the spool, then the segments: what has left
    the spool since the rows were read is in the segments by then.

    Args:
        progress: called with (files done, files in all).

    Raises BackupRefused, OSError.
    """
    data = Path(settings.STORE_DIR).parent.resolve()
    target = BackupFolder(folder.resolve())
    if target.folder.is_relative_to(data):
        raise BackupRefused(folder, "it lies inside the data folder that it would be a copy of")
    if target.is_foreign():
        raise BackupRefused(folder, "it is not empty and holds no backup")
    previous = target.previous()
    target.folder.mkdir(parents=True, exist_ok=True)
    with compaction_lock(settings.STORE_DIR, wait=True):
        return _back_up(target, previous.by_path() if previous else {}, progress)


def _back_up(
    target: BackupFolder, known: dict[str, BackupFile], progress: Callable[[int, int], None]
) -> BackupReport:
    people = people_text()
    report = BackupReport(people=people.count)
    waiting: list[str] = []
    files = [
        target.add_content(CATALOGUE, lambda path: _dump_rows(path, report, waiting)),
        target.add_content(PEOPLE, lambda path: write_privately(path, people.text)),
        target.add_content(SEARCHES, lambda path: _write(path, searches_text().text)),
        target.add_content(LEARNT, pack),
        target.add_content(DECISIONS, lambda path: _write(path, decisions_text().text)),
    ]
    models = models_file(settings.STORE_DIR)
    if models is not None:
        content = models.read_bytes()
        files.append(target.add_content(f"store/{MODELS_FILE}", lambda p: p.write_bytes(content)))
    spooled = {f"spool/{name}": components.spool().path(name) for name in waiting}
    _add_all(target, spooled, known, files, report, lambda done, count: None)
    sources = store_files(settings.STORE_DIR)
    _check_room(target, sources, known)
    _add_all(target, sources, known, files, report, progress)
    report.images = len(FeatureStore(settings.STORE_DIR).image_ids())
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = Manifest(made_at, report.images, report.rows, files)
    # The backup may hold the only undamaged copy of what is in quarantine.
    report.removed = len(target.finish(manifest, keep=quarantined_files(settings.STORE_DIR)))
    return report


def _add_all(
    target: BackupFolder,
    sources: dict[str, Path],
    known: dict[str, BackupFile],
    files: list[BackupFile],
    report: BackupReport,
    progress: Callable[[int, int], None],
) -> None:
    for number, (path, source) in enumerate(sources.items(), 1):
        try:
            file = target.add(source, path, known.get(path))
        except FileNotFoundError:
            continue  # A waiting original that the store has by now.
        if file is None:
            report.damaged.append(source)
            continue
        files.append(file)
        if path in known:
            report.kept += 1
        else:
            report.copied += 1
        progress(number, len(sources))


def _check_room(
    target: BackupFolder, sources: dict[str, Path], known: dict[str, BackupFile]
) -> None:
    needed = sum(source.stat().st_size for path, source in sources.items() if path not in known)
    free = free_bytes(target.folder)
    if needed > free:
        raise BackupRefused(
            target.folder,
            f"it needs {needed / 1e6:,.0f} MB, and its disk has {free / 1e6:,.0f} MB left",
        )


def _dump_rows(path: Path, report: BackupReport, waiting: list[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in Image.objects.order_by("pk").values(*ROW_FIELDS).iterator(chunk_size=BATCH):
            for name in MOMENTS:
                row[name] = row[name].isoformat() if row[name] else None
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            report.rows += 1
            if row["spool_name"]:
                waiting.append(row["spool_name"])


def restore(folder: Path, progress: Callable[[int, int], None]) -> RestoreReport:
    """Fill an empty data folder from a backup; repeat it where it was killed.

    Every file is verified as it is copied. Damaged ones are named in the report: segments among
    them are copied for `check_store --repair` to salvage, a damaged catalogue is made anew.
    Accounts are as they were at the time of the backup; others that are there already stay.

    Raises BackupRefused, OSError.
    """
    manifest = read_manifest(folder)
    _begin(folder)
    report = RestoreReport(images=manifest.images)
    for number, file in enumerate(manifest.files, 1):
        if file.path not in OF_THE_CATALOGUE and not _restore_file(folder, file):
            report.damaged.append(file.file)
        progress(number, len(manifest.files))
    components.store.cache_clear()
    files = manifest.by_path()
    catalogue = files.get(CATALOGUE)
    if catalogue is not None and _is_sound(folder / catalogue.file, catalogue):
        _load_rows(folder / catalogue.file)
    else:
        report.damaged.append(CATALOGUE)
        rebuild_catalogue()
    if PEOPLE in files:
        people = _bring(folder, files[PEOPLE], _of_text(bring_people), report)
        report.people = people or 0
    else:
        report.damaged.append(PEOPLE)
    # Backups of before there were such things have none.
    if SEARCHES in files:
        _bring(folder, files[SEARCHES], _of_text(bring_searches), report)
    if LEARNT in files:
        _bring(folder, files[LEARNT], unpack, report)
    reconcile_rows(GalleryRepair())
    # Last, because they name photos, some of which may be known to the segments alone.
    if DECISIONS in files:
        _bring(folder, files[DECISIONS], _of_text(bring_decisions), report)
    # Whatever view lies there may be older than the segments.
    write_view(components.store(), components.model_id())
    report.rows = Image.objects.count()
    (settings.STORE_DIR / MARKER).unlink()
    return report


def _begin(folder: Path) -> None:
    """Raises BackupRefused unless the data folder is empty or was being restored from this."""
    marker = Path(settings.STORE_DIR) / MARKER
    backup = {"backup": str(folder.resolve()), "sha256": sha256_of(folder / "backup.json")}
    if marker.exists() and json.loads(marker.read_text()) == backup:
        return
    holds_files = any(settings.STORE_DIR.rglob("*.h5")) or any(settings.SPOOL_DIR.iterdir())
    if holds_files or marker.exists() or Image.objects.exists():
        raise BackupRefused(
            Path(settings.STORE_DIR).parent, "only an empty GALLERY_DATA can be restored into"
        )
    write_durably(marker, lambda path: _write(path, json.dumps(backup)))


def _restore_file(folder: Path, file: BackupFile) -> bool:
    """Put a file in its place; False where it is not what the manifest says."""
    kind, _, rest = file.path.partition("/")
    target = Path({"store": settings.STORE_DIR, "spool": settings.SPOOL_DIR}[kind]) / rest
    if _is_sound(target, file):
        return True
    try:
        return copy_durably(folder / file.file, target) == file.sha256
    except FileNotFoundError:
        return False


def _is_sound(path: Path, file: BackupFile) -> bool:
    return path.exists() and path.stat().st_size == file.size and sha256_of(path) == file.sha256


@transaction.atomic
def _load_rows(path: Path) -> None:
    Image.objects.all().delete()
    rows = _rows(path)
    while batch := [Image(**row) for row in islice(rows, BATCH)]:
        Image.objects.bulk_create(batch)


def _bring(
    folder: Path, file: BackupFile, bring: Callable[[Path], T], report: RestoreReport
) -> T | None:
    """What `bring` says of a file that is sound, which raises ValueError for one that is not."""
    try:
        if not _is_sound(folder / file.file, file):
            raise ValueError(file.path)
        return bring(folder / file.file)
    except ValueError:
        report.damaged.append(file.path)
        return None


def _of_text(bring: Callable[[str], T]) -> Callable[[Path], T]:
    return lambda path: bring(path.read_text(encoding="utf-8"))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            # Backups from before there was a trash have no moment of it.
            for name in MOMENTS:
                row[name] = datetime.fromisoformat(row[name]) if row.get(name) else None
            yield row


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
