"""Leaves a sound store: damaged segments are salvaged, then put into quarantine.

What is whole is durable in a new segment before the damaged one moves, so a repair that is killed
is simply repeated. Nothing is deleted but what can be made again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from featurestore import segments
from featurestore.checking import QUARANTINE, Finding, Remedy, segment_files
from featurestore.durable import fsync_folder
from featurestore.look_salvage import salvage_looks
from featurestore.looks import LOOKS, write_looks
from featurestore.reading_process import ReadingProcess
from featurestore.salvage import (
    KnownImages,
    NothingKnown,
    salvage_deletions,
    salvage_edits,
    salvage_features,
    salvage_images,
)
from featurestore.segment_file import SEGMENT_NAME, time_ns_of
from featurestore.store import FeatureStore


@dataclass
class Repair:
    """What a repair did."""

    quarantined: list[Path] = field(default_factory=list)
    """Where damaged files are now."""
    healed: list[Path] = field(default_factory=list)
    """Segments that are again what they were."""
    removed: list[Path] = field(default_factory=list)
    """Rubbish, and what is made again."""
    salvaged_images: int = 0
    lost_ids: list[int] = field(default_factory=list)
    """Images that no segment holds undamaged any more, as far as their ids could be read."""
    kinds: set[str] = field(default_factory=set)
    """Kinds of the segments that were damaged."""


def repair_store(
    folder: Path, findings: Iterable[Finding], known: KnownImages | None = None
) -> Repair:
    """Act on what `check_store` found.

    Hold the `compaction_lock`.

    Args:
        known: the catalogue, where there is one that can be trusted.

    Raises OSError (a full disk), after which it is repeated.
    """
    repair = Repair()
    with ReadingProcess() as process:
        _act(folder, findings, known or NothingKnown(), process, repair)
    store = FeatureStore(folder)
    deleted = set(store.deleted_ids().tolist())
    repair.lost_ids = sorted({i for i in repair.lost_ids if i not in store and i not in deleted})
    return repair


def _act(
    folder: Path,
    findings: Iterable[Finding],
    known: KnownImages,
    process: ReadingProcess,
    repair: Repair,
) -> None:
    kinds = dict(segment_files(folder))
    # One segment may have many findings.
    for path, remedy in {finding.path: finding.remedy for finding in findings}.items():
        if not path.is_relative_to(folder) or not path.exists():
            continue
        if remedy == Remedy.SALVAGE and path in kinds:
            repair.kinds.add(kinds[path])
            written = _salvage(path, kinds[path], known, process, repair)
            if written == path:
                # Everything was whole, so that the new segment is the old one as it once was.
                repair.healed.append(path)
            else:
                repair.quarantined.append(quarantine(folder, path))
        elif remedy == Remedy.SALVAGE:
            repair.quarantined.append(quarantine(folder, path))
        elif remedy == Remedy.REMOVE:
            path.unlink(missing_ok=True)
            repair.removed.append(path)


def quarantine(folder: Path, path: Path) -> Path:
    """Move a file of the store below `quarantine/`; returns its new path."""
    target = folder / QUARANTINE / path.relative_to(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    path.rename(target)
    fsync_folder(target.parent)
    fsync_folder(path.parent)
    return target


def _salvage(
    path: Path, kind: str, known: KnownImages, process: ReadingProcess, repair: Repair
) -> Path | None:
    """Write what is whole in a segment into a new one; returns its path."""
    folder, time_ns = path.parent, _time_ns(path)
    if kind == segments.IMAGES:
        found = salvage_images(path, known, process)
        repair.salvaged_images += len(found.whole)
        repair.lost_ids += found.lost_ids
        if found.whole:
            return segments.write_images(folder, found.whole, time_ns=time_ns)
    elif kind == segments.FEATURES:
        features = salvage_features(path, process)
        if len(features.image_ids):
            return segments.write_features(folder, folder.name, features, time_ns=time_ns)
    elif kind == LOOKS:
        looks = salvage_looks(path, process)
        if len(looks):
            return write_looks(folder, folder.name, looks, time_ns=time_ns)
    elif kind == segments.DELETIONS:
        ids = salvage_deletions(path, known, process)
        if len(ids):
            return segments.write_deletions(folder, ids, time_ns=time_ns)
    elif edits := salvage_edits(path, process):
        return segments.write_edits(folder, edits, time_ns=time_ns)
    return None


def _time_ns(path: Path) -> int:
    """The damaged segment's time, so that its rows stay older than those written after it."""
    if SEGMENT_NAME.fullmatch(path.name):
        return time_ns_of(path.name)
    return path.stat().st_mtime_ns
